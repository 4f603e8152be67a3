"""Mean factor and scatter of the reddening of a cell, by empirical Bayes.

For the stars i of a cell, with curves L_i(f) and a Gaussian p(f) = N(f; µ, σ),

    ln P(µ, σ) = Σ_i ln[Σ_f L_i(f) p(f) + ε max L_i] - n ln Λ(µ, σ)
                 - (µ - r)² / (2 · 0.1²) - ln²(σ / 0.06) / (2 · 0.6²),

on a grid; r is what the map says (1). The result is the mean and standard deviation of the
posterior of µ and σ, which fully includes how few the stars are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.calibration.curves import FACTOR_STEP, FACTORS

FACTOR_GRID = np.round(np.arange(0.70, 1.3001, 0.005), 3)
SCATTER_GRID = np.geomspace(0.008, 0.28, 16)
"""Values of µ and σ that are tried."""

LEAST_SCATTER = 0.5 * FACTOR_STEP
"""Smallest scatter that the table of factors resolves."""

FACTOR_PRIOR = 0.1
"""Standard deviation of the prior of µ: what a map may be wrong by."""

SCATTER_PRIOR, SUBCELL_SCATTER_PRIOR = (0.06, 0.6), (0.02, 0.8)
"""Median of the prior of σ and the standard deviation of its logarithm: about the mean of a cell,
and about the value of the own sub-cell."""

OUTLIER = 1e-5
"""Fraction of the largest value that is added to every evidence: no star may veto a factor."""


class CellFit(NamedTuple):
    """Reddening of cells (or of any other groups of stars), each array of shape (n_cell,).

    Attributes
    ----------
    n_star : ndarray of int64
        Stars that it rests on.
    factor, factor_error : ndarray
        Mean of the reddening over that of the map, and standard error.
    scatter, scatter_error : ndarray
        Standard deviation of the reddening over that of the map, and standard error.
    log_evidence : ndarray
        ln of the likelihood averaged over the priors of µ and σ, without constants.
    """

    n_star: NDArray[np.int64]
    factor: Floats
    factor_error: Floats
    scatter: Floats
    scatter_error: Floats
    log_evidence: Floats


def gaussian_weights(factor: Floats, scatter: Floats) -> Floats:
    """Weights of the tabulated factors under Gaussians, normalised, shape (..., n_factor).

    A scatter that the table does not resolve is none: linear between the two nearest factors.
    """
    away = np.abs(FACTORS - np.asarray(factor)[..., None])
    sigma = np.asarray(scatter)[..., None]
    weights = np.where(
        sigma < LEAST_SCATTER,
        np.maximum(1.0 - away / FACTOR_STEP, 0.0),
        np.exp(-0.5 * (away / np.maximum(sigma, LEAST_SCATTER)) ** 2),
    )
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _grid() -> tuple[Floats, Floats, Floats]:
    mu, sigma = (a.ravel() for a in np.meshgrid(FACTOR_GRID, SCATTER_GRID, indexing="ij"))
    return mu, sigma, gaussian_weights(mu, sigma)


def fit_cells(
    curves: NDArray[np.float32],
    cell: NDArray[np.int64],
    density: Floats,
    *,
    selection: bool = True,
    scatter_prior: tuple[float, float] = SCATTER_PRIOR,
) -> CellFit:
    """Fit every cell.

    Parameters
    ----------
    curves : ndarray of float32, shape (n_star, n_factor)
        Evidence curves over their largest value (`Curves.total`).
    cell : ndarray of int64, shape (n_star,)
        Index of the cell of every star.
    density : ndarray, shape (n_cell, n_factor)
        Expected stars Λ(f), all groups together.
    selection : bool
        Include the term of the selection; to be left out only to see what that does.
    scatter_prior : tuple of 2 floats
        Median of σ and standard deviation of its logarithm.

    Returns
    -------
    CellFit
        A cell without stars has the mean and width of the prior.
    """
    mu, sigma, weights = _grid()
    prior = -0.5 * ((mu - 1.0) / FACTOR_PRIOR) ** 2
    prior -= 0.5 * (np.log(sigma / scatter_prior[0]) / scatter_prior[1]) ** 2
    prior -= np.log(np.exp(prior).sum())
    n_cell = len(density)
    order = np.argsort(cell, kind="stable")
    edges = np.searchsorted(cell[order], np.arange(n_cell + 1))
    out = np.zeros((5, n_cell))
    small = weights.T.astype(np.float32)
    for i in range(n_cell):
        rows = order[edges[i] : edges[i + 1]]
        log = np.log(curves[rows] @ small + np.float32(OUTLIER)).sum(axis=0, dtype=np.float64)
        if selection:
            log -= rows.size * np.log(weights @ density[i])
        log += prior
        largest = log.max()
        p = np.exp(log - largest)
        total = p.sum()
        p /= total
        out[0, i], out[2, i] = p @ mu, p @ sigma
        out[1, i] = np.sqrt(p @ (mu - out[0, i]) ** 2)
        out[3, i] = np.sqrt(p @ (sigma - out[2, i]) ** 2)
        out[4, i] = largest + np.log(total)
    return CellFit(np.diff(edges).astype(np.int64), *out)
