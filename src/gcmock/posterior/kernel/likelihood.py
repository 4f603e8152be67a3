"""The posterior of many stars, fast: the same formula as `posterior/reference.py`, compiled.

How it is fast:

- Places of a lattice stand for the nodes of all populations at once; at each distance only those
  inside the ellipse of the star's errors are visited, sixteen at a time.
- The likelihood is a smooth function of the distance modulus: it is computed on a coarse grid,
  first every eighth point, then where it matters and is not as smooth as that, and interpolated to
  the fine bins that resolve the prior.
- Components are the lanes of vectors wherever the work is done bin by bin.

Everything is single-threaded and releases the GIL; the work space is allocated once per block.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.kernel.bands import KS, H, J, by_colour, first_band
from gcmock.posterior.kernel.coarse import FIRST_STEP, modulus, place
from gcmock.posterior.kernel.fastmath import HOT, HOT_FAST, LEAST_SUM
from gcmock.posterior.kernel.lanes import (
    accumulate_lanes,
    clear_lanes,
    difference_lanes,
    interpolate_lanes,
    predict_lanes,
    roots_of_sums,
    score_lanes,
    total_lanes,
)
from gcmock.posterior.kernel.limits import weigh_by_limits
from gcmock.posterior.kernel.reach import reach
from gcmock.posterior.kernel.structures import MU_STEP, N_COARSE, N_LANE
from gcmock.posterior.kernel.sums import sum_colours, sum_rows, weigh_colours, weigh_rows
from gcmock.posterior.kernel.terms import (
    dust_scatter,
    inverse_dust,
    profile,
    profile_fast,
    scattered,
)
from gcmock.posterior.kernel.vector import LANES, N_POPULATION

LOG_PER_MAG = 0.2 * np.log(10.0)

LAST_LEVEL = 3
"""The number of passes over the coarse grid after the first, each of which halves its step."""

SMOOTH = np.array([0.005, 0.015])
"""In the passes between: where its neighbours predict a point this well (error as a fraction), the
points beside it, which are predicted some ten times better, are interpolated."""

NOTABLE = 0.007
"""Errors below this fraction of the mean of the first pass do not matter."""

LARGE = 0.1
"""A gap with more than this fraction of the posterior is looked into even if its middle is
predicted well: that may be chance."""

NEGLECTED = 3e-4
"""Gaps between two points of the first pass that are below this fraction of its mean are not looked
into: even a peak in the middle of one has at most a hundred times more."""

NARROW = 0.7
"""Scatter of the extinction in H over the error of a synthetic magnitude up to which that magnitude
does not tell the reddening of a star with limits."""

PART_WIDTH, PART_PLACE = 0.35, np.arange(-3.0, 3.01, 0.5)
PART_FRACTION = np.exp(-0.5 * PART_PLACE**2) / np.exp(-0.5 * PART_PLACE**2).sum()
"""A Gaussian as a sum of narrower ones: their width over its own, their places in units of the
width that remains, and their fractions. The sum is a Gaussian to 1e-3."""

TAIL, APART, NOTED = 0.01, 4, 0.1
"""Where more than this fraction of the likelihood is outside the ellipse of a lattice, the star is
in the tail of its errors, and gets a larger radius; how many coarse points apart the two places are
where this is looked at; and what the second must have of the posterior of the first."""

RADIUS2, NODE_RADIUS2, TAIL_RADIUS2, EXACT_RADIUS2 = 3.5**2, 4.5**2, 5.5**2, 7.0**2
"""Squared radius of the ellipse in standard deviations: on a lattice, where what lies outside is
traded for speed; for sums over nodes; on a lattice for stars in the tail of their errors; and where
nothing is to be left out."""


@njit(**HOT)
def nodes_at(mask, star, table, law, population, mu, e, tau, r2, work):
    """Fill `work.node` with the likelihood of the nodes of a population at one distance.

    Without the factors that all nodes have in common, and with the probability that the star
    passed the limits of the list. Returns the number of blocks of nodes.
    """
    n_block = _weigh_nodes(mask, star, table, law, population, mu, e, tau, r2, work)
    if work.limits.n_limit[0] > 0:
        weigh_by_limits(mask, law, table.mag, mu, e, tau, n_block, work)
    return n_block


@njit(**HOT)
def _weigh_nodes(mask, star, table, law, population, mu, e, tau, r2, work):
    """Fill `work.node` without regard to limits."""
    rows = table.rows
    if by_colour(mask):
        return weigh_colours(
            rows.block, rows.first, population, rows.row_min, rows.row_step, rows.bin_min,
            rows.bin_step, star.w - mu, star.c, star.v_ww, star.v_cc, e, tau, law.kappa[J],
            law.kappa[H], law.kappa[first_band(mask)], law.relation[0], law.relation[1],
            law.relation[2], r2,
            work.node, work.source,
        )  # fmt: skip
    v_w, v_wc, v_c = scattered(star, tau)
    return weigh_rows(
        rows.block, rows.first, population, rows.q_mean, rows.q_half, rows.row_min, rows.row_step,
        rows.row_extent, rows.bin_min, rows.bin_step, star.w - mu - star.kappa_w * e, star.c - e,
        star.q, star.gamma, star.delta, star.inv_q, v_wc, v_c, v_w, r2, work.span, work.node,
        work.source,
    )  # fmt: skip


@njit(**HOT_FAST)
def _sum(values, n):
    """Sum of the first n values."""
    total = np.float32(0.0)
    for i in range(np.uint64(n)):
        total += values[i]
    return total


@njit(**HOT_FAST)
def with_parallax(prior, parallax, out):
    """Fill `out` with the prior times the likelihood of the parallax."""
    for i in range(parallax.size):
        for c in range(N_LANE):
            out[i, c] = prior[i, c] * parallax[i]


@njit(**HOT)
def accumulate(prior, cumulative):
    """Fill `cumulative` with the prior of every component in all bins before each edge."""
    accumulate_lanes(prior, prior.shape[0], cumulative)


@njit(**HOT)
def _locate(mu0, bin_of_mu, j, knot, density, mu_at, bin_at):
    """Fill the distance modulus and the bin of a point of the coarse grid."""
    mu_at[j] = modulus(mu0, float(j), knot, density)
    i = int((mu_at[j] - mu0) / MU_STEP)
    bin_at[j] = bin_of_mu[min(max(i, 0), bin_of_mu.size - 1)]


@njit(**HOT)
def _sums_at(mask, exact, star, table, lattice, law, mu, e, tau, r2, work):
    """Fill `work.sums` with Σ_k w_k N of every population at one distance, less a common factor.

    Returns the fourth root of that factor.
    """
    sums, total, k, p = work.sums, work.total, law.kappa, law.relation
    factor = star.norm
    if exact:
        for i in range(N_POPULATION):
            n_block = nodes_at(mask, star, table, law, i, mu, e, tau, r2, work)
            sums[i] = _sum(work.node, n_block * LANES)
    else:
        clear_lanes(total, N_POPULATION)
        if by_colour(mask):
            limited = work.limits.n_limit[0] > 0 and tau * k[H] > NARROW * np.sqrt(star.v_ww)
            # Which reddening a star has decides whether it passes: narrow parts of its distribution
            # one by one.
            inner = PART_WIDTH * tau if limited else tau
            outer = np.sqrt(tau * tau - inner * inner)
            for part in range(PART_PLACE.size if limited else 1):
                here = e + outer * PART_PLACE[part] if limited else e
                fraction = PART_FRACTION[part] if limited else 1.0
                sum_colours(
                    lattice.block, lattice.first, lattice.q_mean, lattice.q_half, lattice.row_min,
                    lattice.row_step, lattice.bin_min, lattice.bin_step, star.w - mu, star.c,
                    star.v_ww, star.v_cc, here, inner, k[J], k[H], k[first_band(mask)], p[0], p[1],
                    p[2], r2, total, mu, k[KS], table.h_ks, work.limits, fraction,
                )  # fmt: skip
        else:
            v_w, v_wc, v_c = scattered(star, tau)
            sum_rows(
                lattice.block, lattice.first, lattice.q_mean, lattice.q_half, lattice.row_min,
                lattice.row_step, lattice.row_extent, lattice.bin_min, lattice.bin_step,
                star.w - mu - star.kappa_w * e, star.c - e, star.q, star.gamma, star.delta,
                star.inv_q, v_wc, v_c, v_w, r2, work.span, work.listed, total,
            )  # fmt: skip
        for i in range(N_POPULATION):
            total_lanes(total, i, sums)
    if not by_colour(mask):
        factor /= np.sqrt(1.0 + tau * tau * star.kk)
    return np.float32(np.sqrt(np.sqrt(factor)))


@njit(**HOT)
def _likelihood_at(j, mask, exact, star, table, lattice, law, groups, red, inverse, r2, work):
    """Fill row j of `work.coarse`, of which `work.mu_at` holds the distance modulus."""
    mu = work.mu_at[j]
    s = profile_fast(inverse, 10.0 * np.exp(LOG_PER_MAG * mu))
    e, tau = red.e_jks_rc * s, dust_scatter(red.dust, red.e_jks_rc, red.tau_rc, s)
    factor = _sums_at(mask, exact, star, table, lattice, law, mu, e, tau, r2, work)
    if roots_of_sums(work.sums, groups, factor, np.float32(LEAST_SUM), work.coarse, j):
        work.reached[j] = 1


@njit(**HOT)
def _clear(begin, last, coarse, score, reached, refine):
    """Empty the points from the first to the last, and some on both sides: interpolation reads."""
    for j in range(max(begin - 3 * FIRST_STEP, 0), min(last + 3 * FIRST_STEP, N_COARSE)):
        score[j] = 0.0
        reached[j] = 0
        refine[j] = 0
        for c in range(N_LANE):
            coarse[j, c] = 0.0


@njit(**HOT)
def _skip(j, level, step, least, coarse, score, reached, refine, guess):
    """Fill `guess` with what the neighbours predict; if that will do, take it and return true."""
    if level == 1:
        wanted = max(score[j - step], score[j + step]) > least
    else:
        parent = j // (4 * step) * (4 * step) + 2 * step
        wanted = refine[parent] == 1
    if level < LAST_LEVEL or not wanted:
        predict_lanes(coarse, j, step, max(j - 3 * step, 0), min(j + 3 * step, N_COARSE - 1), guess)
    if wanted:
        return False
    refine[j] = 0
    reached[j] = max(reached[j - step], reached[j + step])
    for c in range(N_LANE):
        coarse[j, c] = guess[c]
    return True


@njit(**HOT)
def coarse_likelihood(mask, exact, star, table, lattice, law, bins, groups, red, n, r2, work):
    """Fill `work.coarse` with (Σ_k w_k N)^(1/4) of every component on the coarse grid.

    First every eighth point, then, level by level, those between points whose score (prior times
    likelihood) is not negligible and which their neighbours do not predict; the rest is
    interpolated. The fourth root of a Gaussian is twice as wide, and what is interpolated stays
    positive. `work.cumulative` must hold the prior. `groups[c]` is the population of component c,
    `red` the `Reddening` of the star, `n` the number of points. Returns the first and last (plus
    one) point that was looked at.
    """
    coarse, score, reached, refine = work.coarse, work.score, work.reached, work.refine
    guess, mu_at, bin_at = work.guess, work.mu_at, work.bin_at
    knot, density, cumulative = work.knot, work.density, work.cumulative
    mu0, bin_of_mu = bins.knot_mu[0], bins.bin_of_mu
    inverse = inverse_dust(red.dust)
    begin, end = 0, n
    rows = table.rows if exact else lattice
    if rows.first.shape[2] > 2 and not by_colour(mask):
        begin, end = reach(star, rows, mu0, n, red, r2, knot, density)
    last = begin + -(-(end - 1 - begin) // FIRST_STEP) * FIRST_STEP + 1
    _clear(begin, last, coarse, score, reached, refine)
    for j in range(begin, last, FIRST_STEP):
        _locate(mu0, bin_of_mu, j, knot, density, mu_at, bin_at)
    score_sum, n_score, least, notable = 0.0, 0, 0.0, 0.0
    thorough = r2 >= EXACT_RADIUS2
    for level in range(LAST_LEVEL + 1):
        step = FIRST_STEP >> level
        if level == 1:
            mean = score_sum / n_score
            least = (1e-6 if thorough else NEGLECTED) * mean
            notable = NOTABLE * mean / FIRST_STEP
        for j in range(begin if level == 0 else begin + step, last, 2 * step if level else step):
            if level > 0:
                if _skip(j, level, step, least, coarse, score, reached, refine, guess):
                    continue
                _locate(mu0, bin_of_mu, j, knot, density, mu_at, bin_at)
            _likelihood_at(
                j, mask, exact, star, table, lattice, law, groups, red, inverse, r2, work
            )
            if level == LAST_LEVEL:
                continue
            near, far = bin_at[max(j - step, begin)], bin_at[min(j + step, last - 1)] + 1
            score[j] = score_lanes(cumulative, near, far, coarse, j)
            if level == 0:
                score_sum += score[j]
                n_score += 1
            else:
                wrong = difference_lanes(cumulative, near, far, coarse, j, guess)
                limit = max(SMOOTH[level - 1] * score[j], notable * step)
                large = level == 1 and score[j] > LARGE * score_sum
                refine[j] = 1 if thorough or large or wrong > limit else 0
    return begin, last


@njit(**HOT_FAST)
def expand(bins, prior, n, begin, end, work):
    """Fill `work.post`, `work.mass`, `work.evidence` and `work.support` from the coarse grid.

    Returns the total evidence. Between two coarse points its fourth root is the cubic through the
    four around them. `work.score` gets the posterior between every point and the next, from the
    first to the last of `work.cells` (less one).
    """
    coarse, post, mass = work.coarse, work.post, work.mass
    evidence, knot, density = work.evidence, work.knot, work.density
    mu, mu0, cell = bins.mu, bins.knot_mu[0], work.score
    low, high = max(begin - 2, 1), min(end + 2, n - 2)
    while low < high and work.reached[min(low + 2, n - 1)] == 0:
        low += 1
    while high > low and work.reached[high - 1] == 0:
        high -= 1
    first = np.searchsorted(mu, modulus(mu0, float(low), knot, density))
    last = np.searchsorted(mu, modulus(mu0, float(high), knot, density))
    work.support[0], work.support[1] = first, last
    for c in range(N_LANE):
        evidence[c] = 0.0
    for j in range(low, high):
        cell[j] = 0.0
    for i in range(first, last):
        at = place(mu0, mu[i], knot, density)
        j = min(max(int(at), low), high - 1)
        mass[i] = interpolate_lanes(coarse, j, np.float32(at - j), prior, i, post, evidence)
        cell[j] += mass[i]
    work.cells[0], work.cells[1] = low, high
    total = 0.0
    for c in range(N_LANE):
        total += evidence[c]
    return total


@njit(**HOT)
def fraction_outside(mask, star, table, lattice, law, bins, groups, red, r2, work):
    """Fraction of the likelihood that is outside the ellipse of a lattice, where the posterior is.

    It is looked at in two places: where most of the posterior is, and where most of it is at least
    `APART` points away. Small for a star that stands among nodes, large for one beside all of them.
    """
    score, mu_at, bin_at = work.score, work.mu_at, work.bin_at
    largest = 0.0
    best = -APART
    for look in range(2):
        j = -1
        for k in range(work.cells[0], work.cells[1]):
            if abs(k - best) >= APART and (j < 0 or score[k] > score[j]):
                j = k
        if j < 0 or score[j] <= (0.0 if look == 0 else NOTED * score[best]):
            break
        best = j
        _locate(bins.knot_mu[0], bins.bin_of_mu, j, work.knot, work.density, mu_at, bin_at)
        s = profile(red.dust, 10.0 ** (0.2 * mu_at[j] + 1.0))
        e, tau = red.e_jks_rc * s, dust_scatter(red.dust, red.e_jks_rc, red.tau_rc, s)
        sums = 0.0
        for wide in range(2):
            radius2 = NODE_RADIUS2 if wide else r2
            _sums_at(mask, False, star, table, lattice, law, mu_at[j], e, tau, radius2, work)
            before, sums = sums, 0.0
            # Every component counts as in the posterior of the place.
            near, far = bin_at[j], bin_at[j] + 1
            for c in range(groups.size):
                fraction = work.cumulative[far, c] - work.cumulative[near, c]
                sums += fraction * work.sums[groups[c]]
        if sums > 0.0:
            largest = max(largest, 1.0 - before / sums)
    return largest


@njit(**HOT)
def without_photometry(bins, prior, work):
    """Do the same without photometry: the posterior is the prior."""
    work.support[0], work.support[1] = 0, bins.centre.size
    total = 0.0
    for c in range(N_LANE):
        work.evidence[c] = 0.0
    for i in range(bins.centre.size):
        work.mass[i] = 0.0
        for c in range(N_LANE):
            value = prior[i, c]
            work.post[i, c] = value
            work.evidence[c] += value
            work.mass[i] += value
        total += work.mass[i]
    return total
