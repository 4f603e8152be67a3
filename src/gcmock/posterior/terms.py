"""A star as the sums need it: what depends on its magnitudes and errors, but not on the nodes."""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.fastmath import INNER, LOG2_E
from gcmock.posterior.structures import MU_STEP, STRIDES, Terms
from gcmock.posterior.sums import reduce_nodes

WINDOW_SIGMA = 4.5
"""Half width of the window in standard deviations of its magnitude."""

LATTICE_SIGMA = 3.6
"""The same on a lattice, where what lies outside is traded for speed (3e-4 of the Gaussian)."""

STEP_PER_SIGMA, LATTICE_STEP_PER_SIGMA = 0.6, 0.9
"""Largest coarse step as a fraction of the width of the likelihood along the sightline: for sums
over nodes and stars with one band, and for a lattice of two or three bands."""


@njit(**INNER)
def profile(distance, scale, norm):
    """Return E(D) over E at the red-clump distance."""
    return -np.expm1(-distance / scale) / norm


@njit(**INNER)
def _sigma_mu(mask, variance, kappa_hw, law, slope, tau):
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
def coarse_stride(smooth, mask, variance, law, e_jks, tau, scale, norm):
    """Largest stride of the coarse grid that resolves the likelihood of a star.

    `smooth` stars have two or three bands and are summed over a lattice.
    """
    kappa_hw = law.kappa[1] + law.hw[0] * (law.kappa[0] - law.kappa[1])
    least = 1e9
    # The likelihood sharpens with distance; few stars are behind 10 kpc (µ = 15).
    for i in range(11 if smooth else 12):
        distance = 10.0 ** (0.2 * (5.0 + i) + 1.0)
        s = profile(distance, scale, norm)
        slope = e_jks * 0.4605 * distance / scale * np.exp(-distance / scale) / norm
        least = min(least, _sigma_mu(mask, variance, kappa_hw, law, slope, tau * s))
    share = LATTICE_STEP_PER_SIGMA if smooth else STEP_PER_SIGMA
    stride = STRIDES[0]
    for s in STRIDES:
        if s * MU_STEP <= share * least:
            stride = s
    return stride


@njit(**INNER)
def prepare(table, lattice, mask, mag, variance, law, work):
    """Everything about a star that does not depend on distance, as `Terms`.

    With two or more of J, H, Ks and no Hw a node is reduced to the distance modulus and the
    reddening that explain it best (generalised least squares, weights g and h) and the misfit in
    the free colour (weights q); done here for nodes, on demand for a lattice.
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
    half_sigmas = LATTICE_SIGMA if on_lattice else WINDOW_SIGMA
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
        half_sigmas = np.sqrt(half_sigmas**2 + off * off / q_variance)
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
            # In W and c the band between the two of the key does not appear: what g and h give it
            # is the regression.
            if mask == 7:
                gamma, delta = -g[1], -h[1]
            first = 1 if mask == 6 else 0
            second = 1 if mask == 3 else 2
            span = k[first] - k[second]
            c_obs = (mag[first] - mag[second]) / span
            c_variance = (variance[first] + variance[second]) / span**2
        else:
            reduce_nodes(
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
def window(star, mu, e, tau, k0, k1, p1, p2, p3, x_min, x_max):
    """Return the least and greatest key of the nodes that can explain a star at a distance."""
    if star.key_kappa == star.key_kappa:
        middle = star.key - mu - star.key_kappa * e
        half = star.half_sigmas * np.sqrt(star.key_variance + (star.key_kappa * tau) ** 2)
        return middle - half, middle + half
    # Sorted by Hw: the reddened relation at the bluest and at the reddest node bounds the shift of
    # all.
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
def conditional(star, tau):
    """Return the regression of distance modulus on reddening at a scatter, and more.

    Also the halved inverse variances in log2, and the normalisation of the likelihood.
    """
    if star.direct:
        return 0.0, 0.0, 0.0, star.norm
    v_e = star.c_ee + tau * tau
    beta = star.c_me / v_e
    v_mu = star.c_mm - star.c_me * beta
    factor = star.norm / np.sqrt(1.0 + tau * tau * star.kk)
    return beta, 0.5 * LOG2_E / v_mu, 0.5 * LOG2_E / v_e, factor
