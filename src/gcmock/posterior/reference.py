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

from collections.abc import Mapping
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

Relations = Mapping[str, SyntheticRelation]

J, H = band("j").index, band("h").index

N_NEWTON = 3
"""Steps to the best reddening of a node where a synthetic band, whose extinction depends on it, was
observed."""


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
    """

    mag: Floats
    mag_error: Floats
    parallax: float = np.nan
    parallax_error: float = np.nan
    motion: MeasuredMotion | None = None


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
    motion_mean, motion_covariance : ndarray, optional
        Moments of (pm_l cos b, pm_b, v_r), shapes (n_distance, n_component, 3) and (n_distance,
        n_component, 3, 3) [mas/yr, mas/yr, km/s].
    """

    prior: Floats
    e_jks: Floats
    tau: Floats
    kappa: Floats
    motion_mean: Floats | None = None
    motion_covariance: Floats | None = None


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
    used = np.isfinite(star.mag)
    if not used.any():
        return np.ones(len(grid))
    variance = star.mag_error[used] ** 2
    n_step = 1 + N_NEWTON * bool(used[sightline.kappa.size :].any())
    out = np.empty(len(grid))
    for i, mu in enumerate(grid.distance_modulus):
        mean, tau2 = sightline.e_jks[i], sightline.tau[i] ** 2
        # The reddening at which a node explains the star best; one step finds it in linear bands.
        e = np.full(len(nodes.weight), mean)
        for _ in range(n_step):
            predicted, kappa, bend = apparent(nodes.absolute_mag, mu, e, sightline.kappa, relations)
            residual = (star.mag - predicted)[:, used]
            kappa, bend = kappa[:, used], bend[:, used]
            information = np.sum(kappa**2 / variance, axis=1)
            chi2 = np.sum(residual**2 / variance, axis=1)
            if tau2 == 0.0:
                break
            chi2 += (e - mean) ** 2 / tau2
            slope = np.sum(kappa * residual / variance, axis=1) - (e - mean) / tau2
            # What is left of the way to the best reddening, to second order.
            step = slope / (information + 1.0 / tau2)
            chi2 -= slope * step
            e = e + step
        curvature = information - np.sum(residual * bend / variance, axis=1)
        norm = np.sqrt(np.prod(2.0 * np.pi * variance) * (1.0 + tau2 * curvature))
        out[i] = np.sum(nodes.weight * np.exp(-0.5 * chi2) / norm)
    return out


def apparent(
    absolute_mag: Floats, mu: float, e_jks: Floats, kappa: Floats, relations: Relations
) -> tuple[Floats, Floats, Floats]:
    """Apparent magnitudes of nodes and their derivatives with respect to the reddening.

    Parameters
    ----------
    absolute_mag : ndarray, shape (n_node, n_linear)
        Absolute magnitudes in the linear bands [mag].
    mu : float
        Distance modulus [mag].
    e_jks : ndarray, shape (n_node,)
        Reddening of every node [mag].
    kappa : ndarray, shape (n_linear,)
        Extinction in the linear bands over E(J-Ks).
    relations : mapping of str to SyntheticRelation
        Applied to the apparent (reddened) J and H.

    Returns
    -------
    mag, slope, bend : ndarray, shape (n_node, n_band)
        Magnitudes, d(mag)/d(E(J-Ks)) and the second derivative, which is zero in linear bands.
    """
    linear = absolute_mag + mu + np.outer(e_jks, kappa)
    mag, slope, bend = [linear], [np.tile(kappa, (len(linear), 1))], [np.zeros_like(linear)]
    j, h = linear[:, J], linear[:, H]
    for relation in relations.values():
        d_j, d_h = relation.derivatives(j, h)
        mag.append(relation.mag(j, h)[:, None])
        slope.append((d_j * kappa[J] + d_h * kappa[H])[:, None])
        bend.append((relation.curvature(j, h) * (kappa[J] - kappa[H]) ** 2)[:, None])
    return np.hstack(mag), np.hstack(slope), np.hstack(bend)


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
    if star.motion is None or sightline.motion_mean is None:
        return 1.0
    assert sightline.motion_covariance is not None
    y = star.motion.vector
    used = np.flatnonzero(np.isfinite(y))
    if not used.size:
        return 1.0
    noise = star.motion.covariance + np.diag([errors.floor_masyr**2] * 2 + [errors.floor_kms**2])
    noise = noise[np.ix_(used, used)]
    covariance = sightline.motion_covariance[..., used, :][..., used] + noise
    residual = y[used] - sightline.motion_mean[..., used]
    chi2 = np.einsum("dci,dcij,dcj->dc", residual, np.linalg.inv(covariance), residual)
    volume = np.linalg.det(noise)
    gaussian = np.sqrt(volume / np.linalg.det(covariance)) * np.exp(-0.5 * chi2)
    wide = np.array([errors.outlier_masyr, errors.outlier_masyr, errors.outlier_kms])[used]
    outlier = min(np.sqrt(volume) / np.prod(wide), 1.0)
    fraction = errors.outlier_fraction
    return np.asarray(((1.0 - fraction) * gaussian + fraction * outlier).T)
