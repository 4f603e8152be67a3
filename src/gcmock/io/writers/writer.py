"""Write a table in chunks; it appears under its name only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import PARTIAL, flush_to_disk
from gcmock.io.readers.opening import format_of
from gcmock.words.columns import Column


class Encoder(Protocol):
    """Writes the rows of one file format to a path."""

    def write(self, chunk: dict[str, NDArray[Any]]) -> None:
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

    The rows go to ``<name>.partial-<process>`` beside the output. Leaving the context renames
    that file, or deletes it if there was an exception (Ctrl-C included).

    Parameters
    ----------
    path : Path
    columns : sequence of Column
    make_encoder : callable
        Opens the path that it is given.
    durable : bool
        Wait until the disk has the file before it gets its name: a power failure then leaves no
        file that is cut short.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        make_encoder: Callable[[Path], Encoder],
        *,
        durable: bool = False,
    ) -> None:
        self.path = path
        self.columns = tuple(columns)
        self.n_rows = 0
        self._durable = durable
        # Machines that share a disk may have processes of the same number.
        self._partial = path.with_name(f"{path.name}{PARTIAL}{os.getpid()}-{uuid4().hex[:8]}")
        try:
            self._encoder = make_encoder(self._partial)
        except BaseException as error:
            # Ctrl-C, too, may come when the file exists already.
            self._partial.unlink(missing_ok=True)
            if isinstance(error, OSError):
                reason = error.strerror or error
                raise InputError(f"{path}: cannot be written: {reason}") from error
            raise

    def write(self, chunk: Mapping[str, Any]) -> None:
        """Append rows.

        Parameters
        ----------
        chunk : mapping of str to array (n_row,)
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
        try:
            if kind is None:
                self._encoder.finish()
                if self._durable:
                    flush_to_disk(self._partial)
                os.replace(self._partial, self.path)
                if self._durable:
                    flush_to_disk(self.path.parent)
        except OSError as failure:
            raise self._failed(failure) from failure
        finally:
            # Harmless after success; a failing disk may refuse even to close.
            with suppress(OSError):
                self._encoder.close()
            self._partial.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> GcmockError:
        return GcmockError(f"{self.path}: writing failed: {error.strerror or error}")


def open_writer(
    path: str | Path,
    columns: Sequence[Column],
    metadata: Mapping[str, str] | None = None,
    *,
    overwrite: bool = False,
    durable: bool = False,
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
        Replace an existing file.
    durable : bool
        See `Writer`.

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
    file_format = check_output(path, overwrite=overwrite)
    kept = dict(metadata or {})
    return Writer(
        path,
        columns,
        lambda partial: _encoder(file_format, partial, columns, kept),
        durable=durable,
    )


def check_output(path: Path, *, overwrite: bool = False) -> str:
    """Return the format of a file that can be written; `open_writer` has the errors."""
    file_format = format_of(path)
    if file_format == "csv":
        raise InputError(f"{path}: CSV cannot hold units or metadata; write .ecsv instead")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; choose another name or allow overwriting")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")
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
