"""Upper limits of 2MASS are told by their letters, or by missing errors."""

import numpy as np
import pytest

from gcmock.io.columns import ColumnMatch
from gcmock.io.upper_limits import QUALITY, limits_without_error, no_measurement

LETTERS = {QUALITY: ColumnMatch("Qflg")}


def test_letters_of_the_bands():
    found = no_measurement({"Qflg": np.array(["AAA", "UBX", "AU", "", "u  D"])}, LETTERS, 5)
    expected = [[0, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(found, np.array(expected, bool))


def test_no_letters_are_no_limits():
    assert not no_measurement({}, {}, 2).any()
    assert not no_measurement({"Qflg": np.array([111, 222])}, LETTERS, 2).any()


@pytest.mark.parametrize("name", ["j_m", "Jmag", "tmass_j_m", "Jmag_2mass"])
def test_magnitudes_of_2mass_without_errors_are_limits(name):
    matches = {"phot_j_mag": ColumnMatch(name), "phot_j_mag_error": ColumnMatch("e")}
    assert limits_without_error(matches, "j")
    assert not limits_without_error({"phot_j_mag": ColumnMatch(name)}, "j")


def test_other_magnitudes_without_errors_are_none():
    matches = {"phot_j_mag": ColumnMatch("phot_j_mag"), "phot_j_mag_error": ColumnMatch("e")}
    assert not limits_without_error(matches, "j")
