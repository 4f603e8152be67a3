"""Circular velocity of the Milky Way."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.data import path


@cache
def _table() -> tuple[Floats, Floats]:
    """Radius (pc) and circular velocity (km/s) of ``rotation_curve.csv``."""
    radius, speed = np.genfromtxt(path("rotation_curve.csv"), delimiter=",", skip_header=4).T
    return radius, speed


def circular_velocity(radius_pc: ArrayLike) -> Floats:
    """Circular velocity in the plane, linear between the tabulated radii.

    Bland-Hawthorn & Gerhard 2016 (ARA&A 54, 529), Fig. 16, red line; zero at R = 0 and
    constant beyond the last point (25 kpc).

    Parameters
    ----------
    radius_pc : array_like, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
        km/s.
    """
    radius, speed = _table()
    return np.interp(np.asarray(radius_pc, dtype=np.float64), radius, speed)


def height_lag(z_pc: ArrayLike) -> Floats:
    """Factor (n,) by which rotation at height z (n,), pc, is slower than in the plane.

    1 + 0.0374 |z / kpc|^1.34: Sharma et al. 2014 (ApJ 793, 51), as used by Koshimoto+2021.
    """
    return 1.0 + 0.0374 * np.abs(np.asarray(z_pc, dtype=np.float64) / 1000.0) ** 1.34
