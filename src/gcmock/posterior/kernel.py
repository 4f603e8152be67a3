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

from gcmock.posterior.fastmath import INNER, INNER_FAST, LEAST_SUM, LOG2_E, exp2
from gcmock.posterior.lattice import reduce_places, sum_places
from gcmock.posterior.nodes import INDEX_STEP_MAG, NodeTable

WINDOW_SIGMA = 4.5
"""Half width of the window in standard deviations of its magnitude."""

LATTICE_SIGMA = 3.8
"""The same on a lattice, where what lies outside is traded for speed (1e-4 of the Gaussian)."""

STRIDES = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32])
"""Steps of the coarse grid in units of `MU_STEP`."""

MU_STEP = 0.0025
"""Finest step in distance modulus [mag]."""

STEP_PER_SIGMA = 0.8
"""Largest coarse step as a fraction of the width of the likelihood along the sightline."""

SUPPORT = 3e-5
"""Coarse points below this fraction of the best are not refined."""


class Bins(NamedTuple):
    """Distance bins as the kernel sees them.

    Attributes
    ----------
    edge, centre, mu : ndarray
        Edges (n_distance + 1) and centres [pc], distance moduli of the centres [mag].
    mu_min : float
        Start of the coarse grid [mag].
    distance : ndarray
        Distances of the points of the finest coarse grid [pc].
    bin_of_mu, first_bin : ndarray of int64
        Bin that holds each of these points, and first bin whose centre is not before it.
    """

    edge: NDArray[np.float64]
    centre: NDArray[np.float64]
    mu: NDArray[np.float64]
    mu_min: float
    distance: NDArray[np.float64]
    bin_of_mu: NDArray[np.int64]
    first_bin: NDArray[np.int64]


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
    """Work space of one thread.

    Attributes
    ----------
    mu_hat, e_hat, log_like : ndarray of float32
        Nodes (or places of the lattice) reduced for the star at hand.
    node : ndarray of float32
        Weights of the nodes that a draw chooses from.
    reduced : ndarray of uint8
        Slabs of the lattice that are reduced already.
    sums : ndarray of float32, shape (n_population,)
        Result of one sum over the lattice.
    coarse : ndarray, shape (n_population, n_coarse)
        Likelihood on the coarse grid.
    score, reached : ndarray, shape (n_coarse,)
        Prior times likelihood, and whether there is any likelihood.
    parallax : ndarray of float32, shape (n_distance,)
        Parallax factor of the bins.
    post : ndarray of float32, shape (n_component, n_distance)
        Posterior, not normalised; valid inside `support` only.
    evidence : ndarray, shape (n_component,)
        Its sums over distance.
    support : ndarray of int64, shape (2,)
        First and last-plus-one bin with any posterior.
    """

    mu_hat: NDArray[np.float32]
    e_hat: NDArray[np.float32]
    log_like: NDArray[np.float32]
    node: NDArray[np.float32]
    reduced: NDArray[np.uint8]
    sums: NDArray[np.float32]
    coarse: NDArray[np.float64]
    score: NDArray[np.float64]
    reached: NDArray[np.uint8]
    parallax: NDArray[np.float32]
    post: NDArray[np.float32]
    evidence: NDArray[np.float64]
    support: NDArray[np.int64]


class Terms(NamedTuple):
    """A star as the inner loops need it. Scalars only: reference counts of arrays would cost more than the sums.

    Attributes
    ----------
    direct : bool
        One band only, or Hw among them: no reduction to distance modulus and reddening.
    norm : float
        Product of 1 / sqrt(2 pi variance) of the bands used.
    on_lattice : bool
        Summed over the lattice instead of the nodes.
    key, key_variance, key_kappa, half_sigmas : float
        Observed sort key, its variance and reddening coefficient, half width of the window in sigmas.
    c_mm, c_me, c_ee, kk : float
        Covariance of the least-squares distance modulus and reddening, and sum of kappa^2 / variance.
    c, c_variance, q, gamma, delta, inv_q : float
        Observed coordinates c and Q, marginal variance of c, regressions of W and c on Q, and log2(e) / 2 over the
        variance of Q (0 without three bands).
    m0, m1, m2, m3, w0, w1, w2, w3 : float32
        Magnitudes and inverse variances of J, H, Ks, Hw; zero for unused bands.
    """

    direct: bool
    on_lattice: bool
    norm: float
    key: float
    key_variance: float
    key_kappa: float
    half_sigmas: float
    c_mm: float
    c_me: float
    c_ee: float
    kk: float
    c: float
    c_variance: float
    q: float
    gamma: float
    delta: float
    inv_q: float
    m0: np.float32
    m1: np.float32
    m2: np.float32
    m3: np.float32
    w0: np.float32
    w1: np.float32
    w2: np.float32
    w3: np.float32


