"""Tables in memory as input and output: astropy, pandas, pyarrow, polars."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from astropy.table import Column as TableColumn
from astropy.table import QTable, Table
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.flat import flat_table
from gcmock.io.readers.source import TableSource, check_names, plain
from gcmock.io.writers.describe import METADATA_KEY
from gcmock.words.columns import Column

Kind = Literal["astropy", "pandas", "pyarrow", "polars"]
"""The library that a table in memory belongs to."""

_CLASSES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "pandas": ("DataFrame",),
    "pyarrow": ("Table",),
    "polars": ("DataFrame", "LazyFrame"),
}


class TableInMemory:
    """A table of astropy as a `gcmock.io.readers.source.TableSource`.

    Parameters
    ----------
    table : astropy.table.Table
        A SkyCoord becomes plain columns, see `plain_sky`; columns that hold more than one number a
        row are not read.

    Raises
    ------
    InputError
        If it has no rows.
    """

    path = Path("<table>")

    def __init__(self, table: Table) -> None:
        # Table turns the quantities of a QTable into plain columns with units.
        self._table, self.unreadable = flat_table(Table(table, copy=False))
        self.n_rows: int | None = len(table)
        if not self.n_rows:
            raise InputError(f"{self.path}: the table has no rows")
        self.columns = tuple(self._table.colnames)
        units = {name: self._table[name].unit for name in self.columns}
        self.units = {name: str(unit) for name, unit in units.items() if unit is not None}

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `gcmock.io.readers.source.TableSource`."""
        names = list(self.columns if columns is None else columns)
        for start in range(0, self.n_rows or 0, size):
            yield {name: plain(self._table[name][start : start + size]) for name in names}


def to_qtable(
    parts: Sequence[Mapping[str, NDArray[Any]]],
    columns: Sequence[Column],
    metadata: Mapping[str, str],
) -> QTable:
    """Join chunks of columns into a table with units, descriptions and metadata.

    Parameters
    ----------
    parts : sequence of mapping of str to ndarray, shape (n_row,)
    columns : sequence of Column
    metadata : mapping of str to str

    Returns
    -------
    astropy.table.QTable
        In the types of `columns`, the same as in a file.
    """
    table = QTable(meta={METADATA_KEY: dict(metadata)})
    for column in columns:
        pieces = [np.zeros(0, column.dtype), *(part[column.name] for part in parts)]
        values = np.concatenate(pieces).astype(column.dtype)
        table[column.name] = TableColumn(
            values,
            unit=column.unit or None,
            description=column.description,
            meta={"ucd": column.ucd},
        )
    return table


