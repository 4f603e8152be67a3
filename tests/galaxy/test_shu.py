"""The Shu distribution: its density, its quantiles, its moments."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.galaxy.rotation_curve import circular_velocity, height_lag
from gcmock.galaxy.shu import (
    HEIGHT_NODES,
    NORMAL_NODES,
    RADIUS_NODES,
    ShuParameters,
    guiding_radius_density,
    rotation_moments,
    rotation_speed,
    sample_ratio,
    shu_table,
)

THIN = ShuParameters(2600.0, 40.11, 14300.0, 8160.0)
THICK = ShuParameters(2200.0, 75.0, 180000.0, 8160.0)


@pytest.mark.parametrize(
    ("shu", "mean", "sigma"),
    [
        (THIN, [143, 157, 178, 203, 221, 224.6], [54, 61, 56, 51, 40, 29.5]),
        (THICK, [163, 165, 175, 191, 196, 189], [58, 66, 66, 68, 63, 56]),
    ],
)
def test_anchors(shu: ShuParameters, mean: list[float], sigma: list[float]) -> None:
    """Mean and dispersion of v_phi from section 4.1 of the specification (z = 0)."""
    radius = np.array([500.0, 1000.0, 2000.0, 4000.0, 6000.0, 8160.0])
    ours, variance = rotation_moments(shu_table(shu), radius, np.zeros(6))
    np.testing.assert_allclose(ours, mean, atol=1.5)
    # the anchors are for p(f) with its tails, which the published program cuts
    np.testing.assert_allclose(np.sqrt(variance), sigma, atol=2.0)


def test_density_is_positive_with_one_mode_inside_the_own_radius() -> None:
    """More stars come from inside, where the disc is denser, than from outside."""
    ratio = np.linspace(0.3, 1.7, 281)
    density = guiding_radius_density(ratio, np.array(8160.0), np.array(0.0), THIN)
    assert (density >= 0.0).all()
    mode = ratio[density.argmax()]
    assert 0.85 < mode < 1.0
    rising = np.diff(density) > 0.0
    assert rising[ratio[1:] <= mode].all()
    assert not rising[ratio[:-1] >= mode].any()


def test_orbits_that_are_not_bound_have_no_density() -> None:
    """c = 1 / (2 a^2) <= 1/2, where the dispersion is above the circular velocity."""
    hot = ShuParameters(2600.0, 400.0, 14300.0, 8160.0)
    assert guiding_radius_density(np.ones(1), np.array(8160.0), np.array(0.0), hot)[0] == 0.0


def test_cold_discs_rotate_at_the_circular_velocity() -> None:
    """The distribution of f narrows to a Gaussian of width a / sqrt(2), a = sigma_R / v_c."""
    step = np.array([8159.0, 8161.0])
    slope = np.diff(np.log(circular_velocity(step)))[0] / np.diff(np.log(step))[0]
    cold = shu_table(ShuParameters(2600.0, 2.0, 1e9, 8160.0))
    mean, variance = rotation_moments(cold, np.array([8160.0]), np.zeros(1))
    np.testing.assert_allclose(mean, circular_velocity(8160.0), rtol=2e-4)
    # v_phi = f v_c(f R), so that dv_phi / df = v_c (1 + dln v_c / dln R)
    assert np.sqrt(variance[0]) == pytest.approx(2.0 / np.sqrt(2.0) * (1.0 + slope), rel=0.01)


def test_quantiles_rise_with_the_deviate() -> None:
    table = shu_table(THIN)
    assert table.ratio.shape == (RADIUS_NODES.size, HEIGHT_NODES.size, NORMAL_NODES.size)
    assert (np.diff(table.ratio, axis=-1) >= 0.0).all()


def test_draws_are_the_quantiles_of_the_node_below() -> None:
    table = shu_table(THIN)
    normal = np.array([-9.0, -4.0, 0.0, 0.05, 9.0])
    radius, z = np.full(5, 8195.0), np.full(5, -390.0)
    found = sample_ratio(table, radius, z, normal)
    node = table.ratio[np.flatnonzero(RADIUS_NODES == 8100.0)[0], 1]
    expected = [node[0], node[0], node[40], 0.5 * (node[40] + node[41]), node[-1]]
    np.testing.assert_allclose(found, expected)


def test_rotation_speeds() -> None:
    found = rotation_speed(np.array([0.9, 1.0]), np.full(2, 8000.0), np.array([0.0, 500.0]))
    expected = [0.9 * circular_velocity(7200.0), circular_velocity(8000.0) / height_lag(500.0)]
    np.testing.assert_allclose(found, expected)


def test_moments_are_those_of_the_quantiles() -> None:
    table = shu_table(THIN)
    place = np.full(20_000, 8150.0), np.full(20_000, 250.0)
    normal = np.random.default_rng(3).standard_normal(20_000)
    speed = rotation_speed(sample_ratio(table, *place, normal), *place)
    mean, variance = rotation_moments(table, *(array[:1] for array in place))
    assert speed.mean() == pytest.approx(mean[0], abs=4.0 * np.sqrt(variance[0] / 20_000))
    assert speed.std() == pytest.approx(np.sqrt(variance[0]), rel=0.03)


def test_moments_are_the_same_on_both_sides_of_the_plane_and_end_with_the_grid() -> None:
    table = shu_table(THIN)
    above = rotation_moments(table, np.array([3000.0, 1e5]), np.array([700.0, 3600.0]))
    below = rotation_moments(table, np.array([3000.0, 2e5]), np.array([-700.0, -3600.0]))
    np.testing.assert_array_equal(above, below)
