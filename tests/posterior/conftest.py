"""Fixtures of the tests of the posterior."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gcmock.model import Model, load_model
from gcmock.settings.build import load_config
from gcmock.stars.populations import PopulationNodes


@pytest.fixture(scope="session")
def model() -> Model:
    """Every sixth node of the single-age populations: the reference visits them all."""
    full = load_model(config=load_config(None, {"populations.name": "koshimoto2021"}))
    thin = tuple(
        PopulationNodes(*(x[::6] for x in nodes)) for nodes in full.populations.populations
    )
    return replace(full, populations=full.populations._replace(populations=thin))
