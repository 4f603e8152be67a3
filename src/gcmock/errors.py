"""Errors that a user can act on: what was given, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = [
    "DiskError",
    "GcmockError",
    "InputError",
    "InterruptedRunError",
    "MissingColumnsError",
    "ModelWarning",
    "OutsideModelError",
]

_WIDTH: Final = 60
_LINE: Final = 2000
_LINES: Final = 10


class GcmockError(Exception):
    """Base of all errors that the command line prints as one line, without a traceback."""

    exit_code = 1


class InputError(GcmockError):
    """Bad input: a file, a column, a value or a setting that cannot be used."""

    exit_code = 2


class MissingColumnsError(InputError):
    """A table without a position or a magnitude: it may be the native one of a survey."""


class DiskError(GcmockError):
    """A disk that is full, or fails, while something is written."""

    exit_code = 3


class NothingToLearnError(InputError):
    """A list has too few stars, or none with a colour: nothing can be learned from it.

    Parameters
    ----------
    message : str
    zero_point_removed : bool
        Whether Gaia's zero point is removed from the parallaxes of the list.
    """

    def __init__(self, message: str, *, zero_point_removed: bool = False) -> None:
        super().__init__(message)
        self.zero_point_removed = zero_point_removed


class OutsideModelError(InputError):
    """A position that the model or one of its maps does not cover."""


class ModelWarning(UserWarning):
    """A choice of settings with which the model still works, but less well than usual."""


class InterruptedRunError(GcmockError):
    """Ctrl-C in a run that keeps what is finished."""

    exit_code = 130


def shown(value: object, width: int = _WIDTH) -> str:
    """Return a value as a message shows it: in one line, without the middle if it is long.

    Parameters
    ----------
    value : object
        Anything, also what has no short form of its own.
    width : int
        Most characters.
    """
    try:
        text = repr(value)
    # Python refuses to write integers of thousands of digits, and cannot write deep nests.
    except (ValueError, RecursionError):
        text = f"<{type(value).__name__} that is too long to be shown>"
    return shortened(" ".join(text.split()), width)


def shortened(text: str, width: int = _LINE) -> str:
    """Return a text without its middle, if it has more than `width` characters."""
    if len(text) <= width:
        return text
    half = (width - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def few_lines(lines: Iterable[str], most: int = _LINES) -> list[str]:
    """Return the first lines of a message, each of bounded length, and how many were left out."""
    every = [shortened(line) for line in lines]
    left = len(every) - most
    return every if left <= 0 else [*every[:most], f"and {left} more lines like these"]
