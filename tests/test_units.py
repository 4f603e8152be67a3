"""Quantities become plain arrays of the internal unit."""

from __future__ import annotations

import subprocess
import sys

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Angle
from astropy.table import QTable, Table

from gcmock.errors import InputError
from gcmock.units import ARCMIN2_TO_SR, KMS_TO_MAS_PC, K, to_value


@pytest.mark.parametrize(
    ("quantity", "unit", "expected"),
    [
        (8.16 * u.kpc, "pc", 8160.0),
        (3.6e6 * u.m / u.hour, "km/s", 1.0),
        ([1.0, 2.0] * u.arcsec / u.yr, "mas/yr", [1000.0, 2000.0]),
        (Angle(30, "arcmin"), "deg", 0.5),
        (Table({"d": [1.0] * u.kpc})["d"], "pc", [1000.0]),
        (QTable({"d": [1.0] * u.kpc})["d"], "pc", [1000.0]),
    ],
)
def test_quantities_are_converted(quantity, unit, expected):
    value = to_value(quantity, unit)
    assert type(value) is np.ndarray
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, expected)


def test_bare_numbers_are_in_the_internal_unit():
    np.testing.assert_array_equal(to_value([1, 2], "pc"), [1.0, 2.0])
    assert to_value(3, "pc").shape == ()


def test_masked_values_become_nan():
    value = to_value(np.ma.array([1, 2], mask=[False, True]), "mag")
    assert value[0] == 1.0
    assert np.isnan(value[1])


def test_wrong_units_and_text_are_explained():
    with pytest.raises(InputError, match="expected a quantity in pc, got deg"):
        to_value(1.0 * u.deg, "pc")
    with pytest.raises(InputError, match="expected numbers in pc"):
        to_value("far", "pc")


def test_constants():
    assert pytest.approx(4.740470463533349, rel=1e-12) == K  # 1 au / Julian year
    one = (1.0 * u.km / u.s / u.pc).to_value(u.mas / u.yr, u.dimensionless_angles())
    assert pytest.approx(one, rel=2e-6) == KMS_TO_MAS_PC
    assert pytest.approx((1 * u.arcmin**2).to_value(u.sr)) == ARCMIN2_TO_SR


@pytest.mark.slow
def test_model_does_not_import_astropy():
    code = "import sys, gcmock.galaxy.galactic_model; sys.exit('astropy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
