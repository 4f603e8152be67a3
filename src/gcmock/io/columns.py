"""Find the columns of an input table and their units, before any row is read."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gcmock.errors import InputError
from gcmock.io.unit_names import days, plain_text, sexagesimal, unit_factor
from gcmock.words.bands import BANDS, magnitude_name
from gcmock.words.columns import ALIASES, INPUT_COLUMNS, OUTPUT_COLUMNS, SOURCE_ID, columns_by_name

_INPUT = columns_by_name(INPUT_COLUMNS)
_KNOWN = columns_by_name(OUTPUT_COLUMNS) | _INPUT
# "B" or "L" may well be a magnitude, so these two must be spelt exactly.
_CASE_SENSITIVE = ("l", "b")
_BAND_LIKE = re.compile(r"(?i)^(?:phot_|mag_)?(j|h|ks|k|hw)(?:_?m|_?mag|_mean_mag)?$")
_OTHER_SYSTEM = re.compile(r"(?i)^(phot_(?:j|h|ks|hw)_mag)_?(ab|st)$")
EPOCH: Final = "ref_epoch"


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


def match_columns(
    path: object, names: Sequence[str], units: Mapping[str, str], chosen: Mapping[str, str]
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
    for canonical in _INPUT:
        if canonical in chosen:
            if chosen[canonical] not in names:
                hint = _closest(chosen[canonical], names)
                raise InputError(
                    f"{path}: no column {chosen[canonical]!r}, which [columns] gives for "
                    f"{canonical}{hint}"
                )
            found[canonical] = chosen[canonical]
        else:
            name = _find(path, canonical, names)
            if name is not None:
                found[canonical] = name
    _check_systems(path, found, names)
    _check_position(path, found, names)
    if not any(magnitude_name(band) in found for band in BANDS):
        wanted = ", ".join(magnitude_name(band) for band in BANDS)
        raise InputError(
            f"{path}: no magnitudes: needs at least one of {wanted}"
            + _band_hint(names)
            + f". The file has: {', '.join(names)}"
        )
    return {
        canonical: match_unit(path, canonical, name, units.get(name))
        for canonical, name in found.items()
    }


def unused_lookalikes(names: Sequence[str], matches: Mapping[str, ColumnMatch]) -> list[str]:
    """Return a remark for every unused column that looks like one that was not found."""
    used = {match.name for match in matches.values()}
    absent = [name for name in _INPUT if name not in matches]
    remarks = []
    for name in names:
        if name in used:
            continue
        band = _BAND_LIKE.match(name)
        close = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.85)
        target = _band_target(band.group(1)) if band else (close[0] if close else None)
        if target in absent:
            remarks.append(
                f"column {name!r} is not used; if it is {target}, say so in the config: "
                f'[columns] {target} = "{name}"'
            )
    return remarks


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
    hint = next(filter(None, (_closest(name, names, cutoff=0.5) for name in absent)), "")
    raise InputError(
        f"{path}: no position: needs columns ra and dec, or l and b (or glon and glat){hint}. "
        'Other names go into the config: [columns] ra = "...", dec = "...". '
        f"The file has: {', '.join(names)}"
    )


def _closest(name: str, names: Sequence[str], cutoff: float = 0.6) -> str:
    """Return a remark that names the closest match, empty if none is close."""
    matches = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    return f" (closest: {matches[0]!r})" if matches else ""


def _band_target(label: str) -> str:
    band = label.lower()
    return magnitude_name("ks" if band == "k" else band)


def _band_hint(names: Sequence[str]) -> str:
    mapped = []
    for name in names:
        band = _BAND_LIKE.match(name)
        if band:
            mapped.append(f'{_band_target(band.group(1))} = "{name}"')
    if mapped:
        return f"; if they are Vega magnitudes, write in the config: [columns] {', '.join(mapped)}"
    # Close, but not as close as a magnitude of another survey, such as phot_g_mean_mag.
    hints = [_closest(magnitude_name(band), names, cutoff=0.85) for band in BANDS]
    return next(filter(None, hints), "")


def match_unit(path: object, canonical: str, name: str, unit: str | None) -> ColumnMatch:
    """Return how the column of a file becomes one of gcmock."""
    if canonical == SOURCE_ID.name:
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
