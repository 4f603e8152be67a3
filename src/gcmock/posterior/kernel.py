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

from gcmock.posterior.coarse import modulus, place
from gcmock.posterior.fastmath import INNER, INNER_FAST, LEAST_SUM
from gcmock.posterior.structures import MU_STEP, N_COARSE, N_LANE
from gcmock.posterior.sums import sum_colours, sum_rows, weigh_colours, weigh_rows
from gcmock.posterior.terms import by_colour, profile, scattered
from gcmock.posterior.vector import LANES, N_POPULATION

Q_ORIGIN, Q_MARGIN = -0.1, 0.1
"""Where stars are in Q, and how far from there the near and far end of a star's range are safe."""

LOG_PER_MAG = 0.2 * np.log(10.0)

FIRST_STEP, LAST_LEVEL = 8, 3
"""Step of the coarse grid in the first pass, and the number of passes that follow, each of which
halves it."""

SMOOTH = np.array([0.005, 0.015])
"""In the passes between: where its neighbours predict a point this well (error as a fraction), the
points beside it, which are predicted some ten times better, are interpolated."""

NOTABLE = 0.007
"""Errors below this fraction of the mean of the first pass do not matter."""

LARGE = 0.1
"""A gap with more than this share of the posterior is looked into even if its middle is predicted
well: that may be chance."""

NEGLECTED = 3e-4
"""Gaps between two points of the first pass that are below this fraction of its mean are not looked
into: even a peak in the middle of one has at most a hundred times more."""

RADIUS2, NODE_RADIUS2, EXACT_RADIUS2 = 3.5**2, 4.5**2, 7.0**2
"""Squared radius of the ellipse in standard deviations: on a lattice, where what lies outside is
traded for speed; for sums over nodes; and where nothing is to be left out."""


@njit(**INNER)
def _red_enough(star, c_edge, row_min, row_step, side, mu, e, tau, r2):
    """Whether the reddening at a distance can explain the colour.

    `side` 0: of any star that is faint enough to be there; 1: of any that is bright enough.
    `c_edge` is `Rows.c_top` or `Rows.c_bottom`.
    """
    v_w, _, v_c = scattered(star, tau)
    dq = star.q - Q_ORIGIN
    half = np.sqrt(r2 * v_c) + Q_MARGIN * abs(star.delta)
    c = star.c - e - star.delta * dq
    reach = np.sqrt(r2 * v_w) + Q_MARGIN * abs(star.gamma)
    w = star.w - mu - star.kappa_w * e - star.gamma * dq
    row = int((w + (reach if side == 1 else -reach) - row_min) / row_step)
    row = min(max(row, 0), c_edge.size - 1)
    if side == 0:
        return c - half <= c_edge[row]
    return c + half >= c_edge[row]


@njit(**INNER)
def reach(star, rows, bins, n, e_rc, tau_rc, scale, norm, r2, knot, density):
    """First and last (plus one) coarse point at which the reddening can explain the colour at all.

    Nearer by, neither the reddening nor the stars faint enough to be so near are red enough;
    further out, both are too red. The points are found by bisection, in steps of four.
    """
    limits = np.empty(2, np.int64)
    for side in range(2):
        c_edge = rows.c_top if side == 0 else rows.c_bottom
        low, high = 0, (n - 1) // FIRST_STEP
        while low < high:
            middle = (low + high + side) // 2
            mu = modulus(bins, float(FIRST_STEP * middle), knot, density)
            s = profile(10.0 ** (0.2 * mu + 1.0), scale, norm)
            red = _red_enough(
                star, c_edge, rows.row_min, rows.row_step, side, mu, e_rc * s, tau_rc * s, r2
            )
            if red == (side == 0):
                high = middle - side
            else:
                low = middle + 1 - side
        limits[side] = low
    # One step more on either side: the limits lie between two points.
    return FIRST_STEP * max(limits[0] - 1, 0), min(FIRST_STEP * (limits[1] + 1) + 1, n)


@njit(**INNER)
def nodes_at(mask, star, table, law, population, mu, e, tau, r2, work):
    """Fill `work.node` with the likelihood of the nodes of a population at one distance.

    Without the factors that all nodes have in common. Returns the number of blocks of nodes.
    """
    rows = table.rows
    if by_colour(mask):
        return weigh_colours(
            rows.block, rows.first, population, rows.row_min, rows.row_step, rows.bin_min,
            rows.bin_step, star.w - mu, star.c, star.v_ww, star.v_cc, e, tau, law.kappa[0],
            law.kappa[1], law.kappa[2 if mask == 12 else 0], law.hw[0], law.hw[1], law.hw[2], r2,
            work.node, work.source,
        )  # fmt: skip
    v_w, v_wc, v_c = scattered(star, tau)
    return weigh_rows(
        rows.block, rows.first, population, rows.q_mean, rows.q_half, rows.row_min, rows.row_step,
        rows.row_extent, rows.bin_min, rows.bin_step, star.w - mu - star.kappa_w * e, star.c - e,
        star.q, star.gamma, star.delta, star.inv_q, v_wc, v_c, v_w, r2, work.node, work.source,
    )  # fmt: skip


