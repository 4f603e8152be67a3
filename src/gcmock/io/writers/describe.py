"""The columns of a table as astropy describes them, shared by all file formats."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from gcmock.words.columns import Column

METADATA_KEY = "gcmock"
"""Name under which every format stores the metadata."""

_STREAM = '    <DATA>\n     <BINARY2>\n      <STREAM encoding="base64">\n'
_STREAM_END = "\n      </STREAM>\n     </BINARY2>\n    </DATA>\n"


def empty_table(columns: Sequence[Column], *, bytes_text: bool = False) -> Table:
    """Return a table without rows, with units, descriptions and UCDs.

    Parameters
    ----------
    columns : sequence of Column
    bytes_text : bool
        Make text columns bytes: one byte a character in FITS and VOTable.
    """
    table = Table()
    for column in columns:
        dtype = column.dtype.replace("U", "S") if bytes_text else column.dtype
        table[column.name] = np.zeros(0, dtype=dtype)
        if column.unit:
            table[column.name].unit = column.unit
        table[column.name].description = column.description
        table[column.name].meta["ucd"] = column.ucd
    return table


def votable_parts(columns: Sequence[Column], metadata_json: str) -> tuple[str, str]:
    """Return the text of a VOTable before and after the base64 stream of its rows."""
    head, tail = _votable(columns, metadata_json).split("  </TABLE>", 1)
    return head + _STREAM, _STREAM_END + "  </TABLE>" + tail


def votable_header(columns: Sequence[Column], metadata_json: str) -> str:
    """Return a VOTable without data, as the VOParquet convention stores it in Parquet files."""
    return _votable(columns, metadata_json)


def _votable(columns: Sequence[Column], metadata_json: str) -> str:
    from astropy.io.votable import from_table, tree

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        votable = from_table(empty_table(columns, bytes_text=True))
        for field in votable.get_first_table().fields:
            # astropy omits the size of one-character text, which then reads as a single char.
            if field.datatype == "char" and not field.arraysize:
                field.arraysize = "1"
        info = tree.Info(name=METADATA_KEY, value=metadata_json)
        votable.resources[0].infos.append(info)
        buffer = io.BytesIO()
        votable.to_xml(buffer)
    return buffer.getvalue().decode("utf-8")


def packed_dtype(columns: Sequence[Column], prefix: Mapping[str, str] | None = None) -> np.dtype:
    """Return the big-endian record of one row, as FITS and BINARY2 store it.

    Parameters
    ----------
    columns : sequence of Column
    prefix : mapping of str to str, optional
        Fields before the columns: name, dtype.
    """
    fields = list((prefix or {}).items())
    for column in columns:
        dtype = np.dtype(column.dtype)
        kind = f"S{dtype.itemsize // 4}" if dtype.kind == "U" else dtype.newbyteorder(">").str
        fields.append((column.name, kind))
    return np.dtype(fields)


def pack(chunk: Mapping[str, np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Return rows as records (n_row,); fields without a column are zero.

    Raises
    ------
    ValueError
        If text is not ASCII.
    """
    rows = np.zeros(len(next(iter(chunk.values()))), dtype=dtype)
    for name, values in chunk.items():
        rows[name] = np.char.encode(values, "ascii") if values.dtype.kind == "U" else values
    return rows
