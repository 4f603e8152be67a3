"""Checks of identifiers and positions over a whole table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.errors import InputError
from gcmock.frames import icrs_to_galactic
from gcmock.random import id_bits
from gcmock.words.columns import SOURCE_ID, Column

_EXACT_FLOAT = 2.0**53
_MAX_INT64 = np.iinfo(np.int64).max
_N_SHOWN = 3
_POSITION_TOLERANCE_DEG = 0.01

_RANGES = {
    "ra": (0.0, 360.0),
    "dec": (-90.0, 90.0),
    "l": (-180.0, 360.0),
    "b": (-90.0, 90.0),
}


def check_positions(
    path: object, positions: Mapping[str, NDArray[np.float64]], first_row: int
) -> None:
    """Check that every star has a possible position.

    Parameters
    ----------
    path : str or Path
        For error messages.
    positions : mapping of str to array (n_star,)
        Any of ra, dec, l, b [deg].
    first_row : int
        Row of the first star in the file.

    Raises
    ------
    InputError
        If a coordinate is missing or out of range, or if (ra, dec) and (l, b) disagree.
    """
    for name, values in positions.items():
        low, high = _RANGES[name]
        bad = ~((values >= low) & (values <= high))
        if bad.any():
            i = int(np.argmax(bad))
            given = "is missing" if np.isnan(values[i]) else f"= {values[i]:.10g}"
            raise InputError(
                f"{path}: {name} {given} in row {first_row + i} (counted from 0); it must be "
                f"between {low:g} and {high:g} deg. {int(bad.sum())} such rows in this part of "
                "the file: correct or remove them"
            )
    if len(positions) == 4:
        l_deg, b_deg = icrs_to_galactic(positions["ra"], positions["dec"])
        dl = (positions["l"] - l_deg + 180.0) % 360.0 - 180.0
        apart = np.hypot(dl * np.cos(np.radians(b_deg)), positions["b"] - b_deg)
        bad = apart > _POSITION_TOLERANCE_DEG
        if bad.any():
            i = int(np.argmax(bad))
            raise InputError(
                f"{path}: ra, dec and l, b are {apart[i]:.3g} deg apart in row {first_row + i} "
                "(counted from 0): ra, dec must be ICRS degrees, l, b Galactic degrees"
            )


class IdColumn:
    """The identifiers of a table: their type, and whether each occurs once.

    Parameters
    ----------
    path : str or Path
        For error messages.
    n_rows : int
        Rows of the file. Memory: 8 bytes a row while the identifiers are collected.
    """

    def __init__(self, path: object, n_rows: int) -> None:
        self._path = path
        self._bits = np.empty(n_rows, dtype=np.uint64)
        self._n_seen = 0
        self._width = 1
        self._as_text = False

    @property
    def column(self) -> Column:
        """`source_id` with the type of this table."""
        return SOURCE_ID.with_dtype(f"U{self._width}") if self._as_text else SOURCE_ID

    def widen(self, column: Column) -> None:
        """Store identifiers as a column that holds at least those of this table."""
        dtype = np.dtype(column.dtype)
        self._as_text = dtype.kind == "U"
        self._width = max(self._width, dtype.itemsize // 4) if self._as_text else self._width

    def add(self, values: NDArray[Any], first_row: int) -> None:
        """Collect the identifiers of the next rows.

        Raises
        ------
        InputError
            If an identifier is missing or has no exact value.
        """
        self._check(values, first_row)
        big = values.dtype.kind == "u" and bool((values > _MAX_INT64).any())
        if values.dtype.kind == "U" or big:
            self._as_text = True
        if values.dtype.kind == "U":
            self._width = max(self._width, int(np.char.str_len(values).max(initial=1)))
        elif big:
            self._width = max(self._width, len(str(int(values.max()))))
        exact = values if values.dtype.kind in "iuU" else values.astype(np.int64)
        self._bits[self._n_seen : self._n_seen + len(values)] = id_bits(exact)
        self._n_seen += len(values)

    def _check(self, values: NDArray[Any], first_row: int) -> None:
        if values.dtype.kind not in "iufU":
            raise InputError(f"{self._path}: source_id must be integers or text")
        bad = np.ma.getmaskarray(values)
        reason = "is missing"
        if values.dtype.kind == "U":
            bad = values == ""
        elif values.dtype.kind == "f" and not np.isnan(values).any():
            bad = (values != np.rint(values)) | (np.abs(values) > _EXACT_FLOAT)
            reason = "is a float that may have lost digits: store it as an integer or text"
        elif values.dtype.kind == "f":
            bad = np.isnan(values)
        if bad.any():
            row = first_row + int(np.argmax(bad))
            raise InputError(f"{self._path}: source_id {reason} in row {row} (counted from 0)")

    def normalise(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return identifiers with the type of `column`."""
        return np.ma.getdata(values).astype(self.column.dtype)

    def finish(self) -> None:
        """Check that no identifier occurs twice, and free the memory.

        Raises
        ------
        InputError
            If one does; the first few are named by their rows.
        """
        bits = self._bits[: self._n_seen]
        ordered = np.sort(bits)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if len(repeated):
            shown = []
            for value in repeated[:_N_SHOWN]:
                first, second = np.flatnonzero(bits == value)[:2]
                name = "" if self._as_text else f"{value.astype(np.int64)} in "
                shown.append(f"{name}rows {first} and {second}")
            raise InputError(
                f"{self._path}: {len(repeated)} source_id occur more than once: {'; '.join(shown)}"
                f"{' ...' if len(repeated) > _N_SHOWN else ''} (rows counted from 0); every star "
                "needs its own"
            )
        self._bits = np.empty(0, dtype=np.uint64)
