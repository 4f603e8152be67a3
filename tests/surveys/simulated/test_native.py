"""Astrometry, flags and native files of the simulated surveys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from synthetic_sky import clean, lonely

from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.read.open_survey import open_survey
from gcmock.surveys.simulated.artefacts import ArtefactKind
from gcmock.surveys.simulated.native import (
    designations,
    joined_texts,
    native_roles,
    twomass_roles,
    virac2_roles,
    vvv_roles,
)
from gcmock.surveys.simulated.native_files import (
    native_columns,
    native_values,
    open_native,
)
from gcmock.surveys.simulated.observe import observe
from gcmock.surveys.source_table import Quality

EPOCH = 2016.0
FAINT_GIANTS = [18.2, 15.4, 14.0]


def mixed(n: int):
    """Stars of all magnitudes, so far apart that they do not blend, with motions."""
    rng = np.random.default_rng(11)
    ks = rng.uniform(8.0, 17.0, n)
    colour = rng.uniform(0.2, 1.6, n)
    mag = np.column_stack([ks + 2.7 * colour + 0.4, ks + colour, ks])
    motion = {"pmra": rng.normal(-3, 3, n), "pmdec": rng.normal(-5, 3, n)}
    return lonely(n, mag, 6.0, parallax=rng.uniform(0.05, 2.0, n), **motion)


def read(path, name: str) -> pa.Table:
    return pa.concat_tables(list(open_survey(path).chunks())), open_survey(path).survey.name == name


def test_names_and_flags_as_the_surveys_write_them():
    # Sgr A*, 17 45 40.036 -29 00 28.17
    ra, dec = np.array([266.41681662, 0.001]), np.array([-29.00782497, 0.5])
    assert designations(ra, dec).tolist() == ["17454003-2900281", "00000024+0030000"]
    assert joined_texts(np.array([["A", "B", "U"], ["0", "2", "3"]])).tolist() == ["ABU", "023"]


def test_2mass_has_upper_limits_and_flags():
    stars = lonely(2000, [16.4, 14.0, 12.0])
    found = observe(stars, clean("2mass"), 1, EPOCH)
    roles = twomass_roles(found, load_survey("2mass").instrument)
    unseen = np.isnan(found.mag[:, 0])
    assert 0 < unseen.sum() < 2000
    assert np.isfinite(roles["phot_j_mag"]).all()
    assert np.isnan(roles["phot_j_mag_error"][unseen]).all()
    first = np.array([word[0] for word in roles["photometric_quality"]])
    np.testing.assert_array_equal(first == "U", unseen)
    assert {word[0] for word in roles["read_flag"][unseen]} == {"0"}
    assert {word[2] for word in roles["photometric_quality"]} == {"A"}


def test_virac2_counts_epochs_and_gives_scatter():
    found = observe(lonely(2000, FAINT_GIANTS), clean("virac2"), 1, EPOCH)
    roles = virac2_roles(found, load_survey("virac2").instrument)
    seen = np.isfinite(found.mag[:, 0])
    assert seen.sum() > 0
    assert (roles["phot_j_n_epochs"][~seen] == 0).all()
    n, scatter = roles["phot_ks_n_epochs"], roles["phot_ks_scatter"]
    assert 180 < np.median(n) < 260
    assert (scatter[n > 1] > found.error[n > 1, 2]).all()
    twice = found.copy > 0
    assert (roles["duplicate"][~twice] == 0).all()


def test_duplicates_of_virac2_are_marked_mostly():
    found = observe(lonely(4900, FAINT_GIANTS), clean("virac2", field_deg=(0.05, 0.05)), 1, EPOCH)
    roles = virac2_roles(found, load_survey("virac2").instrument)
    twice = found.copy > 0
    assert twice.sum() > 1000
    assert roles["duplicate"][twice].mean() == pytest.approx(0.9, abs=0.03)
    assert np.unique(roles["source_id"]).size == found.key.size


def test_artefacts_are_marked_with_imperfect_efficiency():
    stars = lonely(900, [9.5, 9.2, 9.0], 100.0)
    survey = load_survey("vvv")
    instrument = survey.instrument
    found = observe(stars, survey, 1, EPOCH)
    roles = vvv_roles(found, instrument)
    ghost = found.kind == ArtefactKind.GHOST
    assert ghost.sum() > 300
    marked = np.max([roles[f"{band}_error_bits"].astype(int) & 64 for band in ("j", "h", "ks")], 0)
    assert (marked[ghost] > 0).mean() == pytest.approx(instrument.marked, abs=0.06)
    stars = observe(lonely(4000, FAINT_GIANTS), clean("vvv"), 1, EPOCH)
    roles = vvv_roles(stars, instrument)
    bits = np.array([roles[f"{band}_error_bits"].astype(int) & 64 for band in ("j", "h", "ks")])
    # The mark of a star is in one of its bands.
    assert set((bits > 0).sum(axis=0).tolist()) == {0, 1}
    assert (bits > 0).mean(axis=1) == pytest.approx(instrument.marked_stars / 3, abs=0.006)


@pytest.mark.parametrize("name", survey_names())
def test_readers_give_back_what_was_meant(name, tmp_path):
    """Every native file, read by the reader of its survey, is the common table that was meant."""
    survey = clean(name, boxes_deg=())
    found = observe(mixed(1500), survey, 1, EPOCH)
    roles = native_roles(found, survey, 0.0)
    path = tmp_path / f"{name}{survey.simulated_table.suffix}"
    writer = open_native(path, native_columns(survey, roles), {})
    values = native_values(survey, roles)
    half = found.key.size // 2
    for rows in (slice(0, half), slice(half, None)):
        writer.write({key: column[rows] for key, column in values.items()})
    writer.close()
    source = open_survey(path)
    assert (source.survey.name, source.spelling.name) == (name, survey.simulated_spelling.name)
    assert source.n_rows == found.key.size
    table = pa.concat_tables(list(source.chunks()))

    def column(key):
        return table[key].to_numpy()

    # Decimals of the format: 2MASS 1e-6 deg, SIRIUS 1e-4 s of time, others all digits.
    place = {"2mass": 0.6e-6, "sirius": 0.3e-6}.get(name, 1e-12)
    np.testing.assert_allclose(column("ra"), roles["ra"], atol=place, rtol=0)
    np.testing.assert_allclose(column("dec"), roles["dec"], atol=place, rtol=0)
    bands = survey.instrument.bands
    # float32 of a magnitude below 32 has 1e-6.
    digits = {"2mass": 0.51e-3, "sirius": 0.51e-3, "gnc": 0.51e-4}.get(name, 2e-6)
    for k, band in enumerate(bands):
        np.testing.assert_allclose(column(f"phot_{band}_mag"), found.mag[:, k], atol=digits)
        got = column(f"phot_{band}_mag_error")
        np.testing.assert_array_equal(np.isnan(got), np.isnan(found.mag[:, k]))
        if name == "virac2":
            n = roles[f"phot_{band}_n_epochs"]
            expected = roles[f"phot_{band}_scatter"] / np.sqrt(np.maximum(n, 1))
            got, expected = got[n > 1], expected[n > 1]
        elif name == "gaia":
            expected = 2.5 * np.log10(1 + found.error[:, k] / 1.0857)
        else:
            doubtful = column("quality") & int(Quality[f"DOUBTFUL_{band.upper()}"]) > 0
            assert doubtful.any() == (survey.instrument.marked > 0)
            expected = np.hypot(found.error[:, k], np.where(doubtful, 0.1, 0.0))
        np.testing.assert_allclose(got, expected, atol=digits)
    if name == "2mass":
        np.testing.assert_allclose(column("ref_epoch"), roles["ref_epoch"], atol=1e-6)
        np.testing.assert_allclose(column("ra_error"), found.position_error, atol=5.1)
        limits = column("quality") & int(Quality.UPPER_LIMIT_J) > 0
        np.testing.assert_array_equal(limits, np.isnan(found.mag[:, 0]))
    if name == "gnc":
        np.testing.assert_allclose(column("ra_error"), found.position_error, rtol=1e-9)
    if name in ("virac2", "gaia"):
        for key in ("parallax", "pmra", "pmdec", "pmra_error", "ruwe", "ra_error"):
            np.testing.assert_allclose(column(key), roles[key], rtol=3e-7, atol=2e-6)
    if name == "gaia":
        for key in ("parallax_pmra_corr", "pseudocolour", "ecl_lat", "astrometric_params_solved"):
            np.testing.assert_allclose(column(key), roles[key], rtol=3e-7)


def test_ecliptic_latitude_of_the_galactic_centre():
    """-5.54 deg: Sgr A* lies 5.5 deg south of the ecliptic (astropy, BarycentricTrueEcliptic)."""
    found = observe(lonely(4, [14.0, 13.8, 13.6]), clean("gaia"), 1, EPOCH)
    from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord

    roles = native_roles(found, load_survey("gaia"), 0.0)
    frame = BarycentricMeanEcliptic(equinox="J2000")
    expected = SkyCoord(roles["ra"], roles["dec"], unit="deg").transform_to(frame).lat.deg
    np.testing.assert_allclose(roles["ecl_lat"], expected, atol=1e-4)


def test_galactic_coordinates_are_those_of_the_measured_position():
    found = observe(lonely(100, [14.0, 13.0, 12.5]), clean("2mass"), 1, EPOCH)
    survey = load_survey("2mass")
    values = native_values(survey, twomass_roles(found, survey.instrument))
    from astropy.coordinates import SkyCoord

    expected = SkyCoord(found.ra, found.dec, unit="deg").galactic
    np.testing.assert_allclose(values["glon"], expected.l.deg, atol=0.51e-3)
    np.testing.assert_allclose(values["glat"], expected.b.deg, atol=0.51e-3)
    np.testing.assert_array_equal(values["glon"], np.round(values["glon"], 3))
