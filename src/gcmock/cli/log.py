"""The log file of a run (``--log FILE``): what was called, what was printed, how it ended."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from os.path import exists, isdir
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from gcmock import __version__
from gcmock.errors import InputError

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

    def __init__(self, stream: TextIO, log: RunLog) -> None:
        self._stream, self._log = stream, log

    def write(self, text: str) -> int:
        """Write to both."""
        self._log.write(_ESCAPES.sub("", text))
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _check_log(path: Path, tokens: Sequence[str]) -> None:
    """Refuse to append to anything but a log of gcmock.

    Raises
    ------
    InputError
        If the file is something else, or the command reads or writes it or the folder around it.
    """
    from gcmock.io.ownership import is_log

    for token in tokens:
        word = Path(token.partition("=")[2] if token.startswith("--") else token)
        if _is_same(word, path):
            raise InputError(
                f"{path}: is named by the command as well; choose another file for {OPTION}"
            )
        if word.name and isdir(word) and word.resolve() in path.resolve().parents:
            raise InputError(
                f"{path}: lies in {word}, which the command reads or writes; choose a file "
                f"elsewhere for {OPTION}"
            )
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path}: is a link to something that does not exist; name a file itself")
    if path.is_file() and path.stat().st_size > 0 and not is_log(path.resolve()):
        raise InputError(
            f"{path}: exists and is no log of gcmock, so nothing is appended to it; choose another "
            f"file for {OPTION}"
        )


def _is_same(word: Path, path: Path) -> bool:
    """Whether a word of the command is the log, under whatever name."""
    try:
        return word.resolve() == path.resolve() or (exists(path) and word.samefile(path))
    except (OSError, ValueError):
        return False


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
            # Names of files need not be text.
            self._log = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise InputError(f"{path}: the log cannot be written: {error.strerror}") from error
        self._path = path
        self._works = True
        self._tokens = tokens
        self._start = time.perf_counter()

    def __enter__(self) -> RunLog:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.line(f"== {now} gcmock {__version__}, Python {sys.version.split()[0]}, {os.getcwd()}")
        self.line(f"$ gcmock {shlex.join(self._tokens)}")
        self._stdout = sys.stdout
        sys.stdout = _Both(sys.stdout, self)
        return self

    def line(self, text: str) -> None:
        """Append a line."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Append a text; a disk that is full is told of once, and stops no run."""
        if not self._works:
            return
        try:
            self._log.write(text)
            self._log.flush()
        except OSError as error:
            self._works = False
            with suppress(OSError):
                print(
                    f"gcmock: warning: {self._path}: the log cannot be written: {error.strerror}; "
                    "the run goes on without it",
                    file=sys.stderr,
                )

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
        # What a full disk did not take is tried once more.
        with suppress(OSError):
            self._log.close()
