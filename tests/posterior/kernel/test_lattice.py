"""Nodes on a lattice: what the weights of the places must keep."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uncompiled import uncompile

from gcmock.posterior.kernel import lattice
from gcmock.posterior.kernel.lattice import TILTS, SortedNodes, Steps
from gcmock.posterior.kernel.vector import N_POPULATION


@given(st.floats(3.0, 8.0))
def test_four_points_keep_three_moments(x):
    w = np.zeros(4)
    first = getattr(lattice._lagrange_4, "py_func", lattice._lagrange_4)(x, 20, w)
    at = first + np.arange(4)
    for power in range(4):
        assert w @ (at - x) ** power == pytest.approx(0.0**power, abs=1e-9)


@given(st.floats(3.0, 8.0))
def test_three_points_keep_two(x):
    w = np.zeros(3)
    first = getattr(lattice._lagrange_3, "py_func", lattice._lagrange_3)(x, 20, w)
    at = first + np.arange(3)
    for power in range(3):
        assert w @ (at - x) ** power == pytest.approx(0.0**power, abs=1e-9)


def test_coordinate_that_is_not_used_has_one_layer():
    w = np.zeros(4)
    assert lattice._lagrange_4.py_func(0.0, 1, w) == 0
    assert w[0] == 1.0
    assert lattice._lagrange_3.py_func(0.0, 1, w) == 0


def test_sorted_and_tilted():
    n = N_POPULATION + 3
    start = np.append(np.arange(N_POPULATION), n)
    place = np.random.default_rng(1).normal(size=(3, n))
    nodes = SimpleNamespace(start=start, weight=np.arange(n) + 1.0)
    tilt = 2
    found = lattice.sort_nodes(nodes, place, tilt)
    w = place[0] + TILTS[tilt] * place[1]
    order = np.argsort(w)
    np.testing.assert_allclose(found.place[0], w[order])
    np.testing.assert_allclose(found.place[1], place[1][order])
    np.testing.assert_array_equal(found.weight, order + 1.0)
    np.testing.assert_array_equal(found.population, np.minimum(order, N_POPULATION - 1))
    np.testing.assert_allclose(found.low, [w.min(), place[1].min(), place[2].min()])


def sorted_nodes(n=6):
    rng = np.random.default_rng(3)
    place = np.stack([np.sort(rng.uniform(0, 0.4, n)), rng.uniform(0, 0.3, n),
                      rng.uniform(-0.12, -0.08, n)])  # fmt: skip
    weight = rng.random(n) + 0.5
    population = rng.integers(0, N_POPULATION, n)
    return SortedNodes(place, weight, population, place.min(axis=1), place.max(axis=1))


def test_lattice_keeps_stars_and_means_of_every_population(monkeypatch):
    monkeypatch.setattr(lattice, "NEGLIGIBLE", 0.0)
    uncompile(monkeypatch, "gcmock.posterior.kernel.lattice")
    nodes = sorted_nodes()
    rows = lattice.build_lattice(nodes, 7, Steps(4, 4, 3, 0))
    place = rows.block[:, :3].transpose(1, 0, 2).reshape(3, -1)
    weight = rows.block[:, 3:].transpose(1, 0, 2).reshape(N_POPULATION, -1)
    for p in range(N_POPULATION):
        mine = nodes.population == p
        total = nodes.weight[mine].sum()
        assert weight[p].sum() == pytest.approx(total, abs=1e-5)
        for axis in range(3):
            expected = (nodes.weight * nodes.place[axis])[mine].sum()
            assert weight[p] @ place[axis] == pytest.approx(expected, abs=1e-4)


def test_too_many_places(monkeypatch):
    monkeypatch.setattr(lattice, "CAPACITY", 5)
    monkeypatch.setattr(lattice, "_deposit", lambda *_: (np.zeros((3, 5), int), np.zeros((10, 5))))
    nodes = sorted_nodes(7)
    with pytest.raises(MemoryError, match="has more than 5 places"):
        lattice.build_lattice(nodes, 7, Steps(4, 4, 3, 1))
