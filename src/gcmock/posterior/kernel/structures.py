"""What the kernels work on: named groups of arrays and numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.dust.profile import DustProfile
from gcmock.posterior.kernel.arrangement import Rows
from gcmock.posterior.kernel.limits import Limits
from gcmock.posterior.kernel.nodes import NodeTable, OriginalNodes
from gcmock.posterior.kernel.vector import LANES
from gcmock.posterior.observations import MeasuredMotion

N_LANE = LANES
"""Components, padded to the width of a vector."""

MU_STEP = 0.0025
"""Step of the look-up from distance modulus to bin [mag]."""

N_COARSE = 8192
"""Most points of the coarse grid of a star."""

N_LISTED = 256
"""Length of the list of blocks that are summed in one go."""


class MotionModel(NamedTuple):
    """What is allowed for the errors of measurements and model.

    Attributes
    ----------
    floor_masyr, floor_kms : float
        Errors of the model [mas/yr, km/s], added in quadrature.
    outlier_fraction : float
        Fraction of proper motions that belong to another star.
    outlier_masyr, outlier_kms : float
        Widths of the distribution of those [mas/yr, km/s].
    """

    floor_masyr: float = 0.3
    floor_kms: float = 10.0
    outlier_fraction: float = 0.01
    outlier_masyr: float = 20.0
    outlier_kms: float = 300.0


class Bins(NamedTuple):
    """Distance bins as the kernel sees them.

    Attributes
    ----------
    edge, centre, mu : ndarray
        Edges (n_distance + 1) and centres [pc], distance moduli of the centres [mag].
    bin_of_mu : ndarray of int64
        Bin at every step `MU_STEP` in distance modulus from ``knot_mu[0]`` on.
    knot_mu, knot_distance : ndarray, shape (n_knot,)
        Distance moduli [mag] and distances [pc] between which the step of the coarse grid changes
        linearly; one magnitude apart, and around all bins.
    motion_before, motion_fraction : ndarray, shape (n_distance,)
        Node of the moments before every bin, and the fraction of the one after it.
    motion_model : MotionModel
        What is allowed for errors of motions.
    """

    edge: NDArray[np.float64]
    centre: NDArray[np.float64]
    mu: NDArray[np.float64]
    bin_of_mu: NDArray[np.int64]
    knot_mu: NDArray[np.float64]
    knot_distance: NDArray[np.float64]
    motion_before: NDArray[np.int64]
    motion_fraction: NDArray[np.float32]
    motion_model: MotionModel


class Sightlines(NamedTuple):
    """Lines of sight, indexed by `StarBlock.sightline`.

    Attributes
    ----------
    prior : ndarray of float32, shape (n_sightline, n_distance, 16)
        Living stars of every component (the lanes) per square degree in every bin.
    dust : DustProfile
        Growth of the reddening, with arrays of shape (n_sightline,).
    moments : ndarray of float32, shape (n_sightline, n_node, 9, 16)
        Moments of the motions (`gcmock.posterior.kernel.motion`); no nodes if no star has a motion.
    """

    prior: NDArray[np.float32]
    dust: DustProfile
    moments: NDArray[np.float32]


class StarBlock(NamedTuple):
    """Stars with one band mask.

    Attributes
    ----------
    mag, variance : ndarray, shape (n_star, 4)
        The linear bands and the synthetic band of the kind [mag], and their variances with floor
        and scatter of the relation [mag²]; unused bands are ignored.
    parallax, parallax_error : ndarray, shape (n_star,)
        [mas]; NaN where there is none.
    e_jks_rc, tau : ndarray, shape (n_star,)
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    sightline : ndarray of int64, shape (n_star,)
        Index of the line of sight.
    motion : MeasuredMotion
        Measured motions; NaN where there are none.
    """

    mag: NDArray[np.float64]
    variance: NDArray[np.float64]
    parallax: NDArray[np.float64]
    parallax_error: NDArray[np.float64]
    e_jks_rc: NDArray[np.float64]
    tau: NDArray[np.float64]
    sightline: NDArray[np.int64]
    motion: MeasuredMotion


class Law(NamedTuple):
    """Extinction law, and the synthetic band of a kind of star.

    Attributes
    ----------
    kappa : ndarray, shape (3,)
        A_J, A_H, A_Ks over E(J-Ks).
    relation : ndarray, shape (3,)
        The synthetic band is H + p1 x + p2 x² + p3 x³ with x = J - H.
    place : int
        Its place on the axis of all bands.
    """

    kappa: NDArray[np.float64]
    relation: NDArray[np.float64]
    place: int


class Reddening(NamedTuple):
    """The reddening along the line of sight of one star.

    Attributes
    ----------
    e_jks_rc, tau_rc : float
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    dust : DustProfile
        How both grow with the distance.
    """

    e_jks_rc: float
    tau_rc: float
    dust: DustProfile


class Shared(NamedTuple):
    """What is shared by the stars of a kind.

    Attributes
    ----------
    table : NodeTable
        Population nodes as the bands of the kind see them.
    lattice : Rows
        All populations on one lattice; without any block for stars that are summed over nodes.
    tilt : float
        Tilt of the lattice.
    law : Law
        Extinction law and the relation of the synthetic band.
    bins : Bins
        Distance bins.
    sightlines : Sightlines
        Lines of sight.
    groups : ndarray of int64, shape (16,)
        Population of every component (the lanes).
    nodes : OriginalNodes
        What draws are made from.
    model_variance : ndarray, shape (4,)
        The part of the variances of the magnitudes that is the model's own [mag²].
    limits : Limits
        What the list was cut at, as far as it says something of the stars of the kind.
    """

    table: NodeTable
    lattice: Rows
    tilt: float
    law: Law
    bins: Bins
    sightlines: Sightlines
    groups: NDArray[np.int64]
    nodes: OriginalNodes
    model_variance: NDArray[np.float64]
    limits: Limits


def make_bins(
    edges_pc: NDArray[np.float64],
    motion: tuple[NDArray[np.int64], NDArray[np.float32], MotionModel] | None = None,
) -> Bins:
    """Arrange bin edges [pc] for the kernel; `motion` as the last three fields of `Bins`."""
    if motion is None:
        n = edges_pc.size - 1
        motion = np.zeros(n, np.int64), np.zeros(n, np.float32), MotionModel()
    centre = 0.5 * (edges_pc[1:] + edges_pc[:-1])
    mu = 5.0 * np.log10(centre) - 5.0
    knot_mu = np.arange(np.floor(mu[0]), np.ceil(mu[-1]) + 1.0)
    fine = np.arange(knot_mu[0], knot_mu[-1], MU_STEP)
    bin_of_mu = np.searchsorted(edges_pc, 10.0 ** (0.2 * fine + 1.0), side="right") - 1
    return Bins(
        edges_pc, centre, mu, np.clip(bin_of_mu, 0, centre.size - 1).astype(np.int64),
        knot_mu, 10.0 ** (0.2 * knot_mu + 1.0), *motion,
    )  # fmt: skip
