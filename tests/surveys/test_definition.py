"""Definitions of the surveys are complete and consistent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy import units as u

from gcmock.errors import InputError
from gcmock.surveys.definition import FRAMES, load_survey, survey_names
from gcmock.surveys.source_table import SOURCE_COLUMNS, SOURCE_NAMES, Quality

ALL = [load_survey(name) for name in survey_names()]
SPELLINGS = [
    pytest.param(survey, spelling, id=f"{survey.name}-{spelling.name}")
    for survey in ALL
    for spelling in survey.spellings
]


@pytest.mark.parametrize("survey", ALL, ids=lambda survey: survey.name)
def test_values_are_possible(survey):
    assert survey.title
    assert survey.reference
    assert survey.photometric_system in {"2mass", "vista", "sirius", "hawki", "gaia"}
    assert 1995 < survey.ref_epoch < 2020
    assert 0 < survey.position_error_mas < 1000
    bands = {"g", "bp", "rp"} if survey.name == "gaia" else {"j", "h", "ks"}
    assert set(survey.default_error) == bands
    assert all(0 < error < 0.5 for error in survey.default_error.values())
    assert bool(survey.archives) != bool(survey.private)


@pytest.mark.parametrize(("survey", "spelling"), SPELLINGS)
def test_spellings_are_consistent(survey, spelling):
    roles = [column.role for column in spelling.columns]
    names = [name for column in spelling.columns for name in column.names]
    assert len(set(roles)) == len(roles)
    assert len({name.lower() for name in names}) == len(names)
    by_role = spelling.by_role
    assert {"ra", "dec"} <= by_role.keys()
    assert any(role.startswith("phot_") for role in roles)
    for column in spelling.columns:
        np.dtype(column.dtype)
        u.Unit(column.unit)
    assert by_role["ra"].dtype.startswith(("float", "U"))


@pytest.mark.parametrize("survey", ALL, ids=lambda survey: survey.name)
def test_archives_select_by_columns_that_they_have(survey):
    for archive in survey.archives:
        spelling = survey.spelling(archive.spelling)
        names = {column.name for column in spelling.columns}
        assert {archive.longitude, archive.latitude} <= names
        assert archive.frame in FRAMES
        assert archive.url.startswith("https://")
        assert archive.tables


def test_values_that_the_mission_uses_for_one_epoch():
    assert load_survey("virac2").default_error == {"j": 0.077, "h": 0.075, "ks": 0.095}
    assert load_survey("virac2").ref_epoch == 2014.0
    assert load_survey("gaia").ref_epoch == 2016.0
    assert math.isinf(load_survey("2mass").uwe_max)


def test_declination_of_virac2_has_two_names():
    virac2 = load_survey("virac2")
    assert virac2.spelling("eso").by_role["dec"].name == "de"
    assert virac2.spelling("eso").by_role["pmdec"].name == "pmde"
    assert virac2.spelling("sanders").by_role["dec"].name == "dec"
    assert virac2.spelling("sanders").by_role["pmdec"].name == "pmdec"


def test_source_columns():
    assert len(set(SOURCE_NAMES)) == len(SOURCE_NAMES)
    for column in SOURCE_COLUMNS:
        u.Unit(column.unit)
        assert column.description
    assert all(bit.description for bit in Quality)
    assert [bit.value for bit in Quality] == [2**i for i in range(len(Quality))]


def test_unknown_names_are_reported():
    with pytest.raises(InputError, match="unknown survey 'ukidss': expected one of 2mass, gaia"):
        load_survey("ukidss")
    with pytest.raises(InputError, match="2mass: no spelling 'eso'; there are: irsa, vizier"):
        load_survey("2mass").spelling("eso")
    with pytest.raises(InputError, match="gaia: no archive 'eso'; there are: gaia, vizier"):
        load_survey("gaia").archive("eso")
    with pytest.raises(InputError, match="not public: ask its authors"):
        load_survey("sirius").archive()
