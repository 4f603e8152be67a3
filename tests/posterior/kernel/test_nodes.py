"""Population nodes as a set of bands sees them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.posterior.kernel.arrangement import coordinate_rows
from gcmock.posterior.kernel.nodes import THIN, node_table, original_nodes

KAPPA = np.array([1.5, 0.9, 0.5])


def populations(spread=0.5):
    rng = np.random.default_rng(1)
    parts = []
    for i, n in enumerate((7, 3)):
        ks = rng.uniform(-5.0, 2.0, n)
        mag = np.stack([ks + 0.8, ks + 0.2, ks], axis=1)
        metallicity = np.linspace(0.0, spread, n)
        parts.append(SimpleNamespace(weight=rng.random(n) + 0.1, absolute_mag=mag,
                                     mass_init=np.full(n, 1.0 + i), age_gyr=np.full(n, 5.0 + i),
                                     metallicity=metallicity))  # fmt: skip
    return SimpleNamespace(populations=parts)


def test_one_after_the_other():
    given = populations()
    nodes = original_nodes(given)
    np.testing.assert_array_equal(nodes.start, [0, 7, 10])
    assert nodes.mag.shape == (3, 10)
    assert nodes.mag.flags.c_contiguous
    for i, part in enumerate(given.populations):
        rows = slice(nodes.start[i], nodes.start[i + 1])
        np.testing.assert_array_equal(nodes.weight[rows], part.weight)
        np.testing.assert_array_equal(nodes.mag[:, rows].T, part.absolute_mag)
        np.testing.assert_array_equal(nodes.age_gyr[rows], part.age_gyr)


@pytest.mark.parametrize("mask", [4, 6, 7])
def test_every_node_has_a_place(mask):
    nodes = original_nodes(populations())
    place = coordinate_rows(mask, KAPPA) @ nodes.mag
    table = node_table(nodes, mask, place, KAPPA)
    where = np.flatnonzero(table.node >= 0)
    assert sorted(table.node[where].tolist()) == list(range(10))
    block, lane = np.divmod(where, 16)
    node = table.node[where]
    np.testing.assert_allclose(table.rows.block[block, 3, lane], nodes.weight[node], rtol=1e-6)
    np.testing.assert_allclose(
        table.rows.block[block, :3, lane], place[:, node].T, rtol=1e-5, atol=1e-5
    )
    np.testing.assert_array_equal(table.coordinates, coordinate_rows(mask, KAPPA))
    # Populations lie one after the other.
    assert table.rows.first.shape[0] == 2
    assert (node[where < table.rows.first[1, 0, 0]] < 7).all()


@pytest.mark.parametrize(("spread", "fineness"), [(0.5, 1.0), (0.0, THIN)])
def test_single_isochrones_need_finer_steps(spread, fineness):
    nodes = original_nodes(populations(spread))
    place = coordinate_rows(7, KAPPA) @ nodes.mag
    assert node_table(nodes, 7, place, KAPPA).fineness == fineness
