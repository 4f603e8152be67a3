"""Sort the rows of a table that does not fit in memory, by a key that is computed from them.

Rows go to files by ranges of the key ("buckets"); each file is then read and sorted by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gcmock.io.disk import scratch_folder, writing_failed
from gcmock.io.observed import RawRows
from gcmock.io.readers.arrow import array_of

SortKey = Callable[[RawRows], NDArray[np.int64]]

BUCKET_ROWS: Final = 500_000
"""Rows of a bucket, about: what is in memory at a time."""

_ROW, _KEY = "row in the input", "sort key"


def bucket_edges(counts: NDArray[np.int64], rows: int | None = None) -> NDArray[np.int64]:
    """Divide the range of a key into buckets.

    Parameters
    ----------
    counts : ndarray of int64, shape (n_key,)
        Rows by key.
    rows : int, optional
        Rows of a bucket, `BUCKET_ROWS` if not given; one key may have more.

    Returns
    -------
    ndarray of int64, shape (n_bucket - 1,)
        First keys of the buckets but the first.
    """
    bucket = (np.cumsum(counts) - counts) // (rows or BUCKET_ROWS)
    return np.flatnonzero(np.diff(bucket)) + 1


class SortedRows:
    """The rows of a table in the order of a key; use it as a context manager.

    Rows of the same key keep their order. Leaving the context deletes the files.

    Parameters
    ----------
    output : Path
        What the rows are sorted for: the files lie beside it.
    raws : iterable of RawRows
        The rows.
    key : callable
        Keys of rows, at least 0.
    edges : ndarray of int64
        From `bucket_edges`.

    Raises
    ------
    DiskError
        If the disk is full or fails.
    """

    def __init__(
        self, output: Path, raws: Iterator[RawRows], key: SortKey, edges: NDArray[np.int64]
    ) -> None:
        with ExitStack() as stack:
            folder = stack.enter_context(scratch_folder(output))
            self._paths = [folder / f"bucket-{i:05d}.arrow" for i in range(len(edges) + 1)]
            try:
                self._fill(raws, key, edges)
            except OSError as error:
                raise writing_failed(folder, error) from error
            self._files = stack.pop_all()

    def _fill(self, raws: Iterator[RawRows], key: SortKey, edges: NDArray[np.int64]) -> None:
        """Write every row to the file of its bucket."""
        writers: dict[int, pa.ipc.RecordBatchFileWriter] = {}
        with ExitStack() as stack:
            for raw in raws:
                keys = key(raw)
                bucket = np.searchsorted(edges, keys, side="right")
                order = np.argsort(bucket, kind="stable")
                table = _to_arrow(raw, keys).take(pa.array(order))
                ends = np.searchsorted(bucket[order], np.arange(len(self._paths) + 1))
                for i in np.flatnonzero(np.diff(ends)).tolist():
                    if i not in writers:
                        writer = pa.ipc.new_file(self._paths[i], table.schema)
                        writers[i] = stack.enter_context(writer)
                    writers[i].write_table(table.slice(ends[i], ends[i + 1] - ends[i]))

    def rows(self, size: int) -> Iterator[RawRows]:
        """Yield the rows in order, at most `size` at a time.

        The file of a bucket is deleted when its last row was taken.
        """
        for path in self._paths:
            if not path.exists():
                continue
            with pa.OSFile(str(path)) as file:
                table = pa.ipc.open_file(file).read_all()
            keys = table.column(_KEY).to_numpy()
            table = table.take(pa.array(np.lexsort((table.column(_ROW).to_numpy(), keys))))
            path.unlink()
            row = table.column(_ROW).to_numpy()
            names = [name for name in table.column_names if name not in (_ROW, _KEY)]
            columns = {name: array_of(table.column(name).combine_chunks()) for name in names}
            whole = RawRows(row, columns)
            for start in range(0, len(row), size):
                yield whole.part(start, start + size)

    def __enter__(self) -> SortedRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._files.close()


def _to_arrow(raw: RawRows, keys: NDArray[np.int64]) -> pa.Table:
    """Rows as a table with their keys; masked values are null."""

    def array(values: NDArray[Any]) -> pa.Array:
        if np.ma.isMaskedArray(values):
            return pa.array(np.ma.getdata(values), mask=np.ma.getmaskarray(values))
        return pa.array(values)

    names: Sequence[str] = [*raw.columns, _ROW, _KEY]
    arrays = [*map(array, raw.columns.values()), pa.array(raw.row), pa.array(keys)]
    return pa.Table.from_arrays(arrays, names=list(names))
