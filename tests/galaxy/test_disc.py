"""Discs: surface density, scale heights, vertical profiles, dispersions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from gcmock.galaxy.disc import (
    INNER_DISCS,
    Disc,
    DiscShape,
    relative_density,
    scale_height,
    surface_density,
    vertical_profile,
)
from gcmock.galaxy.galactic_model import load_galactic_model

SHAPE = DiscShape(
    scale_length_pc=2600.0,
    scale_height_pc=300.0,
    inner_scale_height_pc=180.0,
    vertical="sech2",
    scale_height_model="flat",
    inner="break",
    r0_pc=8000.0,
    break_radius_pc=5300.0,
    hole_radius_pc=3740.0,
    flare_radius_pc=4500.0,
)
DISC = Disc("thin5", SHAPE, 0.01, 2.5, 550.0, 40.0, 20.0, 14_300.0, 5900.0)


def at(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([value]) for value in values)


@pytest.mark.parametrize("inner", INNER_DISCS)
def test_surface_density_is_one_at_the_sun(inner: str) -> None:
    np.testing.assert_allclose(surface_density(*at(8000.0), replace(SHAPE, inner=inner)), 1.0)


def test_surface_density_is_constant_inside_the_break() -> None:
    radius = np.array([0.0, 3000.0, 5300.0, 6000.0])
    expected = np.exp((8000.0 - np.array([5300.0, 5300.0, 5300.0, 6000.0])) / 2600.0)
    np.testing.assert_allclose(surface_density(radius, SHAPE), expected)


def test_an_exponential_disc_goes_on_to_the_centre() -> None:
    found = surface_density(np.array([0.0]), replace(SHAPE, inner="exponential"))
    np.testing.assert_allclose(found, np.exp(8000.0 / 2600.0))


def test_a_hole_empties_the_centre() -> None:
    """Largest where R^2 = hole R_d: d/dR of -R/R_d - hole/R is zero."""
    hole = replace(SHAPE, inner="hole")
    radius = np.arange(100.0, 9000.0)
    density = surface_density(radius, hole)
    assert radius[density.argmax()] == pytest.approx(np.sqrt(3740.0 * 2600.0), abs=1.0)
    assert surface_density(np.array([0.0]), hole)[0] == 0.0


def test_scale_heights() -> None:
    assert scale_height(np.array([100.0, 9000.0]), SHAPE) == 300.0
    flaring = replace(SHAPE, scale_height_model="linear")
    radius = np.array([0.0, 4500.0, 6250.0, 8000.0, 9750.0])
    np.testing.assert_allclose(scale_height(radius, flaring), [180, 180, 240, 300, 360])


@pytest.mark.parametrize("vertical", ["sech2", "exponential"])
def test_vertical_profiles_hold_two_scale_heights(vertical: str) -> None:
    half, _ = quad(lambda z: float(vertical_profile(np.array(z), 300.0, vertical)), 0.0, 9000.0)
    assert half == pytest.approx(300.0, rel=1e-6)


def test_sech2_far_from_the_plane_does_not_overflow() -> None:
    found = vertical_profile(np.array([0.0, -300.0, 1e6]), 300.0, "sech2")
    np.testing.assert_allclose(found, [1.0, 1.0 / np.cosh(1.0) ** 2, 0.0])


@settings(max_examples=20, deadline=None)
@given(st.floats(4600.0, 12_000.0))
def test_flaring_keeps_the_surface_density(radius: float) -> None:
    """The column is 2 h times the density in the plane, whatever the height h at R."""
    flaring = replace(SHAPE, scale_height_model="linear")
    plane = relative_density(*at(radius, 0.0), flaring) * scale_height(np.array([radius]), flaring)
    np.testing.assert_allclose(plane, 300.0 * surface_density(np.array([radius]), SHAPE))


def test_density_at_the_sun_is_the_local_density() -> None:
    angle = np.radians(40.0)
    here = at(8000.0 * np.cos(angle), 8000.0 * np.sin(angle), 0.0)
    np.testing.assert_allclose(DISC.mass_density(*here), 0.01)


def test_dispersions_fall_outwards_on_their_scale_lengths() -> None:
    sigma_r, sigma_z = DISC.dispersions(np.array([8000.0, 8000.0 + 5900.0, 8000.0 - 14_300.0]))
    np.testing.assert_allclose(sigma_r[[0, 2]], [40.0, 40.0 * np.e])
    np.testing.assert_allclose(sigma_z[:2], [20.0, 20.0 / np.e])


def test_draws_are_the_quantiles_of_the_moments() -> None:
    """v_R and v_z are Gaussian about zero; one sigma of a uniform is one sigma of the velocity."""
    one_sigma = 0.841344746068543
    uniforms = np.array([[0.5, 0.5, 0.5], [one_sigma, 0.5, 0.5], [0.5, 0.5, one_sigma]])
    here = tuple(np.full(3, value) for value in (8000.0, 0.0, 100.0))
    drawn = DISC.sample_velocity(*here, uniforms)
    mean, covariance = (array[0] for array in DISC.velocity_moments(*here))
    np.testing.assert_allclose(drawn[:, [0, 2]], [[0, 0], [40, 0], [0, 20]], atol=1e-9)
    np.testing.assert_allclose(covariance[[0, 2], [0, 2]], [40.0**2, 20.0**2])
    # The Shu distribution is skewed towards slow rotation: its median lies above its mean.
    assert mean[1] < drawn[0, 1] < mean[1] + 0.3 * np.sqrt(covariance[1, 1])


@pytest.mark.parametrize("inner", INNER_DISCS)
def test_published_inner_discs_meet_at_the_sun(inner: str) -> None:
    place = np.array([8160.0, 100.0]), np.zeros(2), np.zeros(2)
    sun, center = load_galactic_model(inner_disc=inner).components["thin7"].mass_density(*place)
    default = load_galactic_model().components["thin7"].mass_density(*place)[0]
    assert sun == pytest.approx(default)
    assert (center < sun) == (inner == "hole")
