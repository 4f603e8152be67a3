"""Coordinate frames: ICRS, Galactic, and the frame of the Galactic model.

All functions are pure, broadcast their arguments and use degrees, pc, km/s and mas/yr.

The model frame (Koshimoto+2021, and the programs genstars and genulens) has its origin at Sgr A*,
x towards the Sun, y towards l = +90 deg and z towards the north Galactic pole: left-handed.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.units import KMS_TO_MAS_PC

ICRS_TO_GALACTIC: Final = np.array(
    [
        [-0.05487565771259163, -0.8734370519556159, -0.48383507361671546],
        [0.4941094371927268, -0.4448297212232952, 0.7469821839866676],
        [-0.8676661375596576, -0.19807633727300053, 0.4559838136873016],
    ]
)
"""Rotation of Cartesian ICRS into Galactic axes, as realised by astropy (via FK5 J2000)."""

# ICRS direction of the north Galactic pole: the last row
_GALACTIC_POLE_RA = np.degrees(np.arctan2(ICRS_TO_GALACTIC[2, 1], ICRS_TO_GALACTIC[2, 0]))
_GALACTIC_POLE_COS_DEC = np.hypot(ICRS_TO_GALACTIC[2, 0], ICRS_TO_GALACTIC[2, 1])
_GALACTIC_POLE_SIN_DEC = ICRS_TO_GALACTIC[2, 2]


class GalacticObservables(NamedTuple):
    """What is measured of a velocity: mas/yr, mas/yr (mu_l cos b, mu_b), km/s; each (n,)."""

    pm_l_cosb: Floats
    pm_b: Floats
    radial_velocity: Floats


def full_circle(angle: ArrayLike) -> Floats:
    """Return angles in [0, 360) degrees; a remainder alone may round up to 360.

    Parameters
    ----------
    angle : array_like, shape (n,)
        Degrees.

    Returns
    -------
    ndarray, shape (n,)
    """
    turned = np.mod(angle, 360.0)
    return np.where(turned < 360.0, turned, np.where(np.isnan(turned), np.nan, 0.0))


def _rotate(matrix: Floats, lon: ArrayLike, lat: ArrayLike, zero: float) -> tuple[Floats, Floats]:
    """Rotate directions in degrees; longitude is returned in [zero, zero + 360)."""
    lon_rad, lat_rad = np.radians(lon), np.radians(lat)
    cos_lat = np.cos(lat_rad)
    unit = (cos_lat * np.cos(lon_rad), cos_lat * np.sin(lon_rad), np.sin(lat_rad))
    x, y, z = (row[0] * unit[0] + row[1] * unit[1] + row[2] * unit[2] for row in matrix)
    turned = np.degrees(np.arctan2(y, x))
    turned = np.where(turned < zero, turned + 360.0, turned)
    # A tiny negative angle and 360 are 360 after rounding.
    turned = np.where(turned >= 360.0, 0.0, turned)
    # arctan2 keeps full precision near the poles, arcsin does not
    return turned, np.degrees(np.arctan2(z, np.hypot(x, y)))


def icrs_to_galactic(ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
    """Galactic longitude in (-180, 180] and latitude of ICRS positions, degrees.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Degrees.

    Returns
    -------
    l_deg, b_deg : ndarray, shape (n,)
    """
    return _rotate(ICRS_TO_GALACTIC, ra, dec, -180.0)


def galactic_to_icrs(l_deg: ArrayLike, b_deg: ArrayLike) -> tuple[Floats, Floats]:
    """ICRS right ascension in [0, 360) and declination of Galactic positions, degrees.

    Parameters
    ----------
    l_deg, b_deg : array_like, shape (n,)
        Degrees.

    Returns
    -------
    ra, dec : ndarray, shape (n,)
    """
    return _rotate(ICRS_TO_GALACTIC.T, l_deg, b_deg, 0.0)


def galactic_north_angle(ra: ArrayLike, dec: ArrayLike) -> Floats:
    """Position angle of Galactic north at ICRS positions, degrees from north through east.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        Degrees.

    Returns
    -------
    ndarray, shape (n,)
        With this angle a, ``pm_l_cosb = pmra cos(a) - pmdec sin(a)`` and
        ``pm_b = pmra sin(a) + pmdec cos(a)``.
    """
    delta = np.radians(np.asarray(_GALACTIC_POLE_RA - np.asarray(ra, dtype=np.float64)))
    dec_rad = np.radians(dec)
    east = _GALACTIC_POLE_COS_DEC * np.sin(delta)
    north = _GALACTIC_POLE_SIN_DEC * np.cos(dec_rad) - (
        _GALACTIC_POLE_COS_DEC * np.sin(dec_rad) * np.cos(delta)
    )
    return np.degrees(np.arctan2(east, north))


def icrs_to_galactic_proper_motion(
    ra: ArrayLike, dec: ArrayLike, pmra: ArrayLike, pmdec: ArrayLike
) -> tuple[Floats, Floats]:
    """Proper motions along Galactic axes.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        ICRS position of the star, degrees.
    pmra, pmdec : array_like, shape (n,)
        mu_alpha cos(dec) and mu_delta, any unit.

    Returns
    -------
    pm_l_cosb, pm_b : ndarray, shape (n,)
        In the unit of the input.
    """
    angle = np.radians(galactic_north_angle(ra, dec))
    east, north = np.asarray(pmra, dtype=np.float64), np.asarray(pmdec, dtype=np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    return east * cos - north * sin, east * sin + north * cos


def galactic_to_icrs_proper_motion(
    l_deg: ArrayLike, b_deg: ArrayLike, pm_l_cosb: ArrayLike, pm_b: ArrayLike
) -> tuple[Floats, Floats]:
    """Proper motions along ICRS axes.

    Parameters
    ----------
    l_deg, b_deg : array_like, shape (n,)
        Galactic position of the star, degrees.
    pm_l_cosb, pm_b : array_like, shape (n,)
        mu_l cos(b) and mu_b, any unit.

    Returns
    -------
    pmra, pmdec : ndarray, shape (n,)
        mu_alpha cos(dec) and mu_delta in the unit of the input.
    """
    angle = np.radians(galactic_north_angle(*galactic_to_icrs(l_deg, b_deg)))
    along_l, along_b = np.asarray(pm_l_cosb, dtype=np.float64), np.asarray(pm_b, dtype=np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    return along_l * cos + along_b * sin, -along_l * sin + along_b * cos


def _heliocentric_to_tilted(
    l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike, r0_pc: float, z_sun_pc: float
) -> tuple[Floats, Floats, Floats]:
    """Position before the shift to Sgr A*, pc."""
    l_rad, b_rad = np.radians(l_deg), np.radians(b_deg)
    distance = np.asarray(distance_pc, dtype=np.float64)
    tilt = z_sun_pc / r0_pc
    in_plane = distance * np.cos(b_rad)
    x = r0_pc - in_plane * np.cos(l_rad)
    y = in_plane * np.sin(l_rad)
    z = distance * np.sin(b_rad) * np.cos(tilt) + x * np.sin(tilt)
    return x, y, z


def galactic_to_model(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    distance_pc: ArrayLike,
    *,
    r0_pc: float,
    z_sun_pc: float,
    center_l_deg: float,
    center_b_deg: float,
) -> tuple[Floats, Floats, Floats]:
    """Position in the model frame, origin at Sgr A*.

    As in the published programs only z is tilted by the height of the Sun; the error in x is
    about z * z_sun / R0, below 0.3 pc near the Galactic centre.

    Parameters
    ----------
    l_deg, b_deg : array_like, shape (n,)
        Galactic position, degrees.
    distance_pc : array_like, shape (n,)
    r0_pc, z_sun_pc : float
        Distance of Sgr A* and height of the Sun above the plane, pc.
    center_l_deg, center_b_deg : float
        Galactic position of Sgr A*, degrees.

    Returns
    -------
    x_pc, y_pc, z_pc : ndarray, shape (n,)
    """
    x, y, z = _heliocentric_to_tilted(l_deg, b_deg, distance_pc, r0_pc, z_sun_pc)
    xc, yc, zc = _heliocentric_to_tilted(center_l_deg, center_b_deg, r0_pc, r0_pc, z_sun_pc)
    return x - xc, y - yc, z - zc


def model_to_galactic(
    x_pc: ArrayLike,
    y_pc: ArrayLike,
    z_pc: ArrayLike,
    *,
    r0_pc: float,
    z_sun_pc: float,
    center_l_deg: float,
    center_b_deg: float,
) -> tuple[Floats, Floats, Floats]:
    """Inverse of `galactic_to_model`: l_deg in (-180, 180], b_deg, distance_pc, each (n,)."""
    xc, yc, zc = _heliocentric_to_tilted(center_l_deg, center_b_deg, r0_pc, r0_pc, z_sun_pc)
    tilt = z_sun_pc / r0_pc
    x = np.asarray(x_pc, dtype=np.float64) + xc
    east = np.asarray(y_pc, dtype=np.float64) + yc
    toward = r0_pc - x
    up = (np.asarray(z_pc, dtype=np.float64) + zc - x * np.sin(tilt)) / np.cos(tilt)
    in_plane = np.hypot(toward, east)
    return (
        np.degrees(np.arctan2(east, toward)),
        np.degrees(np.arctan2(up, in_plane)),
        np.hypot(in_plane, up),
    )


def velocity_to_observables(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    distance_pc: ArrayLike,
    velocity: ArrayLike,
    sun_velocity: ArrayLike,
) -> GalacticObservables:
    """Proper motion and radial velocity of a Galactocentric velocity.

    Parameters
    ----------
    l_deg, b_deg, distance_pc : array_like, shape (n,)
        Position of the star, degrees and pc.
    velocity : array_like, shape (n, 3)
        (vx, vy, vz) in the model frame, km/s.
    sun_velocity : array_like, shape (3,)
        The same for the Sun, km/s.

    Returns
    -------
    GalacticObservables
    """
    relative = np.asarray(velocity, dtype=np.float64) - np.asarray(sun_velocity, dtype=np.float64)
    dx, dy, dz = relative[..., 0], relative[..., 1], relative[..., 2]
    l_rad, b_rad = np.radians(l_deg), np.radians(b_deg)
    sin_l, cos_l, sin_b, cos_b = np.sin(l_rad), np.cos(l_rad), np.sin(b_rad), np.cos(b_rad)
    scale = KMS_TO_MAS_PC / np.asarray(distance_pc, dtype=np.float64)
    along_l = dx * sin_l + dy * cos_l
    away = dy * sin_l - dx * cos_l  # horizontal, away from the Sun
    return GalacticObservables(
        along_l * scale, (dz * cos_b - away * sin_b) * scale, away * cos_b + dz * sin_b
    )


def observables_to_velocity(
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    distance_pc: ArrayLike,
    pm_l_cosb: ArrayLike,
    pm_b: ArrayLike,
    radial_velocity: ArrayLike,
    sun_velocity: ArrayLike,
) -> Floats:
    """Inverse of `velocity_to_observables`: (vx, vy, vz) in the model frame, (n, 3), km/s."""
    l_rad, b_rad = np.radians(l_deg), np.radians(b_deg)
    sin_l, cos_l, sin_b, cos_b = np.sin(l_rad), np.cos(l_rad), np.sin(b_rad), np.cos(b_rad)
    scale = np.asarray(distance_pc, dtype=np.float64) / KMS_TO_MAS_PC
    along_l = np.asarray(pm_l_cosb, dtype=np.float64) * scale
    along_b = np.asarray(pm_b, dtype=np.float64) * scale
    radial = np.asarray(radial_velocity, dtype=np.float64)
    away = radial * cos_b - along_b * sin_b
    dz = radial * sin_b + along_b * cos_b
    parts = np.broadcast_arrays(along_l * sin_l - away * cos_l, along_l * cos_l + away * sin_l, dz)
    return np.stack(parts, axis=-1) + np.asarray(sun_velocity, dtype=np.float64)
