"""Parquet and CSV tables, streamed by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.source import plain

_MASK_SUFFIX = ".mask"


@contextmanager
def as_input_error(path: Path) -> Iterator[None]:
    """Turn errors of pyarrow and of the disk into an `InputError` with the name of the file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: damaged or not readable: {reason}") from error


def array_of(column: pa.Array) -> NDArray[Any]:
    """Convert one Arrow column, without losing the precision of integers that have nulls."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count == 0:
        return plain(column.to_numpy(zero_copy_only=False))
    mask = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if pa.types.is_floating(column.type):
        return plain(column.to_numpy(zero_copy_only=False), mask)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        column = pc.fill_null(column, False if pa.types.is_boolean(column.type) else 0)
    return plain(column.to_numpy(zero_copy_only=False), mask)


class ParquetSource:
    """A Parquet file, or a directory of Parquet parts in the order of their names."""

    def __init__(self, path: Path, parts: Sequence[Path]) -> None:
        self.path = path
        self._parts = list(parts)
        self.n_rows: int | None = 0
        schema = None
        for part in self._parts:
            with as_input_error(part), pq.ParquetFile(part) as file:
                self.n_rows += file.metadata.num_rows
                if schema is None:
                    schema = file.schema_arrow
                elif set(file.schema_arrow.names) != set(schema.names):
                    raise InputError(f"{part}: its columns differ from those of {self._parts[0]}")
        assert schema is not None
        names = [field.name for field in schema if not pa.types.is_nested(field.type)]
        # astropy stores the mask of column x as a column of its own, x.mask.
        self._masks = {name: name + _MASK_SUFFIX for name in names if name + _MASK_SUFFIX in names}
        self.columns = tuple(name for name in names if name not in self._masks.values())
        self.units = _parquet_units(schema)

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`; a chunk never spans two parts."""
        names = list(self.columns if columns is None else columns)
        needed = names + [self._masks[name] for name in names if name in self._masks]
        for part in self._parts:
            # A pre-buffer keeps every row group that was read until the file is closed.
            with as_input_error(part), pq.ParquetFile(part, pre_buffer=False) as file:
                for batch in file.iter_batches(batch_size=size, columns=needed):
                    yield {name: self._column(batch, name) for name in names}

    def _column(self, batch: pa.RecordBatch, name: str) -> NDArray[Any]:
        values = array_of(batch.column(name))
        if name in self._masks:
            mask = batch.column(self._masks[name]).to_numpy(zero_copy_only=False)
            return plain(values, mask)
        return values


def _parquet_units(schema: pa.Schema) -> dict[str, str]:
    """Units from the fields themselves, else from the header that astropy writes."""
    units: dict[str, str] = {}
    header = (schema.metadata or {}).get(b"table_meta_yaml")
    if header is not None:
        from astropy.table.meta import get_header_from_yaml

        for column in get_header_from_yaml(header.decode().split("\n"))["datatype"]:
            if column.get("unit") is not None:
                units[column["name"]] = str(column["unit"])
    for field in schema:
        unit = (field.metadata or {}).get(b"unit")
        if unit:
            units[field.name] = unit.decode()
    return units


_CSV_TYPES = (pa.int64(), pa.uint64(), pa.float64())
_CSV_NULLS = ["", "NaN", "nan", "NA", "N/A", "#N/A", "null", "NULL", "None", "--", "-"]


_CSV_BLOCK = 16 * 2**20


class CsvSource:
    """A CSV file with a header line.

    The file is scanned once when it is opened, to fix the type of every column: integer where all
    values are integers, else float, else text.
    """

    def __init__(self, path: Path) -> None:
        self._read_header(path)
        names = self.columns
        types: dict[str, int] = {}
        n_rows = 0
        as_text = {name: pa.string() for name in names}
        with as_input_error(path), self._open(as_text) as reader:
            for batch in reader:
                n_rows += batch.num_rows
                for name in names:
                    types[name] = _wider(batch.column(name), types.get(name, 0))
        self.n_rows: int | None = n_rows
        self._types = {
            name: _CSV_TYPES[rank] if rank < len(_CSV_TYPES) else pa.string()
            for name, rank in types.items()
        }

    def _read_header(self, path: Path) -> None:
        self.path = path
        self.units: dict[str, str] = {}
        with as_input_error(path), pyarrow.csv.open_csv(path) as first:
            names = first.schema.names
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{path}: column {name!r} occurs more than once")
        self.columns = tuple(names)

    def _open(
        self, types: dict[str, pa.DataType], columns: Sequence[str] | None = None
    ) -> pyarrow.csv.CSVStreamingReader:
        options = pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=columns,
            strings_can_be_null=True,
            null_values=_CSV_NULLS,
        )
        blocks = pyarrow.csv.ReadOptions(block_size=_CSV_BLOCK)
        return pyarrow.csv.open_csv(self.path, read_options=blocks, convert_options=options)

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`; a chunk never spans two of pyarrow's blocks (16 MB)."""
        names = list(self.columns if columns is None else columns)
        with as_input_error(self.path), self._open(self._types, names) as reader:
            for batch in reader:
                for start in range(0, batch.num_rows, size):
                    part = batch.slice(start, size)
                    yield {name: self._column(part.column(name)) for name in names}

    def _column(self, column: pa.Array) -> Any:
        return array_of(column)


def _wider(column: pa.Array, rank: int) -> int:
    """Return the first type, from `rank` on, to which the text of a column can be cast."""
    while rank < len(_CSV_TYPES):
        try:
            pc.cast(column, _CSV_TYPES[rank])
        except pa.ArrowInvalid:
            rank += 1
        else:
            break
    return rank
