"""Moving stars, and the same for astropy."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.time import Time

from gcmock.astrometry.directions import geometry
from gcmock.astrometry.directions.apparent import MovingStars

UAS = geometry.MAS / 1e3
EPOCHS = np.array([2031.3, 2034.5, 2035.1])


def random_stars(n=1000, seed=1):
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    half = n // 2
    # Half of them towards the Galactic centre.
    ra[:half], dec[:half] = rng.uniform(265, 268, half), rng.uniform(-31, -27, half)
    parallax = 10 ** rng.uniform(-1.3, 1.0, n)
    return MovingStars(
        ra, dec, parallax, *rng.normal(0, 8, (2, n)), rng.normal(0, 120, n), np.full(n, 2016.0)
    )


def as_skycoord(stars):
    return SkyCoord(
        stars.ra * u.deg,
        stars.dec * u.deg,
        distance=1000.0 / stars.parallax * u.pc,
        pm_ra_cosdec=stars.pmra * u.mas / u.yr,
        pm_dec=stars.pmdec * u.mas / u.yr,
        radial_velocity=stars.radial_velocity * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tcb"),
    )


def unit_vectors(ra, dec):
    """Unit vectors (n, 3) in extended precision where there is one."""
    a, d = np.radians(np.longdouble(ra)), np.radians(np.longdouble(dec))
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)
