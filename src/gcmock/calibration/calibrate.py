"""From a catalogue to a calibration: law, extinction, fractions, local reddening, counts."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.calibration.area import area_of_cells
from gcmock.calibration.calibrators import Calibrators, read_calibrators
from gcmock.calibration.cells import CellFit, gaussian_weights
from gcmock.calibration.extinction import SOURCES
from gcmock.calibration.foreground import Foreground, fit_foreground
from gcmock.calibration.law import LawFit
from gcmock.calibration.law_scores import fit_laws
from gcmock.calibration.local_reddening import Local
from gcmock.calibration.map_choice import follows_means
from gcmock.calibration.measurements import (
    MOST_STARS,
    OUTLIER,
    Measurements,
    fit_measurements,
    log_floor,
    some_of,
    usual_measurements,
)
from gcmock.calibration.parallaxes import zero_point_prior
from gcmock.calibration.reddening import (
    Found,
    Sky,
    reddened,
)
from gcmock.calibration.steps import Task, density_of, extinction_of, numbers_of, spread_of
from gcmock.calibration.weights import Weights, usual_weights
from gcmock.dust.laws import ExtinctionLaw
from gcmock.errors import InputError
from gcmock.footprint import Footprint
from gcmock.learned import Learned, nothing_learned
from gcmock.model import Model, load_model
from gcmock.notebook import Outcome, listing_of
from gcmock.posterior.observations import Observations
from gcmock.progress import StagedProgress
from gcmock.settings.build import Config, load_config
from gcmock.words.components import PARTS


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
        Fit the numbers of disc, bar and nuclear stars, and of younger ones.
    errors : bool
        Fit the scale of errors, the fractions of cases, and the zero point of parallaxes.
    extinction : bool
        Fit the reddening of cells; else that of the map holds, with ``residual_scatter_mag``.
    """

    limits: tuple[float, float] | None = None
    stars_per_cell: int = 100
    law: str = "quadrants"
    law_offset: bool = True
    local: bool = True
    fractions: bool = True
    errors: bool = True
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
    weights : Weights
    foreground : Foreground
    measurements : Measurements
    n_observed, n_expected : ndarray, shape (n_cell,)
        Stars between the limits: of the catalogue, and expected in the cell, as far as it is in
        the footprint.
    explained : ndarray of bool, shape (n_first,)
        Those of the first stars of `stars` with a curve; those of `local` are these.
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
    law_fits: dict[int, LawFit]
    cell: Integers
    source: Integers
    fit: CellFit
    e_map: Floats
    local: Local
    weights: Weights
    foreground: Foreground
    measurements: Measurements
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
    if config.learn.file:
        raise InputError(
            f"[learn] file = {config.learn.file!r}: a calibration starts from the map; leave this "
            "setting out"
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
    by_subcell = model.config.extinction.map_value == "subcell" and options.extinction
    if by_subcell and follows_means(stars, model, config.run.n_workers):
        means = _merged(model.config, {"extinction": {"map_value": "cell_mean"}})
        settings = load_config(None, model.config.model_dump() | means)
        model = replace(model, config=settings)
        data = stars.data
        e_jks, tau = model.reddening(data.l_deg, data.b_deg)
        stars = stars._replace(data=data._replace(e_jks_rc=e_jks, tau=tau))
    found = calibrate_stars(stars, model, options, config.run.n_workers, tell, start)
    # What is left out while learning, and the value of the map that was chosen, are no settings.
    return replace(found, config=config)


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
    """Calibrate from stars that were chosen; see `calibrate`.

    Extinction first, then what the measurements are; where errors are not what they are said to be,
    the extinction again with the right ones.
    """
    sky = Sky.of(stars, model)
    law, fits = fit_laws(stars, model, options.law, options.law_offset, workers, tell)
    # Every younger part as if it were the whole of its component: weights are found afterwards.
    map_value = model.config.extinction.map_value
    priors = nothing_learned(map_value, law)
    # Roughly, for what is found of the reddening behind: the map is taken with what maps are wrong
    # by. The best values follow when that is known.
    zero_point = zero_point_prior(model.config.parallax.zero_point_mas, stars.zero_point_removed)
    spread = spread_of(stars.data)
    foreground = _foreground_of(spread, model, priors, workers, zero_point, MOST_STARS // 2)
    usual = model.with_learned(replace(priors, profile_scatter=foreground.scatter))
    everything = usual.with_learned(
        nothing_learned(map_value, law, np.ones(len(PARTS)), foreground.scatter)
    )
    density = density_of(everything, sky, stars, tell)
    task = Task(stars, sky, density, everything, usual, options, workers, tell)
    data, scale, scale_error, curved, explained, found = extinction_of(task)
    weights = usual_weights()
    if options.fractions:
        weights, found = numbers_of(task, data, curved, found)
    result = _collected(task, law, fits, found, weights, foreground, explained)
    if options.errors:
        from gcmock.calibration.calibration_file import learned_of

        learned = learned_of(result)
        seen = reddened(data, found, curved, sky, usual)
        foreground = _foreground_of(seen, model, learned, workers, zero_point)
        of_list = model.with_learned(replace(learned, profile_scatter=foreground.scatter))
        measured = fit_measurements(
            of_list.posterior, seen, scale, scale_error, workers, zero_point,
            model.config.learn.cases,
        )  # fmt: skip
        result = replace(result, foreground=foreground, measurements=measured)
    seconds = time.perf_counter() - start if start else 0.0
    return replace(result, seconds=seconds)


def _foreground_of(
    seen: Observations,
    model: Model,
    learned: Learned,
    workers: int,
    zero_point: tuple[float, float],
    most: int = MOST_STARS,
) -> Foreground:
    """Scatter of the dust in front of stars whose reddening is known as far as it is behind it."""
    mean, width = zero_point
    sample = some_of(seen, most)
    sample = sample._replace(
        parallax=sample.parallax - mean, parallax_error=np.hypot(sample.parallax_error, width)
    )
    # Its lines of sight serve for all scatters.
    found = model.with_learned(learned)
    floor = log_floor(found.posterior, sample, workers)

    def log_evidence(scatter: float) -> Floats:
        posterior = found.with_learned(replace(learned, profile_scatter=scatter)).posterior
        return posterior.log_evidence(sample, workers, lattices="one")

    return fit_foreground(log_evidence, floor, OUTLIER.fraction)


def _collected(
    task: Task,
    law: ExtinctionLaw,
    fits: dict[int, LawFit],
    found: Found,
    weights: Weights,
    foreground: Foreground,
    explained: NDArray[np.bool_],
) -> Calibration:
    """Collect what was found, without measurements, and count the stars of the cells."""
    stars, sky, model = task.stars, task.sky, task.usual
    observed = np.zeros(sky.cells.size, np.int64)
    at = np.minimum(np.searchsorted(sky.cells, stars.cells), sky.cells.size - 1)
    known = sky.cells[at] == stars.cells
    observed[at[known]] = stars.n_observed[known]
    weighted = np.einsum("cgf,g->cf", task.density, weights.of_group)
    settings = model.config.footprint
    footprint, area = area_of_cells(model, settings, stars.data, sky.l_deg, sky.b_deg)
    expected = expected_counts_of(found.fit, weighted, area)
    usual = usual_measurements(
        zero_point_prior(model.config.parallax.zero_point_mas, stars.zero_point_removed)
    )
    return Calibration(
        model, model.config, task.options, stars, law, dict(fits), sky.cells, found.source,
        found.fit, sky.e_map, found.local, weights, foreground, usual, observed, expected,
        explained, 0.0, footprint=footprint,
    )  # fmt: skip


def expected_counts_of(fit: CellFit, density: Floats, area_deg2: Floats) -> Floats:
    """Stars that the model expects in cells with the given areas, shape (n_cell,)."""
    weights = gaussian_weights(fit.factor, fit.scatter)
    return np.asarray((density * weights).sum(axis=1) * area_deg2)
