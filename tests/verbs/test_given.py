"""What a verb is given: numbers with units, epochs, tables."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from astropy.time import Time

from gcmock.errors import InputError
from gcmock.io.metadata import read_metadata
from gcmock.io.readers.opening import open_table
from gcmock.io.tables import kind_of
from gcmock.verbs.given import julian_years, number, on_disk, pair, words_of


@pytest.mark.parametrize("given", [12, 12.0, 12 * u.mag, np.float32(12), 12000 * u.mmag])
def test_number(given):
    assert number(given, "mag", "ks_max") == pytest.approx(12.0)


@pytest.mark.parametrize("given", ["bright", None, 3 * u.deg, [1, 2], np.array([1.0, 2.0])])
def test_number_says_what_is_expected(given):
    with pytest.raises(InputError, match=r"ks_max = .*: expected one number in mag, or a Quantity"):
        number(given, "mag", "ks_max")


@pytest.mark.parametrize(
    "given",
    [
        (-1, 0.5),
        [-1 * u.deg, 30 * u.arcmin],
        [-60, 30] * u.arcmin,
        np.array([-1, 0.5]),
    ],
    ids=str,
)
def test_pair(given):
    assert pair(given, "deg", "l") == pytest.approx((-1.0, 0.5))


def test_corners_of_a_window():
    corners = SkyCoord([359.5, 0.5] * u.deg, [-0.2, 0.2] * u.deg, frame="galactic")
    assert pair(corners.icrs.galactic.l, "deg", "l") == pytest.approx((359.5, 0.5))
    assert pair(corners.b, "deg", "b") == pytest.approx((-0.2, 0.2))


@pytest.mark.parametrize("given", [1.0, (1, 2, 3), "1 2", (1 * u.pc, 2 * u.pc)], ids=str)
def test_pair_says_what_is_expected(given):
    with pytest.raises(InputError, match=r"l = .*: expected two numbers in deg"):
        pair(given, "deg", "l")


@pytest.mark.parametrize(
    "given",
    [2032.5, [2032.5], 2032.5 * u.yr, Time(2032.5, format="jyear", scale="tcb")],
    ids=str,
)
def test_julian_years(given):
    assert julian_years(given) == pytest.approx([2032.5], abs=1e-9)


def test_julian_years_are_tcb():
    barycentric = Time("2032-07-01T00:00:00", scale="tdb")
    assert julian_years(barycentric)[0] == pytest.approx(barycentric.tcb.jyear, abs=1e-12)


def test_julian_years_say_what_is_expected():
    with pytest.raises(InputError, match=r"epochs = .*: expected Julian years such as"):
        julian_years("soon")


def test_words():
    assert words_of("2mass, gaia,") == words_of(["2mass", " gaia"]) == ("2mass", "gaia")


def test_tables_keep_units_and_metadata(kind, as_kind, mock):
    with on_disk(as_kind(mock), "mock") as path:
        source, words = open_table(path), read_metadata(path)
    assert source.n_rows == len(mock)
    if kind in {"astropy", "pyarrow"}:
        assert source.units["distance_pc"] == "pc"
        assert words == mock.meta["gcmock"]


def test_errors_name_the_table_not_the_temporary_file(table):
    with (
        pytest.raises(InputError, match=r"^<catalogue>: is bad") as caught,
        on_disk(table, "catalogue") as path,
    ):
        raise InputError(f"{path}: is bad")
    assert caught.value.__cause__ is None
    assert not path.exists()


def test_paths_are_passed_on(stars_file):
    with on_disk(str(stars_file), "table") as path:
        assert path == stars_file


@pytest.mark.parametrize("given", [3, None, {"ra": [1]}])
def test_neither_path_nor_table(given):
    with pytest.raises(InputError, match="expected an astropy Table, a pandas or polars"):
        kind_of(given)


def test_sky_coordinates_become_columns():
    sky = SkyCoord(
        [266.4, 266.5] * u.deg, [-29.0, -28.9] * u.deg,
        pm_ra_cosdec=[1.0, 2.0] * u.mas / u.yr, pm_dec=[3.0, 4.0] * u.mas / u.yr,
    )  # fmt: skip
    with on_disk(QTable({"where": sky, "pmdec": [0.0, 0.0] * u.mas / u.yr}), "table") as path:
        source = open_table(path)
        found = next(source.chunks(10))
    assert source.units["ra"] == "deg"
    assert found["ra"] == pytest.approx([266.4, 266.5], abs=1e-12)
    assert found["dec"] == pytest.approx([-29.0, -28.9], abs=1e-12)
    assert found["pmra"] == pytest.approx([1.0, 2.0])
    assert found["pmdec"].tolist() == [0.0, 0.0]


def test_galactic_coordinates_stay_galactic():
    sky = SkyCoord([0.5, 359.0] * u.deg, [-0.1, 0.1] * u.deg, frame="galactic")
    with on_disk(Table({"where": sky}), "table") as path:
        found = next(open_table(path).chunks(10))
    assert list(found) == ["l", "b"]
    assert found["l"].tolist() == [0.5, 359.0]


def test_two_sky_coordinates_are_one_too_many():
    sky = SkyCoord([0.5] * u.deg, [0.1] * u.deg)
    with (
        pytest.raises(InputError, match="columns a, b are SkyCoords"),
        on_disk(Table({"a": sky, "b": sky}), "table"),
    ):
        pass
