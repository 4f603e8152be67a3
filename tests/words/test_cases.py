"""The table of cases of measurements, and what is derived from it."""

from __future__ import annotations

import pytest

from gcmock.words import cases as words
from gcmock.words.bands import BANDS, LINEAR_BANDS
from gcmock.words.columns import OUTPUT_COLUMNS


def test_the_clean_case_changes_nothing() -> None:
    clean = words.CASES[words.CLEAN]
    assert (clean.name, clean.column) == ("clean", "")
    assert clean.mag == (0.0,) * len(BANDS)
    assert (clean.tau, clean.parallax) == (0.0, 1.0)


def test_every_other_case_widens_something_and_has_a_column() -> None:
    names = [case.name for case in words.CASES]
    assert len(set(names)) == len(names) == words.N_CASE
    for case in words.CASES[1:]:
        assert len(case.mag) == len(BANDS)
        assert min(case.mag) >= 0.0
        assert case.parallax >= 1.0
        assert max(case.mag) > 0.0 or case.tau > 0.0 or case.parallax > 1.0
        assert case.column in words.CASE_COLUMNS
        assert 0.0 < case.fraction < 0.1
    assert {case.column for case in words.CASES[1:]} == set(words.CASE_COLUMNS)


@pytest.mark.parametrize("band", LINEAR_BANDS)
def test_a_mismatch_is_of_one_band(band: str) -> None:
    (case,) = [case for case in words.CASES if case.name == f"mismatch_{band}"]
    widened = [name for name, mag in zip(BANDS, case.mag, strict=True) if mag > 0.0]
    assert widened == [band]


def test_usual_fractions_are_those_of_the_table_and_add_up_to_one() -> None:
    fraction = words.usual_fractions()
    assert fraction.shape == (words.N_CASE,)
    assert fraction.sum() == pytest.approx(1.0)
    assert fraction[1:].tolist() == [case.fraction for case in words.CASES[1:]]
    assert fraction[words.CLEAN] == fraction.max() > 0.9
    # An array of the caller's own.
    fraction[:] = 0.0
    assert words.usual_fractions().sum() == pytest.approx(1.0)


def test_catalogues_have_the_columns_of_the_cases() -> None:
    columns = [column.name for column in OUTPUT_COLUMNS]
    assert [f"p_{name}" for name in words.CASE_COLUMNS] == [
        name for name in columns if name.removeprefix("p_") in words.CASE_COLUMNS
    ]