def make_bins(edges_pc: NDArray[np.float64]) -> Bins:
    """Arrange bin edges [pc] for the kernel."""
    centre = 0.5 * (edges_pc[1:] + edges_pc[:-1])
    mu = 5.0 * np.log10(centre) - 5.0
    margin = 4 * MU_STEP * STRIDES[-1]
    mu_min = mu[0] - margin
    n = int((mu[-1] + margin - mu_min) / MU_STEP) + 2
    mu_grid = mu_min + MU_STEP * np.arange(n)
    grid = 10.0 ** (0.2 * mu_grid + 1.0)
    bin_of_mu = np.clip(np.searchsorted(edges_pc, grid, side="right") - 1, 0, centre.size - 1)
    first_bin = np.searchsorted(mu, mu_grid)
    return Bins(
        edges_pc, centre, mu, float(mu_min), grid,
        bin_of_mu.astype(np.int64), first_bin.astype(np.int64),
    )  # fmt: skip


def make_scratch(
    n_node: int, n_slab: int, n_population: int, n_component: int, bins: Bins
) -> Scratch:
    """Allocate the work space of one thread."""
    n = bins.bin_of_mu.size
    return Scratch(
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.zeros(n_slab, np.uint8),
        np.zeros(n_population, np.float32),
        np.zeros((n_population, n)),
        np.zeros(n),
        np.zeros(n, np.uint8),
        np.empty(bins.centre.size, np.float32),
        np.zeros((n_component, bins.centre.size), np.float32),
        np.zeros(n_component),
        np.zeros(2, np.int64),
    )


@njit(**INNER)
def profile(distance, scale, norm):  # type: ignore[no-untyped-def]
    """Return E(D) over E at the red-clump distance."""
    return -np.expm1(-distance / scale) / norm


@njit(**INNER)
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


@njit(**INNER)
def coarse_stride(mask, variance, law, e_jks, tau, scale, norm):  # type: ignore[no-untyped-def]
    """Largest stride of the coarse grid that resolves the likelihood of a star everywhere."""
    kappa_hw = law.kappa[1] + law.hw[0] * (law.kappa[0] - law.kappa[1])
    least = 1e9
    for i in range(11):
        distance = 10.0 ** (0.2 * (5.0 + i) + 1.0)
        s = profile(distance, scale, norm)
        slope = e_jks * 0.4605 * distance / scale * np.exp(-distance / scale) / norm
        least = min(least, _sigma_mu(mask, variance, kappa_hw, law, slope, tau * s))
    stride = STRIDES[0]
    for s in STRIDES:
        if s * MU_STEP <= STEP_PER_SIGMA * least:
            stride = s
    return stride


@njit(**INNER_FAST)
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


@njit(**INNER_FAST)
def _sum_linear(work_mu, work_e, work_log, weight, a, z, mu, e, beta, inv_mu, inv_e):  # type: ignore[no-untyped-def]
    """Σ w N over the nodes a to z. Unsigned indices: the check for negative ones would prevent vectorisation."""
    total = np.float32(0.0)
    for k in range(np.uint64(a), np.uint64(z)):
        total += weight[k] * exp2(
            pair_linear(work_mu[k], work_e[k], work_log[k], mu, e, beta, inv_mu, inv_e)
        )
    return total


