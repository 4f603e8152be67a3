"""Summaries of a posterior and draws from it, compiled.

A draw is one consistent true star: component and distance from the tabulated posterior, the
population node from the original nodes at that distance, the reddening from its
Gaussian given all of these.
"""

from __future__ import annotations

from math import erf, erfc

import numpy as np
from numba import njit

from gcmock.posterior.kernel.bands import N_SEEN, SLOT, H, J, has_synthetic
from gcmock.posterior.kernel.fastmath import INNER, LEAST_SUM
from gcmock.posterior.kernel.likelihood import nodes_at
from gcmock.posterior.kernel.terms import N_NEWTON, synthetic_shift
from gcmock.posterior.kernel.vector import LANES
from gcmock.random import uniform_scalar

QUANTILES = np.array([0.05, 0.16, 0.50, 0.84, 0.95])
"""Quantiles of the distance that are reported."""

# Places of a star's random numbers. Velocities use VELOCITY + 3 attempt + axis.
COMPONENT, WITHIN_BIN, NODE, REDDENING, MODEL_ERROR, VELOCITY = 0, 1, 2, 4, 5, 1024
ATTEMPT_STRIDE, MAX_ATTEMPTS = 16, 32

SQRT_HALF = np.sqrt(0.5)

PARALLAX_SIGMA = 12.0
"""A parallax rules out what is further from it than this many standard errors."""

DRAW_RADIUS2 = 4.5**2
"""Squared radius, in standard deviations of a star, in which nodes are drawn."""


@njit(**INNER)
def parallax_likelihood(bins, parallax, error, out):
    """Likelihood of a parallax averaged over 1/D in every bin [per mas].

    Zero further than `PARALLAX_SIGMA` away.
    """
    for i in range(out.size):
        near = 1000.0 / bins.edge[i]
        far = 1000.0 / bins.edge[i + 1]
        lo = (far - parallax) / error
        hi = (near - parallax) / error
        out[i] = 0.0
        if lo < PARALLAX_SIGMA and hi > -PARALLAX_SIGMA:
            out[i] = _mass_between(lo * SQRT_HALF, hi * SQRT_HALF) / (near - far)


@njit(**INNER)
def _mass_between(lo, hi):
    """Mass of a normal distribution of variance 1/2 between lo < hi, accurate in both tails."""
    if lo > 0.0:
        return 0.5 * (erfc(lo) - erfc(hi))
    if hi < 0.0:
        return 0.5 * (erfc(-hi) - erfc(-lo))
    return 0.5 * (erf(hi) - erf(lo))


@njit(**INNER)
def summarise(bins, work, total, probability, quantile):
    """Fill the probability of every component and the quantiles of the distance.

    Return its mean [pc].
    """
    for c in range(probability.size):
        probability[c] = work.evidence[c] / total
    mean = 0.0
    cumulative = 0.0
    done = 0
    inverse = 1.0 / total
    for i in range(work.support[0], work.support[1]):
        mass = work.mass[i] * inverse
        mean += mass * bins.centre[i]
        while done < QUANTILES.size and cumulative + mass >= QUANTILES[done]:
            f = (QUANTILES[done] - cumulative) / mass if mass > 0.0 else 0.5
            quantile[done] = bins.edge[i] + f * (bins.edge[i + 1] - bins.edge[i])
            done += 1
        cumulative += mass
    while done < QUANTILES.size:
        quantile[done] = bins.edge[work.support[1]]
        done += 1
    return mean


@njit(**INNER)
def draw_component_and_bin(work, total, u):
    """Pick (component, bin) in proportion to `work.post`."""
    target = u * total
    last = 0
    for c in range(work.evidence.size):
        if work.evidence[c] > 0.0:
            last = c
            if target <= work.evidence[c]:
                break
            target -= work.evidence[c]
    place = work.support[0]
    cumulative = 0.0
    for i in range(work.support[0], work.support[1]):
        value = work.post[i, last]
        if value > 0.0:
            place = i
            cumulative += value
            if cumulative >= target:
                break
    return last, place


