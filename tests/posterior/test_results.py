"""Summaries and draws have a place for every star."""

from __future__ import annotations

import numpy as np

from gcmock.posterior.kernel.draw import QUANTILES
from gcmock.posterior.results import empty_draws, empty_summary


def test_shapes_and_types_of_a_summary():
    found = empty_summary(5, 3)
    assert [(x.shape, x.dtype) for x in found] == [
        ((5, 3), np.float32),
        ((5,), np.float64),
        ((5, QUANTILES.size), np.float64),
        ((5,), np.float64),
        ((5,), np.int8),
    ]
    assert not found.inflation.any()


def test_shapes_and_types_of_draws():
    found = empty_draws(5, 2, 4)
    assert [x.shape for x in found] == [(5, 2)] * 4 + [(5, 2, 4)]
    assert found.component.dtype == found.node.dtype == np.int64
    # No two arrays fraction memory: kernels fill them side by side.
    assert not np.fractions_memory(found.distance_pc, found.e_jks)


def test_no_stars():
    assert all(len(x) == 0 for x in (*empty_summary(0, 3), *empty_draws(0, 2, 4)))
