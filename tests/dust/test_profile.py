"""Growth of the reddening along a line of sight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.dust.profile import (
    dust_profile,
    inverted,
    profile,
    profile_value_fast,
    red_clump_distance_pc,
    reddening_slope,
    scatter_at,
    signed_longitude,
)

LONGITUDE = st.floats(-9.5, 9.5)
LATITUDE = st.floats(-4.5, 4.5)
DISTANCE = st.floats(10.0, 16_000.0)


def test_red_clump_distance() -> None:
    assert red_clump_distance_pc(0.0125, -0.1875) == pytest.approx(8037.0, abs=0.5)
    # The near end of the bar is at l > 0.
    assert red_clump_distance_pc(5.0, 0.0) < red_clump_distance_pc(-5.0, 0.0)
    np.testing.assert_allclose(red_clump_distance_pc(355.0, 1.0), red_clump_distance_pc(-5.0, -1.0))


@given(l_deg=LONGITUDE, b_deg=LATITUDE)
def test_the_profile_is_one_at_the_red_clump(l_deg: float, b_deg: float) -> None:
    assert profile(l_deg, b_deg, red_clump_distance_pc(l_deg, b_deg)) == pytest.approx(1.0)


@given(l_deg=LONGITUDE, b_deg=LATITUDE)
def test_the_profile_starts_at_zero_and_grows(l_deg: float, b_deg: float) -> None:
    s = profile(l_deg, b_deg, np.linspace(0.0, 16_000.0, 200))
    assert s[0] == 0.0
    assert np.all(np.diff(s) >= 0.0)


def test_it_is_linear_in_the_plane_and_not_capped() -> None:
    d_rc = red_clump_distance_pc(0.0, 0.0)
    np.testing.assert_allclose(
        profile(0.0, 0.0, np.array([1e-6, 0.5, 2.0]) * d_rc), [1e-6, 0.5, 2.0], rtol=0.005
    )


def test_it_saturates_off_the_plane() -> None:
    h = 164.0 / (np.sin(np.radians(4.0)) + 1e-4)
    expected = 1.0 / (1.0 - np.exp(-red_clump_distance_pc(0.0, 4.0) / h))
    assert profile(0.0, 4.0, 1e6) == pytest.approx(expected)


def test_scale_height() -> None:
    thin, thick = (profile(0.0, 2.0, 2000.0, h_dust_pc=h) for h in (100.0, 300.0))
    assert thin > thick


def test_broadcasting() -> None:
    l_deg, b_deg = np.zeros((3, 1)), np.array([[0.1], [0.2], [0.3]])
    assert profile(l_deg, b_deg, np.linspace(1.0, 9000.0, 7)).shape == (3, 7)


def test_signed_longitude_leaves_small_longitudes_alone() -> None:
    l_deg = np.array([0.3, -9.4875, 359.7, -359.7, 720.5])
    np.testing.assert_array_equal(signed_longitude(l_deg)[:2], l_deg[:2])
    np.testing.assert_allclose(signed_longitude(l_deg)[2:], [-0.3, 0.3, 0.5], atol=1e-10)


@given(LONGITUDE, LATITUDE, DISTANCE)
def test_one_profile(l_deg: float, b_deg: float, distance: float) -> None:
    dust = dust_profile(l_deg, b_deg)
    value = dust.value(distance)
    assert value == profile(l_deg, b_deg, distance)
    np.testing.assert_allclose(profile_value_fast(inverted(dust), distance), value, rtol=1e-9)
    np.testing.assert_allclose(dust.value(red_clump_distance_pc(l_deg, b_deg)), 1.0)


@given(LONGITUDE, LATITUDE, DISTANCE)
def test_slope_is_the_derivative_with_the_modulus(l_deg, b_deg, distance) -> None:
    dust = dust_profile(l_deg, b_deg)
    step = 10.0 ** (0.2 * 1e-3)
    numeric = (dust.value(distance * step) - dust.value(distance / step)) / 2e-3
    np.testing.assert_allclose(reddening_slope(dust, 3.0, distance), 3.0 * numeric, rtol=1e-3)


def test_profiles_of_several_lines_of_sight() -> None:
    dust = dust_profile(np.array([0.1, 1.0]), np.array([-0.2, 3.0]))
    assert dust.at(1).value(5000.0) == dust_profile(1.0, 3.0).value(5000.0)


@given(tau=st.floats(1e-3, 1.0), w=st.floats(0.0, 1.0), distance=DISTANCE)
def test_the_scatter_of_the_dust_in_front(tau: float, w: float, distance: float) -> None:
    """Near the Sun a fraction w of the reddening, at the red clump that of the map alone."""
    dust = dust_profile(1.0, -0.5, scatter=w)
    at_clump = scatter_at(dust, 3.0, tau, 1.0)
    assert at_clump == pytest.approx(tau)
    near = dust.value(1.0)
    assert scatter_at(dust, 3.0, 0.0, near) == pytest.approx(3.0 * w * near, rel=1e-3)
    shape = dust.value(distance)
    both = scatter_at(dust, 3.0, tau, shape)
    assert both >= tau * shape
    assert both <= (tau + 3.0 * w * (1.0 - shape) ** 2) * shape + 1e-12
    behind = scatter_at(dust, 3.0, tau, np.array([1.2, 2.0]))
    np.testing.assert_allclose(behind, tau * np.array([1.2, 2.0]))
