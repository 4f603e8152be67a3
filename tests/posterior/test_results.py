"""Summaries and draws have a place for every star, and parts become components."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.posterior.kernel.draw import QUANTILES
from gcmock.posterior.results import empty_draws, empty_summary, of_components
from gcmock.words.cases import CLEAN, N_CASE
from gcmock.words.components import COMPONENTS, PART_COMPONENT, PARTS


def test_shapes_and_types_of_a_summary():
    found = empty_summary(5, 3)
    assert [(x.shape, x.dtype) for x in found] == [
        ((5, 3), np.float32),
        ((5,), np.float64),
        ((5, QUANTILES.size), np.float64),
        ((5,), np.float64),
        ((5,), np.int8),
        ((5, N_CASE), np.float32),
    ]
    assert not found.inflation.any()


def test_every_star_is_clean_until_something_else_is_said():
    case = empty_summary(5, 3).case
    assert (case[:, CLEAN] == 1.0).all()
    assert (case.sum(axis=1) == 1.0).all()
    # No two rows are the same memory.
    case[0] = 0.0
    assert case[1, CLEAN] == 1.0


def test_shapes_and_types_of_draws():
    found = empty_draws(5, 2, 4)
    assert [x.shape for x in found] == [(5, 2)] * 4 + [(5, 2, 4)]
    assert found.component.dtype == found.node.dtype == np.int64
    # No two arrays share memory: kernels fill them side by side.
    assert not np.shares_memory(found.distance_pc, found.e_jks)


def test_no_stars():
    assert all(len(x) == 0 for x in (*empty_summary(0, 3), *empty_draws(0, 2, 4)))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_parts_are_added_to_their_component(axis):
    rng = np.random.default_rng(1)
    shape = [3, 4, 5]
    shape[axis] = len(PARTS)
    given = rng.random(shape)
    found = of_components(given, axis)
    parts, components = np.moveaxis(given, axis, 0), np.moveaxis(found, axis, 0)
    assert len(components) == len(COMPONENTS)
    for i in range(len(COMPONENTS)):
        members = np.flatnonzero(np.array(PART_COMPONENT) == i)
        np.testing.assert_allclose(components[i], parts[members].sum(axis=0))
    # What is given is left as it is.
    assert not np.shares_memory(given, found)
    np.testing.assert_allclose(found.sum(axis=axis), given.sum(axis=axis))


def test_a_component_without_younger_stars_keeps_every_bit():
    given = np.zeros((2, len(PARTS)), np.float32)
    given[:, : len(COMPONENTS)] = np.random.default_rng(2).random((2, len(COMPONENTS)))
    np.testing.assert_array_equal(of_components(given, 1), given[:, : len(COMPONENTS)])
