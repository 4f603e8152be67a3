"""Circular velocity and the lag of the rotation at height."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.galaxy.rotation_curve import circular_velocity, height_lag


def test_anchors() -> None:
    assert circular_velocity(0.0) == 0.0
    assert circular_velocity(8160.0) == pytest.approx(239.02, abs=0.01)
    assert circular_velocity(30_000.0) == pytest.approx(210.19, abs=0.01)
    assert height_lag(-1000.0) == pytest.approx(1.0374)


def test_the_curve_is_linear_between_its_points() -> None:
    """The first points of the file: (0, 0), (94.59, 26.16822), (162.16, 41.12150)."""
    expected = [0.5 * 26.16822, 26.16822, 0.5 * (26.16822 + 41.12150)]
    found = circular_velocity([0.5 * 94.59, 94.59, 0.5 * (94.59 + 162.16)])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_curve_ends_flat() -> None:
    assert circular_velocity(25_011.0) == circular_velocity(1e6) == 210.19041


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 5000.0))
def test_rotation_is_slower_at_height_and_the_same_on_both_sides(z: float) -> None:
    assert height_lag(z) == height_lag(-z) >= 1.0
    assert height_lag(2.0 * z) - 1.0 == pytest.approx(2.0**1.34 * (height_lag(z) - 1.0))