@njit(inline="always")
def pair_direct(m_j, m_h, m_ks, star, s0, s1, s2, k0, k1, k2, p1, p2, p3, tau2):  # type: ignore[no-untyped-def]
    """χ² of a node in any bands, Hw included, and the variance factor of the reddening scatter.

    s0, s1, s2 are µ + κ E of J, H, Ks; k0, k1, k2 are κ; p1, p2, p3 belong to the Hw relation, whose slope is
    taken at the mean reddening. The scatter is integrated out by the formula of Sherman and Morrison.
    """
    r0 = star.m0 - m_j - s0
    r1 = star.m1 - m_h - s1
    r2 = star.m2 - m_ks - s2
    x = m_j + s0 - m_h - s1
    r3 = star.m3 - m_h - s1 - x * (p1 + x * (p2 + x * p3))
    k3 = k1 + (p1 + x * (p2 + p2 + x * (p3 + p3 + p3))) * (k0 - k1)
    rr = star.w0 * r0 * r0 + star.w1 * r1 * r1 + star.w2 * r2 * r2 + star.w3 * r3 * r3
    kr = star.w0 * k0 * r0 + star.w1 * k1 * r1 + star.w2 * k2 * r2 + star.w3 * k3 * r3
    kk = star.w0 * k0 * k0 + star.w1 * k1 * k1 + star.w2 * k2 * k2 + star.w3 * k3 * k3
    scatter = np.float32(1.0) + tau2 * kk
    return rr - tau2 * kr * kr / scatter, scatter


@njit(**INNER_FAST)
def _sum_direct(m_j, m_h, m_ks, weight, a, z, star, s0, s1, s2, k0, k1, k2, p1, p2, p3, tau2):  # type: ignore[no-untyped-def]
    """Σ w N over the nodes a to z, for any bands."""
    total = np.float32(0.0)
    half = np.float32(-0.5 * LOG2_E)
    for k in range(np.uint64(a), np.uint64(z)):
        chi2, scatter = pair_direct(
            m_j[k], m_h[k], m_ks[k], star, s0, s1, s2, k0, k1, k2, p1, p2, p3, tau2
        )
        total += weight[k] * exp2(min(half * chi2, np.float32(0.0))) / np.sqrt(scatter)
    return total


@njit(**INNER)
def index_of(key, key_min, n_step):  # type: ignore[no-untyped-def]
    """Place of a key in the look-up from keys to nodes, rounded down."""
    return min(max(int(np.floor((key - key_min) / INDEX_STEP_MAG)), 0), n_step - 1)


