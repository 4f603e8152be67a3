"""Flags of surveys as marks: letters, digits that were read as numbers, error bits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gcmock.surveys.read.quality_flags import (
    duplicate_marks,
    letters,
    saturation_marks,
    twomass_marks,
    vista_marks,
)
from gcmock.surveys.source_table import Quality

NONE = Quality(0)


def magnitudes(n):
    return {band: np.full(n, 12.0) for band in ("j", "h", "ks")}


@pytest.mark.parametrize(
    "values",
    [
        np.array(["022", "1", "  3"]),
        pa.array(["022", "1", "  3"]),
        pa.array(["xxx", "022", "1", "  3"]).slice(1),
        pa.array(["022é", "1", "  3"]),
        np.ma.masked_array(["022", "1", "  3"], mask=[False, False, False]),
    ],
)
def test_flags_of_text_keep_the_place_of_every_letter(values):
    found = [bytes(row.tolist()).decode() for row in letters(values)]
    assert found == ["022", "1  ", "  3"]


def test_missing_flags_of_text_are_blank():
    for values in (pa.array(["AAA", None]), np.ma.masked_array(["AAA", "UUU"], mask=[0, 1])):
        assert bytes(letters(values)[1].tolist()) == b"   "


def test_flags_of_digits_read_as_numbers():
    """022 read as 22 is the same flag, and a missing one is blank."""
    found = letters(np.ma.masked_array([22, 222, 0], mask=[False, False, True]))
    assert [bytes(row.tolist()).decode() for row in found] == ["022", "222", "   "]
    np.testing.assert_array_equal(letters(np.array([22.0, 222.0, np.nan])), found)


def test_upper_limits_and_missing_values_of_2mass():
    mag, marks = magnitudes(4), np.zeros(4, np.int32)
    values = {
        "photometric_quality": np.array(["AAU", "XAA", "AAA", "AAA"]),
        "read_flag": np.array(["222", "222", "062", "239"]),
    }
    twomass_marks(values, mag, marks)
    assert marks.tolist() == [
        Quality.UPPER_LIMIT_KS,
        NONE,
        Quality.UPPER_LIMIT_J | Quality.UPPER_LIMIT_H,
        Quality.SATURATED,
    ]
    gone = {band: np.isnan(values).tolist() for band, values in mag.items()}
    assert gone == {
        "j": [False, True, True, False],
        "h": [False, False, True, False],
        "ks": [True, False, False, True],
    }


def test_confusion_blends_and_other_objects_of_2mass():
    marks = np.zeros(6, np.int32)
    values = {
        "confusion_flag": np.array(["000", "0p0", "00c", "000", "000", "000"]),
        "blend_flag": np.array(["111", "111", "111", "121", "111", "111"]),
        "galaxy_flag": np.array([0, 0, 0, 0, 1, 2]),
        "minor_planet_flag": pa.array(["0", "0", "F", "False", "n", "0"]),
    }
    twomass_marks(values, magnitudes(6), marks)
    expected = [NONE, Quality.DOUBTFUL_H, Quality.BLENDED, Quality.BLENDED]
    assert marks.tolist() == [*expected, Quality.EXTENDED, Quality.ON_EXTENDED]


@pytest.mark.parametrize(
    "flags",
    [np.array(["1", "2", "0", "T"]), pa.array(["1", "2", "0", "true"]), np.array([1.0, 2, 0, 1])],
)
def test_a_galaxy_is_no_star_and_a_star_upon_one_is(flags):
    """gal_contam 1 is an extended source itself, 2 a star within the profile of one."""
    marks = np.zeros(4, np.int32)
    twomass_marks({"galaxy_flag": flags}, magnitudes(4), marks)
    assert marks.tolist() == [Quality.EXTENDED, Quality.ON_EXTENDED, NONE, Quality.EXTENDED]


def test_possible_contamination_counts_in_bands_that_were_seen():
    """2MASS writes letters for bands without detection as well."""
    mag, marks = magnitudes(2), np.zeros(2, np.int32)
    mag["j"][0] = np.nan
    twomass_marks({"confusion_flag": np.array(["p00", "pds"])}, mag, marks)
    assert marks.tolist() == [NONE, Quality.DOUBTFUL]
    assert np.isfinite([mag["h"], mag["ks"]]).all()


def test_a_band_that_is_an_artefact_goes_before_the_star_does():
    mag, marks = magnitudes(3), np.zeros(3, np.int32)
    mag["ks"][2] = np.nan
    twomass_marks({"confusion_flag": np.array(["D00", "PDS", "SS0"])}, mag, marks)
    assert marks.tolist() == [NONE, Quality.ARTEFACT, Quality.ARTEFACT]
    assert np.isnan(mag["j"]).tolist() == [True, False, False]
    assert np.isfinite(mag["h"]).all()


def test_error_bits_count_in_bands_that_have_a_magnitude():
    mag, marks = magnitudes(6), np.zeros(6, np.int32)
    mag["ks"][4] = np.nan
    values = {"ks_error_bits": np.array([0, 1 << 4, 1 << 16, 1 << 6, 1 << 6, -99_999_999])}
    vista_marks(values, mag, marks)
    expected = [NONE, Quality.BLENDED, Quality.SATURATED, Quality.DOUBTFUL_KS, NONE, NONE]
    assert marks.tolist() == expected


@pytest.mark.parametrize("bit", [7, 12, 17, 22, 23, 24])
def test_edges_detectors_and_calibration_of_vista_are_no_ghosts(bit):
    mag, marks = magnitudes(1), np.zeros(1, np.int32)
    vista_marks({"j_error_bits": np.array([1 << bit])}, mag, marks)
    assert marks[0] == Quality.DOUBTFUL_J
    assert np.isfinite(mag["j"]).all()


def test_what_is_on_the_tile_only_is_no_source():
    """Such a band is dropped, and such a source is an artefact if it is so in all its bands."""
    mag, marks = magnitudes(2), np.zeros(2, np.int32)
    mag["j"][1] = mag["h"][1] = np.nan
    vista_marks({"ks_error_bits": np.array([1 << 26, 1 << 26])}, mag, marks)
    assert marks.tolist() == [NONE, Quality.ARTEFACT]
    assert np.isnan(mag["ks"]).tolist() == [True, False]


def test_duplicates_and_saturation():
    marks = np.zeros(3, np.int32)
    duplicate_marks({"duplicate": np.ma.masked_array([1, 0, 1], mask=[0, 0, 1])}, marks)
    saturation_marks({"ks": 11.0}, {"ks": np.array([12.0, 10.9, np.nan])}, marks)
    assert marks.tolist() == [Quality.DUPLICATE, Quality.SATURATED, NONE]
