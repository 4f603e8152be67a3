"""What the parallaxes of a list are: their zero point, their errors, and how many are bad."""

from __future__ import annotations

from typing import Final

import numpy as np

from gcmock.calibration.fits import least_of, with_bad_fraction
from gcmock.posterior.mixture import CasePosterior, as_case
from gcmock.posterior.observations import Observations
from gcmock.words.cases import CASES

ZERO_POINTS_MAS: Final = (-0.08, -0.06, -0.04, -0.02, 0.0, 0.02, 0.04)
ZERO_POINT_PRIOR: Final = (-0.03, 0.02)
"""Zero points of parallaxes that are tried, and mean and width of their prior [mas]: that of Gaia
goes from -0.04 at G = 13 to -0.02 at 19 (Lindegren et al. 2021, A&A 649, A4, tables 9 and 10), with
as much again for colour and place; other surveys follow it."""

GIVEN_ZERO_POINT_PRIOR: Final = (0.0, 0.01)
"""The same of parallaxes whose zero point was removed: what is left of that of Gaia after the
correction of Lindegren et al. 2021 [mas]."""

PHOTOMETRIC_SCALE_MAG: Final = 0.1
"""Common error of the distance moduli from photometry that parallaxes are compared with [mag], of
isochrones, photometric systems and law together: absolute magnitudes of the red clump in Ks from
isochrones and from parallaxes differ by 0.05 to 0.1 mag (Girardi 2016, ARA&A 54, 95)."""

PARALLAX_SCALES: Final = (1.0, 1.15, 1.3, 1.5, 1.8)
LOG_PARALLAX_PRIOR: Final = 0.2
"""Factors on the errors of parallaxes that are tried, and the width of the prior of their
logarithm: those of Gaia are too small by 1.05 to 1.3 in crowded fields (Maiz Apellaniz 2022, A&A
657, A130)."""

BAD: Final = next(i for i, case in enumerate(CASES) if case.name == "parallax")


def zero_point_prior(given_mas: float, removed: bool) -> tuple[float, float]:
    """Return mean and width of the prior of the zero point that is left [mas].

    Parameters
    ----------
    given_mas : float
        What the settings subtract [mas].
    removed : bool
        Whether the zero point of Gaia was subtracted star by star.
    """
    return GIVEN_ZERO_POINT_PRIOR if removed or given_mas else ZERO_POINT_PRIOR


def with_common_error(
    value: float, error: float, prior: tuple[float, float], common: float
) -> tuple[float, float]:
    """Return mean and width of a Gaussian posterior, given an error that all data have in common.

    Parameters
    ----------
    value, error : float
        Of the posterior without that error.
    prior : tuple of 2 floats
        Mean and width of its prior.
    common : float
        The common error of the data, of which the likelihood knows nothing.
    """
    mean, width = prior
    of_data = 1.0 / error**2 - 1.0 / width**2
    if of_data <= 0.0:
        return value, error
    measured = (value / error**2 - mean / width**2) / of_data
    of_data = 1.0 / (1.0 / of_data + common**2)
    precision = of_data + 1.0 / width**2
    return (of_data * measured + mean / width**2) / precision, precision**-0.5


def fit_parallaxes(
    posterior: CasePosterior,
    data: Observations,
    workers: int,
    prior: tuple[float, float] = ZERO_POINT_PRIOR,
) -> tuple[float, float, float, float]:
    """Fit the zero point of parallaxes, the factor on their errors, and the fraction of bad ones.

    Parameters
    ----------
    posterior : Posterior
    data : Observations
        Stars with a parallax.
    workers : int
        Threads.
    prior : tuple of 2 floats
        Mean and width of the prior of the zero point [mas].

    Returns
    -------
    zero_point_mas, zero_point_error_mas, scale, bad_fraction : float
    """
    bad = CASES[BAD]

    def evidence(zero: float, scale: float) -> tuple[float, float]:
        seen = data._replace(
            parallax=data.parallax - zero, parallax_error=data.parallax_error * scale
        )
        good, poor = (
            posterior.log_evidence(one, workers, lattices="few")
            for one in (seen, as_case(bad, seen))
        )
        return with_bad_fraction(good, poor, bad.fraction)

    mean, width = prior

    def of_zero(zero: float) -> float:
        return 0.5 * ((zero - mean) / width) ** 2 - evidence(zero, scale)[0]

    def of_scale(log_scale: float) -> float:
        prior = 0.5 * (log_scale / LOG_PARALLAX_PRIOR) ** 2
        return prior - evidence(zero_point, float(np.exp(log_scale)))[0]

    scale, zero_point, error = 1.0, mean, width
    typical = max(float(np.median(data.parallax)), 0.0)
    common = float(0.2 * np.log(10.0) * PHOTOMETRIC_SCALE_MAG * typical)
    for _ in range(2):
        zero_point, error = least_of(of_zero, np.array(ZERO_POINTS_MAS))
        scale = float(np.exp(least_of(of_scale, np.log(PARALLAX_SCALES))[0]))
    # Errors and bad ones are told by how parallaxes scatter about what photometry says.
    fraction = evidence(zero_point, scale)[1]
    return *with_common_error(zero_point, error, prior, common), scale, fraction
