"""The columns of a table as astropy describes them, shared by all file formats."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from gcmock.words.columns import Column

if TYPE_CHECKING:
    from astropy.io.votable.tree import VOTableFile

METADATA_KEY: Final = "gcmock"
"""Name under which every format stores the metadata."""

EQUATORIAL: Final = ("pos.eq", "pos.pm;pos.eq", "pos.parallax")
"""How UCDs of columns in ICRS begin."""

EPOCHS: Final = ("time.epoch",)
"""How UCDs of Julian years in TCB begin."""

_GALACTIC: Final = ("pos.galactic", "pos.pm;pos.galactic")
_NO_STANDARD: Final = ("dex",)
"""Units that astropy knows, but neither FITS nor VOUnits: the description names them there."""

_STREAM = '    <DATA>\n     <BINARY2>\n      <STREAM encoding="base64">\n'
_STREAM_END = "\n      </STREAM>\n     </BINARY2>\n    </DATA>\n"


def empty_table(columns: Sequence[Column], *, bytes_text: bool = False) -> Table:
    """Return a table without rows, with units, descriptions and UCDs.

    Parameters
    ----------
    columns : sequence of Column
    bytes_text : bool
        Make text columns bytes: one byte a character in FITS and VOTable. Units that these do not
        know are left out.
    """
    table = Table()
    for column in columns:
        dtype = column.dtype.replace("U", "S") if bytes_text else column.dtype
        table[column.name] = np.zeros(0, dtype=dtype)
        if column.unit and not (bytes_text and column.unit in _NO_STANDARD):
            table[column.name].unit = column.unit
        table[column.name].description = column.description
        table[column.name].meta["ucd"] = column.ucd
    return table


def votable_parts(columns: Sequence[Column], metadata_json: str) -> tuple[str, str]:
    """Return the text of a VOTable before and after the base64 stream of its rows."""
    words = {f"{METADATA_KEY}_{key}": text for key, text in json.loads(metadata_json).items()}
    head, tail = _votable(columns, metadata_json, words).split("  </TABLE>", 1)
    return head + _STREAM, _STREAM_END + "  </TABLE>" + tail


def votable_header(columns: Sequence[Column], metadata_json: str) -> str:
    """Return a VOTable without data, as the VOParquet convention stores it in Parquet files."""
    return _votable(columns, metadata_json, {})


def _votable(columns: Sequence[Column], metadata_json: str, words: Mapping[str, str]) -> str:
    """Return a VOTable without rows, with the metadata in one piece and, to be read, in words."""
    from astropy.io.votable import from_table, tree

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        votable = from_table(empty_table(columns, bytes_text=True))
        for field in votable.get_first_table().fields:
            # astropy omits the size of one-character text, which then reads as a single char.
            if field.datatype == "char" and not field.arraysize:
                field.arraysize = "1"
        _add_systems(votable)
        for name, value in {METADATA_KEY: metadata_json, **words}.items():
            votable.resources[0].infos.append(tree.Info(name=name, value=value))
        buffer = io.BytesIO()
        votable.to_xml(buffer)
    return buffer.getvalue().decode("utf-8")


def _add_systems(votable: VOTableFile) -> None:
    """Say in which frame positions and motions are, and in which time scale epochs."""
    from astropy.io.votable import tree

    icrs = tree.CooSys(ID="icrs", system="ICRS")
    galactic = tree.CooSys(ID="galactic", system="galactic")
    # Years of a calendar have no origin.
    tcb = tree.TimeSys(
        ID="tcb", timescale="TCB", refposition="BARYCENTER", config={"version_1_4_or_later": True}
    )
    for system, begins, where in (
        (icrs, EQUATORIAL, votable.coordinate_systems),
        (galactic, _GALACTIC, votable.coordinate_systems),
        (tcb, EPOCHS, votable.time_systems),
    ):
        fields = [f for f in votable.get_first_table().fields if (f.ucd or "").startswith(begins)]
        if fields:
            where.append(system)
        for field in fields:
            field.ref = system.ID


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
