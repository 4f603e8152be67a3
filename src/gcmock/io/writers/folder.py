"""Write a table into a folder of Parquet files, which appears when it is complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import PARTIAL
from gcmock.io.manifest import MANIFEST, Manifest, entry_of
from gcmock.io.writers.writer import Writer, open_writer
from gcmock.words.columns import Column


class TableWriter(Protocol):
    """What a file and a folder that are being written have in common."""

    n_rows: int

    def write(self, chunk: Mapping[str, Any]) -> None:
        """Append rows."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish, or leave nothing behind after an exception."""
        ...


class FolderWriter:
    """A folder that is being written; use it as a context manager, like `Writer`.

    The partitions go to ``<name>.partial-<process>`` beside the output. Leaving the context renames
    that folder, or deletes it if there was an exception (Ctrl-C included).

    Parameters
    ----------
    path : Path
    columns : sequence of Column
    metadata : mapping of str to str
        Stored in every file, and in the manifest.
    partition_size : int
        Rows of a file.
    overwrite : bool
        Replace a folder that gcmock wrote.

    Raises
    ------
    InputError
        If the output exists, or its folder cannot be written to.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        metadata: Mapping[str, str],
        partition_size: int,
        *,
        overwrite: bool = False,
    ) -> None:
        if path.exists() and not (overwrite and (path / MANIFEST).is_file()):
            raise InputError(f"{path}: exists already; choose another name or allow overwriting")
        if not path.parent.is_dir():
            raise InputError(f"{path}: the folder {path.parent} does not exist")
        self.path = path
        self.n_rows = 0
        self._columns = tuple(columns)
        self._metadata = dict(metadata)
        self._size = partition_size
        self._partial = path.with_name(f"{path.name}{PARTIAL}{os.getpid()}")
        self._manifest = Manifest(self._partial, {"metadata": self._metadata})
        self._file: Writer | None = None

    def write(self, chunk: Mapping[str, Any]) -> None:
        """Append rows; see `Writer.write`."""
        n_rows = len(next(iter(chunk.values())))
        start = 0
        while start < n_rows:
            if self._file is None:
                name = f"part-{len(self._manifest.entries):05d}.parquet"
                self._file = open_writer(self._partial / name, self._columns, self._metadata)
            stop = min(n_rows, start + self._size - self._file.n_rows)
            self._file.write({name: values[start:stop] for name, values in chunk.items()})
            if self._file.n_rows == self._size:
                self._close()
            self.n_rows += stop - start
            start = stop

    def _close(self) -> None:
        """Finish the file that is open."""
        if self._file is not None:
            self._file.__exit__(None, None, None)
            name, n_rows = self._file.path.name, self._file.n_rows
            self._manifest.append(entry_of(self._partial, name, n_rows, {}))
            self._file = None

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._close()
                self._manifest.finish(list(self._manifest.entries))
                if self.path.exists():
                    shutil.rmtree(self.path)
                os.replace(self._partial, self.path)
        except OSError as failure:
            reason = failure.strerror or failure
            raise GcmockError(f"{self.path}: writing failed: {reason}") from failure
        finally:
            if self._file is not None:
                self._file.__exit__(kind, error, traceback)
            self._manifest.close()
            shutil.rmtree(self._partial, ignore_errors=True)


def open_output(
    path: Path,
    columns: Sequence[Column],
    metadata: Mapping[str, str],
    partition_size: int,
    *,
    overwrite: bool = False,
) -> TableWriter:
    """Start a table on disk: a file, or a folder of Parquet files if the name has no suffix.

    Parameters
    ----------
    path, columns, metadata, overwrite
        See `gcmock.io.writers.writer.open_writer`.
    partition_size : int
        Rows of a file, if it is a folder.
    """
    if path.suffix:
        return open_writer(path, columns, metadata, overwrite=overwrite)
    return FolderWriter(path, columns, metadata, partition_size, overwrite=overwrite)
