"""What a list was cut at, star by star and node by node.

A star of the list has passed its limits. Given a node and a distance, the reddening of the star is
a Gaussian, and with it every magnitude that was not observed: its probability to pass is

    Π_l Φ(± (x_l - limit_l) / sqrt(width_l² + (dx_l/dE)² σ_E²)),

with x_l the magnitude or colour at the most probable reddening. What was observed enters as it was
observed; a limit of which all bands were observed says nothing of a star, because it passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.posterior.kernel.bands import KS, N_SEEN, SLOT, H, J, has_synthetic
from gcmock.posterior.kernel.fastmath import HOT, INNER, LEAST_SUM
from gcmock.posterior.kernel.terms import N_NEWTON, synthetic_shift
from gcmock.posterior.kernel.vector import LANES
from gcmock.random import uniform_scalar
from gcmock.words.bands import BANDS, LINEAR_BANDS, N_LINEAR, SYNTHETIC, SYNTHETIC_BANDS
from gcmock.words.limits import Limit

MOST_LIMITS = 16
"""Most limits of a list: those that are given, and those that were found."""

REDDENING_AGAIN, N_AGAIN = 600, 90
"""Place of the random numbers of a reddening that passes, and how often one is drawn."""

H_KS_FROM, H_KS_STEP, N_H_KS = -0.3, 0.02, 100
"""Range of J - H without dust for which H - Ks is tabulated [mag]."""

SQRT_HALF = np.sqrt(0.5)


class Limits(NamedTuple):
    """Limits that say something of the stars of a kind.

    Attributes
    ----------
    coefficient : ndarray, shape (n_limit, 4)
        Of J, H, Ks and the synthetic band in what is limited: 1, -1 or 0.
    value, width : ndarray, shape (n_limit,)
        Limit and width of its step [mag].
    sign : ndarray, shape (n_limit,)
        1 if what is above passes, -1 if what is below does.
    """

    coefficient: NDArray[np.float64]
    value: NDArray[np.float64]
    width: NDArray[np.float64]
    sign: NDArray[np.float64]


class StarLimits(NamedTuple):
    """The limits of one star, in the work space of a thread.

    Attributes
    ----------
    n_limit : ndarray of int64, shape (1,)
        Number of limits; the rows behind are not used.
    coefficient : ndarray, shape (16, 4)
        Of the bands that were not observed.
    value, width, sign : ndarray, shape (16,)
        Limits less what was observed [mag], and as in `Limits`.
    mag, precision : ndarray, shape (4,)
        Magnitudes [mag] and their inverse variances; zero for those that were not observed.
    """

    n_limit: NDArray[np.int64]
    coefficient: NDArray[np.float64]
    value: NDArray[np.float64]
    width: NDArray[np.float64]
    sign: NDArray[np.float64]
    mag: NDArray[np.float64]
    precision: NDArray[np.float64]


def limits_of(limits: Sequence[Limit], mask: int, synthetic: int = 0) -> Limits:
    """Arrange the limits that say something of stars with some bands.

    Parameters
    ----------
    limits : sequence of Limit
    mask : int
        Bands that were observed, as the kernels see them; without any nothing is limited.
    synthetic : int
        Which of the synthetic bands stands behind the linear ones.

    Returns
    -------
    Limits
    """
    place = {name: i for i, name in enumerate(LINEAR_BANDS)}
    # A posterior may know more relations than the table has bands: no limit can name those.
    place.update(dict.fromkeys(SYNTHETIC_BANDS[synthetic : synthetic + 1], N_LINEAR))
    assert set(place) <= set(BANDS)
    rows, kept = [], []
    for limit in limits:
        if not mask or not all(name in place for name in limit.bands):
            continue
        row = np.zeros(N_LINEAR + 1)
        row[place[limit.blue]] = 1.0
        if limit.red:
            row[place[limit.red]] = -1.0
        if any(row[b] and not mask & (1 << b) for b in range(N_LINEAR + 1)):
            rows.append(row)
            kept.append(limit)
    return Limits(
        np.array(rows).reshape(-1, N_LINEAR + 1),
        np.array([limit.value for limit in kept], np.float64),
        np.array([limit.width for limit in kept], np.float64),
        np.array([1.0 if limit.above else -1.0 for limit in kept]),
    )


def neutral_colours(mag: Floats, weight: Floats) -> Floats:
    """Return H - Ks of stars without dust by their J - H [mag].

    Parameters
    ----------
    mag : ndarray, shape (3, n_node)
        M_J, M_H, M_Ks of nodes [mag].
    weight : ndarray, shape (n_node,)
        Stars at each node. The bright ones, seen from afar, count more, as in a list that is
        complete to a magnitude.

    Returns
    -------
    ndarray, shape (n_colour,)
        At J - H of `H_KS_FROM` and every `H_KS_STEP` more [mag].
    """
    place = np.clip(np.rint((mag[J] - mag[H] - H_KS_FROM) / H_KS_STEP), 0, N_H_KS - 1)
    seen = weight * 10.0 ** (-0.6 * mag[KS])
    total = np.bincount(place.astype(np.int64), seen, N_H_KS)
    red = np.bincount(place.astype(np.int64), seen * (mag[H] - mag[KS]), N_H_KS)
    known = np.flatnonzero(total > 0.0)
    return np.interp(np.arange(N_H_KS), known, red[known] / total[known])


def no_limits() -> StarLimits:
    """Work space for the limits of a star."""
    n = MOST_LIMITS
    return StarLimits(
        np.zeros(1, np.int64), np.zeros((n, N_LINEAR + 1)), np.zeros(n), np.zeros(n), np.zeros(n),
        np.zeros(N_LINEAR + 1), np.zeros(N_LINEAR + 1),
    )  # fmt: skip


assert 1 << SLOT == SYNTHETIC


@njit(**INNER)
def limits_of_star(mask, mag, variance, limits, out):
    """Fill the `StarLimits` of a star: what it must still pass, given what was observed."""
    n = limits.value.size
    out.n_limit[0] = n
    if n == 0:
        return
    for b in range(N_SEEN):
        seen = mask & (1 << b) != 0
        out.mag[b] = mag[b] if seen else 0.0
        out.precision[b] = 1.0 / variance[b] if seen else 0.0
    for i in range(n):
        out.value[i], out.width[i], out.sign[i] = limits.value[i], limits.width[i], limits.sign[i]
        for b in range(N_SEEN):
            out.coefficient[i, b] = limits.coefficient[i, b]
            if mask & (1 << b):
                out.value[i] -= limits.coefficient[i, b] * mag[b]
                out.coefficient[i, b] = 0.0


@njit(**HOT)
def best_reddening(mask, law, j0, h0, k0, e, tau, limits):
    """Most probable E(J-Ks) of a star of a node at a distance, and its variance.

    `j0`, `h0`, `k0` are the magnitudes of the node there without dust; `e` and `tau` mean and
    standard deviation of the reddening.
    """
    if tau <= 0.0:
        return e, 0.0
    best, precision = e, 0.0
    k, p = law.kappa, law.relation
    for _ in range(N_NEWTON if has_synthetic(mask) else 1):
        j, h, ks = j0 + k[0] * best, h0 + k[1] * best, k0 + k[2] * best
        precision = 1.0 / tau**2
        shift = (e - best) * precision
        for b in range(N_LINEAR):
            m = j if b == 0 else (h if b == 1 else ks)
            precision += k[b] * k[b] * limits.precision[b]
            shift += k[b] * (limits.mag[b] - m) * limits.precision[b]
        if has_synthetic(mask):
            beyond_h, slope, _ = synthetic_shift(j - h, p[0], p[1], p[2])
            d = k[H] + slope * (k[J] - k[H])
            precision += d * d * limits.precision[SLOT]
            shift += d * (limits.mag[SLOT] - h - beyond_h) * limits.precision[SLOT]
        best += shift / precision
    return best, 1.0 / precision


@njit(**HOT)
def passes(law, j0, h0, k0, e, variance, limits):
    """Probability to pass all limits at a reddening `e` that is known with a variance."""
    k, p = law.kappa, law.relation
    j, h, ks = j0 + k[0] * e, h0 + k[1] * e, k0 + k[2] * e
    beyond_h, slope, _ = synthetic_shift(j - h, p[0], p[1], p[2])
    of_synthetic = k[H] + slope * (k[J] - k[H])
    probability = 1.0
    for i in range(limits.n_limit[0]):
        c = limits.coefficient
        x = c[i, 0] * j + c[i, 1] * h + c[i, 2] * ks + c[i, SLOT] * (h + beyond_h)
        d = c[i, 0] * k[0] + c[i, 1] * k[1] + c[i, 2] * k[2] + c[i, SLOT] * of_synthetic
        width = np.sqrt(limits.width[i] ** 2 + d * d * variance)
        probability *= 0.5 * erfc(-limits.sign[i] * (x - limits.value[i]) / width * SQRT_HALF)
    return probability


@njit(**HOT)
def passes_in_row(x, h_ks, e, variance, synthetic, v_synthetic, k0, k1, k2, p1, p2, p3, limits):
    """Probability to pass of the stars of a colour J - H, given their synthetic magnitude.

    `x` is the colour without dust, `h_ks` the H - Ks that goes with it; `e` and `variance` are mean
    and variance of the reddening. The magnitudes are those that the observed synthetic one,
    `synthetic` with variance `v_synthetic`, and the reddened colour make: a fainter star with less
    dust looks the same.
    """
    jh = x + (k0 - k1) * e
    beyond_h, slope, _ = synthetic_shift(jh, p1, p2, p3)
    h = synthetic - beyond_h
    d_h = -slope * (k0 - k1)
    d_ks = d_h - (k1 - k2)
    probability = 1.0
    for i in range(limits.n_limit[0]):
        c = limits.coefficient
        at = c[i, 0] * (h + jh) + c[i, 1] * h + c[i, 2] * (h - h_ks - (k1 - k2) * e)
        d = c[i, 0] * (d_h + k0 - k1) + c[i, 1] * d_h + c[i, 2] * d_ks
        whole = c[i, 0] + c[i, 1] + c[i, 2]
        width = limits.width[i] ** 2 + d * d * variance + whole * whole * v_synthetic
        off = -limits.sign[i] * (at - limits.value[i]) / np.sqrt(width)
        probability *= 0.5 * erfc(off * SQRT_HALF)
    return probability


@njit(**HOT)
def weigh_by_limits(mask, law, mag, mu, e, tau, n_block, work):
    """Multiply the likelihoods in `work.node` by the probability that the star passes.

    `mag` (3, n_place) are the absolute magnitudes of the nodes in the order of their table.
    """
    limits = work.limits
    for k in range(n_block):
        for lane in range(LANES):
            i = k * LANES + lane
            if work.node[i] > LEAST_SUM:
                place = work.source[k] * LANES + lane
                j0, h0, k0 = mag[0, place] + mu, mag[1, place] + mu, mag[2, place] + mu
                best, variance = best_reddening(mask, law, j0, h0, k0, e, tau, limits)
                work.node[i] *= passes(law, j0, h0, k0, best, variance, limits)


@njit(**INNER)
def passing_reddening(law, node_mag, mu, e, best, sigma, key, limits):
    """Draw a reddening with which a star passes, beginning with `e`: one that was drawn freely.

    `best` and `sigma` are mean and standard deviation of the free one.
    """
    j0, h0, k0 = node_mag[0] + mu, node_mag[1] + mu, node_mag[2] + mu
    for again in range(N_AGAIN):
        at = REDDENING_AGAIN + 4 * again
        if uniform_scalar(key, at) < passes(law, j0, h0, k0, e, 0.0, limits):
            break
        normal = np.sqrt(-2.0 * np.log(uniform_scalar(key, at + 1))) * np.cos(
            2.0 * np.pi * uniform_scalar(key, at + 2)
        )
        e = max(best + sigma * normal, 0.0)
    return e
