"""Tiles of stars, and observations as strips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.iterative.strips import SLOTS, tile_order


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 700), st.integers(0, 5))
def test_every_star_has_a_slot(n, seed):
    rng = np.random.default_rng(seed)
    order = tile_order(266.0 + rng.uniform(0.0, 2.0, n), -29.0 + rng.uniform(0.0, 1.0, n))
    assert len(order) % SLOTS == 0
    assert len(order) < n + SLOTS
    assert sorted(order[order >= 0]) == list(range(n))


def test_tiles_are_compact():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0.0, 1.0, (2, 4096))
    tiles = tile_order(ra, dec).reshape(-1, 16)
    side = [max(np.ptp(ra[t]), np.ptp(dec[t])) for t in tiles]
    assert np.median(side) < 0.12  # 1 / 16 is a square of sixteen of 4096 stars


@pytest.fixture
def made():
    problem, _, start = make(n_source=150, n_visit=20, n_block=4)
    return problem, packed(problem, start)


def test_strips_hold_every_observation(made):
    problem, part = made
    strips = part.strips
    counts = strips.visits_per_star()
    held = strips.order >= 0
    np.testing.assert_array_equal(counts[held], np.diff(problem.first)[strips.order[held]])
    assert not counts[~held].any()
    seen = np.bincount(problem.visit, minlength=20)
    np.testing.assert_array_equal(strips.stars_per_visit(20), seen)
    # Blocks, visits and tiles follow each other within a patch.
    block = problem.visits.block
    for k in range(strips.n_patch):
        rows = slice(strips.first[k], strips.first[k + 1])
        keys = list(zip(block[strips.visit[rows]], strips.visit[rows], strips.tile[rows]))
        assert keys == sorted(keys)
    assert strips.root_y is strips.root_x


def test_what_is_left_out_has_no_weight(made):
    _, part = made
    strips = part.strips
    slots, visits = np.zeros(len(strips.order), bool), np.zeros(20, bool)
    slots[3] = visits[7] = True
    without = strips.stars_per_visit(20, slots)
    strips.leave_out(slots, visits)
    assert strips.visits_per_star()[3] == 0
    after = strips.stars_per_visit(20)
    assert after[7] == 0
    np.testing.assert_array_equal(np.delete(after, 7), np.delete(without, 7))


def test_parts_share_memory(made):
    _, part = made
    strips = part.strips
    last = strips.part(strips.n_patch - 1, strips.n_patch)
    assert np.shares_memory(last.residual, strips.residual)
    assert last.tile.min() >= 0
    assert last.n_patch == 1
    everything = strips.part(0, strips.n_patch)
    np.testing.assert_array_equal(everything.visits_per_star(), strips.visits_per_star())
    renumbered = strips.renumbered(np.arange(20)[::-1])
    np.testing.assert_array_equal(renumbered.visit, 19 - strips.visit)
    assert strips.with_robust_factors().robust.shape == strips.root_x.shape
