"""What the kernels work on: named groups of arrays and numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    prior : ndarray of float32, shape (n_sightline, n_component, n_distance)
        Living stars per square degree in every bin.
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
    mu_hat, e_hat, log_like : ndarray of float32
        Nodes (or places of the lattice) reduced for the star at hand.
    node : ndarray of float32
        Weights of the nodes that a draw chooses from.
    reduced : ndarray of uint8
        Slabs of the lattice that are reduced already.
    sums : ndarray of float32, shape (n_population,)
        Result of one sum over the lattice.
    coarse : ndarray, shape (n_population, n_coarse)
        Likelihood on the coarse grid.
    score, reached : ndarray, shape (n_coarse,)
        Prior times likelihood, and whether there is any likelihood.
    parallax : ndarray of float32, shape (n_distance,)
        Parallax factor of the bins.
    post : ndarray of float32, shape (n_component, n_distance)
        Posterior, not normalised; valid inside `support` only.
    evidence : ndarray, shape (n_component,)
        Its sums over distance.
    support : ndarray of int64, shape (2,)
        First and last-plus-one bin with any posterior.
    """

    mu_hat: NDArray[np.float32]
    e_hat: NDArray[np.float32]
    log_like: NDArray[np.float32]
    node: NDArray[np.float32]
    reduced: NDArray[np.uint8]
    sums: NDArray[np.float32]
    coarse: NDArray[np.float64]
    score: NDArray[np.float64]
    reached: NDArray[np.uint8]
    parallax: NDArray[np.float32]
    post: NDArray[np.float32]
    evidence: NDArray[np.float64]
    support: NDArray[np.int64]


class Terms(NamedTuple):
    """A star as the inner loops need it.

    Scalars only: reference counts of arrays would cost more than the sums.

    Attributes
    ----------
    direct : bool
        One band only, or Hw among them: no reduction to distance modulus and reddening.
    norm : float
        Product of 1 / sqrt(2 pi variance) of the bands used.
    on_lattice : bool
        Summed over the lattice instead of the nodes.
    key, key_variance, key_kappa, half_sigmas : float
        Observed sort key, its variance and reddening coefficient, half width of the window in
        sigmas.
    c_mm, c_me, c_ee, kk : float
        Covariance of the least-squares distance modulus and reddening, and sum of kappa^2 /
        variance.
    c, c_variance, q, gamma, delta, inv_q : float
        Observed coordinates c and Q, marginal variance of c, regressions of W and c on Q, and
        log2(e) / 2 over the variance of Q (0 without three bands).
    m0, m1, m2, m3, w0, w1, w2, w3 : float32
        Magnitudes and inverse variances of J, H, Ks, Hw; zero for unused bands.
    """

    direct: bool
    on_lattice: bool
    norm: float
    key: float
    key_variance: float
    key_kappa: float
    half_sigmas: float
    c_mm: float
    c_me: float
    c_ee: float
    kk: float
    c: float
    c_variance: float
    q: float
    gamma: float
    delta: float
    inv_q: float
    m0: np.float32
    m1: np.float32
    m2: np.float32
    m3: np.float32
    w0: np.float32
    w1: np.float32
    w2: np.float32
    w3: np.float32


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


def make_scratch(
    n_node: int, n_slab: int, n_population: int, n_component: int, bins: Bins
) -> Scratch:
    """Allocate the work space of one thread."""
    n = bins.bin_of_mu.size
    return Scratch(
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.empty(n_node, np.float32),
        np.zeros(n_slab, np.uint8),
        np.zeros(n_population, np.float32),
        np.zeros((n_population, n)),
        np.zeros(n),
        np.zeros(n, np.uint8),
        np.empty(bins.centre.size, np.float32),
        np.zeros((n_component, bins.centre.size), np.float32),
        np.zeros(n_component),
        np.zeros(2, np.int64),
    )
