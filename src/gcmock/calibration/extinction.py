"""The reddening of cells by hierarchy: region, then fields, then cells.

Every level is the prior of the next: the region may be off by what maps are off by, a field may
deviate from the region, a cell from its field. A cell without stars has what its field has, a field
without stars what the region has, and a list of fifty stars still says something of all of them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.calibration.cells import (
    SCATTER_PRIOR,
    SUBCELL_SCATTER_PRIOR,
    CellFit,
    Prior,
    fit_cells,
)
from gcmock.learned import field_number
from gcmock.model import Model

LEAST_OF_CELL: Final = 10
"""Fewer stars, and a cell is said to be like its field."""

MOST_OF_GROUP: Final = 600
"""Stars that a field, or the region, is fitted to."""

FACTOR_SPREAD: Final = 0.03
"""Standard deviation of the factor between the fields of a region, and the cells of a field, before
it is learned from them."""

LEAST_SPREAD: Final = 0.002
"""Least value of it."""

REGION_FACTOR: Final = 0.08
"""Standard deviation of the factor of a region, an assumption: that of a map and that of the law
that defines it, 0.05 each."""

SCATTER_OF_FIELD, SCATTER_OF_CELL = 0.4, 0.4
"""Standard deviations of ln scatter between fields, and between cells."""

SOURCES: Final = ("cell", "field", "region", "map")
"""Where the values of a cell come from."""


def fit_extinction(
    curves: NDArray[np.float32],
    floor: NDArray[np.float32],
    of_star: Integers,
    cells: Integers,
    e_map: Floats,
    density: Floats,
    model: Model,
) -> tuple[CellFit, Integers]:
    """Fit region, fields and cells.

    Parameters
    ----------
    curves : ndarray of float32, shape (n_star, n_factor)
        Evidence curves over their largest value (`Curves.total`).
    floor : ndarray of float32, shape (n_star,)
        What is added to each: the evidence of all cases but the clean one, in the same unit.
    of_star : ndarray of int64, shape (n_star,)
        Index of the cell of every star.
    cells : ndarray of int64, shape (n_cell,)
        Cells of the map.
    e_map : ndarray, shape (n_cell,)
        Reddening of the map [mag].
    density : ndarray, shape (n_star, n_factor)
        Expected stars at the places of the stars.
    model : Model

    Returns
    -------
    fit : CellFit
    source : ndarray of int64, shape (n_cell,)
        Index in `SOURCES`.
    """
    by_subcell = model.config.extinction.map_value == "subcell"
    middle, width = SUBCELL_SCATTER_PRIOR if by_subcell else SCATTER_PRIOR
    numbers, of_cell = np.unique(field_number(model.extinction_map, cells), return_inverse=True)
    everywhere = np.zeros(of_star.size, np.int64)
    region = _pooled(
        curves, floor, everywhere, density,
        Prior(np.ones(1), np.full(1, REGION_FACTOR), np.full(1, middle), np.full(1, width)),
    )  # fmt: skip
    whole, field = np.zeros(numbers.size, np.int64), of_cell[of_star]
    spread = FACTOR_SPREAD
    for _ in range(2):
        prior = _prior_from(region, whole, spread, SCATTER_OF_FIELD)
        fields = _pooled(curves, floor, field, density, prior)
        spread = _spread_of(fields, prior)
    spread = FACTOR_SPREAD
    for _ in range(2):
        prior = _prior_from(fields, of_cell, spread, SCATTER_OF_CELL)
        fit = fit_cells(curves, of_star, density, floor=floor, prior=prior)
        spread = _spread_of(fit, prior)
    n_of_field = np.bincount(of_cell[of_star], minlength=numbers.size)
    source = np.where(
        fit.n_star >= LEAST_OF_CELL, 0, np.where(n_of_field[of_cell] >= LEAST_OF_CELL, 1, 2)
    )
    return fit, source


def _spread_of(fit: CellFit, prior: Prior) -> float:
    """Return the standard deviation of factors about their priors' means, beyond their errors.

    What single groups say without their priors, weighted with how well they say it: groups that
    agree within their errors have what all of them have.
    """
    own = fit.n_star >= LEAST_OF_CELL
    if own.sum() < 3:
        return FACTOR_SPREAD
    precision = np.maximum(fit.factor_error[own] ** -2 - prior.factor_width[own] ** -2, 1.0)
    alone = fit.factor[own] + (fit.factor - prior.factor)[own] / (
        precision * prior.factor_width[own] ** 2
    )
    away2 = (alone - prior.factor[own]) ** 2
    weight = 1.0 / (1.0 / precision + LEAST_SPREAD**2)
    variance = float(np.average(away2 - 1.0 / precision, weights=weight))
    return float(np.clip(np.sqrt(max(variance, 0.0)), LEAST_SPREAD, 2.0 * FACTOR_SPREAD))


def _prior_from(above: CellFit, of_group: Integers, factor: float, scatter: float) -> Prior:
    """Prior of groups that may deviate from those above them."""
    # Median and width of the log-normal distribution with mean and error of those above: the mean
    # itself would grow from level to level.
    square = 1.0 + (above.scatter_error[of_group] / above.scatter[of_group]) ** 2
    return Prior(
        above.factor[of_group],
        np.hypot(above.factor_error[of_group], factor),
        above.scatter[of_group] / np.sqrt(square),
        np.sqrt(np.log(square) + scatter**2),
    )


def _pooled(
    curves: NDArray[np.float32],
    floor: NDArray[np.float32],
    group: Integers,
    density: Floats,
    prior: Prior,
) -> CellFit:
    """Fit groups of cells to some of their stars."""
    order = np.random.default_rng(1).permutation(group.size)
    order = order[np.argsort(group[order], kind="stable")]
    first = np.searchsorted(group[order], group[order])
    rows = order[np.arange(order.size) - first < MOST_OF_GROUP]
    return fit_cells(curves[rows], group[rows], density[rows], floor=floor[rows], prior=prior)


def extinction_of_map(
    of_star: Integers, cells: Integers, e_map: Floats, model: Model
) -> tuple[CellFit, Integers]:
    """Take the map as it is; arguments and result as those of `fit_extinction`."""
    extinction = model.config.extinction
    scatter = np.full(cells.size, extinction.residual_scatter_mag) / e_map
    if extinction.map_value == "subcell_mean":
        l_deg, b_deg = model.extinction_map.cell_centre(cells)
        subcells = model.extinction_map.value(l_deg, b_deg, "subcell_mean")[1]
        scatter = np.hypot(scatter, subcells / e_map)
    n_star = np.bincount(of_star, minlength=cells.size)
    one, zero = np.ones(cells.size), np.zeros(cells.size)
    source = np.full(cells.size, SOURCES.index("map"))
    return CellFit(n_star, one, zero, scatter, zero, zero), source
