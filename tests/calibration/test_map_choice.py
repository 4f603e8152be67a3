"""Stars say whether they follow the sub-cells of the map or the means of its cells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.calibration.calibrators import read_calibrators
from gcmock.calibration.map_choice import LEAST_STARS, follows_means
from gcmock.mock.simulate import simulate
from gcmock.mock.survey import survey
from gcmock.model import load_model

pytestmark = pytest.mark.long


def stars_of_a_sky(folder, map_value):
    """Stars of a window, reddened by one value of the map, as the default model reads them."""
    sky = load_model(config={"extinction": {"map_value": map_value, "residual_scatter_mag": 0.0}})
    truth = simulate(sky, (0.30, 0.375), (-0.20, -0.15), ks_max=14.8, seed=3)
    path = folder / f"{map_value}.parquet"
    pq.write_table(pa.table(survey(truth, 3)), path)
    model = load_model()
    return read_calibrators(path, model, model.config, stars_per_cell=120), model


@pytest.mark.parametrize(("map_value", "expected"), [("subcell", False), ("cell_mean", True)])
def test_the_right_value_is_found(tmp_path, map_value, expected):
    stars, model = stars_of_a_sky(tmp_path, map_value)
    assert stars.first.sum() > LEAST_STARS
    assert follows_means(stars, model, 2) is expected


def test_few_stars_cannot_tell(tmp_path):
    stars, model = stars_of_a_sky(tmp_path, "cell_mean")
    few = np.flatnonzero(stars.first)[: LEAST_STARS - 1]
    first = np.zeros_like(stars.first)
    first[few] = True
    assert not follows_means(stars._replace(first=first), model, 1)
