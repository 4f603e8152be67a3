"""Batches of rows that cross no border, and their account."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.io.observed import RawRows
from gcmock.mock.pipeline import batch_size, cut


@pytest.mark.slow
@given(
    sizes=st.lists(st.integers(1, 30), max_size=8),
    size=st.integers(1, 20),
    partition=st.integers(1, 25),
)
def test_cut(sizes: list[int], size: int, partition: int) -> None:
    """No row is lost, no batch is too large or crosses a border, whatever the chunks."""
    ends = np.cumsum([0, *sizes])
    raws = [RawRows(np.arange(a, b), {"x": np.arange(a, b)}) for a, b in pairwise(ends.tolist())]
    batches = list(cut(raws, size, partition))
    rows = [raw.row for _, raw in batches]
    np.testing.assert_array_equal(np.concatenate([np.arange(0), *rows]), np.arange(ends[-1]))
    for number, raw in batches:
        assert 0 < len(raw.row) <= size
        assert (raw.row // partition == number).all()
        np.testing.assert_array_equal(raw.columns["x"], raw.row)


@pytest.mark.parametrize(
    ("n_star", "n_realisation", "workers"), [(1, 1, 1), (100, 1, 2), (10**7, 1, 2), (10**7, 50, 2)]
)
def test_batches_are_small_enough_for_all_workers(n_star, n_realisation, workers) -> None:
    size = batch_size(n_star, n_realisation, workers)
    assert 1 <= size * n_realisation <= 16_384
    if n_star > 10_000:
        assert n_star / size >= 8 * workers
