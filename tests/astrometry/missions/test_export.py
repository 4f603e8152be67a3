"""`gcmock export`: catalogues of missions, Roman and GaiaNIR magnitudes, errors of one epoch."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import QTable
from catalogues import true_stars, write_catalogue

from gcmock import cli
from gcmock.astrometry.missions.export import epoch_error
from gcmock.astrometry.missions.focal_plane import visit_error
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.missions.passbands import extinction_ratios, gaianir_mag, roman_mags
from gcmock.data import read_toml
from gcmock.dust.laws import load_law
from gcmock.frames import galactic_to_icrs
from gcmock.io.metadata import read_metadata
from gcmock.io.writers.writer import open_writer
from gcmock.stars.isochrones import load_isochrones


def export(mock, output, *options):
    return cli.run(["export", *map(str, (mock, "-o", output, *options))])


def isochrone_stars(n=400, seed=1):
    """Stars of the isochrones, their true magnitudes in 2MASS-like and in Roman bands."""
    rng = np.random.default_rng(seed)
    stars = true_stars(n, seed)
    table = load_isochrones("parsec")
    which = rng.integers(0, table.isochrone.max() + 1, n)
    mags, roman = np.empty((n, 3)), np.empty((n, 3))
    for i, number in enumerate(which):
        points = np.flatnonzero(table.isochrone == number)
        # Above the least mass, where a single-precision mass says enough.
        k = points[rng.integers(0, len(points) - 1)]
        share = rng.uniform()
        mass = table.mass_init[k] + share * (table.mass_init[k + 1] - table.mass_init[k])
        for out, values in ((mags, table.absolute_mag), (roman, table.roman_mag)):
            out[i] = values[k] + share * (values[k + 1] - values[k])
        stars["mass_init"][i] = mass
        stars["age_gyr"][i], stars["metallicity"][i] = table.age_gyr[k], table.metallicity[k]
    modulus = 5 * np.log10(stars["distance_pc"] / 10.0)
    kappa = load_law("wang_chen_2019").kappa(stars["l"], stars["b"])
    stars["a_ks"] = rng.uniform(0.0, 3.0, n)
    extinction = kappa / kappa[:, 2:] * stars["a_ks"][:, None]
    apparent = mags + modulus[:, None] + extinction
    for i, band in enumerate(("j", "h", "ks")):
        stars[f"phot_{band}_mag"] = apparent[:, i]
    roman_extinction = extinction_ratios(kappa) * stars["a_ks"][:, None]
    return stars, roman + modulus[:, None] + roman_extinction


def test_roman_magnitudes_are_consistent_with_j_h_ks():
    stars, expected = isochrone_stars()
    found = roman_mags(stars, "wang_chen_2019")
    off = np.abs(found - expected)
    # Although a mass in single precision is not enough where stars live for an instant.
    assert np.quantile(off, 0.99) < 1e-3
    assert off.max() < 0.02


def test_extinction_in_roman_bands_follows_the_law():
    # Wang & Chen 2019 is a power law, so that the pieces are one.
    kappa = load_law("wang_chen_2019").kappa(np.zeros(1), np.zeros(1))
    bands = read_toml("passbands.toml")
    for ratio, band in zip(extinction_ratios(kappa)[0], ("f087", "f146", "f213"), strict=True):
        assert ratio == pytest.approx((bands[band]["wavelength_um"] / 2.164) ** -2.07, rel=2e-3)
    for name in ("nishiyama_2009", "nogueras_lara_2020"):
        kappa = load_law(name).kappa(np.zeros(1), np.zeros(1))
        f087, f146, f213 = extinction_ratios(kappa)[0]
        assert f087 > kappa[0, 0] / kappa[0, 2] > f146 > kappa[0, 1] / kappa[0, 2] > f213 > 1.0


def test_vega_magnitudes_of_a_hot_star_agree_in_all_bands():
    """A star of the colour of Vega has the same magnitude everywhere: Roman is in Vega, not AB."""
    table = load_isochrones("parsec")
    white = np.abs(table.absolute_mag[:, 0] - table.absolute_mag[:, 2]) < 0.01
    assert white.sum() > 10
    apart = table.roman_mag[white] - table.absolute_mag[white]
    assert np.abs(np.median(apart, axis=0)).max() < 0.06


def test_gaianir_is_the_mean_of_two_fluxes():
    assert gaianir_mag(np.array([10.0]), np.array([10.0])) == pytest.approx(10.0)
    # Without J half of the flux is left.
    assert gaianir_mag(np.array([40.0]), np.array([12.0])) == pytest.approx(12.0 + 0.7526, abs=1e-3)


def test_error_of_one_epoch():
    error = load_mission("roman-gbtds").epoch_error
    bright, middle, faint = epoch_error(np.array([10.0, 20.0, 24.0]), error)
    assert bright == pytest.approx(error.floor_mas, rel=1e-3)
    background = 1 + 10 ** (0.4 * (20.0 - error.mag_background))
    assert middle == pytest.approx(np.hypot(1.1, 0.38 * np.sqrt(background)), rel=1e-6)
    assert faint > 3 * middle


def test_numbers_of_the_roman_error_follow_from_their_source():
    """The photon and background terms are those that the comments of the file derive."""
    psf = np.hypot(105.0 / 2.3548, 110.0 / np.sqrt(12.0))
    photons = 46.8 * 10 ** (-0.4 * (20.0 + 1.0 - 27.615))
    error = load_mission("roman-gbtds").epoch_error
    assert error.scale_mas == pytest.approx(psf / np.sqrt(photons), rel=0.01)
    per_pixel = (3.43 + 1.072) * 46.8 + 12.12**2
    equal = 8 * np.pi * (psf / 110.0) ** 2 * per_pixel
    mag = 27.615 - 2.5 * np.log10(equal / 46.8) - 1.0
    assert error.mag_background == pytest.approx(mag, abs=0.03)
    other = load_mission("roman-gbtds-2025").epoch_error
    assert other == error


def test_jasmine(capsys, tmp_path):
    stars = true_stars(500)
    stars["phot_hw_mag"][:3] = 9.0, 14.6, 12.5
    mock = write_catalogue(tmp_path / "mock.parquet", stars)
    assert export(mock, tmp_path / "j.fits") == 0
    assert "499 of 500 stars" in capsys.readouterr().out
    table = QTable.read(tmp_path / "j.fits")
    for name in ("source_id", "ra", "dec", "parallax", "pmra", "pmdec", "ref_epoch"):
        assert name in table.colnames
    assert str(table["parallax"].unit) == "mas"
    assert table["saturated"].sum() == (stars["phot_hw_mag"] < 9.5).sum()
    mission = load_mission("jasmine")
    expected = visit_error(table["phot_hw_mag"].value, mission.centroid, 12.5, 44)
    np.testing.assert_allclose(table["epoch_error"].value, expected)
    metadata = read_metadata(tmp_path / "j.fits")
    assert 'name = "jasmine"' in metadata["mission"]
    assert len(metadata["input_sha256"]) == 64


def roman_catalogue(path):
    stars, expected = isochrone_stars(2000)
    rng = np.random.default_rng(2)
    stars["l"], stars["b"] = rng.uniform(-0.6, 1.8, 2000), rng.uniform(-2.2, -0.4, 2000)
    stars["ra"], stars["dec"] = galactic_to_icrs(stars["l"], stars["b"])
    return write_catalogue(path, stars), stars, expected


def test_roman(tmp_path):
    mock, stars, expected = roman_catalogue(tmp_path / "mock.parquet")
    assert export(mock, tmp_path / "r.parquet", "--mission", "roman-gbtds") == 0
    table = QTable.read(tmp_path / "r.parquet")
    assert 300 < len(table) < 2000
    assert set(table["field"]) == set(range(7))
    order = np.argsort(stars["source_id"])
    at = order[np.searchsorted(stars["source_id"][order], np.asarray(table["source_id"]))]
    for i, band in enumerate(("f087", "f146", "f213")):
        off = np.abs(table[f"phot_{band}_mag"].value - expected[at, i])
        assert np.quantile(off, 0.99) < 1e-3
    assert (table["phot_f146_mag"].value <= 23.0).all()
    saturated = table["phot_f146_mag"].value < 13.8
    np.testing.assert_array_equal(np.asarray(table["saturated"]), saturated)


def test_gaianir(tmp_path):
    mock = write_catalogue(tmp_path / "mock.parquet", true_stars(100))
    assert export(mock, tmp_path / "g.ecsv", "--mission", "gaianir") == 0
    table = QTable.read(tmp_path / "g.ecsv")
    assert len(table) == 100
    j, h = table["phot_j_mag"].value, table["phot_h_mag"].value
    found = table["phot_gaianir_mag"].value
    assert ((found > h) & (found < j)).all()
    assert "field" not in table.colnames


def fails(capsys, tmp_path, *arguments):
    before = sorted(tmp_path.rglob("*"))
    assert export(*arguments) == 2
    printed, error = capsys.readouterr()
    assert sorted(tmp_path.rglob("*")) == before
    assert printed == ""
    return error


def test_bad_calls(capsys, tmp_path):
    stars = true_stars(50)
    mock = write_catalogue(tmp_path / "mock.parquet", stars)
    output = tmp_path / "x.parquet"
    error = fails(capsys, tmp_path, mock, output, "--mission", "euclid")
    assert "known are jasmine, roman-gbtds, roman-gbtds-2025, gaianir" in error
    error = fails(capsys, tmp_path, mock, output, "--mission", "roman-gbtds")
    assert "none of its 50 stars is in its window" in error
    error = fails(capsys, tmp_path, mock, output, "--set", "magnitudes.faint=9.6")
    assert "brighter than 9.6 mag in hw" in error
    error = fails(capsys, tmp_path, mock, mock, "--overwrite")
    assert "is the input itself" in error
    bare = write_catalogue(tmp_path / "bare.parquet", stars, "parallax", "mass_init")
    error = fails(capsys, tmp_path, bare, output, "--mission", "roman-gbtds")
    assert "no column parallax, mass_init" in error


def test_stars_without_roman_isochrones(capsys, tmp_path):
    stars, _ = isochrone_stars(20)
    mock, *_ = roman_catalogue(tmp_path / "roman.parquet")
    odd = stars | {"age_gyr": np.full(20, 3.3, dtype=np.float32)}
    odd["l"], odd["b"] = np.full(20, 0.5972), np.full(20, -1.64)
    odd["ra"], odd["dec"] = galactic_to_icrs(odd["l"], odd["b"])
    path = write_catalogue(tmp_path / "odd.parquet", odd)
    error = fails(capsys, tmp_path, path, tmp_path / "x.parquet", "--mission", "roman-gbtds")
    assert "3.3 Gyr" in error
    # Without its metadata nobody knows the law of a catalogue.
    table = QTable.read(mock)
    from gcmock.words.columns import TRUTH_COLUMNS

    with open_writer(tmp_path / "nometa.parquet", TRUTH_COLUMNS) as writer:
        columns = {c.name: np.asarray(getattr(table[c.name], "value", table[c.name]))
                   for c in TRUTH_COLUMNS}  # fmt: skip
        writer.write(columns)
    error = fails(
        capsys, tmp_path, tmp_path / "nometa.parquet", tmp_path / "x.parquet",
        "--mission", "roman-gbtds",
    )  # fmt: skip
    assert "do not tell its extinction law" in error
