"""The loop over stars: posterior, summary and draws of a block of stars that share a band mask."""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.compilation import compiled
from gcmock.posterior.kernel.coarse import make_grid
from gcmock.posterior.kernel.draw import (
    ATTEMPT_STRIDE,
    COMPONENT,
    MAX_ATTEMPTS,
    MODEL_ERROR,
    NODE,
    REDDENING,
    WITHIN_BIN,
    draw_component_and_bin,
    draw_distance,
    draw_node,
    draw_reddening,
    node_of_prior,
    standard_normal,
    summarise,
    true_magnitudes,
)
from gcmock.posterior.kernel.fastmath import INNER
from gcmock.posterior.kernel.likelihood import (
    EXACT_RADIUS2,
    NODE_RADIUS2,
    RADIUS2,
    TAIL,
    TAIL_RADIUS2,
    accumulate,
    coarse_likelihood,
    expand,
    fraction_outside,
    without_photometry,
)
from gcmock.posterior.kernel.limits import best_reddening, passing_reddening
from gcmock.posterior.kernel.star import INFLATION_MAG, has_own_prior, prepare, reddening_of
from gcmock.posterior.kernel.terms import dust_scatter, off_in_q, profile, tilted
from gcmock.random import uniform_scalar


@compiled(nogil=True, error_model="numpy")
def evaluate(stars, i, mask, inflation, exact, shared, work):
    """Fill `work.post` with the posterior of star i, not normalised.

    Returns its sum (0 if nothing explains the star), the star as prepared, and the variances that
    were used.
    """
    # Unpacked here, once: inside the loops references to arrays in tuples would be counted.
    table, lattice, law, groups = shared.table, shared.lattice, shared.law, shared.groups
    bins, sightlines = shared.bins, shared.sightlines
    r2 = EXACT_RADIUS2 if exact else NODE_RADIUS2
    exact |= lattice.block.shape[0] == 0
    tilt = 0.0 if exact else shared.tilt
    prior, star, variance = prepare(stars, i, mask, inflation, tilt, shared, work)
    if not exact:
        # Beside the populations the ellipse is measured from the nearest node.
        r2 = RADIUS2 + off_in_q(star) ** 2
    if mask == 0:
        return without_photometry(bins, prior, work), star, variance
    own, s = has_own_prior(stars, i), stars.sightline[i]
    if own or work.accumulated[0] != s:
        accumulate(prior, work.cumulative)
        work.accumulated[0] = -1 if own else s
    red = reddening_of(stars, i, sightlines)
    n = make_grid(mask, exact, table.fineness, star, law, bins, red, work.knot, work.density)
    for _ in range(2):
        begin, end = coarse_likelihood(
            mask, exact, star, table, lattice, law, bins, groups, red, n, r2, work
        )
        total = expand(bins, prior, n, begin, end, work)
        if exact or r2 >= TAIL_RADIUS2:
            break
        outside = fraction_outside(mask, star, table, lattice, law, bins, groups, red, r2, work)
        if outside <= TAIL:
            break
        r2 = TAIL_RADIUS2
    return total, tilted(star, -tilt), variance


@compiled(nogil=True, error_model="numpy")
def run(stars, rows, mask, shared, work, keys, summary, draws, mass):
    """Posterior, summary and draws of a block of stars.

    `rows` (n_star,) are their places in `keys` (the keys of the random streams, a column per
    realisation), `summary` and `draws`; `shared` is a `Shared`. `mass` (n_star, n_distance) gets
    the probabilities of the distance bins; without any row they are not kept.
    """
    bins, sightlines = shared.bins, shared.sightlines
    for i in range(rows.size):
        row = rows[i]
        total = 0.0
        for inflation in range(INFLATION_MAG.size):
            # The ellipse on a lattice is small: a star that finds nothing there gets a second look.
            for exact in range(2):
                total, star, variance = evaluate(
                    stars, i, mask, inflation, exact == 1, shared, work
                )
                if total > 0.0:
                    break
            summary.inflation[row] = inflation
            if total > 0.0:
                break
        if not total > 0.0:
            # Not even three magnitudes of error make the star possible: fall back on the prior.
            total = without_photometry(bins, sightlines.prior[stars.sightline[i]], work)
            summary.inflation[row] = INFLATION_MAG.size
        summary.log_evidence[row] = np.log(total)
        summary.distance_mean_pc[row] = summarise(
            bins, work, total, summary.probability[row], summary.distance_quantile_pc[row]
        )
        if mass.shape[0] > 0:
            for k in range(work.support[0], work.support[1]):
                mass[row, k] = work.mass[k] / total
        known = mask != 0 and summary.inflation[row] < INFLATION_MAG.size
        for r in range(keys.shape[1]):
            draws.component[row, r], draws.node[row, r], draws.distance_pc[row, r], e = draw(
                stars, i, keys[row, r], mask if known else 0, star, variance, total, shared, work,
                draws.mag[row, r],
            )  # fmt: skip
            draws.e_jks[row, r] = e


