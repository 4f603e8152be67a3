"""Marks of missing values are told from numbers by limits per quantity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.io.missing import is_impossible, is_nines, unmeasured_magnitude
from gcmock.words.columns import INPUT_COLUMNS, LIMITS

MARKS = [-9.999995e8, 1e20, -1e20, -99999.0, -9999.99, 9999.0, -32768.0, -999.0, 1e30, 99999.0]


@pytest.mark.parametrize("name", [name for name in LIMITS if name != "ruwe"])
@pytest.mark.parametrize("mark", [*MARKS, 99.9, -99.999, 999.999])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_marks(name, mark, dtype):
    value = np.array([mark], dtype=dtype).astype(np.float64)
    assert (is_nines(value) | is_impossible(name, value))[0]


def test_magnitudes():
    marks = np.array([49.99, 99.9, 30.0, -9.99, 88.8, -99.0])
    assert is_impossible("phot_ks_mag", marks).all()
    mag = np.array([0.0, 0.0, 0.0, -1.0, -1.0, 12.0, 12.0, 12.0, 22.0, -3.0])
    error = np.array([0.0, np.nan, 0.05, -1.0, np.nan, 0.0, -99.999, np.nan, 9.99, 0.02])
    np.testing.assert_array_equal(unmeasured_magnitude(mag, error), [1, 1, 1, 1, 1, 0, 0, 0, 1, 0])


@given(st.floats(-98.9, 98.9))
def test_small_numbers_are_no_marks(value):
    assert not is_nines(np.array([value]))[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", range(2, 8))
def test_round_numbers_are_no_marks(power, dtype):
    """10 km/s are 10000 m/s."""
    assert not is_nines(np.array([10.0**power, -(10.0**power)], dtype).astype(np.float64)).any()


def test_real_stars_are_inside():
    extreme = {"phot_ks_mag": -4.4, "parallax": 768.07, "pmdec": 10362.4, "radial_velocity": 4000.0}
    for name, value in extreme.items():
        assert not is_impossible(name, np.array([value]))[0]
        assert not is_nines(np.array([value]))[0]


def test_every_quantity_has_limits():
    without = {
        "source_id",
        "ra",
        "dec",
        "l",
        "b",
        "pmra_pmdec_corr",
        "ref_epoch",
        "photometric_quality",
    }
    assert {c.name for c in INPUT_COLUMNS} - set(LIMITS) == without
