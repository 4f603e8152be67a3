"""One visit, compiled: which stars fall on a detector, where, and what is measured."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
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


class SeenStars(NamedTuple):
    """Stars as a visit needs them.

    Attributes
    ----------
    table : ndarray, shape (n_star, 7)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr], radial velocity [km/s], epoch [yr].
    keys : ndarray of uint64, shape (n_star,)
        Random streams.
    sigma : ndarray, shape (n_star,)
        Error per axis in a visit [mas].
    """

    table: Floats
    keys: NDArray[np.uint64]
    sigma: Floats


class Visit(NamedTuple):
    """When, from where and to where the telescope looks.

    Attributes
    ----------
    number : int
        Number of the visit.
    time : float
        Julian years.
    attitude : ndarray, shape (3,)
        True ra, dec, roll [deg].
    observer, velocity, from_sun : ndarray, shape (3,)
        Barycentric position [au], velocity over that of light, position from the Sun [au].
    aberration, deflection : bool
        What enters the directions.
    """

    number: int
    time: float
    attitude: Floats
    observer: Floats
    velocity: Floats
    from_sun: Floats
    aberration: bool
    deflection: bool


class Optics(NamedTuple):
    """Detectors and distortion.

    Attributes
    ----------
    grid : ndarray, shape (5,)
        Detectors, see `gcmock.astrometry.missions.focal_plane.DetectorGrid`.
    coefficient_x, coefficient_y : ndarray, shape (degree + 1, degree + 1)
        Distortion [mas]: coefficient of P_i(x/h) P_j(y/h).
    """

    grid: Floats
    coefficient_x: Floats
    coefficient_y: Floats


class Noise(NamedTuple):
    """What is wrong with the measurements.

    Attributes
    ----------
    noise : bool
        Add noise and outliers.
    outlier_fraction, outlier_sigma : float
        Fraction of disturbed observations, standard deviation of the disturbance [mas].
    """

    noise: bool
    outlier_fraction: float
    outlier_sigma: float


class Observed(NamedTuple):
    """Where the observations of a visit are put.

    Attributes
    ----------
    row, detector : ndarray of int64 and uint8, shape (n_star,)
        Rows of the stars that are observed, and their detectors.
    measured : ndarray, shape (n_star, 2)
        x, y [mas].
    disturbance : ndarray, shape (n_star, 2)
        What outliers added [mas].
    """

    row: Integers
    detector: NDArray[np.uint8]
    measured: Floats
    disturbance: Floats


@compiled(nogil=True)
def _shift(star, visit, frame):
    """Displacement of a star along its axes p, q, r in a visit [rad]."""
    px, py, pz, qx, qy, qz, rx, ry, rz = frame
    observer, from_sun, velocity = visit.observer, visit.from_sun, visit.velocity
    east, north, radial = _displacement(
        star[2],
        star[3],
        star[4],
        star[5],
        visit.time - star[6],
        px * observer[0] + py * observer[1] + pz * observer[2],
        qx * observer[0] + qy * observer[1] + qz * observer[2],
        rx * observer[0] + ry * observer[1] + rz * observer[2],
    )
    if visit.deflection:
        east, north, radial = _deflected(
            east,
            north,
            radial,
            px * from_sun[0] + py * from_sun[1] + pz * from_sun[2],
            qx * from_sun[0] + qy * from_sun[1] + qz * from_sun[2],
            rx * from_sun[0] + ry * from_sun[1] + rz * from_sun[2],
        )
    if visit.aberration:
        east, north, radial = _aberrated(
            east,
            north,
            radial,
            px * velocity[0] + py * velocity[1] + pz * velocity[2],
            qx * velocity[0] + qy * velocity[1] + qz * velocity[2],
            rx * velocity[0] + ry * velocity[1] + rz * velocity[2],
        )
    return east, north, radial


@compiled(nogil=True)
def _distortion(optics, x, y, p_x, p_y):
    """Distortion at field coordinates [mas]; `p_x` and `p_y` are room for the polynomials."""
    half_field = optics.grid[4]
    degree = optics.coefficient_x.shape[0] - 1
    _legendre(x / half_field, degree, p_x)
    _legendre(y / half_field, degree, p_y)
    d_x = d_y = 0.0
    for j in range(degree + 1):
        for k in range(degree + 1 - j):
            d_x += optics.coefficient_x[j, k] * p_x[j] * p_y[k]
            d_y += optics.coefficient_y[j, k] * p_x[j] * p_y[k]
    return d_x, d_y


@compiled(nogil=True)
def _gaussian(key, place, sigma):
    """Two Gaussian numbers from two places of a stream (Box and Muller)."""
    radius = sigma * np.sqrt(-2.0 * np.log(uniform_scalar(key, place)))
    angle = 2.0 * np.pi * uniform_scalar(key, place + 1)
    return radius * np.cos(angle), radius * np.sin(angle)


@compiled(nogil=True)
def observe_visit(stars, visit, optics, errors, out):
    """Observe all stars in one visit.

    Parameters
    ----------
    stars : SeenStars
        The stars.
    visit : Visit
        Time, attitude and place of the observer.
    optics : Optics
        Detectors and true distortion.
    errors : Errors
        Noise and outliers.
    out : Observed
        Gets the observations.

    Returns
    -------
    n : int
        Number of observations; only the first n rows of `out` are valid.
    """
    grid = optics.grid
    n_x, n_y, separation, half_size, half_field = grid[0], grid[1], grid[2], grid[3], grid[4]
    size = optics.coefficient_x.shape[0] + 1
    p_x, p_y = np.empty(size), np.empty(size)
    ra0, dec0, roll = visit.attitude[0], visit.attitude[1], visit.attitude[2]
    reach = np.degrees(np.arctan(np.sqrt(2.0) * half_field) + MARGIN_RAD)
    nearest_pole = min(abs(dec0) + reach, 90.0)
    reach_ra = 360.0 if nearest_pole >= 89.9 else reach / np.cos(np.radians(nearest_pole))
    first = STRIDE * visit.number
    n = 0
    for i in range(stars.table.shape[0]):
        star, key = stars.table[i], stars.keys[i]
        ra, dec = star[0], star[1]
        if abs(dec - dec0) > reach:
            continue
        d_ra = abs(ra - ra0)
        if min(d_ra, 360.0 - d_ra) > reach_ra:
            continue
        east, north, radial = _shift(star, visit, _triad(ra, dec))
        xp, xq, xr, yp, yq, yr, zp, zq, zr = _star_in_frame(ra, dec, ra0, dec0, roll)
        x, y, _, _, _, _ = _projected(xp, xq, xr, yp, yq, yr, zp, zq, zr, east, north, radial)
        chip = _detector_at(x, y, n_x, n_y, separation, half_size)
        if chip < 0:
            continue
        d_x, d_y = _distortion(optics, x, y, p_x, p_y)
        x_mas, y_mas = x / MAS + d_x, y / MAS + d_y
        out.disturbance[n, 0] = out.disturbance[n, 1] = 0.0
        if errors.noise:
            noise_x, noise_y = _gaussian(key, first + _NOISE, stars.sigma[i])
            x_mas += noise_x
            y_mas += noise_y
            if uniform_scalar(key, first + _CHANCE) < errors.outlier_fraction:
                added_x, added_y = _gaussian(key, first + _SIZE, errors.outlier_sigma)
                out.disturbance[n, 0], out.disturbance[n, 1] = added_x, added_y
                x_mas += added_x
                y_mas += added_y
        out.row[n] = i
        out.detector[n] = np.uint8(chip)
        out.measured[n, 0], out.measured[n, 1] = x_mas, y_mas
        n += 1
    return n