@compiled(nogil=True, error_model="numpy")
def evidences(stars, rows, mask, shared, work, out):
    """Fill `out` (n_star, n_part) with the evidences of stars whose errors are what they are said.

    `rows` are the places of the stars of the block in it.
    """
    for i in range(rows.size):
        for exact in range(2):
            total, _, _ = evaluate(stars, i, mask, 0, exact == 1, shared, work)
            if total > 0.0:
                for c in range(out.shape[1]):
                    out[rows[i], c] = work.evidence[c]
                break


@njit(**INNER)
def draw(stars, i, key, mask, star, variance, total, shared, work, mag):
    """Draw one true star from `work.post`, whose magnitudes fill `mag`.

    Returns component, node, distance [pc] and reddening [mag].
    """
    law, bins, groups, original = shared.law, shared.bins, shared.groups, shared.nodes
    red = reddening_of(stars, i, shared.sightlines)
    node = -1
    c = 0
    distance = 0.0
    mu = 0.0
    e = 0.0
    tau = 0.0
    for attempt in range(MAX_ATTEMPTS):
        base = attempt * ATTEMPT_STRIDE
        c, bin_index = draw_component_and_bin(work, total, uniform_scalar(key, base + COMPONENT))
        distance = draw_distance(
            bins, bin_index, stars.parallax[i], stars.parallax_error[i],
            uniform_scalar(key, base + WITHIN_BIN),
        )  # fmt: skip
        mu = 5.0 * np.log10(distance) - 5.0
        shape = profile(red.dust, distance)
        e = red.e_jks_rc * shape
        tau = dust_scatter(red.dust, red.e_jks_rc, red.tau_rc, shape)
        u_node = uniform_scalar(key, base + NODE)
        if mask == 0:
            node = node_of_prior(original, groups[c], u_node)
            break
        node = draw_node(mask, star, shared.table, law, work, groups[c], mu, e, tau, u_node)
        if node >= 0:
            break
    if node < 0:
        # The interpolated posterior had mass where no node is: at worst a rare star at the edge of
        # its range.
        node = node_of_prior(original, groups[c], uniform_scalar(key, NODE))
    base = MAX_ATTEMPTS * ATTEMPT_STRIDE
    node_mag = original.mag[:, node]
    mean = e
    e = draw_reddening(
        mask, stars.mag[i], variance, law, node_mag, mu, e, tau,
        standard_normal(key, base + REDDENING),
    )  # fmt: skip
    # Dust does not brighten, though a Gaussian as wide as its mean would have it so.
    e = max(e, 0.0)
    if mask != 0 and work.limits.n_limit[0] > 0 and tau > 0.0:
        j0, h0, k0 = node_mag[0] + mu, node_mag[1] + mu, node_mag[2] + mu
        best, known = best_reddening(mask, law, j0, h0, k0, mean, tau, work.limits)
        e = passing_reddening(law, node_mag, mu, e, best, np.sqrt(known), key, work.limits)
    true_magnitudes(
        mask, stars.mag[i], variance, shared.model_variance, law, node_mag, mu, e, key,
        base + MODEL_ERROR + 2, mag,
    )  # fmt: skip
    return c, node, distance, e
