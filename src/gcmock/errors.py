"""Errors that a user can act on: what was given, what was expected, what to do."""

from __future__ import annotations

__all__ = ["DiskError", "GcmockError", "InputError", "InterruptedRunError", "OutsideModelError"]


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
    """A list has too few stars, or none with a colour: nothing can be learned from it."""


class OutsideModelError(InputError):
    """A position that the model or one of its maps does not cover."""


class ModelWarning(UserWarning):
    """A choice of settings with which the model still works, but less well than usual."""


class InterruptedRunError(GcmockError):
    """Ctrl-C in a run that keeps what is finished."""

    exit_code = 130
