"""Proper motions and parallaxes as VIRAC2 and Gaia measure them."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Columns, Floats
from gcmock.mock.survey import SurveyModel
from gcmock.surveys.simulated.observe import NEXT, MeasuredSources
from gcmock.words.bands import BP, KS, RP, G

VIRAC2_MOTION, VIRAC2_POSITION = (0.37, 1.5), (1.0, 5.0)
"""Errors of VIRAC2 at 11 < Ks < 14 and at Ks = 16: of proper motions [mas/yr], of positions and
parallaxes [mas]; from memory of Smith et al. 2025, MNRAS 536, 3707, unverified."""

VIRAC2_WORST = 30.0
"""Largest error [mas, mas/yr]; an assumption."""

VIRAC2_MIN_EPOCHS = 20
"""Sources with fewer epochs in Ks have a position only; an assumption."""

BAD_FRACTION, BLENDED_BAD_FRACTION, BAD_FACTOR = 0.03, 0.5, 3.0
"""Fraction of bad solutions among all, and among sources of which the brightest star has less than
`BLENDED` of the light; errors are larger than stated by the factor. Assumptions."""

BLENDED = 0.8

GAIA_MOTION, GAIA_POSITION = 1.03, 0.8
"""Errors of proper motion [mas/yr] and position [mas] over that of the parallax [mas]: science
performance page of ESA for DR3, 0.96 to 1.03 and 0.75 to 0.80."""

GAIA_FIT = {"position": 3, "five": 31, "six": 95}
"""`astrometric_params_solved` of DR3."""

_PARALLAX, _PMRA, _PMDEC, _BAD, _RUWE, _CORRELATION, _FIT = (NEXT + i for i in range(7))
_CORRELATION_2, _CORRELATION_3, _COLOUR, _EAST, _NORTH = (NEXT + 7 + i for i in range(5))
_RUWE_SIGMA = 0.05


def virac2_errors(ks_mag: Floats) -> tuple[Floats, Floats]:
    """Return errors of proper motions [mas/yr] and of positions and parallaxes [mas].

    Constant for 11 < Ks < 14; fainter, a power of the flux through the values at 14 and 16;
    brighter than 11, where stars saturate, twice as large for each magnitude (an assumption).

    Parameters
    ----------
    ks_mag : ndarray, shape (n,)
        [mag].
    """
    faint = np.maximum(ks_mag - 14.0, 0.0) / 2.0
    bright = np.maximum(11.0 - ks_mag, 0.0)

    def error(pair: tuple[float, float]) -> Floats:
        at_14, at_16 = pair
        return np.minimum(at_14 * (at_16 / at_14) ** faint * 2.0**bright, VIRAC2_WORST)

    return error(VIRAC2_MOTION), error(VIRAC2_POSITION)


def _badness(sources: MeasuredSources) -> Floats:
    """Factor of the true error over the stated one: 1 for most."""
    fraction = np.where(sources.fraction < BLENDED, BLENDED_BAD_FRACTION, BAD_FRACTION)
    return np.where(sources.chance[:, _BAD] < fraction, BAD_FACTOR, 1.0)


def _ruwe(sources: MeasuredSources, factor: Floats) -> Floats:
    return np.maximum(factor * (1.0 + _RUWE_SIGMA * ndtri(sources.chance[:, _RUWE])), 0.3)


def virac2_astrometry(sources: MeasuredSources, n_epochs: Floats) -> Columns:
    """Return positions, proper motions, parallaxes and their errors, by role; NaN if not fitted.

    Parameters
    ----------
    sources : MeasuredSources
    n_epochs : ndarray, shape (n,)
        Epochs in Ks.
    """
    motion, position = virac2_errors(np.nan_to_num(sources.mag[:, KS], nan=17.0))
    factor = _badness(sources)
    full = n_epochs >= VIRAC2_MIN_EPOCHS
    normal = ndtri(sources.chance[:, [_PARALLAX, _PMRA, _PMDEC, _EAST, _NORTH]]) * factor[:, None]

    def fitted(values: Floats) -> Floats:
        return np.where(full, values, np.nan)

    # The position from few epochs is worse.
    position = np.where(full, position, np.maximum(position, 5.0))
    return {
        "ra": sources.ra + position * normal[:, 3] / 3.6e6 / np.cos(np.radians(sources.dec)),
        "dec": sources.dec + position * normal[:, 4] / 3.6e6,
        "ra_error": position,
        "dec_error": position,
        "parallax": fitted(sources.parallax + position * normal[:, 0]),
        "parallax_error": fitted(position),
        "pmra": fitted(sources.pmra + motion * normal[:, 1]),
        "pmra_error": fitted(motion),
        "pmdec": fitted(sources.pmdec + motion * normal[:, 2]),
        "pmdec_error": fitted(motion),
        "ruwe": _ruwe(sources, factor),
        "astrometric_params": np.where(full, 5.0, 2.0),
    }


def gaia_astrometry(
    sources: MeasuredSources, zero_point_mas: float, settings: SurveyModel
) -> Columns:
    """Return the astrometry of Gaia DR3, by role; NaN where only the position was solved.

    Position-only solutions become common beyond G = 20; stars without BP and RP have six
    parameters, the colour among them. Errors of the parallax are those of
    `gcmock.mock.survey.SurveyModel`; errors of the three are correlated.

    Parameters
    ----------
    sources : MeasuredSources
    zero_point_mas : float
        Added to every parallax [mas].
    settings : SurveyModel
    """
    g_mag, chance = sources.true_mag[:, G], sources.chance
    sigma = settings.parallax_error(g_mag)
    factor = _badness(sources)
    only_position = chance[:, _FIT] < np.clip(0.02 + 0.25 * (g_mag - 19.5), 0.02, 0.6)
    blue, red = sources.mag[:, BP], sources.mag[:, RP]
    colour = np.isfinite(blue - red)
    solved = np.where(colour, GAIA_FIT["five"], GAIA_FIT["six"])
    solved = np.where(only_position, GAIA_FIT["position"], solved)
    columns = [_CORRELATION, _CORRELATION_2, _CORRELATION_3]
    # Below 0.5 the matrix of any three correlations is positive definite.
    rho = 0.9 * (chance[:, columns] - 0.5)
    normal = correlated(ndtri(chance[:, [_PARALLAX, _PMRA, _PMDEC]]), rho) * factor[:, None]
    place = ndtri(chance[:, [_EAST, _NORTH]]) * factor[:, None]
    position, motion = GAIA_POSITION * sigma, GAIA_MOTION * sigma

    def fitted(values: Floats) -> Floats:
        return np.where(only_position, np.nan, values)

    wavenumber = 1.75 - 0.12 * (blue - red)
    six = solved == GAIA_FIT["six"]
    return {
        "ra": sources.ra + position * place[:, 0] / 3.6e6 / np.cos(np.radians(sources.dec)),
        "dec": sources.dec + position * place[:, 1] / 3.6e6,
        "ra_error": position,
        "dec_error": position,
        "parallax": fitted(sources.parallax + zero_point_mas + sigma * normal[:, 0]),
        "parallax_error": fitted(sigma),
        "pmra": fitted(sources.pmra + motion * normal[:, 1]),
        "pmra_error": fitted(motion),
        "pmdec": fitted(sources.pmdec + motion * normal[:, 2]),
        "pmdec_error": fitted(motion),
        "parallax_pmra_corr": fitted(rho[:, 0]),
        "parallax_pmdec_corr": fitted(rho[:, 1]),
        "pmra_pmdec_corr": fitted(rho[:, 2]),
        "ruwe": fitted(_ruwe(sources, factor)),
        "astrometric_params_solved": solved.astype(np.float64),
        "nu_eff_used_in_astrometry": np.where(solved == GAIA_FIT["five"], wavenumber, np.nan),
        "pseudocolour": np.where(six, 1.2 + 0.3 * (chance[:, _COLOUR] - 0.5), np.nan),
    }


def correlated(normal: Floats, rho: Floats) -> Floats:
    """Return normal numbers with correlations.

    Parameters
    ----------
    normal : ndarray, shape (n, 3)
        Independent standard normal numbers.
    rho : ndarray, shape (n, 3)
        Correlations of the first and second, first and third, second and third.
    """
    r12, r13, r23 = rho.T
    l22 = np.sqrt(1.0 - r12**2)
    l32 = (r23 - r12 * r13) / l22
    l33 = np.sqrt(1.0 - r13**2 - l32**2)
    first, second, third = normal.T
    return np.column_stack(
        [first, r12 * first + l22 * second, r13 * first + l32 * second + l33 * third]
    )
