"""Velocity distributions against genstars, and against their own moments."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.galaxy.rotation_curve import circular_velocity, height_lag
from gcmock.galaxy.shu import ShuParameters, rotation_moments, shu_table
from gcmock.words.components import COMPONENTS

QUANTITIES = {
    "vx": "vx",
    "vy": "vy",
    "vz": "vz",
    "mul_cosb": "pm_l_cosb",
    "mub": "pm_b",
    "vrad": "radial_velocity",
}
N_DRAW = 100_000


@pytest.fixture(scope="module")
def model():
    return load_galactic_model()


def read_rows(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def assert_draws_agree(drawn, row, mean_tolerance, std_tolerance):
    for title, name in QUANTITIES.items():
        if f"mean_{title}" not in row:
            continue
        mean, std = float(row[f"mean_{title}"]), float(row[f"std_{title}"])
        value = getattr(drawn, name)
        where = f"{title} of {row}"
        assert abs(value.mean() - mean) < mean_tolerance * std, where
        assert abs(value.std() / std - 1.0) < std_tolerance, where


@pytest.mark.parametrize("component", COMPONENTS[:10])
def test_draws_agree_with_genstars(shared_dir, component):
    # as published, without the mirrored ellipsoid below the plane
    model = load_galactic_model(nsd_symmetric_tilt=False)
    rng = np.random.default_rng(5)
    rows = read_rows(shared_dir / "reference" / "kinematics_reference.csv")
    rows = [row for row in rows if row["component"].lower() == component]
    assert rows
    for row in rows:
        distance = np.full(N_DRAW, float(row["D_pc"]))
        drawn = model.sample_observables(
            component, float(row["l_deg"]), float(row["b_deg"]), distance, rng
        )
        assert_draws_agree(drawn, row, 0.03, 0.04)


def test_mirrored_nuclear_disc_agrees_where_it_has_stars(shared_dir, model):
    rng = np.random.default_rng(6)
    for row in read_rows(shared_dir / "reference" / "kinematics_reference.csv"):
        if row["component"] == "NSD" and float(row["R_pc"]) < 500.0:
            distance = np.full(N_DRAW, float(row["D_pc"]))
            place = float(row["l_deg"]), float(row["b_deg"]), distance
            assert_draws_agree(model.sample_observables("nsd", *place, rng), row, 0.03, 0.04)


def test_draws_along_the_line_of_sight(shared_dir, model):
    rng = np.random.default_rng(7)
    edges = np.arange(0.0, 16001.0, 5.0)
    center = 0.5 * (edges[1:] + edges[:-1])
    for row in read_rows(shared_dir / "reference" / "kinematics_los_reference.csv"):
        component = row["component"].lower()
        if component.startswith("thin1"):
            continue  # sigma(mu_b) of thin1 hangs on a handful of stars next to the Sun
        l = rng.uniform(float(row["l_min"]), float(row["l_max"]), N_DRAW)
        b = rng.uniform(float(row["b_min"]), float(row["b_max"]), N_DRAW)
        density = model.number_density(l.mean(), b.mean(), center)[:, COMPONENTS.index(component)]
        cumulative = np.concatenate(([0.0], np.cumsum(density * center**2)))
        distance = np.interp(rng.random(N_DRAW), cumulative / cumulative[-1], edges)
        assert distance.mean() == pytest.approx(float(row["mean_D_pc"]), rel=0.01)
        drawn = model.sample_observables(component, l, b, distance, rng)
        assert_draws_agree(drawn, row, 0.03, 0.04)


def test_shu_anchors():
    """Mean and dispersion of v_phi from section 4.1 of the specification (z = 0)."""
    radius = np.array([500.0, 1000.0, 2000.0, 4000.0, 6000.0, 8160.0])
    expected = {
        ShuParameters(2600.0, 40.11, 14300.0, 8160.0): [
            [143, 157, 178, 203, 221, 224.6],
            [54, 61, 56, 51, 40, 29.5],
        ],
        ShuParameters(2200.0, 75.0, 180000.0, 8160.0): [
            [163, 165, 175, 191, 196, 189],
            [58, 66, 66, 68, 63, 56],
        ],
    }
    for shu, (mean, sigma) in expected.items():
        ours, variance = rotation_moments(shu_table(shu), radius, np.zeros(6))
        np.testing.assert_allclose(ours, mean, atol=1.5)
        # the anchors are for p(f) with its tails, which the published program cuts
        np.testing.assert_allclose(np.sqrt(variance), sigma, atol=2.0)


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("place", [(300.0, -140.0, -60.0), (-2500.0, 1234.0, 150.0)])
def test_moments_are_those_of_the_draws(model, component, place):
    part = model.components[component]
    here = tuple(np.full(N_DRAW, value) for value in place)
    uniforms = np.random.default_rng(8).random((N_DRAW, 3))
    drawn = part.sample_velocity(*here, uniforms)
    mean, covariance = (array[0] for array in part.velocity_moments(*here))
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((drawn.mean(axis=0) - mean) / sigma, 0.0, atol=0.02)
    difference = (np.cov(drawn.T) - covariance) / np.outer(sigma, sigma)
    np.testing.assert_allclose(difference, 0.0, atol=0.03)


def test_nuclear_disc_ellipsoid_can_mirror_below_the_plane(model):
    place = np.array([400.0, 400.0]), np.zeros(2), np.array([100.0, -100.0])
    mirrored = load_galactic_model(nsd_symmetric_tilt=True).components["nsd"]
    _, covariance = mirrored.velocity_moments(*place)
    above, below = covariance[:, 0, 2]
    assert above > 0.0
    assert below == -above
    assert model.components["nsd"].velocity_moments(*place)[1][1, 0, 2] == above


def test_tilted_bar_keeps_the_vertex_deviation():
    bar = load_galactic_model(bar_tilted_ellipsoid=True).components["bar"]
    plain = load_galactic_model().components["bar"]
    place = tuple(np.full(N_DRAW, value) for value in (200.0, 50.0, 20.0))
    mean, covariance = bar.velocity_moments(*place)
    assert covariance[0, 0, 1] > 0.0
    assert plain.velocity_moments(*place)[1][0, 0, 1] == 0.0
    drawn = bar.sample_velocity(*place, np.random.default_rng(9).random((N_DRAW, 3)))
    np.testing.assert_allclose(np.cov(drawn.T), covariance[0], atol=0.03 * covariance[0].max())
    np.testing.assert_allclose(drawn.mean(axis=0), mean[0], atol=2.0)


def test_everything_is_finite_at_the_centre_and_on_the_axis(model):
    z = np.array([0.0, 50.0, -50.0])
    for component in model.components.values():
        mean, covariance = component.velocity_moments(0.0 * z, 0.0 * z, z)
        drawn = component.sample_velocity(0.0 * z, 0.0 * z, z, np.full((3, 3), 0.3))
        assert np.isfinite(mean).all()
        assert np.isfinite(covariance).all()
        assert np.isfinite(drawn).all()


def test_rotation_curve():
    assert circular_velocity(0.0) == 0.0
    assert circular_velocity(8160.0) == pytest.approx(239.02, abs=0.01)
    assert circular_velocity(30_000.0) == pytest.approx(210.19, abs=0.01)
    assert height_lag(-1000.0) == pytest.approx(1.0374)
