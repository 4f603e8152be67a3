"""FITS output: a binary table, appended row by row, with checksums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from astropy.io import fits

from gcmock.arrays import Columns
from gcmock.io.writers.describe import (
    EPOCHS,
    EQUATORIAL,
    METADATA_KEY,
    empty_table,
    pack,
    packed_dtype,
)
from gcmock.words.columns import Column

_BLOCK: Final = 2880
_EXCLUDED: Final = frozenset((*range(0x3A, 0x41), *range(0x5B, 0x61)))
"""Characters between digits and letters, which a checksum does not use."""


class FitsEncoder:
    """Write the rows after a header whose number of rows is filled in at the end.

    The metadata are one JSON text in the keyword GCMOCK of the table's header (CONTINUE cards),
    and cards of HISTORY for readers. DATASUM and CHECKSUM are those of the FITS standard 4.0,
    sections 4.4.2.7 and J.
    """

    def __init__(self, path: Path, columns: Sequence[Column], metadata: dict[str, str]) -> None:
        self._header = _header(columns, metadata)
        self._dtype = packed_dtype(columns)
        self._n_rows = 0
        self._sum = 0
        self._left = b""
        self._file = path.open("wb")
        primary = fits.PrimaryHDU().header
        primary.update(_origin(metadata))
        _begin_checksum(primary)
        self._file.write(_checked(primary, 0))
        self._start = self._file.tell()
        self._file.write(self._header.tostring().encode("ascii"))

    def write(self, chunk: Columns) -> None:
        """Append rows."""
        rows = pack(chunk, self._dtype)
        self._append(rows.tobytes())
        self._n_rows += len(rows)

    def _append(self, data: bytes) -> None:
        """Write bytes, and add them to the sum of the data."""
        self._file.write(data)
        data = self._left + data
        whole = len(data) - len(data) % 4
        self._sum = _added(self._sum, data[:whole])
        self._left = data[whole:]

    def finish(self) -> None:
        """Fill the last block, write the number of rows, and close."""
        self._append(b"\0" * (-self._n_rows * self._dtype.itemsize % _BLOCK))
        self._header["NAXIS2"] = self._n_rows
        self._file.seek(self._start)
        self._file.write(_checked(self._header, self._sum))
        self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _header(columns: Sequence[Column], metadata: Mapping[str, str]) -> fits.Header:
    header = fits.table_to_hdu(empty_table(columns, bytes_text=True)).header
    header["EXTNAME"] = "STARS"
    for i, column in enumerate(columns, start=1):
        # After the last standard keyword of the column, in the order of the columns.
        after = next(f"{key}{i}" for key in ("TUNIT", "TFORM") if f"{key}{i}" in header)
        header.insert(after, (f"TUCD{i}", column.ucd), after=True)
        header.insert(after, (f"TCOMM{i}", column.description), after=True)
    header.update(_origin(metadata))
    if any(column.ucd.startswith(EQUATORIAL) for column in columns):
        header["RADESYS"] = "ICRS"
    if any(column.ucd.startswith(EPOCHS) for column in columns):
        header["TIMESYS"] = "TCB"
        header["TREFPOS"] = "BARYCENTER"
    _begin_checksum(header)
    header["LONGSTRN"] = "OGIP 1.0"
    # "&" at the end of a card would read as a continuation.
    header[METADATA_KEY.upper()] = json.dumps(dict(metadata)).replace("&", "\\u0026")
    for key, text in metadata.items():
        first, *others = text.splitlines() or [""]
        for line in (f"{key}: {first}", *(f"  {other}" for other in others)):
            header.add_history(line.encode("ascii", "backslashreplace").decode("ascii"))
    return header


def _origin(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return what every header says of the file; the time only where the metadata have it."""
    words = {"ORIGIN": METADATA_KEY}
    if "creator" in metadata:
        words["CREATOR"] = metadata["creator"]
    if "date" in metadata:
        # Always UTC in a file that was made on Earth, and without the zone.
        words["DATE"] = metadata["date"][:19]
    return words


def _begin_checksum(header: fits.Header) -> None:
    """Keep the places of both sums."""
    header["CHECKSUM"] = "0" * 16
    header["DATASUM"] = "0"


def _checked(header: fits.Header, data_sum: int) -> bytes:
    """Return a header with the sums of its unit filled in."""
    header["DATASUM"] = str(data_sum)
    header["CHECKSUM"] = "0" * 16
    whole = _added(data_sum, header.tostring().encode("ascii"))
    header["CHECKSUM"] = _encoded(~whole & 0xFFFFFFFF)
    return header.tostring().encode("ascii")


def _added(total: int, data: bytes) -> int:
    """Add words of 32 bits in ones' complement."""
    total += int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _encoded(value: int) -> str:
    """Return 32 bits as the 16 characters whose words add up to them."""
    text = [""] * 16
    for i, byte in enumerate(value.to_bytes(4, "big")):
        quarter, rest = divmod(byte, 4)
        codes = [0x30 + quarter + rest, *3 * (0x30 + quarter,)]
        while _EXCLUDED.intersection(codes):
            for j in (0, 2):
                if _EXCLUDED.intersection(codes[j : j + 2]):
                    codes[j] += 1
                    codes[j + 1] -= 1
        for j, code in enumerate(codes):
            text[4 * j + i] = chr(code)
    return "".join(text[-1:] + text[:-1])
