"""Factors on the numbers of stars of every group, together with the width of the reddening.

    ln P(w, s, a) = Σ_i ln [Σ_g w_g Z_ig(s) / Σ_g w_g Λ_ig(s) + a o_i / Λ_i]
                   - n ln (1 + a ε) + ln P(w, a),

with Z_ig the evidence of group g under the reddening at the place of star i (from its neighbours
without itself), Λ_ig the stars that the model expects there between the limits, and o_i the
evidence that the measurements are not clean, of which there are a times as many as the usual
fraction ε: stars in the wings of the bar must not be taken for outliers. The denominator says how
likely stars of a group are to be seen at all: without it the weights would be wrong by large
factors.

The widths of the reddening are scaled by s together with the weights: a width that is a little too
large turns bar stars into nuclear ones, because the nuclear disc is narrow in distance, and
w(nuclear) / w(bar) grows by a half where the width is 0.04 of the reddening too large.

Old stars have ln w ~ N(0, 0.3²). Younger stars of the nuclear disc have a gamma distribution of
shape 2, whose means are what has been published of its star formation: of its mass 5 to 15 % formed
1 Gyr ago and 5 to 10 % in the last 0.6 Gyr (Nogueras-Lara et al. 2020, Nature Astronomy 4, 377;
Schoedel et al. 2023, A&A 672, L8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import minimize

from gcmock.arrays import Floats
from gcmock.calibration.curves import GROUPS, USUAL_OF_GROUP
from gcmock.words.cases import CLEAN, usual_fractions

LOG_WEIGHT_PRIOR: Final = 0.3
"""Standard deviation of the prior of ln w of old stars."""

NOT_CLEAN: Final = float(1.0 - usual_fractions()[CLEAN])
"""ε."""

LOG_AMOUNT_PRIOR: Final = (-1.5, 1.5)
"""Mean and standard deviation of the prior of ln a."""

YOUNG_MEANS: Final = {"thin3": 0.06, "thin2": 0.05, "thin1": 0.02}
"""Means of the priors of the younger parts, as fractions of all stars of the component."""

SCALES: Final = (0.05, 0.12, 0.25, 0.45, 0.7, 1.0, 1.35, 1.8)
"""Factors on the widths of the reddening that are tried."""

LOG_SCALE_PRIOR: Final = 1.5
"""Standard deviation of the prior of their logarithm."""

NEAR: Final = tuple(np.exp(0.12 * np.arange(-6, 7)))
"""Factors on a scale that is known roughly, which are tried."""

MOST_PARABOLAS, LEAST_LOG_SCALE, LEAST_FALL = 4, 0.02, 0.05
"""Of the search for the factor: steps behind the walk, the least one in its logarithm, and the
least gain of ln P that is worth another look."""

LEAST_STARS: Final = 300
"""With fewer stars the weights scatter by more than their prior."""

LARGEST: Final = 4.0
"""Largest ln w that is tried."""

_LEAST_YOUNG: Final = 1e-6


class Weights(NamedTuple):
    """Factors on the numbers of stars of the groups, and on the widths of the reddening.

    Attributes
    ----------
    of_group : ndarray, shape (n_group,)
        Stars of every group of `gcmock.calibration.curves.GROUPS` over those of its components in
        the model.
    error : ndarray, shape (n_group,)
        Standard errors.
    covariance : ndarray, shape (n_group, n_group)
    scale : float
        Factor on the widths of the reddening.
    n_star : int
        Stars behind the fit; 0 if there was none.
    gain : float
        ln of the posterior over that of the usual weights, with the same widths.
    """

    of_group: Floats
    error: Floats
    covariance: Floats
    scale: float
    n_star: int
    gain: float

    @property
    def ratio(self) -> tuple[float, float]:
        """Nuclear over bar weight, old stars of both, and the standard error."""
        nuclear, bar = GROUPS.index("nuclear"), GROUPS.index("bar")
        value = float(self.of_group[nuclear] / self.of_group[bar])
        direction = np.zeros(len(GROUPS))
        direction[nuclear], direction[bar] = 1.0 / self.of_group[nuclear], -1.0 / self.of_group[bar]
        return value, value * float(np.sqrt(direction @ self.covariance @ direction))


def usual_weights() -> Weights:
    """Weights that were not learned."""
    n = len(GROUPS)
    return Weights(USUAL_OF_GROUP.copy(), np.zeros(n), np.zeros((n, n)), 1.0, 0, 0.0)


def fit_weights(
    evidence: Callable[[float], tuple[Floats, Floats]],
    floor: Floats,
    *,
    free_scale: bool = True,
    guess: Weights | None = None,
) -> Weights:
    """Fit weights and the scale of the widths.

    Parameters
    ----------
    evidence : callable
        Takes a factor on the widths of the reddening, and returns Z_ig and Λ_ig, each
        (n_star, n_group).
    floor : ndarray, shape (n_star,)
        Evidence of all cases but the clean one.
    free_scale : bool
        Fit the scale; 1 if not.
    guess : Weights, optional
        Of an earlier fit: the scale is sought near to its own.

    Returns
    -------
    Weights
        The usual ones if there are fewer than `LEAST_STARS` stars.
    """
    n = floor.size
    if n < LEAST_STARS:
        return usual_weights()
    found: dict[float, tuple[_Objective, float, Floats]] = {}
    x0 = _start()
    scales: Sequence[float] = SCALES
    if guess is not None and guess.n_star:
        # All of them inside the range: at its end two would be the same.
        middle = float(np.clip(guess.scale, SCALES[0] / NEAR[0], SCALES[-1] / NEAR[-1]))
        scales = tuple(middle * f for f in NEAR)

    def look(scale: float) -> float:
        if scale not in found:
            near = min(found, key=lambda s: abs(np.log(s / scale)), default=None)
            objective = _Objective(*evidence(scale), floor)
            best = _minimise(objective, x0 if near is None else found[near][2])
            found[scale] = objective, float(best.fun), best.x
        return found[scale][1] + 0.5 * float(np.log(scale) / LOG_SCALE_PRIOR) ** 2

    scale = _best_scale(look, scales) if free_scale else 1.0
    look(scale)
    objective, value, x = found[scale]
    return _result(objective, x, scale, n, objective(x0)[0] - value)


def _best_scale(look: Callable[[float], float], scales: Sequence[float] = SCALES) -> float:
    """Walk down along the scales, then follow parabolas in their logarithm to the least."""
    at = scales.index(1.0) if scales is SCALES else len(scales) // 2
    value = {i: look(scales[i]) for i in (at - 1, at, at + 1)}
    while 0 < min(value, key=lambda i: value[i]) < len(scales) - 1:
        best = min(value, key=lambda i: value[i])
        fresh = [i for i in (best - 1, best + 1) if i not in value]
        if not fresh:
            break
        value |= {i: look(scales[i]) for i in fresh}
    found = {float(np.log(scales[i])): y for i, y in value.items()}
    for _ in range(MOST_PARABOLAS):
        points = np.array(sorted(found))
        values = np.array([found[x] for x in points])
        at = int(np.clip(values.argmin(), 1, points.size - 2))
        x, y = points[at - 1 : at + 2], values[at - 1 : at + 2]
        a, b, _ = np.polyfit(x - x[1], y - y[1], 2)
        if a <= 0.0:
            break
        least = float(np.clip(x[1] - 0.5 * b / a, np.log(SCALES[0]), np.log(SCALES[-1])))
        if np.abs(points - least).min() < LEAST_LOG_SCALE or b * b < 4.0 * a * LEAST_FALL:
            return float(np.exp(least))
        # Over steps so wide ln P is no parabola where the stars are many.
        found[least] = look(float(np.exp(least)))
    return float(np.exp(min(found, key=lambda x: found[x])))


_YOUNG: Final = np.array([name.split("_")[-1] if "_" in name else "" for name in GROUPS])
_IS_YOUNG: Final = USUAL_OF_GROUP == 0.0
_THETA: Final = np.array([0.5 * YOUNG_MEANS.get(name, 0.04) for name in _YOUNG])
"""Scales of the gamma distributions of shape 2."""


def _start() -> Floats:
    """First point: usual weights of old stars, the most probable fractions of younger ones."""
    return np.append(np.where(_IS_YOUNG, np.log(_THETA), 0.0), LOG_AMOUNT_PRIOR[0])


class _Objective:
    """Minus ln of the posterior and its gradient, as a function of ln w."""

    def __init__(self, z: Floats, expected: Floats, floor: Floats) -> None:
        self.z, self.expected, n = z, expected, expected.shape[1]
        self.n_group = n
        self.others = (floor + 1e-300) / (expected @ USUAL_OF_GROUP)

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        x, amount = x[: self.n_group], x[self.n_group]
        w = np.exp(x)
        seen = self.expected @ w
        clean = (self.z @ w) / seen
        others = np.exp(amount) * self.others
        total = clean + others
        value = -float(np.log(total).sum())
        per_star = 1.0 / (total * seen)
        gradient = w * ((per_star * clean) @ self.expected - per_star @ self.z)
        old = np.where(_IS_YOUNG, 0.0, x / LOG_WEIGHT_PRIOR)
        value += 0.5 * float(old @ old)
        gradient += old / LOG_WEIGHT_PRIOR
        # Gamma of shape 2 in w; in ln w a factor w more, so that the mode in w is what is found.
        ratio = np.where(_IS_YOUNG, w / _THETA, 0.0)
        value += float(np.where(_IS_YOUNG, ratio - x, 0.0).sum())
        gradient += np.where(_IS_YOUNG, ratio - 1.0, 0.0)
        away = (amount - LOG_AMOUNT_PRIOR[0]) / LOG_AMOUNT_PRIOR[1]
        odds = NOT_CLEAN * float(np.exp(amount))
        value += 0.5 * away**2 + total.size * float(np.log1p(odds))
        of_amount = away / LOG_AMOUNT_PRIOR[1] - float((others / total).sum())
        of_amount += total.size * odds / (1.0 + odds)
        return float(value), np.append(gradient, of_amount)


def _minimise(objective: _Objective, start: Floats):  # type: ignore[no-untyped-def]
    low = np.where(_IS_YOUNG, np.log(_LEAST_YOUNG), -LARGEST)
    bounds = [*((least, LARGEST) for least in low), (-12.0, 3.0)]
    return minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
    )


def _result(objective: _Objective, x: Floats, scale: float, n_star: int, gain: float) -> Weights:
    """Weights and their errors from the curvature."""
    step = 1e-3
    hessian = np.stack(
        [
            (objective(x + step * u)[1] - objective(x - step * u)[1]) / (2.0 * step)
            for u in np.eye(x.size)
        ]
    )
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    of_log = (vectors / np.maximum(values, 1e-3)) @ vectors.T
    w = np.exp(x[: objective.n_group])
    covariance = of_log[:-1, :-1] * np.outer(w, w)
    return Weights(w, np.sqrt(np.diag(covariance)), covariance, scale, n_star, float(gain))
