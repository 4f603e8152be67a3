"""Tables in memory as input and output: astropy, pandas, pyarrow."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from astropy.table import Column as TableColumn
from astropy.table import QTable, Table
from numpy.typing import NDArray

from gcmock.errors import InputError
from gcmock.io.readers.flat import flat_table
from gcmock.io.readers.source import Chunk, TableSource, check_names, plain
from gcmock.io.writers.describe import METADATA_KEY
from gcmock.words.columns import Column

Kind = Literal["astropy", "pandas", "pyarrow", "polars"]


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
        Columns that hold more than one number a row are not read.

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

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
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
    parts : sequence of mapping of str to array (n_row,)
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

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
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

    Raises
    ------
    InputError
        If it is no table of astropy, pandas, polars or pyarrow.
    """
    if isinstance(table, Table):
        return "astropy"
    # A table of a library cannot exist before the library was imported.
    for name, kinds in _CLASSES.items():
        library = sys.modules.get(name)
        if library is not None and isinstance(table, tuple(getattr(library, k) for k in kinds)):
            return name
    raise InputError(
        "expected an astropy Table, a pandas or polars DataFrame or a pyarrow Table, got "
        f"{type(table).__name__}"
    )


def in_memory(table: Any) -> TableSource:
    """Return a table of astropy, pandas, polars or pyarrow as something that can be read in chunks.

    Raises
    ------
    InputError
        If it is no table, or has no rows.
    """
    kind = kind_of(table)
    if kind == "astropy":
        return TableInMemory(table)
    if kind == "pandas":
        import pyarrow as pa

        table = _with_named_index(table)
        try:
            table = pa.Table.from_pandas(table, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InputError(f"a column of the DataFrame cannot be read: {error}") from error
    if kind == "polars":
        table = (table.collect() if hasattr(table, "collect") else table).to_arrow()
    return ArrowInMemory(table)


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
        A DataFrame has the metadata, units and descriptions in its ``attrs``, a table of pyarrow in
        its schema, as in a Parquet file. A frame of polars has no place for them.
    parts, columns, metadata
        See `to_qtable`.
    """
    if kind == "astropy":
        return to_qtable(parts, columns, metadata)
    arrays = {
        column.name: np.concatenate(
            [np.zeros(0, column.dtype), *(part[column.name] for part in parts)]
        ).astype(column.dtype)
        for column in columns
    }
    if kind in ("pyarrow", "polars"):
        import pyarrow as pa

        from gcmock.io.writers.parquet import parquet_schema

        schema = parquet_schema(columns, metadata)
        values = [pa.array(arrays[field.name], type=field.type) for field in schema]
        whole = pa.Table.from_arrays(values, schema=schema)
        return whole if kind == "pyarrow" else sys.modules["polars"].from_arrow(whole)
    import pandas as pd

    frame = pd.DataFrame(arrays)
    frame.attrs[METADATA_KEY] = dict(metadata)
    frame.attrs["units"] = {column.name: column.unit for column in columns if column.unit}
    frame.attrs["descriptions"] = {column.name: column.description for column in columns}
    return frame
