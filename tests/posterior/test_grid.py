"""Distance bins: contiguous, fine where the model needs it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.posterior.grid import (
    CENTRE_STEPS,
    FAR_PC,
    FAR_STEP_PC,
    FRACTIONAL_STEP,
    STEP_PC,
    DistanceGrid,
    distance_grid,
    distance_modulus,
)


def test_distance_modulus():
    np.testing.assert_allclose(distance_modulus(np.array([10.0, 100.0, 8000.0])),
                               [0.0, 5.0, 14.5154], atol=1e-4)  # fmt: skip


def test_middles_and_widths():
    grid = DistanceGrid(np.array([1.0, 3.0, 4.0]))
    assert len(grid) == 2
    np.testing.assert_array_equal(grid.centre_pc, [2.0, 3.5])
    np.testing.assert_array_equal(grid.width_pc, [2.0, 1.0])
    np.testing.assert_allclose(grid.distance_modulus, distance_modulus(grid.centre_pc))


@settings(max_examples=20)
@given(st.floats(5.0, 3000.0), st.floats(100.0, 17000.0), st.floats(7000.0, 9000.0))
def test_bins_fill_the_range_and_are_fine_enough(low, length, centre):
    grid = distance_grid(low, low + length, centre)
    edges = grid.edges_pc
    assert edges[0] == low
    assert edges[-1] == low + length
    assert (grid.width_pc > 0).all()
    begin = edges[:-1]
    # A rest of less than half a bin at the end is joined to the last one.
    slack = np.ones(len(grid))
    slack[-1] = 1.5
    assert (grid.width_pc <= slack * np.maximum(FRACTIONAL_STEP * begin, 0) + 1e-9).all()
    widest = np.where(begin < FAR_PC, STEP_PC, FAR_STEP_PC)
    assert (grid.width_pc <= slack * widest + 1e-9).all()
    for half_width, step in CENTRE_STEPS:
        inside = np.abs(grid.centre_pc - centre) < half_width
        assert (grid.width_pc[inside] <= slack[inside] * step + 1e-9).all()


@pytest.mark.parametrize(("low", "high"), [(0.0, 10.0), (-1.0, 10.0), (10.0, 10.0), (20.0, 10.0)])
def test_empty_ranges(low, high):
    with pytest.raises(InputError, match=rf"min_pc = {low:g}, max_pc = {high:g}: expected 0 <"):
        distance_grid(low, high, 8000.0)
