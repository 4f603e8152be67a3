"""Zero point of the parallaxes of Gaia DR3, star by star."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats

FIVE_PARAMETERS: Final = 31
SIX_PARAMETERS: Final = 95
"""Values of Gaia's astrometric_params_solved with a parallax."""

ZERO_POINT_COLUMNS: Final = (
    "phot_g_mean_mag",
    "nu_eff_used_in_astrometry",
    "pseudocolour",
    "ecl_lat",
    "astrometric_params_solved",
)
"""What it depends on, in the order of the arguments of `parallax_zero_point`."""


def has_zero_point() -> bool:
    """Whether the package ``gaiadr3-zeropoint`` is installed."""
    return find_spec("zero_point") is not None


@cache
def _zero_point_function() -> Any:
    from zero_point import zpt

    zpt.load_tables()
    return zpt.get_zpt


def parallax_zero_point(
    g_mag: Floats, nu_eff: Floats, pseudocolour: Floats, ecl_lat: Floats, solved: Floats
) -> Floats:
    """Return the zero point of Gaia DR3 parallaxes [mas], to be subtracted.

    Lindegren et al. 2021, A&A 649, A4, as the package ``gaiadr3-zeropoint`` has it.

    Parameters
    ----------
    g_mag : ndarray, shape (n,)
        [mag].
    nu_eff, pseudocolour : ndarray, shape (n,)
        Effective wavenumber of five-, pseudocolour of six-parameter solutions [1/um].
    ecl_lat : ndarray, shape (n,)
        Ecliptic latitude [deg].
    solved : ndarray, shape (n,)
        astrometric_params_solved.

    Returns
    -------
    ndarray, shape (n,)
        NaN where an input is missing or outside the range of the correction, or the package is
        not installed.
    """
    result = np.full(len(g_mag), np.nan)
    five, six = solved == FIVE_PARAMETERS, solved == SIX_PARAMETERS
    colour = np.where(five, nu_eff, pseudocolour)
    usable = (five | six) & np.isfinite(g_mag) & np.isfinite(colour) & np.isfinite(ecl_lat)
    if not usable.any() or not has_zero_point():
        return result
    # The function cannot take a NaN in the column that it does not use.
    result[usable] = _zero_point_function()(
        g_mag[usable],
        np.where(five, nu_eff, 1.5)[usable],
        np.where(six, pseudocolour, 1.5)[usable],
        ecl_lat[usable],
        solved[usable].astype(np.int64),
        _warnings=False,
    )
    return result
