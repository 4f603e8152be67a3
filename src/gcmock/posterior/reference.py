"""The posterior of one star, written to be read: plain numpy, float64, no shortcuts.

`posterior/kernel/` computes the same numbers fast; a property test binds it to this module.

For component c and distance bin D

    P(c, D | d)  ∝  N_c(D) · Σ_k w_ck · N(m ; M_k + µ(D) + κ E(D), Σ + τ(D)² κ κᵀ) · <N(ϖ ; 1/D +
    zp, σ_ϖ²)> · N(pm, v_r ; m_c(D), C_c(D) + R)

with N_c(D) the number of stars of c in the bin, k the population nodes, and the reddening
integrated out analytically: a Gaussian of mean E(D) and standard deviation τ(D). The magnitudes of
linear bands are linear in it; those of synthetic bands, which follow from J and H, are expanded to
second order about the reddening at which the node explains the star best. Nothing is normalised per
component.

There may be any number of bands: the linear ones first, then the synthetic ones, in the order of
their relations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from gcmock.arrays import Floats
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.observations import MeasuredMotion
from gcmock.stars.bands import SyntheticRelation
from gcmock.stars.populations import PopulationNodes
from gcmock.words.bands import band
from gcmock.words.limits import Limit

Relations = Mapping[str, SyntheticRelation]

J, H = band("j").index, band("h").index

N_NEWTON = 3
"""Steps to the best reddening of a node where a synthetic band, whose extinction depends on it, was
observed."""

N_AT_ONCE = 20_000
"""Pairs of a node and a distance whose magnitudes are in memory at once: 0.16 MB an array."""


class Star(NamedTuple):
    """What was observed of one star; NaN where it was not.

    Attributes
    ----------
    mag, mag_error : ndarray, shape (n_band,)
        Magnitudes and their standard errors, the error floor and the scatter of the relations of
        synthetic bands included [mag].
    parallax, parallax_error : float
        Parallax, corrected for its zero point, and its standard error [mas].
    motion : MeasuredMotion, optional
        Measured motion.
    limits : sequence of Limit
        What its list was cut at.
    """

    mag: Floats
    mag_error: Floats
    parallax: float = np.nan
    parallax_error: float = np.nan
    motion: MeasuredMotion | None = None
    limits: Sequence[Limit] = ()


class Sightline(NamedTuple):
    """What the model says along one line of sight.

    Attributes
    ----------
    prior : ndarray, shape (n_component, n_distance)
        Living stars per square degree in every bin.
    e_jks, tau : ndarray, shape (n_distance,)
        Mean and standard deviation of E(J-Ks) at the bin centres [mag].
    kappa : ndarray, shape (n_linear,)
        Extinction in the linear bands over E(J-Ks).
    moments : tuple of 2 ndarray, optional
        Mean and covariance of (pm_l cos b, pm_b, v_r), shapes (n_distance, n_component, 3) and
        (n_distance, n_component, 3, 3) [mas/yr, mas/yr, km/s].
    """

    prior: Floats
    e_jks: Floats
    tau: Floats
    kappa: Floats
    moments: tuple[Floats, Floats] | None = None


def joint(
    star: Star,
    sightline: Sightline,
    populations: tuple[PopulationNodes, ...],
    population_of_component: tuple[int, ...],
    grid: DistanceGrid,
    relations: Relations,
    errors: MotionModel | None = None,
) -> Floats:
    """Evidence of every component in every distance bin, not normalised.

    Parameters
    ----------
    star, sightline : Star, Sightline
        The data and the model at its position.
    populations : tuple of PopulationNodes
        The distinct populations.
    population_of_component : tuple of int, length n_component
        Which population each component has (the two nuclear components share one).
    grid : DistanceGrid
        Distance bins.
    relations : mapping of str to SyntheticRelation
        How the synthetic bands follow from the apparent J and H, in the order of the bands.
    errors : MotionModel, optional
        What is allowed for errors of the motion.

    Returns
    -------
    ndarray, shape (n_component, n_distance)
        Its sum over distance is the evidence Z_c [stars per square degree per mag^n_band (per mas
        with a parallax)]; divided by its total it is P(c, D | data).
    """
    photometric = np.stack([likelihood(star, sightline, p, grid, relations) for p in populations])
    likely = photometric[list(population_of_component)] * parallax_factor(star, grid)
    return sightline.prior * likely * motion_factor(star, sightline, errors or MotionModel())


def likelihood(
    star: Star,
    sightline: Sightline,
    nodes: PopulationNodes,
    grid: DistanceGrid,
    relations: Relations,
) -> Floats:
    """Σ_k w_k N(m; ...) of one population at the bin centres, shape (n_distance,).

    Without any band it is 1: the posterior is then the prior.
    """
    if not np.isfinite(star.mag).any():
        return np.ones(len(grid))
    mu = grid.distance_modulus
    n_bin = max(N_AT_ONCE // len(nodes.weight), 1)
    out = np.empty(mu.size)
    for first in range(0, mu.size, n_bin):
        some = slice(first, first + n_bin)
        gaussian = node_likelihood(
            star, mu[some], sightline.e_jks[some], sightline.tau[some], sightline.kappa,
            nodes.absolute_mag, relations,
        )  # fmt: skip
        out[some] = np.sum(nodes.weight * gaussian, axis=1)
    return out


def node_likelihood(
    star: Star,
    mu: Floats,
    e_jks: Floats,
    tau: Floats,
    kappa: Floats,
    absolute_mag: Floats,
    relations: Relations,
) -> Floats:
    """N(m ; M_k + µ + κ E, Σ + τ² κ κᵀ) of every node at every distance.

    With E = E(D) + τ(D) x and x a standard normal, minus two times the logarithm of what is
    integrated is χ²(x) = x² + Σ_b (m_b - m_b(x))² / σ_b². It is expanded about its minimum, which
    one step finds where it is a parabola: in linear bands.

    Parameters
    ----------
    star : Star
        With a magnitude in at least one band.
    mu, e_jks, tau : ndarray, shape (n_distance,)
        Distance modulus, mean and standard deviation of the reddening [mag].
    kappa : ndarray, shape (n_linear,)
        Extinction in the linear bands over E(J-Ks).
    absolute_mag : ndarray, shape (n_node, n_linear)
        Absolute magnitudes in the linear bands [mag].
    relations : mapping of str to SyntheticRelation
        Applied to the apparent (reddened) J and H.

    Returns
    -------
    ndarray, shape (n_distance, n_node)
        [per mag^n_band].
    """
    mean, scatter = e_jks[:, None], tau[:, None]
    unreddened = [mag + mu[:, None] for mag in absolute_mag.T]
    observed = [b for b, mag in enumerate(star.mag) if np.isfinite(mag)]
    n_step = 1 + N_NEWTON * bool(observed[-1] >= kappa.size)
    x = np.zeros_like(mean)
    for _ in range(n_step):
        # Halves of the first and the second derivative of χ²; Newton's step to second order leaves
        # out how the extinction bends, which only the width of the minimum needs.
        chi2, slope, steepness, curvature = x**2, x, 1.0, 1.0
        for b in observed:
            variance = star.mag_error[b] ** 2
            predicted, d_mag, bend = apparent(
                b, unreddened, mean + scatter * x, kappa, list(relations.values())
            )
            residual = star.mag[b] - predicted
            chi2 = chi2 + residual**2 / variance
            slope = slope - scatter * d_mag / variance * residual
            steepness = steepness + (scatter * d_mag) ** 2 / variance
            curvature = curvature + scatter**2 * (d_mag**2 - residual * bend) / variance
        step = -slope / steepness
        chi2, x = chi2 + slope * step, x + step
    norm = np.sqrt(np.prod(2.0 * np.pi * star.mag_error[observed] ** 2) * curvature)
    e_best, e_variance = mean + scatter * x, scatter**2 / steepness
    passing = pass_factor(star, unreddened, e_best, e_variance, kappa, list(relations.values()))
    return np.asarray(np.exp(-0.5 * chi2) / norm * passing)


def pass_factor(
    star: Star,
    unreddened: list[Floats],
    e_jks: Floats,
    variance: Floats,
    kappa: Floats,
    relations: list[SyntheticRelation],
) -> Floats | float:
    """Probability that a star of a node at a distance passed the limits of its list.

    Π_l Φ(± (x - limit) / sqrt(width² + (dx/dE)² σ_E²)), x being the magnitude or colour that is
    limited, with the observed magnitudes where there are any. 1 where nothing is left to pass.

    Parameters
    ----------
    star : Star
    unreddened : list of ndarray, shape (n_distance, n_node)
        Apparent magnitudes without dust in the linear bands [mag].
    e_jks, variance : ndarray, shape (n_distance, n_node)
        Most probable reddening given the magnitudes [mag], and its variance [mag²].
    kappa : ndarray, shape (n_linear,)
        Extinction in the linear bands over E(J-Ks).
    relations : list of SyntheticRelation
        Of the synthetic bands.
    """
    factor: Floats | float = 1.0
    for limit in star.limits:
        places = [band(name).index for name in limit.bands]
        if np.isfinite(star.mag[places]).all():
            continue
        x: Floats | float = 0.0
        slope: Floats | float = 0.0
        for place, sign in zip(places, (1.0, -1.0), strict=False):
            if np.isfinite(star.mag[place]):
                x = x + sign * star.mag[place]
                continue
            mag, d_mag, _ = apparent(place, unreddened, e_jks, kappa, relations)
            x, slope = x + sign * mag, slope + sign * d_mag
        width = np.sqrt(limit.width**2 + slope**2 * variance)
        factor = factor * ndtr((1.0 if limit.above else -1.0) * (x - limit.value) / width)
    return factor


def apparent(
    band_index: int,
    unreddened: list[Floats],
    e_jks: Floats,
    kappa: Floats,
    relations: list[SyntheticRelation],
) -> tuple[Floats, Floats | float, Floats | float]:
    """Apparent magnitude in one band and its derivatives with respect to the reddening.

    Parameters
    ----------
    band_index : int
        Place of the band: linear ones first, then those of `relations`.
    unreddened : list of ndarray, shape (n_distance, n_node)
        Apparent magnitudes without dust in the linear bands [mag].
    e_jks : ndarray, shape (n_distance, n_node) or (n_distance, 1)
        Reddening [mag].
    kappa : ndarray, shape (n_linear,)
        Extinction in the linear bands over E(J-Ks).
    relations : list of SyntheticRelation
        Applied to the apparent (reddened) J and H.

    Returns
    -------
    mag, slope, bend : ndarray, shape (n_distance, n_node), or float
        Magnitude, d(mag)/d(E(J-Ks)) and the second derivative, which is zero in linear bands.
    """
    if band_index < kappa.size:
        return unreddened[band_index] + kappa[band_index] * e_jks, kappa[band_index], 0.0
    relation = relations[band_index - kappa.size]
    j, h = unreddened[J] + kappa[J] * e_jks, unreddened[H] + kappa[H] * e_jks
    d_j, d_h = relation.derivatives(j, h)
    slope = d_j * kappa[J] + d_h * kappa[H]
    bend = relation.curvature(j, h) * (kappa[J] - kappa[H]) ** 2
    return relation.mag(j, h), slope, bend


def parallax_factor(star: Star, grid: DistanceGrid) -> Floats:
    """Likelihood of the parallax averaged over each bin [per mas]; 1 without a parallax.

    The average is over 1/D, so that a parallax much more precise than a bin is wide still has its
    full weight.
    """
    if not np.isfinite(star.parallax):
        return np.ones(len(grid))
    inverse = 1000.0 / grid.edges_pc
    z = (inverse - star.parallax) / star.parallax_error
    # Upper tails by symmetry: the difference of two numbers near 1 would lose them.
    low, high = z[1:], z[:-1]
    flip = low > 0.0
    mass = np.where(flip, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    return mass / (inverse[:-1] - inverse[1:])


def motion_factor(star: Star, sightline: Sightline, errors: MotionModel) -> Floats | float:
    """Likelihood of the motion, shape (n_component, n_distance); 1 without a motion.

    In units of the ellipse of its errors: the density times sqrt(det 2 pi R), with the floors in R.
    """
    if star.motion is None or sightline.moments is None:
        return 1.0
    mean, covariance = sightline.moments
    y = star.motion.vector
    used = np.flatnonzero(np.isfinite(y))
    if not used.size:
        return 1.0
    noise = star.motion.covariance + np.diag([errors.floor_masyr**2] * 2 + [errors.floor_kms**2])
    noise = noise[np.ix_(used, used)]
    covariance = covariance[..., used, :][..., used] + noise
    residual = y[used] - mean[..., used]
    chi2 = np.einsum("dci,dcij,dcj->dc", residual, np.linalg.inv(covariance), residual)
    volume = np.linalg.det(noise)
    gaussian = np.sqrt(volume / np.linalg.det(covariance)) * np.exp(-0.5 * chi2)
    wide = np.array([errors.outlier_masyr, errors.outlier_masyr, errors.outlier_kms])[used]
    outlier = min(np.sqrt(volume) / np.prod(wide), 1.0)
    fraction = errors.outlier_fraction
    return np.asarray(((1.0 - fraction) * gaussian + fraction * outlier).T)
