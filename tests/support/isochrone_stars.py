"""Stars of the isochrones with their true magnitudes, for the tests of Roman bands."""

from __future__ import annotations

import numpy as np
from catalogues import true_stars

from gcmock.astrometry.missions.passbands import extinction_ratios
from gcmock.dust.laws import load_law
from gcmock.stars.isochrones import load_isochrones


def isochrone_stars(n=400, seed=1):
    """Stars of the isochrones, their true magnitudes in 2MASS-like and in Roman bands."""
    rng = np.random.default_rng(seed)
    stars = true_stars(n, seed)
    table = load_isochrones("parsec")
    which = rng.integers(0, table.isochrone.max() + 1, n)
    mags, roman = np.empty((n, 3)), np.empty((n, 3))
    for i, number in enumerate(which):
        points = np.flatnonzero(table.isochrone == number)
        # Above the least mass, where a single-precision mass says enough.
        k = points[rng.integers(0, len(points) - 1)]
        fraction = rng.uniform()
        mass = table.mass_init[k] + fraction * (table.mass_init[k + 1] - table.mass_init[k])
        for out, values in ((mags, table.absolute_mag), (roman, table.roman_mag)):
            out[i] = values[k] + fraction * (values[k + 1] - values[k])
        stars["mass_init"][i] = mass
        stars["age_gyr"][i], stars["metallicity"][i] = table.age_gyr[k], table.metallicity[k]
    modulus = 5 * np.log10(stars["distance_pc"] / 10.0)
    kappa = load_law("wang_chen_2019").kappa(stars["l"], stars["b"])
    stars["a_ks"] = rng.uniform(0.0, 3.0, n)
    extinction = kappa / kappa[:, 2:] * stars["a_ks"][:, None]
    apparent = mags + modulus[:, None] + extinction
    for i, band in enumerate(("j", "h", "ks")):
        stars[f"phot_{band}_mag"] = apparent[:, i]
    roman_extinction = extinction_ratios(kappa) * stars["a_ks"][:, None]
    return stars, roman + modulus[:, None] + roman_extinction
