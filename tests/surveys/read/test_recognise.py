"""Which survey a table is, by the names of its columns."""

from __future__ import annotations

import pytest

from gcmock.errors import InputError
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.read.recognise import recognise

SPELLINGS = [
    (name, spelling.name) for name in survey_names() for spelling in load_survey(name).spellings
]


@pytest.mark.parametrize(("name", "spelling"), SPELLINGS)
def test_every_spelling_is_recognised_as_its_own(name, spelling):
    survey = load_survey(name)
    one = next(s for s in survey.spellings if s.name == spelling)
    found = recognise("table", [column.name for column in one.columns], survey=survey)
    assert found.spelling.name == spelling
    assert {role: m.name for role, m in found.matches.items()} == {
        column.role: column.name for column in one.columns
    }


def columns(name="2mass"):
    return [column.name for column in load_survey(name).spellings[0].columns]


def test_case_of_names_does_not_matter():
    found = recognise("table", [name.upper() for name in columns()])
    assert found.survey.name == "2mass"
    assert found.matches["ra"].name == found.matches["ra"].column.name.upper()


def test_unit_of_the_file_counts_before_that_of_the_definition():
    found = recognise("table", columns(), {found_name("ra"): "rad"})
    assert found.matches["ra"].factor == pytest.approx(57.29577951)
    assert found.matches["ra"].unit == "rad"
    with pytest.raises(InputError, match="kg"):
        recognise("table", columns(), {found_name("ra"): "kg"})


def found_name(role):
    return recognise("table", columns()).matches[role].name


def test_unknown_table_gets_an_explanation():
    lacking = [name for name in columns() if name != found_name("ra")]
    with pytest.raises(InputError) as error:
        recognise("stars.fits", [*lacking, "rra"], survey=load_survey("2mass"))
    text = str(error.value)
    assert text.startswith("stars.fits: not a table of 2mass.")
    assert f"which also needs: {found_name('ra')}" in text
    assert "what to do: rename the columns, or add a spelling to" in text
    with pytest.raises(InputError, match="name the survey"):
        recognise("stars.fits", [f"column_{k}" for k in range(50)])
