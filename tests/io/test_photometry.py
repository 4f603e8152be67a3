"""Magnitudes of observed stars: what was measured, with which error."""

from __future__ import annotations

import numpy as np
import pytest

from gcmock.io.columns import ColumnMatch
from gcmock.io.photometry import observed_photometry
from gcmock.io.read_summary import ReadSummary
from gcmock.photometric_systems import to_2mass
from gcmock.settings.build import PhotometryConfig
from gcmock.words.bands import BANDS

J, H, KS = (BANDS.index(name) for name in ("j", "h", "ks"))


def read(settings=None, **columns):
    chunk = {name: np.array(values, float) for name, values in columns.items()}
    matches = {name: ColumnMatch(name) for name in chunk}
    n, summary = len(next(iter(chunk.values()))), ReadSummary()
    settings = settings or PhotometryConfig()
    return (*observed_photometry("t", chunk, matches, n, settings, summary), summary)


def test_missing_errors_are_the_default_and_are_counted():
    settings = PhotometryConfig(default_error_mag=0.07)
    mag, error, assumed, summary = read(
        settings, phot_ks_mag=[12.0, 13.0, 99.9], phot_ks_mag_error=[0.02, np.nan, np.nan]
    )
    np.testing.assert_array_equal(mag[:, KS], [12.0, 13.0, np.nan])
    np.testing.assert_array_equal(error[:, KS], [0.02, 0.07, np.nan])
    assert assumed.tolist() == [False, True, False]
    assert summary.error_assumed == {"phot_ks_mag": 1}
    assert summary.band_sets == {"ks": 2, "none": 1}
    assert summary.marked["phot_ks_mag"] == 1
    assert np.isnan(np.delete(mag, KS, axis=1)).all()


def test_marks_that_are_possible_magnitudes():
    """0 is a mark, whatever its error; an error of 9.99 marks an upper limit."""
    mag, error, _, _ = read(phot_h_mag=[0.0, 0.0, 17.0], phot_h_mag_error=[0.0, 0.02, 9.99])
    np.testing.assert_array_equal(mag[:, H], [np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(np.isfinite(error), np.isfinite(mag))


def test_other_systems_are_converted():
    columns = {"phot_j_mag": [15.0], "phot_h_mag": [13.5], "phot_ks_mag": [12.8]}
    columns |= {f"{name}_error": [0.02] for name in columns}
    mag, error, _, _ = read(PhotometryConfig(system="vista"), **columns)
    expected = to_2mass("vista", np.array([[15.0, 13.5, 12.8]]), np.full((1, 3), 0.02))
    np.testing.assert_array_equal(mag[:, [J, H, KS]], expected[0])
    np.testing.assert_array_equal(error[:, [J, H, KS]], expected[1])
    assert mag[0, J] != pytest.approx(15.0, abs=1e-4)
