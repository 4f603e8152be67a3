"""Stars that a law is fitted to: how many, where, and with which errors."""

from __future__ import annotations

import numpy as np

from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.law_sample import LEAST_ERROR_MAG, MOST_STARS, choose
from gcmock.dust.laws import QUADRANTS
from gcmock.model import load_model
from gcmock.posterior.observations import Observations
from gcmock.words.bands import BANDS

PLACES = np.array([[0.6125, -0.3125], [0.7125, -0.2125], [-0.5125, 0.3125], [0.4125, 0.2125]])


def test_many_stars_are_thinned() -> None:
    model = load_model()
    n = MOST_STARS + 500
    l_deg, b_deg = PLACES[np.random.default_rng(1).integers(0, 4, n)].T
    mag, nan = np.full((n, len(BANDS)), 13.0), np.full(n, np.nan)
    data = Observations(
        l_deg, b_deg, mag, 0.0 * mag, nan, nan, np.full(n, 3.0), np.zeros(n)
    )  # fmt: skip
    cell, none = model.extinction_map.cell_index(l_deg, b_deg), np.zeros(0, np.int64)
    stars = Calibrators(data, cell, (0.0, 14.0), none, none, {}, np.ones(n, bool))
    sample = choose(stars, np.arange(n), model)
    assert sample.data.n_star == MOST_STARS
    assert sample.l_deg.size == 4
    np.testing.assert_allclose(sample.ratio, 3.0 / sample.e_map[sample.cell])
    assert (sample.data.mag_error >= LEAST_ERROR_MAG).all()
    assert len(set(np.array(QUADRANTS)[sample.quadrant])) == 3
    few = choose(stars, np.arange(7), model)
    np.testing.assert_array_equal(few.data.l_deg, l_deg[:7])
