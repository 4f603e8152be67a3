"""The steps of a calibration, in their order: curves, extinction and errors, numbers of stars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.curves import (
    FACTORS,
    GROUPS,
    USUAL_OF_GROUP,
    Curves,
    evidence_curves,
)
from gcmock.calibration.measurements import (
    MOST_STARS,
    fit_error_scale,
    log_floor,
    some_of,
    some_rows,
    with_scale,
)
from gcmock.calibration.reddening import (
    Curved,
    Found,
    Sky,
    fit_numbers,
    fit_reddening,
    reddened,
)
from gcmock.calibration.selection import at_places, expected_density
from gcmock.calibration.weights import LEAST_STARS, Weights, usual_weights
from gcmock.learned import MAP_FACTOR_ERROR, MAP_SCATTER_MAG
from gcmock.model import Model
from gcmock.posterior.observations import Observations
from gcmock.progress import Progress, StagedProgress
from gcmock.words.bands import LINEAR_BANDS

if TYPE_CHECKING:
    from gcmock.calibration.calibrate import Options

MOST_REPEATS: Final = 3
"""How often errors are scaled and the extinction is found again."""

ROUNDS: Final = 2
"""How often extinction and numbers of stars are found, each with the other."""

FIRST_STARS, FIRST_PART = 5000, 3
"""Stars that numbers are fitted to before the last round, at most, and one in how many."""

LEAST_STEP: Final = 0.04
"""Changes of ln of the errors' scale below this are none."""

_AT_ONCE: Final = 20_000


class Task(NamedTuple):
    """What all steps of a calibration need."""

    stars: Calibrators
    sky: Sky
    density: Floats
    everything: Model
    usual: Model
    options: Options
    workers: int
    tell: StagedProgress


def extinction_of(
    task: Task,
) -> tuple[Observations, float, float, Curved, NDArray[np.bool_], Found]:
    """Find the extinction, and again where errors are not what they are said to be.

    Returns the stars with their errors scaled, the scale and the error of its logarithm, the stars
    with curves and which of the first they are, and what was found.
    """
    stars, sky, usual, options = task.stars, task.sky, task.usual, task.options
    of_first = sky._replace(of_star=sky.of_star[stars.first])
    data, scale, scale_error = stars.data, 1.0, 0.0
    for repeat in range(MOST_REPEATS):
        curved, explained = with_curves(data.take(stars.first), of_first, task)
        found = fit_reddening(
            curved, USUAL_OF_GROUP, sky, usual, with_extinction=options.extinction,
            with_neighbours=options.local,
        )  # fmt: skip
        task.tell("cells", repeat + 1, MOST_REPEATS)
        if repeat == MOST_REPEATS - 1 or not options.errors or curved.of_star.size < LEAST_STARS:
            break
        sample = some_of(reddened(curved.data, found, curved, sky, usual), MOST_STARS)
        floor_of = log_floor(usual.posterior, sample, task.workers)
        step, scale_error = fit_error_scale(usual.posterior, sample, floor_of, task.workers)
        task.tell("errors", repeat + 1, MOST_REPEATS)
        if abs(np.log(step)) < LEAST_STEP:
            break
        scale *= step
        data = with_scale(data, np.full(len(LINEAR_BANDS), step))
    return data, scale, scale_error, curved, explained, found


def numbers_of(
    task: Task, data: Observations, curved: Curved, found: Found
) -> tuple[Weights, Found]:
    """Fit the numbers of stars, and the extinction with them."""
    sky, usual, options = task.sky, task.usual, task.options
    floor = log_floor(usual.posterior, spread_of(data), task.workers)
    weights = usual_weights()
    everyone = np.arange(data.n_star)
    first = min(FIRST_STARS, max(everyone.size // FIRST_PART, 2 * LEAST_STARS))
    for repeat in range(ROUNDS):
        # The last fit is to all stars; what it begins with need not be so exact.
        some = everyone.size if repeat == ROUNDS - 1 else first
        rows = some_rows(everyone, some, seed=5)
        weights = fit_numbers(
            data.take(rows), found, curved, sky, task.density, task.everything, floor=floor[rows],
            of_star=sky.of_star[rows], free_scale=options.extinction, guess=weights,
            workers=task.workers,
        )  # fmt: skip
        found = fit_reddening(
            curved, weights.of_group, sky, usual, with_extinction=options.extinction,
            with_neighbours=options.local,
        )  # fmt: skip
        task.tell("numbers", repeat + 1, ROUNDS)
    return weights, found.scaled(weights.scale)


def density_of(model: Model, sky: Sky, stars: Calibrators, tell: StagedProgress) -> Floats:
    """Return the expected stars of cells with stars, (n_cell, n_group, n_factor); 0 elsewhere."""
    seen = np.flatnonzero(np.isin(sky.cells, stars.cells))
    found = expected_density(
        model, sky.l_deg[seen], sky.b_deg[seen], sky.e_map[seen], stars.limits, cells_tell(tell)
    )
    out = np.zeros((sky.cells.size, *found.shape[1:]))
    out[seen] = found
    return out


def spread_of(data: Observations) -> Observations:
    """Return stars with the reddening of the map, and what maps are wrong by."""
    return data._replace(tau=np.hypot(MAP_FACTOR_ERROR * data.e_jks_rc, MAP_SCATTER_MAG))


def with_curves(data: Observations, sky: Sky, task: Task) -> tuple[Curved, NDArray[np.bool_]]:
    """Stars that some reddening explains, with their curves, and which of all those are."""
    floor = log_floor(task.usual.posterior, spread_of(data), task.workers)
    curves = _all_curves(data, task.everything, task.workers, task.tell)
    good = curves.explained & np.isfinite(floor)
    of_star = sky.of_star[good]
    kept, curves = data.take(good), curves.take(good)
    # Relative to the largest value of the curves, as these are.
    others = np.exp(np.minimum(floor[good] - curves.log_scale, 20.0))
    here = at_places(task.density[of_star], kept.e_jks_rc / sky.e_map[of_star])
    return Curved(kept, curves, others, of_star, here), good


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
