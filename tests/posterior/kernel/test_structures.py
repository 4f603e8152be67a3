"""Distance bins as the kernels see them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.posterior.kernel.structures import MU_STEP, MotionModel, make_bins


@settings(max_examples=20)
@given(st.lists(st.floats(50.0, 16000.0), min_size=4, max_size=40, unique=True))
def test_look_up_finds_the_bin(distances):
    edges = np.sort(np.array(distances))
    bins = make_bins(edges)
    np.testing.assert_allclose(bins.centre, 0.5 * (edges[1:] + edges[:-1]))
    np.testing.assert_allclose(10.0 ** (0.2 * bins.mu + 1.0), bins.centre)
    # Knots are whole magnitudes around all bins.
    assert (np.diff(bins.knot_mu) == 1.0).all()
    assert bins.knot_mu[0] <= bins.mu[0]
    assert bins.knot_mu[-1] >= bins.mu[-1]
    np.testing.assert_allclose(bins.knot_distance, 10.0 ** (0.2 * bins.knot_mu + 1.0))
    # At every step of the look-up the distance lies in the bin, but for those beyond all bins.
    mu = bins.knot_mu[0] + MU_STEP * np.arange(bins.bin_of_mu.size)
    distance = 10.0 ** (0.2 * mu + 1.0)
    inside = (distance > edges[0] * (1 + 1e-9)) & (distance < edges[-1] * (1 - 1e-9))
    low, high = edges[bins.bin_of_mu], edges[bins.bin_of_mu + 1]
    near = 1e-6 * distance
    assert (distance[inside] >= (low - near)[inside]).all()
    assert (distance[inside] <= (high + near)[inside]).all()
    assert bins.bin_of_mu.min() >= 0
    assert bins.bin_of_mu.max() < bins.centre.size


def test_motions_are_none_unless_given():
    bins = make_bins(np.array([100.0, 200.0, 400.0]))
    assert bins.motion_before.tolist() == [0, 0]
    assert bins.motion_fraction.tolist() == [0.0, 0.0]
    assert bins.motion_model == MotionModel()
    given_motion = (np.array([0, 1]), np.array([0.5, 0.25], np.float32), MotionModel(0.5))
    found = make_bins(np.array([100.0, 200.0, 400.0]), given_motion)
    assert found.motion_before is given_motion[0]
    assert found.motion_model.floor_masyr == 0.5
