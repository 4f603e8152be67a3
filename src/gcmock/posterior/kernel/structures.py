"""What the kernels work on: named groups of arrays and numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.posterior.kernel.vector import LANES, N_POPULATION

N_LANE = LANES
"""Components, padded to the width of a vector."""

MU_STEP = 0.0025
"""Step of the look-up from distance modulus to bin [mag]."""

N_COARSE = 8192
"""Most points of the coarse grid of a star."""

N_LISTED = 256
"""Length of the list of blocks that are summed in one go."""


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
    motion_before, motion_share : ndarray, shape (n_distance,)
        Node of the moments before every bin, and the share of the one after it.
    motion_model : ndarray, shape (5,)
        `gcmock.posterior.kernel.motion.MotionModel`.
    """

    edge: NDArray[np.float64]
    centre: NDArray[np.float64]
    mu: NDArray[np.float64]
    bin_of_mu: NDArray[np.int64]
    knot_mu: NDArray[np.float64]
    knot_distance: NDArray[np.float64]
    motion_before: NDArray[np.int64]
    motion_share: NDArray[np.float32]
    motion_model: NDArray[np.float64]


class Sightlines(NamedTuple):
    """Lines of sight, indexed by `StarBlock.sightline`.

    Attributes
    ----------
    prior : ndarray of float32, shape (n_sightline, n_distance, 16)
        Living stars of every component (the lanes) per square degree in every bin.
    dust_scale_pc : ndarray, shape (n_sightline,)
        Scale of the dust along the line of sight, h / (|sin b| + 1e-4) [pc].
    dust_norm : ndarray, shape (n_sightline,)
        1 - exp(-D_RC / scale): the profile is 1 at the red-clump distance.
    moments : ndarray of float32, shape (n_sightline, n_node, 9, 16)
        Moments of the motions (`gcmock.posterior.kernel.motion`); no nodes if no star has a motion.
    """

    prior: NDArray[np.float32]
    dust_scale_pc: NDArray[np.float64]
    dust_norm: NDArray[np.float64]
    moments: NDArray[np.float32]


class StarBlock(NamedTuple):
    """Stars with one band mask.

    Attributes
    ----------
    mag, variance : ndarray, shape (n_star, 4)
        J, H, Ks, Hw [mag] and their variances with floor and scatter of the relation [mag²]; unused
        bands are ignored.
    parallax, parallax_error : ndarray, shape (n_star,)
        [mas]; NaN where there is none.
    e_jks, tau : ndarray, shape (n_star,)
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    sightline : ndarray of int64, shape (n_star,)
        Index of the line of sight.
    motion : ndarray, shape (n_star, 7)
        Measured motion, `gcmock.posterior.engine.Observations.motion`; NaN where there is none.
    """

    mag: NDArray[np.float64]
    variance: NDArray[np.float64]
    parallax: NDArray[np.float64]
    parallax_error: NDArray[np.float64]
    e_jks: NDArray[np.float64]
    tau: NDArray[np.float64]
    sightline: NDArray[np.int64]
    motion: NDArray[np.float64]


class Law(NamedTuple):
    """Extinction law and Hw relation.

    Attributes
    ----------
    kappa : ndarray, shape (3,)
        A_J, A_H, A_Ks over E(J-Ks).
    hw : ndarray, shape (3,)
        Hw = H + p1 x + p2 x² + p3 x³ with x = J - H.
    """

    kappa: NDArray[np.float64]
    hw: NDArray[np.float64]


