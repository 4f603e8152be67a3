"""Columns of astropy become plain columns, or a reason why they do not."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from astropy.time import Time

from gcmock.errors import InputError
from gcmock.io.readers.flat import flat_table


def test_arrays_of_length_one_lose_their_axis():
    flat, unreadable = flat_table(Table({"x": np.ones((3, 1)), "v": np.ones((3, 2))}))
    assert flat["x"].shape == (3,)
    assert unreadable == {"v": "several numbers a row"}


def test_times_become_years():
    flat, _ = flat_table(QTable({"t": Time([2010.5, 2011.0], format="jyear")}))
    np.testing.assert_array_equal(flat["t"], [2010.5, 2011.0])
    assert str(flat["t"].unit) == "yr"


def test_sky_coordinates_have_positions_and_epochs():
    sky = SkyCoord([266.0, 267.0], [-29.0, -28.0], unit="deg", obstime=Time("J2016"))
    flat, _ = flat_table(QTable({"where": sky}))
    assert flat.colnames == ["ra", "dec", "ref_epoch"]
    np.testing.assert_allclose(flat["ref_epoch"], 2016.0)


def test_positions_of_the_cds_in_parts():
    table = Table(
        {"RAh": [17], "RAm": [45], "RAs": [40.0], "DE-": ["-"], "DEd": [0], "DEm": [30], "DEs": [0]}
    )
    flat, _ = flat_table(table)
    np.testing.assert_allclose(flat["ra"], 15 * (17 + 45 / 60 + 40 / 3600))
    np.testing.assert_allclose(flat["dec"], -0.5)


@pytest.mark.parametrize("signs", [None, ["-", "-", "+"], ["\N{MINUS SIGN}", " -", ""]])
def test_signs_of_declinations_in_parts(signs):
    """The sign is of all parts, whether the degrees have it or a column of its own."""
    table = Table({"RAh": [17] * 3, "RAm": [45] * 3, "RAs": [40.0] * 3})
    table["DEd"] = [-29.0, -0.0, 1.0] if signs is None else [29, 0, 1]
    table["DEm"], table["DEs"] = [30] * 3, [36.0] * 3
    if signs is not None:
        table["DE-"] = signs
    np.testing.assert_allclose(flat_table(table)[0]["dec"], [-29.51, -0.51, 1.51])


def test_two_positions_are_one_too_many():
    sky = SkyCoord([266.0], [-29.0], unit="deg")
    with pytest.raises(InputError, match="are SkyCoords: keep the one"):
        flat_table(QTable({"a": sky, "b": sky}))