@njit(**INNER)
def draw_distance(bins, i, parallax, error, u):
    """Distance inside a bin [pc]: uniform, or weighted by a parallax that resolves the bin."""
    near = 1000.0 / bins.edge[i]
    far = 1000.0 / bins.edge[i + 1]
    if np.isfinite(parallax) and near - far > 0.05 * error:
        # Bisection of the truncated normal in parallax: rare, and free of tail problems.
        scale = SQRT_HALF / error
        top = (near - parallax) * scale
        target = u * _mass_between((far - parallax) * scale, top)
        lo, hi = far, near
        for _ in range(50):
            mid = 0.5 * (lo + hi)
            if _mass_between((mid - parallax) * scale, top) > target:
                lo = mid
            else:
                hi = mid
        return 1000.0 / (0.5 * (lo + hi))
    return bins.edge[i] + u * (bins.edge[i + 1] - bins.edge[i])


@njit(**INNER)
def pick(weight, n, u, least):
    """Index below n in proportion to weights; -1 if their sum is not above `least`."""
    total = 0.0
    for k in range(n):
        total += weight[k]
    if not total > least:
        return -1
    target = u * total
    cumulative = 0.0
    last = -1
    for k in range(n):
        if weight[k] > 0.0:
            cumulative += weight[k]
            last = k
            if cumulative >= target:
                break
    return last


@njit(**INNER)
def node_of_prior(original, population, u):
    """Original node of a population in proportion to the weights alone."""
    first, last = original.start[population], original.start[population + 1]
    return first + pick(original.weight[first:last], last - first, u, 0.0)


@njit(**INNER)
def draw_node(mask, star, table, law, work, population, mu, e, tau, u):
    """Original node of a population at one distance, in proportion to its likelihood.

    -1 if there is none.
    """
    n = nodes_at(mask, star, table, law, population, mu, e, tau, DRAW_RADIUS2, work)
    k = pick(work.node, n * LANES, u, LEAST_SUM)
    if k < 0:
        return -1
    return table.node[work.source[k // LANES] * LANES + k % LANES]


@njit(**INNER)
def draw_reddening(mask, mag, variance, law, node_mag, mu, e, tau, normal):
    """E(J-Ks) given node and distance.

    Its prior N(e, tau) times the likelihood of the magnitudes.
    """
    if tau <= 0.0:
        return e
    best, precision = e, 0.0
    # With linear bands alone the first step ends at the most probable reddening.
    for _ in range(N_NEWTON if has_synthetic(mask) else 1):
        j = node_mag[J] + mu + law.kappa[J] * best
        h = node_mag[H] + mu + law.kappa[H] * best
        precision = 1.0 / tau**2
        shift = (e - best) * precision
        for b in range(N_SEEN):
            if mask & (1 << b):
                if b != SLOT:
                    k = law.kappa[b]
                    residual = mag[b] - node_mag[b] - mu - k * best
                else:
                    p = law.relation
                    beyond_h, slope, _ = synthetic_shift(j - h, p[0], p[1], p[2])
                    k = law.kappa[H] + slope * (law.kappa[J] - law.kappa[H])
                    residual = mag[b] - (h + beyond_h)
                precision += k * k / variance[b]
                shift += k * residual / variance[b]
        best += shift / precision
    return max(best + normal / np.sqrt(precision), 0.0)


@njit(**INNER)
def true_magnitudes(mask, mag, variance, model_variance, law, node_mag, mu, e, key, counter, out):
    """Fill the true apparent magnitudes of a draw: linear bands, and the synthetic of its kind.

    The error floor stands for the model's own error: the true magnitude is the model's plus a
    Gaussian of that variance, here conditioned on what was observed. The draw then departs from the
    observation by the observational error alone.
    """
    for b in range(N_SEEN):
        # The synthetic band last: it follows the true J and H.
        if b != SLOT:
            place, model = b, node_mag[b] + mu + law.kappa[b] * e
        else:
            p = law.relation
            place = law.place
            model = out[H] + synthetic_shift(out[J] - out[H], p[0], p[1], p[2])[0]
        out[place] = model
        if mask & (1 << b):
            fraction = model_variance[b] / variance[b]
            spread = np.sqrt(fraction * (variance[b] - model_variance[b]))
            normal = standard_normal(key, counter + 2 * b)
            out[place] = model + fraction * (mag[b] - model) + spread * normal


@njit(**INNER)
def standard_normal(key, counter):
    """Gaussian number from two places of a star's stream (Box and Muller)."""
    return np.sqrt(-2.0 * np.log(uniform_scalar(key, counter))) * np.cos(
        2.0 * np.pi * uniform_scalar(key, counter + 1)
    )
