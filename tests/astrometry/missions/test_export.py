"""`gcmock export`: catalogues of missions, Roman and GaiaNIR magnitudes, errors of one epoch."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import QTable
from catalogues import true_stars, write_catalogue
from isochrone_stars import isochrone_stars

from gcmock import cli
from gcmock.astrometry.missions.export import epoch_error
from gcmock.astrometry.missions.focal_plane import visit_error
from gcmock.astrometry.missions.mission import load_mission
from gcmock.frames import galactic_to_icrs
from gcmock.io.metadata import read_metadata
from gcmock.io.writers.writer import open_writer


def export(mock, output, *options):
    return cli.run(["export", *map(str, (mock, "-o", output, *options))])


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
    assert "expected one of gaianir, jasmine, roman-gbtds, roman-gbtds-2025" in error
    error = fails(capsys, tmp_path, mock, output, "--mission", "roman-gbtds")
    assert "none of its 50 stars is in its window" in error
    error = fails(capsys, tmp_path, mock, output, "--set", "magnitudes.faint=9.6")
    assert "brighter than 9.6 mag in hw" in error
    error = fails(capsys, tmp_path, mock, mock, "--overwrite")
    assert "is read by this command" in error
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
