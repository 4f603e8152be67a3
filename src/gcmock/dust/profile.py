"""How the reddening grows along a line of sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

DUST_SCALE_HEIGHT_PC = 164.0
"""Nataf et al. 2013 (ApJ 769, 88), as in genulens and genstars."""

SIN_B_FLOOR = 1e-4
"""Keeps the scale length finite in the Galactic plane; genulens and genstars."""

RED_CLUMP_MODULUS = (14.3955, -0.0239, 0.0122)
"""Distance modulus of the bulge's red clump at the centre, per deg of l and per deg of |b|:
Nataf et al. 2016 (MNRAS 456, 2692), equations 2 and 3."""

RED_CLUMP_MODULUS_SHIFT = 0.128
"""Added by genulens and genstars to bring that red clump to their R0 of 8160 pc [mag]."""


def signed_longitude(l_deg: ArrayLike) -> NDArray[np.float64]:
    """Bring longitudes [deg] of any turn to -180 ... 180; those already there are not touched."""
    longitude = np.asarray(l_deg, dtype=np.float64)
    return np.asarray(longitude - 360.0 * np.round(longitude / 360.0))


def red_clump_distance_pc(l_deg: ArrayLike, b_deg: ArrayLike) -> NDArray[np.float64]:
    """Distance at which the reddening equals the value of the map.

    The map is the reddening of red-clump stars of the bulge, whose mean distance follows the bar:
    D_RC = 10^(1 + DM/5), DM = 14.3955 - 0.0239 l + 0.0122 |b| + 0.128 (Nataf et al. 2016 with the
    shift of genstars).

    Parameters
    ----------
    l_deg, b_deg : array_like, broadcastable
        Galactic coordinates [deg]; longitudes of any turn.

    Returns
    -------
    ndarray, shape of the inputs
        Distance [pc].
    """
    centre, per_l, per_b = RED_CLUMP_MODULUS
    latitude = np.abs(np.asarray(b_deg, dtype=np.float64))
    modulus = centre + per_l * signed_longitude(l_deg) + per_b * latitude + RED_CLUMP_MODULUS_SHIFT
    return np.asarray(10.0 ** (1.0 + 0.2 * modulus))


def profile(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    distance_pc: ArrayLike,
    h_dust_pc: float = DUST_SCALE_HEIGHT_PC,
) -> NDArray[np.float64]:
    """Reddening at a distance over the reddening of the map.

    s(D) = [1 - exp(-D/h)] / [1 - exp(-D_RC/h)], h = h_dust / (|sin b| + 1e-4): an exponential layer
    of dust seen at latitude b (Nataf et al. 2013; genulens). It is 1 at the red-clump distance
    and is not capped behind it: in the plane it is proportional to the distance. genstars takes
    the latitude of the centre of the map's cell.

    Parameters
    ----------
    l_deg, b_deg : array_like
        Galactic coordinates [deg].
    distance_pc : array_like
        Distances [pc]. The three arguments broadcast: positions of shape (n_star, 1) with
        distances of shape (n_distance,) give (n_star, n_distance).
    h_dust_pc : float
        Scale height of the dust [pc].

    Returns
    -------
    ndarray, shape of the broadcast inputs
    """
    sin_b = np.abs(np.sin(np.radians(np.asarray(b_deg, dtype=np.float64))))
    inverse_length = (sin_b + SIN_B_FLOOR) / h_dust_pc
    # expm1: D/h is below 1e-2 in the plane. The two minus signs cancel.
    here = np.expm1(-np.asarray(distance_pc, dtype=np.float64) * inverse_length)
    return np.asarray(here / np.expm1(-red_clump_distance_pc(l_deg, b_deg) * inverse_length))
