"""Extinction law from the stars: the slope of a power law, and an offset in H.

    A_λ / E(J-Ks) ∝ λ^-α,   A_H / E(J-Ks) = power law + h,

normalised to the same A_J - A_Ks as the law that is corrected, so that the map keeps its meaning.
The slope can be measured because the model knows where the bar and the nuclear disc are: A_Ks and
the distance modulus trade off. In every quadrant α and h maximise the evidence of groups of stars,
each of which has a mean factor and a scatter of its own (`gcmock.calibration.cells`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.words.bands import BAND_TABLE, KS, H, J

WAVELENGTH_UM = np.array([band.wavelength_um for band in BAND_TABLE if band.kind == "linear"])
"""Effective wavelengths of J, H, Ks [µm]: 2MASS, for the reddened giants of the bulge. With them
the law of Wang & Chen 2019 (ApJ 877, 116) is the power law of slope 2.07 to 0.0001."""

SLOPE_PRIOR, OFFSET_PRIOR = (2.07, 0.3), (0.0, 0.05)
"""Mean and standard deviation of the priors of α and h."""

STARTS = ((2.07, 0.0), (1.85, 0.03), (2.3, -0.02))
"""(α, h) from which the optimiser starts."""

NEAR = 0.2
"""Starts this close to the first, in widths of the priors, are left out."""

DERIVATIVE_STEPS = (0.03, 0.004)
"""Half the widths of the differences in α and h that make derivatives."""

TOLERANCE, LONGEST_MOVE, MAX_ITERATIONS = 0.03, 1.5, 8
"""The search stops where less than this can be gained in ln posterior; longest move of an
iteration, in widths of the priors; and most iterations."""


class LawFit(NamedTuple):
    """Law of a region.

    Attributes
    ----------
    slope, offset : float
        α and h.
    covariance : ndarray, shape (2, 2)
        Of (α, h), from the curvature of the posterior.
    kappa : ndarray, shape (3,)
        A_J, A_H, A_Ks over E(J-Ks).
    kappa_error : ndarray, shape (3,)
        Their standard errors.
    n_star : int
        Stars.
    gain : float
        ln of the posterior over that of the law that was corrected.
    spread : float
        Largest difference of ln posterior between the best points of the starts.
    """

    slope: float
    offset: float
    covariance: Floats
    kappa: Floats
    kappa_error: Floats
    n_star: int
    gain: float
    spread: float


def power_law(slope: float, offset: float, excess: float) -> Floats:
    """A_J, A_H, A_Ks over E(J-Ks).

    Parameters
    ----------
    slope, offset : float
        α and h.
    excess : float
        A_J - A_Ks over E(J-Ks) of the map.

    Returns
    -------
    ndarray, shape (3,)
    """
    shape = WAVELENGTH_UM**-slope
    kappa = excess * shape / (shape[J] - shape[KS])
    kappa[H] += offset
    return np.asarray(kappa)


def parameters_of(kappa: Floats) -> tuple[float, float]:
    """Slope and offset of a law: the inverse of `power_law`."""
    low, high = 0.3, 6.0
    target = kappa[J] / kappa[KS]
    slope = float(np.log(target) / np.log(WAVELENGTH_UM[KS] / WAVELENGTH_UM[J]))
    slope = min(max(slope, low), high)
    return slope, float(kappa[H] - power_law(slope, 0.0, float(kappa[J] - kappa[KS]))[H])


def fit_law(
    evidence_near: Callable[[Floats], Callable[[Floats], float]],
    start: Floats,
    n_star: int,
    *,
    with_offset: bool = True,
) -> LawFit:
    """Fit slope and offset.

    The search from several starts uses the evidence that is exact near `start`; it is finished, and
    its error bars are taken, with that which is exact near the best law.

    Parameters
    ----------
    evidence_near : callable
        Given a law, shape (3,), returns a function of a law that is ln of the evidence of the
        stars, exact for laws close to the given one.
    start : ndarray, shape (3,)
        Law that is corrected: one of the starts, and its A_J - A_Ks is kept.
    n_star : int
        Stars behind `evidence_near`, for the record.
    with_offset : bool
        Fit the offset in H; else it is that of `start`.

    Returns
    -------
    LawFit
    """
    excess = float(start[J] - start[KS])
    first = parameters_of(start)
    scale = np.array([SLOPE_PRIOR[1], OFFSET_PRIOR[1]])
    centre = np.array([SLOPE_PRIOR[0], OFFSET_PRIOR[0]])
    n_free = 2 if with_offset else 1

    def full(x: Floats) -> Floats:
        return np.array([x[0], x[1] if with_offset else first[1] / scale[1]]) * scale

    def objective_of(evidence: Callable[[Floats], float]) -> Callable[[Floats], float]:
        known: dict[tuple[float, ...], float] = {}

        def objective(x: Floats) -> float:
            key = tuple(np.round(x, 6))
            if key not in known:
                slope, offset = full(x)
                if not 0.3 <= slope <= 6.0:
                    return 1e6
                z = (full(x) - centre) / scale
                prior = 0.5 * float(z[:n_free] @ z[:n_free])
                known[key] = prior - evidence(power_law(slope, offset, excess))
            return known[key]

        return objective

    step = np.array(DERIVATIVE_STEPS) / scale
    objective = objective_of(evidence_near(start))
    at_start = objective((np.array(first) / scale)[:n_free])
    found: list[Optimum] = []
    for begin in (first, *STARTS):
        x0 = (np.array(begin) / scale)[:n_free]
        if found and np.abs(x0 - found[0].start).max() < NEAR:
            continue
        found.append(newton(objective, x0, step[:n_free]))
        # Two starts that meet are enough.
        if len(found) > 1 and found[-1].meets(min(found[:-1], key=lambda r: r.value)):
            break
    best = min(found, key=lambda r: r.value)
    spread = max(r.value for r in found) - best.value
    slope, offset = (float(v) for v in full(best.x))
    near = power_law(slope, offset, excess)
    best = newton(objective_of(evidence_near(near)), best.x, step[:n_free])
    x = best.x
    covariance = np.zeros((2, 2))
    inverse = np.linalg.inv(best.hessian)
    covariance[:n_free, :n_free] = inverse * np.outer(scale, scale)[:n_free, :n_free]
    slope = float(x[0] * scale[0])
    offset = float(x[1] * scale[1]) if with_offset else first[1]
    kappa = power_law(slope, offset, excess)
    step = np.array([1e-4, 1e-4])
    jacobian = np.stack(
        [
            (power_law(slope + step[0], offset, excess) - kappa) / step[0],
            (power_law(slope, offset + step[1], excess) - kappa) / step[1],
        ],
        axis=1,
    )
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian), 0.0))
    gain = at_start - best.value
    return LawFit(slope, offset, covariance, kappa, error, n_star, gain, spread)


class Optimum(NamedTuple):
    """Where a search ended, in units of the priors' widths.

    Attributes
    ----------
    start, x : ndarray, shape (n_free,)
        First and last point.
    value : float
        Objective there.
    hessian : ndarray, shape (n_free, n_free)
        Second derivatives near there; never flatter than the priors.
    """

    start: Floats
    x: Floats
    value: float
    hessian: Floats

    def meets(self, other: Optimum) -> bool:
        """Whether another search ended in the same place."""
        away = self.x - other.x
        return bool(away @ self.hessian @ away < 0.5)


def newton(objective: Callable[[Floats], float], start: Floats, step: Floats) -> Optimum:
    """Minimise a function of one or two variables by Newton's method with wide differences.

    The evidence changes a little with the lattices that a law makes, so that differences must be
    wide, and there are few evaluations to spend.

    Parameters
    ----------
    objective : callable
    start, step : ndarray, shape (n_free,)
        First point, and half the width of the differences.

    Returns
    -------
    Optimum
    """
    x, value = start, objective(start)
    hessian = np.eye(start.size)
    for _ in range(MAX_ITERATIONS):
        gradient, hessian = _derivatives(objective, x, step)
        move = -np.linalg.solve(hessian, gradient)
        move *= min(1.0, LONGEST_MOVE / float(np.abs(move).max() + 1e-12))
        expected = -float(gradient @ move + 0.5 * move @ hessian @ move)
        if expected < TOLERANCE:
            break
        for _ in range(5):
            at = objective(x + move)
            if at < value:
                break
            move = 0.4 * move
        else:
            break
        gained, x, value = value - at, x + move, at
        if gained < TOLERANCE:
            break
    return Optimum(start, x, value, hessian)


def _derivatives(
    objective: Callable[[Floats], float], x: Floats, step: Floats
) -> tuple[Floats, Floats]:
    """Gradient and second derivatives, the latter never flatter than the priors."""
    n = x.size
    centre = objective(x)
    unit = np.diag(step[:n])
    plus = np.array([objective(x + u) for u in unit])
    minus = np.array([objective(x - u) for u in unit])
    hessian = np.diag((plus - 2.0 * centre + minus) / step**2)
    if n == 2:
        corner = objective(x + unit[0] + unit[1]) - plus.sum() + centre
        # The mean of two opposite corners: odd terms cancel.
        corner = 0.5 * (corner + objective(x - unit[0] - unit[1]) - minus.sum() + centre)
        hessian[0, 1] = hessian[1, 0] = corner / (step[0] * step[1])
    values, vectors = np.linalg.eigh(hessian)
    # The priors alone have a curvature of one in these units.
    return (plus - minus) / (2.0 * step), (vectors * np.maximum(values, 1.0)) @ vectors.T
