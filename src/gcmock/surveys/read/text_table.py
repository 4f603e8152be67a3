"""The text layout of the SIRIUS catalogue: blank-separated lines without a header.

A line has 17 fields: l and b [deg], right ascension and declination in sexagesimal, then for each
of J, H and Ks the place on the image (x, y), magnitude and error, and at last the plate.
Sexagesimal numbers are written ``17:45:40.04`` or ``17 45 40.04``. The file is read in blocks:
blanks are squeezed by operations on bytes, colons become blanks, and pyarrow parses numbers.
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

_BLOCK: Final = 8 * 2**20
_HEAD: Final = 65_536
_BLANKS: Final = bytes.maketrans(b"\t\r:", b"   ")
# pyarrow does not know a plus sign before a number.
_SQUEEZED: Final = ((b" \n", b"\n"), (b"\n ", b"\n"), (b" +", b" "), (b"\n+", b"\n"))
_SEXAGESIMAL: Final = {"ra": ("ra_h", "ra_m", "ra_s"), "dec": ("dec_d", "dec_m", "dec_s")}
_LAYOUT: Final = (
    *("glon", "glat", *_SEXAGESIMAL["ra"], *_SEXAGESIMAL["dec"]),
    *("xj", "yj", "jmag", "e_jmag", "xh", "yh", "hmag", "e_hmag"),
    *("xk", "yk", "kmag", "e_kmag", "plate"),
)
_TYPES: Final = {name: pa.string() if name == "plate" else pa.float64() for name in _LAYOUT}


class TextSource:
    """A file in the layout of SIRIUS, read in chunks; a `TableSource`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_rows: int | None = None
        self.columns = tuple(
            dict.fromkeys(
                next((to for to, parts in _SEXAGESIMAL.items() if name in parts), name)
                for name in _LAYOUT
            )
        )
        self.units: dict[str, str] = {"glon": "deg", "glat": "deg", "ra": "deg", "dec": "deg"}
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
        if n_field != len(_LAYOUT):
            # Sexagesimal fields count for three.
            raise InputError(
                f"{path}: line 1 has {n_field} numbers, but the SIRIUS text layout has "
                f"{len(_LAYOUT)}: glon glat, RA (h m s), Dec (d m s), for each of J, H, Ks "
                f"x y mag error, plate. The line is: {lines[0][:120].decode(errors='replace')}"
            )

    def count_rows(self) -> int:
        """Return the number of lines; the file is read for it."""
        return sum(block.count(b"\n") for block in self._blocks())

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `TableSource.chunks`; a chunk never spans two blocks of 8 MB."""
        names = list(self.columns if columns is None else columns)
        needed = [part for name in names for part in _SEXAGESIMAL.get(name, (name,))]
        n_before = 0
        for block in self._blocks():
            rows = self._parse(block, needed, n_before)
            n_before += rows.num_rows
            for start in range(0, rows.num_rows, size):
                part = rows.slice(start, size).combine_chunks()
                yield {name: _values(part, name) for name in names}

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
                read_options=pyarrow.csv.ReadOptions(column_names=list(_LAYOUT)),
                parse_options=pyarrow.csv.ParseOptions(delimiter=" ", quote_char=False),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=_TYPES, include_columns=needed
                ),
            )
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self.path}: not in the SIRIUS text layout of {len(_LAYOUT)} numbers, within "
                f"the lines after {n_before:,}: {str(error).splitlines()[0]}"
            ) from error


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


def _values(part: pa.Table, name: str) -> NDArray[Any]:
    if name in _SEXAGESIMAL:
        first, minutes, seconds = (part[field].to_numpy() for field in _SEXAGESIMAL[name])
        degrees = (np.abs(first) + minutes / 60.0 + seconds / 3600.0).astype(np.float64)
        # -00 is a negative number of degrees, too.
        degrees = np.where(np.signbit(first), -degrees, degrees)
        return degrees * 15.0 if name == "ra" else degrees
    return plain(part[name].to_numpy())
