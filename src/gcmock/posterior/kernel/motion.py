"""Proper motions and radial velocities in the posterior.

The velocities of a component at a place are taken as a Gaussian, with the moments of its velocity
distribution, projected to (pm_l cos b, pm_b, v_r). A measurement y with covariance R then has the
likelihood

    (1 - ε) N(y; m_c(D), C_c(D) + F + R) + ε N_wide,

with F the error of the model (`MotionModel.floor_masyr`) and ε the fraction of measurements that
belong to another star. It depends on component and distance alone and multiplies the prior.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats
from gcmock.frames import velocity_to_observables
from gcmock.galaxy.galactic_model import GalacticModel
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.kernel.fastmath import INNER_FAST
from gcmock.posterior.kernel.structures import N_LANE
from gcmock.words.components import PART_COMPONENT

N_MOMENT = 9
"""Rows of a table of moments: three means, then the covariances ll, lb, bb, lr, br, rr."""

EVERY, EVERY_NEAR, EVERY_CENTRE = 8, 4, 2
"""Moments are computed in every so many bins: beyond 3 kpc, nearer by, where the motions of a
component change fast, and around the Galactic centre, where the nuclear disc turns."""

NEAR_PC, CENTRE_PC = 3000.0, 160.0

LEAST_EXPONENT = -80.0


class MotionNodes(NamedTuple):
    """Where moments are tabulated.

    Attributes
    ----------
    bin : ndarray of int64, shape (n_node,)
        Bins of the grid.
    before : ndarray of int64, shape (n_distance,)
        Node before every bin.
    fraction : ndarray of float32, shape (n_distance,)
        Fraction of the node after it.
    """

    bin: NDArray[np.int64]
    before: NDArray[np.int64]
    fraction: NDArray[np.float32]


def motion_nodes(grid: DistanceGrid, centre_pc: float) -> MotionNodes:
    """Choose the nodes of a grid whose Galactic centre is at a distance [pc]."""
    chosen, i, n = [], 0, len(grid)
    while i < n - 1:
        chosen.append(i)
        distance = grid.centre_pc[i]
        step = EVERY_NEAR if distance < NEAR_PC else EVERY
        step = EVERY_CENTRE if abs(distance - centre_pc) < CENTRE_PC else step
        i += step
    nodes = np.array([*chosen, n - 1], np.int64)
    place = np.interp(np.arange(n), nodes, np.arange(nodes.size))
    before = np.minimum(place.astype(np.int64), nodes.size - 2)
    return MotionNodes(nodes, before, (place - before).astype(np.float32))


def observed_moments(
    galaxy: GalacticModel,
    l_deg: ArrayLike,
    b_deg: ArrayLike,
    distance_pc: ArrayLike,
    *,
    only: int | None = None,
) -> tuple[Floats, Floats]:
    """Means and covariances of (pm_l cos b, pm_b, v_r) of every component.

    Parameters
    ----------
    galaxy : GalacticModel
    l_deg, b_deg, distance_pc : array_like, shape (n,)
        Positions [deg, pc].
    only : int, optional
        Only the component at this place in `gcmock.words.components.COMPONENTS`.

    Returns
    -------
    mean : ndarray, shape (n, n_component, 3)
        [mas/yr, mas/yr, km/s]
    covariance : ndarray, shape (n, n_component, 3, 3)
    """
    lon, lat, distance = (
        np.ravel(a) for a in np.broadcast_arrays(l_deg, b_deg, np.asarray(distance_pc, float))
    )
    x, y, z = galaxy.position(lon, lat, distance)
    # Rows of the linear map from velocities to observables.
    still = np.zeros(3)
    rows = np.stack(
        [
            np.stack(velocity_to_observables(lon, lat, distance, np.eye(3)[i], still), axis=-1)
            for i in range(3)
        ],
        axis=-1,
    )
    sun = np.asarray(galaxy.sun.velocity)
    means, covariances = [], []
    components = list(galaxy.components.values())
    for component in components if only is None else [components[only]]:
        mean, covariance = component.velocity_moments(x, y, z)
        means.append(np.einsum("nij,nj->ni", rows, mean - sun))
        covariances.append(np.einsum("nij,njk,nlk->nil", rows, covariance, rows))
    return np.stack(means, axis=1), np.stack(covariances, axis=1)


def moment_table(
    galaxy: GalacticModel, l_deg: Floats, b_deg: Floats, grid: DistanceGrid, nodes: MotionNodes
) -> NDArray[np.float32]:
    """Moments along lines of sight as the kernel takes them, shape (n_sightline, n_node, 9, 16)."""
    distance = grid.centre_pc[nodes.bin]
    lon, lat = (np.repeat(a, distance.size) for a in (l_deg, b_deg))
    mean, covariance = observed_moments(galaxy, lon, lat, np.tile(distance, l_deg.size))
    table = np.zeros((l_deg.size * distance.size, N_MOMENT, N_LANE), np.float32)
    # Lanes without a part: any valid moments.
    table[:, [3, 5, 8]] = 1.0
    n = len(PART_COMPONENT)
    mean, covariance = mean[:, PART_COMPONENT], covariance[:, PART_COMPONENT]
    for row in range(3):
        table[:, row, :n] = mean[..., row]
    for row, (i, j) in enumerate(((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)), start=3):
        table[:, row, :n] = covariance[..., i, j]
    return table.reshape(l_deg.size, distance.size, N_MOMENT, N_LANE)


def no_moments(n_sightline: int) -> NDArray[np.float32]:
    """Stand-in where no star has a motion."""
    return np.zeros((n_sightline, 0, N_MOMENT, N_LANE), np.float32)


@njit(**INNER_FAST)
def moving_prior(
    prior, moments, before, fraction, measured, with_pm, with_rv, model, factor, out
):  # fmt: skip
    """Fill `out` with the prior times the likelihood of a star's motion, (n_distance, 16).

    `measured` is the `MeasuredMotion` of the star, of which the proper motion counts if `with_pm`,
    the radial velocity if `with_rv`; `model` is a `MotionModel`. The likelihood is that of the
    motion in units of its error ellipse: the density times sqrt(det 2πR). `factor` has room for the
    nodes, (n_node, 16).
    """
    f32 = np.float32
    zero, one, half = f32(0.0), f32(1.0), f32(0.5)
    # Everything in units of the errors: their squares may be beyond the range of single precision.
    # Fast arithmetic knows no NaN: what was not measured must not be touched.
    y0 = y1 = y2 = i0 = i1 = i2 = rho = zero
    volume = 1.0
    if with_pm:
        floor = model.floor_masyr * model.floor_masyr
        s0, s1 = np.sqrt(measured.pm_ll + floor), np.sqrt(measured.pm_bb + floor)
        y0, y1 = f32(measured.pm_l), f32(measured.pm_b)
        i0, i1 = f32(1.0 / s0), f32(1.0 / s1)
        rho = f32(measured.pm_lb / (s0 * s1))
        wide = model.outlier_masyr
        volume *= s0 / wide * (s1 / wide) * np.sqrt(one - rho * rho)
    if with_rv:
        s2 = np.sqrt(measured.rv_variance + model.floor_kms * model.floor_kms)
        y2, i2 = f32(measured.radial_velocity), f32(1.0 / s2)
        volume *= s2 / model.outlier_kms
    outlier = f32(model.outlier_fraction * min(volume, 1.0))
    keep, volume2 = one - f32(model.outlier_fraction), one - rho * rho
    for k in range(moments.shape[0]):
        table = moments[k]
        for c in range(N_LANE):
            d0, d1, d2 = (y0 - table[0, c]) * i0, (y1 - table[1, c]) * i1, (y2 - table[2, c]) * i2
            chi2, det = zero, one
            v_rr = table[8, c] * i2 * i2 + one
            if with_pm:
                c_ll = table[3, c] * i0 * i0 + one
                c_lb = table[4, c] * i0 * i1 + rho
                c_bb = table[5, c] * i1 * i1 + one
                det = c_ll * c_bb - c_lb * c_lb
                inverse = one / det
                chi2 = (d0 * d0 * c_bb - (d0 + d0) * d1 * c_lb + d1 * d1 * c_ll) * inverse
                if with_rv:
                    c_lr, c_br = table[6, c] * i0 * i2, table[7, c] * i1 * i2
                    g0 = (c_lr * c_bb - c_br * c_lb) * inverse
                    g1 = (c_br * c_ll - c_lr * c_lb) * inverse
                    d2 -= g0 * d0 + g1 * d1
                    v_rr -= g0 * c_lr + g1 * c_br
            if with_rv:
                chi2 += d2 * d2 / v_rr
                det *= v_rr
            exponent = max(-half * chi2, f32(LEAST_EXPONENT))
            factor[k, c] = keep * np.sqrt(volume2 / det) * np.exp(exponent) + outlier
    for i in range(out.shape[0]):
        k, f = before[i], fraction[i]
        for c in range(N_LANE):
            a = factor[k, c]
            out[i, c] = prior[i, c] * (a + f * (factor[k + 1, c] - a))
