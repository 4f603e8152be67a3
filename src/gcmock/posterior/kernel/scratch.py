"""Work space of the kernels: arrays that are allocated once and used for star after star."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.posterior.kernel.limits import StarLimits, no_limits
from gcmock.posterior.kernel.structures import N_COARSE, N_LANE, N_LISTED, Bins
from gcmock.posterior.kernel.vector import LANES, N_POPULATION


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
    limits : StarLimits
        What the star must have passed.
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
    limits: StarLimits


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
        no_limits(),
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
