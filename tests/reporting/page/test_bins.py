"""Regular bins: places, counts, blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.reporting.page.bins import Axis, count, flat_place, merged, occupied


@pytest.mark.slow
@given(st.lists(st.floats(-3, 3) | st.just(np.nan), max_size=40), st.integers(1, 7))
def test_counts_are_those_of_numpy(values, n):
    x, y = Axis(-1.5, 0.375, 8), Axis(0.0, 0.5, n)
    data = np.array(values + values[::-1])
    where = flat_place((x, y), (x.place(data), y.place(data[::-1])))
    inside = (data >= -1.5) & (data < 1.5) & (data[::-1] >= 0) & (data[::-1] < 0.5 * n)
    found = count(where, (8, n), np.where(np.isnan(data), 0.0, data))
    expected, _, _ = np.histogram2d(
        data[inside], data[::-1][inside], (x.edges, y.edges), weights=data[inside]
    )
    # numpy closes the last bin on the right, but nothing inside lies there.
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert count(where, (8, n)).sum() == inside.sum()


def test_blocks_keep_the_sum():
    values = np.arange(24.0).reshape(4, 6)
    np.testing.assert_array_equal(merged(values, 2)[0], [0 + 1 + 6 + 7, 2 + 3 + 8 + 9, 30])
    assert Axis(1.0, 0.5, 6).coarser(3) == Axis(1.0, 1.5, 2)


def test_what_fills_no_block_is_left_out():
    values = np.ones((5, 7))
    np.testing.assert_array_equal(merged(values, 3), [[9.0, 9.0]])
    assert Axis(0.0, 1.0, 7).coarser(3) == Axis(0.0, 3.0, 2)


def test_range_that_holds_most():
    assert occupied(np.array([0.0, 0, 5, 1, 0])) == slice(2, 4)
    assert occupied(np.zeros(3)) == slice(0, 3)
    assert occupied(np.array([1.0, 1000, 1000, 1]), 0.01) == slice(1, 3)


def test_bins_are_half_open():
    axis = Axis(2.0, 0.5, 4)
    np.testing.assert_array_equal(axis.edges, [2.0, 2.5, 3.0, 3.5, 4.0])
    np.testing.assert_array_equal(axis.centres, [2.25, 2.75, 3.25, 3.75])
    values = [2.0, 2.5, 3.99, 4.0, 1.99, np.nan, np.inf]
    np.testing.assert_array_equal(axis.place(values), [0, 1, 3, 4, 4, 4, 4])
