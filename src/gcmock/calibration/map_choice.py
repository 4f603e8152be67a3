"""Whether stars follow the sub-cells of the map, or the means of its cells."""

from __future__ import annotations

from typing import Final

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.cells import SCATTER_PRIOR, Prior, fit_cells
from gcmock.calibration.curves import USUAL_OF_GROUP, evidence_curves
from gcmock.calibration.measurements import some_rows
from gcmock.calibration.reddening import Sky
from gcmock.calibration.selection import at_places, expected_density
from gcmock.model import Model

MOST_STARS: Final = 400
"""Stars that are asked."""

LEAST_STARS: Final = 60
"""Fewer stars cannot tell."""

LEAST_GAIN: Final = 6.0
"""ln of the evidence that the means must gain over the sub-cells."""


def follows_means(stars: Calibrators, model: Model, workers: int) -> bool:
    """Compare the evidence of stars with the reddening of sub-cells, and of the means of cells.

    Every cell has a factor and a scatter of its own under both. Real dust is somewhere between: a
    map whose sub-cells are noise does harm, one whose sub-cells are right explains stars better.

    Parameters
    ----------
    stars : Calibrators
        Their reddening is that of the sub-cells.
    model : Model
    workers : int
        Threads.

    Returns
    -------
    bool
        Whether the means are better; false for few stars.
    """
    rows = some_rows(np.flatnonzero(stars.first), MOST_STARS, seed=4)
    data = stars.data.take(rows)
    mean = model.extinction_map.value(data.l_deg, data.b_deg, "cell_mean")[0]
    ratio = mean / data.e_jks_rc
    if rows.size < LEAST_STARS or np.allclose(ratio, 1.0):
        return False
    cell = stars.cell[rows]
    sky = Sky.around(np.unique(cell), cell, model)
    curves = evidence_curves(model.posterior, data, workers)
    density = expected_density(model, sky.l_deg, sky.b_deg, sky.e_map, stars.limits)
    counts = np.einsum("cgf,g->cf", density, USUAL_OF_GROUP)[sky.of_star][:, None]
    good = curves.explained
    total = curves.total()[good].astype(np.float64)[:, None]
    counts, of_star = counts[good], sky.of_star[good]
    of_cell = sky.e_map[of_star]
    own = _evidence(total, counts, of_star, data.e_jks_rc[good] / of_cell)
    shifted = at_places(total, ratio[good]).astype(np.float64)
    means = _evidence(shifted, counts, of_star, mean[good] / of_cell)
    return means - own > LEAST_GAIN


def _evidence(total: Floats, counts: Floats, of_star: Integers, ratio: Floats) -> float:
    """Return ln of the evidence of all cells, for stars at places with so much reddening."""
    n_cell = int(of_star.max()) + 1
    prior = Prior(*(np.full(n_cell, value) for value in (1.0, 0.1, *SCATTER_PRIOR)))
    here = at_places(counts, ratio)[:, 0].astype(np.float64)
    curves = np.asarray(total[:, 0], np.float32)
    return float(fit_cells(curves, of_star, here, prior=prior).log_evidence.sum())