@njit(**INNER)
def prepare(table, lattice, mask, mag, variance, law, work):  # type: ignore[no-untyped-def]
    """Everything about a star that does not depend on distance, as `Terms`.

    With two or more of J, H, Ks and no Hw a node is reduced to the distance modulus and the reddening that explain
    it best (generalised least squares, weights g and h) and the misfit in the free colour (weights q); done here
    for nodes, on demand for a lattice.
    """
    norm = 1.0
    w = np.zeros(4)
    seen = np.zeros(4)
    for b in range(4):
        if mask & (1 << b):
            norm /= np.sqrt(2.0 * np.pi * variance[b])
            w[b] = 1.0 / variance[b]
            seen[b] = mag[b]
    u = table.key_weight
    key = 0.0
    key_variance = 0.0
    for b in range(4):
        if u[b] != 0.0:
            key += u[b] * mag[b]
            key_variance += u[b] ** 2 * variance[b]
    direct = (mask & 8) != 0 or mask == 1 or mask == 2 or mask == 4 or mask == 0
    on_lattice = lattice.w.size > 0
    half_sigmas = WINDOW_SIGMA
    k = law.kappa
    f = (k[1] - k[2]) / (k[0] - k[2])
    q = np.array([-f, 1.0, f - 1.0])
    q_obs = 0.0
    inv_q = 0.0
    if mask & 7 == 7:
        # A star far off in the free colour has its best nodes displaced in the window.
        q_obs = q[0] * mag[0] + q[1] * mag[1] + q[2] * mag[2]
        q_variance = variance[1] + f * f * variance[0] + (1.0 - f) ** 2 * variance[2]
        off = max(table.colour_range[0] - q_obs, q_obs - table.colour_range[1], 0.0)
        half_sigmas = np.sqrt(
            (LATTICE_SIGMA if on_lattice else WINDOW_SIGMA) ** 2 + off * off / q_variance
        )
        inv_q = 0.5 * LOG2_E / q_variance
    s0 = w[0] + w[1] + w[2]
    s1 = w[0] * k[0] + w[1] * k[1] + w[2] * k[2]
    s2 = w[0] * k[0] ** 2 + w[1] * k[1] ** 2 + w[2] * k[2] ** 2
    det = s0 * s2 - s1 * s1
    gamma = 0.0
    delta = 0.0
    c_obs = 0.0
    c_variance = 0.0
    g = np.zeros(3)
    h = np.zeros(3)
    if direct:
        det = np.inf
    else:
        for b in range(3):
            g[b] = w[b] * (s2 - s1 * k[b]) / det
            h[b] = w[b] * (s0 * k[b] - s1) / det
        if on_lattice:
            # In W and c the band between the two of the key does not appear: what g and h give it is the regression.
            if mask == 7:
                gamma, delta = -g[1], -h[1]
            first = 1 if mask == 6 else 0
            second = 1 if mask == 3 else 2
            span = k[first] - k[second]
            c_obs = (mag[first] - mag[second]) / span
            c_variance = (variance[first] + variance[second]) / span**2
        else:
            _reduce_nodes(
                table.mag[0], table.mag[1], table.mag[2], seen, g, h, q, inv_q,
                work.mu_hat, work.e_hat, work.log_like,
            )  # fmt: skip
    f32 = np.float32
    return Terms(
        direct, on_lattice, norm, key, key_variance, table.key_kappa, half_sigmas,
        s2 / det, -s1 / det, s0 / det, s2, c_obs, c_variance, q_obs, gamma, delta, inv_q,
        f32(seen[0]), f32(seen[1]), f32(seen[2]), f32(seen[3]),
        f32(w[0]), f32(w[1]), f32(w[2]), f32(w[3]),
    )  # fmt: skip


@njit(**INNER)
def window(star, mu, e, tau, k0, k1, p1, p2, p3, x_min, x_max):  # type: ignore[no-untyped-def]
    """Least and greatest key of the nodes that can explain a star at a distance modulus and reddening."""
    if star.key_kappa == star.key_kappa:
        middle = star.key - mu - star.key_kappa * e
        half = star.half_sigmas * np.sqrt(star.key_variance + (star.key_kappa * tau) ** 2)
        return middle - half, middle + half
    # Sorted by Hw: the reddened relation at the bluest and at the reddest node bounds the shift of all.
    lo = np.inf
    hi = -np.inf
    steepest = 0.0
    for i in range(2):
        x = x_min if i == 0 else x_max
        y = x + (k0 - k1) * e
        shift = k1 * e + y * (p1 + y * (p2 + y * p3)) - x * (p1 + x * (p2 + x * p3))
        lo = min(lo, shift)
        hi = max(hi, shift)
        steepest = max(steepest, abs(k1 + (p1 + y * (2.0 * p2 + 3.0 * y * p3)) * (k0 - k1)))
    half = star.half_sigmas * np.sqrt(star.key_variance + (steepest * tau) ** 2)
    return star.key - mu - hi - half, star.key - mu - lo + half


@njit(**INNER)
def conditional(star, tau):  # type: ignore[no-untyped-def]
    """Regression of distance modulus on reddening at a scatter, halved inverse variances, and normalisation."""
    if star.direct:
        return 0.0, 0.0, 0.0, star.norm
    v_e = star.c_ee + tau * tau
    beta = star.c_me / v_e
    v_mu = star.c_mm - star.c_me * beta
    factor = star.norm / np.sqrt(1.0 + tau * tau * star.kk)
    return beta, 0.5 * LOG2_E / v_mu, 0.5 * LOG2_E / v_e, factor


@njit(**INNER)
def _reaches(c, near, c_min, c_max):  # type: ignore[no-untyped-def]
    """Whether any place of a slab has a colour within `near` of c."""
    return c - near < c_max and c + near > c_min


