"""Epochs in years and days are what astropy says, and everything else is refused."""

import numpy as np
import pytest
from astropy.time import Time

from gcmock.errors import InputError
from gcmock.io.epochs import julian_years


def test_days_become_years():
    time = Time([2000.0, 2016.0, 2024.25], format="jyear", scale="tcb")
    for unit, values in (("d", time.mjd), ("MJD", time.mjd), ("day", time.jd), ("JD", time.jd)):
        years = julian_years("file", "ep", np.asarray(values), unit)
        np.testing.assert_allclose(years, [2000.0, 2016.0, 2024.25], rtol=0, atol=1e-9)


@pytest.mark.parametrize("unit", [None, "yr", "a", "Julian years", "[yr]"])
def test_years_stay(unit):
    np.testing.assert_array_equal(
        julian_years("file", "ep", np.array([2014.0, np.nan]), unit), [2014.0, np.nan]
    )


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (57388.0, None, r"one of modified Julian dates \(MJD\) it is 2015\.999"),
        (2457388.5, "yr", r"one of Julian dates \(JD\) it is 2015\.999"),
        (0.5, "d", r"outside 1900 \.\.\. 2100"),
        (57388.0, "JD", "unit MJD"),
        (16.0, None, "such as 2016.0"),
        (2016.0, "d", "outside"),
        (2016.0, "mas", "needs yr"),
    ],
)
def test_what_is_no_epoch(value, unit, words):
    with pytest.raises(InputError, match=words):
        julian_years("file", "ep", np.array([2000.0 if unit is None else np.nan, value]), unit)
