"""Write a table into a folder of Parquet files, which appears when it is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from gcmock.io.disk import whole_folder
from gcmock.io.manifest import Manifest, entry_of
from gcmock.io.ownership import MANIFEST
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

    The partitions go to a folder beside the output. Leaving the context puts it in place, or
    deletes it if there was an exception (Ctrl-C included).

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
        self.path = path
        self.n_rows = 0
        self._columns = tuple(columns)
        self._metadata = dict(metadata) | {"manifest": MANIFEST}
        self._size = partition_size
        self._file: Writer | None = None
        with ExitStack() as stack:
            whole = whole_folder(path, overwrite=overwrite)
            self._folder = stack.enter_context(whole)
            record = {"metadata": dict(metadata)}
            self._manifest = stack.enter_context(Manifest(self._folder, record))
            # From here on the end of this context ends those of both.
            self._whole = stack.pop_all()

    def write(self, chunk: Mapping[str, Any]) -> None:
        """Append rows; see `Writer.write`."""
        n_rows = len(next(iter(chunk.values())))
        start = 0
        while start < n_rows:
            if self._file is None:
                name = f"part-{len(self._manifest.entries):05d}.parquet"
                self._file = open_writer(self._folder / name, self._columns, self._metadata)
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
            self._manifest.append(entry_of(self._folder, name, n_rows, {}))
            self._file = None

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            try:
                if self._file is not None:
                    self._file.__exit__(kind, error, traceback)
            finally:
                self._whole.__exit__(kind, error, traceback)
            return
        with self._whole:
            self._close()
            self._manifest.finish(list(self._manifest.entries))


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
