"""Parquet output, with units that pyarrow, astropy and TOPCAT each find where they look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table.meta import get_yaml_from_table
from numpy.typing import NDArray

from gcmock.io.describe import METADATA_KEY, empty_table, votable_header
from gcmock.schema import Column


class ParquetEncoder:
    """Append chunks as row groups.

    Text is dictionary-encoded on disk but not typed as an Arrow dictionary, which astropy's reader
    does not know.
    """

    def __init__(self, path: Path, columns: Sequence[Column], metadata: dict[str, str]) -> None:
        self._schema = _schema(columns, metadata)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, chunk: dict[str, NDArray[Any]]) -> None:
        """Append rows."""
        arrays = [pa.array(chunk[field.name], type=field.type) for field in self._schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def finish(self) -> None:
        """Write the footer, and close."""
        self._writer.close()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def _schema(columns: Sequence[Column], metadata: dict[str, str]) -> pa.Schema:
    fields = []
    table = empty_table(columns)
    table.meta[METADATA_KEY] = metadata
    metadata_json = json.dumps(metadata)
    entries = {
        METADATA_KEY: metadata_json,
        "table_meta_yaml": "\n".join(get_yaml_from_table(table)),
        "IVOA.VOTable-Parquet.version": "1.0",
        "IVOA.VOTable-Parquet.content": votable_header(columns, metadata_json),
    }
    for column in columns:
        dtype = np.dtype(column.dtype)
        if dtype.kind == "U":
            kind = pa.string()
            # astropy wants to know the width of text.
            entries[f"table::len::{column.name}"] = str(dtype.itemsize // 4)
        else:
            kind = pa.from_numpy_dtype(dtype)
        words = {"unit": column.unit, "description": column.description, "ucd": column.ucd}
        fields.append(pa.field(column.name, kind, nullable=False, metadata=words))
    return pa.schema(fields, metadata=entries)
