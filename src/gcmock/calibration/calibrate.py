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
from gcmock.calibration.calibrators import Calibrators, read_calibrators
from gcmock.calibration.cells import CellFit, gaussian_weights
from gcmock.calibration.curves import USUAL_OF_GROUP, Curves, evidence_curves
from gcmock.calibration.extinction import SOURCES
from gcmock.calibration.law import LawFit
from gcmock.calibration.law_scores import fit_laws
from gcmock.calibration.local_reddening import Local
from gcmock.calibration.map_choice import follows_means
from gcmock.calibration.measurements import (
    MOST_STARS,
    Measurements,
    fit_error_scale,
    fit_measurements,
    log_floor,
    some_of,
    usual_measurements,
    with_scale,
)
from gcmock.calibration.reddening import Curved, Sky, fit_numbers, fit_reddening, reddened
from gcmock.calibration.selection import at_places, expected_density
from gcmock.calibration.weights import LEAST_STARS, Weights, usual_weights
from gcmock.dust.laws import ExtinctionLaw
from gcmock.errors import InputError
from gcmock.learned import MAP_FACTOR_ERROR, MAP_SCATTER_MAG, nothing_learned
from gcmock.model import Model, load_model
from gcmock.notebook import Outcome, listing_of
from gcmock.posterior.observations import Observations
from gcmock.progress import Progress, StagedProgress
from gcmock.settings.build import Config, load_config
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.components import PARTS

MOST_REPEATS: Final = 3
"""How often errors are scaled and the extinction is found again."""

ROUNDS: Final = 2
"""How often extinction and numbers of stars are found, each with the other."""

LEAST_STEP: Final = 0.04
"""Changes of ln of the errors' scale below this are none."""

_AT_ONCE: Final = 20_000


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
    measurements : Measurements
    n_observed, n_expected : ndarray, shape (n_cell,)
        Stars between the limits: of the catalogue, and expected in the whole cell.
    explained : ndarray of bool, shape (n_first,)
        Those of the first stars of `stars` with a curve; those of `local` are these.
    seconds : float
        Time of the whole run.
    files : tuple of Path
        What was written of it.
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
    measurements: Measurements
    n_observed: Integers
    n_expected: Floats
    explained: NDArray[np.bool_]
    seconds: float
    files: tuple[Path, ...] = ()

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

    def read(model: Model) -> Calibrators:
        return read_calibrators(
            catalogue,
            model,
            model.config,
            limits=options.limits,
            stars_per_cell=options.stars_per_cell,
            progress=lambda done, total: tell("read", done, total),
        )

    stars = read(model)
    by_subcell = model.config.extinction.map_value == "subcell" and options.extinction
    if by_subcell and follows_means(stars, model, config.run.n_workers):
        means = _merged(model.config, {"extinction": {"map_value": "cell_mean"}})
        model = load_model(config=load_config(None, model.config.model_dump() | means))
        stars = read(model)
    found = calibrate_stars(stars, model, options, config.run.n_workers, tell, start)
    # What is left out while learning, and the value of the map that was chosen, are no settings.
    return dataclasses.replace(found, config=config)


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
    config = model.config
    sky = Sky.of(stars, model)
    law, fits = fit_laws(stars, model, options.law, options.law_offset, workers, tell)
    # Every younger part as if it were the whole of its component: weights are found afterwards.
    map_value = config.extinction.map_value
    everything = model.with_learned(nothing_learned(map_value, law, np.ones(len(PARTS))))
    usual = model.with_learned(nothing_learned(map_value, law))
    density = _density(everything, sky, stars, tell)
    of_first = sky._replace(of_star=sky.of_star[stars.first])
    data, scale, scale_error = stars.data, 1.0, 0.0
    for repeat in range(MOST_REPEATS):
        curved, explained = _with_curves(
            data.take(stars.first), of_first, density, everything, usual, workers, tell
        )
        found = fit_reddening(
            curved, USUAL_OF_GROUP, sky, usual, with_extinction=options.extinction,
            with_neighbours=options.local,
        )  # fmt: skip
        tell("cells", repeat + 1, MOST_REPEATS)
        if repeat == MOST_REPEATS - 1 or not options.errors or curved.of_star.size < LEAST_STARS:
            break
        sample = some_of(reddened(curved.data, found, curved, sky, usual), MOST_STARS)
        floor_of = log_floor(usual.posterior, sample, workers)
        step, scale_error = fit_error_scale(usual.posterior, sample, floor_of, workers)
        tell("errors", repeat + 1, MOST_REPEATS)
        if abs(np.log(step)) < LEAST_STEP:
            break
        scale *= step
        data = with_scale(data, np.full(len(LINEAR_BANDS), step))
    weights = usual_weights()
    if options.fractions:
        floor = log_floor(usual.posterior, _spread(data), workers)
        for repeat in range(ROUNDS):
            weights = fit_numbers(
                data, found, curved, sky, density, everything, floor=floor, of_star=sky.of_star,
                free_scale=options.extinction, workers=workers,
            )  # fmt: skip
            found = fit_reddening(
                curved, weights.of_group, sky, usual, with_extinction=options.extinction,
                with_neighbours=options.local,
            )  # fmt: skip
            tell("numbers", repeat + 1, ROUNDS)
        found = found.scaled(weights.scale)
    observed = np.zeros(sky.cells.size, np.int64)
    at = np.minimum(np.searchsorted(sky.cells, stars.cells), sky.cells.size - 1)
    known = sky.cells[at] == stars.cells
    observed[at[known]] = stars.n_observed[known]
    weighted = np.einsum("cgf,g->cf", density, weights.of_group)
    expected = expected_counts_of(found.fit, weighted, sky.b_deg, model.extinction_map.step_deg)
    result = Calibration(
        usual, config, options, stars, law, dict(fits), sky.cells,
        found.source, found.fit, sky.e_map, found.local, weights, usual_measurements(),
        observed, expected, explained, 0.0,
    )  # fmt: skip
    if options.errors:
        from gcmock.calibration.calibration_file import learned_of

        of_list = model.with_learned(learned_of(result))
        seen = reddened(data, found, curved, sky, usual)
        measured = fit_measurements(of_list.posterior, seen, scale, scale_error, workers)
        result = dataclasses.replace(result, measurements=measured)
    seconds = time.perf_counter() - start if start else 0.0
    return dataclasses.replace(result, seconds=seconds)


