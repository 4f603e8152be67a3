"""Numbers that mean "no value": limits for every quantity, and the marks of catalogues.

A catalogue writes a number where it has none: 99.999, -9999.99, -9.999995e8 (VSA), 1e20. A value
outside the limits of its quantity (`gcmock.words.columns.LIMITS`) is missing whatever the mark, and
so is one that is written with nines only, from 99 on. Values are never clipped.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.words.columns import LIMITS

_NINES: Final = np.array(
    [float("9" * n + "." + "9" * m) for n in range(2, 7) for m in range(5)], dtype=np.float64
)
_ABOVE: Final = 10.0 ** np.ceil(np.log10(_NINES))
"""The next number, such as 10000 for 9999.9."""

# Half a digit of a number in single precision.
_SINGLE: Final = 6e-8


def is_nines(values: Floats) -> NDArray[np.bool_]:
    """Whether numbers are written with nines only, from 99 on: 99, -99.99, 9999.0 [n_row]."""
    result = np.zeros(values.shape, dtype=bool)
    large = np.flatnonzero(np.abs(values) >= _NINES[0])
    if large.size:
        size = np.abs(values[large])[:, None]
        # 10000 is as near to 9999.9999 as single precision tells, and is a number.
        near = np.minimum(_SINGLE * _NINES, 0.49 * (_ABOVE - _NINES))
        result[large] = (np.abs(size - _NINES) <= near).any(axis=1)
    return result


def is_impossible(name: str, values: Floats) -> NDArray[np.bool_]:
    """Whether values are outside the limits of their quantity, shape (n_row,).

    Parameters
    ----------
    name : str
        Column of gcmock; those without limits accept every number.
    values : ndarray of float64, shape (n_row,)
        In the unit of gcmock; NaN is not impossible.
    """
    if name not in LIMITS:
        return np.zeros(values.shape, dtype=bool)
    low, high = LIMITS[name]
    return np.asarray((values <= low) | (values >= high))


def unmeasured_magnitude(mag: Floats, error: Floats) -> NDArray[np.bool_]:
    """Whether magnitudes are marks although their value is possible, shape (n_row,).

    Catalogues write 0, whatever error stands beside it, and negative numbers with negative errors;
    and an error of 9.99 or 99.9 for what is only an upper limit.

    Parameters
    ----------
    mag, error : ndarray of float64, shape (n_row,)
        [mag], as they are in the file; NaN where missing.
    """
    high = LIMITS["phot_ks_mag_error"][1]
    return np.asarray((mag == 0.0) | ((mag < 0.0) & ~(error > 0.0)) | (error >= high))
