"""Values of a column of a file as numbers in the unit of gcmock, NaN where there are none."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.io.columns import EPOCH, ColumnMatch
from gcmock.io.epochs import julian_years
from gcmock.io.missing import is_impossible, is_nines
from gcmock.io.sexagesimal import degrees, is_sexagesimal
from gcmock.words.columns import LIMITS

_POSITION: Final = ("ra", "dec", "l", "b")


def column_values(
    path: object,
    values: NDArray[Any],
    name: str,
    match: ColumnMatch,
    marked: Counter[str] | None = None,
) -> Floats:
    """Return a column in the unit of gcmock.

    Parameters
    ----------
    path : str or Path
        For error messages.
    values : ndarray, shape (n_row,)
        As a reader yields them; may be masked.
    name : str
        Column of gcmock.
    match : ColumnMatch
    marked : Counter of str, optional
        Counts numbers that were taken for marks of missing values, by column.

    Returns
    -------
    ndarray of float64, shape (n_row,)
        NaN where a value is missing, not finite, or a mark of a missing value.

    Raises
    ------
    InputError
        If the column holds no numbers.
    """
    if name in _POSITION and (match.base or _holds_sexagesimal(values)):
        return _sexagesimal(path, values, name, match)
    if values.dtype.kind not in "iuf":
        raise InputError(f"{path}: column {match.name!r} ({name}) holds {_what(values)}")
    result = given_numbers(values)
    given = np.isfinite(result)
    if name == EPOCH:
        result[is_nines(result) | (result <= 0.0)] = np.nan
        result = julian_years(path, match.name, result, match.unit)
    elif name in LIMITS:
        # Marks are numbers in the unit of the file; magnitudes are told by their limits alone.
        nines = np.zeros(len(result), bool) if "_mag" in name else is_nines(result)
        result = result if match.factor == 1.0 else result * match.factor
        result[nines | is_impossible(name, result)] = np.nan
    elif match.factor != 1.0:
        result = result * match.factor
    if marked is not None and (n := int((given & np.isnan(result)).sum())):
        marked[name] += n
    return result


def given_numbers(values: NDArray[Any]) -> Floats:
    """Return numbers as they are in the file, NaN where masked or not finite, shape (n_row,)."""
    result = np.ma.getdata(values).astype(np.float64)
    result[np.ma.getmaskarray(values) | ~np.isfinite(result)] = np.nan
    return result


def _what(values: NDArray[Any]) -> str:
    if values.dtype.kind == "b":
        return "true and false, not numbers"
    if values.dtype.kind in "mM":
        return "dates, not numbers"
    if values.dtype.kind == "c":
        return "complex numbers"
    example = next((str(x) for x in np.ma.getdata(values) if str(x)), "")
    return f"text, not numbers, such as {example[:40]!r}"


def _holds_sexagesimal(values: NDArray[Any]) -> bool:
    if values.dtype.kind != "U":
        return False
    return is_sexagesimal(next((str(x) for x in values if str(x).strip()), ""))


def _sexagesimal(path: object, values: NDArray[Any], name: str, match: ColumnMatch) -> Floats:
    if values.dtype.kind != "U":
        raise InputError(
            f"{path}: column {match.name!r} has the unit {match.unit!r}, but holds numbers: give "
            "degrees with the unit deg"
        )
    if not match.base and match.unit:
        raise InputError(
            f"{path}: column {match.name!r} has the unit {match.unit!r}, but holds text such as "
            f"{str(values[0])[:40]!r}: give numbers, or the unit h:m:s or d:m:s"
        )
    in_hours = match.base == "hms" or (not match.base and name == "ra")
    return degrees(path, match.name, values, in_hours)
