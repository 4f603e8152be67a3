"""Read the columns that astrometry needs from a mock catalogue or from a table of sources."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.readers.opening import open_table
from gcmock.io.readers.source import TableSource
from gcmock.words.columns import OUTPUT_COLUMNS, columns_by_name

_KNOWN: Final = columns_by_name(OUTPUT_COLUMNS)

POSITION: Final = ("ra", "dec")
ASTROMETRY: Final = ("ra", "dec", "parallax", "pmra", "pmdec", "radial_velocity", "ref_epoch")

_DISTANCE: Final = "distance"

J2000: Final = 2000.0
"""Epoch of a source table that does not give one, as in warpfield."""


@dataclass(frozen=True)
class Catalogue:
    """A table of stars of which some columns are read in chunks.

    Attributes
    ----------
    source : TableSource
        The open table.
    names : tuple of str
        Columns that are read, in the units of gcmock.
    factors : mapping of str to float
        What to multiply numbers in the file with.
    defaults : mapping of str to float
        Columns that the file lacks, and the value they get.
    realisation : int or None
        The realisation that is kept; None for all, or if the table has no such column.
    by_distance : bool
        Parallaxes come from a column ``distance``, as warpfield has it.
    """

    source: TableSource
    names: tuple[str, ...]
    factors: Mapping[str, float]
    defaults: Mapping[str, float]
    realisation: int | None
    by_distance: bool = False

    @property
    def path(self) -> Path:
        """Where the table is."""
        return self.source.path

    @property
    def n_rows(self) -> int:
        """Rows of the file."""
        return int(self.source.n_rows or 0)

    def stored(self, name: str) -> str:
        """Return the name of a column in the file: a parallax may be stored as a distance."""
        return _DISTANCE if name == "parallax" and self.by_distance else name

    def chunks(self, size: int) -> Iterator[Columns]:
        """Yield columns of at most `size` rows; missing numbers raise an InputError."""
        first = 0
        wanted = list(self.names)
        if self.realisation is not None and "realisation" not in wanted:
            wanted.append("realisation")
        present = {name: self.stored(name) for name in wanted if name not in self.defaults}
        for chunk in self.source.chunks(size, list(present.values())):
            n = len(next(iter(chunk.values())))
            table: Columns = {}
            for name in wanted:
                if name in self.defaults:
                    table[name] = np.full(n, self.defaults[name])
                else:
                    table[name] = self._column(chunk[present[name]], name, first)
            first += n
            if self.realisation is not None:
                keep = table["realisation"] == self.realisation
                table = {name: values[keep] for name, values in table.items()}
            yield {name: table[name] for name in self.names}

    def _column(self, values: NDArray[Any], name: str, first: int) -> NDArray[Any]:
        bad = np.ma.getmaskarray(values)
        plain = np.ma.getdata(values)
        if _KNOWN[name].dtype[0] == "f":
            if plain.dtype.kind not in "iuf":
                raise InputError(f"{self.path}: column {name!r} must hold numbers, not text")
            plain = plain.astype(np.float64) * self.factors.get(name, 1.0)
            if self.stored(name) == _DISTANCE:
                plain = 1000.0 / np.where(plain > 0.0, plain, np.nan)
            bad = bad | ~np.isfinite(plain)
        if bad.any():
            row = first + int(np.argmax(bad))
            raise InputError(
                f"{self.path}: {name} is missing in row {row} (counted from 0); "
                f"{int(bad.sum())} such rows in this part of the file: remove them"
            )
        return plain


def open_catalogue(
    path: str | Path,
    names: Sequence[str],
    *,
    defaults: Mapping[str, float] | None = None,
    realisation: int | None = None,
    need: str = "",
) -> Catalogue:
    """Open a table of stars.

    Parameters
    ----------
    path : str or Path
        Any table that gcmock reads.
    names : sequence of str
        Columns of a mock catalogue.
    defaults : mapping of str to float, optional
        Values of columns that may be absent.
    realisation : int, optional
        Keep only these rows of a table with a column ``realisation``.
    need : str
        What the columns are needed for; completes the error message.

    Returns
    -------
    Catalogue

    Raises
    ------
    InputError
        If the file cannot be read, or lacks columns, or has wrong units.
    """
    source = open_table(path)
    absent = {k: v for k, v in (defaults or {}).items() if k not in source.columns}
    by_distance = "parallax" in names and "parallax" not in source.columns
    by_distance &= _DISTANCE in source.columns
    there = {*source.columns, *(("parallax",) if by_distance else ())}
    missing = [name for name in names if name not in there and name not in absent]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}"
            f"{_hint(missing[0], source.columns)}"
            f"{'; ' + need if need else ''}. Give a catalogue that gcmock build wrote"
        )
    factors = {
        name: _factor(path, name, source.units.get(name)) for name in names if name not in absent
    }
    if by_distance:
        factors["parallax"] = _factor(path, "distance_pc", source.units.get(_DISTANCE))
    if realisation is not None and "realisation" not in source.columns:
        if realisation:
            raise InputError(f"{path}: has no column realisation, so there is only realisation 0")
        realisation = None
    return Catalogue(source, tuple(names), factors, absent, realisation, by_distance)


def _hint(name: str, columns: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, columns, n=1, cutoff=0.7)
    return f" (closest: {close[0]!r})" if close else ""


def _factor(path: str | Path, name: str, unit: str | None) -> float:
    """Return the factor from the unit in the file to that of gcmock."""
    target = _KNOWN[name].unit
    if not unit or not target or unit == target:
        return 1.0
    from astropy import units as u

    try:
        factor = float(u.Unit(unit).to(u.Unit(target)))
    except (ValueError, TypeError, u.UnitConversionError) as error:
        raise InputError(f"{path}: column {name!r} is in {unit!r}; {target} is needed") from error
    return 1.0 if abs(factor - 1.0) < 1e-12 else factor


def integer_ids(path: object, source_id: NDArray[Any]) -> NDArray[np.int64]:
    """Return identifiers as int64.

    Raises
    ------
    InputError
        If they are text, or do not fit.
    """
    too_big = source_id.dtype.kind == "u" and bool((source_id > np.iinfo(np.int64).max).any())
    if source_id.dtype.kind not in "iu" or too_big:
        raise InputError(
            f"{path}: source_id must be integers of at most 63 bits for observations; number the "
            "stars, and keep the identifiers in a table of your own"
        )
    return source_id.astype(np.int64)
