"""Parquet tables, streamed by pyarrow, and what becomes of the types of Arrow."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.partial import is_text
from gcmock.io.readers.source import check_names, plain

_MASK_SUFFIX = ".mask"


@contextmanager
def as_input_error(path: Path) -> Iterator[None]:
    """Turn errors of pyarrow and of the disk into an `InputError` with the name of the file."""
    try:
        yield
    except (MemoryError, InputError):
        raise
    # ValueError: names or text that are not UTF-8, dates of the year 300,000; KeyError: metadata.
    except (pa.ArrowException, OSError, EOFError, ValueError, KeyError, OverflowError) as error:
        number = getattr(error, "errno", None)
        if number == errno.ENOMEM:
            raise MemoryError(str(error)) from error
        if number in (errno.EMFILE, errno.ENFILE):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: damaged or not readable: {reason}") from error


def array_of(column: pa.Array) -> NDArray[Any]:
    """Convert one Arrow column, without losing the precision of integers that have nulls."""
    column = _simple(column)
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


def _simple(column: pa.Array) -> pa.Array:
    """Return a column in a type that numpy knows: no dictionaries, decimals, views, extensions."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_decimal(column.type):
        # Whole numbers may be identifiers.
        whole = column.type.scale <= 0
        try:
            return pc.cast(column, pa.int64() if whole else pa.float64())
        except pa.ArrowInvalid:
            return pc.cast(column, pa.string())
    return column


def is_plain_type(kind: pa.DataType) -> bool:
    """Whether a column has one number or text a row."""
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return not pa.types.is_nested(kind)


def what_is(kind: pa.DataType) -> str:
    """Say what a column holds that has no single value a row."""
    return "structures" if pa.types.is_struct(kind) else "several values a row"


@contextmanager
def named(path: Path) -> Iterator[Path | BinaryIO]:
    """Give a file to pyarrow: by its name, or opened if that is not UTF-8, which it cannot read."""
    if is_text(path):
        yield path
        return
    with path.open("rb") as file:
        yield file


class ParquetSource:
    """A Parquet file, or a directory of Parquet parts in the order of their names."""

    def __init__(self, path: Path, parts: Sequence[Path]) -> None:
        self.path = path
        self._parts = list(parts)
        self.n_rows: int | None = 0
        self.units: dict[str, str] = {}
        self.remarks: tuple[str, ...] = ()
        self.part_units: dict[Path, dict[str, str]] = {}
        schema = pa.schema([])
        for part in self._parts:
            with as_input_error(part), named(part) as name, pq.ParquetFile(name) as file:
                self.n_rows += file.metadata.num_rows
                names = file.schema_arrow.names
                units = _parquet_units(part, file.schema_arrow)
            if part == self._parts[0]:
                check_names(part, names)
                schema, self.units = file.schema_arrow, units
            elif set(names) != set(schema.names) or len(names) != len(schema.names):
                raise InputError(f"{part}: its columns differ from those of {self._parts[0]}")
            elif units != self.units and units not in self.part_units.values():
                self.part_units[part] = units
        names = [field.name for field in schema if is_plain_type(field.type)]
        self.unreadable = {f.name: what_is(f.type) for f in schema if not is_plain_type(f.type)}
        # astropy stores the mask of column x as a column of its own, x.mask.
        self._masks = {name: name + _MASK_SUFFIX for name in names if name + _MASK_SUFFIX in names}
        self.columns = tuple(name for name in names if name not in self._masks.values())

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`; a chunk never spans two parts."""
        names = list(self.columns if columns is None else columns)
        needed = names + [self._masks[name] for name in names if name in self._masks]
        for part in self._parts:
            # A pre-buffer keeps every row group that was read until the file is closed.
            with (
                as_input_error(part),
                named(part) as name,
                pq.ParquetFile(name, pre_buffer=False) as file,
            ):
                for batch in file.iter_batches(batch_size=size, columns=needed):
                    yield {name: self._column(batch, name) for name in names}

    def _column(self, batch: pa.RecordBatch, name: str) -> NDArray[Any]:
        values = array_of(batch.column(name))
        if name in self._masks:
            mask = batch.column(self._masks[name]).to_numpy(zero_copy_only=False)
            return plain(values, mask)
        return values


def _parquet_units(path: Path, schema: pa.Schema) -> dict[str, str]:
    """Units from the fields themselves, else from the header that astropy writes."""
    units: dict[str, str] = {}
    header = (schema.metadata or {}).get(b"table_meta_yaml")
    try:
        if header is not None:
            from astropy.table.meta import get_header_from_yaml

            for column in get_header_from_yaml(header.decode().split("\n"))["datatype"]:
                if column.get("unit") is not None:
                    units[column["name"]] = str(column["unit"])
        units |= field_units(schema)
    # The parser of YAML raises errors of many kinds.
    except Exception as error:
        raise InputError(f"{path}: damaged metadata: {str(error).splitlines()[0]}") from error
    return units


def field_units(schema: pa.Schema) -> dict[str, str]:
    """Return the units in the metadata of the fields, by column.

    Raises
    ------
    InputError
        If a unit is not UTF-8.
    """
    units: dict[str, str] = {}
    for field in schema:
        unit = (field.metadata or {}).get(b"unit")
        try:
            if unit:
                units[field.name] = unit.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"the unit of column {field.name!r} is not UTF-8") from error
    return units