@njit(**INNER_FAST)
def _sum(values, n):
    """Sum of the first n values."""
    total = np.float32(0.0)
    for i in range(np.uint64(n)):
        total += values[i]
    return total


@njit(**INNER_FAST)
def _sum_lanes(total, sums):
    """Fill `sums` with the sums over lanes."""
    for p in range(N_POPULATION):
        one = np.float32(0.0)
        for i in range(LANES):
            one += total[p, i]
        sums[p] = one


@njit(inline="always")
def _fourth_power(y):
    square = y * y
    return square * square


@njit(**INNER_FAST)
def _dot(x, y):
    """Sum over lanes of x y⁴."""
    total = np.float32(0.0)
    for c in range(N_LANE):
        total += x[c] * _fourth_power(y[c])
    return total


@njit(**INNER_FAST)
def _distance(x, y, z):
    """Sum over lanes of x |y⁴ - z⁴|."""
    total = np.float32(0.0)
    for c in range(N_LANE):
        total += x[c] * abs(_fourth_power(y[c]) - _fourth_power(z[c]))
    return total


@njit(**INNER_FAST)
def with_parallax(prior, parallax, out):
    """Fill `out` with the prior times the likelihood of the parallax."""
    for i in range(parallax.size):
        for c in range(N_LANE):
            out[i, c] = prior[i, c] * parallax[i]


@njit(**INNER_FAST)
def _prior_around(prior, first, last, sums):
    """Fill `sums` with the prior of every component in a range of bins."""
    for c in range(N_LANE):
        sums[c] = 0.0
    for i in range(first, last):
        for c in range(N_LANE):
            sums[c] += prior[i, c]


@njit(**INNER)
def _bin_at(bins, j, knot, density):
    """Bin at a place of the coarse grid."""
    i = int((modulus(bins, j, knot, density) - bins.knot_mu[0]) / MU_STEP)
    return bins.bin_of_mu[min(max(i, 0), bins.bin_of_mu.size - 1)]


@njit(**INNER_FAST)
def _predict(coarse, j, step, guess):
    """Fill `guess` with the cubic through the points one and three steps from point j."""
    before, after = max(j - 3 * step, 0), min(j + 3 * step, N_COARSE - 1)
    for c in range(N_LANE):
        inner = coarse[j - step, c] + coarse[j + step, c]
        value = (np.float32(9.0) * inner - coarse[before, c] - coarse[after, c]) * np.float32(
            0.0625
        )
        guess[c] = max(value, np.float32(0.0))


