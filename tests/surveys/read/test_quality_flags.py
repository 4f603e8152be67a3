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
    ],
)
def test_flags_of_text_keep_the_place_of_every_letter(values):
    found = [bytes(row.tolist()).decode().replace("\0", " ") for row in letters(values)]
    assert found == ["022", "1  ", "  3"]


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
    marks = np.zeros(5, np.int32)
    values = {
        "confusion_flag": np.array(["000", "0p0", "00c", "000", "000"]),
        "blend_flag": np.array(["111", "111", "111", "121", "111"]),
        "galaxy_flag": np.array([0, 0, 0, 0, 1]),
        "minor_planet_flag": pa.array(["0", "0", "F", "False", "n"]),
    }
    twomass_marks(values, magnitudes(5), marks)
    expected = [NONE, Quality.ARTEFACT, Quality.BLENDED, Quality.BLENDED, Quality.EXTENDED]
    assert marks.tolist() == expected


def test_error_bits_count_in_bands_that_have_a_magnitude():
    mag, marks = magnitudes(6), np.zeros(6, np.int32)
    mag["ks"][4] = np.nan
    values = {"ks_error_bits": np.array([0, 1 << 4, 1 << 16, 1 << 6, 1 << 6, -99_999_999])}
    vista_marks(values, mag, marks)
    expected = [NONE, Quality.BLENDED, Quality.SATURATED, Quality.ARTEFACT, NONE, NONE]
    assert marks.tolist() == expected


def test_duplicates_and_saturation():
    marks = np.zeros(3, np.int32)
    duplicate_marks({"duplicate": np.ma.masked_array([1, 0, 1], mask=[0, 0, 1])}, marks)
    saturation_marks({"ks": 11.0}, {"ks": np.array([12.0, 10.9, np.nan])}, marks)
    assert marks.tolist() == [Quality.DUPLICATE, Quality.SATURATED, NONE]
