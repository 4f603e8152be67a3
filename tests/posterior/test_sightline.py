"""Lines of sight that several threads share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.model import load_model
from gcmock.posterior.sightline import SightlineCache
from gcmock.words.components import COMPONENTS, PART_COMPONENT, PARTS, Part


@pytest.mark.slow
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


def test_more_parts_than_lanes_are_refused(monkeypatch):
    model = load_model()
    many = tuple(Part(f"disc{i}", 0, "thin1") for i in range(17))
    monkeypatch.setattr("gcmock.posterior.sightline.PARTS", many)
    with pytest.raises(InputError, match=r"has 17 components and younger parts .* at most 16"):
        SightlineCache(model.galaxy, model.grid)


def test_parts_have_the_stars_of_their_component_times_a_factor():
    model = load_model()
    plain, _ = SightlineCache(model.galaxy, model.grid).get([0.31], [-0.21])
    factor = np.linspace(0.5, 2.0, len(PARTS))
    cache = SightlineCache(
        model.galaxy, model.grid, part_weights=lambda l_deg, b_deg: np.tile(factor, (len(l_deg), 1))
    )
    found, _ = cache.get([0.31], [-0.21])
    for i, (component, weight) in enumerate(zip(PART_COMPONENT, factor, strict=True)):
        np.testing.assert_allclose(
            found.prior[0, :, i], weight * plain.prior[0, :, component], rtol=1e-5
        )
    # Without factors there are no younger parts.
    assert not plain.prior[0, :, len(COMPONENTS) :].any()
