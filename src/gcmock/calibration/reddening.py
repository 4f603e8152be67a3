"""Reddening and numbers of stars from evidence curves: cells, neighbours and weights in turns."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.cells import CellFit, gaussian_weights
from gcmock.calibration.curves import GROUP_OF_PART, GROUPS, Curves
from gcmock.calibration.extinction import extinction_of_map, fit_extinction
from gcmock.calibration.local_reddening import N_NEIGHBOURS, Local, plane, refine
from gcmock.calibration.selection import at_places
from gcmock.calibration.weights import Weights, fit_weights
from gcmock.dust.extinction_map import MapValue
from gcmock.learned import CELLS_PER_FIELD, FIELDS_IN_B, field_number, nothing_learned
from gcmock.model import Model
from gcmock.posterior.observations import Observations


class Sky(NamedTuple):
    """The cells of a region.

    Attributes
    ----------
    cells : ndarray of int64, shape (n_cell,)
        By flat index of the map.
    l_deg, b_deg : ndarray, shape (n_cell,)
        Their centres [deg].
    e_map : ndarray, shape (n_cell,)
        What the map says [mag].
    of_star : ndarray of int64, shape (n_star,)
        Index of the cell of every star.
    """

    cells: Integers
    l_deg: Floats
    b_deg: Floats
    e_map: Floats
    of_star: Integers

    @classmethod
    def of(cls, stars: Calibrators, model: Model) -> Sky:
        """Return all cells of the fields with stars."""
        return cls.around(cells_of_fields(model, np.unique(stars.cell)), stars.cell, model)

    @classmethod
    def around(cls, cells: Integers, of_star: Integers, model: Model) -> Sky:
        """Return given cells, increasing, and the place in them of the cell of every star."""
        by_cell = model.config.extinction.map_value == "cell_mean"
        kind: MapValue = "cell_mean" if by_cell else "subcell_mean"
        l_deg, b_deg = model.extinction_map.cell_centre(cells)
        e_map = model.extinction_map.value(l_deg, b_deg, kind)[0]
        return cls(cells, l_deg, b_deg, e_map, np.searchsorted(cells, of_star))


def cells_of_fields(model: Model, cells: Integers) -> Integers:
    """Return all cells of the fields in which the given ones lie."""
    n_l, n_b = model.extinction_map.mean.shape
    field = np.unique(field_number(model.extinction_map, cells))
    il, ib = np.divmod(field, FIELDS_IN_B)
    step = np.arange(CELLS_PER_FIELD)
    all_l = (il[:, None, None] * CELLS_PER_FIELD + step[:, None]) + 0 * step
    all_b = (ib[:, None, None] * CELLS_PER_FIELD + step) + 0 * step[:, None]
    inside = (all_l < n_l) & (all_b < n_b)
    return np.sort((all_l * n_b + all_b)[inside])


class Found(NamedTuple):
    """What was found of the reddening.

    Attributes
    ----------
    fit : CellFit
        Of the cells.
    source : ndarray of int64, shape (n_cell,)
        Index in `gcmock.calibration.extinction.SOURCES`.
    local : Local
        Of the stars with a curve.
    """

    fit: CellFit
    source: Integers
    local: Local

    def scaled(self, scale: float) -> Found:
        """Return the same with other widths of the reddening."""
        fit = self.fit._replace(
            scatter=scale * self.fit.scatter, scatter_error=scale * self.fit.scatter_error
        )
        local = self.local._replace(
            scatter=scale * self.local.scatter, scatter_all=scale * self.local.scatter_all
        )
        return Found(fit, self.source, local)


class Curved(NamedTuple):
    """Stars with evidence curves, n_star of them.

    Attributes
    ----------
    data : Observations
        Their observations; the reddening is that of the map.
    curves : Curves
        None of them is zero.
    others : ndarray, shape (n_star,)
        Evidence of all cases but the clean one, over the largest value of the curves.
    of_star : ndarray of int64, shape (n_star,)
        Index of their cells.
    density : ndarray of float32, shape (n_star, n_group, n_factor)
        Expected stars at their places.
    """

    data: Observations
    curves: Curves
    others: Floats
    of_star: Integers
    density: NDArray[np.float32]


def fit_reddening(
    stars: Curved,
    weights: Floats,
    sky: Sky,
    model: Model,
    *,
    with_extinction: bool = True,
    with_neighbours: bool = True,
) -> Found:
    """Fit cells and neighbours.

    Parameters
    ----------
    stars : Curved
    weights : ndarray, shape (n_group,)
        Factors on the numbers of stars.
    sky : Sky
    model : Model
    with_extinction, with_neighbours : bool
        What is fitted; else the map, and the cells alone.

    Returns
    -------
    Found
    """
    total, least = _relative(stars.curves, stars.others, weights)
    of_all = np.einsum("sgf,g->sf", stars.density, weights)
    of_star = stars.of_star
    if with_extinction:
        fit, source = fit_extinction(total, least, of_star, sky.cells, sky.e_map, of_all, model)
    else:
        fit, source = extinction_of_map(of_star, sky.cells, sky.e_map, model)
    local = refine(
        stars.data.l_deg, stars.data.b_deg, total, of_star, fit.factor, fit.scatter, of_all,
        n_neighbours=N_NEIGHBOURS if with_neighbours else (),
    )  # fmt: skip
    return Found(fit, source, local)


def reddened(
    data: Observations, found: Found, stars: Curved, sky: Sky, model: Model
) -> Observations:
    """Return stars with the reddening that was found at their places; see `Learned.reddening`.

    Parameters
    ----------
    data : Observations
        Any stars; the reddening is that of the map.
    found : Found
        From `stars`.
    stars : Curved
    sky : Sky
    model : Model

    Returns
    -------
    Observations
    """
    learned = nothing_learned(model.config.extinction.map_value, model.law)
    place, star = places_of(found.local, stars.data)
    learned = replace(
        learned, cell=sky.cells, factor=found.fit.factor, scatter=found.fit.scatter, place=place,
        star=star,
    )  # fmt: skip
    e_jks, tau = learned.reddening(
        model.extinction_map, data.l_deg, data.b_deg, data.e_jks_rc, np.zeros(data.n_star)
    )
    return data._replace(e_jks_rc=e_jks, tau=tau)


def places_of(local: Local, data: Observations) -> tuple[Floats, Floats]:
    """Places of the stars that refine the map, and what they say; see `Learned`."""
    kept = slice(None) if local.n_neighbour else slice(0)
    values = (local.factor, local.scatter, local.factor_all, local.scatter_all, local.radius_deg)
    return plane(data.l_deg, data.b_deg)[kept], np.stack([value[kept] for value in values])


def fit_numbers(
    data: Observations,
    found: Found,
    stars: Curved,
    sky: Sky,
    density: Floats,
    model: Model,
    *,
    floor: Floats,
    of_star: Integers,
    free_scale: bool,
    guess: Weights | None,
    workers: int,
) -> Weights:
    """Fit the numbers of stars of all groups, and the widths of the reddening.

    Parameters
    ----------
    data : Observations
        All stars; the reddening is that of the map.
    found, stars, sky
        What was found of the reddening, and from which stars.
    density : ndarray, shape (n_cell, n_group, n_factor)
        Expected stars of the cells.
    model : Model
        With all younger parts.
    floor : ndarray, shape (n_star,)
        ln of the evidence of all cases but the clean one.
    of_star : ndarray of int64, shape (n_star,)
        Index of the cells of the stars.
    free_scale : bool
        Fit the widths.
    guess : Weights or None
        Of an earlier fit.
    workers : int
        Threads.

    Returns
    -------
    Weights
    """
    seen = reddened(data, found, stars, sky, model)
    factor, scatter = seen.e_jks_rc / data.e_jks_rc, seen.tau / data.e_jks_rc
    here = at_places(density[of_star], data.e_jks_rc / sky.e_map[of_star])
    known = np.isfinite(floor)

    def evidence(scale: float) -> tuple[Floats, Floats]:
        wider = seen._replace(tau=scale * seen.tau)
        parts = model.posterior.part_evidence(wider, workers, lattices="few")
        z = np.zeros((data.n_star, len(GROUPS)))
        for part, group in enumerate(GROUP_OF_PART):
            z[:, group] += parts[:, part]
        weights = gaussian_weights(factor, scale * scatter)
        expected = np.matmul(here, weights[:, :, None].astype(np.float32))[..., 0]
        return z[known], expected[known].astype(np.float64)

    return fit_weights(evidence, np.exp(floor[known]), free_scale=free_scale, guess=guess)


def _relative(
    curves: Curves, others: Floats, weights: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Curves of all groups and the evidence of other cases, over the largest value of the curve."""
    out = np.zeros((len(curves.value), curves.value.shape[2]), np.float32)
    for group, weight in enumerate(weights):
        out += np.float32(weight) * curves.value[:, group]
    largest = np.maximum(out.max(axis=1), np.float32(1e-30))
    return out / largest[:, None], np.asarray(others / largest, np.float32)
