"""One visit, compiled: which stars fall on a detector, where, and what is measured."""

from __future__ import annotations

from typing import Final

import numpy as np

from gcmock.astrometry.directions.displacement import aberrated, deflected, displacement
from gcmock.astrometry.directions.geometry import MAS, projected, star_in_frame, triad
from gcmock.astrometry.missions.focal_plane import detector_at
from gcmock.compilation import compiled
from gcmock.random import uniform_scalar

# The readable functions, compiled as they are.
_triad = compiled(nogil=True)(triad)
_star_in_frame = compiled(nogil=True)(star_in_frame)
_projected = compiled(nogil=True)(projected)
_detector_at = compiled(nogil=True)(detector_at)
_displacement = compiled(nogil=True)(displacement)
_aberrated = compiled(nogil=True)(aberrated)
_deflected = compiled(nogil=True)(deflected)

STRIDE: Final = 8
"""Random numbers of a star in one visit: noise (2), chance of an outlier, its size (2)."""
_NOISE, _CHANCE, _SIZE = 0, 2, 3

MARGIN_RAD: Final = 5e-4
"""Stars within this of the field are looked at closer: motion, parallax, aberration [rad]."""


@compiled(nogil=True)
def _legendre(t, degree, out):
    """Legendre polynomials P_0 ... P_degree at t, by their recursion."""
    out[0] = 1.0
    if degree > 0:
        out[1] = t
    for n in range(1, degree):
        out[n + 1] = ((2 * n + 1) * t * out[n] - n * out[n - 1]) / (n + 1)


@compiled(nogil=True)
def observe_visit(
    stars,
    keys,
    sigma,
    time,
    visit,
    attitude,
    observer,
    velocity,
    from_sun,
    with_aberration,
    with_deflection,
    grid,
    coefficient_x,
    coefficient_y,
    outlier_fraction,
    outlier_sigma,
    with_noise,
    index,
    detector,
    measured,
    disturbance,
):
    """Observe all stars in one visit.

    Parameters
    ----------
    stars : float64 array (n_star, 7)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr], radial velocity [km/s], epoch [yr].
    keys : uint64 array (n_star,)
        Random streams.
    sigma : float64 array (n_star,)
        Error per axis in this visit [mas].
    time : float
        Julian years.
    visit : int
        Number of the visit.
    attitude : float64 array (3,)
        True ra, dec, roll [deg].
    observer, velocity, from_sun : float64 array (3,)
        Barycentric position [au], velocity over that of light, position from the Sun [au].
    with_aberration, with_deflection : bool
    grid : float64 array (5,)
        Detectors, see `gcmock.astrometry.missions.focal_plane.DetectorGrid`.
    coefficient_x, coefficient_y : float64 array (degree + 1, degree + 1)
        Distortion [mas]: coefficient of P_i(x/h) P_j(y/h).
    outlier_fraction, outlier_sigma : float
        Share of disturbed observations, standard deviation of the disturbance [mas].
    with_noise : bool
        Add noise and outliers.
    index, detector : int64, uint8 array (n_star,)
        Output: rows of `stars` that are observed, and their detectors.
    measured : float64 array (n_star, 2)
        Output: x, y [mas].
    disturbance : float64 array (n_star, 2)
        Output: what outliers added [mas].

    Returns
    -------
    n : int
        Number of observations; only the first n rows of the outputs are valid.
    """
    n_x, n_y, separation, half_size, half_field = grid[0], grid[1], grid[2], grid[3], grid[4]
    degree = coefficient_x.shape[0] - 1
    p_x, p_y = np.empty(degree + 2), np.empty(degree + 2)
    ra0, dec0, roll = attitude[0], attitude[1], attitude[2]
    reach = np.degrees(np.arctan(np.sqrt(2.0) * half_field) + MARGIN_RAD)
    nearest_pole = min(abs(dec0) + reach, 90.0)
    reach_ra = 360.0 if nearest_pole >= 89.9 else reach / np.cos(np.radians(nearest_pole))
    n = 0
    for i in range(stars.shape[0]):
        ra, dec = stars[i, 0], stars[i, 1]
        if abs(dec - dec0) > reach:
            continue
        d_ra = abs(ra - ra0)
        if min(d_ra, 360.0 - d_ra) > reach_ra:
            continue
        px, py, pz, qx, qy, qz, rx, ry, rz = _triad(ra, dec)
        east, north, radial = _displacement(
            stars[i, 2],
            stars[i, 3],
            stars[i, 4],
            stars[i, 5],
            time - stars[i, 6],
            px * observer[0] + py * observer[1] + pz * observer[2],
            qx * observer[0] + qy * observer[1] + qz * observer[2],
            rx * observer[0] + ry * observer[1] + rz * observer[2],
        )
        if with_deflection:
            east, north, radial = _deflected(
                east,
                north,
                radial,
                px * from_sun[0] + py * from_sun[1] + pz * from_sun[2],
                qx * from_sun[0] + qy * from_sun[1] + qz * from_sun[2],
                rx * from_sun[0] + ry * from_sun[1] + rz * from_sun[2],
            )
        if with_aberration:
            east, north, radial = _aberrated(
                east,
                north,
                radial,
                px * velocity[0] + py * velocity[1] + pz * velocity[2],
                qx * velocity[0] + qy * velocity[1] + qz * velocity[2],
                rx * velocity[0] + ry * velocity[1] + rz * velocity[2],
            )
        xp, xq, xr, yp, yq, yr, zp, zq, zr = _star_in_frame(ra, dec, ra0, dec0, roll)
        x, y, _, _, _, _ = _projected(xp, xq, xr, yp, yq, yr, zp, zq, zr, east, north, radial)
        chip = _detector_at(x, y, n_x, n_y, separation, half_size)
        if chip < 0:
            continue
        _legendre(x / half_field, degree, p_x)
        _legendre(y / half_field, degree, p_y)
        d_x = d_y = 0.0
        for j in range(degree + 1):
            for k in range(degree + 1 - j):
                d_x += coefficient_x[j, k] * p_x[j] * p_y[k]
                d_y += coefficient_y[j, k] * p_x[j] * p_y[k]
        x_mas, y_mas = x / MAS + d_x, y / MAS + d_y
        disturbance[n, 0] = disturbance[n, 1] = 0.0
        if with_noise:
            first = STRIDE * visit
            radius = sigma[i] * np.sqrt(-2.0 * np.log(uniform_scalar(keys[i], first + _NOISE)))
            angle = 2.0 * np.pi * uniform_scalar(keys[i], first + _NOISE + 1)
            x_mas += radius * np.cos(angle)
            y_mas += radius * np.sin(angle)
            if uniform_scalar(keys[i], first + _CHANCE) < outlier_fraction:
                radius = np.sqrt(-2.0 * np.log(uniform_scalar(keys[i], first + _SIZE)))
                angle = 2.0 * np.pi * uniform_scalar(keys[i], first + _SIZE + 1)
                disturbance[n, 0] = outlier_sigma * radius * np.cos(angle)
                disturbance[n, 1] = outlier_sigma * radius * np.sin(angle)
                x_mas += disturbance[n, 0]
                y_mas += disturbance[n, 1]
        index[n] = i
        detector[n] = np.uint8(chip)
        measured[n, 0], measured[n, 1] = x_mas, y_mas
        n += 1
    return n
