"""The sample of stars: which are chosen, and their posteriors on the bins of the page."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_rows import mock_rows

from gcmock.reporting.page.sample import (
    RowSample,
    distance_edges,
    rebinned,
    sample_keys,
)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 5), min_size=6, max_size=6), st.floats(0.1, 4.9))
def test_rebinning_keeps_probability(p, inner):
    edges = np.array([0.0, 0.5, 1.0, 2.0, 3.5, 4.0, 5.0])
    coarse = np.array([0.0, inner, 5.0])
    found = rebinned(np.array([p]), edges, coarse)
    assert found.sum() == pytest.approx(sum(p))
    below = np.interp(inner, edges, np.concatenate(([0.0], np.cumsum(p))))
    assert found[0, 0] == pytest.approx(below, abs=1e-9)


def test_bins_of_the_page():
    edges = distance_edges(8160.0, 20.0, 16000.0)
    step = np.diff(edges)
    assert edges[0] == 20.0
    assert edges[-1] == 16000.0
    assert (step > 0).all()
    near = np.abs(edges[:-1] - 8160.0) < 300
    np.testing.assert_allclose(step[near], 20.0)
    assert 100 < edges.size < 130


def test_smallest_hashes_are_chosen():
    rows = mock_rows(["bar"] * 30)
    sample = RowSample(7, ("source_id", "l"))
    sample.add(rows)
    keys = sample_keys(rows["source_id"])
    np.testing.assert_array_equal(sample.rows["source_id"], np.argsort(keys)[:7])
    assert set(sample.rows) == {"source_id", "l"}
    np.testing.assert_array_equal(sample.place(np.argsort(keys)[5:9]), [5, 6, -1, -1])


def test_further_realisations_are_passed_over():
    rows = mock_rows(["bar"] * 6, source_id=[1, 1, 2, 2, 3, 3], realisation=[0, 1, 0, 1, 0, 1])
    sample = RowSample(10, ("source_id",))
    sample.add(rows)
    assert sorted(sample.rows["source_id"].tolist()) == [1, 2, 3]


def test_empty_sample_holds_nothing():
    sample = RowSample(0, ("source_id",))
    sample.add(mock_rows(["bar"] * 3))
    assert len(sample) == 0
    np.testing.assert_array_equal(sample.place(np.arange(3)), [-1, -1, -1])
