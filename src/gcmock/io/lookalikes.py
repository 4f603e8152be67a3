"""Names that look like columns of gcmock, and what to write into the settings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from typing import Final

from gcmock.words.bands import BANDS, magnitude_name
from gcmock.words.columns import INPUT_COLUMNS

# "K" and "K_s" are Ks.
_LABELS: Final = "|".join((*BANDS, "k_s", "k"))
_BAND: Final = re.compile(
    rf"(?i)^(?:phot_|mag_|m_?)?({_LABELS})(?:_?m|_?mag|_mean_mag|_?apermag3|_?ap3|_?psfmag)?$"
)
_ERROR_FORMS: Final = (
    *("e_{}", "{}_error", "{}_err", "err_{}", "{}err", "{}_e", "sig_{}", "{}_sig", "d{}", "e{}"),
    *("{}_unc", "{}_sigma", "sigma_{}", "{}sigcom", "{}_msigcom"),
)
_OTHERS: Final = (
    (re.compile(r"(?i)^(?:par|plx|parallax|varpi|trig)[a-z_]*$"), "parallax"),
    (re.compile(r"(?i)^(?:pm|mu)_?(?:ra|alpha|a)[a-z_]*$"), "pmra"),
    (re.compile(r"(?i)^(?:pm|mu)_?(?:de|dec|delta|d)[a-z_]*$"), "pmdec"),
    (re.compile(r"(?i)^(?:pm|mu)_?(?:l|ll|glon)[a-z_]*$"), "pml"),
    (re.compile(r"(?i)^(?:pm|mu)_?(?:b|bb|glat)[a-z_]*$"), "pmb"),
    (
        re.compile(r"(?i)^(?:h?rv|v_?rad|v_?los|v_?hel(?:io)?|v_?r|rad_?vel|radial_?vel)[a-z_]*$"),
        "radial_velocity",
    ),
    (re.compile(r"(?i)^(?:ref_?|obs_?)?(?:epoch|ep|mjd|jd|jdate|epochs?_yr)$"), "ref_epoch"),
)
_IS_ERROR: Final = re.compile(
    r"(?i)^(?:e_?|err_?|sig(?:ma)?_?|d_)|(?:_?err(?:or)?|_e|_sig(?:ma)?|_unc)$"
)


def closest(name: str, names: Sequence[str], cutoff: float = 0.6) -> str:
    """Return a remark that names the closest match, empty if none is close."""
    matches = difflib.get_close_matches(name, names, n=1, cutoff=cutoff)
    return f" (closest: {matches[0]!r})" if matches else ""


def band_hint(names: Sequence[str]) -> str:
    """Return what to write into the settings for names that look like magnitudes, and errors."""
    mapped = []
    for name in names:
        if target := _magnitude_of(name):
            mapped.append(f'{target} = "{name}"')
            if error := _error_of(name, names):
                mapped.append(f'{target}_error = "{error}"')
    if mapped:
        return f"; if they are Vega magnitudes, write in the config: [columns] {', '.join(mapped)}"
    # Close, but not as close as a magnitude of another survey, such as phot_g_mean_mag.
    hints = [closest(magnitude_name(band), names, cutoff=0.85) for band in BANDS]
    return next(filter(None, hints), "")


def lookalikes(names: Sequence[str], used: Collection[str], found: Collection[str]) -> list[str]:
    """Return a remark for every unused column that looks like one that was not found.

    Parameters
    ----------
    names : sequence of str
        Columns of the file.
    used : collection of str
        Those of them that are used.
    found : collection of str
        Columns of gcmock that are there.
    """
    absent = [column.name for column in INPUT_COLUMNS if column.name not in found]
    remarks = []
    for name in names:
        target = None if name in used else _target(name, names, used, absent)
        if target is not None:
            remarks.append(
                f"column {name!r} is not used; if it is {target}, say so in the config: "
                f'[columns] {target} = "{name}"'
            )
    return remarks


def looks_like(target: str, names: Sequence[str]) -> str:
    """Return the first name that looks like a quantity without its error, empty if none does."""
    patterns = [pattern for pattern, quantity in _OTHERS if quantity == target]
    return next((name for name in names if any(p.match(name) for p in patterns)), "")


def _target(
    name: str, names: Sequence[str], used: Collection[str], absent: Sequence[str]
) -> str | None:
    candidates = [_magnitude_of(name)]
    for band_column in names:
        band = _magnitude_of(band_column)
        if band and _error_of(band_column, [name]):
            candidates.append(f"{band}_error")
    bare = _IS_ERROR.sub("", name)
    for pattern, quantity in _OTHERS:
        if pattern.match(name):
            candidates.append(quantity)
        elif bare != name and pattern.match(bare):
            candidates.append(f"{quantity}_error")
    candidates += difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.85)
    return next((target for target in candidates if target in absent), None)


def _magnitude_of(name: str) -> str:
    band = _BAND.match(name)
    if band is None:
        return ""
    label = band.group(1).lower().replace("_", "")
    return magnitude_name("ks" if label == "k" else label)


def _error_of(name: str, names: Sequence[str]) -> str:
    """Return the column that looks like the error of a magnitude, empty if there is none."""
    stem = re.sub(r"(?i)^m_?(?=[jhk])|_?(?:mag|m)$", "", name)
    forms = {form.format(x).lower() for form in _ERROR_FORMS for x in (name, stem) if len(x) > 0}
    forms.discard(name.lower())
    return next((other for other in names if other.lower() in forms), "")
