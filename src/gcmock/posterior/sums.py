"""The innermost sums: likelihood of nodes at one distance.

Indices are unsigned: the check for negative ones would prevent vectorisation.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.fastmath import INNER, INNER_FAST, LOG2_E, exp2
from gcmock.posterior.nodes import INDEX_STEP_MAG


@njit(**INNER_FAST)
def reduce_nodes(m_j, m_h, m_ks, mag, g, h, q, inv_2vq, mu_hat, e_hat, log_like):
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
def pair_linear(mu_hat, e_hat, log_like, mu, e, beta, inv_mu, inv_e):
    """Return log2 of the likelihood of a node at a distance, up to common factors."""
    y = e_hat - e
    z = mu_hat - mu - beta * y
    return log_like - z * z * inv_mu - y * y * inv_e


@njit(**INNER_FAST)
def sum_linear(work_mu, work_e, work_log, weight, a, z, mu, e, beta, inv_mu, inv_e):
    """Σ w N over the nodes a to z.

    Unsigned indices: the check for negative ones would prevent vectorisation.
    """
    total = np.float32(0.0)
    for k in range(np.uint64(a), np.uint64(z)):
        total += weight[k] * exp2(
            pair_linear(work_mu[k], work_e[k], work_log[k], mu, e, beta, inv_mu, inv_e)
        )
    return total


@njit(inline="always")
def pair_direct(m_j, m_h, m_ks, star, s0, s1, s2, k0, k1, k2, p1, p2, p3, tau2):
    """χ² of a node in any bands, Hw included, and the variance factor of the reddening scatter.

    s0, s1, s2 are µ + κ E of J, H, Ks; k0, k1, k2 are κ; p1, p2, p3 belong to the Hw relation,
    whose slope is taken at the mean reddening. The scatter is integrated out by the formula of
    Sherman and Morrison.
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
def sum_direct(m_j, m_h, m_ks, weight, a, z, star, s0, s1, s2, k0, k1, k2, p1, p2, p3, tau2):
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
def index_of(key, key_min, n_step):
    """Place of a key in the look-up from keys to nodes, rounded down."""
    return min(max(int(np.floor((key - key_min) / INDEX_STEP_MAG)), 0), n_step - 1)
