"""Work space is used again, unless it is too small."""

from __future__ import annotations

import numpy as np

from gcmock.posterior.kernel.scratch import ScratchPool, make_scratch
from gcmock.posterior.kernel.structures import N_LANE, make_bins
from gcmock.posterior.kernel.vector import LANES

BINS = make_bins(np.geomspace(100.0, 16000.0, 21))


def test_arrays_fit_the_nodes_and_the_bins():
    found = make_scratch(10 * LANES, BINS)
    assert found.node.shape == (10 * LANES,)
    assert found.source.shape == (10,)
    assert found.post.shape == found.prior.shape == found.motion.shape == (20, N_LANE)
    assert found.cumulative.shape == (21, N_LANE)
    assert found.knot.shape == found.density.shape == BINS.knot_mu.shape
    assert found.accumulated.tolist() == [-1]
    # No parallax is a likelihood of one.
    assert (found.parallax == 1.0).all()


def test_what_was_given_back_is_taken_again_without_its_line_of_sight():
    pool = ScratchPool(BINS)
    first = pool.take(4 * LANES)
    assert pool.take(4 * LANES) is not first
    first.accumulated[0] = 3
    pool.give(first)
    again = pool.take(2 * LANES)
    assert again is first
    assert again.accumulated[0] == -1


def test_a_small_one_does_for_small_tables_only():
    pool = ScratchPool(BINS)
    pool.give(pool.take(2 * LANES))
    assert pool.take(3 * LANES).node.size == 3 * LANES
