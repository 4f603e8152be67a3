"""Living stars and remnants of a population."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.stars.imf import load_imf
from gcmock.stars.mass_budget import (
    dying_mass,
    dying_mass_table,
    mass_budget,
    remnant_mass,
    remnant_mass_per_star,
)


def gaussian(family, mean):
    age, _ = dying_mass_table(family)
    return age, np.exp(-0.5 * (age - mean) ** 2)


@pytest.mark.parametrize(
    ("family", "age", "expected"),
    [
        ("thin", 0.0, 7.225),
        ("thin", 0.05, 7.225),
        ("thin", 0.149, 5.315),
        ("thin", 0.15, 4.517),
        ("thin", 1.0, 2.307),
        ("thin", 10.0, 1.011),
        ("thick", 12.0, 0.85677),
        ("halo", 14.0, 0.7762),
        ("bar", 9.0, 1.06784),
        ("nsd", 7.0, 1.16539),
    ],
)
def test_dying_mass(family, age, expected):
    assert dying_mass(family, age) == pytest.approx(expected, abs=5e-4)


def test_unknown_family_is_explained():
    with pytest.raises(InputError, match="thin, thick"):
        dying_mass("disc", 1.0)


@pytest.mark.parametrize(
    ("family", "mean_age", "fraction", "living", "remnant"),
    [("bar", 9.0, 0.69810, 0.240191, 0.846798), ("nsd", 7.0, 0.724833, 0.251865, 0.887304)],
)
def test_published_budgets(family, mean_age, fraction, living, remnant):
    budget = mass_budget(load_imf(), family, *gaussian(family, mean_age))
    assert budget.mean_living_mass == pytest.approx(living, rel=1e-5)
    # the published sum over remnants is a coarse one: 0.1 %
    assert budget.remnant_mass / budget.remnant_number == pytest.approx(remnant, rel=1e-3)
    assert budget.living_mass_fraction == pytest.approx(fraction, rel=5e-4)


def test_remnants_agree_with_direct_integration():
    imf = load_imf()
    mass = np.geomspace(1.0, 120.0, 400_001)
    direct = np.trapezoid(imf.density(mass) * remnant_mass(mass), mass)
    assert remnant_mass_per_star(imf, 1.0) == pytest.approx(direct, rel=1e-4)


@given(st.floats(0.8, 119.0))
def test_remnants_are_lighter_than_their_stars(mass):
    assert 0.0 < remnant_mass(mass) < mass


@given(st.floats(0.05, 10.0))
def test_budget_is_consistent(age):
    imf = load_imf()
    budget = mass_budget(imf, "thin", age)
    assert budget.living_number + budget.remnant_number == pytest.approx(1.0)
    assert budget.living_mass + budget.remnant_mass < imf.mean_mass
    assert budget.stars_per_mass > 1.0


def test_mixture_lies_between_its_ages():
    imf = load_imf()
    young, old = (mass_budget(imf, "thin", age).living_number for age in (1.0, 9.0))
    mixed = mass_budget(imf, "thin", [1.0, 9.0], [2.0, 6.0]).living_number
    assert mixed == pytest.approx(0.25 * young + 0.75 * old)
