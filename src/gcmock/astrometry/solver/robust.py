"""Weights that bound the influence of disturbed observations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.astrometry.solver.problem import Floats

ROBUST: Final = ("none", "huber", "agis")
"""Names of the weight functions."""

HUBER_LIMIT: Final = 2.0
"""Size of a residual, in standard errors, from which its weight falls.

The size is the length of the two whitened residuals of an observation; undisturbed, it exceeds 2
with probability exp(-2) = 0.135, about as a single residual exceeds the usual limit 1.345 of Huber
(0.179).
"""


SMALLEST_WEIGHT: Final = 1e-4
"""Nothing loses all its weight, so that no matrix becomes singular."""


def weights(size: Floats, kind: str) -> Floats:
    """Factor on the weight of observations.

    Parameters
    ----------
    size : ndarray
        Length of the whitened residual.
    kind : str
        ``huber``: 1, and limit / size beyond the limit (Huber 1964, Ann. Math. Stat. 35, 73).
        ``agis``: the function of the Gaia solution, 1 up to 2, a cubic to 3, then exp(-size / 3)
        (Lindegren et al. 2012, A&A 538, A78, eq. 66), but not below `SMALLEST_WEIGHT`.
        ``none``: 1.

    Returns
    -------
    ndarray
        In (0, 1].
    """
    if kind == "huber":
        return HUBER_LIMIT / np.maximum(size, HUBER_LIMIT)
    if kind == "agis":
        t = np.clip(size - 2.0, 0.0, 1.0)
        cubic = 1.0 - 1.773735 * t**2 + 1.141615 * t**3
        far = np.exp(-np.maximum(size, 3.0) / 3.0)
        return np.maximum(np.where(size < 3.0, cubic, far), SMALLEST_WEIGHT)
    return np.ones_like(size)


def variance_factor(size: Floats | Iterable[Floats], kind: str, n_freedom: int) -> float:
    """Factor by which robust weights change the covariance (A'WA)^-1.

    An M-estimator has the covariance E[psi^2] / E[psi']^2 (A'A)^-1 (Huber & Ronchetti 2009, Robust
    Statistics, section 7.6); here it is written for (A'WA)^-1 with the mean weight, and for two
    residuals per observation: psi' is the mean of the two derivatives of psi(r) = w(|r|) r, which
    is w + |r| w' / 2.

    Parameters
    ----------
    size : ndarray, shape (n,), or iterable of them
        Lengths of the whitened residuals.
    kind : str
    n_freedom : int
        Degrees of freedom of the solution; there are 2 n residuals.
    """
    square = derivative = weight = 0.0
    n = 0
    for part in [size] if isinstance(size, np.ndarray) else size:
        w = weights(part, kind)
        step = 1e-4
        slope = (weights(part + step, kind) - weights(np.maximum(part - step, 0.0), kind)) / (
            part + step - np.maximum(part - step, 0.0)
        )
        square += (w**2 * part**2).sum()
        derivative += (w + 0.5 * part * slope).sum()
        weight += w.sum()
        n += len(part)
    mean = derivative / n
    return float(square / max(n_freedom, 1) / mean**2 * (weight / n))


def robust_fraction(factor: NDArray[np.float32], weight: NDArray[np.float32]) -> float:
    """Fraction of the observations with less than full weight.

    Parameters
    ----------
    factor : ndarray
        Robust factors.
    weight : ndarray
        Positive where there is an observation.
    """
    seen = less = 0
    for start in range(0, len(factor), 100_000):
        rows = slice(start, start + 100_000)
        there = weight[rows] > 0.0
        seen += int(there.sum())
        less += int((there & (factor[rows] < 1.0)).sum())
    return less / max(seen, 1)
