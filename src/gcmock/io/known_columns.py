"""Columns of gcmock's own tables, read as something that others may have changed.

A table that gcmock wrote is read again by other commands. Before anything is computed, its columns
are held against their types and against ranges in which every possible value lies, so that text,
gaps and numbers like 1e300 end in one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.source import TableSource
from gcmock.io.unit_names import unit_factor
from gcmock.words.columns import OUTPUT_COLUMNS, Column, columns_by_name

_KNOWN: Final = columns_by_name(OUTPUT_COLUMNS)
_NEEDED: Final = ("ra", "dec", "l", "b", "distance_pc")

_EDGE: Final = 1e-6
"""Probabilities and correlations are rounded."""

_MOST: Final = 1e15

_RANGES: Final = tuple(
    (re.compile(pattern), low, high)
    for pattern, low, high in (
        (r"ra|l|roll", -360.0, 720.0),
        (r"dec|b", -90.0, 90.0),
        # True magnitudes of faint dwarfs behind thick dust are far beyond any survey.
        (r"phot_\w+_mag", -50.0, 300.0),
        (r"\w+_corr", -1.0 - _EDGE, 1.0 + _EDGE),
        (r"p_\w+", -_EDGE, 1.0 + _EDGE),
        (r"\w+_error", 0.0, 1e12),
        (r"ref_epoch", 1800.0, 2200.0),
        (r"time", 1900.0, 2100.0),
        # Field coordinates of 28 deg.
        (r"[xy]", -1e8, 1e8),
        (r"[xyz]_au", -1e3, 1e3),
        (r"v[xyz](_kms)?|radial_velocity", -1e5, 1e5),
        (r"distance_(\w+_)?pc", 1e-3, 1e7),
        (r"[xyz]_pc", -1e7, 1e7),
        (r"a_ks", -1.0, 1e3),
        (r"parallax|pmra|pmdec", -1e6, 1e6),
        (r"visit|block|detector|realisation|n_\w+|flags", 0.0, 2.0**31),
    )
)
"""Smallest and largest value by name of column."""

_KINDS: Final = {"f": "iuf", "i": "iu", "u": "iu", "b": "b", "U": "U"}
_WORDS: Final = {"f": "numbers", "i": "integers", "u": "integers", "b": "true or false"}


def check_columns(
    path: object,
    table: Mapping[str, NDArray[Any]],
    columns: Iterable[Column],
    *,
    first_row: int = 0,
    may_miss: Iterable[str] = (),
) -> None:
    """Check types and values of columns.

    Parameters
    ----------
    path : str or Path
        For error messages.
    table : mapping of str to ndarray, shape (n_row,)
        As a reader yields them.
    columns : iterable of Column
        Those of them that are checked.
    first_row : int
        Row of the first one in the file.
    may_miss : iterable of str
        Columns in which values may be missing.

    Raises
    ------
    InputError
        If a column is of another type, or a value is missing or impossible.
    """
    free = set(may_miss)
    for column in columns:
        values = table[column.name]
        kind = np.dtype(column.dtype).kind
        # Identifiers may be text.
        kinds = "iuU" if column.name == "source_id" else _KINDS[kind]
        if values.dtype.kind not in kinds:
            raise InputError(
                f"{path}: column {column.name!r} holds values of the type {values.dtype}, but "
                f"{_WORDS.get(kind, 'text')} are expected"
            )
        missing = np.ma.getmaskarray(values)
        if values.dtype.kind in "iuf":
            data = np.ma.getdata(values).astype(np.float64)
            missing = missing | np.isnan(data)
            if column.name != "source_id":
                _check_range(path, column, np.where(missing, np.nan, data), first_row)
        if column.name not in free and missing.any():
            row = first_row + int(np.argmax(missing))
            raise InputError(f"{path}: {column.name} is missing in row {row} (counted from 0)")


def _check_range(path: object, column: Column, data: NDArray[np.float64], first_row: int) -> None:
    low, high = next(
        ((a, b) for pattern, a, b in _RANGES if pattern.fullmatch(column.name)), (-_MOST, _MOST)
    )
    bad = (data < low) | (data > high)
    if bad.any():
        i = int(np.argmax(bad))
        unit = f" {column.unit}" if column.unit else ""
        raise InputError(
            f"{path}: {column.name} = {data[i]:g} in row {first_row + i} (counted from 0); "
            f"expected {low:g} to {high:g}{unit}"
        )


class CheckedSource:
    """A table that gcmock wrote, whose values are checked while they are read.

    Parameters
    ----------
    source : TableSource
        The open table.

    Raises
    ------
    InputError
        If a unit is not that in which gcmock writes a column; and by `chunks`, see `check_columns`.
        Numbers may be missing, but for positions and distances.
    """

    def __init__(self, source: TableSource) -> None:
        self.path, self.n_rows = source.path, source.n_rows
        self.columns, self.units = source.columns, source.units
        self._source = source
        check_units(self.path, self.units, (_KNOWN[c] for c in self.columns if c in _KNOWN))

    def chunks(self, size: int, columns: Sequence[str] | None = None) -> Iterator[Columns]:
        """See `gcmock.io.readers.source.TableSource`."""
        first = 0
        for chunk in self._source.chunks(size, columns):
            known = [_KNOWN[name] for name in chunk if name in _KNOWN]
            free = [c.name for c in known if c.dtype[0] == "f" and c.name not in _NEEDED]
            check_columns(self.path, chunk, known, first_row=first, may_miss=free)
            first += len(next(iter(chunk.values()), ()))
            yield chunk


def check_units(path: object, units: Mapping[str, str], columns: Iterable[Column]) -> None:
    """Refuse a table whose units are not those in which gcmock writes it.

    Raises
    ------
    InputError
        If a unit is unknown, or another one.
    """
    for column in columns:
        given = units.get(column.name)
        if given and unit_factor(path, column.name, given, column.name, column.unit) != 1.0:
            raise InputError(
                f"{path}: column {column.name!r} is in {given}, but {column.unit or 'a number'} is "
                "expected: give the table as gcmock wrote it"
            )