@njit(**INNER)
def coarse_likelihood(
    mask, exact, star, table, lattice, law, bins, prior, groups, e_rc, tau_rc, scale, norm, n, r2,
    work,
):  # fmt: skip
    """Fill `work.coarse` with (Σ_k w_k N)^(1/4) of every component on the coarse grid.

    First every eighth point, then, level by level, those between points whose score (prior times
    likelihood) is not negligible and which their neighbours do not predict; the rest is
    interpolated. The fourth root of a Gaussian is twice as wide, and what is interpolated stays
    positive. `groups[c]` is the population of component c; `e_rc`,
    `tau_rc` are the reddening and its scatter at the red-clump distance, `scale` and `norm`
    describe the profile of the dust, `n` is the number of points. Returns the first and last (plus
    one) point that was looked at.
    """
    coarse, score, reached, refine = work.coarse, work.score, work.reached, work.refine
    guess, around = work.guess, work.around
    sums, total = work.sums, work.total
    block, first, q_mean, q_half = lattice.block, lattice.first, lattice.q_mean, lattice.q_half
    row_min, row_step, row_extent = lattice.row_min, lattice.row_step, lattice.row_extent
    bin_min, bin_step = lattice.bin_min, lattice.bin_step
    k0, k1, k2 = law.kappa[0], law.kappa[1], law.kappa[2 if mask == 12 else 0]
    p1, p2, p3 = law.hw[0], law.hw[1], law.hw[2]
    colours = by_colour(mask)
    per_scale, per_norm = 1.0 / scale, 1.0 / norm
    knot, density = work.knot, work.density
    begin, end = 0, n
    rows = table.rows if exact else lattice
    if rows.first.shape[2] > 2 and not colours:
        begin, end = reach(star, rows, bins, n, e_rc, tau_rc, scale, norm, r2, knot, density)
    last = begin + -(-(end - 1 - begin) // FIRST_STEP) * FIRST_STEP + 1
    # Some points more on both sides are read by the interpolation.
    for j in range(max(begin - 3 * FIRST_STEP, 0), min(last + 3 * FIRST_STEP, N_COARSE)):
        score[j] = 0.0
        reached[j] = 0
        refine[j] = 0
        for c in range(N_LANE):
            coarse[j, c] = 0.0
    score_sum, n_score, least, notable = 0.0, 0, 0.0, 0.0
    thorough = r2 > NODE_RADIUS2
    for level in range(LAST_LEVEL + 1):
        step = FIRST_STEP >> level
        if level == 1:
            mean = score_sum / n_score
            least = (1e-6 if thorough else NEGLECTED) * mean
            notable = NOTABLE * mean / FIRST_STEP
        for j in range(begin if level == 0 else begin + step, last, 2 * step if level else step):
            if level > 0:
                if level == 1:
                    wanted = max(score[j - step], score[j + step]) > least
                else:
                    parent = j // (4 * step) * (4 * step) + 2 * step
                    wanted = refine[parent] == 1
                if level < LAST_LEVEL or not wanted:
                    _predict(coarse, j, step, guess)
                if not wanted:
                    refine[j] = 0
                    reached[j] = max(reached[j - step], reached[j + step])
                    for c in range(N_LANE):
                        coarse[j, c] = guess[c]
                    continue
            mu = modulus(bins, float(j), knot, density)
            distance = 10.0 * np.exp(LOG_PER_MAG * mu)
            # As `profile`; the difference matters only where there is no reddening.
            s = (1.0 - np.exp(-distance * per_scale)) * per_norm
            e, tau = e_rc * s, tau_rc * s
            if exact:
                for p in range(N_POPULATION):
                    n_block = nodes_at(mask, star, table, law, p, mu, e, tau, r2, work)
                    sums[p] = _sum(work.node, n_block * LANES)
            else:
                total.fill(np.float32(0.0))
                if colours:
                    sum_colours(
                        block, first, row_min, row_step, bin_min, bin_step, star.w - mu, star.c,
                        star.v_ww, star.v_cc, e, tau, k0, k1, k2, p1, p2, p3, r2, total,
                    )  # fmt: skip
                else:
                    v_w, v_wc, v_c = scattered(star, tau)
                    sum_rows(
                        block, first, q_mean, q_half, row_min, row_step, row_extent, bin_min,
                        bin_step, star.w - mu - star.kappa_w * e, star.c - e, star.q, star.gamma,
                        star.delta, star.inv_q, v_wc, v_c, v_w, r2, total,
                    )  # fmt: skip
                _sum_lanes(total, sums)
            factor = star.norm
            if not colours:
                factor /= np.sqrt(1.0 + tau * tau * star.kk)
            for c in range(groups.size):
                value = sums[groups[c]]
                if value > LEAST_SUM:
                    reached[j] = 1
                    coarse[j, c] = np.sqrt(np.sqrt(factor * value))
            if level == LAST_LEVEL:
                continue
            _prior_around(
                prior,
                _bin_at(bins, float(j - step), knot, density),
                _bin_at(bins, float(j + step), knot, density) + 1,
                around,
            )
            score[j] = _dot(around, coarse[j])
            if level == 0:
                score_sum += score[j]
                n_score += 1
            else:
                wrong = _distance(around, coarse[j], guess)
                limit = max(SMOOTH[level - 1] * score[j], notable * step)
                large = level == 1 and score[j] > LARGE * score_sum
                refine[j] = 1 if thorough or large or wrong > limit else 0
    return begin, last


@njit(**INNER_FAST)
def expand(bins, prior, n, begin, end, work):
    """Fill `work.post`, `work.mass`, `work.evidence` and `work.support` from the coarse grid.

    Returns the total evidence. Between two coarse points its fourth root is the cubic through the
    four around them.
    """
    coarse, post, mass = work.coarse, work.post, work.mass
    evidence, cubic, knot, density = work.evidence, work.cubic, work.knot, work.density
    zero, half = np.float32(0.0), np.float32(0.5)
    third, sixth = np.float32(1 / 3), np.float32(1 / 6)
    low, high = max(begin - 2, 1), min(end + 2, n - 2)
    while low < high and work.reached[min(low + 2, n - 1)] == 0:
        low += 1
    while high > low and work.reached[high - 1] == 0:
        high -= 1
    first = np.searchsorted(bins.mu, modulus(bins, float(low), knot, density))
    last = np.searchsorted(bins.mu, modulus(bins, float(high), knot, density))
    work.support[0], work.support[1] = first, last
    for c in range(N_LANE):
        evidence[c] = zero
    before = -1
    for i in range(first, last):
        at = place(bins, bins.mu[i], knot, density)
        j = min(max(int(at), low), high - 1)
        f = np.float32(at - j)
        if j != before:
            before = j
            # Coefficients of the cubic in f = 0 ... 1 between points j and j + 1.
            for c in range(N_LANE):
                y0, y1, y2, y3 = coarse[j - 1, c], coarse[j, c], coarse[j + 1, c], coarse[j + 2, c]
                cubic[0, c] = y1
                cubic[1, c] = y2 - y1 * half - y0 * third - y3 * sixth
                cubic[2, c] = (y0 + y2) * half - y1
                cubic[3, c] = (y3 - y0) * sixth + (y1 - y2) * half
        total = zero
        for c in range(N_LANE):
            root = cubic[0, c] + f * (cubic[1, c] + f * (cubic[2, c] + f * cubic[3, c]))
            value = prior[i, c] * _fourth_power(max(root, zero))
            post[i, c] = value
            evidence[c] += value
            total += value
        mass[i] = total
    total = 0.0
    for c in range(N_LANE):
        total += evidence[c]
    return total


@njit(**INNER)
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