def _density(model: Model, sky: Sky, stars: Calibrators, tell: StagedProgress) -> Floats:
    """Return the expected stars of cells with stars, (n_cell, n_group, n_factor); 0 elsewhere."""
    seen = np.flatnonzero(np.isin(sky.cells, stars.cells))
    found = expected_density(
        model, sky.l_deg[seen], sky.b_deg[seen], sky.e_map[seen], stars.limits, cells_tell(tell)
    )
    out = np.zeros((sky.cells.size, *found.shape[1:]))
    out[seen] = found
    return out


def _spread(data: Observations) -> Observations:
    """Return stars with the reddening of the map, and what maps are wrong by."""
    return data._replace(tau=np.hypot(MAP_FACTOR_ERROR * data.e_jks_rc, MAP_SCATTER_MAG))


def _with_curves(
    data: Observations, sky: Sky, density: Floats, everything: Model, usual: Model, workers: int,
    tell: StagedProgress,
) -> tuple[Curved, NDArray[np.bool_]]:  # fmt: skip
    """Stars that some reddening explains, with their curves, and which of all those are."""
    floor = log_floor(usual.posterior, _spread(data), workers)
    curves = _all_curves(data, everything, workers, tell)
    good = curves.explained & np.isfinite(floor)
    of_star = sky.of_star[good]
    kept, curves = data.take(good), curves.take(good)
    # Relative to the largest value of the curves, as these are.
    others = np.exp(np.minimum(floor[good] - curves.log_scale, 20.0))
    here = at_places(density[of_star], kept.e_jks_rc / sky.e_map[of_star])
    return Curved(kept, curves, others, of_star, here), good


def cells_tell(tell: StagedProgress) -> Progress:
    """Progress of the expected counts."""
    return lambda done, total: tell("counts", done, total)


def _all_curves(data: Observations, model: Model, workers: int, tell: StagedProgress) -> Curves:
    """Curves of all stars, neighbours in the sky together."""
    n = data.l_deg.size
    parts = []
    done = 0
    value, scale = None, np.full(n, -np.inf)
    for batch in model.sightlines.batches(data.l_deg, data.b_deg):
        for rows in np.split(batch, range(_AT_ONCE, batch.size, _AT_ONCE)):
            found = evidence_curves(model.posterior, data.take(rows), workers)
            parts.append(rows)
            if value is None:
                value = np.zeros((n, *found.value.shape[1:]), np.float16)
            value[rows], scale[rows] = found.value, found.log_scale
            done += rows.size
            tell("curves", done, n)
    assert value is not None
    return Curves(value, scale)


def expected_counts_of(fit: CellFit, density: Floats, b_deg: Floats, step_deg: float) -> Floats:
    """Stars that the model expects in whole cells, shape (n_cell,)."""
    area = step_deg**2 * np.cos(np.radians(b_deg))
    weights = gaussian_weights(fit.factor, fit.scatter)
    return np.asarray((density * weights).sum(axis=1) * area)
