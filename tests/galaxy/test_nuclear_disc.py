"""The nuclear disc: its table between and on the nodes, its edge, the tilt below the plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.data import path
from gcmock.galaxy.nuclear_disc import NuclearDisc, density, moments

DISC = NuclearDisc("nsd", 2.0, 600.0, 970.0, 380.0)


@pytest.fixture(scope="module")
def table():
    with np.load(path("nuclear_disc_moments.npz")) as data:
        return dict(data)


def test_nodes_of_the_table_are_met(table) -> None:
    i, j = np.array([0, 3, 100]), np.array([0, 7, 40])
    radius, z = 5.0 * i, -5.0 * j
    assert float(table["step_pc"]) == 5.0
    np.testing.assert_allclose(density(radius, z, 970.0, 380.0), table["density"][i, j])
    mean, (sigma_r, sigma_phi, sigma_z), correlation = moments(radius, z, symmetric_tilt=False)
    for found, name in (
        (mean, "mean_vphi"), (sigma_r, "sigma_r"), (sigma_phi, "sigma_phi"), (sigma_z, "sigma_z"),
        (correlation, "correlation_rz"),
    ):  # fmt: skip
        np.testing.assert_allclose(found, table[name][i, j], rtol=1e-9, err_msg=name)


def test_density_is_interpolated_in_its_logarithm(table) -> None:
    found = density(np.array([52.5]), np.array([0.0]), 970.0, 380.0)
    expected = np.sqrt(table["density"][10, 0] * table["density"][11, 0])
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    ("radius", "z", "inside"),
    [(970.0, 380.0, True), (970.0, -380.0, True), (970.1, 0.0, False), (0.0, 380.1, False)],
)
def test_the_disc_ends(radius: float, z: float, inside: bool) -> None:
    found = density(np.array([radius]), np.array([z]), 970.0, 380.0)
    assert (found[0] > 0.0) == inside


def test_moments_are_clamped_at_the_edge_of_the_table() -> None:
    edge, beyond = (
        np.concatenate([mean, *sigma, tilt])
        for mean, sigma, tilt in (
            moments(np.array([1000.0]), np.array([400.0])),
            moments(np.array([9000.0]), np.array([4000.0])),
        )
    )
    np.testing.assert_array_equal(edge, beyond)
    assert np.isfinite(edge).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(1.0, 900.0), st.floats(1.0, 350.0))
def test_both_sides_of_the_plane_mirror_each_other(radius: float, z: float) -> None:
    place = np.array([radius, radius]), np.zeros(2), np.array([z, -z])
    above, below = DISC.mass_density(*place)
    assert above == below
    mean, covariance = DISC.velocity_moments(*place)
    np.testing.assert_array_equal(mean[0], mean[1])
    flip = np.diag([1.0, 1.0, -1.0])
    np.testing.assert_allclose(covariance[1], flip @ covariance[0] @ flip)


def test_the_published_programs_do_not_flip_the_tilt() -> None:
    place = np.array([400.0, 400.0]), np.zeros(2), np.array([100.0, -100.0])
    above, below = DISC.velocity_moments(*place)[1][:, 0, 2]
    assert above > 0.0
    assert below == -above
    as_published = NuclearDisc("nsd", 2.0, 600.0, 970.0, 380.0, symmetric_tilt=False)
    np.testing.assert_array_equal(as_published.velocity_moments(*place)[1][:, 0, 2], above)


def test_draws_have_the_tilt() -> None:
    """Steps of one sigma along each normal deviate span the covariance."""
    uniforms = np.full((4, 3), 0.5)
    for axis in range(3):
        uniforms[axis + 1, axis] = 0.841344746068543
    here = tuple(np.full(4, value) for value in (300.0, 200.0, 100.0))
    drawn = DISC.sample_velocity(*here, uniforms)
    mean, covariance = (array[0] for array in DISC.velocity_moments(*here))
    np.testing.assert_allclose(drawn[0], mean)
    steps = drawn[1:] - mean
    np.testing.assert_allclose(steps.T @ steps, covariance, rtol=1e-9, atol=1e-6)


def test_anchors() -> None:
    radius = np.array([0.0, 5.0, 50.0, 100.0, 300.0, 970.0, 970.1])
    expected = [2107.0, 952.4, 140.2, 87.55, 5.955, 2.553e-3, 0.0]
    found = DISC.mass_density(radius, 0.0 * radius, 0.0 * radius)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    up = np.array([25.0, -100.0, 300.0, 381.0])
    found = DISC.mass_density(0.0 * up, 100.0 + 0.0 * up, up)
    np.testing.assert_allclose(found, [59.3, 3.19, 2.50e-3, 0.0], rtol=2e-3)


def test_mass() -> None:
    radius, z = np.meshgrid(np.arange(2.5, 970, 5.0), np.arange(2.5, 380, 5.0), indexing="ij")
    found = DISC.mass_density(radius, 0 * radius, z)
    assert (2 * 2 * np.pi * radius * found * 25.0).sum() == pytest.approx(9.70e8, rel=0.01)
