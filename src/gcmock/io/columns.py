"""Find the columns of an input table and their units, before any row is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from gcmock.errors import InputError, MissingColumnsError
from gcmock.io.lookalikes import band_hint, closest
from gcmock.io.readers.source import TableSource, units_by_part, unreadable_of
from gcmock.io.unit_names import days, plain_text, sexagesimal, unit_factor
from gcmock.words.bands import BANDS, magnitude_name
from gcmock.words.columns import ALIASES, INPUT_COLUMNS, OUTPUT_COLUMNS, SOURCE_ID, columns_by_name

_INPUT = columns_by_name(INPUT_COLUMNS)
_KNOWN = columns_by_name(OUTPUT_COLUMNS) | _INPUT
# "B" or "L" may well be a magnitude, so these two must be spelt exactly.
_CASE_SENSITIVE = ("l", "b")
_EQUATORIAL, _GALACTIC = ("ra", "dec"), ("l", "b")
_OTHER_SYSTEM = re.compile(rf"(?i)^(phot_(?:{'|'.join(BANDS)})_mag)_?(ab|st)$")
EPOCH: Final = "ref_epoch"
_TRUE_STARS: Final = frozenset({"component", "distance_pc", "mass_init", "a_ks", "vx"})


@runtime_checkable
class KeepsText(Protocol):
    """A table whose columns are text until somebody needs numbers."""

    def read_as_text(self, name: str) -> None:
        """Keep a column as it is written."""
        ...


@dataclass(frozen=True)
class ColumnMatch:
    """Where an input column is found.

    Parameters
    ----------
    name : str
        Name in the file.
    factor : float
        What to multiply the values with, to get the unit of gcmock.
    base : {"", "hms", "dms"}
        What the unit says of a position in base 60.
    unit : str
        Unit that the file gives; empty if it gives none.
    """

    name: str
    factor: float = 1.0
    base: str = ""
    unit: str = ""


def match_table(source: TableSource, chosen: Mapping[str, str]) -> dict[str, ColumnMatch]:
    """Find every input column of an open table; see `match_columns`.

    Raises
    ------
    InputError
        As `match_columns`, if the stars are true ones that gcmock made, or if the parts of a
        folder differ in the unit of a column.
    """
    _check_observed(source.path, source.columns)
    matches = match_columns(
        source.path, source.columns, source.units, chosen, unreadable_of(source)
    )
    check_parts(source, matches)
    return matches


def _check_observed(path: object, names: Sequence[str]) -> None:
    """Refuse true stars: their magnitudes are free of noise, and a second mock would be wrong."""
    if not set(names) >= _TRUE_STARS:
        return
    what = "a mock catalogue" if "p_nsd" in names else "a table of true stars"
    raise InputError(
        f"{path}: is {what} of gcmock, whose magnitudes are true, not observed; give the observed "
        "stars from which it was made (gcmock simulate --survey writes them beside the truth)"
    )


def check_parts(source: TableSource, matches: Mapping[str, ColumnMatch]) -> None:
    """Raise an `InputError` if the files of a folder give a column in different units."""
    for part, units in units_by_part(source).items():
        for canonical, match in matches.items():
            here = match_unit(part, canonical, match.name, units.get(match.name))
            same = (here.factor, here.base) == (match.factor, match.base)
            if not same or days(here.unit) != days(match.unit):
                raise InputError(
                    f"{part}: column {match.name!r} has the unit {here.unit or 'none'!r}, but "
                    f"{match.unit or 'none'!r} in other parts of {source.path}: convert one of them"
                )


def keep_identifiers(source: TableSource, matches: Mapping[str, ColumnMatch]) -> None:
    """Let a text table give identifiers as they are written: 007 is not 7."""
    if SOURCE_ID.name in matches and isinstance(source, KeepsText):
        source.read_as_text(matches[SOURCE_ID.name].name)


def match_columns(
    path: object,
    names: Sequence[str],
    units: Mapping[str, str],
    chosen: Mapping[str, str],
    unreadable: Mapping[str, str] | None = None,
) -> dict[str, ColumnMatch]:
    """Find every input column that the file has.

    Parameters
    ----------
    path : str or Path
        For error messages.
    names : sequence of str
        Columns of the file.
    units : mapping of str to str
        Units of the file's columns, where known; the unit of gcmock is assumed elsewhere.
    chosen : mapping of str to str
        The section ``[columns]`` of the settings: name in gcmock, name in the file.
    unreadable : mapping of str to str, optional
        Columns without one value a row, and what they hold.

    Returns
    -------
    matches : dict of str to ColumnMatch
        By the name in gcmock.

    Raises
    ------
    InputError
        If a chosen column, the position or every magnitude is missing, if magnitudes are of
        another system, or if a unit is unknown or of the wrong kind.
    """
    found: dict[str, str] = {}
    _check_readable(path, chosen, unreadable or {})
    for canonical in _INPUT:
        if canonical in chosen:
            if chosen[canonical] not in names:
                hint = closest(chosen[canonical], names)
                raise InputError(
                    f"{path}: no column {chosen[canonical]!r}, which [columns] gives for "
                    f"{canonical}{hint}"
                )
            found[canonical] = chosen[canonical]
        else:
            name = _find(path, canonical, names)
            if name is not None:
                found[canonical] = name
    _check_once(path, found)
    _drop_half_positions(found, chosen, units)
    _check_systems(path, found, names)
    _check_position(path, found, names)
    if not any(magnitude_name(band) in found for band in BANDS):
        wanted = ", ".join(magnitude_name(band) for band in BANDS)
        raise MissingColumnsError(
            f"{path}: no magnitudes: needs at least one of {wanted}"
            + band_hint(names)
            + f". The file has: {', '.join(names)}. Native tables of surveys (2MASS, VVV, VIRAC2, "
            "GALACTICNUCLEUS, SIRIUS) go through gcmock merge, which knows their flags"
        )
    return {
        canonical: match_unit(path, canonical, name, units.get(name))
        for canonical, name in found.items()
    }


def _check_readable(path: object, chosen: Mapping[str, str], unreadable: Mapping[str, str]) -> None:
    for name, what in unreadable.items():
        for canonical in _INPUT:
            spellings = (canonical, *ALIASES.get(canonical, ()))
            mine = name == canonical if canonical in _CASE_SENSITIVE else name.lower() in spellings
            if chosen.get(canonical) == name or (mine and canonical not in chosen):
                raise InputError(
                    f"{path}: column {name!r} ({canonical}) holds {what}; one number a row is "
                    "needed"
                )


def _check_once(path: object, found: Mapping[str, str]) -> None:
    used: dict[str, str] = {}
    for canonical, name in found.items():
        if name in used:
            raise InputError(
                f"{path}: column {name!r} would be both {used[name]} and {canonical}: correct "
                "[columns]"
            )
        used[name] = canonical


def _drop_half_positions(
    found: dict[str, str], chosen: Mapping[str, str], units: Mapping[str, str]
) -> None:
    """Take no magnitude for a coordinate: a column b beside ra and dec may be the B band."""
    for pair, other in (_EQUATORIAL, _GALACTIC), (_GALACTIC, _EQUATORIAL):
        if not set(pair) <= found.keys() or set(other) & chosen.keys():
            continue
        magnitudes = any("mag" in units.get(found[x], "").lower() for x in other if x in found)
        if magnitudes or not set(other) <= found.keys():
            for name in other:
                found.pop(name, None)


def _find(path: object, canonical: str, names: Sequence[str]) -> str | None:
    if canonical in names:
        return canonical
    spellings = ALIASES.get(canonical, ())
    if canonical not in _CASE_SENSITIVE:
        spellings = (canonical, *spellings)
    hits = [name for name in names if name.lower() in spellings]
    if len(hits) > 1:
        raise InputError(
            f"{path}: columns {' and '.join(map(repr, hits))} could both be {canonical}; choose "
            f'one in the config: [columns] {canonical} = "{hits[0]}"'
        )
    return hits[0] if hits else None


def _check_systems(path: object, found: Mapping[str, str], names: Sequence[str]) -> None:
    for name in names:
        other = _OTHER_SYSTEM.match(name)
        if other and other.group(1).lower() not in found:
            raise InputError(
                f"{path}: column {name!r} is in the {other.group(2).upper()} system, but "
                f"{other.group(1)} must be Vega magnitudes of the 2MASS system: convert it first"
            )


def _check_position(path: object, found: Mapping[str, str], names: Sequence[str]) -> None:
    if {"ra", "dec"} <= found.keys() or {"l", "b"} <= found.keys():
        return
    absent = [name for name in ("ra", "dec", "l", "b") if name not in found]
    hint = next(filter(None, (closest(name, names, cutoff=0.5) for name in absent)), "")
    raise MissingColumnsError(
        f"{path}: no position: needs columns ra and dec, or l and b (or glon and glat){hint}. "
        'Other names go into the config: [columns] ra = "...", dec = "...". '
        f"The file has: {', '.join(names)}"
    )


def match_unit(path: object, canonical: str, name: str, unit: str | None) -> ColumnMatch:
    """Return how the column of a file becomes one of gcmock."""
    if canonical == SOURCE_ID.name or _KNOWN[canonical].dtype.startswith("U"):
        return ColumnMatch(name)
    if canonical == EPOCH:
        if days(unit) is None:
            unit_factor(path, name, unit, canonical, "yr")
        return ColumnMatch(name, unit=plain_text(unit))
    target = _KNOWN[canonical].unit
    if target == "deg" and (base := sexagesimal(unit)):
        return ColumnMatch(name, base=base, unit=plain_text(unit))
    factor = unit_factor(path, name, unit, canonical, target)
    return ColumnMatch(name, factor, unit=plain_text(unit))
