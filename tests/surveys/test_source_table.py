"""The table into which every survey is read: bits that do not collide, columns that are known."""

from __future__ import annotations

from astropy.units import Unit

from gcmock.surveys.source_table import SOURCE_COLUMNS, SOURCE_NAMES, UPPER_LIMIT, Quality
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS


def test_every_bit_is_one_and_has_a_meaning_of_its_own():
    assert [bit.value for bit in Quality] == [1 << k for k in range(len(Quality))]
    assert len({bit.description for bit in Quality}) == len(Quality)
    assert [UPPER_LIMIT[band].description for band in SURVEY_BANDS] == [
        "J was an upper limit", "H was an upper limit", "Ks was an upper limit",
    ]  # fmt: skip


def test_columns_have_names_of_their_own_and_units():
    assert len(set(SOURCE_NAMES)) == len(SOURCE_COLUMNS)
    for column in SOURCE_COLUMNS:
        Unit(column.unit)
        assert column.ucd
        assert column.description


def test_measured_quantities_have_errors_in_their_units():
    units = {column.name: column.unit for column in SOURCE_COLUMNS}
    quantities = [f"phot_{band}_mag" for band in (*SURVEY_BANDS, *GAIA_BANDS)]
    for name in (*quantities, "parallax", "pmra", "pmdec", "radial_velocity"):
        assert units[f"{name}_error"] == units[name]
    # Errors of positions are small: they have a unit of their own.
    assert units["ra_error"] == units["dec_error"] == "mas"
