"""The bars of other models: published formulas, masses and densities."""

from __future__ import annotations

from math import cosh, exp, hypot, pi, sqrt

import numpy as np
import pytest
from scipy.special import k0

from gcmock.galaxy.bar import Bar, box_integral
from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.galaxy.peanut_bar import density
from gcmock.stars.imf import load_imf

POINTS_PC = ((100.0, 0.0, 0.0), (300.0, 200.0, -150.0), (-900.0, 250.0, 700.0), (3500.0, 400.0, 90))
VVV_BOX_PC = (2200.0, 1400.0, 1200.0)


def bar(name: str, **keywords: object) -> Bar:
    found = load_galactic_model(bar=name, **keywords).components["bar"]  # type: ignore[arg-type]
    assert isinstance(found, Bar)
    return found


def along(angle_deg: float, point: tuple[float, float, float]) -> tuple[np.ndarray, ...]:
    """Model position of a point in the axes of a bar."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    x, y, z = point
    return np.array([x * cos - y * sin]), np.array([x * sin + y * cos]), np.array([z])


def sormani(x: float, y: float, z: float) -> float:
    """Sum of the peanut and two long bars, kpc and Msun/kpc3 as they were published."""
    x, y, z = x / 1e3, y / 1e3, z / 1e3
    plane = (abs(x) / 0.490209137) ** 2.23179266 + (abs(y) / 0.392017253) ** 2.23179266
    a = plane ** (1.99110223 / 2.23179266) + (abs(z) / 0.229482096) ** 1.99110223
    a **= 1 / 1.99110223
    arms = 0.0
    for sign in (1, -1):
        r = hypot((x + sign * 1.34152138 * z) / 0.750504078, y / 0.468875471)
        arms += exp(-(r**1.94025114))
    total = 3.16273226e9 / cosh(a**0.87322794) * (1 + 0.625670015 * arms)
    total *= exp(-(x * x + y * y + z * z) / 4.36983774**2)
    radius = hypot(x, y)
    for norm, x0, y0, height, cperp, cpar, outer, inner, n_outer, n_inner in (
        (4.95381575e8, 5.36363324, 0.958522229, 0.610542494, 0.96964522, 3.05125124,
         3.19043585, 0.558255674, 16.7310332, 3.19575493),
        (1.74304936e13, 0.477961423, 0.266853061, 0.25151692, 1.87882599, 0.98013671,
         2.20415408, 7.60708626, -27.2907665, 1.62966434),
    ):  # fmt: skip
        a = ((abs(x) / x0) ** cperp + (abs(y) / y0) ** cperp) ** (1 / cperp)
        ends = (radius / outer) ** n_outer + (inner / radius) ** n_inner
        total += norm / cosh(z / height) ** 2 * exp(-(a**cpar) - ends)
    return total / 1e9


def huston(x: float, y: float, z: float) -> float:
    """E3 of Dwek et al. 1995 with the numbers of SP-H25."""
    s = (((x / 670) ** 2 + (y / 290) ** 2) ** 2 + (z / 270) ** 4) ** 0.25
    return 13.2585 * float(k0(s))


@pytest.mark.parametrize(
    ("name", "formula", "angle"), [("sormani2022", sormani, 25.2), ("huston2025", huston, 29.4)]
)
def test_densities_are_those_of_the_published_formulas(name, formula, angle) -> None:
    made = bar(name)
    found = [made.mass_density(*along(angle, point))[0] for point in POINTS_PC]
    np.testing.assert_allclose(found, [formula(*point) for point in POINTS_PC], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "on_axis", "wide", "vvv"),
    [
        ("E+E_X", (12.0, 7.0, 1.7), 1.10e10, 0.96e10),
        ("huston2025", (27.0, 13.5, 2.9), 1.79e10, 1.58e10),
        ("sormani2022", (6.8, 5.3, 1.5), 1.75e10, 1.27e10),
    ],
)
def test_masses_and_densities_on_the_long_axis(name, on_axis, wide, vvv) -> None:
    made = bar(name)
    found = [
        made.mass_density(*along(made.angle_deg, (r, 0.0, 0.0)))[0] for r in (100.0, 300.0, 1e3)
    ]
    np.testing.assert_allclose(found, on_axis, atol=0.06)
    masses = [
        made.central_scale * box_integral(made.shape, box, order=96)
        for box in ((4500.0, 2500.0, 2000.0), VVV_BOX_PC)
    ]
    np.testing.assert_allclose(masses, (wide, vvv), rtol=0.01)


def test_the_mass_of_e3_is_that_of_its_integral() -> None:
    # The volume inside s is s^3 times that of the solid with the exponents 2 and 4.
    u = (np.arange(4000) + 0.5) / 4000
    solid = 2 * pi * 670 * 290 * 270 * np.mean(np.sqrt(1 - u**4))
    total = 13.2585 * solid * 3 * pi / 2  # integral of s^2 K0 is pi/2
    made = bar("huston2025")
    mass = made.central_scale * box_integral(made.shape, (9e3, 6e3, 6e3), order=96)
    assert mass == pytest.approx(total, rel=2e-3)
    assert total == pytest.approx(1.80e10, rel=0.01)


@pytest.mark.parametrize("name", ["sormani2022", "huston2025"])
def test_densities_are_finite_at_the_centre_and_far_away(name: str) -> None:
    made = bar(name)
    x = np.array([0.0, 1e-9, 2e4, 1e5])
    found = made.mass_density(x, np.zeros(4), np.zeros(4))
    assert np.all(np.isfinite(found))
    assert found[0] > found[2] >= 0.0


def test_long_bars_are_symmetric() -> None:
    shape = bar("sormani2022").shape
    x, y, z = (np.array([v]) for v in (2100.0, 300.0, 200.0))
    np.testing.assert_allclose(density(x, y, z, shape), density(-x, -y, z, shape))
    np.testing.assert_allclose(density(x, y, z, shape), density(x, -y, -z, shape))


@pytest.mark.parametrize(
    ("name", "speed", "imf"),
    [
        ("sormani2022", 37.5, load_imf("E+E_X")),
        ("huston2025", 50.357033142405, load_imf("default", source="kroupa2001")),
    ],
)
def test_what_belongs_to_a_bar_comes_with_it(name: str, speed: float, imf: object) -> None:
    model = load_galactic_model(bar=name)
    assert model.components["bar"].kinematics.pattern_speed == speed  # type: ignore[attr-defined]
    assert model.imf == imf
    assert load_galactic_model(bar=name, imf="G").imf == load_imf("G")
    assert bar(name, bar_angle_deg=20.0).angle_deg == 20.0


@pytest.mark.parametrize("name", ["sormani2022", "huston2025"])
def test_velocities_are_drawn_with_the_stated_moments(name: str) -> None:
    made = bar(name)
    n = 20_000
    x, y, z = (np.full(n, v) for v in (400.0, 300.0, 200.0))
    drawn = made.sample_velocity(x, y, z, np.random.default_rng(3).random((n, 3)))
    mean, covariance = made.velocity_moments(x[:1], y[:1], z[:1])
    np.testing.assert_allclose(drawn.mean(axis=0), mean[0], atol=5 * 150 / sqrt(n))
    np.testing.assert_allclose(drawn.var(axis=0), np.diag(covariance[0]), rtol=0.06)


def test_the_cluster_says_that_its_velocities_were_made_for_another_bar() -> None:
    for name in ("sormani2022", "huston2025"):
        assert any("nuclear star cluster" in line for line in load_galactic_model(bar=name).remarks)
