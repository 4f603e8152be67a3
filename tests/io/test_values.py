"""Values of a file as numbers in the unit of gcmock, and marks of missing ones as NaN."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gcmock.errors import InputError
from gcmock.io.columns import ColumnMatch
from gcmock.io.values import column_values, given_numbers


def test_numbers_as_they_are():
    masked = np.ma.masked_array([1, 2, 3], mask=[False, True, False])
    np.testing.assert_array_equal(given_numbers(masked), [1.0, np.nan, 3.0])
    found = given_numbers(np.array([np.inf, -np.inf, 2.0], np.float32))
    np.testing.assert_array_equal(found, [np.nan, np.nan, 2.0])


def test_units_and_marks():
    marked = Counter()
    match = ColumnMatch("plx", factor=1000.0)
    found = column_values(
        "t", np.array([0.002, 99.99, -999.0, 1e3, np.nan]), "parallax", match, marked
    )
    np.testing.assert_array_equal(found, [2.0, np.nan, np.nan, np.nan, np.nan])
    assert marked == {"parallax": 3}


def test_magnitudes_are_told_by_their_limits_alone():
    match = ColumnMatch("K")
    found = column_values("t", np.array([-5.0, -4.4, 27.9, 28.0, 99.0]), "phot_ks_mag", match)
    np.testing.assert_array_equal(found, [np.nan, -4.4, 27.9, np.nan, np.nan])


def test_values_of_the_file_do_not_change():
    values = np.array([99.0, 1.0])
    column_values("t", values, "parallax", ColumnMatch("plx", 2.0))
    assert values.tolist() == [99.0, 1.0]


def test_positions_in_base_60():
    hours, degrees = np.array(["12:00:00", "17 45 40.2"]), np.array(["-00:30:00", "+01 15 00"])
    np.testing.assert_allclose(
        column_values("t", hours, "ra", ColumnMatch("RA")), [180.0, 266.4175]
    )
    np.testing.assert_allclose(column_values("t", degrees, "dec", ColumnMatch("DE")), [-0.5, 1.25])
    in_degrees = ColumnMatch("RA", base="dms", unit="d:m:s")
    np.testing.assert_allclose(column_values("t", hours, "ra", in_degrees)[0], 12.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([True]), r"cat: column 'c' \(ruwe\) holds true and false, not numbers"),
        (np.array(["", "many"]), "holds text, not numbers, such as 'many'"),
        (np.array(["2000-01-01"], "M8[D]"), "holds dates, not numbers"),
        (np.array([1j]), "holds complex numbers"),
    ],
)
def test_what_is_no_number_is_named(values, words):
    with pytest.raises(InputError, match=words):
        column_values("cat", values, "ruwe", ColumnMatch("c"))


def test_units_that_contradict_the_values():
    with pytest.raises(InputError, match=r"has the unit 'h:m:s', but holds numbers"):
        column_values("t", np.array([1.0]), "ra", ColumnMatch("RA", base="hms", unit="h:m:s"))
    with pytest.raises(InputError, match=r"has the unit 'deg', but holds text such as '12:00:00'"):
        column_values("t", np.array(["12:00:00"]), "ra", ColumnMatch("RA", unit="deg"))