class ArrowInMemory:
    """A table of pyarrow as a `gcmock.io.readers.source.TableSource`; units from its fields.

    Parameters
    ----------
    table : pyarrow.Table
        Nested columns are not read.

    Raises
    ------
    InputError
        If it has no rows.
    """

    path = Path("<table>")

    def __init__(self, table: Any) -> None:
        from gcmock.io.readers.arrow import field_units, is_plain_type, what_is

        self._table = table
        self.n_rows: int | None = table.num_rows
        if not self.n_rows:
            raise InputError(f"{self.path}: the table has no rows")
        check_names(self.path, table.schema.names)
        self.columns = tuple(f.name for f in table.schema if is_plain_type(f.type))
        self.unreadable = {
            f.name: what_is(f.type) for f in table.schema if not is_plain_type(f.type)
        }
        self.units = field_units(table.schema)

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `gcmock.io.readers.source.TableSource`."""
        from gcmock.io.readers.arrow import array_of

        names = list(self.columns if columns is None else columns)
        for start in range(0, self.n_rows or 0, size):
            part = self._table.select(names).slice(start, size).combine_chunks()
            yield {
                name: array_of(column.chunk(0) if column.num_chunks else column.combine_chunks())
                for name, column in zip(names, part.columns, strict=True)
            }


def kind_of(table: Any) -> Kind:
    """Return the library that a table belongs to.

    Parameters
    ----------
    table : object
        Anything.

    Returns
    -------
    {"astropy", "pandas", "pyarrow", "polars"}

    Raises
    ------
    InputError
        If it is no table of these.
    """
    kind = table_kind(table)
    if kind is None:
        raise InputError(
            "expected an astropy Table, a pandas or polars DataFrame or a pyarrow Table, got "
            f"{type(table).__name__}"
        )
    return kind


def table_kind(table: Any) -> Kind | None:
    """Return the library that a table belongs to; None if it is no table."""
    if isinstance(table, Table):
        return "astropy"
    # A table of a library cannot exist before the library was imported.
    for name, kinds in _CLASSES.items():
        library = sys.modules.get(name)
        classes = tuple(getattr(library, kind, ()) for kind in kinds)
        if library is not None and isinstance(table, classes):
            return name
    return None


def in_memory(table: Any) -> TableSource:
    """Return a table in memory as something that can be read in chunks.

    Parameters
    ----------
    table : astropy.table.Table, pandas.DataFrame, pyarrow.Table, polars.DataFrame or LazyFrame
        Units are those of its columns; a DataFrame has none, except for one that gcmock made.

    Returns
    -------
    TableSource

    Raises
    ------
    InputError
        If it is no table, or has no rows.
    """
    kind = kind_of(table)
    return TableInMemory(table) if kind == "astropy" else ArrowInMemory(_as_arrow(table, kind))


def _as_arrow(table: Any, kind: Kind) -> Any:
    """Return a table of pandas, pyarrow or polars as one of pyarrow."""
    if kind == "pyarrow":
        return table
    import pyarrow as pa

    if kind == "polars":
        import polars as pl

        table = table.collect() if isinstance(table, pl.LazyFrame) else table
        return table.to_arrow(compat_level=pl.CompatLevel.oldest())
    try:
        found = pa.Table.from_pandas(_with_named_index(table), preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(f"a column of the DataFrame cannot be read: {error}") from error
    units = table.attrs.get("units", {})
    return _with_words(found, units, table.attrs.get(METADATA_KEY))


def _with_words(table: Any, units: Mapping[str, str], metadata: Mapping[str, str] | None) -> Any:
    """Return a table of pyarrow with units and with the metadata of gcmock."""
    import pyarrow as pa

    fields = [
        field.with_metadata({"unit": units[field.name]}) if field.name in units else field
        for field in table.schema
    ]
    words = {} if metadata is None else {METADATA_KEY: json.dumps(dict(metadata))}
    return table.cast(pa.schema(fields, metadata=words))


def to_arrow(table: Any) -> Any:
    """Return a table in memory as one of pyarrow, with its units and the metadata of gcmock.

    Parameters
    ----------
    table : astropy.table.Table, pandas.DataFrame, pyarrow.Table or polars.DataFrame
        See `in_memory`.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    InputError
        If it is no table, or has no rows.
    """
    import pyarrow as pa

    kind = kind_of(table)
    if kind != "astropy":
        found = _as_arrow(table, kind)
        if not found.num_rows:
            raise InputError("<table>: the table has no rows")
        return found
    source = TableInMemory(table)
    columns = next(source.chunks(source.n_rows or 1))
    arrays = {
        name: pa.array(np.ma.getdata(values), mask=np.ma.getmaskarray(values))
        for name, values in columns.items()
    }
    return _with_words(pa.table(arrays), source.units, table.meta.get(METADATA_KEY))


def read_table(path: Path, kind: Kind = "astropy") -> Any:
    """Read a Parquet file that gcmock wrote as a table of a library.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"astropy", "pandas", "pyarrow", "polars"}
        The library; see `to_kind` for where units and metadata are.

    Returns
    -------
    astropy.table.QTable, pandas.DataFrame, pyarrow.Table or polars.DataFrame
    """
    if kind == "astropy":
        return QTable.read(path, format="parquet")
    import pyarrow.parquet as pq

    return _from_arrow(pq.read_table(path, partitioning=None), kind)


def _from_arrow(table: Any, kind: Kind) -> Any:
    """Return a table of pyarrow that gcmock made as one of pyarrow, pandas or polars."""
    if kind == "pyarrow":
        return table
    if kind == "polars":
        import polars as pl

        return pl.from_arrow(table)
    frame = table.to_pandas()
    words = (table.schema.metadata or {}).get(METADATA_KEY.encode(), b"{}")
    frame.attrs[METADATA_KEY] = json.loads(words)
    for key, name in (("units", b"unit"), ("descriptions", b"description")):
        found = {field.name: (field.metadata or {}).get(name, b"") for field in table.schema}
        frame.attrs[key] = {column: text.decode() for column, text in found.items() if text}
    return frame


def _with_named_index(frame: Any) -> Any:
    """Return a DataFrame whose named index is a column: identifiers are often kept there.

    Raises
    ------
    InputError
        If it has a column of the same name with other values.
    """
    names = [name for name in frame.index.names if name is not None]
    for name in [name for name in names if name in frame.columns]:
        values = frame.index.get_level_values(name)
        if list(frame.columns).count(name) > 1 or not (values == frame[name]).all():
            raise InputError(
                f"the DataFrame has an index and a column {name!r} that differ: rename one of them"
            )
        names.remove(name)
    return frame.reset_index(level=names) if names else frame


def to_kind(
    kind: Kind,
    parts: Sequence[Mapping[str, NDArray[Any]]],
    columns: Sequence[Column],
    metadata: Mapping[str, str],
) -> Any:
    """Join chunks of columns into a table of a library, as `to_qtable` does for astropy.

    Parameters
    ----------
    kind : {"astropy", "pandas", "pyarrow", "polars"}
        A DataFrame of pandas has the metadata, units and descriptions in its ``attrs``, a table of
        pyarrow in its schema, as in a Parquet file; polars has no place for them.
    parts, columns, metadata
        See `to_qtable`.
    """
    if kind == "astropy":
        return to_qtable(parts, columns, metadata)
    import pyarrow as pa

    from gcmock.io.writers.parquet import parquet_schema

    arrays = {
        column.name: np.concatenate(
            [np.zeros(0, column.dtype), *(part[column.name] for part in parts)]
        ).astype(column.dtype)
        for column in columns
    }
    if kind == "pandas":
        return _to_frame(arrays, columns, metadata)
    schema = parquet_schema(columns, metadata)
    values = [pa.array(arrays[field.name], type=field.type) for field in schema]
    return _from_arrow(pa.Table.from_arrays(values, schema=schema), kind)


def _to_frame(
    arrays: Mapping[str, NDArray[Any]], columns: Sequence[Column], metadata: Mapping[str, str]
) -> Any:
    """Return columns as a DataFrame of pandas."""
    import pandas as pd

    frame = pd.DataFrame(dict(arrays))
    frame.attrs[METADATA_KEY] = dict(metadata)
    frame.attrs["units"] = {column.name: column.unit for column in columns if column.unit}
    frame.attrs["descriptions"] = {column.name: column.description for column in columns}
    return frame
