"""Names of what is being written, and whether those who write it still live.

What is written has a name beside that of the output until it is complete: the name of the output,
``.partial-``, and the process, the machine and the time at which it began. A process that was
killed leaves it behind; a later run of the same command finds it by this name.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from gcmock.errors import InputError

_NAME: Final = re.compile(
    r"^(?P<output>.+)\.partial-(?P<pid>\d+)-(?P<machine>[0-9a-f]{6})-(?P<start>[0-9a-f]+)-[0-9a-f]+$"
)
_ANY: Final = re.compile(r"\.partial-([0-9a-f]+(-[0-9a-f]+)*|votable)$")
"""Names that any release gave, and that of a table while it is fetched."""

_ours: Final[set[str]] = set()
_number: Final = count()


class Partial(NamedTuple):
    """Something that is, or was, being written.

    Attributes
    ----------
    path : Path
    pid : int
        Process that writes it.
    machine : str
    start : float
        When it was begun [s since 1970].
    """

    path: Path
    pid: int
    machine: str
    start: float

    @property
    def is_dead(self) -> bool:
        """Whether nobody can finish it: the process was here, and is no more."""
        if self.machine != _machine() or self.path.name in _ours:
            return False
        # Another process of our number was killed, and this one got the number.
        return self.pid == os.getpid() or not _lives(self.pid)

    @property
    def is_of_another(self) -> bool:
        """Whether another process of this machine writes it now."""
        return self.machine == _machine() and self.path.name not in _ours and not self.is_dead


def is_text(path: Path) -> bool:
    """Whether the name of a file is UTF-8; those of other systems and times may be any bytes."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def partial_name(path: Path) -> Path:
    """Return the name beside a file or a folder that it has while it is written."""
    start = int(1000.0 * time.time())
    name = f"{path.name}.partial-{os.getpid()}-{_machine()}-{start:x}-{next(_number):x}"
    _ours.add(name)
    return path.with_name(name)


def is_partial(name: str) -> bool:
    """Whether the name of a file or folder says that it was never finished."""
    return _ANY.search(name) is not None


def partials_of(path: Path) -> Iterator[Partial]:
    """Yield what is being written, or was, under the name of an output."""
    try:
        names = sorted(os.listdir(path.parent))
    except OSError:
        return
    for name in names:
        if not name.startswith(path.name):
            continue
        found = _NAME.match(name)
        if found is not None and found["output"] == path.name:
            start = int(found["start"], 16) / 1000.0
            yield Partial(path.with_name(name), int(found["pid"]), found["machine"], start)


def check_alone(path: Path) -> None:
    """Refuse an output that another process is writing.

    Raises
    ------
    InputError
        It names the process.
    """
    for partial in partials_of(path):
        if partial.is_of_another:
            raise InputError(
                f"{path}: another run (process {partial.pid}) is writing here; wait until it ends, "
                "or choose another output"
            )


def is_left_behind(beside: Path, main: Path) -> bool:
    """Whether an output is what a killed run put beside its main output, which it never finished.

    Parameters
    ----------
    beside : Path
        A further output of a command.
    main : Path
        The output that gets its name last.
    """
    if main.exists() or not beside.exists():
        return False
    born = beside.stat().st_mtime
    # Times of files may be cut to seconds.
    return any(one.is_dead and born >= one.start - 1.0 for one in partials_of(main))


@cache
def _machine() -> str:
    """Six digits for the name of this machine: others may share its disk."""
    return blake2b(platform.node().encode("utf-8", "replace"), digest_size=3).hexdigest()


def _lives(pid: int) -> bool:
    """Whether there is a process of this number; not known is yes."""
    if os.name == "nt":
        # Signal 0 would end it.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
