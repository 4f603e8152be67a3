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

_EXACT_FLOAT = {2: 2.0**11, 4: 2.0**24, 8: 2.0**53}
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
    positions : mapping of str to ndarray, shape (n_star,)
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


def exact_ids(path: object, values: NDArray[Any], first_row: int = 0) -> NDArray[Any]:
    """Return identifiers as integers or text, exactly as they are.

    Parameters
    ----------
    path : str or Path
        For error messages.
    values : ndarray, shape (n_row,)
        As a reader yields them; may be masked.
    first_row : int
        Row of the first one in the file.

    Raises
    ------
    InputError
        If an identifier is missing, or is a float that may have lost digits, or neither a number
        nor text.
    """
    kind = values.dtype.kind
    if kind not in "iufU":
        raise InputError(f"{path}: source_id must be integers or text")
    data = np.ma.getdata(values)
    bad = np.ma.getmaskarray(values)
    reason = "is missing"
    if kind == "U":
        bad = bad | (data == "")
    elif kind == "f":
        bad = bad | np.isnan(data)
        if not bad.any():
            bad = (data != np.rint(data)) | ~(np.abs(data) < _EXACT_FLOAT[data.dtype.itemsize])
            reason = "is a float that may have lost digits: store it as an integer or text"
    if bad.any():
        row = first_row + int(np.argmax(bad))
        raise InputError(f"{path}: source_id {reason} in row {row} (counted from 0)")
    return data.astype(np.int64) if kind == "f" else data


class IdColumn:
    """The identifiers of a table: their type, and whether each occurs once.

    Parameters
    ----------
    path : str or Path
        For error messages.
    n_rows : int
        Rows of the file. Memory: 8 bytes a row while the identifiers are collected.

    Attributes
    ----------
    is_ascii : bool
        Whether the identifiers that were added are ASCII, as FITS needs it.
    """

    def __init__(self, path: object, n_rows: int) -> None:
        self._path = path
        self._bits = np.empty(n_rows, dtype=np.uint64)
        self._n_seen = 0
        self._width = 1
        self._kind = ""
        self._as_text = False
        self.is_ascii = True

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
        values = exact_ids(self._path, values, first_row)
        if (
            self._n_seen
            and self._kind != values.dtype.kind
            and "U"
            in (
                self._kind,
                values.dtype.kind,
            )
        ):
            raise InputError(
                f"{self._path}: source_id is text in some parts and numbers in others (from row "
                f"{first_row} on, counted from 0): give it one type"
            )
        self._kind = values.dtype.kind
        big = values.dtype.kind == "u" and bool((values > _MAX_INT64).any())
        if values.dtype.kind == "U" or big:
            self._as_text = True
        if values.dtype.kind == "U":
            self._width = max(self._width, int(np.char.str_len(values).max(initial=1)))
            self._look_at("".join(values.tolist()))
        elif big:
            self._width = max(self._width, len(str(int(values.max()))))
        self._bits[self._n_seen : self._n_seen + len(values)] = id_bits(values)
        self._n_seen += len(values)

    def _look_at(self, text: str) -> None:
        """Note characters that not every format holds."""
        if text.isascii():
            return
        self.is_ascii = False
        # What a reader writes for bytes that it does not understand.
        if "\N{REPLACEMENT CHARACTER}" in text:
            raise InputError(
                f"{self._path}: source_id holds text that is not UTF-8, so that identifiers would "
                "change: convert the file"
            )

    def normalise(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return identifiers with the type of `column`."""
        exact = exact_ids(self._path, values)
        return exact.astype(self.column.dtype)

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
