"""Densities of all components against genulens and genstars."""

from __future__ import annotations

import csv
from functools import cache

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.words.components import COMPONENTS

VARIANTS = {
    "EXE": {},
    "E": {"bar": "E"},
    "G": {"bar": "G"},
    "GXG": {"bar": "G+G_X"},
    "EXE_hDISK1": {"disc": "linear"},
}
TITLES = {"nsd": "NSD", "nsc": "NSC"}
# Living stars: only print rounding in the discs; the age mix of genstars' nuclear stars and the
# coarse VVV-box integral of both programs elsewhere. Mass: their coarse sum over remnants too.
NUMBER_TOLERANCE = dict.fromkeys(COMPONENTS[:8], 1e-4) | dict.fromkeys(COMPONENTS[8:], 1e-3)

coordinates = st.floats(-9000.0, 9000.0)


@cache
def default_model():
    return load_galactic_model()


@pytest.fixture(scope="module")
def model():
    return default_model()


def read_columns(path, variant=None):
    with path.open() as stream:
        rows = [r for r in csv.DictReader(stream) if variant in (None, r.get("variant"))]
    names = [name for name in rows[0] if name != "variant"]
    return {name: np.array([float(row[name]) for row in rows]) for name in names}


def assert_agrees(ours, printed, tolerance):
    """Relative agreement beyond the resolution of seven printed digits."""
    finite = np.isfinite(printed)  # genstars prints inf at the centre of the star cluster
    ours, printed = ours[finite], printed[finite]
    exponent = np.floor(np.log10(np.where(printed > 0, printed, 1.0)))
    resolution = 0.5 * 10.0 ** (exponent - 6)
    np.testing.assert_array_less(
        np.abs(ours - printed), tolerance * printed + resolution * (printed > 0) + 1e-300
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_number_density_of_genulens(shared_dir, variant):
    ref = read_columns(shared_dir / "reference" / "density_reference.csv", variant)
    model = load_galactic_model(**VARIANTS[variant])
    density = model.number_density(ref["l_deg"], ref["b_deg"], ref["D_pc"])
    for i, name in enumerate(COMPONENTS[:10]):
        printed = ref[f"nMS_{TITLES.get(name, name)}"]
        assert_agrees(density[:, i], printed, NUMBER_TOLERANCE[name])


def test_densities_of_genstars(shared_dir, model):
    ref = read_columns(shared_dir / "reference" / "density_reference_genstars.csv")
    place = ref["l_deg"], ref["b_deg"], ref["D_pc"]
    for axis, ours in zip("xyz", model.position(*place), strict=True):
        np.testing.assert_allclose(ours, ref[f"{axis}_pc"], atol=1e-4)
    number, mass = model.number_density(*place), model.mass_density(*place)
    for i, name in enumerate(COMPONENTS):
        title = TITLES.get(name, name)
        assert_agrees(number[:, i], ref[f"nMS_{title}"], NUMBER_TOLERANCE[name])
        assert_agrees(mass[:, i], ref[f"rho_{title}"], 1e-3)


@settings(deadline=None)
@given(coordinates, coordinates, st.floats(-3000.0, 3000.0))
def test_densities_are_non_negative_and_symmetric(x, y, z):
    here = np.array([x, x, -x]), np.array([y, y, -y]), np.array([z, -z, z])
    for component in default_model().components.values():
        density = component.mass_density(*here)
        assert (density >= 0.0).all()
        assert np.isfinite(density).all()
        np.testing.assert_allclose(density, density[0], rtol=1e-9)


def test_shapes_and_quantities(model):
    plain = model.number_density(0.3, -0.2, np.array([[4000.0, 8000.0, 8160.0]]))
    assert plain.shape == (1, 3, 11)
    assert model.mass_density(0.3, -0.2, 8000.0).shape == (11,)
    given_units = model.number_density(
        18 * u.arcmin, -0.2 * u.deg, np.array([[4.0, 8.0, 8.16]]) * u.kpc
    )
    np.testing.assert_allclose(given_units, plain)


def test_center_is_finite(model):
    density = model.number_density(-0.056, -0.046, 8160.0)
    assert np.isfinite(density).all()
    assert density[-1] > 1e6
