"""Native values to the common table: errors, identifiers, and marks of what is missing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from gcmock.surveys.definition import load_survey
from gcmock.surveys.read import interpret
from gcmock.surveys.source_table import SOURCE_NAMES, Quality

SURVEY = SimpleNamespace(identifier="row", position_error_mas=70.0, n_epochs=1)


def test_identifiers_are_those_of_the_survey_or_the_row_or_the_position():
    at = {"ra": np.array([266.4, 1.0]), "dec": np.array([-29.0, 0.5])}

    def of(survey, values):
        return interpret.identifiers(survey, values, 2, 100).to_pylist()

    assert of(SURVEY, {"source_id": np.array([2**53 + 1, 7])}) == ["9007199254740993", "7"]
    assert of(SURVEY, {"source_id": pa.array(["007", "b"])}) == ["007", "b"]
    assert of(SURVEY, at) == ["100", "101"]
    by_position = SimpleNamespace(identifier="position")
    assert of(by_position, at) == ["266.4000000-29.0000000", "1.0000000+0.5000000"]


def test_error_ellipse_on_the_axes():
    """Along north it is (minor, major); the sum of squares does not depend on the angle."""
    values = {
        "error_major": np.full(3, 5.0),
        "error_minor": np.full(3, 3.0),
        "error_angle": np.array([0.0, 90.0, 33.0]),
    }
    ra, dec = interpret.position_errors(SURVEY, values, 3)
    np.testing.assert_allclose(ra[:2], [3.0, 5.0])
    np.testing.assert_allclose(dec[:2], [5.0, 3.0])
    np.testing.assert_allclose(ra**2 + dec**2, 34.0)


def test_missing_position_error_is_that_of_the_survey():
    ra, dec = interpret.position_errors(SURVEY, {"ra_error": np.array([4.0, 0.0, np.nan])}, 3)
    assert ra.tolist() == [4.0, 70.0, 70.0]
    assert dec.tolist() == [70.0] * 3


def test_error_of_a_magnitude_from_epochs_or_from_flux():
    mag = np.full(3, 12.0)
    from_epochs = {
        "phot_ks_mag": mag,
        "phot_ks_scatter": np.array([0.1, 0.1, 0.0]),
        "phot_ks_n_epochs": np.array([4.0, 1.0, 4.0]),
    }
    error = interpret.magnitude(from_epochs, "ks")[1]
    np.testing.assert_allclose(error, [0.05, np.nan, np.nan])
    from_flux = {"phot_g_mag": mag, "phot_g_flux_over_error": np.array([1.0, 1e4, 0.0])}
    error = interpret.magnitude(from_flux, "g")[1]
    np.testing.assert_allclose(error, [0.752575, 1.0857e-4, np.nan], rtol=1e-4)


def test_second_magnitude_where_the_first_is_a_mark():
    values = {
        "phot_j_mag": np.array([12.0, 99.999, -9.99e8]),
        "phot_j_mag_error": np.array([0.1, 0.1, 0.1]),
        "phot_j_mag_2": np.array([13.0, 14.0, np.nan]),
        "phot_j_mag_error_2": np.array([0.2, 0.3, np.nan]),
    }
    mag, error = interpret.magnitude(values, "j")
    np.testing.assert_array_equal(mag, [12.0, 14.0, np.nan])
    np.testing.assert_array_equal(error, [0.1, 0.3, np.nan])
    assert values["phot_j_mag"][1] == 99.999


def test_astrometry_that_was_not_measured():
    values = {
        "pmra": np.array([0.0, 0.0, 3.0, 3.0]),
        "pmdec": np.array([0.0, 1.0, 2.0, 2.0]),
        "parallax": np.array([0.0, 0.0, 1.0, 1.0]),
        "parallax_error": np.array([np.nan, 0.1, 0.1, 0.1]),
        "astrometric_params_solved": np.array([31.0, 31.0, 31.0, 3.0]),
    }
    found = interpret.astrometry(values, np.full(4, np.nan))
    np.testing.assert_array_equal(found["pmra"], [np.nan, 0.0, 3.0, np.nan])
    np.testing.assert_array_equal(found["parallax"], [np.nan, 0.0, 1.0, np.nan])
    only_two = interpret.astrometry(
        {"pmra": np.ones(2), "pmdec": np.ones(2), "astrometric_params": np.array([2.0, 5.0])},
        np.full(2, np.nan),
    )
    np.testing.assert_array_equal(only_two["pmdec"], [np.nan, 1.0])


def test_epochs_are_counted_or_summed_over_bands():
    counted = interpret.epochs(SURVEY, {"n_epochs": np.array([3.0, np.nan, -1.0])}, 3)
    assert counted.tolist() == [3, 0, 0]
    bands = {"phot_j_n_epochs": np.array([1.0, np.nan]), "phot_ks_n_epochs": np.array([5.0, 2.0])}
    assert interpret.epochs(SURVEY, bands, 2).tolist() == [6, 2]
    assert interpret.epochs(SURVEY, {}, 2).tolist() == [1, 1]


def test_common_table_of_2mass():
    survey = load_survey("2mass")
    values = {
        "ra": np.array([266.4, 266.5]),
        "dec": np.array([-29.0, -29.1]),
        "phot_ks_mag": np.array([12.0, 13.0]),
        "phot_ks_mag_error": np.array([0.03, np.nan]),
        "photometric_quality": np.array(["AAA", "AAA"]),
    }
    table = interpret.common_table(survey, values, 2, 0)
    assert table.column_names == list(SOURCE_NAMES)
    assert table["quality"].to_pylist() == [0, Quality.ERROR_ASSUMED]
    assert table["phot_ks_mag_error"].to_pylist() == [0.03, survey.default_error["ks"]]
    assert table["ref_epoch"].to_pylist() == pytest.approx([survey.ref_epoch] * 2, nan_ok=True)
    assert np.isnan(table["phot_g_mag"].to_numpy()).all()
