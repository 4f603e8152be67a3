"""The log file of a run (``--log FILE``): what was called, what was printed, how it ended."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TextIO

from gcmock import __version__
from gcmock.errors import InputError
from gcmock.io.ownership import is_own_file

OPTION = "--log"
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def split_log(tokens: Sequence[str]) -> tuple[list[str], Path | None]:
    """Take ``--log FILE`` or ``--log=FILE`` out of the words of a command.

    Raises
    ------
    InputError
        If the name of the file is missing, or it is given twice.
    """
    rest: list[str] = []
    found: list[str] = []
    words = iter(tokens)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == OPTION:
            value = next(words, "")
            if not value or value.startswith("-"):
                raise InputError(f"{OPTION} needs the name of a file")
            found.append(value)
        elif word.startswith(f"{OPTION}="):
            found.append(word.partition("=")[2])
        else:
            rest.append(word)
    if len(found) > 1:
        raise InputError(f"{OPTION} is given {len(found)} times; give it once")
    if found and not found[0]:
        raise InputError(f"{OPTION} needs the name of a file")
    return rest, Path(found[0]) if found else None


class _Both:
    """A stream of the terminal that writes to the log as well, without colours."""

    def __init__(self, stream: TextIO, log: IO[str]) -> None:
        self._stream, self._log = stream, log

    def write(self, text: str) -> int:
        """Write to both."""
        self._log.write(_ESCAPES.sub("", text))
        self._log.flush()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _check_log(path: Path, tokens: Sequence[str]) -> None:
    """Refuse to append to anything but a log of gcmock.

    Raises
    ------
    InputError
        If the file is something else, or the command reads or writes it.
    """
    words = [Path(word.partition("=")[2] or word) for word in tokens]
    if any(word.resolve() == path.resolve() for word in words):
        raise InputError(
            f"{path}: is named by the command as well; choose another file for {OPTION}"
        )
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path}: is a link to something that does not exist; name a file itself")
    if path.is_file() and path.stat().st_size > 0 and not is_own_file(path.resolve()):
        raise InputError(
            f"{path}: exists and is no log of gcmock, so nothing is appended to it; choose another "
            f"file for {OPTION}"
        )


class RunLog:
    """Appends an account of a run to a file while the context is open.

    Progress bars are left out: they appear on stderr, only the errors of which are logged.

    Parameters
    ----------
    path : Path
    tokens : sequence of str
        Words of the command.

    Raises
    ------
    InputError
        If the file cannot be written.
    """

    def __init__(self, path: Path, tokens: Sequence[str]) -> None:
        _check_log(path, tokens)
        try:
            self._log = path.open("a", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: the log cannot be written: {error.strerror}") from error
        self._tokens = tokens
        self._start = time.perf_counter()

    def __enter__(self) -> RunLog:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.line(f"== {now} gcmock {__version__}, Python {sys.version.split()[0]}, {os.getcwd()}")
        self.line(f"$ gcmock {shlex.join(self._tokens)}")
        self._stdout = sys.stdout
        sys.stdout = _Both(sys.stdout, self._log)
        return self

    def line(self, text: str) -> None:
        """Append a line."""
        self._log.write(f"{text}\n")
        self._log.flush()

    def ended(self, code: int) -> None:
        """Append the exit code and the time."""
        self.line(f"exit code {code}, {time.perf_counter() - self._start:.1f} s")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.stdout = self._stdout
        if error is not None and not isinstance(error, SystemExit):
            self.line("".join(traceback.format_exception(error)).rstrip())
        self._log.close()
