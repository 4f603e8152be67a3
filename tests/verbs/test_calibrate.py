"""calibrate: options, files, tables in memory."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import pytest

import gcmock
from gcmock.errors import InputError

SETTINGS = {
    "populations": {"name": "koshimoto2021"},
    "extinction": {"map_value": "subcell_mean"},
}


@pytest.fixture(scope="module")
def stars():
    """A cell of simulated stars, as a survey sees them."""
    window = {"l": (0.750, 0.775), "b": (-0.350, -0.325)}
    return gcmock.simulate(**window, ks_max=14.0, seed=3, survey=True, **SETTINGS).survey


@pytest.mark.long
def test_calibrate(stars, tmp_path, shown):
    output = tmp_path / "calibration.fits"
    options = {"law": "none", "limits": [9, 13.8] * u.mag, **SETTINGS}
    done = gcmock.calibrate(stars, output, **options)
    assert done.files == (output,)
    shown(done, output, "9 <= Ks < 13.8 mag")
    found = gcmock.build(stars[:5], learned=output, **SETTINGS)
    assert len(found) == 5
    again = gcmock.calibrate(stars.to_pandas(), **options)
    assert again.files == ()
    assert repr(replace(again, seconds=1.0)) == repr(replace(done, files=(), seconds=1.0))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limits": 12}, "limits = 12: expected two numbers in mag"),
        ({"figure": "map.jpg"}, "a picture is a PNG or PDF file"),
        ({"output": "calibration.parquet"}, "calibration.parquet"),
        ({"lawn": {}}, "did you mean 'law'"),
        ({"learn": {"file": "a.fits"}}, "a calibration starts from the map"),
        ({}, "too sparse|Ks|stars"),
    ],
)
def test_errors(table, options, words):
    with pytest.raises(InputError, match=words):
        gcmock.calibrate(table, **options)
