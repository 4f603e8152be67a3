"""Where a star is seen: space motion, parallax, aberration and deflection.

Everything is a displacement along the triad p (east), q (north), r (outwards) of the star's
reference direction: offsets of milli-arcseconds then keep all digits of float64, and only the last
step, the sum with right ascension and declination in degrees, rounds (2e-4 micro-arcsec).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gcmock.astrometry.directions.geometry import MAS
from gcmock.units import K

SPEED_OF_LIGHT_KMS: Final = 299_792.458

AU_KM: Final = 149_597_870.7
"""Astronomical unit, IAU 2012 resolution B2 [km]."""

SUN_DEFLECTION_RAD: Final = 2.0 * 1.32712440018e11 / (SPEED_OF_LIGHT_KMS**2 * AU_KM)
"""2 G M / (c^2 au) of the Sun: 1.97e-8 rad, 4.07 mas (GM of the IAU 2009 system)."""

SUN_RADIUS_AU: Final = 695_700.0 / AU_KM
"""Nominal solar radius, IAU 2015 resolution B3 [au]."""


def displacement(
    parallax: Any,
    pmra: Any,
    pmdec: Any,
    radial_velocity: Any,
    years: Any,
    b_p: Any,
    b_q: Any,
    b_r: Any,
) -> tuple[Any, Any, Any]:
    """Displace a star by its space motion and by the place of the observer.

    The star moves uniformly: u = r + t (p mu_ra + q mu_dec + r mu_r) - parallax b, with
    mu_r = v_r parallax / 4.74047 (Butkevich & Lindegren 2014, A&A 570, A62; light-time terms of
    the order of the light time across the motion are left out).

    Parameters
    ----------
    parallax : float or ndarray
        [mas].
    pmra, pmdec : float or ndarray
        mu_alpha cos(delta), mu_delta [mas/yr].
    radial_velocity : float or ndarray
        [km/s].
    years : float or ndarray
        Time since the reference epoch [Julian years].
    b_p, b_q, b_r : float or ndarray
        Barycentric position of the observer along p, q, r [au].

    Returns
    -------
    east, north, radial : float or ndarray
        Displacement [rad]: the direction is that of r + east p + north q + radial r.
    """
    mu_r = radial_velocity * parallax / K
    return (
        (years * pmra - parallax * b_p) * MAS,
        (years * pmdec - parallax * b_q) * MAS,
        (years * mu_r - parallax * b_r) * MAS,
    )


def aberrated(
    east: Any, north: Any, radial: Any, beta_p: Any, beta_q: Any, beta_r: Any
) -> tuple[Any, Any, Any]:
    """Aberrate a direction by the velocity of the observer, exactly in special relativity.

    With s the unit direction: s' = (s / gamma + (1 + gamma / (gamma + 1) beta.s) beta) /
    (1 + beta.s), as in Klioner 2003 (AJ 125, 1580) without the potential of the Sun, which changes
    the scale by 1e-8.

    Parameters
    ----------
    east, north, radial : float or ndarray
        Displacement of the direction [rad], see `displacement`.
    beta_p, beta_q, beta_r : float or ndarray
        Velocity of the observer over that of light, along p, q, r.

    Returns
    -------
    east, north, radial : float or ndarray
        Displacement of the aberrated direction, up to the length of the vector.
    """
    outwards = 1.0 + radial
    length = np.sqrt(east * east + north * north + outwards * outwards)
    square = beta_p * beta_p + beta_q * beta_q + beta_r * beta_r
    gamma = 1.0 / np.sqrt(1.0 - square)
    along = (beta_p * east + beta_q * north + beta_r * outwards) / length
    # s' times gamma length: the length of the vector does not matter
    scale = gamma * length * (1.0 + gamma / (gamma + 1.0) * along)
    return (
        east + scale * beta_p,
        north + scale * beta_q,
        radial + scale * beta_r,
    )


def deflected(
    east: Any, north: Any, radial: Any, sun_p: Any, sun_q: Any, sun_r: Any
) -> tuple[Any, Any, Any]:
    """Deflect the light of a distant star by the Sun.

    s' = s + 2GM/(c^2 d) (n - (n.s) s) / (1 + n.s), with n from the Sun to the observer and d their
    distance, for a source at infinity (Klioner 2003, AJ 125, 1580). Behind the disc of the Sun the
    deflection keeps its value at the limb.

    Parameters
    ----------
    east, north, radial : float or ndarray
        Displacement of the direction [rad], see `displacement`.
    sun_p, sun_q, sun_r : float or ndarray
        Position of the observer seen from the Sun, along p, q, r [au].

    Returns
    -------
    east, north, radial : float or ndarray
        Displacement of the deflected direction, up to the length of the vector.
    """
    outwards = 1.0 + radial
    length = np.sqrt(east * east + north * north + outwards * outwards)
    s_p, s_q, s_r = east / length, north / length, outwards / length
    d = np.sqrt(sun_p * sun_p + sun_q * sun_q + sun_r * sun_r)
    n_p, n_q, n_r = sun_p / d, sun_q / d, sun_r / d
    cosine = n_p * s_p + n_q * s_q + n_r * s_r
    # 1 + cos = (1 - cos of the angle from the Sun), not below its value at the limb
    limb = 0.5 * (SUN_RADIUS_AU / d) * (SUN_RADIUS_AU / d)
    strength = SUN_DEFLECTION_RAD / d / np.maximum(1.0 + cosine, limb) * length
    return (
        east + strength * (n_p - cosine * s_p),
        north + strength * (n_q - cosine * s_q),
        radial + strength * (n_r - cosine * s_r),
    )
