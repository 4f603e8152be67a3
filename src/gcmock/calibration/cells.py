"""Mean factor and scatter of the reddening of a cell, by empirical Bayes.

For the stars i of a cell, with curves L_i(f) and a Gaussian p(f) = N(f; µ, σ),

    ln P(µ, σ) = Σ_i ln[Σ_f L_i(f) p(f) + o_i] - n ln Λ(µ, σ)
                 - (µ - µ_0)² / (2 s_µ²) - ln²(σ / σ_0) / (2 s_σ²),

on a grid; o_i is the evidence that the star is none of these (`gcmock.posterior.mixture`), and the
priors come from the level above (`gcmock.calibration.extinction`). The result is the mean and
standard deviation of the posterior of µ and σ, which fully includes how few the stars are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.calibration.curves import FACTOR_STEP, FACTORS

FACTOR_GRID = np.round(np.arange(0.70, 1.3001, 0.005), 3)
SCATTER_GRID = np.geomspace(0.003, 0.30, 20)
"""Values of µ and σ that are tried."""

LEAST_SCATTER = 0.5 * FACTOR_STEP
"""Smallest scatter that the table of factors resolves."""

SCATTER_PRIOR, SUBCELL_SCATTER_PRIOR = (0.06, 0.6), (0.02, 0.8)
"""Median of the prior of σ and the standard deviation of its logarithm: about the mean of a cell,
and about the value of the own sub-cell."""

OUTLIER = 1e-5
"""Fraction of the largest value that is added to every evidence at least: no star may veto a
factor."""


class Prior(NamedTuple):
    """Priors of cells, each array of shape (n_cell,).

    Attributes
    ----------
    factor, factor_width : ndarray
        Mean and standard deviation of µ.
    scatter, scatter_width : ndarray
        Median of σ and standard deviation of its logarithm.
    """

    factor: Floats
    factor_width: Floats
    scatter: Floats
    scatter_width: Floats


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


def usual_prior(n_cell: int) -> Prior:
    """Return the prior of cells of which nothing else is known."""
    values = (1.0, 0.1, *SCATTER_PRIOR)
    return Prior(*(np.full(n_cell, value) for value in values))


def fit_cells(
    curves: NDArray[np.float32],
    cell: NDArray[np.int64],
    density: Floats,
    *,
    selection: bool = True,
    floor: NDArray[np.float32] | None = None,
    prior: Prior | None = None,
) -> CellFit:
    """Fit every cell.

    Parameters
    ----------
    curves : ndarray of float32, shape (n_star, n_factor)
        Evidence curves over their largest value (`Curves.total`).
    cell : ndarray of int64, shape (n_star,)
        Index of the cell of every star.
    density : ndarray, shape (n_star, n_factor)
        Expected stars Λ(f) at the places of the stars, all groups together.
    selection : bool
        Include the term of the selection; to be left out only to see what that does.
    floor : ndarray of float32, shape (n_star,), optional
        Evidence that is added to every curve; `OUTLIER` at least.
    prior : Prior, optional
        N(1, 0.1) and `SCATTER_PRIOR` if not given.

    Returns
    -------
    CellFit
        A cell without stars has the mean and width of the prior.
    """
    mu, sigma, weights = _grid()
    prior = prior or usual_prior(int(cell.max(initial=-1)) + 1)
    n_cell = prior.factor.size
    least = np.full(len(curves), OUTLIER, np.float32)
    least = least if floor is None else np.maximum(floor, least)
    order = np.argsort(cell, kind="stable")
    edges = np.searchsorted(cell[order], np.arange(n_cell + 1))
    out = np.zeros((5, n_cell))
    small = weights.T.astype(np.float32)
    for i in range(n_cell):
        rows = order[edges[i] : edges[i + 1]]
        log = np.log(curves[rows] @ small + least[rows, None]).sum(axis=0, dtype=np.float64)
        if selection:
            # The geometric mean of the stars: the sum of ln Λ is what enters.
            of_cell = np.exp(np.log(density[rows]).mean(axis=0)) if rows.size else np.ones(1)
            log -= rows.size * np.log(weights @ of_cell if rows.size else 1.0)
        before = -0.5 * ((mu - prior.factor[i]) / prior.factor_width[i]) ** 2
        before -= 0.5 * (np.log(sigma / prior.scatter[i]) / prior.scatter_width[i]) ** 2
        largest = before.max()
        log += before - (largest + np.log(np.exp(before - largest).sum()))
        largest = log.max()
        p = np.exp(log - largest)
        total = p.sum()
        p /= total
        out[0, i], out[2, i] = p @ mu, p @ sigma
        out[1, i] = np.sqrt(p @ (mu - out[0, i]) ** 2)
        out[3, i] = np.sqrt(p @ (sigma - out[2, i]) ** 2)
        out[4, i] = largest + np.log(total)
    return CellFit(np.diff(edges).astype(np.int64), *out)
