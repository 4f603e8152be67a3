"""A mock near-infrared survey of true stars: errors, incompleteness, a few parallaxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from gcmock.arrays import Columns, Floats
from gcmock.errors import InputError
from gcmock.random import star_key, uniform
from gcmock.stars.gaia import gaia_g_mag, gaia_parallax_error
from gcmock.words.bands import KS, SURVEY_BANDS, J, magnitude_error_name, magnitude_name
from gcmock.words.columns import INPUT_COLUMNS, columns_by_name

Detection = Callable[[Floats, Floats, Floats], Floats]
"""Probability that J, H, Ks see stars (n, 3), from l, b [deg] (n,) and their magnitudes (n, 3)."""

SURVEY_STREAM = -1
"""Stands for the realisation in keys: no draw from a posterior ever shares this stream."""

_INPUT = columns_by_name(INPUT_COLUMNS)
SURVEY_COLUMNS = tuple(
    _INPUT[name]
    for name in (
        "source_id",
        "ra",
        "dec",
        "l",
        "b",
        *(f(band) for band in SURVEY_BANDS for f in (magnitude_name, magnitude_error_name)),
        "parallax",
        "parallax_error",
        "ruwe",
    )
)
"""Columns of a mock survey: a subset of the input of ``gcmock build``."""

# Places of a star's random numbers: two per band, then the parallax.
_DETECTION, _NOISE, _BAND_STRIDE, _PARALLAX, _BAD, _RUWE = 0, 1, 2, 8, 9, 10


@dataclass(frozen=True)
class SurveyModel:
    """What a survey does to true stars.

    The error of a magnitude is the floor and a term limited by the background, in quadrature:
    sigma² = floor² + (0.2 mag)² 10^(0.8 (m - limit)). A band sees a star with probability
    Phi((limit - m) / width); a star is in the survey if Ks sees it.

    Attributes
    ----------
    limit_mag : tuple of 3 floats
        J, H, Ks at which the error is 0.2 mag (5 sigma) and half the stars are seen. Round numbers
        for a ground-based survey limited by crowding: deeper than SIRIUS (10 sigma at 17.1, 16.6,
        15.6; Nishiyama et al. 2006, ApJ 638, 839), less deep than GALACTICNUCLEUS (0.05 mag at 20,
        17, 16, 5 sigma at 22, 21, 20; Nogueras-Lara et al. 2018, A&A 610, A83).
    floor_mag : tuple of 3 floats
        Errors of bright stars [mag]; zero points and crowding leave 0.02 to 0.04 mag there.
    completeness_width_mag : float
        Width of the fall of the detection probability [mag]; an assumption.
    gaia_g_max : float
        Faintest G of stars with a parallax [mag], see `gcmock.stars.gaia`; an assumption.
    parallax_error_factor : float
        Factor on the error of Gaia DR3, see `gcmock.stars.gaia.gaia_parallax_error`.
    bad_fraction, bad_factor : float
        Fraction of parallaxes that are bad (binaries, blends) and the factor by which their errors
        are larger than stated; their ruwe is larger by the same factor. Assumptions.
    ruwe_sigma : float
        Scatter of the ruwe of good parallaxes about 1; an assumption.
    """

    limit_mag: tuple[float, float, float] = (19.5, 18.0, 17.0)
    floor_mag: tuple[float, float, float] = (0.03, 0.02, 0.02)
    completeness_width_mag: float = 0.3
    gaia_g_max: float = 20.0
    parallax_error_factor: float = 1.0
    bad_fraction: float = 0.05
    bad_factor: float = 3.0
    ruwe_sigma: float = 0.05

    def magnitude_error(self, mag: Floats) -> Floats:
        """Return the standard errors [mag] of J, H, Ks, shape (..., 3)."""
        background = 0.2 * 10.0 ** (0.4 * (mag - np.array(self.limit_mag)))
        return np.hypot(np.array(self.floor_mag), background)

    def completeness(self, mag: Floats) -> Floats:
        """Return the probability that J, H, Ks see a star, shape (..., 3)."""
        return ndtr((np.array(self.limit_mag) - mag) / self.completeness_width_mag)

    def parallax_error(self, g_mag: Floats) -> Floats:
        """Return the standard error of a good parallax [mas], shape of the input."""
        return self.parallax_error_factor * gaia_parallax_error(g_mag)


def survey(
    truth: Mapping[str, Any],
    seed: int = 1,
    settings: SurveyModel | None = None,
    detection: Detection | None = None,
    *,
    zero_point_mas: float = 0.0,
) -> Columns:
    """Observe true stars.

    Parameters
    ----------
    truth : mapping of str to ndarray, shape (n_star,)
        True stars, as from `gcmock.mock.simulate.simulate`.
    seed : int
        Seed; the noise of a star is a function of it and of `source_id`.
    settings : SurveyModel, optional
        The survey.
    detection : callable, optional
        Takes the place of the detection probability of `settings`.
    zero_point_mas : float
        Zero point that is put on the parallaxes [mas].

    Returns
    -------
    dict of str to ndarray, shape (n_seen,)
        The columns `SURVEY_COLUMNS` of the stars that the survey sees, in the order of `truth`; NaN
        where a band does not see the star or Gaia has no parallax.

    Raises
    ------
    InputError
        If `truth` lacks a column.
    """
    settings = settings or SurveyModel()
    needed = ("source_id", "ra", "dec", "l", "b", "parallax", *map(magnitude_name, SURVEY_BANDS))
    missing = [name for name in needed if name not in truth]
    if missing:
        raise InputError(f"the true stars lack the columns {', '.join(missing)}")
    key = star_key(seed, truth["source_id"], SURVEY_STREAM)
    mag = np.column_stack([np.asarray(truth[magnitude_name(band)]) for band in SURVEY_BANDS])
    place = _BAND_STRIDE * np.arange(len(SURVEY_BANDS))
    chance = uniform(key, 0, _RUWE + 1)
    if detection is None:
        probability = settings.completeness(mag)
    else:
        probability = detection(np.asarray(truth["l"]), np.asarray(truth["b"]), mag)
    seen = chance[:, place + _DETECTION] < probability
    kept = seen[:, KS]
    mag, seen, chance = mag[kept], seen[kept], chance[kept]
    error = np.where(seen, settings.magnitude_error(mag), np.nan)
    observed = mag + error * ndtri(chance[:, place + _NOISE])
    table = {name: np.asarray(truth[name])[kept] for name in ("source_id", "ra", "dec", "l", "b")}
    for i, band in enumerate(SURVEY_BANDS):
        table[magnitude_name(band)] = observed[:, i]
        table[magnitude_error_name(band)] = error[:, i]
    true_parallax = np.asarray(truth["parallax"])[kept]
    return table | _parallaxes(mag, true_parallax + zero_point_mas, chance, settings)


def _parallaxes(
    mag: Floats, parallax: Floats, chance: Floats, settings: SurveyModel
) -> dict[str, Floats]:
    """Parallaxes as Gaia would see them, NaN for stars that are too faint for it."""
    g_mag = gaia_g_mag(mag[:, J], mag[:, KS])
    error = np.where(g_mag < settings.gaia_g_max, settings.parallax_error(g_mag), np.nan)
    factor = np.where(chance[:, _BAD] < settings.bad_fraction, settings.bad_factor, 1.0)
    ruwe = factor * (1.0 + settings.ruwe_sigma * ndtri(chance[:, _RUWE]))
    return {
        "parallax": parallax + error * factor * ndtri(chance[:, _PARALLAX]),
        "parallax_error": error,
        "ruwe": np.where(np.isfinite(error), ruwe, np.nan),
    }
