"""Every spelling of a unit is that unit, or an error; never a factor by accident."""

import pytest

from gcmock.errors import InputError
from gcmock.io.unit_names import days, is_unit, sexagesimal, unit_factor

ONE = {
    "mas": ["mas", "MAS", "[mas]", "(mas)", "'mas'", "marcsec", "milliarcsec", "Milliarcseconds"],
    "mas/yr": [
        *("mas/yr", "mas.yr-1", "mas yr-1", "mas*yr**-1", "mas yr^-1", "mas/year", "MAS/YR"),
        *("MAS YR-1", "[mas/yr]", "[mas.yr-1]", "mas per year", "mas/a", "mas.a-1", "mas yr^{-1}"),
        *("mas yr -1", "mas/Julian year", "marcsec/yr", "milliarcsec/yr", "mas  yr-1"),
    ],
    "km/s": ["km/s", "km.s-1", "km s-1", "KM/S", "km/sec", "kms", "km s**-1", "[km/s]", "KMS-1"],
    "deg": ["deg", "degrees", "degree", "DEG", "°", "[deg]", "degs"],
    "mag": ["mag", "magnitude", "MAG", "Vegamag", "mag(Vega)", "vega mag", "[mag]", "mags"],
    "yr": ["yr", "a", "year", "years", "Julian years", "jyear"],
    "": ["", "-", "---", "1", "dimensionless", "None", "unknown"],
}
SCALED = [
    ("arcsec", "mas", 1000.0),
    ("ARCSEC", "mas", 1000.0),
    ("uas", "mas", 1e-3),
    ("deg", "mas", 3.6e6),
    ("0.001arcsec", "mas", 1.0),
    ("arcsec/yr", "mas/yr", 1000.0),
    ("arcsec/century", "mas/yr", 10.0),
    ("m/s", "km/s", 1e-3),
    ("M/S", "km/s", 1e-3),
    ("h", "deg", 15.0),
    ("hourangle", "deg", 15.0),
    ("mmag", "mag", 1e-3),
    ("kpc", "pc", 1e3),
]
REFUSED = [
    *(("dex", t) for t in ("mag", "mas", "km/s", "")),
    *(("dB", t) for t in ("mag", "")),
    *((text, "mas") for text in ("dex(mas)", "log(mas)", "km", "mag", "1", "masec", "s", "dex")),
    *((text, "mas/yr") for text in ("mas", "s/yr", "mas/cyr", "km/s", "yr/mas")),
    *((text, "km/s") for text in ("km", "mas/yr", "dex(km/s)")),
    *((text, "mag") for text in ("mag(AB)", "ABmag", "mag[AB]", "STmag", "Jy", "mas")),
    *((text, "deg") for text in ("d", "min", "mag", "m", "h:m:s")),
]


@pytest.mark.parametrize(("target", "unit"), [(t, u) for t, us in ONE.items() for u in us])
def test_spellings_of_the_unit_itself(target, unit):
    assert unit_factor("file", "column", unit, "quantity", target) == 1.0


@pytest.mark.parametrize(("unit", "target", "factor"), SCALED)
def test_plain_multiples(unit, target, factor):
    assert unit_factor("file", "column", unit, "quantity", target) == factor


@pytest.mark.parametrize(("unit", "target"), REFUSED)
def test_other_units_are_refused(unit, target):
    with pytest.raises(InputError, match="file: column 'column'"):
        unit_factor("file", "column", unit, "quantity", target)


def test_base_60_and_days():
    assert [sexagesimal(x) for x in ('"h:m:s"', "h:m:s", "hms", "HH:MM:SS")] == ["hms"] * 4
    assert [sexagesimal(x) for x in ('"d:m:s"', "dd:mm:ss")] == ["dms"] * 2
    assert [sexagesimal(x) for x in ("deg", "h", None, "")] == [""] * 4
    assert [days(x) for x in ("d", "MJD", "JD", "yr", None)] == ["", "mjd", "jd", None, None]


def test_what_is_a_unit():
    assert all(map(is_unit, ("mag(Vega)", "ABmag", "h:m:s", "MJD", "mas/yr", "[deg]", "mmag")))
    assert not any(map(is_unit, ("furlong", "star", "NGC 1", "17:45:40")))


@pytest.mark.parametrize("unit", ["dex", "[dex]", "Dex", "", None, "1", "dimensionless"])
def test_metallicities_are_in_dex_or_have_no_unit(unit):
    assert unit_factor("t.fits", "m_h", unit, "metallicity", "dex") == 1.0


@pytest.mark.parametrize("unit", ["mag", "pc", "dB", "%"])
def test_metallicities_have_no_other_unit(unit):
    with pytest.raises(InputError, match="metallicity needs dex"):
        unit_factor("t.fits", "m_h", unit, "metallicity", "dex")
