"""Stars that a law is fitted to."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.measurements import some_rows
from gcmock.calibration.reddening import Sky
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.model import Model
from gcmock.posterior.observations import Observations
from gcmock.words.bands import LINEAR_BANDS

MOST_STARS: Final = 3000
"""Stars that a law is fitted to."""

LEAST_ERROR_MAG: Final = 0.04
"""Least error of a magnitude in a fit of the law [mag]: the lattices stay small."""


class Sample(NamedTuple):
    """Stars that a law is fitted to.

    Attributes
    ----------
    data : Observations
        Of n_star stars; the reddening is that of the map.
    cell : ndarray of int64, shape (n_star,)
        Index of the cell.
    quadrant : ndarray of int64, shape (n_star,)
        Place in `QUADRANTS`.
    l_deg, b_deg, e_map : ndarray, shape (n_cell,)
        Centres of the cells [deg], and reddening of the map [mag].
    ratio : ndarray, shape (n_star,)
        Reddening of the map at the place of the star over that of its cell.
    limits : tuple of 2 floats
        Bright and faint limit in Ks [mag].
    """

    data: Observations
    cell: Integers
    quadrant: Integers
    l_deg: Floats
    b_deg: Floats
    e_map: Floats
    ratio: Floats
    limits: tuple[float, float]


def choose(stars: Calibrators, full: Integers, model: Model) -> Sample:
    """Choose stars of all cells, and what the map says there."""
    rows = some_rows(full, MOST_STARS, seed=2)
    cell = stars.cell[rows]
    sky = Sky.around(np.unique(cell), cell, model)
    data = stars.data.take(rows)
    data = data._replace(mag_error=np.maximum(data.mag_error, LEAST_ERROR_MAG))
    quadrants = ExtinctionLaw("", np.zeros((len(QUADRANTS), len(LINEAR_BANDS))), "")
    return Sample(
        data, sky.of_star, quadrants.row(data.l_deg, data.b_deg), sky.l_deg, sky.b_deg, sky.e_map,
        data.e_jks_rc / sky.e_map[sky.of_star], stars.limits,
    )  # fmt: skip
