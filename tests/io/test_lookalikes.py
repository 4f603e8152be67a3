"""Names of other catalogues are recognised, and the line for the settings is given."""

import pytest

from gcmock.io.lookalikes import band_hint, closest, lookalikes, looks_like
from gcmock.words.bands import BANDS, magnitude_name


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("form", ["{}", "{}mag", "{}_mag", "mag_{}", "{}AperMag3"])
def test_magnitudes_of_every_band(band, form):
    name = form.format(band.upper())
    assert f'[columns] {magnitude_name(band)} = "{name}"' in band_hint([name])


@pytest.mark.parametrize("name", ["K", "Kmag", "K_s", "k_smag"])
def test_other_names_of_ks(name):
    assert f'{magnitude_name("ks")} = "{name}"' in band_hint([name])


def test_errors_come_with_their_magnitudes():
    assert 'phot_j_mag = "Jmag", phot_j_mag_error = "e_Jmag"' in band_hint(["e_Jmag", "Jmag"])
    assert band_hint(["Gmag", "name"]) == ""


def test_remarks_on_unused_columns():
    names = ["ra", "dec", "plx", "e_plx", "name"]
    first, second = lookalikes(names, {"ra", "dec"}, {"ra", "dec"})
    assert first.endswith('[columns] parallax = "plx"')
    assert second.endswith('[columns] parallax_error = "e_plx"')
    assert not lookalikes(names, set(names), {"ra", "dec"})
    assert not lookalikes(["plx"], set(), {"parallax"})


def test_the_closest_name():
    assert closest("ra_deg", ["ra_degs", "x"]) == " (closest: 'ra_degs')"
    assert closest("ra_deg", ["x"]) == ""


def test_what_looks_like_a_quantity():
    assert looks_like("ref_epoch", ["ra", "MJD"]) == "MJD"
    assert looks_like("radial_velocity", ["VHELIO_AVG"]) == "VHELIO_AVG"
    assert looks_like("radial_velocity", ["e_RV", "ruwe"]) == ""
