"""What files say of the system and the epoch of their positions, apart from the columns.

FITS headers have RADESYS and EQUINOX, VOTables have COOSYS. Positions of the equinox 1950 are half
a degree off when they are taken for ICRS, and look no different.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from gcmock.errors import InputError
from gcmock.words.columns import ALIASES

_EQUATORIAL: Final = frozenset({"", "ICRS", "FK5", "EQ_FK5", "BARYCENTRIC", "UNKNOWN"})
"""Systems that agree with ICRS to some 20 mas."""

_GALACTIC: Final = frozenset({"", "GALACTIC", "GENERIC_GALACTIC", "UNKNOWN"})
_OLD: Final = frozenset({"FK4", "EQ_FK4"})
_RADESYS: Final = ("RADESYS", "RADECSYS")
_J2000: Final = 2000.0


def check_header(path: object, header: Mapping[str, Any]) -> None:
    """Refuse a table whose header says that its positions are of another system or equinox.

    Parameters
    ----------
    path : str or Path
        For error messages.
    header : mapping
        Keywords of a FITS or an IPAC table, in upper case.

    Raises
    ------
    InputError
    """
    system = next((header[key] for key in _RADESYS if header.get(key)), "")
    # Before 1984 the equinox was called EPOCH; what stands there today may be any epoch.
    equinox = header.get("EQUINOX", 1950.0 if _years(header.get("EPOCH")) == 1950.0 else None)
    _check(path, str(system), equinox, _EQUATORIAL, "the header says")


def check_votable(path: object, file: Any, table: Any) -> float | None:
    """Refuse a VOTable whose positions are of another system; return their epoch.

    Parameters
    ----------
    path : str or Path
        For error messages.
    file : astropy.io.votable.tree.VOTableFile
    table : astropy.io.votable.tree.TableElement
        That of its tables which is read.

    Returns
    -------
    float or None
        Julian year; None if it is not said.

    Raises
    ------
    InputError
        If a position that is read refers to another system, or to one of another equinox.
    """
    every = list(file.iter_coosys())
    known = {one.ID: one for one in every if one.ID}
    found = [
        (known[field.ref], allowed)
        for field, allowed in _positions(table)
        if field.ref and field.ref in known
    ]
    if not found and len(every) == 1:
        # Nothing refers to it; what it says is of the only positions that there are.
        only = every[0]
        if str(only.system or "").upper() in _OLD | _EQUATORIAL:
            found = [(only, _EQUATORIAL)]
    for system, allowed in found:
        _check(path, str(system.system or ""), system.equinox, allowed, "COOSYS says")
    epochs = (_years(system.epoch) for system, _ in found)
    return next((epoch for epoch in epochs if epoch is not None), None)


def _positions(table: Any) -> Iterator[tuple[Any, frozenset[str]]]:
    """Fields of a position, and the systems in which it may be."""
    for names, allowed in ((("ra", "dec"), _EQUATORIAL), (("l", "b"), _GALACTIC)):
        spellings = {spelling for name in names for spelling in (name, *ALIASES[name])}
        for field in table.fields:
            ucd = (field.ucd or "").lower()
            main = "meta.main" in ucd and ucd.startswith(f"pos.{_UCD[names]}")
            if str(field.name or field.ID).lower() in spellings or main:
                yield field, allowed


_UCD: Final = {("ra", "dec"): "eq", ("l", "b"): "galactic"}


def _check(path: object, system: str, equinox: Any, allowed: frozenset[str], who: str) -> None:
    year = _years(equinox)
    bad = system.strip().upper() not in allowed
    if allowed is _EQUATORIAL and system.strip().upper() != "ICRS":
        bad |= year is not None and year != _J2000
    if bad:
        words = " ".join(str(x).strip() for x in (system, equinox) if x)
        needed = "ICRS" if allowed is _EQUATORIAL else "Galactic"
        raise InputError(
            f"{path}: {who} that positions are {words}, but {needed} ones are needed: convert them "
            "(astropy.coordinates.SkyCoord does it)"
        )


def _years(given: Any) -> float | None:
    """Julian year of an epoch as files write it: 2000, "J2015.5", "B1950"; None if it is none."""
    text = str(given or "").strip().upper()
    try:
        if text.startswith("B"):
            from astropy.time import Time

            # 1950.0 by any count is the same equinox.
            year = float(text[1:])
            return year if year == 1950.0 else float(Time(year, format="byear").jyear)
        year = float(text.removeprefix("J"))
    except ValueError:
        return None
    return year if np.isfinite(year) and year > 0.0 else None
