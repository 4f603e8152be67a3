"""The list of the finished partitions of a folder, from which an interrupted run goes on.

``_manifest.jsonl`` has one JSON object a line: what the partitions depend on; every partition with
its rows, size and checksum, appended when its file is in place; and at the end that all are there.
It holds no times, so that equal runs give equal bytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import remove_partial, sha256_of, write_text

MANIFEST: Final = "_manifest.jsonl"
"""Name of the list in the folder; readers of Parquet folders skip names with an underscore."""

_FORMAT: Final = 1
_N_SHOWN: Final = 6


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
        Delete what is there.

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

    def __init__(self, folder: Path, record: Mapping[str, Any], *, overwrite: bool = False) -> None:
        self.folder = folder
        self.path = folder / MANIFEST
        self.entries: dict[str, Entry] = {}
        self.complete = False
        self._record = json.loads(json.dumps(record))
        self._lock: int | None = None
        _make_folder(folder)
        self._lock = _lock(folder)
        try:
            if self.path.exists() and overwrite:
                _empty(folder, self.path)
            if self.path.exists():
                self._resume()
            elif any(folder.iterdir()):
                raise InputError(
                    f"{folder}: holds files that are not an unfinished catalogue of gcmock; "
                    "choose another name"
                )
            remove_partial(folder)
            self._rewrite()
        except BaseException:
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
        GcmockError
            If the disk is full or fails.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(asdict(entry)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise GcmockError(f"{self.path}: writing failed: {error.strerror}") from error
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
        write_text(self.path, "".join(map(_line, lines)))

    def close(self) -> None:
        """Let others write to the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_complete(folder: Path) -> None:
    """Raise an InputError if a folder is a catalogue that was never finished."""
    path = folder / MANIFEST
    if path.exists() and not any("complete" in line for line in _lines(path)):
        raise InputError(
            f"{folder}: is not complete; run the command that began it once more to finish it"
        )


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


def _make_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise InputError(f"{folder}: the folder {folder.parent} does not exist")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        reason = "is a file" if folder.is_file() else f"cannot be made: {error.strerror}"
        raise InputError(f"{folder}: {reason}") from error


def _empty(folder: Path, manifest: Path) -> None:
    """Delete the partitions of a manifest, and what else a run leaves."""
    # The manifest last: without it nobody could tell that the rest is ours.
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path != manifest:
            path.unlink()
    manifest.unlink()


def _lock(folder: Path) -> int | None:
    """Keep other processes out of a folder, as long as this one lives."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(f"{folder}: another run is writing here; wait until it ends") from error
    except OSError:
        # Some network disks have no locks.
        with suppress(OSError):
            os.close(descriptor)
        return None
    return descriptor
