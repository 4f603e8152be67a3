"""propagate: tables of every library, epochs of every kind."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from astropy.time import Time

import gcmock
from gcmock.errors import InputError
from gcmock.io.tables import kind_of, read_table


@pytest.fixture(scope="module")
def seen(mock):
    return gcmock.propagate(mock, epochs=[2031.0, 2032.0])


def test_tables_in_tables_out(kind, as_kind, column, mock, seen):
    found = gcmock.propagate(as_kind(mock), epochs=[2031.0, 2032.0])
    assert kind_of(found) == kind
    assert (column(found, "ra") == seen["ra"].value).all()


def test_units(seen, mock):
    assert len(seen) == 2 * len(mock)
    assert seen["ra_offset"].unit == u.mas


def test_files_in_and_out(mock_file, seen, tmp_path, shown):
    output = tmp_path / "directions.parquet"
    done = gcmock.propagate(mock_file, output, epochs=[2031.0, 2032.0])
    shown(done, output, 20)
    assert (read_table(output)["ra"] == seen["ra"]).all()
    assert (gcmock.propagate(mock_file, epochs=[2031.0, 2032.0])["ra"] == seen["ra"]).all()


def test_epochs(mock, seen, tmp_path):
    times = tmp_path / "times.txt"
    times.write_text("2031.0\n2032.0\n")
    years = np.array([2031.0, 2032.0])
    for options in (
        {"epochs": years * u.yr},
        {"epochs": Time(years, format="jyear", scale="tcb")},
        {"times": times},
        {"times": Table({"time": years})},
    ):
        found = gcmock.propagate(mock, **options)
        assert found["ra"].value == pytest.approx(seen["ra"].value, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no epoch is given"),
        ({"epochs": [2031.0], "times": "times.txt"}, "--epochs and --times exclude each other"),
        ({"epochs": 3000.0}, "out of range"),
        ({"epochs": 2031.0, "realisation": 4}, "<catalogue>: has no star of realisation 4|no star"),
    ],
)
def test_errors(mock, options, words):
    with pytest.raises(InputError, match=words):
        gcmock.propagate(mock, **options)


def test_errors_name_the_table(table):
    with pytest.raises(InputError, match=r"<catalogue>: no column ra"):
        gcmock.propagate(table, epochs=2031.0)
