"""Read the columns that astrometry needs from a mock catalogue or from a table of sources."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.checks import exact_ids
from gcmock.io.columns import ColumnMatch, check_parts, keep_identifiers, match_unit
from gcmock.io.known_columns import check_columns
from gcmock.io.lookalikes import looks_like
from gcmock.io.readers.opening import open_table
from gcmock.io.readers.source import TableSource
from gcmock.io.unit_names import unit_factor
from gcmock.io.values import column_values
from gcmock.words.columns import OUTPUT_COLUMNS, SOURCE_ID, columns_by_name

_KNOWN: Final = columns_by_name(OUTPUT_COLUMNS)

POSITION: Final = ("ra", "dec")
TRUE_ASTROMETRY: Final = ("ra", "dec", "parallax", "pmra", "pmdec", "radial_velocity", "ref_epoch")

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
    matches : mapping of str to ColumnMatch
        Where the columns are in the file, and what becomes of their numbers.
    defaults : mapping of str to float
        Columns that the file lacks, and the value they get.
    realisation : int or None
        The realisation that is kept; None for all, or if the table has no such column.
    by_distance : bool
        Parallaxes come from a column ``distance``, as warpfield has it.
    unknown : mapping of str to float
        Columns in which a value may be missing, and what it is taken for.
    """

    source: TableSource
    names: tuple[str, ...]
    matches: Mapping[str, ColumnMatch]
    defaults: Mapping[str, float]
    realisation: int | None
    by_distance: bool = False
    unknown: Mapping[str, float] = field(default_factory=dict)

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
            match = self.matches.get(name, ColumnMatch(name))
            if self.stored(name) == _DISTANCE:
                distance = column_values(self.path, values, "distance_pc", match)
                given = np.isfinite(distance) & ~(distance > 0.0)
                if given.any():
                    i = int(np.argmax(given))
                    raise InputError(
                        f"{self.path}: distance = {distance[i]:g} pc in row {first + i} (counted "
                        "from 0); distances are above zero"
                    )
                plain = 1000.0 / distance
            else:
                # A true magnitude may be far beyond what any survey sees.
                limited = "" if name.endswith("_mag") else name
                plain = column_values(self.path, values, limited, match)
            if name in self.unknown:
                return np.where(np.isnan(plain), self.unknown[name], plain)
            bad = ~np.isfinite(plain)
        elif name == SOURCE_ID.name:
            return exact_ids(self.path, values, first)
        if bad.any():
            row = first + int(np.argmax(bad))
            raise InputError(
                f"{self.path}: {name} is missing in row {row} (counted from 0); "
                f"{int(bad.sum())} such rows in this part of the file: remove them"
            )
        check_columns(self.path, {name: plain}, (_KNOWN[name],), first_row=first)
        return plain


def open_catalogue(
    path: str | Path,
    names: Sequence[str],
    *,
    defaults: Mapping[str, float] | None = None,
    unknown: Mapping[str, float] | None = None,
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
    unknown : mapping of str to float, optional
        What missing values of a column are taken for; in other columns they are an error.
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
    _check_defaults(path, absent, source.columns)
    matches = {
        name: match_unit(path, name, name, source.units.get(name))
        for name in names
        if name not in absent
    }
    if by_distance:
        factor = unit_factor(path, _DISTANCE, source.units.get(_DISTANCE), "distance_pc", "pc")
        matches["parallax"] = ColumnMatch(_DISTANCE, factor, unit="pc")
    check_parts(source, {k: m for k, m in matches.items() if m.name != _DISTANCE})
    if "source_id" in names:
        keep_identifiers(source, {"source_id": ColumnMatch("source_id")})
    if realisation is not None and "realisation" not in source.columns:
        if realisation:
            raise InputError(f"{path}: has no column realisation, so there is only realisation 0")
        realisation = None
    return Catalogue(
        source, tuple(names), matches, absent, realisation, by_distance, dict(unknown or {})
    )


def _check_defaults(path: object, absent: Mapping[str, float], columns: Sequence[str]) -> None:
    """Refuse to assume a value that a column of another name seems to give."""
    for name, value in absent.items():
        if other := looks_like(name, columns):
            raise InputError(
                f"{path}: has no column {name}, but column {other!r} looks like it: rename it to "
                f"{name}, or leave it out, and {name} is taken for {value:g}"
            )


def _hint(name: str, columns: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, columns, n=1, cutoff=0.7)
    return f" (closest: {close[0]!r})" if close else ""


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
