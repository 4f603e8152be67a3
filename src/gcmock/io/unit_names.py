"""Units as files spell them: one vocabulary for everything that reads a table.

Archives write the same unit in many ways: ``mas.yr-1`` (VizieR), ``mas/yr``, ``MAS/YR`` (FITS
keywords of old programs), ``marcsec yr**-1``, ``[mas]``, ``magnitude``, ``degrees``, ``h:m:s``.
Words are looked up here, astropy parses what they make, and only a plain multiple of the unit that
is expected is converted: logarithms, decibels and other magnitudes are not.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from gcmock.errors import InputError

SEXAGESIMAL: Final = {
    "hms": "hms",
    "hhmmss": "hms",
    "hourminsec": "hms",
    "hms.s": "hms",
    "dms": "dms",
    "ddmmss": "dms",
    "degarcminarcsec": "dms",
    "degminsec": "dms",
    "dms.s": "dms",
}
"""Units of positions that are written in base 60, without their separators."""

DAYS: Final = {"d": "", "day": "", "days": "", "date": "", "mjd": "mjd", "jd": "jd"}
"""Units of epochs that are counted in days, and the count where they say it."""

_NOTHING: Final = {"", "-", "--", "---", "none", "null", "nan", "n/a", "na", "unknown", "?"}
_WORDS: Final = {
    **dict.fromkeys(("mas", "marcsec", "marcs", "milliarcsec", "milliarcsecond"), "mas"),
    **dict.fromkeys(("milliarcseconds", "milliarcsecs", "milli-arcsec"), "mas"),
    **dict.fromkeys(("uas", "muas", "µas", "μas", "uarcsec", "microarcsec"), "uas"),
    **dict.fromkeys(("microarcsecond", "microarcseconds"), "uas"),
    **dict.fromkeys(("arcsec", "arcsecs", "arcsecond", "arcseconds", "asec", '"', "″"), "arcsec"),
    **dict.fromkeys(("arcmin", "arcmins", "arcminute", "arcminutes", "amin"), "arcmin"),
    **dict.fromkeys(("deg", "degs", "degree", "degrees", "°"), "deg"),
    **dict.fromkeys(("mdeg", "millideg", "millidegree"), "mdeg"),
    **dict.fromkeys(("rad", "rads", "radian", "radians"), "rad"),
    **dict.fromkeys(("yr", "yrs", "year", "years", "y", "a", "jyr", "jyear", "annum"), "yr"),
    **dict.fromkeys(("cy", "century", "centuries"), "hyr"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("hourangle", "hour_angle"), "hourangle"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), "km"),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("cm",), "cm"),
    **dict.fromkeys(("pc", "parsec", "parsecs"), "pc"),
    **dict.fromkeys(("kpc", "kiloparsec", "kiloparsecs"), "kpc"),
    **dict.fromkeys(("mag", "mags", "magnitude", "magnitudes"), "mag"),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns"), "um"),
}
"""Words of units in lower case, and how astropy spells them."""

_VEGA: Final = re.compile(
    r"(?:vega[ _]?mags?|mags?[ _]?(?:\(vega\)|\[vega\]|vega)|vega|magnitudes?[ _]?\(vega\))"
)
_OTHER_SYSTEM: Final = re.compile(
    r"(?:ab|st)[ _]?mags?|(?:mags?|magnitudes?)[ _]?[(\[]?(?:ab|st)[)\]]?"
)
_MAGNITUDES: Final = {"mag": 1.0, "mmag": 1e-3, "millimag": 1e-3, "millimagnitude": 1e-3}
_DEX: Final = "dex"
_PURE: Final = {"1", "dimensionless", "unitless", "pure number", "number"}
_PHRASES: Final = (
    (re.compile(r"(?i)julian\s+year(s?)"), r"year\1"),
    (re.compile(r"(?i)\s+per\s+"), "/"),
    (re.compile(r"(?i)\b(?:kms|kps)\b(?:-1)?"), "km/s"),
    (re.compile(r"\^\s*\{?\(?(-?\d+)\)?\}?"), r"**\1"),
    (re.compile(r"([a-zA-Z])\s+(-\d)"), r"\1\2"),
)
# A hundred years for some authors, a hundredth of one for astropy.
_AMBIGUOUS: Final = re.compile(r"(?i)\bcyr")
_WORD: Final = re.compile(r"[a-zA-Zµμ_]+|[°\"″]")
_BRACKETS: Final = {"[": "]", "(": ")", "{": "}", "'": "'", "<": ">"}
_FORMATS: Final = (None, "vounit", "cds", "fits", "ogip")


def plain_text(unit: str | None) -> str:
    """Return a unit without what is written round it; empty where it says that there is none.

    Brackets and quotes are decoration: the unit ``[mas]`` is read as mas, never as its logarithm.
    """
    text = (unit or "").strip()
    while len(text) > 1 and (_BRACKETS.get(text[0]) == text[-1] or (text[0] == text[-1] == '"')):
        text = text[1:-1].strip()
    return "" if text.lower() in _NOTHING else text


def sexagesimal(unit: str | None) -> str:
    """Return "hms" or "dms" for the unit of a position in base 60, empty for other units."""
    return SEXAGESIMAL.get(re.sub(r"[\s:'\"′″,]", "", plain_text(unit).lower()), "")


def days(unit: str | None) -> str | None:
    """Return "mjd", "jd" or "" (a count of days that is not said); None for other units."""
    return DAYS.get(plain_text(unit).lower())


def is_unit(text: str) -> bool:
    """Whether a text is a unit of any kind."""
    spelt = plain_text(text).lower()
    magnitude = _VEGA.fullmatch(spelt) or _OTHER_SYSTEM.fullmatch(spelt) or spelt in _MAGNITUDES
    known = magnitude or spelt in DAYS or sexagesimal(text)
    return bool(known) or parsed_unit(plain_text(text)) is not None


def unit_factor(path: object, column: str, unit: str | None, quantity: str, target: str) -> float:
    """Return what to multiply numbers of a unit with.

    Parameters
    ----------
    path : str or Path
        For error messages.
    column : str
        Name of the column in the file, for error messages.
    unit : str or None
        As the file spells it; without one the numbers are taken to be in `target`.
    quantity : str
        Name in gcmock, for error messages.
    target : str
        Unit of gcmock; empty for a pure number.

    Returns
    -------
    float
        Exactly 1 for two spellings of one unit.

    Raises
    ------
    InputError
        If the unit is unknown, or no plain multiple of `target`.
    """
    text = plain_text(unit)
    # A metallicity is a logarithm: "dex" and no unit say the same.
    pure = not target or target == _DEX
    if not text or (pure and text.lower() in _PURE) or text.lower() == target == _DEX:
        return 1.0
    needed = target or "a pure number"
    if target == "mag":
        return _magnitude_factor(path, column, text, quantity)
    parsed = parsed_unit(text)
    if parsed is None:
        raise InputError(
            f"{path}: column {column!r} has the unknown unit {unit!r}; {quantity} needs {needed}"
        )
    factor = _scale(parsed, target)
    if factor is None:
        raise InputError(
            f"{path}: column {column!r} has the unit {unit!r}, but {quantity} needs {needed}"
        )
    # Two spellings of one unit may differ in the last bit, and 1000 may come as 999.9999999999999.
    rounded = float(f"{factor:.9g}")
    return rounded if abs(rounded - factor) < 1e-14 * factor else factor


def _magnitude_factor(path: object, column: str, text: str, quantity: str) -> float:
    spelt = text.lower()
    if _OTHER_SYSTEM.fullmatch(spelt):
        raise InputError(
            f"{path}: column {column!r} is in {text}, but {quantity} must be Vega magnitudes "
            "of the 2MASS system: convert it first"
        )
    if _VEGA.fullmatch(spelt):
        return 1.0
    spelt = _WORDS.get(spelt, spelt)
    if spelt in _MAGNITUDES:
        return _MAGNITUDES[spelt]
    known = "unit" if parsed_unit(text) is not None else "unknown unit"
    raise InputError(
        f"{path}: column {column!r} has the {known} {text!r}, but {quantity} needs mag"
    )


@cache
def parsed_unit(text: str) -> Any:
    """Return a unit of astropy, None if the text is no unit, or one that is no plain multiple.

    Parameters
    ----------
    text : str
        As `plain_text` returns it.
    """
    from astropy import units as u
    from astropy.units import UnitBase

    if _AMBIGUOUS.search(text):
        return None
    spelt = text
    for phrase, astropys in _PHRASES:
        spelt = phrase.sub(astropys, spelt)
    spelt = _WORD.sub(lambda word: _WORDS.get(word.group().lower(), word.group()), spelt)
    for candidate in dict.fromkeys((spelt, spelt.replace(".", " "), text)):
        for unit_format in _FORMATS:
            try:
                parsed = u.Unit(candidate, format=unit_format)
            except (ValueError, TypeError):
                continue
            # Units of functions are logarithms.
            return parsed if isinstance(parsed, UnitBase) else None
    return None


def _scale(parsed: Any, target: str) -> float | None:
    """Return the factor to a unit, None if the unit is no plain multiple of it."""
    from astropy import units as u

    wanted = u.Unit(target)
    logarithms = {u.dex, u.mag, u.dB}
    if logarithms & {*parsed.bases, *parsed.decompose().bases}:
        return None
    if parsed.is_equivalent(u.hour) and wanted.is_equivalent(u.deg):
        # Hours of a position are hours of right ascension; minutes and seconds would be a guess.
        return float(u.hourangle.to(wanted)) if parsed == u.hour else None
    try:
        return float(parsed.to(wanted))
    except (u.UnitConversionError, TypeError):
        return None