@njit(**INNER)
def coarse_likelihood(star, table, lattice, law, bins, prior, groups, e_rc, tau_rc, scale, norm, stride, work):  # type: ignore[no-untyped-def]
    """Fill `work.coarse` with Σ_k w_k N of every population on the coarse grid.

    First every fourth point, then the gaps beside points whose score (prior times likelihood) is not
    negligible against the best. `groups[c]` is the population of component c; `e_rc`, `tau_rc` are the reddening
    and its scatter at the red-clump distance, `scale` and `norm` describe the profile of the dust.
    """
    f32 = np.float32
    m_j, m_h, m_ks, weight = table.mag[0], table.mag[1], table.mag[2], table.weight
    start, index, key_min = table.start, table.index, table.key_min
    x_min, x_max = table.jh_range[0], table.jh_range[1]
    k0, k1, k2 = law.kappa[0], law.kappa[1], law.kappa[2]
    p1, p2, p3 = law.hw[0], law.hw[1], law.hw[2]
    mu_hat, e_hat, log_like, coarse, score = (
        work.mu_hat, work.e_hat, work.log_like, work.coarse, work.score,
    )  # fmt: skip
    place_w, place_c, place_q, place_weight = lattice.w, lattice.c, lattice.q, lattice.weight
    first, c_min, c_max = lattice.first, lattice.c_min, lattice.c_max
    reduced, sums, reached = work.reduced, work.sums, work.reached
    n_slab = first.size - 1
    for i in range(n_slab):
        reduced[i] = 0
    n_population = start.size - 1
    n_step = index.shape[1]
    n = bins.bin_of_mu.size // stride
    best = 0.0
    for phase in range(2):
        for j in range(n):
            if (phase == 0) != (j % 4 == 0 or j == n - 1):
                continue
            if phase == 1:
                before = j - j % 4
                if max(score[before], score[min(before + 4, n - 1)]) < SUPPORT * best:
                    reached[j] = 0
                    for p in range(n_population):
                        coarse[p, j] = 0.0
                    continue
            mu = bins.mu_min + j * stride * MU_STEP
            distance = bins.distance[j * stride]
            s = profile(distance, scale, norm)
            e, tau = e_rc * s, tau_rc * s
            lo, hi = window(star, mu, e, tau, k0, k1, p1, p2, p3, x_min, x_max)
            beta, inv_mu, inv_e, factor = conditional(star, tau)
            if star.on_lattice:
                near = star.half_sigmas * np.sqrt(star.c_variance + tau * tau)
                i_lo = max(int(np.floor((lo - lattice.w_min) / lattice.step)), 0)
                i_hi = min(int(np.ceil((hi - lattice.w_min) / lattice.step)) + 1, n_slab)
                while i_lo < i_hi and not _reaches(star.c - e, near, c_min[i_lo], c_max[i_lo]):
                    i_lo += 1
                while i_lo < i_hi and not _reaches(
                    star.c - e, near, c_min[i_hi - 1], c_max[i_hi - 1]
                ):
                    i_hi -= 1
                for i in range(i_lo, i_hi):
                    if reduced[i] == 0:
                        reduced[i] = 1
                        reduce_places(
                            place_w, place_c, place_q, first[i], first[i + 1],
                            f32(star.key), f32(star.c), f32(star.q), f32(star.gamma), f32(star.delta),
                            f32(star.inv_q), mu_hat, e_hat, log_like,
                        )  # fmt: skip
                if i_lo < i_hi:
                    sum_places(
                        mu_hat, e_hat, log_like, place_weight, first[i_lo], first[i_hi],
                        f32(mu), f32(e), f32(beta), f32(inv_mu), f32(inv_e), sums,
                    )  # fmt: skip
                    for p in range(n_population):
                        coarse[p, j] = factor * sums[p] if sums[p] > LEAST_SUM else 0.0
                else:
                    for p in range(n_population):
                        coarse[p, j] = 0.0
            i_lo = index_of(lo, key_min, n_step)
            i_hi = index_of(hi + INDEX_STEP_MAG, key_min, n_step)
            total = f32(0.0)
            for p in range(0 if star.on_lattice else n_population):
                a = index[p, i_lo]
                z = min(index[p, i_hi], start[p + 1])
                if star.direct:
                    total = _sum_direct(
                        m_j, m_h, m_ks, weight, a, z, star,
                        f32(mu + k0 * e), f32(mu + k1 * e), f32(mu + k2 * e),
                        f32(k0), f32(k1), f32(k2), f32(p1), f32(p2), f32(p3), f32(tau * tau),
                    )  # fmt: skip
                else:
                    total = _sum_linear(
                        mu_hat, e_hat, log_like, weight, a, z,
                        f32(mu), f32(e), f32(beta), f32(inv_mu), f32(inv_e),
                    )  # fmt: skip
                coarse[p, j] = factor * total if total > LEAST_SUM else 0.0
            reached[j] = 0
            for p in range(n_population):
                if coarse[p, j] > 0.0:
                    reached[j] = 1
            if phase == 0:
                i = bins.bin_of_mu[j * stride]
                sum_c = 0.0
                for c in range(groups.size):
                    sum_c += prior[c, i] * coarse[groups[c], j]
                score[j] = sum_c * distance / (bins.edge[i + 1] - bins.edge[i])
                best = max(best, score[j])


