"""Which stars of the nuclear disc parallax and proper motion tell from the others."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.astrometry.solver.problem import Floats
from gcmock.compilation import compiled

STARS_PER_GROUP: Final = 1500
"""True stars per group that stand for its distribution."""

MEASURES: Final = {
    "parallax": (0,),
    "proper motion": (1, 2),
    "parallax and proper motion": (0, 1, 2),
}
"""What is used of (parallax, pmra, pmdec)."""


def group_probability(
    measured: Floats,
    covariance: Floats,
    truth: Floats,
    group: NDArray[np.int64],
    n_group: int,
    use: tuple[int, ...],
    seed: int = 1,
) -> Floats:
    """Probability of each group for stars with measured astrometry, the groups' stars being known.

    The distribution of a group is a kernel estimate: the mean of normal distributions about a
    sample of its true stars, other than the star itself, as wide as the errors of the measured star
    and a smoothing in quadrature (rule of Scott 1992, Multivariate Density Estimation, with the
    covariance of the inner 95 % of the sample). Groups count by their numbers of stars.

    Parameters
    ----------
    measured : ndarray, shape (n, 3)
        Parallax, pmra, pmdec [mas, mas/yr].
    covariance : ndarray, shape (n, 3, 3)
    truth : ndarray, shape (n, 3)
    group : ndarray of int, shape (n,)
    n_group : int
    use : tuple of int
        Columns that are used.
    seed : int
        Of the samples.

    Returns
    -------
    ndarray, shape (n, n_group)
    """
    rng = np.random.default_rng(seed)
    columns = list(use)
    x = np.ascontiguousarray(measured[:, columns])
    c = covariance[:, columns][:, :, columns]
    log_p = np.full((len(x), n_group), -np.inf)
    for g in range(n_group):
        members = np.flatnonzero(group == g)
        if len(members) < 2:
            continue
        chosen = rng.choice(members, min(STARS_PER_GROUP, len(members)), replace=False)
        sample = np.ascontiguousarray(truth[chosen][:, columns])
        wide = c + _smoothing(sample)
        inverse = np.ascontiguousarray(np.linalg.inv(wide))
        norm = -0.5 * np.linalg.slogdet(wide)[1]
        density = _log_mean(x, inverse, sample, chosen)
        log_p[:, g] = density + norm + np.log(len(members))
    log_p -= log_p.max(axis=1, keepdims=True)
    p = np.exp(log_p)
    return p / p.sum(axis=1, keepdims=True)


def _smoothing(sample: Floats) -> Floats:
    low, high = np.quantile(sample, [0.025, 0.975], axis=0)
    inner = sample[((sample >= low) & (sample <= high)).all(axis=1)]
    n, d = sample.shape
    spread = np.atleast_2d(np.cov(inner if len(inner) > 2 * d else sample, rowvar=False))
    return spread * n ** (-2.0 / (d + 4)) + 1e-8 * np.eye(d)


@compiled(nogil=True, error_model="numpy")
def _log_mean(x, inverse, sample, own):  # pragma: no cover
    """Log of the mean of exp(-chi2 / 2) over the sample, without the star itself."""
    n, d = x.shape
    out = np.empty(n)
    for i in range(n):
        total, count, best = 0.0, 0, 1e300
        for k in range(len(sample)):
            if own[k] == i:
                continue
            q = 0.0
            for a in range(d):
                for b in range(d):
                    q += (x[i, a] - sample[k, a]) * inverse[i, a, b] * (x[i, b] - sample[k, b])
            count += 1
            if q < best:
                total = total * np.exp(0.5 * (q - best)) + 1.0 if total > 0.0 else 1.0
                best = q
            else:
                total += np.exp(-0.5 * (q - best))
        out[i] = np.log(total / count) - 0.5 * best
    return out
