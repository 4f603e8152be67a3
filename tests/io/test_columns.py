"""Columns of an input table and their units are found before any row is read."""

from __future__ import annotations

import pytest

from gcmock.errors import InputError
from gcmock.io.columns import match_columns

LEAST = ["source_id", "ra", "dec", "phot_ks_mag"]


def found(names: list[str], **chosen: str) -> dict[str, str]:
    """Names in the file by those of gcmock."""
    return {key: m.name for key, m in match_columns("t.fits", names, {}, chosen).items()}


def factor(column: str, unit: str) -> float:
    names = [*LEAST, column] if column not in LEAST else LEAST
    return match_columns("t.fits", names, {column: unit}, {})[column].factor


def test_names_of_gcmock_are_found_in_any_case() -> None:
    assert found(LEAST) == dict(zip(LEAST, LEAST, strict=True))
    names = ["SOURCE_ID", "RA", "Dec", "Phot_Ks_Mag"]
    assert found(names) == dict(zip(LEAST, names, strict=True))


def test_an_exact_name_wins_over_another_case() -> None:
    assert found([*LEAST, "RA"])["ra"] == "ra"


def test_galactic_coordinates_must_be_spelt_exactly() -> None:
    """B and L may well be magnitudes."""
    assert found(["l", "b", "phot_h_mag"]) == {"l": "l", "b": "b", "phot_h_mag": "phot_h_mag"}
    assert found(["glon", "GLAT", "phot_h_mag"])["b"] == "GLAT"
    with pytest.raises(InputError, match="no position"):
        found(["L", "B", "phot_h_mag"])


def test_chosen_names_win() -> None:
    assert found([*LEAST, "RAJ"], ra="RAJ")["ra"] == "RAJ"
    with pytest.raises(InputError, match=r"no column 'rah', which \[columns\] gives for ra"):
        found(LEAST, ra="rah")


def test_two_candidates_are_not_guessed() -> None:
    with pytest.raises(InputError, match=r"'Ra' and 'RA' could both be ra; choose one"):
        found(["Ra", "RA", "dec", "phot_ks_mag"])


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["ra", "phot_ks_mag"], "no position: needs columns ra and dec, or l and b"),
        (["ra", "dec"], "no magnitudes: needs at least one of phot_j_mag"),
        (["ra", "dec", "ksmag_x"], r"The file has: ra, dec, ksmag_x"),
        (["ra", "dec", "Kmag"], r'\[columns\] phot_ks_mag = "Kmag"'),
        (["ra", "dec", "phot_h_mag_ab"], "is in the AB system, but phot_h_mag must be Vega"),
    ],
)
def test_what_is_missing_is_named(names: list[str], words: str) -> None:
    with pytest.raises(InputError, match=rf"^t\.fits: .*{words}"):
        found(names)


@pytest.mark.parametrize(
    ("column", "unit", "expected"),
    [
        ("ra", "deg", 1.0),
        ("ra", "rad", 57.29577951308232),
        ("phot_ks_mag", "mag", 1.0),
        ("phot_ks_mag", "mmag", 1e-3),
        ("parallax", "arcsec", 1000.0),
        ("pmra", "arcsec/yr", 1000.0),
        ("radial_velocity", "m/s", 1e-3),
        ("ra", "", 1.0),
    ],
)
def test_units_are_converted(column: str, unit: str, expected: float) -> None:
    assert factor(column, unit) == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["mas/yr", "mas / yr", "mas.yr-1", "mas yr-1", "mas yr**-1"])
def test_spellings_of_a_unit_leave_the_values_alone(unit: str) -> None:
    assert factor("pmra", unit) == 1.0


@pytest.mark.parametrize(
    ("column", "unit", "words"),
    [
        ("ra", "km", "has the unit 'km', but ra needs deg"),
        ("ra", "furlong_x", "has the unknown unit 'furlong_x'"),
        ("phot_ks_mag", "mag(AB)", r"is in mag\(AB\), but phot_ks_mag must be Vega"),
        ("parallax", "pc", "has the unit 'pc', but parallax needs mas"),
    ],
)
def test_wrong_units(column: str, unit: str, words: str) -> None:
    with pytest.raises(InputError, match=rf"column '{column}' .*{words}|{words}"):
        factor(column, unit)


@pytest.mark.parametrize("unit", ["vegamag", "Vega mag", "mag(Vega)"])
def test_vega_magnitudes_are_magnitudes(unit: str) -> None:
    assert factor("phot_ks_mag", unit) == 1.0
