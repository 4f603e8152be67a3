"""The bar: shapes, the X, the integral over a box, streaming and dispersions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import erf

from gcmock.galaxy.bar import (
    Bar,
    BarKinematics,
    BarShape,
    BoxyShape,
    XShape,
    box_integral,
    boxy_radius,
    relative_density,
)
from gcmock.galaxy.galactic_model import load_galactic_model

ELLIPSOID = BoxyShape((800.0, 400.0, 200.0), (2.0, 2.0))
GAUSSIAN = BarShape("gaussian", ELLIPSOID, 1e9, 500.0, None)
KINEMATICS = BarKinematics(
    40.0, 30.0, 400.0, (150.0, 80.0, 90.0), (60.0, 70.0, 50.0), ELLIPSOID, ELLIPSOID
)
BAR = Bar("bar", GAUSSIAN, KINEMATICS, 30.0, 4.0, 3.0, 600.0)
coordinate = st.floats(-3000.0, 3000.0)


def at(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([value]) for value in values)


@settings(max_examples=20, deadline=None)
@given(coordinate, coordinate, coordinate)
def test_exponents_of_two_make_an_ellipsoid(x: float, y: float, z: float) -> None:
    expected = np.sqrt((x / 800.0) ** 2 + (y / 400.0) ** 2 + (z / 200.0) ** 2)
    np.testing.assert_allclose(boxy_radius(*at(x, y, z), ELLIPSOID), expected, atol=1e-12)


def test_large_exponents_make_a_box() -> None:
    box = BoxyShape((800.0, 400.0, 200.0), (60.0, 60.0))
    radius = boxy_radius(*at(790.0, 390.0, -190.0), box)
    assert radius[0] == pytest.approx(790.0 / 800.0, rel=0.03)


@pytest.mark.parametrize(("form", "value"), [("exponential", -1.0), ("gaussian", -0.5)])
def test_profiles_at_one_scale_length(form: str, value: float) -> None:
    shape = replace(GAUSSIAN, form=form)
    np.testing.assert_allclose(relative_density(*at(0.0, 0.0, 200.0), shape), np.exp(value))


def test_beyond_its_end_the_bar_falls_as_a_gaussian() -> None:
    ended = replace(GAUSSIAN, cutoff_radius_pc=1000.0)
    x = np.array([900.0, 1000.0, 1500.0, 2000.0])
    ratio = relative_density(x, 0 * x, 0 * x, ended) / relative_density(x, 0 * x, 0 * x, GAUSSIAN)
    np.testing.assert_allclose(ratio, np.exp([0.0, 0.0, -0.5, -2.0]))


@settings(max_examples=20, deadline=None)
@given(coordinate, coordinate, coordinate)
def test_all_octants_are_equal_with_the_x(x: float, y: float, z: float) -> None:
    crossed = replace(GAUSSIAN, x_shape=XShape(ELLIPSOID, 1.4, 1.5, 2000.0))
    signs = np.array([[i, j, k] for i in (1, -1) for j in (1, -1) for k in (1, -1)]).T
    density = relative_density(*(signs * np.array([[x], [y], [z]])), crossed)
    np.testing.assert_allclose(density, density[0], rtol=1e-9)


def test_arms_of_the_x_add_to_the_bar() -> None:
    """On an arm, x = slope z: the weight of the X times exp(0) there, the other arm being far."""
    thin = BoxyShape((20.0, 20.0, 1e9), (2.0, 2.0))
    crossed = replace(GAUSSIAN, x_shape=XShape(thin, 1.4, 1.5, 1e9))
    here = at(1.4 * 300.0, 0.0, 300.0)
    added = relative_density(*here, crossed) - relative_density(*here, GAUSSIAN)
    np.testing.assert_allclose(added, 1.5, rtol=1e-6)


def test_integral_of_a_gaussian_over_a_box() -> None:
    half = (2200.0, 1400.0, 1200.0)
    axes = zip(half, ELLIPSOID.scale_pc, strict=True)
    parts = [s * np.sqrt(2 * np.pi) * erf(h / s / np.sqrt(2)) for h, s in axes]
    assert box_integral(GAUSSIAN, half) == pytest.approx(np.prod(parts), rel=1e-6)


def test_integral_of_a_cusp_agrees_with_quadrature() -> None:
    """A bar that falls along x alone, so that the integral has one dimension."""
    wall = BarShape("exponential", BoxyShape((300.0, 1e9, 1e9), (1.0, 1.0)), 1e9, 500.0, None)
    expected, _ = quad(lambda x: np.exp(-x / 300.0), 0.0, 2000.0)
    found = box_integral(wall, (2000.0, 10.0, 10.0)) / (8.0 * 10.0 * 10.0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_near_end_lies_at_positive_longitudes() -> None:
    """Along the long axis, turned from the line to the Sun (x > 0) towards y > 0."""
    angle = np.radians(30.0)
    end = at(1000.0 * np.cos(angle), 1000.0 * np.sin(angle), 0.0)
    np.testing.assert_allclose(BAR.mass_density(*end), 4.0 * np.exp(-0.5 * (1000.0 / 800.0) ** 2))
    mirrored = at(1000.0 * np.cos(angle), -1000.0 * np.sin(angle), 0.0)
    assert BAR.mass_density(*mirrored)[0] < BAR.mass_density(*end)[0]


def test_anchors_of_the_published_bar() -> None:
    bar = load_galactic_model().components["bar"]
    assert bar.central_scale == pytest.approx(4.117, rel=1e-3)
    angle = np.radians(27.0)
    along = np.array([0.0, 100.0, 300.0, 1000.0])
    density = bar.mass_density(along * np.cos(angle), along * np.sin(angle), 0.0 * along)
    np.testing.assert_allclose(density, [15.97, 11.97, 7.01, 1.731], rtol=1e-3)
    up = bar.mass_density(np.zeros(2), np.zeros(2), np.array([100.0, 300.0]))
    np.testing.assert_allclose(up, [9.30, 3.21], rtol=1e-3)


def test_dispersions_at_the_centre_and_far_away() -> None:
    straight = replace(BAR, angle_deg=0.0)
    _, covariance = straight.velocity_moments(*at(0.0, 0.0, 0.0))
    np.testing.assert_allclose(covariance[0], np.diag([210.0**2, 150.0**2, 140.0**2]))
    _, covariance = straight.velocity_moments(*at(1e5, 0.0, 0.0))
    np.testing.assert_allclose(covariance[0], np.diag([60.0**2, 70.0**2, 50.0**2]))


def test_on_the_long_axis_the_bar_turns_as_a_solid_body() -> None:
    straight = replace(BAR, angle_deg=0.0)
    mean, _ = straight.velocity_moments(*at(1000.0, 0.0, 50.0))
    np.testing.assert_allclose(mean, [[0.0, 40.0, 0.0]])


def test_stars_stream_along_the_bar_beside_its_axis() -> None:
    """- sign(y) v (1 - exp(-(y / y0)^2)) along x, on top of the pattern's -y Omega."""
    straight = replace(BAR, angle_deg=0.0)
    mean, _ = straight.velocity_moments(np.zeros(2), np.array([400.0, -400.0]), np.zeros(2))
    stream = 30.0 * (1.0 - np.exp(-1.0)) + 0.4 * 40.0
    np.testing.assert_allclose(mean[:, 0], [-stream, stream])


