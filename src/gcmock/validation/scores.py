"""Scores of posteriors against known truths, and the limits that chance sets to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, chi2, kstwo, norm

from gcmock.arrays import Booleans, Floats
from gcmock.validation.result import FALSE_ALARM

_ECE_BINS = 10


def ranks(draws: NDArray[Any], truth: Floats, seed: int = 14) -> Floats:
    """Rank of the truth among draws, spread evenly over (0, 1); uniform if calibrated.

    Parameters
    ----------
    draws : ndarray, shape (n_star, n_draw)
    truth : ndarray, shape (n_star,)
    seed : int
        Of the spreading.

    Returns
    -------
    ndarray, shape (n_star,)
        Equal draws share the rank at random (Talts et al. 2018, arXiv:1804.06788).
    """
    chance = np.random.default_rng(seed).random(truth.size)
    draw = np.asarray(draws)
    lower = (draw < truth[:, None]).sum(axis=1)
    equal = (draw == truth[:, None]).sum(axis=1)
    return np.asarray((lower + chance * (1 + equal)) / (draw.shape[1] + 1))


def binary_ranks(probability: Floats, happened: Booleans, seed: int = 15) -> Floats:
    """Randomised probability integral transform of events; uniform if P is their frequency.

    The distribution function of a Bernoulli variable, spread evenly over its steps (Czado, Gneiting
    & Held 2009, Biometrics 65, 1254). Shape (n_star,).
    """
    p = np.clip(probability.astype(np.float64), 0.0, 1.0)
    chance = np.random.default_rng(seed).random(p.size)
    return np.asarray(np.where(happened, 1.0 - p + chance * p, chance * (1.0 - p)))


def ks_uniform(values: Floats) -> float:
    """Kolmogorov-Smirnov distance from the uniform distribution."""
    x, n = np.sort(values), values.size
    return float(max((np.arange(1, n + 1) / n - x).max(), (x - np.arange(n) / n).max()))


def ks_limit(n: int, false_alarm: float = FALSE_ALARM) -> float:
    """Kolmogorov-Smirnov distance that `n` uniform values exceed with the given chance."""
    return float(kstwo.isf(false_alarm, n))


def brier(probability: Floats, happened: Booleans) -> float:
    """Mean of (P - truth)² (Brier 1950)."""
    return float(((probability - happened) ** 2).mean())


def expected_calibration_error(probability: Floats, happened: Booleans) -> float:
    """Sum over ten bins of P of |mean P - true fraction| times the fraction of stars in the bin."""
    place = np.minimum((probability * _ECE_BINS).astype(int), _ECE_BINS - 1)
    difference = np.bincount(place, probability - happened, _ECE_BINS)
    return float(np.abs(difference).sum() / probability.size)


def calibration_error_limit(
    probability: Floats, false_alarm: float = FALSE_ALARM, n_sky: int = 200, seed: int = 16
) -> float:
    """Return the calibration error that calibrated probabilities exceed with the given chance.

    From `n_sky` simulated truths, extrapolated with a Gaussian.
    """
    rng = np.random.default_rng(seed)
    p = np.clip(probability, 0.0, 1.0)
    sample = [expected_calibration_error(p, rng.random(p.size) < p) for _ in range(n_sky)]
    return float(np.mean(sample) + norm.isf(false_alarm) * np.std(sample))


def coverage(truth: Floats, low: Floats, high: Floats) -> float:
    """Fraction of stars whose truth lies in an interval."""
    return float(((truth >= low) & (truth <= high)).mean())


def coverage_limits(
    fraction: float, n: int, false_alarm: float = FALSE_ALARM
) -> tuple[float, float]:
    """Distances below and above `fraction` that a right coverage exceeds with the given chance."""
    low, high = binom.ppf([false_alarm / 2.0, 1.0 - false_alarm / 2.0], n, fraction) / n
    return float(fraction - low), float(high - fraction)


def area_under_curve(p: Floats, positive: Booleans) -> float:
    """Chance that a positive has a larger value than a negative."""
    order = np.argsort(np.argsort(p))
    n = int(positive.sum())
    rank = float(order[positive].sum() + n)
    return (rank - n * (n + 1) / 2.0) / max(n * (p.size - n), 1)


def number_p_value(probability: Floats, happened: int) -> float:
    """Two-sided p-value of a number of events with different probabilities.

    The distribution of the sum (Poisson-binomial) from its characteristic function (Hong 2013,
    Comput. Stat. Data Anal. 59, 41).

    Parameters
    ----------
    probability : ndarray, shape (n,)
    happened : int
        How many of them happened.
    """
    p = np.clip(probability.astype(np.float64), 0.0, 1.0)
    # Far from the mean there is nothing: the transform needs no more points than that.
    mean, sigma = p.sum(), np.sqrt((p * (1.0 - p)).sum())
    size = int(min(p.size, np.ceil(mean + 12.0 * sigma + 40.0))) + 1
    angle = 2.0 * np.pi * np.arange(size) / size
    log = np.zeros(size, np.complex128)
    for part in np.array_split(p, max(1, p.size // 256)):
        log += np.log(1.0 + part[:, None] * (np.exp(1j * angle) - 1.0)[None, :]).sum(axis=0)
    mass = np.maximum(np.fft.fft(np.exp(log)).real / size, 0.0)
    if happened >= size:
        return 0.0
    lower, upper = mass[: happened + 1].sum(), mass[happened:].sum()
    return float(min(1.0, 2.0 * min(lower, upper)))


def marginal_homogeneity(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[float, int]:
    """Chi-square that two measurements of the same stars fall into bins alike.

    Stars that change the bin are the only evidence (Stuart 1955, Biometrika 42, 412; Maxwell 1970).
    Bins that no star enters or leaves are left out.

    Parameters
    ----------
    first, second : ndarray of int, shape (n_star,)
        Bin of every star, from 0.

    Returns
    -------
    chi2 : float
    dof : int
        0 if no star changed its bin.
    """
    size = int(max(first.max(initial=0), second.max(initial=0))) + 1
    table = np.zeros((size, size))
    np.add.at(table, (first, second), 1.0)
    moved = table.sum(axis=0) + table.sum(axis=1) - 2.0 * np.diag(table)
    used = np.flatnonzero(moved > 0)
    if used.size < 2:
        return 0.0, 0
    difference = (table.sum(axis=1) - table.sum(axis=0))[used]
    matrix = -(table + table.T)[np.ix_(used, used)]
    np.fill_diagonal(matrix, moved[used])
    # The differences add up to zero: the matrix has one rank less than it has bins.
    inverse = np.linalg.pinv(matrix, rcond=1e-10, hermitian=True)
    rank = int(np.linalg.matrix_rank(matrix, tol=1e-8 * moved.max(), hermitian=True))
    return float(difference @ inverse @ difference), rank


def two_sample(first: Floats, second: Floats, *, free_scale: bool = False) -> tuple[float, int]:
    """Chi-square of two histograms of counts.

    Parameters
    ----------
    first, second : ndarray, shape (n_bin,)
        Poisson numbers. Bins without any are left out.
    free_scale : bool
        Compare shapes only: the totals may differ.

    Returns
    -------
    chi2 : float
    dof : int
    """
    total = first + second
    used = total > 0
    if not used.any() or (free_scale and min(first.sum(), second.sum()) == 0):
        return 0.0, 0
    a, b, total = first[used], second[used], total[used]
    if not free_scale:
        return float(((a - b) ** 2 / total).sum()), int(used.sum())
    scale = np.sqrt(second.sum() / first.sum())
    return float(((scale * a - b / scale) ** 2 / total).sum()), int(used.sum()) - 1


def chi2_p_value(value: float, dof: int) -> float:
    """Chance of a larger chi-square; 1 without degrees of freedom."""
    return float(chi2.sf(value, dof)) if dof > 0 else 1.0
