"""export: tables of every library, missions by name, file and object."""

from __future__ import annotations

import astropy.units as u
import pytest

import gcmock
from gcmock.errors import InputError
from gcmock.io.tables import kind_of, read_table
from gcmock.verbs.settings import mission_of


def test_tables_in_tables_out(kind, as_kind, column, mock):
    expected = gcmock.export(mock, mission="gaianir")
    found = gcmock.export(as_kind(mock), mission="gaianir")
    assert kind_of(found) == kind
    assert (column(found, "epoch_error") == expected["epoch_error"].value).all()
    assert expected["epoch_error"].unit == u.mas


def test_files_and_missions(mock, mock_file, tmp_path, shown):
    output = tmp_path / "gaianir.parquet"
    done = gcmock.export(mock_file, output, mission=mission_of("gaianir", None, None))
    shown(done, output, 20)
    found = read_table(output)
    assert (found["source_id"] == gcmock.export(mock, mission="gaianir")["source_id"]).all()


def test_settings_of_the_mission(mock):
    faint = float(mock["phot_hw_mag"].value.mean())
    found = gcmock.export(mock, mission="gaianir", set={"magnitudes.faint": faint})
    assert 0 < len(found) < len(mock)


def test_errors(mock, table):
    with pytest.raises(InputError, match=r"unknown mission 'jasmin'.*did you mean 'jasmine'"):
        gcmock.export(mock, mission="jasmin")
    with pytest.raises(InputError, match="<mock>: no column"):
        gcmock.export(table)
    with pytest.raises(InputError, match=r"--set nonsense: write section.key=value"):
        gcmock.export(mock, set=["nonsense"])
