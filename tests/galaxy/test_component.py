"""The algebra that components share: cylindrical axes and those of the model."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.galaxy.component import (
    cylindrical_moments_to_model,
    cylindrical_to_model,
    radial_direction,
)

place = st.floats(-9000.0, 9000.0)
speed = st.floats(-300.0, 300.0)


@settings(max_examples=20, deadline=None)
@given(place, place)
def test_the_radial_direction_is_a_unit_vector_along_the_position(x: float, y: float) -> None:
    radius, cos, sin = radial_direction(np.array([x]), np.array([y]))
    np.testing.assert_allclose(np.hypot(cos, sin), 1.0)
    np.testing.assert_allclose([radius * cos, radius * sin], [[x], [y]], rtol=1e-12, atol=1e-12)


def test_on_the_axis_the_radial_direction_is_that_of_x() -> None:
    radius, cos, sin = radial_direction(np.zeros(1), np.zeros(1))
    assert (radius[0], cos[0], sin[0]) == (0.0, 1.0, 0.0)


def test_the_galaxy_turns_towards_plus_y_at_the_sun() -> None:
    one = np.ones(1)
    _, cos, sin = radial_direction(8160.0 * one, 0.0 * one)
    found = cylindrical_to_model((5.0 * one, 240.0 * one, -3.0 * one), cos, sin)
    np.testing.assert_allclose(found, [[5.0, 240.0, -3.0]])
    _, cos, sin = radial_direction(0.0 * one, 100.0 * one)
    found = cylindrical_to_model((5.0 * one, 240.0 * one, -3.0 * one), cos, sin)
    np.testing.assert_allclose(found, [[-240.0, 5.0, -3.0]], atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(place, place, speed, speed, speed)
def test_speeds_do_not_depend_on_the_axes(x, y, v_r, v_phi, v_z) -> None:
    _, cos, sin = radial_direction(np.array([x]), np.array([y]))
    found = cylindrical_to_model((np.array([v_r]), np.array([v_phi]), np.array([v_z])), cos, sin)
    np.testing.assert_allclose(
        np.linalg.norm(found), np.linalg.norm([v_r, v_phi, v_z]), rtol=1e-9, atol=1e-9
    )


@settings(max_examples=20, deadline=None)
@given(place, place, speed, st.floats(-0.9, 0.9))
def test_moments_are_those_of_turned_axes(x, y, v_phi, correlation) -> None:
    """The covariance is R C R^T with R the rotation from (R, phi, z) to (x, y, z)."""
    _, cos, sin = radial_direction(np.array([x]), np.array([y]))
    sigma = np.array([60.0, 40.0, 30.0])
    tilt = np.array([correlation * sigma[0] * sigma[2]])
    mean, covariance = cylindrical_moments_to_model(
        np.array([v_phi]), tuple(np.array([s**2]) for s in sigma), tilt, cos, sin
    )
    turn = np.array([[cos[0], -sin[0], 0.0], [sin[0], cos[0], 0.0], [0.0, 0.0, 1.0]])
    cylindrical = np.diag(sigma**2)
    cylindrical[0, 2] = cylindrical[2, 0] = tilt[0]
    np.testing.assert_allclose(mean[0], turn @ [0.0, v_phi, 0.0], atol=1e-9)
    np.testing.assert_allclose(covariance[0], turn @ cylindrical @ turn.T, atol=1e-9)
