"""Blank-separated lines without a header: the columns of a spelling, by their place.

Sexagesimal numbers are written ``17:45:40.04`` or ``17 45 40.04``, so that they count for three.
The file is read in blocks: blanks are squeezed by operations on bytes, colons become blanks, and
pyarrow parses numbers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.source import plain
from gcmock.surveys.definition import NativeColumn, Spelling

_BLOCK: Final = 8 * 2**20
_HEAD: Final = 65_536
_BLANKS: Final = bytes.maketrans(b"\t\r:", b"   ")
# pyarrow does not know a plus sign before a number.
_SQUEEZED: Final = ((b" \n", b"\n"), (b"\n ", b"\n"), (b" +", b" "), (b"\n+", b"\n"))


class TextSource:
    """A text file without a header, read in chunks; a `TableSource`.

    Parameters
    ----------
    path : Path
    survey : str
        Name of the survey, for the errors.
    spelling : Spelling
        The columns, in the order of the fields of a line.
    """

    def __init__(self, path: Path, survey: str, spelling: Spelling) -> None:
        self.path = path
        self.n_rows: int | None = None
        self.columns = tuple(column.name for column in spelling.columns)
        self._layout = f"the {survey} text layout"
        self._parts = {c.name: _fields(c) for c in spelling.columns}
        self._fields = [field for fields in self._parts.values() for field in fields]
        text = {c.name for c in spelling.columns if _is_text(c)}
        self._types = {f: pa.string() if f in text else pa.float64() for f in self._fields}
        # Sexagesimal numbers arrive as degrees.
        self.units: dict[str, str] = {
            c.name: "deg" if _is_sexagesimal(c) else c.unit
            for c in spelling.columns
            if c.unit in ("deg", "hourangle")
        }
        self._hours = {c.name for c in spelling.columns if c.unit == "hourangle"}
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD)
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        lines = [line for line in squeeze(head).split(b"\n") if line]
        if not lines:
            raise InputError(f"{path}: the file is empty")
        n_field = len(lines[0].split(b" "))
        if n_field != len(self._fields):
            raise InputError(
                f"{path}: line 1 has {n_field} numbers, but {self._layout} has "
                f"{len(self._fields)}: {' '.join(self._fields)}. The line is: "
                f"{lines[0][:120].decode(errors='replace')}"
            )

    def count_rows(self) -> int:
        """Return the number of lines; the file is read for it."""
        return sum(block.count(b"\n") for block in self._blocks())

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`; a chunk never spans two blocks of 8 MB."""
        names = list(self.columns if columns is None else columns)
        needed = [part for name in names for part in self._parts[name]]
        n_before = 0
        for block in self._blocks():
            rows = self._parse(block, needed, n_before)
            n_before += rows.num_rows
            for start in range(0, rows.num_rows, size):
                part = rows.slice(start, size).combine_chunks()
                yield {name: self._values(part, name) for name in names}

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines with one blank between fields, each with its end of line."""
        rest = b""
        try:
            with self.path.open("rb") as file:
                while block := file.read(_BLOCK):
                    end = block.rfind(b"\n") + 1
                    if not end:
                        rest += block
                        continue
                    yield squeeze(rest + block[:end])
                    rest = block[end:]
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from error
        if rest.strip():
            yield squeeze(rest + b"\n")

    def _parse(self, block: bytes, needed: list[str], n_before: int) -> pa.Table:
        try:
            return pyarrow.csv.read_csv(
                io.BytesIO(block),
                read_options=pyarrow.csv.ReadOptions(column_names=self._fields),
                parse_options=pyarrow.csv.ParseOptions(delimiter=" ", quote_char=False),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=self._types, include_columns=needed
                ),
            )
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self.path}: not in {self._layout} of {len(self._fields)} numbers, within "
                f"the lines after {n_before:,}: {str(error).splitlines()[0]}"
            ) from error

    def _values(self, part: pa.Table, name: str) -> NDArray[Any]:
        fields = self._parts[name]
        if len(fields) == 1:
            return plain(part[name].to_numpy())
        first, minutes, seconds = (part[field].to_numpy() for field in fields)
        degrees = (np.abs(first) + minutes / 60.0 + seconds / 3600.0).astype(np.float64)
        # -00 is a negative number of degrees, too.
        degrees = np.where(np.signbit(first), -degrees, degrees)
        return degrees * 15.0 if name in self._hours else degrees


def _is_sexagesimal(column: NativeColumn) -> bool:
    return column.unit == "hourangle" or (column.unit == "deg" and column.dtype.startswith("U"))


def _is_text(column: NativeColumn) -> bool:
    return column.dtype.startswith("U") and not _is_sexagesimal(column)


def _fields(column: NativeColumn) -> tuple[str, ...]:
    """Names of the fields of a line that hold a column: hours or degrees, minutes, seconds."""
    if not _is_sexagesimal(column):
        return (column.name,)
    first = "h" if column.unit == "hourangle" else "d"
    return tuple(f"{column.name}_{part}" for part in (first, "m", "s"))


def squeeze(block: bytes) -> bytes:
    """Return lines with one blank between fields and no empty lines."""
    block = block.translate(_BLANKS)
    while b"  " in block:
        block = block.replace(b"  ", b" ")
    for old, new in _SQUEEZED:
        block = block.replace(old, new)
    while b"\n\n" in block:
        block = block.replace(b"\n\n", b"\n")
    return block.lstrip(b" \n+")
