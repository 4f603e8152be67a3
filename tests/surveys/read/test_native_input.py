"""Native tables of surveys where observed stars are expected: what is said, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
from survey_tables import native_table

from gcmock.errors import InputError
from gcmock.io.tables import in_memory
from gcmock.settings.build import load_config
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.read.native_input import check_system, what_to_do
from gcmock.surveys.read.native_input import native_table as recognised

SPELLINGS = [(n, s.name) for n in survey_names() for s in load_survey(n).spellings if s.header]


@pytest.mark.parametrize(("survey", "spelling"), SPELLINGS)
def test_every_native_table_is_named_with_the_command_that_reads_it(survey, spelling):
    names = native_table(survey, spelling).colnames
    text = what_to_do(Path("a.fits"), names)
    assert f"is a table of {load_survey(survey).label}" in text
    assert "gcmock merge" in text


def test_other_tables_are_none():
    assert recognised(["ra", "dec", "phot_ks_mag"]) is None
    assert what_to_do(Path("a.fits"), ["ra", "dec", "phot_ks_mag"]) == ""


def config(columns, **photometry):
    return load_config(None, {"columns": columns, "photometry": photometry})


@pytest.mark.parametrize(
    ("survey", "spelling", "name", "system"),
    [
        ("vvv", "dr2", "Ksmag3", "vista"),
        ("virac2", "eso", "phot_ks_mean_mag", "vista"),
        ("gnc", "vizier", "Ksmag", "hawki"),
    ],
)
def test_the_system_of_a_survey_must_be_said(survey, spelling, name, system):
    table = in_memory(native_table(survey, spelling))
    columns = {"phot_ks_mag": name}
    with pytest.raises(InputError, match=rf'\[photometry\] system = "{system}"'):
        check_system(table, config(columns))
    assert "gcmock merge" in check_system(table, config(columns, system=system))
    assert "gcmock merge" in check_system(table, config(columns, system="2mass"))


def test_2mass_and_own_columns_need_no_system():
    table = in_memory(native_table("2mass", "irsa"))
    assert "gcmock merge" in check_system(table, config({"phot_ks_mag": "k_m"}))
    assert check_system(table, config({})) == ""
    mine = native_table("vvv", "dr2")
    mine["my_ks"] = mine["Ksmag3"]
    assert check_system(in_memory(mine), config({"phot_ks_mag": "my_ks"})) == ""
