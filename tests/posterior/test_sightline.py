"""Lines of sight that several threads share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.model import load_model
from gcmock.posterior.sightline import SightlineCache


def test_threads_and_capacity_do_not_matter():
    """Lines that another thread drops in the middle are still there for the one that asked."""
    model = load_model()
    rng = np.random.default_rng(5)
    fields = [(rng.uniform(-0.5, 0.5, 30), rng.uniform(-0.3, 0.3, 30)) for _ in range(12)]
    roomy = SightlineCache(model.galaxy, model.grid)
    expected = [roomy.get(*field) for field in fields]
    tight = SightlineCache(model.galaxy, model.grid, capacity=7)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda field: tight.get(*field), fields))
    for (sightlines, index), (other, other_index) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(index, other_index)
        for values, others in zip(sightlines, other, strict=True):
            np.testing.assert_array_equal(values, others)
    assert len(tight._priors) <= 7


def test_known_lines_are_not_computed_again(monkeypatch):
    model = load_model()
    cache = SightlineCache(model.galaxy, model.grid)
    first, _ = cache.get([0.31, 0.41], [-0.21, -0.21])

    def fail(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr("gcmock.posterior.sightline.prior_counts", fail)
    again, index = cache.get([0.41, 0.31, 0.411], [-0.21, -0.21, -0.2101])
    np.testing.assert_array_equal(again.prior, first.prior)
    assert index.tolist() == [1, 0, 1]


def test_more_components_than_lanes_are_refused():
    model = load_model()
    many = {f"disc{i}": model.components["thin1"] for i in range(17)}
    galaxy = SimpleNamespace(components=many, sun=model.galaxy.sun)
    with pytest.raises(InputError, match=r"has 17 components .* at most 16"):
        SightlineCache(galaxy, model.grid)
