"""The internal units, and the one place where quantities become plain arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.errors import InputError

KMS_TO_MAS_PC: Final = 210.949526569698696
"""Proper motion (mas/yr) of 1 km/s at 1 pc: 1 / (1 au per year), as in genstars (KS2MY)."""

K: Final = 1000.0 / KMS_TO_MAS_PC
"""4.74047046: transverse speed in km/s of 1 mas/yr at 1 kpc."""

ARCMIN2_TO_SR: Final = (np.pi / 180.0 / 60.0) ** 2
"""Solid angle of one square arcminute, sr."""


def to_value(x: Any, unit: str) -> Floats:
    """Plain float64 array of `x` in an internal unit.

    Parameters
    ----------
    x : array_like, masked array or astropy Quantity, any shape
        Bare numbers are taken to be in `unit` already. Masked values become NaN.
    unit : str
        Name that astropy understands, for example ``"pc"``, ``"km/s"``, ``"mas/yr"``.

    Returns
    -------
    ndarray of float64, shape of `x`

    Raises
    ------
    InputError
        A Quantity that cannot be converted, or something that is not numeric.
    """
    # a Quantity knows how to convert itself, so astropy need not be imported here
    x = getattr(x, "quantity", x)  # a table column with a unit
    if hasattr(x, "to_value") and hasattr(x, "unit"):
        try:
            x = x.to_value(unit)
        except ValueError as error:  # astropy.units.UnitConversionError
            raise InputError(f"expected a quantity in {unit}, got {x.unit}: {error}") from error
    if isinstance(x, np.ma.MaskedArray):
        x = np.ma.filled(x.astype(np.float64), np.nan)
    try:
        return np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected numbers in {unit}, got {type(x).__name__}") from error
