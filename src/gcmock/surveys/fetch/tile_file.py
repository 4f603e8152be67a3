"""Parquet files of fetched rows: native columns, with the units and words of the archive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gcmock.io.disk import whole_file

if TYPE_CHECKING:
    from astropy.table import Table


def tile_to_arrow(table: Table, metadata: Mapping[str, str]) -> pa.Table:
    """Return a table of an archive with masked values as null and units as field metadata."""
    arrays, fields = [], []
    for name in table.colnames:
        column = table[name]
        array = _array(column)
        words = {
            "unit": str(column.unit) if column.unit is not None else "",
            "description": str(column.description or ""),
            "ucd": str(column.meta.get("ucd", "")),
        }
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata={k: v for k, v in words.items() if v}))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=dict(metadata)))


def _array(column: Any) -> pa.Array:
    data, mask = np.ma.getdata(column), np.ma.getmaskarray(column)
    if data.dtype.kind in "OSU":
        text = [
            None if gone or value is None else value.decode() if isinstance(value, bytes) else value
            for value, gone in zip(data.tolist(), mask.tolist(), strict=True)
        ]
        return pa.array([None if x is None else str(x) for x in text], type=pa.string())
    data = np.ascontiguousarray(data)
    if not data.dtype.isnative:
        data = data.astype(data.dtype.newbyteorder("="))
    return pa.array(data, mask=mask)


def write_tile(path: Path, table: Table, metadata: Mapping[str, str]) -> None:
    """Write rows to a file that appears when it is complete.

    Raises
    ------
    GcmockError
        If the disk is full or fails.
    """
    with whole_file(path) as partial:
        pq.write_table(tile_to_arrow(table, metadata), partial, compression="zstd")
