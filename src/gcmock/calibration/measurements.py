"""What the measurements of a list are: scales of errors, cases, zero points of the astrometry.

All of them are found by the evidence of the stars under a reddening that is known: no truth is
needed, because errors that are too small, or measurements that are not the star's, leave stars
where the model has none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.calibration.fits import N_EM, PRIOR_STARS, least_of
from gcmock.calibration.motions import Motions, fit_motions, usual_motions
from gcmock.calibration.parallaxes import BAD, ZERO_POINT_PRIOR, fit_parallaxes
from gcmock.posterior.doubt import Doubt, learn_doubt, log_expected, no_doubt
from gcmock.posterior.mixture import (
    CasePosterior,
    as_case,
    case_probabilities,
    log_evidences,
    of_cases_in_use,
)
from gcmock.posterior.observations import Observations
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.cases import CASE_COLUMNS, CASES, CLEAN, N_CASE, usual_fractions

ERROR_SCALES: Final = (1.0, 1.15, 1.35, 1.6, 2.0)
"""Factors on the stated errors of magnitudes that are tried: nobody states them too large."""

LOG_ERROR_PRIOR: Final = 0.3
"""Standard deviation of the prior of their logarithm, an assumption: errors of crowded fields tend
to be stated too small."""

MOST_STARS: Final = 2000
"""Stars that errors and cases are learned from."""

LEAST_STARS: Final = 30
"""Fewer stars say nothing of errors."""

OUTLIER: Final = next(case for case in CASES if case.name == "outlier")


class Measurements(NamedTuple):
    """What measurements are.

    Attributes
    ----------
    error_scale : ndarray, shape (n_linear,)
        Factors on the stated errors of J, H, Ks.
    error_scale_error : float
        Standard error of ln of their common part.
    case_fraction, case_fraction_error : ndarray, shape (n_case,)
        Fractions of the cases, and standard errors.
    zero_point_mas, zero_point_error_mas : float
        Zero point of the parallaxes [mas].
    parallax_scale : float
        Factor on the errors of parallaxes.
    n_star, n_parallax : int
        Stars behind the magnitudes, and behind the parallaxes.
    doubt : Doubt
        Which stars are worth a look at other cases.
    motions : Motions
        Of the proper motions.
    """

    error_scale: Floats
    error_scale_error: float
    case_fraction: Floats
    case_fraction_error: Floats
    zero_point_mas: float
    zero_point_error_mas: float
    parallax_scale: float
    n_star: int
    n_parallax: int
    doubt: Doubt
    motions: Motions


def usual_measurements(prior: tuple[float, float] = ZERO_POINT_PRIOR) -> Measurements:
    """Return what measurements are said to be, with the usual fractions of cases.

    The zero point of parallaxes has the mean and the width of its `prior` [mas].
    """
    fraction = usual_fractions()
    return Measurements(
        np.ones(len(LINEAR_BANDS)),
        LOG_ERROR_PRIOR,
        fraction,
        fraction,
        *prior,
        1.0,
        0,
        0,
        no_doubt(),
        usual_motions(),
    )


def some_rows(rows: Integers, most: int, seed: int) -> Integers:
    """Return at most so many of the rows, chosen at random, in their order."""
    if rows.size <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def some_of(data: Observations, most: int = MOST_STARS, seed: int = 3) -> Observations:
    """Return at most so many of the stars, chosen at random."""
    if data.n_star <= most:
        return data
    return data.take(some_rows(np.arange(data.n_star), most, seed))


def with_scale(data: Observations, scale: Floats) -> Observations:
    """Return observations with scaled errors of their linear magnitudes."""
    factor = np.ones(data.mag_error.shape[1])
    factor[: len(LINEAR_BANDS)] = scale
    return data._replace(mag_error=data.mag_error * factor)


def log_floor(posterior: CasePosterior, data: Observations, workers: int) -> Floats:
    """Return ln of the evidence that a star is an outlier, which no star is below, (n_star,).

    All usual fractions of what is not clean together, with the widths of an outlier: a rough
    stand-in for all cases, before any of them is learned.
    """
    found = posterior.log_evidence(as_case(OUTLIER, data), workers, lattices="few")
    return np.asarray(found + np.log(1.0 - usual_fractions()[CLEAN]))


def fit_error_scale(
    posterior: CasePosterior, data: Observations, floor: Floats, workers: int
) -> tuple[float, float]:
    """Fit the common factor on the errors of magnitudes.

    Parameters
    ----------
    posterior : Posterior
    data : Observations
        With the reddening at the places of the stars, learned from others.
    floor : ndarray, shape (n_star,)
        `log_floor` of the stars.
    workers : int
        Threads.

    Returns
    -------
    scale, error : float
        Factor, and the standard error of its logarithm.
    """

    def value(log_scale: float) -> float:
        scaled = with_scale(data, np.full(len(LINEAR_BANDS), np.exp(log_scale)))
        clean = posterior.log_evidence(scaled, workers, lattices="one")
        total = np.logaddexp(clean, floor)
        known = np.isfinite(floor)
        return 0.5 * (log_scale / LOG_ERROR_PRIOR) ** 2 - float(total[known].sum())

    best, error = least_of(value, np.log(ERROR_SCALES))
    return float(np.exp(best)), error


def fit_cases(log_evidence: Floats, usual: Floats) -> tuple[Floats, Floats]:
    """Fit the fractions of the cases by expectation and maximisation.

    Each of the stars that it may apply to: a case of parallaxes says nothing of stars without one.

    Parameters
    ----------
    log_evidence : ndarray, shape (n_star, n_case)
        -inf where a case does not apply.
    usual : ndarray, shape (n_case,)
        Fractions that have the weight of `PRIOR_STARS`; what has none gets none.

    Returns
    -------
    fraction, error : ndarray, shape (n_case,)
    """
    fraction = usual.copy()
    log_evidence = np.where(usual > 0.0, log_evidence, -np.inf)
    n = np.isfinite(log_evidence).sum(axis=0)
    for _ in range(N_EM):
        probability, _ = case_probabilities(log_evidence, fraction)
        new = (probability.sum(axis=0) + PRIOR_STARS * usual) / (n + PRIOR_STARS)
        new[CLEAN] = 1.0 - np.delete(new, CLEAN).sum()
        done = np.abs(new - fraction).max() < 1e-6
        fraction = new
        if done:
            break
    error = np.sqrt(fraction * (1.0 - fraction) / (n + PRIOR_STARS))
    return fraction, error


def fit_measurements(
    posterior: CasePosterior,
    data: Observations,
    scale: float,
    scale_error: float,
    workers: int,
    prior: tuple[float, float] = ZERO_POINT_PRIOR,
    cases: Collection[str] = tuple(CASE_COLUMNS),
) -> Measurements:
    """Fit cases, parallaxes and motions of stars whose errors are already scaled.

    Parameters
    ----------
    posterior : Posterior
        Under everything else that was learned.
    data : Observations
        With learned reddening and scaled errors.
    scale, scale_error : float
        Factor on the errors, and the error of its logarithm, for the record.
    workers : int
        Threads.
    prior : tuple of 2 floats
        Mean and width of the prior of the zero point of parallaxes [mas].
    cases : collection of str
        Columns of the cases in use.

    Returns
    -------
    Measurements
    """
    usual = usual_measurements(prior)
    with_parallax = some_of(data.take(np.isfinite(data.parallax)), 1000)
    zero, zero_error, parallax_scale = *prior, 1.0
    fraction, error = usual.case_fraction, usual.case_fraction_error
    if with_parallax.n_star >= LEAST_STARS:
        zero, zero_error, parallax_scale, bad = fit_parallaxes(
            posterior, with_parallax, workers, prior
        )
        # Most stars of the sample have none: these here know the fraction of bad ones better.
        fraction = fraction.copy()
        fraction[BAD], fraction[CLEAN] = bad, fraction[CLEAN] + fraction[BAD] - bad
    motions = usual_motions()
    if data.with_motion and data.motion is not None:
        moving = some_of(data.take(data.motion.has_pm), 1000)
        motions = fit_motions(
            posterior, _with_parallaxes(moving, zero, zero_error, parallax_scale), workers
        )
    sample = some_of(data)
    doubt = no_doubt()
    if sample.n_star >= LEAST_STARS:
        sample = _with_parallaxes(sample, zero, zero_error, parallax_scale)
        if sample.motion is not None:
            moved = sample.motion.in_frame(
                motions.frame_masyr, motions.frame_error_masyr, motions.scale
            )
            sample = sample._replace(motion=moved)
        log_z = log_evidences(sample, posterior, workers, lattices="one")
        fraction, error = fit_cases(log_z, of_cases_in_use(fraction, cases))
        expected = log_expected(sample, log_z[:, CLEAN], posterior.variance(sample))
        doubt = learn_doubt(sample, expected)
    assert fraction.size == N_CASE
    return Measurements(
        np.full(len(LINEAR_BANDS), scale), scale_error, fraction, error, zero, zero_error,
        parallax_scale, sample.n_star, with_parallax.n_star, doubt, motions,
    )  # fmt: skip


def _with_parallaxes(
    data: Observations, zero: float, zero_error: float, scale: float
) -> Observations:
    """Return stars whose parallaxes have no zero point, and errors as they are."""
    return data._replace(
        parallax=data.parallax - zero,
        parallax_error=np.hypot(data.parallax_error * scale, zero_error),
    )
