"""CSV tables of surveys: the definition says what is text and what is a number.

`gcmock.io` scans a CSV file once to find that out. Here no scan is needed, and a flag such as 022
or an identifier of 19 digits keeps every character.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from gcmock.io.readers.arrow import array_of
from gcmock.io.readers.delimited import CsvSource

_HEAD: Final = 4096
_OTHERS: Final = (b"PAR1", b"SIMPLE  =", b"# %ECSV", b"<?xml", b"<VOTABLE")


def is_plain_csv(path: Path) -> bool:
    """Whether a file is text with a header line and at least one more, not another format."""
    try:
        head = _first_bytes(path)
    except OSError:
        return False
    whole = len(head) < _HEAD
    has_rows = not whole or len(head.split(b"\n", 1)[-1].strip()) > 0
    return b"\n" in head and has_rows and b"\0" not in head and not head.startswith(_OTHERS)


def _first_bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for somebody to write.
        return b""
    with path.open("rb") as file:
        return file.read(_HEAD)


def has_names(path: Path) -> bool:
    """Whether the first line of a text table that is no comment begins with a name."""
    try:
        lines = _first_bytes(path).splitlines()
    except OSError:
        return False
    first = next((x.split() for x in lines if x.strip() and not x.startswith(b"#")), [])
    return bool(first) and first[0][:1].isalpha()


class NativeCsvSource(CsvSource):
    """A CSV file with a header line, whose types are given before it is read."""

    def __init__(self, path: Path) -> None:
        # The scan of CsvSource is what is to be saved.
        self._read_header(path)
        self.n_rows: int | None = None
        self._types: dict[str, pa.DataType] = {}

    def read_as(self, text: Mapping[str, bool]) -> None:
        """Set which columns are text; the others are numbers.

        Parameters
        ----------
        text : mapping of str to bool
            By the name in the file.
        """
        self._types = {name: pa.string() if t else pa.float64() for name, t in text.items()}

    def _text(self, column: pa.Array) -> pa.Array:
        # A blank in a flag of three letters has its place.
        return column

    def _column(self, column: pa.Array) -> Any:
        # Text stays in Arrow, which handles it more quickly.
        return pc.fill_null(column, "") if pa.types.is_string(column.type) else array_of(column)

    def count_rows(self) -> int:
        """Return the number of rows; the file is read for it."""
        name = self.columns[0]
        as_text = NativeCsvSource(self.path)
        as_text.read_as({name: True})
        return sum(len(chunk[name]) for chunk in as_text.chunks(2**20, [name]))
