"""Instruments of surveys: complete, in sensible ranges, and recorded whole."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.simulated.instrument import Instrument
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

LEAST = {
    "epoch": (2010.0, 2012.0),
    "limit_mag": (20.0, 19.0, 18.0),
    "saturation_mag": (12.0, 11.0, 10.0),
    "fwhm_arcsec": 0.8,
    "beams_per_source": (20.0, 20.0, 20.0),
    "field_deg": (1.0, 1.0),
    "position_mas": 10.0,
}


def test_record_has_all_but_the_number_of_random_numbers():
    record = Instrument(**LEAST).record()
    assert record.keys() == Instrument.model_fields.keys() - {"stream"}
    assert record["limit_mag"] == (20.0, 19.0, 18.0)


def test_infrared_unless_its_bands_are_those_of_gaia():
    assert Instrument(**LEAST).bands == SURVEY_BANDS
    assert Instrument(**LEAST).is_infrared
    assert not Instrument(**LEAST, bands=GAIA_BANDS).is_infrared


@pytest.mark.parametrize(
    ("key", "value"),
    [("limit_mag", (20.0, 19.0)), ("fwhm_arcsec", 0.0), ("detection_band", 3), ("marked", 1.5),
     ("depth", 20.0)],
)  # fmt: skip
def test_impossible_numbers_are_refused(key, value):
    with pytest.raises(ValidationError, match=key):
        Instrument(**{**LEAST, key: value})


@pytest.mark.parametrize("name", [n for n in survey_names() if load_survey(n).instrument])
def test_instruments_of_the_package_are_plausible(name):
    one = load_survey(name).instrument
    assert one.epoch[0] <= one.epoch[1]
    assert all(low < high for low, high in zip(one.saturation_mag, one.limit_mag, strict=True))
    assert all(l1 < l2 and b1 < b2 for l1, l2, b1, b2 in one.boxes_deg)
