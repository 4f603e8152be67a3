"""How the reddening grows along a line of sight."""

from __future__ import annotations

from typing import Any, NamedTuple

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


MODULUS_SLOPE = 0.4605
"""d(ln D) / dµ = ln(10) / 5, per magnitude of the distance modulus."""


class DustProfile(NamedTuple):
    """How the reddening grows along lines of sight: s(D) = [1 - exp(-D / scale)] / norm.

    An exponential layer of dust seen at a latitude (Nataf et al. 2013; genulens). It is 1 at the
    red-clump distance and is not capped behind it: in the plane it is proportional to the distance.
    The functions of this module that take one are written for numbers, and compiled as they are.

    Attributes
    ----------
    scale_pc : float or ndarray, shape (n_sightline,)
        Scale length of the dust along the line of sight, h / (|sin b| + 1e-4) [pc].
    norm : float or ndarray, shape (n_sightline,)
        1 - exp(-D_RC / scale).
    scatter : float or ndarray, shape (n_sightline,)
        How far the dust in front is from this layer: standard deviation of ln s near the Sun, see
        `scatter_at`.
    """

    scale_pc: Any
    norm: Any
    scatter: Any

    def value(self, distance_pc: ArrayLike) -> NDArray[np.float64]:
        """Reddening at distances [pc] over that at the red-clump distance; shapes broadcast."""
        return np.asarray(profile_value(self, np.asarray(distance_pc, dtype=np.float64)))

    def at(self, sightline: int | NDArray[np.int64]) -> DustProfile:
        """Return the profile of one line of sight, or of some."""
        return profile_at(self, sightline)


def profile_at(dust, sightline):  # type: ignore[no-untyped-def]
    """Return the profile of one line of sight of several."""
    return DustProfile(dust.scale_pc[sightline], dust.norm[sightline], dust.scatter[sightline])


def profile_value(dust, distance_pc):  # type: ignore[no-untyped-def]
    """Return the reddening at a distance [pc] over that at the red-clump distance."""
    # expm1: D / scale is below 1e-2 in the plane.
    return -np.expm1(-distance_pc / dust.scale_pc) / dust.norm


def inverted(dust):  # type: ignore[no-untyped-def]
    """Return the inverses of scale and norm, for `profile_value_fast`."""
    return DustProfile(1.0 / dust.scale_pc, 1.0 / dust.norm, dust.scatter)


def profile_value_fast(inverse, distance_pc):  # type: ignore[no-untyped-def]
    """Return `profile_value` without divisions: it differs only where there is no reddening."""
    return (1.0 - np.exp(-distance_pc * inverse.scale_pc)) * inverse.norm


def scatter_at(dust, e_jks_rc, tau_rc, shape):  # type: ignore[no-untyped-def]
    """Return the standard deviation of the reddening where the profile is `shape` [mag].

    s sqrt(τ² + (w E max(1 - s, 0)²)²): τ is the scatter about the map, and w that of the dust in
    front about the smooth layer near the Sun, as a fraction. At the red clump the map is right, and
    so it is, nearly, for most of the bar. Behind it nothing is added: w would take the dust of very
    red giants' own for that of the far disc.
    """
    before = np.maximum(1.0 - shape, 0.0)
    front = dust.scatter * e_jks_rc * before * before
    return shape * np.sqrt(tau_rc * tau_rc + front * front)


def reddening_slope(dust, e_jks_rc, distance_pc):  # type: ignore[no-untyped-def]
    """Return dE/dµ at a distance [pc], for the reddening at the red-clump distance `e_jks_rc`."""
    fall = np.exp(-distance_pc / dust.scale_pc)
    return e_jks_rc * MODULUS_SLOPE * distance_pc / dust.scale_pc * fall / dust.norm


def dust_profile(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    h_dust_pc: float = DUST_SCALE_HEIGHT_PC,
    scatter: float = 0.0,
) -> DustProfile:
    """Return the profiles along lines of sight.

    Parameters
    ----------
    l_deg, b_deg : array_like, broadcastable
        Galactic coordinates [deg].
    h_dust_pc : float
        Scale height of the dust [pc].
    scatter : float
        How far the dust in front is from the layer, as a fraction.

    Returns
    -------
    DustProfile
        With arrays of the broadcast shape.
    """
    sin_b = np.abs(np.sin(np.radians(np.asarray(b_deg, dtype=np.float64))))
    scale = h_dust_pc / (sin_b + SIN_B_FLOOR)
    norm = -np.expm1(-red_clump_distance_pc(l_deg, b_deg) / scale)
    return DustProfile(scale, norm, np.full(scale.shape, scatter))


def profile(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    distance_pc: ArrayLike,
    h_dust_pc: float = DUST_SCALE_HEIGHT_PC,
) -> NDArray[np.float64]:
    """Reddening at a distance over the reddening of the map: `DustProfile.value` at positions.

    genstars takes the latitude of the centre of the map's cell.

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
    return dust_profile(l_deg, b_deg, h_dust_pc).value(distance_pc)