@settings(max_examples=20, deadline=None)
@given(coordinate, coordinate, st.floats(-90.0, 90.0))
def test_a_tilted_ellipsoid_has_the_same_variances(x: float, y: float, angle_deg: float) -> None:
    plain = replace(BAR, angle_deg=angle_deg)
    tilted = replace(plain, tilted_ellipsoid=True)
    _, without = plain.velocity_moments(*at(x, y, 20.0))
    _, with_tilt = tilted.velocity_moments(*at(x, y, 20.0))
    np.testing.assert_allclose(np.diagonal(with_tilt[0]), np.diagonal(without[0]))
    assert (np.linalg.eigvalsh(with_tilt[0]) > 0.0).all()


@pytest.mark.parametrize("tilted", [False, True])
def test_the_median_draw_is_the_mean_and_one_sigma_is_one_sigma(tilted: bool) -> None:
    bar = replace(BAR, tilted_ellipsoid=tilted)
    here = tuple(np.full(4, value) for value in (500.0, 200.0, 20.0))
    uniforms = np.full((4, 3), 0.5)
    for axis in range(3):
        uniforms[axis + 1, axis] = 0.841344746068543
    drawn = bar.sample_velocity(*here, uniforms)
    mean, covariance = (array[0] for array in bar.velocity_moments(*here))
    np.testing.assert_allclose(drawn[0], mean)
    steps = drawn[1:] - mean
    np.testing.assert_allclose(steps.T @ steps, covariance, rtol=1e-9, atol=1e-6)


def test_the_published_bar_can_keep_its_vertex_deviation() -> None:
    bar = load_galactic_model(bar_tilted_ellipsoid=True).components["bar"]
    plain = load_galactic_model().components["bar"]
    n = 100_000
    place = tuple(np.full(n, value) for value in (200.0, 50.0, 20.0))
    mean, covariance = bar.velocity_moments(*place)
    assert covariance[0, 0, 1] > 0.0
    assert plain.velocity_moments(*place)[1][0, 0, 1] == 0.0
    drawn = bar.sample_velocity(*place, np.random.default_rng(9).random((n, 3)))
    np.testing.assert_allclose(np.cov(drawn.T), covariance[0], atol=0.03 * covariance[0].max())
    np.testing.assert_allclose(drawn.mean(axis=0), mean[0], atol=2.0)
