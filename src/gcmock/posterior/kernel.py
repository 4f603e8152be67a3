"""The posterior of many stars, fast: the same formula as `posterior/reference.py`, compiled.

How it is fast:

- With two or more of J, H, Ks every node is reduced once per star to the distance modulus and
  reddening that
  would explain it best (generalised least squares) and the misfit that remains; a (node, distance)
  pair then costs seven operations and one 2^x.
- At each distance only nodes inside a window of the reddening-free magnitude are visited.
- The likelihood is a smooth function of the distance modulus: it is computed on a coarse grid,
  first every
  fourth point, then where it matters, and interpolated to the fine bins that resolve the prior.

Everything is single-threaded and releases the GIL; the work space is allocated once per block.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.fastmath import INNER, INNER_FAST, LEAST_SUM, LOG2_E
from gcmock.posterior.lattice import reduce_places, sum_places, sum_single
from gcmock.posterior.nodes import INDEX_STEP_MAG
from gcmock.posterior.structures import MU_STEP
from gcmock.posterior.sums import index_of, sum_direct, sum_linear
from gcmock.posterior.terms import conditional, profile, window

SUPPORT = 1e-4
"""Coarse points below this fraction of the best are not refined."""


@njit(**INNER)
def _reaches(c, near, c_min, c_max):
    """Whether any place of a slab has a colour within `near` of c."""
    return c - near < c_max and c + near > c_min


@njit(**INNER)
def first_reached(
    star, lattice, bins, stride, n, e_rc, tau_rc, scale, norm, k0, k1, p1, p2, p3, x_min, x_max
):
    """First coarse point, in steps of four, at which the reddening can explain the colour at all.

    Nearer by, neither the reddening nor the stars faint enough to be so near are red enough; both
    only grow with distance, so that the point is found by bisection.
    """
    low, high = 0, (n - 1) // 4
    while low < high:
        middle = (low + high) // 2
        j = 4 * middle
        mu = bins.mu_min + j * stride * MU_STEP
        s = profile(bins.distance[j * stride], scale, norm)
        e, tau = e_rc * s, tau_rc * s
        key, _ = window(star, mu, e, tau, k0, k1, p1, p2, p3, x_min, x_max)
        slab = int(np.floor((key - lattice.w_min) / lattice.step))
        near = star.half_sigmas * np.sqrt(star.c_variance + tau * tau)
        if star.c - e - near > lattice.c_top[min(max(slab, 0), lattice.c_top.size - 1)]:
            low = middle + 1
        else:
            high = middle
    return 4 * low


@njit(**INNER)
def coarse_likelihood(
    star, table, lattice, law, bins, prior, groups, e_rc, tau_rc, scale, norm, stride, work
):
    """Fill `work.coarse` with Σ_k w_k N of every population on the coarse grid.

    First every fourth point, then the gaps beside points whose score (prior times likelihood) is
    not negligible against the best. `groups[c]` is the population of component c; `e_rc`, `tau_rc`
    are the reddening and its scatter at the red-clump distance, `scale` and `norm` describe the
    profile of the dust.
    """
    f32 = np.float32
    m_j, m_h, m_ks, weight = table.mag[0], table.mag[1], table.mag[2], table.weight
    start, index, key_min = table.start, table.first_of_key, table.key_min
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
    # For a single band: the formula of Hw with the extinction of the band and no colour term.
    is_hw = np.isnan(star.key_kappa)
    single_0 = k0 if is_hw else star.key_kappa
    single_1 = k1 if is_hw else star.key_kappa
    single_p1, single_p2, single_p3 = (p1, p2, p3) if is_hw else (0.0, 0.0, 0.0)
    for i in range(n_slab):
        reduced[i] = 0
    n_population = start.size - 1
    n_step = index.shape[1]
    n = bins.bin_of_mu.size // stride
    begin = 0
    if star.on_lattice and not star.direct:
        begin = first_reached(
            star, lattice, bins, stride, n, e_rc, tau_rc, scale, norm, k0, k1, p1, p2, p3,
            x_min, x_max,
        )  # fmt: skip
    for j in range(begin):
        score[j] = 0.0
        reached[j] = 0
        for p in range(n_population):
            coarse[p, j] = 0.0
    best = 0.0
    for phase in range(2):
        for j in range(begin, n):
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
                i_lo = max(int(np.floor((lo - lattice.w_min) / lattice.step)), 0)
                i_hi = min(int(np.ceil((hi - lattice.w_min) / lattice.step)) + 1, n_slab)
                near = np.inf
                if not star.direct:
                    near = star.half_sigmas * np.sqrt(star.c_variance + tau * tau)
                while i_lo < i_hi and not _reaches(star.c - e, near, c_min[i_lo], c_max[i_lo]):
                    i_lo += 1
                while i_lo < i_hi and not _reaches(
                    star.c - e, near, c_min[i_hi - 1], c_max[i_hi - 1]
                ):
                    i_hi -= 1
                for i in range(i_lo, i_hi if not star.direct else i_lo):
                    if reduced[i] == 0:
                        reduced[i] = 1
                        reduce_places(
                            place_w, place_c, place_q, first[i], first[i + 1],
                            f32(star.key), f32(star.c), f32(star.q), f32(star.gamma),
                            f32(star.delta), f32(star.inv_q), mu_hat, e_hat, log_like,
                        )  # fmt: skip
                if i_lo >= i_hi:
                    for p in range(n_population):
                        sums[p] = f32(0.0)
                elif star.direct:
                    sum_single(
                        place_w, place_c, place_weight, first[i_lo], first[i_hi],
                        f32(star.key - mu), f32(e), f32(single_0), f32(single_1),
                        f32(single_p1), f32(single_p2), f32(single_p3),
                        f32(0.5 * LOG2_E / star.key_variance), f32(tau * tau), sums,
                    )  # fmt: skip
                else:
                    sum_places(
                        mu_hat, e_hat, log_like, place_weight, first[i_lo], first[i_hi],
                        f32(mu), f32(e), f32(beta), f32(inv_mu), f32(inv_e), sums,
                    )  # fmt: skip
                for p in range(n_population):
                    coarse[p, j] = factor * sums[p] if sums[p] > LEAST_SUM else 0.0
            i_lo = index_of(lo, key_min, n_step)
            i_hi = index_of(hi + INDEX_STEP_MAG, key_min, n_step)
            total = f32(0.0)
            for p in range(0 if star.on_lattice else n_population):
                a = index[p, i_lo]
                z = min(index[p, i_hi], start[p + 1])
                if star.direct:
                    total = sum_direct(
                        m_j, m_h, m_ks, weight, a, z, star,
                        f32(mu + k0 * e), f32(mu + k1 * e), f32(mu + k2 * e),
                        f32(k0), f32(k1), f32(k2), f32(p1), f32(p2), f32(p3), f32(tau * tau),
                    )  # fmt: skip
                else:
                    total = sum_linear(
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
def expand(bins, prior, groups, stride, work):
    """Fill `work.post`, `work.evidence` and `work.support`; return the total evidence.

    Between two coarse points the likelihood is the cubic through the four around them; the bins in
    between are done together, component by component.
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
def without_photometry(bins, prior, work):
    """Do the same without photometry: the posterior is prior times parallax."""
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
