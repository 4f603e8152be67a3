"""Fits of few numbers to the evidence of stars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from gcmock.arrays import Floats

PRIOR_STARS: Final = 60.0
"""Weight of the usual fractions of the cases, in stars."""

N_EM: Final = 200
"""Most steps of expectation and maximisation."""


def least_of(value: Callable[[float], float], points: Floats) -> tuple[float, float]:
    """Find the least value of a smooth function of one variable, and the width there.

    Parameters
    ----------
    value : callable
        Minus ln of a posterior.
    points : ndarray
        Where it is computed, increasing; a parabola goes through the three lowest neighbours.

    Returns
    -------
    best, width : float
        Never outside the points.
    """
    y = np.array([value(float(x)) for x in points])
    at = int(np.clip(y.argmin(), 1, points.size - 2))
    x, z = points[at - 1 : at + 2], y[at - 1 : at + 2]
    a, b, _ = np.polyfit(x - x[1], z - z[1], 2)
    if a <= 0.0:
        return float(points[y.argmin()]), float(np.ptp(points))
    best = float(np.clip(x[1] - 0.5 * b / a, points[0], points[-1]))
    return best, float(1.0 / np.sqrt(2.0 * a))


def with_bad_fraction(good: Floats, bad: Floats, usual: float) -> tuple[float, float]:
    """Return ln of the likelihood of measurements, and the best fraction of bad ones.

    A width that is too small and measurements that are bad look alike star by star: with a fixed
    fraction of bad ones the others would seem to scatter more than they do.

    Parameters
    ----------
    good, bad : ndarray, shape (n_star,)
        ln of the evidence under either; -inf where it does not explain the star.
    usual : float
        Fraction of bad ones that is usual, with the weight of `PRIOR_STARS`.
    """
    known = np.isfinite(np.maximum(good, bad))
    good, bad = good[known], bad[known]
    fraction = usual
    for _ in range(N_EM):
        with np.errstate(over="ignore"):
            of_bad = 1.0 / (1.0 + np.exp(good - bad) * (1.0 - fraction) / fraction)
        new = (of_bad.sum() + PRIOR_STARS * usual) / (of_bad.size + PRIOR_STARS)
        if abs(new - fraction) < 1e-5:
            break
        fraction = float(new)
    total = np.logaddexp(good + np.log1p(-fraction), bad + np.log(fraction))
    prior = usual * np.log(fraction) + (1.0 - usual) * np.log1p(-fraction)
    return float(total.sum() + PRIOR_STARS * prior), fraction