@njit(**INNER_FAST)
def expand(bins, prior, groups, stride, work):  # type: ignore[no-untyped-def]
    """Fill `work.post`, `work.evidence` and `work.support`; return the total evidence.

    Between two coarse points the likelihood is the cubic through the four around them; the bins in between are
    done together, component by component.
    """
    n = bins.bin_of_mu.size // stride
    coarse, post, parallax, evidence = work.coarse, work.post, work.parallax, work.evidence
    mu, first_bin = bins.mu, bins.first_bin
    n_component = groups.size
    one = np.float32(1.0)
    low, high = 1, n - 2
    while low < n - 2 and work.reached[low + 2] == 0:
        low += 1
    while high > low and work.reached[high - 1] == 0:
        high -= 1
    begin, end = first_bin[low * stride], first_bin[high * stride]
    work.support[0], work.support[1] = begin, end
    for c in range(n_component):
        evidence[c] = 0.0
    inverse = 1.0 / (MU_STEP * stride)
    for j in range(low, high):
        a, z = first_bin[j * stride], first_bin[(j + 1) * stride]
        if z <= a:
            continue
        mu_j = bins.mu_min + j * stride * MU_STEP
        for c in range(n_component):
            p = groups[c]
            y0, y1, y2, y3 = coarse[p, j - 1], coarse[p, j], coarse[p, j + 1], coarse[p, j + 2]
            total = np.float32(0.0)
            if y0 + y1 + y2 + y3 > 0.0:
                # Coefficients of the cubic in f = 0 ... 1 between points j and j + 1.
                a1 = np.float32(y2 - y1 / 2.0 - y0 / 3.0 - y3 / 6.0)
                a2 = np.float32((y0 + y2) / 2.0 - y1)
                a3 = np.float32((y3 - y0) / 6.0 + (y1 - y2) / 2.0)
                a0 = np.float32(y1)
                for i in range(np.uint64(a), np.uint64(z)):
                    f = np.float32((mu[i] - mu_j) * inverse)
                    like = max(a0 + f * (a1 + f * (a2 + f * a3)), np.float32(0.0))
                    value = prior[c, i] * like * (parallax[i] * one)
                    post[c, i] = value
                    total += value
            else:
                for i in range(np.uint64(a), np.uint64(z)):
                    post[c, i] = np.float32(0.0)
            evidence[c] += total
    total_evidence = 0.0
    for c in range(n_component):
        total_evidence += evidence[c]
    return total_evidence


@njit(**INNER)
def without_photometry(bins, prior, work):  # type: ignore[no-untyped-def]
    """The same without photometry: the posterior is prior times parallax."""
    work.support[0], work.support[1] = 0, bins.centre.size
    total_evidence = 0.0
    for c in range(prior.shape[0]):
        work.evidence[c] = 0.0
        for i in range(bins.centre.size):
            value = prior[c, i] * work.parallax[i]
            work.post[c, i] = value
            work.evidence[c] += value
        total_evidence += work.evidence[c]
    return total_evidence
