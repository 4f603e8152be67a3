"""Write a table in chunks; it appears under its name only when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import check_new_file, whole_file, writing_failed
from gcmock.io.readers.opening import format_of
from gcmock.words.columns import Column


class Encoder(Protocol):
    """Writes the rows of one file format to a path."""

    def write(self, chunk: Columns) -> None:
        """Append rows; every array has the dtype of its column."""
        ...

    def finish(self) -> None:
        """Write what is left, and close."""
        ...

    def close(self) -> None:
        """Close the file as it is, if it is still open."""
        ...


class Writer:
    """A table that is being written; use it as a context manager.

    The rows go to a file beside the output. Leaving the context puts it in place, or deletes it if
    there was an exception (Ctrl-C included).

    Parameters
    ----------
    path : Path
    columns : sequence of Column
    make_encoder : callable
        Opens the path that it is given.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        make_encoder: Callable[[Path], Encoder],
    ) -> None:
        self.path = path
        self.columns = tuple(columns)
        self.n_rows = 0
        with ExitStack() as stack:
            self._encoder = make_encoder(stack.enter_context(whole_file(path)))
            # From here on the end of this context ends that of the file.
            self._whole = stack.pop_all()

    def write(self, chunk: Mapping[str, Any]) -> None:
        """Append rows.

        Parameters
        ----------
        chunk : mapping of str to ndarray, shape (n_row,)
            Exactly the columns of the table. The arrays may be used again afterwards.

        Raises
        ------
        GcmockError
            If the disk is full or fails.
        ValueError
            If columns are missing or unknown, or their lengths differ.
        """
        names = [column.name for column in self.columns]
        if set(chunk) != set(names):
            raise ValueError(f"columns differ: {sorted(set(chunk) ^ set(names))}")
        rows = {column.name: _cast(chunk[column.name], column) for column in self.columns}
        lengths = {len(values) for values in rows.values()}
        if len(lengths) != 1:
            raise ValueError(f"columns have different lengths: {sorted(lengths)}")
        try:
            self._encoder.write(rows)
        except OSError as error:
            raise self._failed(error) from error
        self.n_rows += lengths.pop()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._close()
            self._whole.__exit__(kind, error, traceback)
            return
        with self._whole:
            try:
                self._encoder.finish()
            finally:
                self._close()

    def _close(self) -> None:
        # Harmless after success; a failing disk may refuse even to close.
        with suppress(OSError):
            self._encoder.close()

    def _failed(self, error: OSError) -> GcmockError:
        return writing_failed(self.path, error)


def open_writer(
    path: str | Path,
    columns: Sequence[Column],
    metadata: Mapping[str, str] | None = None,
    *,
    overwrite: bool = False,
    alone: bool = True,
) -> Writer:
    """Start a table on disk.

    Parameters
    ----------
    path : str or Path
        The suffix gives the format: Parquet, FITS, VOTable or ECSV.
    columns : sequence of Column
    metadata : mapping of str to str, optional
        Stored in the file; `gcmock.io.metadata.read_metadata` reads it back.
    overwrite : bool
        Replace an existing file that gcmock wrote.
    alone : bool
        Refuse a file that another process is writing.

    Returns
    -------
    Writer
        A context manager: the file gets its name when the context ends without an error.

    Raises
    ------
    InputError
        If the format is unknown, the file exists, or its folder cannot be written to.
    """
    path = Path(path)
    file_format = check_output(path, overwrite=overwrite, alone=alone)
    kept = dict(metadata or {})
    return Writer(path, columns, lambda partial: _encoder(file_format, partial, columns, kept))


def check_output(path: Path, *, overwrite: bool = False, alone: bool = True) -> str:
    """Return the format of a file that can be written; `open_writer` has the errors."""
    file_format = format_of(path)
    if file_format == "csv":
        raise InputError(f"{path}: CSV cannot hold units or metadata; write .ecsv instead")
    check_new_file(path, overwrite=overwrite, alone=alone)
    return file_format


def _encoder(
    file_format: str, path: Path, columns: Sequence[Column], metadata: dict[str, str]
) -> Encoder:
    if file_format == "parquet":
        from gcmock.io.writers.parquet import ParquetEncoder

        return ParquetEncoder(path, columns, metadata)
    if file_format == "fits":
        from gcmock.io.writers.fits import FitsEncoder

        return FitsEncoder(path, columns, metadata)
    from gcmock.io.writers.text import EcsvEncoder, VotableEncoder

    return (VotableEncoder if file_format == "votable" else EcsvEncoder)(path, columns, metadata)


def _cast(values: Any, column: Column) -> NDArray[Any]:
    array = np.asarray(values)
    dtype = np.dtype(column.dtype)
    if array.dtype == dtype:
        return array
    if dtype.kind == "U":
        array = array.astype(np.str_)
        if array.dtype.itemsize > dtype.itemsize and len(array):
            longest = int(np.char.str_len(array).max())
            if longest > dtype.itemsize // 4:
                raise ValueError(f"{column.name}: text of {longest} characters in {column.dtype}")
        return array.astype(dtype)
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise ValueError(f"{column.name}: {array.dtype} cannot be stored as {dtype}")
    return array.astype(dtype)
