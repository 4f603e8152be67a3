"""Outputs that a command writes before its main one, and what is left of them if it is killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gcmock.errors import InputError
from gcmock.io.disk import writing_failed
from gcmock.io.ownership import check_replaceable, is_own_file
from gcmock.io.partial import is_left_behind, partial_name


def take_left_behind(beside: Path, main: Path) -> None:
    """Remove a further output of a command that was killed before its main output had its name.

    Parameters
    ----------
    beside : Path
        Output that gets its name before the main one.
    main : Path
        Main output, which gets its name last.
    """
    if not is_left_behind(beside, main) or beside.is_symlink():
        return
    if beside.is_dir():
        with suppress(InputError):
            check_replaceable(beside, overwrite=True)
            shutil.rmtree(beside, ignore_errors=True)
    elif is_own_file(beside):
        beside.unlink(missing_ok=True)


@contextmanager
def announced(main: Path | None) -> Iterator[None]:
    """Leave a trace of the main output while others are written before it.

    If the process is killed between them, `take_left_behind` knows by it that they are half of a
    result.

    Parameters
    ----------
    main : Path, optional
        Nothing is announced if it is None.
    """
    if main is None:
        yield
        return
    trace = partial_name(main)
    try:
        trace.touch()
    except OSError as error:
        raise writing_failed(main, error, trace) from error
    try:
        yield
    finally:
        with suppress(OSError):
            trace.unlink(missing_ok=True)
