"""The steps of a calibration: what each is given and what it hands on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.calibration.calibrate import Options
from gcmock.calibration.calibrators import read_calibrators
from gcmock.calibration.curves import GROUPS, USUAL_OF_GROUP
from gcmock.calibration.reddening import Sky
from gcmock.calibration.steps import Task, density_of, extinction_of, numbers_of, spread_of
from gcmock.learned import MAP_FACTOR_ERROR, MAP_SCATTER_MAG, nothing_learned
from gcmock.mock.simulate import simulate
from gcmock.mock.survey import survey
from gcmock.model import load_model
from gcmock.words.components import PARTS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    model = load_model()
    truth = simulate(model, (0.30, 0.375), (-0.20, -0.15), ks_max=14.5, seed=4)
    path = tmp_path_factory.mktemp("steps") / "survey.parquet"
    pq.write_table(pa.table(survey(truth, 4)), path)
    stars = read_calibrators(path, model, model.config, stars_per_cell=60)
    sky = Sky.of(stars, model)
    everything = model.with_learned(nothing_learned("subcell", model.law, np.ones(len(PARTS))))
    usual = model.with_learned(nothing_learned("subcell", model.law))
    told = []
    density = density_of(everything, sky, stars, lambda *step: told.append(step))
    assert told[-1][0] == "counts"
    return Task(stars, sky, density, everything, usual, Options(), 2, lambda *step: None)


def test_expected_stars_are_where_stars_are(task):
    seen = np.isin(task.sky.cells, task.stars.cells)
    assert (task.density[seen].sum(axis=(1, 2)) > 0.0).all()
    assert (task.density[~seen] == 0.0).all()
    assert task.density.shape[1] == len(GROUPS)


def test_spread_is_what_maps_are_wrong_by(task):
    spread = spread_of(task.stars.data)
    e_jks = task.stars.data.e_jks_rc
    expected = np.hypot(MAP_FACTOR_ERROR * e_jks, MAP_SCATTER_MAG)
    np.testing.assert_allclose(spread.tau, expected)


def test_extinction_and_numbers_of_a_right_sky(task):
    data, scale, _, curved, explained, found = extinction_of(task)
    assert data.n_star == task.stars.data.n_star
    assert explained.size == task.stars.first.sum()
    assert curved.of_star.size == explained.sum()
    assert 1.0 <= scale < 1.3
    own = found.fit.n_star > 0
    assert abs(np.average(found.fit.factor[own], weights=found.fit.n_star[own]) - 1.0) < 0.02
    weights, _ = numbers_of(task, data, curved, found)
    assert weights.of_group.shape == USUAL_OF_GROUP.shape
    ratio, error = weights.ratio
    assert abs(np.log(ratio)) < 4.0 * error + 0.2
