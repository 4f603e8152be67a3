"""Names of files that no system can use, found before any work is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gcmock.errors import InputError

_LONGEST: Final = 255
"""Bytes of a name on the file systems of Linux and macOS."""

_MARK: Final = 40
"""Bytes that are added to the name of an output while it is written."""


def check_input_name(path: str | Path) -> None:
    """Refuse a name that cannot be the name of a file; whether there is one is not asked.

    Raises
    ------
    InputError
        If the name or its path is too long, has a character of no text, or leads through a folder
        that may not be read.
    """
    _check(path, _LONGEST)


def check_output_name(path: str | Path) -> None:
    """Refuse a name under which nothing can be written; see `check_input_name`."""
    _check(path, _LONGEST - _MARK)


def _check(path: str | Path, longest: int) -> None:
    size = len(os.fsencode(Path(path).name))
    if size > longest:
        raise InputError(f"{path}: has a name of {size} bytes; at most {longest} can be used")
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path}: cannot be used: {reason}") from error
