"""A star as the sums need it: what depends on its magnitudes and errors, but not on the nodes.

With two or more bands a node is described by coordinates that distance and reddening move along
one axis each: the reddening-free magnitude W, which moves with the distance modulus, the colour c
in units of E(J-Ks), and, with J, H and Ks, the colour Q that neither of them moves. The errors of
the star make a Gaussian in these coordinates. Conditioning on Q leaves a Gaussian in W and c, and
the scatter of the reddening only adds to the variance of c.

A lattice may be tilted: its W is W + tilt c, so that W and c of a star are nearly uncorrelated and
few places of the lattice are inside its ellipse.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gcmock.dust.profile import (
    inverted,
    profile_at,
    profile_value,
    profile_value_fast,
    reddening_slope,
    scatter_at,
)
from gcmock.posterior.kernel.bands import (
    H_BIT,
    J_BIT,
    KS,
    KS_BIT,
    N_SEEN,
    SLOT,
    H,
    J,
    by_colour,
    equivalent,
    first_band,
    has_synthetic,
    is_single,
    linear_part,
)
from gcmock.posterior.kernel.fastmath import HOT, INNER, LOG2_E
from gcmock.words.bands import ALL_LINEAR, N_LINEAR

TYPICAL_JH, TYPICAL_JKS, TYPICAL_HKS = 0.7, 0.9, 0.2
"""Colours of a giant [mag]."""

LEAST_COLOUR, LARGEST_COLOUR = 0.0, 11.0
"""Range of J - H in which a synthetic band is expanded [mag]; beyond, it goes on with the slope at
the end."""

N_NEWTON = 4
"""Steps towards the most probable magnitudes, or reddening, of a star with a synthetic band."""

MOST_CURVED = 0.5
"""Largest part of the curvature of ln L of a synthetic band that may come from its bend, either
way."""


Q_RANGE = (-0.14, -0.05)
"""Where nearly all nodes are in Q [mag]."""

Q_RANGE_MIDDLE, Q_SIGMA = 0.5 * (Q_RANGE[0] + Q_RANGE[1]), 0.5 * (Q_RANGE[1] - Q_RANGE[0])


profile = njit(**HOT)(profile_value)
profile_fast = njit(**HOT)(profile_value_fast)
dust_scatter = njit(**HOT)(scatter_at)
inverse_dust = njit(**HOT)(inverted)
slope_along = njit(**HOT)(reddening_slope)
dust_of = njit(**HOT)(profile_at)


class Terms(NamedTuple):
    """A star as the inner loops need it.

    Scalars only: reference counts of arrays would cost more than the sums.

    Attributes
    ----------
    norm : float
        Product of 1 / sqrt(2 pi variance) of the bands used, times the likelihood of what no node
        can change (a synthetic band against J and H).
    w, c, q : float
        Observed coordinates [mag].
    kappa_w : float
        Change of W per unit of E(J-Ks): that of the band if there is only one, else the tilt.
    v_ww, v_wc, v_cc : float
        Covariance of W and c given Q, without scatter of the reddening [mag²]. By colour:
        variance of the synthetic band, 0, that of the other band.
    gamma, delta, inv_q : float
        Regressions of W and c on Q, and log2(e) / 2 over the variance of Q (0 without Q).
    kk : float
        Information on the reddening at a given distance and node [mag⁻²].
    """

    norm: float
    w: float
    c: float
    q: float
    kappa_w: float
    v_ww: float
    v_wc: float
    v_cc: float
    gamma: float
    delta: float
    inv_q: float
    kk: float


@njit(**HOT)
def synthetic_shift(x, p1, p2, p3):
    """Synthetic band less H at an apparent colour x = J - H, and its two derivatives."""
    bent = p2 + 3.0 * x * p3
    return x * (p1 + x * (p2 + x * p3)), p1 + x * (p2 + bent), 2.0 * bent


@njit(**INNER)
def replace_synthetic(mask, mag, variance, law, m, covariance):
    """Fill `m` and `covariance` with J, H, Ks that say what all bands say, the synthetic included.

    ln L of the synthetic band is taken to second order where it is largest together with the other
    bands and, with Ks, with the colour Q that all stars have nearly in common: there most of the
    posterior is, even if it contradicts the other bands. Returns χ² of what they disagree about.
    """
    k = law.kappa
    f = (k[H] - k[KS]) / (k[J] - k[KS])
    q = np.array([-f, 1.0, f - 1.0])
    per_q = 1.0 / Q_SIGMA**2 if mask & KS_BIT else 0.0
    weight = np.zeros(N_LINEAR)
    for b in range(N_LINEAR):
        m[b] = 0.0
        if mask & (1 << b):
            m[b] = mag[b]
            weight[b] = 1.0 / variance[b]
    x = _first_colour(mask, mag, law)
    if not mask & J_BIT:
        m[J] = m[H] + x
    if not mask & H_BIT:
        m[H] = m[J] - x
    # A band without any information, so that there is one way for all bands.
    unknown = 0.0 if mask & KS_BIT else 1.0
    step = np.zeros(N_LINEAR)
    a = np.zeros((N_LINEAR, N_LINEAR))
    for iteration in range(N_NEWTON + 1):
        last = iteration == N_NEWTON
        x = min(max(m[J] - m[H], LEAST_COLOUR), LARGEST_COLOUR)
        shift, slope, bend = synthetic_shift(x, law.relation[0], law.relation[1], law.relation[2])
        residual = mag[SLOT] - m[H] - shift - slope * (m[J] - m[H] - x)
        g = np.array([slope, 1.0 - slope, 0.0])
        # In the steps towards the largest value the curvature is left out: they cannot overshoot.
        curved = min(max(residual * bend, -MOST_CURVED), MOST_CURVED * slope**2) if last else 0.0
        off_q = Q_RANGE_MIDDLE - (q[J] * m[J] + q[H] * m[H] + q[KS] * m[KS])
        use_q = 0.0 if last else per_q
        for i in range(N_LINEAR):
            step[i] = g[i] * residual / variance[SLOT] + use_q * q[i] * off_q
            if weight[i] > 0.0:
                step[i] += weight[i] * (mag[i] - m[i])
            for j in range(N_LINEAR):
                d = 1.0 if i == j else -1.0
                a[i, j] = g[i] * g[j] / variance[SLOT] + use_q * q[i] * q[j]
                if i != KS and j != KS:
                    a[i, j] -= curved * d / variance[SLOT]
            a[i, i] += weight[i]
        a[KS, KS] += unknown
        _invert(a, covariance)
        chi2 = residual * residual / variance[SLOT]
        for i in range(N_LINEAR):
            if weight[i] > 0.0:
                chi2 += weight[i] * (mag[i] - m[i]) ** 2
        for i in range(N_LINEAR):
            for j in range(N_LINEAR):
                chi2 -= step[i] * covariance[i, j] * step[j]
        for i in range(N_LINEAR):
            for j in range(N_LINEAR):
                m[i] += covariance[i, j] * step[j]
    return chi2


@njit(**HOT)
def _first_colour(mask, mag, law):
    """Colour J - H from which the search for the most probable one begins."""
    if mask & J_BIT and mask & H_BIT:
        return mag[J] - mag[H]
    k = law.kappa
    # The reddening tells it well enough.
    if mask & J_BIT:
        e = (mag[J] - mag[KS] - TYPICAL_JKS) / (k[J] - k[KS])
    else:
        e = (mag[H] - mag[KS] - TYPICAL_HKS) / (k[H] - k[KS])
    return min(max(TYPICAL_JH + (k[J] - k[H]) * e, LEAST_COLOUR), LARGEST_COLOUR)


@njit(**HOT)
def _invert(a, out):
    """Fill `out` with the inverse of a symmetric 3 x 3 matrix."""
    out[0, 0] = a[1, 1] * a[2, 2] - a[1, 2] * a[1, 2]
    out[0, 1] = a[0, 2] * a[1, 2] - a[0, 1] * a[2, 2]
    out[0, 2] = a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]
    out[1, 1] = a[0, 0] * a[2, 2] - a[0, 2] * a[0, 2]
    out[1, 2] = a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]
    out[2, 2] = a[0, 0] * a[1, 1] - a[0, 1] * a[0, 1]
    per = 1.0 / (a[0, 0] * out[0, 0] + a[0, 1] * out[0, 1] + a[0, 2] * out[0, 2])
    for i in range(3):
        for j in range(i, 3):
            out[i, j] *= per
            out[j, i] = out[i, j]


@njit(**INNER)
def prepare_star(mask, rows, mag, variance, law):
    """Everything about a star that does not depend on distance, as `Terms`.

    `rows` are `gcmock.posterior.kernel.arrangement.coordinate_rows` of the bands, or of those that
    say the same (`gcmock.words.bands.equivalent`).
    """
    norm = 1.0
    for b in range(N_SEEN):
        if mask & (1 << b):
            norm /= np.sqrt(2.0 * np.pi * variance[b])
    if mask == 0:
        return Terms(norm, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    b = first_band(mask)
    if by_colour(mask):
        alone = linear_part(mask) == 0
        seen = 0.0 if alone else mag[SLOT] - mag[b]
        v_second = np.inf if alone else variance[b]
        return Terms(
            norm, mag[SLOT], seen, 0.0, 0.0, variance[SLOT], 0.0, v_second, 0.0, 0.0, 0.0, 0.0
        )  # fmt: skip
    if is_single(mask):
        k = law.kappa[b]
        kk = k * k / variance[b]
        return Terms(norm, mag[b], 0.0, 0.0, k, variance[b], 0.0, np.inf, 0.0, 0.0, 0.0, kk)
    m = np.zeros(N_LINEAR)
    covariance = np.zeros((N_LINEAR, N_LINEAR))
    if has_synthetic(mask):
        norm *= np.exp(-0.5 * replace_synthetic(mask, mag, variance, law, m, covariance))
    else:
        for b in range(N_LINEAR):
            if mask & (1 << b):
                m[b] = mag[b]
                covariance[b, b] = variance[b]
    return _in_coordinates(norm, rows, m, covariance, equivalent(mask) == ALL_LINEAR)


@njit(**INNER)
def _in_coordinates(norm, rows, m, covariance, with_q):
    """`Terms` of a star with magnitudes `m` in two or three linear bands and their covariance."""
    # Covariance of W, c, Q; the rows are zero for bands that are not used.
    seen = np.zeros(3)
    s = np.zeros((3, 3))
    for i in range(3):
        for a in range(N_LINEAR):
            seen[i] += rows[i, a] * m[a] if rows[i, a] != 0.0 else 0.0
        for j in range(3):
            for a in range(N_LINEAR):
                for b in range(N_LINEAR):
                    if rows[i, a] != 0.0 and rows[j, b] != 0.0:
                        s[i, j] += rows[i, a] * covariance[a, b] * rows[j, b]
    gamma = delta = inv_q = 0.0
    v_ww, v_wc, v_cc = s[0, 0], s[0, 1], s[1, 1]
    if with_q:
        gamma, delta = s[0, 2] / s[2, 2], s[1, 2] / s[2, 2]
        inv_q = 0.5 * LOG2_E / s[2, 2]
        v_ww -= gamma * s[0, 2]
        v_wc -= gamma * s[1, 2]
        v_cc -= delta * s[1, 2]
    # At a given distance and node the magnitudes depend on the reddening through c alone.
    kk = v_ww / (v_ww * v_cc - v_wc * v_wc)
    return Terms(
        norm, seen[0], seen[1], seen[2], 0.0, v_ww, v_wc, v_cc, gamma, delta, inv_q, kk
    )  # fmt: skip


@njit(**HOT)
def off_in_q(star):
    """How far a star is from nearly all nodes in Q [standard deviations]; 0 without Q."""
    off = max(Q_RANGE[0] - star.q, star.q - Q_RANGE[1], 0.0)
    return off * np.sqrt(2.0 * star.inv_q / LOG2_E)


@njit(**HOT)
def tilted(star, tilt):
    """Return the star in coordinates W + tilt c, c, Q."""
    if tilt == 0.0:
        return star
    return Terms(
        star.norm, star.w + tilt * star.c, star.c, star.q, star.kappa_w + tilt,
        star.v_ww + tilt * (2.0 * star.v_wc + tilt * star.v_cc), star.v_wc + tilt * star.v_cc,
        star.v_cc, star.gamma + tilt * star.delta, star.delta, star.inv_q, star.kk,
    )  # fmt: skip


@njit(**HOT)
def scattered(star, tau):
    """Covariance of W and c given Q with a scatter of the reddening: of W, both, and c [mag²]."""
    k, tau2 = star.kappa_w, tau * tau
    return star.v_ww + k * k * tau2, star.v_wc + k * tau2, star.v_cc + tau2


@njit(**HOT)
def along_w(star, tau):
    """Width of a star's Gaussian in W, given c and Q, at a scatter of the reddening."""
    v_w, v_wc, v_c = scattered(star, tau)
    return np.sqrt(v_w - v_wc * v_wc / v_c)


