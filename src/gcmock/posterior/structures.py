"""What the kernels work on: named groups of arrays and numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.posterior.vector import LANES, N_POPULATION

N_LANE = LANES
"""Components, padded to the width of a vector."""

MU_STEP = 0.0025
"""Finest step of the coarse grid in distance modulus [mag]."""

STRIDES = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32])
"""Steps of the coarse grid in units of `MU_STEP`."""


class Bins(NamedTuple):
    """Distance bins as the kernel sees them.

    Attributes
    ----------
    edge, centre, mu : ndarray
        Edges (n_distance + 1) and centres [pc], distance moduli of the centres [mag].
    mu_min : float
        Start of the coarse grid [mag].
    distance : ndarray
        Distances of the points of the finest coarse grid [pc].
    bin_of_mu, first_bin : ndarray of int64
        Bin that holds each of these points, and first bin whose centre is not before it.
    """

    edge: NDArray[np.float64]
    centre: NDArray[np.float64]
    mu: NDArray[np.float64]
    mu_min: float
    distance: NDArray[np.float64]
    bin_of_mu: NDArray[np.int64]
    first_bin: NDArray[np.int64]


class Sightlines(NamedTuple):
    """Lines of sight, indexed by `Stars.sightline`.

    Attributes
    ----------
    prior : ndarray of float32, shape (n_sightline, n_distance, 16)
        Living stars of every component (the lanes) per square degree in every bin.
    dust_scale_pc : ndarray, shape (n_sightline,)
        Scale of the dust along the line of sight, h / (|sin b| + 1e-4) [pc].
    dust_norm : ndarray, shape (n_sightline,)
        1 - exp(-D_RC / scale): the profile is 1 at the red-clump distance.
    """

    prior: NDArray[np.float32]
    dust_scale_pc: NDArray[np.float64]
    dust_norm: NDArray[np.float64]


class Stars(NamedTuple):
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
    """

    mag: NDArray[np.float64]
    variance: NDArray[np.float64]
    parallax: NDArray[np.float64]
    parallax_error: NDArray[np.float64]
    e_jks: NDArray[np.float64]
    tau: NDArray[np.float64]
    sightline: NDArray[np.int64]


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
    sums : ndarray, shape (n_population,)
        Their totals.
    coarse : ndarray of float32, shape (n_coarse, 16)
        Likelihood of every component (the lanes) on the coarse grid.
    score, reached : ndarray, shape (n_coarse,)
        Prior times likelihood, and whether there is any likelihood.
    cubic : ndarray of float32, shape (4, 16)
        Coefficients of the interpolation between two points of the coarse grid.
    parallax : ndarray of float32, shape (n_distance,)
        Parallax factor of the bins.
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
    sums: NDArray[np.float64]
    coarse: NDArray[np.float32]
    score: NDArray[np.float64]
    reached: NDArray[np.uint8]
    cubic: NDArray[np.float32]
    parallax: NDArray[np.float32]
    post: NDArray[np.float32]
    mass: NDArray[np.float64]
    evidence: NDArray[np.float32]
    support: NDArray[np.int64]


def make_bins(edges_pc: NDArray[np.float64]) -> Bins:
    """Arrange bin edges [pc] for the kernel."""
    centre = 0.5 * (edges_pc[1:] + edges_pc[:-1])
    mu = 5.0 * np.log10(centre) - 5.0
    margin = 4 * MU_STEP * STRIDES[-1]
    mu_min = mu[0] - margin
    n = int((mu[-1] + margin - mu_min) / MU_STEP) + 2
    mu_grid = mu_min + MU_STEP * np.arange(n)
    grid = 10.0 ** (0.2 * mu_grid + 1.0)
    bin_of_mu = np.clip(np.searchsorted(edges_pc, grid, side="right") - 1, 0, centre.size - 1)
    first_bin = np.searchsorted(mu, mu_grid)
    return Bins(
        edges_pc, centre, mu, float(mu_min), grid,
        bin_of_mu.astype(np.int64), first_bin.astype(np.int64),
    )  # fmt: skip


def make_scratch(n_place: int, bins: Bins) -> Scratch:
    """Allocate the work space of one thread, for tables of up to `n_place` nodes."""
    n, n_bin = bins.bin_of_mu.size, bins.centre.size
    f32 = np.float32
    return Scratch(
        np.zeros(n_place, f32),
        np.zeros(n_place // LANES, np.int64),
        np.zeros((N_POPULATION, LANES), f32),
        np.zeros(N_POPULATION),
        np.zeros((n, N_LANE), f32),
        np.zeros(n),
        np.zeros(n, np.uint8),
        np.zeros((4, N_LANE), f32),
        np.ones(n_bin, f32),
        np.zeros((n_bin, N_LANE), f32),
        np.zeros(n_bin),
        np.zeros(N_LANE, f32),
        np.zeros(2, np.int64),
    )
