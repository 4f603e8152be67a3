"""FITS output: a binary table, appended row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from astropy.io import fits

from gcmock.arrays import Columns
from gcmock.io.writers.describe import METADATA_KEY, empty_table, pack, packed_dtype
from gcmock.words.columns import Column

_BLOCK = 2880


class FitsEncoder:
    """Write the rows after a header whose number of rows is filled in at the end.

    The metadata are one JSON text in the keyword GCMOCK of the table's header (CONTINUE cards).
    """

    def __init__(self, path: Path, columns: Sequence[Column], metadata: dict[str, str]) -> None:
        self._header = _header(columns, metadata)
        self._dtype = packed_dtype(columns)
        self._n_rows = 0
        self._file = path.open("wb")
        self._file.write(fits.PrimaryHDU().header.tostring().encode("ascii"))
        self._start = self._file.tell()
        self._file.write(self._header.tostring().encode("ascii"))

    def write(self, chunk: Columns) -> None:
        """Append rows."""
        rows = pack(chunk, self._dtype)
        self._file.write(rows.tobytes())
        self._n_rows += len(rows)

    def finish(self) -> None:
        """Fill the last block, write the number of rows, and close."""
        self._file.write(b"\0" * (-self._n_rows * self._dtype.itemsize % _BLOCK))
        self._header["NAXIS2"] = self._n_rows
        self._file.seek(self._start)
        self._file.write(self._header.tostring().encode("ascii"))
        self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _header(columns: Sequence[Column], metadata: dict[str, str]) -> fits.Header:
    header = fits.table_to_hdu(empty_table(columns, bytes_text=True)).header
    header["EXTNAME"] = "STARS"
    for i, column in enumerate(columns, start=1):
        # After the last standard keyword of the column, in the order of the columns.
        after = next(f"{key}{i}" for key in ("TUNIT", "TFORM") if f"{key}{i}" in header)
        header.insert(after, (f"TUCD{i}", column.ucd), after=True)
        header.insert(after, (f"TCOMM{i}", column.description), after=True)
    # "&" at the end of a card would read as a continuation.
    header[METADATA_KEY.upper()] = json.dumps(metadata).replace("&", "\\u0026")
    return header