@njit(**HOT)
def along_c(star, tau):
    """Width in c, given W and Q."""
    v_w, v_wc, v_c = scattered(star, tau)
    return np.sqrt(v_c - v_wc * v_wc / v_w)


@njit(**HOT)
def along_q(star, tau):
    """Width in Q, given W and c."""
    v_w, v_wc, v_c = scattered(star, tau)
    g, d = star.gamma, star.delta
    more = (g * g * v_c - 2.0 * g * d * v_wc + d * d * v_w) / (v_w * v_c - v_wc * v_wc)
    return 1.0 / np.sqrt(2.0 * star.inv_q / LOG2_E + more)


@njit(**HOT)
def along_sightline(mask, star, law, slope, tau):
    """Width of the likelihood of a node in distance modulus along the sightline, given dE/dµ."""
    if by_colour(mask):
        k_second = law.kappa[first_band(mask)]
        # The steepest synthetic band: that of the bluest star.
        k = law.kappa[H] + law.relation[0] * (law.kappa[J] - law.kappa[H])
        a, b = 1.0 + k * slope, 1.0 + k_second * slope
        wa, wb = 1.0 / star.v_ww, 1.0 / star.v_cc
        dd = wa * a * a + wb * b * b
        dk = wa * a * k + wb * b * k_second
        kk = wa * k * k + wb * k_second**2
        return 1.0 / np.sqrt(dd - tau * tau * dk * dk / (1.0 + tau * tau * kk))
    v_w, v_wc, v_c = scattered(star, tau)
    beta = v_wc / v_c
    across = 1.0 + (star.kappa_w - beta) * slope
    return 1.0 / np.sqrt(across * across / (v_w - beta * v_wc) + slope * slope / v_c)
