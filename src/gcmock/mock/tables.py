"""Tables of astropy as input and output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Column as TableColumn
from astropy.table import QTable, Table
from numpy.typing import NDArray

from gcmock.errors import InputError
from gcmock.io.describe import METADATA_KEY
from gcmock.io.source import Chunk, plain
from gcmock.schema import Column


class TableInMemory:
    """A table of astropy as a `gcmock.io.source.TableSource`.

    Parameters
    ----------
    table : astropy.table.Table
        Columns that hold more than one number a row are ignored.

    Raises
    ------
    InputError
        If it is no table, or has no rows.
    """

    path = Path("<table>")

    def __init__(self, table: Table) -> None:
        if not isinstance(table, Table):
            raise InputError(f"expected an astropy Table, got {type(table).__name__}")
        # Table turns the quantities of a QTable into plain columns with units.
        self._table = Table(table, copy=False)
        self.n_rows: int | None = len(table)
        if not self.n_rows:
            raise InputError(f"{self.path}: the table has no rows")
        self.columns = tuple(name for name in self._table.colnames if self._is_plain(name))
        units = {name: self._table[name].unit for name in self.columns}
        self.units = {name: str(unit) for name, unit in units.items() if unit is not None}

    def _is_plain(self, name: str) -> bool:
        column = self._table[name]
        return isinstance(column, TableColumn) and column.ndim == 1

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        """See `gcmock.io.source.TableSource`."""
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


def in_memory(table: Any) -> TableInMemory:
    """Return a table of astropy, pandas or pyarrow as something that can be read in chunks."""
    return TableInMemory(table)
