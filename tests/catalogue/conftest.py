from __future__ import annotations

import numpy as np
import pytest
from small_sky import make_sky

from gcmock.catalogue.cell.merging import Knowledge, merge_cell
from gcmock.catalogue.cell.sources import (
    canonical_order,
    make_sources,
    stored_columns,
)
from gcmock.catalogue.learn.density import Counter
from gcmock.catalogue.learn.rates import learn_rates
from gcmock.settings.merge import MergeConfig, SurveyInput
from gcmock.surveys.definition import load_survey


@pytest.fixture(scope="session")
def sky():
    return make_sky(seed=5, size=0.1)


@pytest.fixture(scope="session")
def config(sky):
    return MergeConfig(survey=tuple(SurveyInput(name=name, path=name) for name in sky.tables))


@pytest.fixture(scope="session")
def cell(sky):
    """Sources by survey, and the true star of each."""
    sources, truth = {}, {}
    for name, table in sky.tables.items():
        table = table.select(list(stored_columns(load_survey(name))))
        sources[name] = make_sources(load_survey(name), table, np.ones(table.num_rows, bool))
        truth[name] = sky.truth[name][canonical_order(table)]
    return sources, truth


@pytest.fixture(scope="session")
def knowledge(cell, config):
    density = {}
    for name, sources in cell[0].items():
        counter, side = Counter(), sources.side
        counter.add(side.ra, side.dec, side.mag, side.g_mag)
        density[name] = counter.density()
    return learn_rates(cell[0], Knowledge(density, {}, np.array([-3.0, -5.5])), config)


@pytest.fixture(scope="session")
def merged(cell, knowledge, config):
    return merge_cell(cell[0], knowledge, config)
