"""True motions of stars whose motion was measured: from the measurement and the component together.

The velocity of component c at the place of a draw is a Gaussian (m, C) in (pm_l cos b, pm_b, v_r),
widened by the error of the model F. A measurement y with covariance R leaves

    m' = m + K (y - H m),    C' = (1 - K H)(C + F),    K = (C + F) Hᵀ (H (C + F) Hᵀ + R)⁻¹,

so that y minus the true motion scatters by R, and the draws of all stars still have the
distribution of their components. No star is faster than the largest speed of its component: a
motion that is, is drawn again. A measurement that the outlier term explains, or that leaves no
speed its component has, says nothing about its star.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.frames import observables_to_velocity
from gcmock.model import Model
from gcmock.posterior.kernel.motion import observed_moments
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.posterior.results import Draws
from gcmock.random import uniform

MOTION_STREAM: Final = 768
"""Place of four random numbers of an attempt; see `gcmock.posterior.kernel.draw` for the others."""

MAX_ATTEMPTS: Final = 48
"""So often a motion is drawn; their numbers end before those of `gcmock.posterior.mixture`."""


def with_measured_motion(
    data: Observations,
    motion: MeasuredMotion,
    draws: Draws,
    keys: NDArray[np.uint64],
    velocity: Floats,
    model: Model,
) -> Floats:
    """Replace the velocities of stars whose motion was measured.

    Parameters
    ----------
    data : Observations
        Of n_star stars.
    motion : MeasuredMotion
        Their measured motions.
    draws : Draws
        Components and distances, (n_star, n_realisation).
    keys : ndarray of uint64, shape (n_star, n_realisation)
        Random streams.
    velocity : ndarray, shape (n_star * n_realisation, 3)
        Velocities from the components alone [km/s].
    model : Model

    Returns
    -------
    ndarray, shape (n_star * n_realisation, 3)
        vx, vy, vz [km/s].
    """
    star, realisation = np.divmod(np.arange(keys.size), keys.shape[1])
    rows = np.flatnonzero((motion.has_pm | motion.has_rv)[star])
    star, realisation = star[rows], realisation[rows]
    measured = motion.take(star)
    distance = draws.distance_pc[star, realisation]
    component = draws.component[star, realisation]
    lon, lat = data.l_deg[star], data.b_deg[star]
    mean, covariance = moments_of(model, component, lon, lat, distance)
    largest = np.array([c.max_speed for c in model.galaxy.components.values()])[component]
    velocity = velocity.copy()
    left = np.arange(rows.size)
    for attempt in range(MAX_ATTEMPTS):
        numbers = uniform(keys[star[left], realisation[left]], MOTION_STREAM + 4 * attempt, 4)
        true, is_outlier = conditioned(
            mean[left], covariance[left], measured.take(left), model.motion, numbers
        )
        if not attempt:
            # What the measurement is was drawn once; only the motion is drawn again.
            left, true = left[~is_outlier], true[~is_outlier]
        pm_l, pm_b, radial = true.T
        at = lon[left], lat[left], distance[left]
        found = observables_to_velocity(*at, pm_l, pm_b, radial, model.galaxy.sun.velocity)
        possible = (found**2).sum(axis=1) <= largest[left] ** 2
        velocity[rows[left[possible]]] = found[possible]
        left = left[~possible]
        if not left.size:
            break
    return velocity


def moments_of(
    model: Model, component: NDArray[np.int64], l_deg: Floats, b_deg: Floats, distance_pc: Floats
) -> tuple[Floats, Floats]:
    """Moments (n, 3) and (n, 3, 3) of the motions of the components of stars at their places."""
    mean, covariance = np.empty((component.size, 3)), np.empty((component.size, 3, 3))
    for c in np.unique(component):
        of = component == c
        at = l_deg[of], b_deg[of], distance_pc[of]
        found = observed_moments(model.galaxy, *at, only=int(c))
        mean[of], covariance[of] = found[0][:, 0], found[1][:, 0]
    return mean, covariance


def conditioned(
    mean: Floats,
    covariance: Floats,
    measured: MeasuredMotion,
    errors: MotionModel,
    numbers: Floats,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Draw motions given their measurement.

    Parameters
    ----------
    mean, covariance : ndarray, shape (n, 3), (n, 3, 3)
        Of (pm_l cos b, pm_b, v_r) in the component [mas/yr, mas/yr, km/s].
    measured : MeasuredMotion
        Of the n stars.
    errors : MotionModel
    numbers : ndarray, shape (n, 4)
        Uniform in (0, 1).

    Returns
    -------
    motion : ndarray, shape (n, 3)
    is_outlier : ndarray of bool, shape (n,)
        Measurements that belong to another star: `motion` is not to be used.
    """
    floor = np.diag([errors.floor_masyr**2] * 2 + [errors.floor_kms**2])
    prior = covariance + floor
    # What was not measured has an error so large that it says nothing.
    noise, y = measured.covariance, measured.vector
    missing = np.isnan(y)
    # Exactly nothing: its row and column of the gain are zero.
    see = np.where(missing, 0.0, 1.0)
    y[missing] = 0.0
    seen_prior = prior * see[:, :, None] * see[:, None, :]
    noise = np.where((see[:, :, None] * see[:, None, :]) > 0, noise, 0.0)
    total = seen_prior + noise
    total[:, [0, 1, 2], [0, 1, 2]] += np.where(missing, 1.0, 0.0)
    inverse = np.linalg.inv(total)
    gain = (prior * see[:, None, :]) @ inverse
    residual = (y - mean) * see
    centre = mean + np.einsum("nij,nj->ni", gain, residual)
    left = prior - gain @ (prior * see[:, :, None])
    left = 0.5 * (left + np.swapaxes(left, 1, 2))
    values, vectors = np.linalg.eigh(left)
    spread = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    motion = centre + np.einsum("nij,nj->ni", spread, ndtri(numbers[:, :3]))
    # The same two terms as in the likelihood of the posterior.
    error = noise + floor * see[:, :, None] * see[:, None, :]
    error[:, [0, 1, 2], [0, 1, 2]] += np.where(missing, 1.0, 0.0)
    chi2 = np.einsum("ni,nij,nj->n", residual, inverse, residual)
    volume2 = np.linalg.det(error)
    wide = np.array([errors.outlier_masyr, errors.outlier_masyr, errors.outlier_kms])
    wide2 = np.prod(np.where(missing, 1.0, wide**2), axis=1)
    inlier = (1.0 - errors.outlier_fraction) * np.sqrt(volume2 / np.linalg.det(total))
    inlier = inlier * np.exp(-0.5 * chi2)
    outlier = errors.outlier_fraction * np.minimum(np.sqrt(volume2 / wide2), 1.0)
    return motion, numbers[:, 3] * (inlier + outlier) < outlier
