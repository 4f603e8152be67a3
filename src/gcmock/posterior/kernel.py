"""The posterior of many stars, fast: the same formula as `posterior/reference.py`, compiled.

How it is fast:

- With two or more of J, H, Ks every node is reduced once per star to the distance modulus and reddening that
  would explain it best (generalised least squares) and the misfit that remains; a (node, distance) pair then
  costs seven operations and one 2^x.
- At each distance only nodes inside a window of the reddening-free magnitude are visited.
- The likelihood is a smooth function of the distance modulus: it is computed on a coarse grid, first every
  fourth point, then where it matters, and interpolated to the fine bins that resolve the prior.

Everything is single-threaded, releases the GIL and allocates nothing per star.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.posterior.fastmath import LEAST_SUM, LOG2_E, exp2
from gcmock.posterior.nodes import INDEX_STEP_MAG, NodeTable

WINDOW_SIGMA = 4.5
"""Half width of the window in standard deviations of its magnitude."""

STRIDES = np.array([1, 2, 4, 6, 8, 12, 16, 24, 32])
"""Steps of the coarse grid in units of `MU_STEP`."""

MU_STEP = 0.0025
"""Finest step in distance modulus [mag]."""

STEP_PER_SIGMA = 0.8
"""Largest coarse step as a fraction of the width of the likelihood along the sightline."""

SUPPORT = 1e-5
"""Coarse points below this fraction of the best are not refined."""


class Bins(NamedTuple):
    """Distance bins as the kernel sees them.

    Attributes
    ----------
    edge, centre, mu : ndarray
        Edges (n_distance + 1) and centres [pc], distance moduli of the centres [mag].
    mu_min : float
        Start of the coarse grid [mag].
    bin_of_mu : ndarray of int64
        Bin that holds every point of the finest coarse grid.
    """

    edge: NDArray[np.float64]
    centre: NDArray[np.float64]
    mu: NDArray[np.float64]
    mu_min: float
    bin_of_mu: NDArray[np.int64]


class Sightlines(NamedTuple):
    """Lines of sight, indexed by `Stars.sightline`.

    Attributes
    ----------
    prior : ndarray of float32, shape (n_sightline, n_component, n_distance)
        Living stars per square degree in every bin.
    dust_scale_pc : ndarray, shape (n_sightline,)
        Scale of the dust along the line of sight, h / (|sin b| + 1e-4) [pc].
    dust_norm : ndarray, shape (n_sightline,)
        1 - exp(-D_RC / scale): the profile is 1 at the red-clump distance.
    """

    prior: NDArray[np.float32]
    dust_scale_pc: NDArray[np.float64]
    dust_norm: NDArray[np.float64]


class Stars(NamedTuple):
    """Stars with one band mask.

    Attributes
    ----------
    mag, variance : ndarray, shape (n_star, 4)
        J, H, Ks, Hw [mag] and their variances with floor and scatter of the relation [mag²]; unused bands are ignored.
    parallax, parallax_error : ndarray, shape (n_star,)
        [mas]; NaN where there is none.
    e_jks, tau : ndarray, shape (n_star,)
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    sightline : ndarray of int64, shape (n_star,)
        Index of the line of sight.
    """

    mag: NDArray[np.float64]
    variance: NDArray[np.float64]
    parallax: NDArray[np.float64]
    parallax_error: NDArray[np.float64]
    e_jks: NDArray[np.float64]
    tau: NDArray[np.float64]
    sightline: NDArray[np.int64]


class Law(NamedTuple):
    """Extinction law and Hw relation.

    Attributes
    ----------
    kappa : ndarray, shape (3,)
        A_J, A_H, A_Ks over E(J-Ks).
    hw : ndarray, shape (3,)
        Hw = H + p1 x + p2 x² + p3 x³ with x = J - H.
    """

    kappa: NDArray[np.float64]
    hw: NDArray[np.float64]


class Scratch(NamedTuple):
    """Work space of one thread."""

    mu_hat: NDArray[np.float32]
    e_hat: NDArray[np.float32]
    log_like: NDArray[np.float32]
    node: NDArray[np.float32]
    coarse: NDArray[np.float64]
    score: NDArray[np.float64]
    parallax: NDArray[np.float64]
    post: NDArray[np.float64]


class Prepared(NamedTuple):
    """A star as the inner loops need it, in single precision."""

    direct: bool
    norm: float
    w: NDArray[np.float32]
    mag: NDArray[np.float32]
    kappa: NDArray[np.float32]
    hw: NDArray[np.float32]
    window_sigma: float
    c_mm: float
    c_me: float
    c_ee: float
    kk: float


class AtDistance(NamedTuple):
    """What all nodes share at one distance."""

    key_min: float
    key_max: float
    factor: float
    mu: np.float32
    e: np.float32
    tau2: np.float32
    beta: np.float32
    inv_mu: np.float32
    inv_e: np.float32
    shift: NDArray[np.float32]


def make_bins(edges_pc: NDArray[np.float64]) -> Bins:
    """Arrange bin edges [pc] for the kernel."""
    centre = 0.5 * (edges_pc[1:] + edges_pc[:-1])
    mu = 5.0 * np.log10(centre) - 5.0
    margin = 4 * MU_STEP * STRIDES[-1]
    mu_min = mu[0] - margin
    n = int((mu[-1] + margin - mu_min) / MU_STEP) + 2
    grid = 10.0 ** (0.2 * (mu_min + MU_STEP * np.arange(n)) + 1.0)
    bin_of_mu = np.clip(np.searchsorted(edges_pc, grid, side="right") - 1, 0, centre.size - 1)
    return Bins(edges_pc, centre, mu, float(mu_min), bin_of_mu.astype(np.int64))


def make_scratch(n_node: int, n_population: int, n_component: int, bins: Bins) -> Scratch:
    """Allocate the work space of one thread."""
    n = bins.bin_of_mu.size
    return Scratch(
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.zeros((n_population, n)),
        np.zeros(n),
        np.empty(bins.centre.size),
        np.empty((n_component, bins.centre.size)),
    )


@njit(nogil=True, cache=True)
def profile(distance, scale, norm):  # type: ignore[no-untyped-def]
    """Return E(D) over E at the red-clump distance."""
    return -np.expm1(-distance / scale) / norm


@njit(nogil=True, cache=True)
def _sigma_mu(mask, variance, kappa_hw, law, slope, tau):  # type: ignore[no-untyped-def]
    """Width of the likelihood of a node in distance modulus along the sightline, given dE/dµ."""
    dd = 0.0
    dk = 0.0
    kk = 0.0
    for b in range(4):
        if mask & (1 << b):
            k = law.kappa[b] if b < 3 else kappa_hw
            w = 1.0 / variance[b]
            d = 1.0 + k * slope
            dd += w * d * d
            dk += w * d * k
            kk += w * k * k
    return 1.0 / np.sqrt(dd - tau * tau * dk * dk / (1.0 + tau * tau * kk))


@njit(nogil=True, cache=True)
def coarse_stride(mask, variance, law, e_jks, tau, scale, norm):  # type: ignore[no-untyped-def]
    """Largest stride of the coarse grid that resolves the likelihood of a star everywhere."""
    kappa_hw = law.kappa[1] + law.hw[0] * (law.kappa[0] - law.kappa[1])
    least = 1e9
    for i in range(12):
        distance = 10.0 ** (0.2 * (5.0 + i) + 1.0)
        s = profile(distance, scale, norm)
        slope = e_jks * 0.4605 * distance / scale * np.exp(-distance / scale) / norm
        least = min(least, _sigma_mu(mask, variance, kappa_hw, law, slope, tau * s))
    stride = STRIDES[0]
    for s in STRIDES:
        if s * MU_STEP <= STEP_PER_SIGMA * least:
            stride = s
    return stride


@njit(nogil=True, cache=True, fastmath=True)
def _reduce_nodes(m_j, m_h, m_ks, mag, g, h, q, inv_2vq, mu_hat, e_hat, log_like):  # type: ignore[no-untyped-def]
    """Best distance modulus and reddening of every node, and the misfit that remains."""
    g0, g1, g2 = np.float32(g[0]), np.float32(g[1]), np.float32(g[2])
    h0, h1, h2 = np.float32(h[0]), np.float32(h[1]), np.float32(h[2])
    q0, q1, q2 = np.float32(q[0]), np.float32(q[1]), np.float32(q[2])
    a0, a1, a2 = np.float32(mag[0]), np.float32(mag[1]), np.float32(mag[2])
    iv = np.float32(inv_2vq)
    for k in range(m_j.size):
        r0 = a0 - m_j[k]
        r1 = a1 - m_h[k]
        r2 = a2 - m_ks[k]
        mu_hat[k] = g0 * r0 + g1 * r1 + g2 * r2
        e_hat[k] = h0 * r0 + h1 * r1 + h2 * r2
        dq = q0 * r0 + q1 * r1 + q2 * r2
        log_like[k] = -dq * dq * iv


@njit(inline="always")
def pair_linear(mu_hat, e_hat, log_like, mu, e, beta, inv_mu, inv_e):  # type: ignore[no-untyped-def]
    """log2 of the likelihood of a node at a distance, up to factors that do not depend on the node."""
    y = e_hat - e
    z = mu_hat - mu - beta * y
    return log_like - z * z * inv_mu - y * y * inv_e


@njit(nogil=True, cache=True, fastmath=True)
def _sum_linear(mu_hat, e_hat, log_like, weight, mu, e, beta, inv_mu, inv_e):  # type: ignore[no-untyped-def]
    """Σ w 2^(log_like - z² inv_mu - y² inv_e) over nodes."""
    total = np.float32(0.0)
    for k in range(weight.size):
        total += weight[k] * exp2(
            pair_linear(mu_hat[k], e_hat[k], log_like[k], mu, e, beta, inv_mu, inv_e)
        )
    return total


@njit(inline="always")
def pair_direct(m_j, m_h, m_ks, mag, w, shift, kappa, hw, tau2):  # type: ignore[no-untyped-def]
    """χ² of a node in any bands, Hw included, and the variance factor of the reddening scatter.

    `mag`, `w` (inverse variances, zero for unused bands) and `shift` (µ + κ E) are per band; `hw` holds p1, p2,
    p3, 2 p2, 3 p3. The reddening is integrated out by the formula of Sherman and Morrison.
    """
    r0 = mag[0] - m_j - shift[0]
    r1 = mag[1] - m_h - shift[1]
    r2 = mag[2] - m_ks - shift[2]
    x = m_j + shift[0] - m_h - shift[1]
    r3 = mag[3] - m_h - shift[1] - x * (hw[0] + x * (hw[1] + x * hw[2]))
    k3 = kappa[1] + (hw[0] + x * (hw[3] + x * hw[4])) * (kappa[0] - kappa[1])
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    rr = w0 * r0 * r0 + w1 * r1 * r1 + w2 * r2 * r2 + w3 * r3 * r3
    kr = w0 * kappa[0] * r0 + w1 * kappa[1] * r1 + w2 * kappa[2] * r2 + w3 * k3 * r3
    k0, k1, k2 = kappa[0], kappa[1], kappa[2]
    kk = w0 * k0 * k0 + w1 * k1 * k1 + w2 * k2 * k2 + w3 * k3 * k3
    scatter = np.float32(1.0) + tau2 * kk
    return rr - tau2 * kr * kr / scatter, scatter


@njit(nogil=True, cache=True, fastmath=True)
def _sum_direct(m_j, m_h, m_ks, weight, mag, w, shift, kappa, hw, tau2):  # type: ignore[no-untyped-def]
    """Σ w N of nodes in any bands."""
    total = np.float32(0.0)
    half = np.float32(-0.5 * LOG2_E)
    for k in range(weight.size):
        chi2, scatter = pair_direct(m_j[k], m_h[k], m_ks[k], mag, w, shift, kappa, hw, tau2)
        total += weight[k] * exp2(min(half * chi2, np.float32(0.0))) / np.sqrt(scatter)
    return total


@njit(nogil=True, cache=True)
def _first(table, population, key):  # type: ignore[no-untyped-def]
    """First node of a population that can have a key of at least this (rounded down)."""
    i = int(np.floor((key - table.key_min) / INDEX_STEP_MAG))
    return table.index[population, min(max(i, 0), table.index.shape[1] - 1)]


@njit(nogil=True, cache=True)
def _gls(mask, variance, law):  # type: ignore[no-untyped-def]
    """Generalised least squares of distance modulus and reddening for stars with two or more of J, H, Ks.

    Returns the weights g and h of the magnitudes in each, their covariance (µµ, µE, EE), and Σ w κ².
    """
    s0 = 0.0
    s1 = 0.0
    s2 = 0.0
    for b in range(3):
        if mask & (1 << b):
            w = 1.0 / variance[b]
            s0 += w
            s1 += w * law.kappa[b]
            s2 += w * law.kappa[b] ** 2
    det = s0 * s2 - s1 * s1
    g = np.zeros(3)
    h = np.zeros(3)
    for b in range(3):
        if mask & (1 << b):
            w = 1.0 / variance[b]
            g[b] = w * (s2 - s1 * law.kappa[b]) / det
            h[b] = w * (s0 * law.kappa[b] - s1) / det
    return g, h, s2 / det, -s1 / det, s0 / det, s2


@njit(nogil=True, cache=True)
def window(table, mask, mag, variance, law, mu, e, tau, widening):  # type: ignore[no-untyped-def]
    """Least and greatest key of the nodes that can explain a star at a distance modulus and reddening."""
    u = table.key_weight
    if u[3] != 0.0:
        # Hw: the reddened relation at the bluest and at the reddest node bounds the shift of all.
        lo = np.inf
        hi = -np.inf
        steepest = 0.0
        for x in table.jh_range:
            y = x + (law.kappa[0] - law.kappa[1]) * e
            p = law.hw
            shift = law.kappa[1] * e + y * (p[0] + y * (p[1] + y * p[2]))
            shift -= x * (p[0] + x * (p[1] + x * p[2]))
            lo = min(lo, shift)
            hi = max(hi, shift)
            slope = p[0] + y * (2.0 * p[1] + 3.0 * y * p[2])
            steepest = max(steepest, abs(law.kappa[1] + slope * (law.kappa[0] - law.kappa[1])))
        half = WINDOW_SIGMA * np.sqrt(variance[3] + (steepest * tau) ** 2)
        return mag[3] - mu - hi - half, mag[3] - mu - lo + half
    key = 0.0
    var = (table.key_kappa * tau) ** 2
    for b in range(3):
        if u[b] != 0.0:
            key += u[b] * mag[b]
            var += u[b] ** 2 * variance[b]
    middle = key - mu - table.key_kappa * e
    half = widening * np.sqrt(var)
    return middle - half, middle + half


@njit(nogil=True, cache=True)
def window_sigma(table, mask, mag, variance, law):  # type: ignore[no-untyped-def]
    """Half width of the window in standard deviations.

    A star far off in the reddening- and distance-free colour has its best nodes displaced in the window.
    """
    if mask & 7 != 7:
        return WINDOW_SIGMA
    q, var = _colour(mag, variance, law)
    off = max(table.colour_range[0] - q, q - table.colour_range[1], 0.0)
    return np.sqrt(WINDOW_SIGMA**2 + off * off / var)


@njit(nogil=True, cache=True)
def _colour(mag, variance, law):  # type: ignore[no-untyped-def]
    """Reddening- and distance-free colour of a star and its variance."""
    f = (law.kappa[1] - law.kappa[2]) / (law.kappa[0] - law.kappa[2])
    q = mag[1] - f * mag[0] - (1.0 - f) * mag[2]
    return q, variance[1] + f * f * variance[0] + (1.0 - f) ** 2 * variance[2]


@njit(nogil=True, cache=True)
def prepare(table, mask, mag, variance, law, work):  # type: ignore[no-untyped-def]
    """Everything about a star that does not depend on distance; reduces the nodes into `work` if it can."""
    direct = (mask & 8) != 0 or mask == 1 or mask == 2 or mask == 4
    norm = 1.0
    w = np.zeros(4, np.float32)
    seen = np.zeros(4)
    for b in range(4):
        if mask & (1 << b):
            norm /= np.sqrt(2.0 * np.pi * variance[b])
            w[b] = np.float32(1.0 / variance[b])
            seen[b] = mag[b]
    hw = np.array([law.hw[0], law.hw[1], law.hw[2], 2.0 * law.hw[1], 3.0 * law.hw[2]])
    sigma = window_sigma(table, mask, mag, variance, law)
    if direct:
        c_mm, c_me, c_ee, kk = 0.0, 0.0, 0.0, 0.0
    else:
        g, h, c_mm, c_me, c_ee, kk = _gls(mask, variance, law)
        q = np.zeros(3)
        inv_q = 0.0
        if mask == 7:
            f = (law.kappa[1] - law.kappa[2]) / (law.kappa[0] - law.kappa[2])
            q[0], q[1], q[2] = -f, 1.0, f - 1.0
            inv_q = 0.5 * LOG2_E / _colour(mag, variance, law)[1]
        _reduce_nodes(
            table.mag[0], table.mag[1], table.mag[2], seen, g, h, q, inv_q,
            work.mu_hat, work.e_hat, work.log_like,
        )  # fmt: skip
    return Prepared(
        direct, norm, w, seen.astype(np.float32), law.kappa.astype(np.float32),
        hw.astype(np.float32), sigma, c_mm, c_me, c_ee, kk,
    )  # fmt: skip


@njit(nogil=True, cache=True)
def at_distance(star, table, mask, mag, variance, law, mu, e, tau):  # type: ignore[no-untyped-def]
    """What all nodes share at one distance modulus, mean reddening and scatter."""
    lo, hi = window(table, mask, mag, variance, law, mu, e, tau, star.window_sigma)
    factor = star.norm
    beta = 0.0
    inv_mu = 0.0
    inv_e = 0.0
    if not star.direct:
        v_e = star.c_ee + tau * tau
        beta = star.c_me / v_e
        inv_mu = 0.5 * LOG2_E / (star.c_mm - star.c_me * beta)
        inv_e = 0.5 * LOG2_E / v_e
        factor /= np.sqrt(1.0 + tau * tau * star.kk)
    f32 = np.float32
    shift = np.empty(3, f32)
    for b in range(3):
        shift[b] = f32(mu + law.kappa[b] * e)
    return AtDistance(
        lo, hi, factor, f32(mu), f32(e), f32(tau * tau), f32(beta), f32(inv_mu), f32(inv_e), shift
    )


@njit(nogil=True, cache=True)
def node_range(table, population, here):  # type: ignore[no-untyped-def]
    """First and last-plus-one node of a population inside the window (rounded outwards)."""
    return (
        _first(table, population, here.key_min),
        min(
            _first(table, population, here.key_max + INDEX_STEP_MAG), table.start[population + 1]
        ),
    )


@njit(nogil=True, cache=True)
def _population_likelihood(star, table, work, here, a, z):  # type: ignore[no-untyped-def]
    """Σ_k w_k N over the nodes a to z."""
    if z <= a:
        return 0.0
    if star.direct:
        total = _sum_direct(
            table.mag[0, a:z], table.mag[1, a:z], table.mag[2, a:z], table.weight[a:z],
            star.mag, star.w, here.shift, star.kappa, star.hw, here.tau2,
        )  # fmt: skip
    else:
        total = _sum_linear(
            work.mu_hat[a:z], work.e_hat[a:z], work.log_like[a:z], table.weight[a:z],
            here.mu, here.e, here.beta, here.inv_mu, here.inv_e,
        )  # fmt: skip
    return here.factor * total if total > LEAST_SUM else 0.0


@njit(nogil=True, cache=True)
def coarse_likelihood(star, table, mask, mag, variance, law, bins, prior, groups, dust, stride, work):  # type: ignore[no-untyped-def]
    """Fill `work.coarse` with Σ_k w_k N of every population on the coarse grid.

    First every fourth point, then the gaps beside points whose score (prior times likelihood) is not
    negligible against the best. `groups[c]` is the population of component c; `dust` holds E and tau at the
    red-clump distance, the scale of the dust and its norm.
    """
    n_population = table.start.size - 1
    n = bins.bin_of_mu.size // stride
    best = 0.0
    for phase in range(2):
        for j in range(n):
            first_pass = j % 4 == 0 or j == n - 1
            if (phase == 0) != first_pass:
                continue
            if phase == 1:
                before = j - j % 4
                after = min(before + 4, n - 1)
                if max(work.score[before], work.score[after]) < SUPPORT * best:
                    for p in range(n_population):
                        work.coarse[p, j] = 0.0
                    continue
            mu = bins.mu_min + j * stride * MU_STEP
            distance = 10.0 ** (0.2 * mu + 1.0)
            s = profile(distance, dust[2], dust[3])
            here = at_distance(star, table, mask, mag, variance, law, mu, dust[0] * s, dust[1] * s)
            for p in range(n_population):
                a, z = node_range(table, p, here)
                work.coarse[p, j] = _population_likelihood(star, table, work, here, a, z)
            if phase == 0:
                i = bins.bin_of_mu[j * stride]
                score = 0.0
                for c in range(groups.size):
                    score += prior[c, i] * work.coarse[groups[c], j]
                work.score[j] = score * distance / (bins.edge[i + 1] - bins.edge[i])
                best = max(best, work.score[j])


@njit(nogil=True, cache=True)
def expand(bins, prior, groups, stride, work):  # type: ignore[no-untyped-def]
    """Fill `work.post`: the coarse likelihood at the bins times prior and parallax; return the evidence."""
    step = MU_STEP * stride
    n = bins.bin_of_mu.size // stride
    n_population = work.coarse.shape[0]
    like = np.zeros(n_population)
    total = 0.0
    for i in range(bins.centre.size):
        t = (bins.mu[i] - bins.mu_min) / step
        j = min(max(int(t), 1), n - 3)
        f = t - j
        w0 = -f * (f - 1.0) * (f - 2.0) / 6.0
        w1 = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
        w2 = -(f + 1.0) * f * (f - 2.0) / 2.0
        w3 = (f + 1.0) * f * (f - 1.0) / 6.0
        for p in range(n_population):
            value = (
                w0 * work.coarse[p, j - 1]
                + w1 * work.coarse[p, j]
                + w2 * work.coarse[p, j + 1]
                + w3 * work.coarse[p, j + 2]
            )
            like[p] = max(value, 0.0) * work.parallax[i]
        for c in range(groups.size):
            value = prior[c, i] * like[groups[c]]
            work.post[c, i] = value
            total += value
    return total


@njit(nogil=True, cache=True)
def without_photometry(bins, prior, work):  # type: ignore[no-untyped-def]
    """Posterior without photometry: prior times parallax; return the evidence."""
    total = 0.0
    for c in range(prior.shape[0]):
        for i in range(bins.centre.size):
            value = prior[c, i] * work.parallax[i]
            work.post[c, i] = value
            total += value
    return total
