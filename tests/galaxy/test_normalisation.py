"""Masses and living stars of the components: local densities, the discs and the bar in a box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import dblquad

from gcmock.data import read_toml
from gcmock.galaxy.bar import BarShape, BoxyShape, box_integral
from gcmock.galaxy.disc import DiscShape, relative_density
from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.galaxy.normalisation import (
    bar_central_scale,
    disc_local_densities,
    disc_mass_in_box,
    gaussian_age_budget,
    thin_disc_history,
)
from gcmock.stars.imf import load_imf
from gcmock.stars.mass_budget import dying_mass_table, mass_budget
from gcmock.words.components import COMPONENTS

R0 = 8160.0
SHAPE = DiscShape(2600.0, 300.0, 180.0, "sech2", "flat", "exponential", R0, 5300, 3740, 4500)
HALF_SIZE = (2200.0, 1400.0, 1200.0)


def test_ages_of_a_thin_disc() -> None:
    """Steps of 0.01 Gyr above the youngest age, up to and with the oldest."""
    age, born = thin_disc_history(0.15, 1.0)
    assert age.size == 85
    np.testing.assert_allclose(age[[0, -1]], [0.16, 1.0])
    np.testing.assert_allclose(np.diff(age), 0.01)
    np.testing.assert_allclose(born[-1] / born[0], np.exp((1.0 - 0.16) / 7.0))


def test_ages_of_neighbouring_discs_join() -> None:
    bounds = [row["age_gyr"][:2] for row in read_toml("disc.toml")["components"].values()
              if isinstance(row, dict)][:7]  # fmt: skip
    ages = np.concatenate([thin_disc_history(*pair)[0] for pair in bounds])
    np.testing.assert_allclose(ages, 0.01 * np.arange(1, 1001))


def test_living_thin_discs_add_up_to_what_was_counted() -> None:
    """Bovy 2017: 0.042 Msun/pc3 of living stars in the thin disc; 4 % of that in the thick one."""
    found = disc_local_densities(load_imf(), R0)
    thin = [value.living for name, value in found.items() if name.startswith("thin")]
    assert len(thin) == 7
    assert sum(thin) == pytest.approx(0.042)
    assert found["thick"].living == pytest.approx(0.04 * 0.042)
    assert all(value.total > value.living > 0.0 for value in found.values())


def test_old_discs_hold_more_remnants() -> None:
    found = disc_local_densities(load_imf(), R0)
    fraction = [found[name].living / found[name].total for name in COMPONENTS[:8]]
    assert fraction == sorted(fraction, reverse=True)


def test_fractions_of_two_discs_of_the_same_length() -> None:
    """Living mass over the spread R_d z_d exp(R0 / R_d), of which only z_d differs here."""
    rows, imf = read_toml("disc.toml")["components"], load_imf()
    found = disc_local_densities(imf, R0)

    def fraction(name: str) -> float:
        row = rows[name]
        age, born = thin_disc_history(*row["age_gyr"][:2])
        return mass_budget(imf, "thin", age, born).living_mass * born.sum() / row["scale_height_pc"]

    assert found["thin3"].living / found["thin6"].living == pytest.approx(
        fraction("thin3") / fraction("thin6")
    )


def test_published_local_numbers() -> None:
    """Section 2.1 of the specification: living stars per pc3 in the plane at the Sun."""
    components = load_galactic_model().components
    zero = np.zeros(1)
    expected = [1.386e-2, 1.529e-2, 1.274e-2, 1.108e-2, 2.121e-2, 2.347e-2, 4.920e-2, 8.039e-3]
    for name, value in zip(COMPONENTS[:8], expected, strict=True):
        disc = components[name]
        here = disc.mass_density(zero + R0, zero, zero) * disc.stars_per_mass
        assert here[0] == pytest.approx(value, rel=5e-4)


def test_a_narrow_mix_of_ages_is_one_age() -> None:
    imf = load_imf()
    age = dying_mass_table("bar")[0]
    middle = float(age[np.abs(age - 9.0).argmin()])
    narrow, one = gaussian_age_budget(imf, "bar", middle, 1e-3), mass_budget(imf, "bar", middle)
    assert narrow.stars_per_mass == pytest.approx(one.stars_per_mass)
    wide = gaussian_age_budget(imf, "bar", middle, 1.0)
    assert wide.stars_per_mass == pytest.approx(one.stars_per_mass, rel=0.01)


@pytest.mark.parametrize("vertical", ["sech2", "exponential"])
@pytest.mark.parametrize("model", ["flat", "linear"])
def test_mass_in_the_box_agrees_with_quadrature(vertical: str, model: str) -> None:
    """In a thin slab along z, so that the reference needs two dimensions only."""
    shape = replace(SHAPE, vertical=vertical, scale_height_model=model)
    half_y = 1.0

    def density(z: float, x: float) -> float:
        return float(relative_density(np.array(x), np.array(z), shape))

    quarter, _ = dblquad(density, 0.0, 2200.0, 0.0, 1200.0, epsrel=1e-6)
    found = disc_mass_in_box(shape, (2200.0, half_y, 1200.0))
    assert found == pytest.approx(4.0 * 2.0 * half_y * quarter, rel=1e-4)


def test_the_bar_gets_what_the_discs_leave() -> None:
    """Mass of the box (1.32e10 Msun times the fitted factor) less that of the discs."""
    bar = BarShape("gaussian", BoxyShape((800.0, 400.0, 300.0), (2.0, 2.0)), 1e9, 500.0, None)
    volume = box_integral(bar, HALF_SIZE)
    assert bar_central_scale(bar, 0.8, 1e9) * volume == pytest.approx(0.8 * 1.32e10 - 1e9)


def test_less_disc_leaves_more_bar() -> None:
    scale = {
        inner: load_galactic_model(inner_disc=inner).components["bar"].central_scale
        for inner in ("hole", "break", "exponential")
    }
    assert scale["hole"] > scale["break"] > scale["exponential"]
