"""From a catalogue to a calibration: law, extinction, fractions, local reddening, counts."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.calibration.area import area_of_cells
from gcmock.calibration.calibrators import Calibrators, read_calibrators
from gcmock.calibration.cells import (
    SCATTER_PRIOR,
    SUBCELL_SCATTER_PRIOR,
    CellFit,
    fit_cells,
    gaussian_weights,
)
from gcmock.calibration.curves import FACTORS, GROUPS, Curves, evidence_curves
from gcmock.calibration.fractions import Fractions, fit_fractions, no_fractions
from gcmock.calibration.law_sample import fit_laws
from gcmock.calibration.local_reddening import N_NEIGHBOURS, Local, refine
from gcmock.calibration.selection import expected_density
from gcmock.dust.calibrated import (
    CELLS_PER_FIELD,
    FALLBACK_SCATTER,
    FIELDS_IN_B,
    field_number,
)
from gcmock.dust.extinction_map import MapValue
from gcmock.dust.laws import ExtinctionLaw
from gcmock.errors import InputError
from gcmock.footprint import Footprint
from gcmock.model import Model, load_model
from gcmock.notebook import Outcome, listing_of
from gcmock.posterior.observations import Observations
from gcmock.progress import Progress, StagedProgress
from gcmock.settings.build import Config, load_config

LEAST_OF_CELL: Final = 10
"""Fewer stars do not calibrate a cell, or a field."""

MOST_OF_FIELD: Final = 400

_AT_ONCE: Final = 20_000

SOURCES: Final = ("cell", "field", "map")
"""Where the values of a cell come from."""


@dataclass(frozen=True)
class Options:
    """What is calibrated, and how.

    Attributes
    ----------
    limits : tuple of 2 floats or None
        Bright and faint limit in Ks [mag]; None: from the counts of the catalogue.
    stars_per_cell : int
        Most stars of a cell.
    law : {"quadrants", "one", "none"}
        Regions with a law of their own; "none" keeps that of the settings.
    law_offset : bool
        Fit the offset in H as well as the slope.
    local : bool
        Refine the reddening with neighbours.
    fractions : bool
        Fit weights of disc, bar and nuclear components.
    fields_deviate : bool
        Let every field deviate from the weights.
    extinction : bool
        Fit the reddening of cells; else that of the map holds, with ``residual_scatter_mag``.
    """

    limits: tuple[float, float] | None = None
    stars_per_cell: int = 200
    law: str = "quadrants"
    law_offset: bool = True
    local: bool = True
    fractions: bool = False
    fields_deviate: bool = False
    extinction: bool = True


@dataclass(frozen=True, repr=False)
class Calibration(Outcome):
    """Everything that was found.

    Attributes
    ----------
    model : Model
        With the law of the calibration.
    config : Config
        Settings.
    options : Options
    stars : Calibrators
    law : ExtinctionLaw
        The law that was used.
    law_fits : dict of int to LawFit
        Fits by row of the law.
    cell : ndarray of int64, shape (n_cell,)
        Cells of the map, by flat index.
    source : ndarray of int64, shape (n_cell,)
        Index in `SOURCES`.
    fit : CellFit
        Of the cells, after the fallback.
    e_map : ndarray, shape (n_cell,)
        What the map says [mag].
    local : Local
        Of the stars.
    fractions : Fractions
    n_observed, n_expected : ndarray, shape (n_cell,)
        Stars between the limits: of the catalogue, and expected in the cell, as far as it is in
        the footprint.
    explained : ndarray of bool, shape (n_calibrator,)
        Stars of `stars` with a curve; those of `local` are these.
    seconds : float
        Time of the whole run.
    files : tuple of Path
        What was written of it.
    footprint : Footprint, optional
        Area of the catalogue, if the settings give one.
    """

    model: Model
    config: Config
    options: Options
    stars: Calibrators
    law: ExtinctionLaw
    law_fits: dict[int, object]
    cell: Integers
    source: Integers
    fit: CellFit
    e_map: Floats
    local: Local
    fractions: Fractions
    n_observed: Integers
    n_expected: Floats
    explained: NDArray[np.bool_]
    seconds: float
    files: tuple[Path, ...] = ()
    footprint: Footprint | None = None

    def listing(self) -> list[tuple[str, str]]:
        """Return what the calibration rests on, and the mean factor on the map."""
        own = self.source == 0
        cells = {name: int((self.source == i).sum()) for i, name in enumerate(SOURCES)}
        low, high = self.stars.limits
        return listing_of(
            [
                ("limits", f"{low:g} <= Ks < {high:g} mag"),
                ("n_star", int(self.explained.sum())),
                ("cells", cells),
                ("factor", float(self.fit.factor[own].mean()) if own.any() else None),
                ("files", self.files),
                ("seconds", self.seconds),
            ]
        )


def calibrate(
    catalogue: str | Path,
    config: Config | None = None,
    options: Options | None = None,
    *,
    progress: StagedProgress | None = None,
) -> Calibration:
    """Calibrate extinction, law and fractions from the stars of a catalogue.

    Parameters
    ----------
    catalogue : str or Path
        Any table that ``gcmock build`` reads, with Ks and J or H.
    config : Config, optional
        Settings; the defaults if not given.
    options : Options, optional
    progress : callable, optional
        Called with the stage and the numbers done and in total.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        If the catalogue or a setting cannot be used, or no cell has enough stars.
    """
    start = time.perf_counter()
    options = options or Options()
    config = config or load_config()
    if config.extinction.calibration:
        raise InputError(
            f"[extinction] calibration = {config.extinction.calibration!r}: a calibration starts "
            "from the map; leave this setting out"
        )
    tell = progress or (lambda stage, done, total: None)
    inside = {"input": {"outside_map": "skip", "no_photometry": "skip"}}
    model = load_model(config=load_config(None, config.model_dump() | _merged(config, inside)))
    stars = read_calibrators(
        catalogue,
        model,
        model.config,
        limits=options.limits,
        stars_per_cell=options.stars_per_cell,
        progress=lambda done, total: tell("read", done, total),
    )
    return calibrate_stars(stars, model, options, config.run.n_workers, tell, start)


def _merged(config: Config, changes: dict[str, dict[str, str]]) -> dict[str, object]:
    """Sections with some keys changed."""
    dump = config.model_dump()
    return {section: dump[section] | values for section, values in changes.items()}


def calibrate_stars(
    stars: Calibrators,
    model: Model,
    options: Options,
    workers: int,
    tell: StagedProgress,
    start: float = 0.0,
) -> Calibration:
    """Calibrate from stars that were chosen; see `calibrate`."""
    config = model.config
    by_cell = config.extinction.map_value == "cell_mean"
    kind: MapValue = "cell_mean" if by_cell else "subcell_mean"
    cells = cells_of_fields(model, np.unique(stars.cell))
    l_deg, b_deg = model.extinction_map.cell_centre(cells)
    e_map = model.extinction_map.value(l_deg, b_deg, kind)[0]
    of_star = np.searchsorted(cells, stars.cell)
    law, fits = fit_laws(stars, model, options.law, options.law_offset, workers, tell)
    model = dataclasses.replace(model, law=law)
    curves = _all_curves(stars.data, model, workers, tell)
    good = curves.explained
    density = expected_density(model, l_deg, b_deg, e_map, stars.limits, cells_tell(tell))
    fractions = no_fractions()
    # Extinction first, weights after, and once more.
    for repeat in range(2 if options.fractions else 1):
        weights = fractions.of_group
        total = curves.take(good).total(weights)
        all_density = np.einsum("cgf,g->cf", density, weights)
        fit, source = (fit_extinction if options.extinction else extinction_of_map)(
            total, of_star[good], cells, e_map, all_density, model, config.extinction.map_value
        )
        local = refine(
            stars.data.l_deg[good], stars.data.b_deg[good], total, of_star[good], fit.factor,
            fit.scatter, all_density, n_neighbours=N_NEIGHBOURS if options.local else (),
        )  # fmt: skip
        if options.fractions:
            fractions = fit_fractions(
                curves.take(good), of_star[good], fit, density,
                field_number(model.extinction_map, cells),
                reddening=(local.factor, local.scatter), fields_deviate=options.fields_deviate,
            )  # fmt: skip
        tell("cells", repeat + 1, 2 if options.fractions else 1)
    observed = np.zeros(cells.size, np.int64)
    at = np.minimum(np.searchsorted(cells, stars.cells), cells.size - 1)
    known = cells[at] == stars.cells
    observed[at[known]] = stars.n_observed[known]
    footprint, area = area_of_cells(model, config.footprint, stars.data, l_deg, b_deg)
    expected = expected_counts_of(fit, all_density, area)
    seconds = time.perf_counter() - start if start else 0.0
    return Calibration(
        model, config, options, stars, law, dict(fits), cells, source, fit, e_map, local,
        fractions, observed, expected, good, seconds, footprint=footprint,
    )  # fmt: skip


def cells_tell(tell: StagedProgress) -> Progress:
    """Progress of the expected counts."""
    return lambda done, total: tell("counts", done, total)


def _all_curves(data: Observations, model: Model, workers: int, tell: StagedProgress) -> Curves:
    """Curves of all stars, neighbours in the sky together."""
    n = data.l_deg.size
    done = 0
    value, scale = np.zeros((n, len(GROUPS), FACTORS.size), np.float16), np.full(n, -np.inf)
    for batch in model.sightlines.batches(data.l_deg, data.b_deg):
        for rows in np.split(batch, range(_AT_ONCE, batch.size, _AT_ONCE)):
            found = evidence_curves(model.posterior, data.take(rows), workers)
            value[rows], scale[rows] = found.value, found.log_scale
            done += rows.size
            tell("curves", done, n)
    return Curves(value, scale)


def cells_of_fields(model: Model, cells: Integers) -> Integers:
    """All cells of the fields in which the given ones lie."""
    n_l, n_b = model.extinction_map.mean.shape
    field = np.unique(field_number(model.extinction_map, cells))
    il, ib = np.divmod(field, FIELDS_IN_B)
    step = np.arange(CELLS_PER_FIELD)
    all_l = (il[:, None, None] * CELLS_PER_FIELD + step[:, None]) + 0 * step
    all_b = (ib[:, None, None] * CELLS_PER_FIELD + step) + 0 * step[:, None]
    inside = (all_l < n_l) & (all_b < n_b)
    return np.sort((all_l * n_b + all_b)[inside])


def fit_extinction(
    curves: NDArray[np.float32],
    of_star: Integers,
    cells: Integers,
    e_map: Floats,
    density: Floats,
    model: Model,
    map_value: str,
) -> tuple[CellFit, Integers]:
    """Cells, those with few stars as their field, fields with few stars as the map says.

    Raises
    ------
    InputError
        If no field has enough stars.
    """
    by_subcell = map_value == "subcell"
    scatter_prior = SUBCELL_SCATTER_PRIOR if by_subcell else SCATTER_PRIOR
    fit = fit_cells(curves, of_star, density, scatter_prior=scatter_prior)
    _, of_cell = np.unique(field_number(model.extinction_map, cells), return_inverse=True)
    n_field = int(of_cell.max()) + 1
    field = of_cell[of_star]
    order = np.random.default_rng(1).permutation(of_star.size)
    order = order[np.argsort(field[order], kind="stable")]
    first = np.searchsorted(field[order], field[order])
    rows = order[np.arange(order.size) - first < MOST_OF_FIELD]
    weight = np.bincount(of_star, minlength=cells.size).astype(float) + 1e-6
    pooled = np.zeros((n_field, density.shape[1]))
    np.add.at(pooled, of_cell, density * weight[:, None])
    pooled /= np.bincount(of_cell, weight, n_field)[:, None]
    fields = fit_cells(curves[rows], of_cell[of_star[rows]], pooled, scatter_prior=scatter_prior)
    n_of_field = np.bincount(of_cell[of_star], minlength=n_field)
    if n_of_field.max(initial=0) < LEAST_OF_CELL:
        raise InputError(
            f"no field of {CELLS_PER_FIELD * model.extinction_map.step_deg:g} deg has "
            f"{LEAST_OF_CELL} stars that the model explains (the fullest has {n_of_field.max()}): "
            "these stars are too sparse to calibrate extinction. Give all stars of the field down "
            "to a magnitude, not a selection of them"
        )
    source = np.where(
        fit.n_star >= LEAST_OF_CELL, 0, np.where(n_of_field[of_cell] >= LEAST_OF_CELL, 1, 2)
    )
    known = scatter_of_subcells(cells, e_map, model, map_value)
    of_map = (
        np.ones(cells.size), np.full(cells.size, FALLBACK_SCATTER),
        np.hypot(known, np.full(cells.size, FALLBACK_SCATTER)), np.zeros(cells.size),
    )  # fmt: skip
    of_field = tuple(x[of_cell] for x in fields[1:5])
    factor, factor_error, scatter, scatter_error = (
        np.choose(source, [own, field, fixed])
        for own, field, fixed in zip(fit[1:5], of_field, of_map, strict=True)
    )
    found = CellFit(fit.n_star, factor, factor_error, scatter, scatter_error, fit.log_evidence)
    return found, source


def scatter_of_subcells(cells: Integers, e_map: Floats, model: Model, map_value: str) -> Floats:
    """Scatter of the sub-cells over the mean of each cell, if the mean is what the map gives."""
    if map_value != "subcell_mean":
        return np.zeros(cells.size)
    l_deg, b_deg = model.extinction_map.cell_centre(cells)
    return np.asarray(model.extinction_map.value(l_deg, b_deg, "subcell_mean")[1] / e_map)


def extinction_of_map(
    curves: NDArray[np.float32],
    of_star: Integers,
    cells: Integers,
    e_map: Floats,
    density: Floats,
    model: Model,
    map_value: str,
) -> tuple[CellFit, Integers]:
    """Take the map as it is; arguments and result as those of `fit_extinction`."""
    scatter = np.hypot(
        model.config.extinction.residual_scatter_mag / e_map,
        scatter_of_subcells(cells, e_map, model, map_value),
    )
    n_star = np.bincount(of_star, minlength=cells.size)
    one, zero = np.ones(cells.size), np.zeros(cells.size)
    return CellFit(n_star, one, zero, scatter, zero, zero), np.full(cells.size, 2)


def expected_counts_of(fit: CellFit, density: Floats, area_deg2: Floats) -> Floats:
    """Stars that the model expects in cells with the given areas, shape (n_cell,)."""
    weights = gaussian_weights(fit.factor, fit.scatter)
    return np.asarray((density * weights).sum(axis=1) * area_deg2)
