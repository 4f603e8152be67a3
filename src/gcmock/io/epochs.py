"""Epochs of positions: Julian years, or days that are converted, never guessed."""

from __future__ import annotations

from typing import Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.io.unit_names import days, unit_factor

FIRST_YEAR, LAST_YEAR = 1900.0, 2100.0
"""Epochs outside are no epochs of positions [Julian year]."""

_JD: Final = (2_415_020.0, 2_488_070.0)
_MJD: Final = (15_019.0, 88_070.0)
_COUNTS: Final = {"jd": ("Julian dates", _JD), "mjd": ("modified Julian dates", _MJD)}


def julian_years(path: object, column: str, values: Floats, unit: str | None) -> Floats:
    """Return epochs as Julian years.

    Parameters
    ----------
    path : str or Path
        For error messages.
    column : str
        Name in the file, for error messages.
    values : ndarray of float64, shape (n_row,)
        NaN where there is none.
    unit : str or None
        As the file spells it: years (also without a unit), or days (JD and MJD are told apart by
        their size, which differs by two million).

    Returns
    -------
    ndarray of float64, shape (n_row,)
        [Julian year]

    Raises
    ------
    InputError
        If an epoch is outside 1900 ... 2100, or the unit is not one of time.
    """
    count = days(unit)
    if count is None:
        years = values * unit_factor(path, column, unit, "ref_epoch", "yr")
    else:
        years = np.full_like(values, np.nan)
        for name, (_, (low, high)) in _COUNTS.items():
            inside = (values >= low) & (values <= high) & (count in ("", name))
            years[inside] = years_of_days(values[inside], name)
        years[np.isnan(years) & np.isfinite(values)] = np.inf
    bad = ~np.isnan(years) & ~((years >= FIRST_YEAR) & (years <= LAST_YEAR))
    if bad.any():
        value = float(values[np.argmax(bad)])
        raise InputError(
            f"{path}: column {column!r} has the epoch {value:.10g}"
            f"{f' {unit}' if unit else ''}, outside {FIRST_YEAR:g} ... {LAST_YEAR:g}: it must be "
            f"a Julian year{_proposal(value)}"
        )
    return years


def years_of_days(values: Floats, count: str) -> Floats:
    """Return Julian years of dates.

    Parameters
    ----------
    values : ndarray of float64
        [d]
    count : {"jd", "mjd"}
    """
    from astropy.time import Time

    return np.asarray(Time(values, format=count, scale="tcb").jyear, dtype=np.float64)


def _proposal(value: float) -> str:
    for name, (words, (low, high)) in _COUNTS.items():
        if low <= value <= high:
            year = float(years_of_days(np.array([value]), name)[0])
            return (
                f". As one of {words} ({name.upper()}) it is {year:.3f}: convert the column, or "
                f"give it the unit {name.upper()}"
            )
    return ", such as 2016.0; dates need the unit MJD or JD, or d"