class Scratch(NamedTuple):
    """Work space of one thread.

    Attributes
    ----------
    node, source : ndarray of float32, of int64
        Weights of the nodes that a draw chooses from, and the blocks of sixteen they stand in.
    total : ndarray of float32, shape (n_population, 16)
        Sums over every sixteenth place of the lattice.
    sums : ndarray of float32, shape (n_population + 1,)
        Their totals, and a zero.
    span : ndarray, shape (2, 16)
        First and last bin of sixteen rows that the ellipse of a star reaches.
    listed : ndarray of int32, shape (256,)
        Blocks that are to be summed.
    coarse : ndarray of float32, shape (n_coarse, 16)
        Fourth root of the likelihood of every component (the lanes) on the coarse grid.
    score, reached : ndarray, shape (n_coarse,)
        Prior times likelihood, later the posterior up to the next point; whether there is any
        likelihood.
    cells : ndarray of int64, shape (2,)
        First point and last (plus one) with any posterior up to the next.
    refine : ndarray of uint8, shape (n_coarse,)
        Whether the points beside it must be computed.
    mu_at, bin_at : ndarray, of int64, shape (n_coarse,)
        Distance modulus of every point that was computed [mag], and the bin that it is in.
    guess : ndarray of float32, shape (16,)
        Fourth root of the likelihood at a point as its neighbours predict it.
    knot, density : ndarray, shape (n_knot,)
        Places of the knots of the coarse grid, and its points per magnitude there.
    parallax : ndarray of float32, shape (n_distance,)
        Likelihood of the parallax in every bin.
    cumulative : ndarray of float32, shape (n_distance + 1, 16)
        Prior of every component, with the likelihoods of motion and parallax, in all bins before
        an edge.
    accumulated : ndarray of int64, shape (1,)
        Line of sight of which it is the prior alone; -1 for none.
    prior : ndarray of float32, shape (n_distance, 16)
        Prior times the likelihoods of motion and parallax.
    motion : ndarray of float32, shape (n_distance, 16)
        Likelihood of the motion at the nodes.
    post : ndarray of float32, shape (n_distance, 16)
        Posterior of every component, not normalised; valid inside `support` only.
    mass : ndarray, shape (n_distance,)
        Its sum over components.
    evidence : ndarray of float32, shape (16,)
        Its sums over distance.
    support : ndarray of int64, shape (2,)
        First and last-plus-one bin with any posterior.
    """

    node: NDArray[np.float32]
    source: NDArray[np.int64]
    total: NDArray[np.float32]
    sums: NDArray[np.float32]
    span: NDArray[np.float64]
    listed: NDArray[np.int32]
    coarse: NDArray[np.float32]
    score: NDArray[np.float64]
    reached: NDArray[np.uint8]
    cells: NDArray[np.int64]
    refine: NDArray[np.uint8]
    mu_at: NDArray[np.float64]
    bin_at: NDArray[np.int64]
    guess: NDArray[np.float32]
    knot: NDArray[np.float64]
    density: NDArray[np.float64]
    parallax: NDArray[np.float32]
    cumulative: NDArray[np.float32]
    accumulated: NDArray[np.int64]
    prior: NDArray[np.float32]
    motion: NDArray[np.float32]
    post: NDArray[np.float32]
    mass: NDArray[np.float64]
    evidence: NDArray[np.float32]
    support: NDArray[np.int64]


def make_bins(
    edges_pc: NDArray[np.float64],
    motion: tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]] | None = None,
) -> Bins:
    """Arrange bin edges [pc] for the kernel; `motion` as the last three fields of `Bins`."""
    if motion is None:
        n = edges_pc.size - 1
        motion = np.zeros(n, np.int64), np.zeros(n, np.float32), np.zeros(5)
    centre = 0.5 * (edges_pc[1:] + edges_pc[:-1])
    mu = 5.0 * np.log10(centre) - 5.0
    knot_mu = np.arange(np.floor(mu[0]), np.ceil(mu[-1]) + 1.0)
    fine = np.arange(knot_mu[0], knot_mu[-1], MU_STEP)
    bin_of_mu = np.searchsorted(edges_pc, 10.0 ** (0.2 * fine + 1.0), side="right") - 1
    return Bins(
        edges_pc, centre, mu, np.clip(bin_of_mu, 0, centre.size - 1).astype(np.int64),
        knot_mu, 10.0 ** (0.2 * knot_mu + 1.0), *motion,
    )  # fmt: skip


def make_scratch(n_place: int, bins: Bins) -> Scratch:
    """Allocate the work space of one thread, for tables of up to `n_place` nodes."""
    n, n_bin, n_knot = N_COARSE, bins.centre.size, bins.knot_mu.size
    f32 = np.float32
    return Scratch(
        np.zeros(n_place, f32),
        np.zeros(n_place // LANES, np.int64),
        np.zeros((N_POPULATION, LANES), f32),
        np.zeros(N_POPULATION + 1, f32),
        np.zeros((2, LANES)),
        np.zeros(N_LISTED, np.int32),
        np.zeros((n, N_LANE), f32),
        np.zeros(n),
        np.zeros(n, np.uint8),
        np.zeros(2, np.int64),
        np.zeros(n, np.uint8),
        np.zeros(n),
        np.zeros(n, np.int64),
        np.zeros(N_LANE, f32),
        np.zeros(n_knot),
        np.zeros(n_knot),
        np.ones(n_bin, f32),
        np.zeros((n_bin + 1, N_LANE), f32),
        np.full(1, -1),
        np.zeros((n_bin, N_LANE), f32),
        np.zeros((n_bin, N_LANE), f32),
        np.zeros((n_bin, N_LANE), f32),
        np.zeros(n_bin),
        np.zeros(N_LANE, f32),
        np.zeros(2, np.int64),
    )


class ScratchPool:
    """Work spaces, used again: to allocate one costs as much as some ten stars.

    Parameters
    ----------
    bins : Bins
        Distance bins that they are for.
    """

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._idle: list[Scratch] = []

    def take(self, n_place: int) -> Scratch:
        """Work space that nobody uses, for tables of up to `n_place` nodes."""
        try:
            scratch = self._idle.pop()
        except IndexError:
            return make_scratch(n_place, self._bins)
        if scratch.node.size < n_place:
            return make_scratch(n_place, self._bins)
        # The line of sight that it holds is one of other stars.
        scratch.accumulated[0] = -1
        return scratch

    def give(self, scratch: Scratch) -> None:
        """Take back a work space."""
        self._idle.append(scratch)
