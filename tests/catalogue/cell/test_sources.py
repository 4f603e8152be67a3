"""Sources of one survey as arrays that can be compared."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from survey_sources import survey_sources, survey_table

from gcmock.catalogue.cell.sources import (
    canonical_order,
    magnitudes,
    make_sources,
    numbers,
    position_error,
    stored_columns,
)
from gcmock.surveys.definition import load_survey


def test_equal_positions_are_ordered_by_their_identifier():
    table = pa.table({"source_id": ["b", "a", "c"], "ra": [1.0, 1.0, 1.0], "dec": [2.0, 2.0, 1.0]})
    np.testing.assert_array_equal(canonical_order(table), [2, 1, 0])


def test_offsets_are_taken_away_and_floors_added():
    table = survey_table(
        "2mass", [0.0, 3.0], ra_error=30.0, dec_error=np.nan, phot_ks_mag=12.0
    ).take(pa.array([1, 0]))
    survey = load_survey("2mass")
    plain = make_sources(survey, table, np.array([True, False]))
    offset, zero = np.array([[0.2, -0.1], [0.0, 0.0]]), np.array([[0.0, 0.0, 0.1], [0.0] * 3])
    sources = make_sources(survey, table, np.array([True, False]), offset, zero)
    # Rows come in the order of their places, with what belongs to each.
    assert sources.ids.to_pylist() == ["2mass-0", "2mass-1"]
    np.testing.assert_array_equal(sources.core, [False, True])
    east = (sources.side.ra - plain.side.ra) * np.cos(np.radians(plain.side.dec)) * 3600.0
    np.testing.assert_allclose(east, [0.0, -0.2], atol=1e-8)
    np.testing.assert_allclose((sources.side.dec - plain.side.dec) * 3600.0, [0.0, 0.1], atol=1e-8)
    np.testing.assert_allclose(sources.side.mag[:, 2], [12.0, 11.9])
    np.testing.assert_allclose(sources.native_mag[:, 2], [12.0, 11.9])
    floor = survey.merge.position_floor_mas
    expected = np.hypot([30.0, survey.position_error_mas], floor) / 1000.0
    np.testing.assert_allclose(position_error(survey, table)[0], expected)


def test_a_magnitude_without_an_error_has_a_tenth():
    table = survey_table("2mass", [0.0, 3.0, 6.0], phot_ks_mag=[12.0, 12.0, np.nan])
    column = pa.array([np.nan, 0.03, 0.03])
    place = table.column_names.index("phot_ks_mag_error")
    _, error = magnitudes(table.set_column(place, "phot_ks_mag_error", column))
    np.testing.assert_array_equal(error[:, 2], [0.1, 0.03, np.nan])


def test_a_missing_column_is_nan_and_a_survey_has_its_own_columns():
    np.testing.assert_array_equal(numbers(pa.table({"ra": [1.0, 2.0]}), "dec"), [np.nan] * 2)
    assert "pmra" not in stored_columns(load_survey("2mass"))
    assert "phot_g_mag" in stored_columns(load_survey("gaia"))
    assert "phot_ks_mag" not in stored_columns(load_survey("gaia"))


def test_some_sources_keep_what_belongs_to_them():
    sources = survey_sources("virac2", [0.0, 3.0, 6.0], phot_ks_mag=[12.0, 13.0, 14.0])
    some = sources.take(np.array([True, False, True]))
    assert some.ids.to_pylist() == ["virac2-0", "virac2-2"]
    np.testing.assert_array_equal(some.native_mag[:, 2], [12.0, 14.0])
    np.testing.assert_array_equal(some.side.ra, sources.side.ra[[0, 2]])
