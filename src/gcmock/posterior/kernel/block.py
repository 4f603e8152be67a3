"""The loop over stars: posterior, summary and draws of a block of stars that share a band mask."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.compilation import compiled
from gcmock.posterior.kernel.coarse import make_grid
from gcmock.posterior.kernel.draw import (
    ATTEMPT_STRIDE,
    COMPONENT,
    MAX_ATTEMPTS,
    MODEL_ERROR,
    NODE,
    QUANTILES,
    REDDENING,
    WITHIN_BIN,
    draw_component_and_bin,
    draw_distance,
    draw_node,
    draw_reddening,
    node_of_prior,
    parallax_likelihood,
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
    share_outside,
    with_parallax,
    without_photometry,
)
from gcmock.posterior.kernel.motion import moving_prior
from gcmock.posterior.kernel.terms import off_in_q, prepare_star, profile, tilted
from gcmock.random import uniform_scalar

INFLATION_MAG = np.array([0.0, 0.1, 0.3, 1.0, 3.0])
"""Added in quadrature to the errors, one after the other, until the model can explain the star."""

INFLATION_PARALLAX = np.array([1.0, 3.0, 10.0, 100.0, 1000.0])
"""Factors on the parallax error that go with `INFLATION_MAG`."""


class PosteriorSummary(NamedTuple):
    """What is reported of each posterior.

    Attributes
    ----------
    probability : ndarray of float32, shape (n_star, n_component)
    distance_mean_pc : ndarray of float64, shape (n_star,)
    distance_quantile_pc : ndarray of float64, shape (n_star, n_quantile)
    log_evidence : ndarray of float64, shape (n_star,)
        ln of the number density of such stars that the model predicts [per square degree, per mag
        in every band used, per mas if a parallax is used].
    inflation : ndarray of int8, shape (n_star,)
        How many times the errors had to be inflated; 0 for a star that the model explains.
    """

    probability: NDArray[np.float32]
    distance_mean_pc: NDArray[np.float64]
    distance_quantile_pc: NDArray[np.float64]
    log_evidence: NDArray[np.float64]
    inflation: NDArray[np.int8]


class Draws(NamedTuple):
    """True stars drawn from each posterior.

    Attributes
    ----------
    component, node : ndarray of int64, shape (n_star, n_realisation)
        Component and original population node.
    distance_pc, e_jks : ndarray, shape (n_star, n_realisation)
        Distance [pc] and reddening E(J-Ks) [mag].
    mag : ndarray, shape (n_star, n_realisation, 4)
        True apparent J, H, Ks, Hw [mag].
    """

    component: NDArray[np.int64]
    node: NDArray[np.int64]
    distance_pc: NDArray[np.float64]
    e_jks: NDArray[np.float64]
    mag: NDArray[np.float64]


def empty_summary(n_star: int, n_component: int) -> PosteriorSummary:
    """Allocate a summary."""
    return PosteriorSummary(
        np.empty((n_star, n_component), np.float32),
        np.empty(n_star),
        np.empty((n_star, QUANTILES.size)),
        np.empty(n_star),
        np.zeros(n_star, np.int8),
    )


def empty_draws(n_star: int, n_realisation: int) -> Draws:
    """Allocate draws."""
    shape = (n_star, n_realisation)
    return Draws(
        np.empty(shape, np.int64),
        np.empty(shape, np.int64),
        np.empty(shape),
        np.empty(shape),
        np.empty((*shape, 4)),
    )


@compiled(nogil=True, error_model="numpy")
def evaluate(stars, i, mask, inflation, exact, shared, work):
    """Fill `work.post` with the posterior of star i, not normalised.

    Returns its sum (0 if nothing explains the star), the star as prepared, and the variances that
    were used.
    """
    table, lattice, tilt, law, bins, sightlines, groups = shared
    s = stars.sightline[i]
    prior = prior_of(stars, i, INFLATION_PARALLAX[inflation], bins, sightlines, work)
    variance = np.empty(4)
    for b in range(4):
        variance[b] = stars.variance[i, b] + INFLATION_MAG[inflation] ** 2
    star = prepare_star(mask, table.coordinates, stars.mag[i], variance, law)
    r2 = EXACT_RADIUS2 if exact else NODE_RADIUS2
    exact |= lattice.block.shape[0] == 0
    if not exact:
        # Beside the populations the ellipse is measured from the nearest node.
        r2 = RADIUS2 + off_in_q(star) ** 2
        star = tilted(star, tilt)
    if mask == 0:
        return without_photometry(bins, prior, work), star, variance
    own = (
        np.isfinite(stars.parallax[i])
        or np.isfinite(stars.motion[i, 0])
        or np.isfinite(stars.motion[i, 5])
    )
    if own or work.accumulated[0] != s:
        accumulate(prior, work.cumulative)
        work.accumulated[0] = -1 if own else s
    e_jks, tau = stars.e_jks[i], stars.tau[i]
    scale, norm = sightlines.dust_scale_pc[s], sightlines.dust_norm[s]
    n = make_grid(
        mask, exact, table.fineness, star, law, bins, e_jks, tau, scale, norm, work.knot,
        work.density,
    )  # fmt: skip
    for _ in range(2):
        begin, end = coarse_likelihood(
            mask, exact, star, table, lattice, law, bins, groups, e_jks, tau, scale, norm, n, r2,
            work,
        )  # fmt: skip
        total = expand(bins, prior, n, begin, end, work)
        if exact or r2 >= TAIL_RADIUS2:
            break
        outside = share_outside(
            mask, star, table, lattice, law, bins, groups, e_jks, tau, scale, norm, r2, work
        )
        if outside <= TAIL:
            break
        r2 = TAIL_RADIUS2
    return total, star if exact else tilted(star, -tilt), variance


@njit(**INNER)
def prior_of(stars, i, parallax_factor, bins, sightlines, work):
    """Prior of a star's line of sight, times the likelihoods of its motion and its parallax.

    `parallax_factor` multiplies the error of the parallax.
    """
    s = stars.sightline[i]
    prior = sightlines.prior[s]
    motion = stars.motion[i]
    with_pm, with_rv = np.isfinite(motion[0]), np.isfinite(motion[5])
    if sightlines.moments.shape[1] > 0 and (with_pm or with_rv):
        moving_prior(
            prior, sightlines.moments[s], bins.motion_before, bins.motion_share, motion,
            with_pm, with_rv, bins.motion_model, work.motion, work.prior,
        )  # fmt: skip
        prior = work.prior
    if np.isfinite(stars.parallax[i]):
        error = stars.parallax_error[i] * parallax_factor
        parallax_likelihood(bins, stars.parallax[i], error, work.parallax)
        with_parallax(prior, work.parallax, work.prior)
        prior = work.prior
    return prior


@compiled(nogil=True, error_model="numpy")
def run(stars, keys, mask, shared, original, model_variance, work, summary, draws):
    """Posterior, summary and draws of a block of stars.

    `keys` (n_star, n_realisation) are the keys of the random streams; `shared` is what `evaluate`
    needs of the stars' kind: node table, lattice and its tilt, law, bins, sightlines, and the
    population of every component; `model_variance` (4,) is the part of the magnitude variances
    that is the model's own.
    """
    bins, sightlines = shared[4], shared[5]
    for i in range(stars.e_jks.size):
        total = 0.0
        for inflation in range(INFLATION_MAG.size):
            # The ellipse on a lattice is small: a star that finds nothing there gets a second look.
            for exact in range(2):
                total, star, variance = evaluate(
                    stars, i, mask, inflation, exact == 1, shared, work
                )
                if total > 0.0:
                    break
            summary.inflation[i] = inflation
            if total > 0.0:
                break
        if not total > 0.0:
            # Not even three magnitudes of error make the star possible: fall back on the prior.
            total = without_photometry(bins, sightlines.prior[stars.sightline[i]], work)
            summary.inflation[i] = INFLATION_MAG.size
        summary.log_evidence[i] = np.log(total)
        summary.distance_mean_pc[i] = summarise(
            bins, work, total, summary.probability[i], summary.distance_quantile_pc[i]
        )
        known = mask != 0 and summary.inflation[i] < INFLATION_MAG.size
        for r in range(keys.shape[1]):
            draw(
                stars, i, r, keys[i, r], mask if known else 0, star, variance, total, shared,
                original, model_variance, work, draws,
            )  # fmt: skip


@njit(**INNER)
def draw(
    stars, i, r, key, mask, star, variance, total, shared, original, model_variance, work, draws
):  # fmt: skip
    """Draw one true star from `work.post` into `draws`."""
    table, _, _, law, bins, sightlines, groups = shared
    s = stars.sightline[i]
    node = -1
    c = 0
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
        draws.distance_pc[i, r] = distance
        mu = 5.0 * np.log10(distance) - 5.0
        shape = profile(distance, sightlines.dust_scale_pc[s], sightlines.dust_norm[s])
        e = stars.e_jks[i] * shape
        tau = stars.tau[i] * shape
        u_node = uniform_scalar(key, base + NODE)
        if mask == 0:
            node = node_of_prior(original, groups[c], u_node)
            break
        node = draw_node(mask, star, table, law, work, groups[c], mu, e, tau, u_node)
        if node >= 0:
            break
    if node < 0:
        # The interpolated posterior had mass where no node is: at worst a rare star at the edge of
        # its range.
        node = node_of_prior(original, groups[c], uniform_scalar(key, NODE))
    base = MAX_ATTEMPTS * ATTEMPT_STRIDE
    node_mag = original.mag[:, node]
    e = draw_reddening(
        mask, stars.mag[i], variance, law, node_mag, mu, e, tau,
        standard_normal(key, base + REDDENING),
    )  # fmt: skip
    true_magnitudes(
        mask, stars.mag[i], variance, model_variance, law, node_mag, mu, e, key,
        base + MODEL_ERROR + 2, draws.mag[i, r],
    )  # fmt: skip
    draws.component[i, r] = c
    draws.node[i, r] = node
    draws.e_jks[i, r] = e
