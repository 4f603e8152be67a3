"""The list of the finished partitions of a folder, from which an interrupted run goes on.

``_manifest.jsonl`` has one JSON object a line: what the partitions depend on; every partition with
its rows, size and checksum, appended when its file is in place; and at the end that all are there.
It holds no times, so that equal runs give equal bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from gcmock.errors import InputError
from gcmock.io.disk import (
    check_new_folder,
    encoded,
    remove_dead,
    remove_partial,
    sha256_of,
    write_text,
    writing_failed,
)
from gcmock.io.ownership import ACCOUNT, MANIFEST, check_no_link, check_replaceable, is_own_file
from gcmock.io.partial import check_alone, is_partial, partial_name, partials_of

_FORMAT: Final = 1
_N_SHOWN: Final = 6
_PART: Final = re.compile(r"^(part-\d+|tile-[\w+-]+|Npix=\d+)\.parquet$")
"""Names of partitions."""


@dataclass(frozen=True)
class Entry:
    """A finished partition.

    Attributes
    ----------
    name : str
        Path of its file in the folder, with ``/``.
    rows, bytes : int
    sha256 : str
    account : dict
        What a summary of the run needs to know of it.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    account: dict[str, Any] = field(default_factory=dict)


def entry_of(folder: Path, name: str, rows: int, account: Mapping[str, Any]) -> Entry:
    """Return the entry of a file that is in place."""
    path = folder / name
    return Entry(name, rows, path.stat().st_size, sha256_of(path), dict(account))


class Manifest:
    """The manifest of a folder that one process writes at a time; use it as a context manager.

    Opening it makes the folder, or checks what an earlier run left there: partitions whose file is
    missing or changed are forgotten, files that were not finished are deleted.

    Parameters
    ----------
    folder : Path
    record : mapping
        What the partitions depend on: settings, input, versions. Nested mappings of JSON values.
    overwrite : bool
        Delete what is there, if gcmock wrote all of it.
    or_nothing : bool
        Delete a new folder if the run fails for bad input before a partition is finished.

    Attributes
    ----------
    entries : dict of str to Entry
        Finished partitions by name.
    complete : bool
        Whether an earlier run had finished.

    Raises
    ------
    InputError
        If the folder holds something else, another run writes to it, or the partitions that are
        there depend on something else.
    """

    def __init__(
        self,
        folder: Path,
        record: Mapping[str, Any],
        *,
        overwrite: bool = False,
        or_nothing: bool = False,
    ) -> None:
        self.folder = folder
        self.path = folder / MANIFEST
        self.entries: dict[str, Entry] = {}
        self.complete = False
        self._record = json.loads(json.dumps(record))
        self._release: Callable[[], None] | None = None
        check_no_link(folder)
        self._is_new = _make_folder(folder)
        self._or_nothing = or_nothing
        try:
            self._release = _lock(folder)
            remove_dead(folder)
            if overwrite and not self._is_new:
                self._empty()
            if self.path.exists():
                self._resume()
            else:
                _check_unused(folder)
            remove_partial(folder)
            self._rewrite()
        except BaseException:
            if self._is_new:
                self._discard()
            self.close()
            raise

    @property
    def record(self) -> dict[str, Any]:
        """What the partitions depend on, as JSON values."""
        return dict(self._record)

    def _resume(self) -> None:
        """Read the manifest of an earlier run, and check its partitions."""
        lines = list(_lines(self.path))
        if not lines or lines[0].get("format") != _FORMAT:
            raise InputError(
                f"{self.path}: damaged, or of another version of gcmock; start afresh with "
                "--overwrite"
            )
        changes = list(_differences(lines[0]["record"], self._record))
        if changes:
            more = f"; and {len(changes) - _N_SHOWN} more" if len(changes) > _N_SHOWN else ""
            raise InputError(
                f"{self.folder}: was begun with {'; '.join(changes[:_N_SHOWN])}{more}. Run the "
                "command as it was to go on, choose another output, or start afresh with "
                "--overwrite"
            )
        entries = [Entry(**line) for line in lines[1:] if "name" in line]
        self.entries = {entry.name: entry for entry in entries if self._is_there(entry)}
        self.complete = "complete" in lines[-1] and len(self.entries) == len(entries)
        self._remove_others([self.folder / entry.name for entry in entries])

    def _remove_others(self, listed: Sequence[Path]) -> None:
        """Delete partitions that changed since they were finished, and those that do not belong.

        A run may have been killed after a partition was in place, and before it stood in the
        manifest, or while it deleted those of another run.
        """
        finished = {self.folder / name for name in self.entries}
        for path in {*self.folder.rglob("*.parquet"), *listed} - finished:
            ours = path in listed or (_PART.match(path.name) and is_own_file(path))
            if ours and path.is_file() and not path.is_symlink():
                path.unlink()

    def _is_there(self, entry: Entry) -> bool:
        """Whether the file of a partition is as it was when it was finished."""
        path = self.folder / entry.name
        return (
            path.is_file()
            and path.stat().st_size == entry.bytes
            and sha256_of(path) == entry.sha256
        )

    def append(self, entry: Entry) -> None:
        """Add a partition whose file is in place.

        Raises
        ------
        DiskError
            If the disk is full or fails.
        """
        try:
            with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(_line(asdict(entry)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise writing_failed(self.path, error) from error
        self.entries[entry.name] = entry

    def finish(self, names: Sequence[str]) -> None:
        """Record that all partitions are there, in the order of `names`."""
        self.entries = {name: self.entries[name] for name in names}
        self.complete = True
        self._rewrite()

    def _rewrite(self) -> None:
        """Write the whole manifest; a reader finds the old one or the new one."""
        lines = [{"format": _FORMAT, "record": self._record}]
        lines += [asdict(entry) for entry in self.entries.values()]
        if self.complete:
            rows = sum(entry.rows for entry in self.entries.values())
            lines.append({"complete": True, "partitions": len(self.entries), "rows": rows})
        text = "".join(map(_line, lines))
        # A run that finds everything done leaves everything as it is.
        if not self.path.exists() or self.path.read_bytes() != encoded(text):
            write_text(self.path, text)

    def _empty(self) -> None:
        """Delete everything in the folder, or nothing, if a part of it is not gcmock's."""
        check_replaceable(self.folder, overwrite=True)
        found = sorted(self.folder.rglob("*"), reverse=True)
        # From here on nobody takes what is left for a whole catalogue. What says whose the files
        # are goes last.
        self._rewrite()
        kept = (self.path, self.folder / ACCOUNT)
        for path in [*(p for p in found if p not in kept), *reversed(kept)]:
            if path.is_dir() and not path.is_symlink():
                # What came into it since then stays.
                with suppress(OSError):
                    path.rmdir()
            else:
                path.unlink(missing_ok=True)

    def _discard(self) -> None:
        """Delete the folder of a run that finished nothing."""
        with suppress(OSError, InputError):
            self._empty()
            self.folder.rmdir()

    def close(self) -> None:
        """Let others write to the folder."""
        if self._release is not None:
            self._release()
            self._release = None

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        failed = kind is not None and issubclass(kind, InputError)
        if failed and self._or_nothing and self._is_new and not self.entries:
            self._discard()
        self.close()


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Check that a folder with a manifest may be begun or gone on with, before any work.

    Raises
    ------
    InputError
        If the folder is a file or a link, holds something else, cannot be made, is written by
        another process, or if it is to be overwritten and holds files that gcmock did not write.
    """
    check_no_link(folder)
    if folder.is_dir() and not overwrite:
        check_alone(folder)
        if not (folder / MANIFEST).exists():
            _check_unused(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{folder}: cannot be written: the folder does not permit it")
        return
    check_new_folder(folder, overwrite=overwrite)


def is_complete(folder: Path) -> bool:
    """Whether a folder has a manifest that says that all partitions are there."""
    path = folder / MANIFEST
    return path.is_file() and any("complete" in line for line in _lines(path))


def check_complete(folder: Path) -> None:
    """Raise an InputError if a folder is a catalogue that was never finished, or lost a part."""
    partitions_of(folder)


def partitions_of(folder: Path) -> list[Path] | None:
    """Return the files of the partitions of a folder, None if it has no manifest.

    Raises
    ------
    InputError
        If the folder is not complete.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    if not is_complete(folder):
        raise InputError(
            f"{folder}: is not complete; run the command that began it once more to finish it"
        )
    entries = [line for line in _lines(path) if "name" in line]
    parts = [folder / line["name"] for line in entries]
    lost = [
        part.name
        for part, line in zip(parts, entries, strict=True)
        if not part.is_file() or part.stat().st_size != line["bytes"]
    ]
    if lost:
        more = f" and {len(lost) - _N_SHOWN} more" if len(lost) > _N_SHOWN else ""
        raise InputError(
            f"{folder}: is not complete: {', '.join(lost[:_N_SHOWN])}{more} of its "
            f"{len(parts)} partitions are missing or changed; run the command that made it once "
            "more to repair it"
        )
    return parts


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False) + "\n"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a manifest; the last may be cut short by a power failure."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            return
        if not isinstance(values, dict):
            return
        yield values


def _differences(old: Any, new: Any, name: str = "") -> Iterator[str]:
    """Name every value that differs between two records."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            inner = f"{name}.{key}" if name else key
            yield from _differences(old.get(key), new.get(key), inner)
    elif old != new:
        yield f"{name} = {old!r}, now {new!r}"


def _check_unused(folder: Path) -> None:
    """Refuse a folder without a manifest that holds more than the beginnings of one."""
    if any(not is_partial(path.name) for path in folder.iterdir()):
        raise InputError(
            f"{folder}: holds files that are not an unfinished catalogue of gcmock; choose another "
            "name, or replace what gcmock wrote with --overwrite"
        )


def _make_folder(folder: Path) -> bool:
    """Make a folder; return whether there was none."""
    if not folder.parent.is_dir():
        raise InputError(f"{folder}: the folder {folder.parent} does not exist")
    try:
        folder.mkdir()
    except FileExistsError as error:
        if folder.is_dir():
            return False
        raise InputError(f"{folder}: is a file") from error
    except OSError as error:
        raise writing_failed(folder, error) from error
    return True


def _lock(folder: Path) -> Callable[[], None]:
    """Keep other processes out of a folder; return what lets them in again.

    The lock ends with the process. Some network disks have none: there a file beside the folder
    says who writes to it.
    """
    told = InputError(f"{folder}: another run is writing here; wait until it ends")
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise told from error
        else:
            return lambda: os.close(descriptor)
    except ImportError:
        pass
    remove_dead(folder)
    others = [one.path for one in partials_of(folder)]
    if others:
        raise InputError(f"{told}; if none does, delete {others[0]}")
    mine = partial_name(folder)
    try:
        mine.touch()
    except OSError as error:
        raise writing_failed(folder, error) from error
    return lambda: mine.unlink(missing_ok=True)
