"""`gcmock propagate`, from file to file."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import QTable, Table
from catalogues import true_stars, write_catalogue

from gcmock import cli
from gcmock.astrometry.directions.apparent import MovingStars, apparent_directions
from gcmock.astrometry.directions.ephemeris import CircularOrbit, observer
from gcmock.astrometry.directions.geometry import MAS, tangent_offset
from gcmock.io.metadata import read_metadata


@pytest.fixture(scope="module")
def stars():
    return true_stars(300)


@pytest.fixture(scope="module")
def mock(tmp_path_factory, stars):
    return write_catalogue(tmp_path_factory.mktemp("mock") / "mock.parquet", stars)


def run(*arguments):
    return cli.run(["propagate", *map(str, arguments)])


def fails(capsys, tmp_path, *arguments):
    """Return the message of a call that must fail and leave nothing behind."""
    before = sorted(tmp_path.rglob("*"))
    assert run(*arguments) == 2
    printed, error = capsys.readouterr()
    assert sorted(tmp_path.rglob("*")) == before
    assert printed == ""
    assert error.startswith("gcmock: error: ")
    return error


@pytest.mark.parametrize("suffix", ["parquet", "fits", "ecsv", "vot"])
def test_directions(capsys, tmp_path, mock, stars, suffix):
    output = tmp_path / f"seen.{suffix}"
    assert run(mock, "--epochs", 2032.0, 2034.5, "-o", output) == 0
    assert "300 stars x 2 epochs" in capsys.readouterr().out
    table = QTable.read(output)
    assert len(table) == 600
    assert str(table["ra"].unit) == "deg"
    assert str(table["ra_offset"].unit) == "mas"
    np.testing.assert_array_equal(table["source_id"][::2], stars["source_id"])
    epochs = np.array([2032.0, 2034.5])
    parameters = MovingStars(*(stars[name] for name in MovingStars._fields))
    expected = apparent_directions(parameters, epochs, observer(epochs))
    np.testing.assert_allclose(table["ra"].value, expected.ra.ravel(), rtol=1e-15)
    np.testing.assert_allclose(table["dec_offset"].value, expected.eta.ravel() / MAS, rtol=1e-12)


def test_times_from_files_and_metadata(tmp_path, mock):
    text = tmp_path / "times.txt"
    text.write_text("# Julian years\n2032.0\n\n2034.5  # spring\n")
    Table({"time": [2032.0, 2034.5]}).write(tmp_path / "times.ecsv")
    seen = []
    for name in ("times.txt", "times.ecsv"):
        output = tmp_path / f"{name}.parquet"
        assert run(mock, "--times", tmp_path / name, "--aberration", "-o", output) == 0
        assert read_metadata(output)["aberration"] == "True"
        seen.append(QTable.read(output))
    assert (seen[0]["ra"] == seen[1]["ra"]).all()
    assert set(seen[0]["epoch"].value) == {2032.0, 2034.5}


def test_aberration_and_deflection_are_of_the_known_size(tmp_path, mock):
    runs = {}
    for name in ("", "--aberration", "--deflection"):
        output = tmp_path / f"seen{name}.parquet"
        options = [name] if name else []
        # In June the Earth moves across the line of sight to the Galactic centre.
        assert run(mock, "--epochs", 2032.46, *options, "-o", output) == 0
        table = QTable.read(output)
        runs[name] = np.hypot(table["ra_offset"].value, table["dec_offset"].value)
    assert 20.0e3 < runs["--aberration"].max() < 20.9e3
    # 2 mas, opposite to the Sun.
    assert 0.01 < np.abs(runs["--deflection"] - runs[""]).max() < 4.0


def test_an_orbit_moves_the_observer(tmp_path, mock):
    orbit = CircularOrbit(600.0, 6.0)
    time = 2032.0 + np.arange(100) * 60.0 / 86400 / 365.25
    names = ("x_km", "y_km", "z_km", "vx_kms", "vy_kms", "vz_kms")
    table = Table({"time": time})
    for name, column in zip(names, np.hstack(orbit(time)).T, strict=True):
        table[name] = column
    table.write(tmp_path / "orbit.ecsv")
    at = 2032.00005
    options = ["--epochs", at, "--aberration", "-o"]
    assert run(mock, *options, tmp_path / "earth.parquet") == 0
    assert run(mock, "--orbit", tmp_path / "orbit.ecsv", *options, tmp_path / "orbit.parquet") == 0
    earth, around = (QTable.read(tmp_path / f"{n}.parquet") for n in ("earth", "orbit"))
    apart = np.hypot(
        (around["ra_offset"] - earth["ra_offset"]).value,
        (around["dec_offset"] - earth["dec_offset"]).value,
    )
    # 7.5 km/s are 5.2 arcsec of aberration at most.
    assert 100.0 < apart.max() < 5300.0


def test_sources_as_they_are_and_at_another_epoch(tmp_path, mock, stars):
    same, later = tmp_path / "same.fits", tmp_path / "later.ecsv"
    assert run(mock, "--product", "sources", "-o", same) == 0
    table = QTable.read(same)
    for name in ("source_id", "ra", "dec", "parallax", "pmra", "pmdec", "ref_epoch"):
        np.testing.assert_array_equal(np.asarray(getattr(table[name], "value", table[name])),
                                      stars[name])  # fmt: skip
    assert run(mock, "--epochs", 2030.0, "--product", "sources", "-o", later) == 0
    # A table of sources is an input again: from the barycentre both lead to the same place.
    for name, given in (("a", mock), ("b", later)):
        options = ["--seen-from", "barycentre", "--epochs", 2034.5, "-o"]
        assert run(given, *options, tmp_path / f"{name}.parquet") == 0
    a, b = (QTable.read(tmp_path / f"{name}.parquet") for name in "ab")
    xi, eta = tangent_offset(*(c.value for c in (a["ra"], a["dec"], b["ra"], b["dec"])))
    assert np.hypot(xi, eta).max() < 1e-3 * MAS * 1e-3


def test_units_and_names_of_other_tables(capsys, tmp_path, stars):
    import astropy.units as u

    table = QTable()
    table["source_id"] = [f"star {i}" for i in range(300)]
    table["ra"] = (stars["ra"] * u.deg).to("rad")
    table["dec"] = (stars["dec"] * u.deg).to("arcsec")
    table["distance"] = (stars["distance_pc"] * u.pc).to("kpc")
    table["pmra"] = (stars["pmra"] * u.mas / u.yr).to("arcsec/yr")
    table["pmdec"] = stars["pmdec"] * u.mas / u.yr
    table["radial_velocity"] = (stars["radial_velocity"] * u.km / u.s).to("m/s")
    table.write(tmp_path / "sources.ecsv")
    assert run(tmp_path / "sources.ecsv", "--epochs", 2016.0, "-o", tmp_path / "s.parquet") == 0
    assert "no column ref_epoch; taken as 2000" in capsys.readouterr().out
    found = QTable.read(tmp_path / "s.parquet")
    epochs = np.array([2016.0])
    parameters = MovingStars(*(stars[name] for name in MovingStars._fields))
    parameters = parameters._replace(ref_epoch=np.full(300, 2000.0))
    expected = apparent_directions(parameters, epochs, observer(epochs))
    assert found["source_id"][7] == "star 7"
    np.testing.assert_allclose(found["ra_offset"].value, expected.xi[:, 0] / MAS, atol=1e-6)


def sources(epoch, unit=None, **columns):
    """A few stars with an epoch of their own; MJD or years."""
    n = len(epoch)
    table = Table({"source_id": np.arange(n), "ra": 266.0 + np.arange(n) / 10})
    table["dec"] = -29.0 + np.arange(n) / 10
    table["parallax"], table["pmra"], table["pmdec"] = np.full((3, n), [[0.12], [-3.1], [-5.6]])
    table["ref_epoch"] = epoch
    table["ref_epoch"].unit = unit
    for name, values in columns.items():
        table[name] = values
    return table


def moved(tmp_path, table, name):
    table.write(tmp_path / f"{name}.ecsv")
    output = tmp_path / f"{name}_moved.ecsv"
    assert (
        run(tmp_path / f"{name}.ecsv", "--product", "sources", "--epochs", 2036, "-o", output) == 0
    )
    return QTable.read(output)


def test_every_star_has_its_own_epoch(tmp_path):
    import erfa

    epoch = np.array([1999.5, 2014.0, 2016.0, 2030.25])
    table = sources(epoch, "yr", radial_velocity=np.array([50.0, -100.0, 0.0, 20.0]))
    found = moved(tmp_path, table, "a")
    ra, dec = np.radians(table["ra"]), np.radians(table["dec"])
    mas = np.pi / 180 / 3.6e6
    pm = table["pmra"] * mas / np.cos(dec), table["pmdec"] * mas
    start = 2451545.0 + (epoch - 2000.0) * 365.25
    end = 2451545.0 + 36 * 365.25
    expected = erfa.pmsafe(
        ra, dec, *pm, table["parallax"] / 1000, table["radial_velocity"], start, 0.0, end, 0.0
    )
    np.testing.assert_allclose(found["ra"].to_value("rad"), expected[0], rtol=0, atol=1e-3 * mas)
    np.testing.assert_allclose(found["dec"].to_value("rad"), expected[1], rtol=0, atol=1e-3 * mas)


def test_epochs_in_days_and_unknown_velocities(capsys, tmp_path):
    epoch = np.array([2014.0, 2016.0])
    years = moved(tmp_path, sources(epoch, "yr", radial_velocity=np.zeros(2)), "years")
    days = 51544.5 + (epoch - 2000.0) * 365.25
    for name, unit in (("mjd", "MJD"), ("d", "d")):
        table = sources(days, None, radial_velocity=np.array([np.nan, -9999.99]))
        table.write(tmp_path / "t.ecsv", overwrite=True)
        text = (tmp_path / "t.ecsv").read_text()
        (tmp_path / "t.ecsv").write_text(
            text.replace("{name: ref_epoch,", f"{{name: ref_epoch, unit: {unit},")
        )
        output = tmp_path / f"{name}.ecsv"
        arguments = ["--product", "sources", "--epochs", 2036, "-o", output]
        assert run(tmp_path / "t.ecsv", *arguments) == 0
        found = QTable.read(output)
        np.testing.assert_allclose(found["ra"].value, years["ra"].value, rtol=0, atol=1e-13)
        np.testing.assert_allclose(
            found["radial_velocity"].value, years["radial_velocity"].value, rtol=0, atol=1e-9
        )
    table = sources(days)
    table.write(tmp_path / "plain.ecsv")
    capsys.readouterr()
    error = fails(
        capsys, tmp_path, tmp_path / "plain.ecsv", "--epochs", 2036, "-o", tmp_path / "x.fits"
    )
    assert "(MJD) it is 2014.000" in error


def test_realisations(tmp_path, capsys):
    stars = true_stars(20, realisation=np.repeat([0, 1], 10).astype(np.int32))
    mock = write_catalogue(tmp_path / "mock.parquet", stars)
    assert run(mock, "--epochs", 2032, "-o", tmp_path / "all.parquet") == 0
    assert run(mock, "--epochs", 2032, "--realisation", 1, "-o", tmp_path / "one.parquet") == 0
    assert (QTable.read(tmp_path / "one.parquet")["realisation"] == 1).all()
    assert len(QTable.read(tmp_path / "all.parquet")) == 20
    capsys.readouterr()
    options = [mock, "--epochs", 2032, "--realisation", 5, "-o", tmp_path / "none.parquet"]
    assert "no star of realisation 5" in fails(capsys, tmp_path, *options)


def test_the_same_rows_whatever_the_chunks(tmp_path, monkeypatch, mock):
    assert run(mock, "--epochs", 2032, 2033, "-o", tmp_path / "a.parquet") == 0
    monkeypatch.setattr("gcmock.astrometry.directions.propagate._ROWS", 7)
    assert run(mock, "--epochs", 2032, 2033, "-o", tmp_path / "b.parquet") == 0
    a, b = (QTable.read(tmp_path / f"{name}.parquet") for name in "ab")
    assert all((a[name] == b[name]).all() for name in a.colnames)


BAD_CALLS = {
    "no number": (["--epochs", "2032", "soon"], "soon"),
    "none": ([], "no epoch is given"),
    "out of range": (["--epochs", "20320"], "20320 is out of range"),
    "two kinds": (["--epochs", "2032", "--times", "x.txt"], "exclude each other"),
    "no file": (["--times", "missing.txt"], "cannot be read"),
    "sources at two epochs": (
        ["--epochs", "2032", "2033", "--product", "sources"], "has one epoch"
    ),
    "no orbit": (["--epochs", "2032", "--orbit", "missing.ecsv"], "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(capsys, tmp_path, mock, case):
    options, words = BAD_CALLS[case]
    assert words in fails(capsys, tmp_path, mock, *options, "-o", tmp_path / "x.parquet")


def test_bad_times(capsys, tmp_path, mock):
    (tmp_path / "times.txt").write_text("2032.0\nspring\n")
    error = fails(capsys, tmp_path, mock, "--times", tmp_path / "times.txt", "-o", "x.parquet")
    assert "line 2: 'spring' is no Julian year" in error


@pytest.mark.parametrize("name", ["ra", "dec", "parallax", "pmra", "pmdec", "source_id"])
def test_missing_columns_are_named(capsys, tmp_path, stars, name):
    mock = write_catalogue(tmp_path / "mock.parquet", stars, name)
    error = fails(capsys, tmp_path, mock, "--epochs", 2032, "-o", tmp_path / "x.parquet")
    assert f"no column {name}" in error


def test_missing_values_are_named(capsys, tmp_path, stars):
    parallax = stars["parallax"].copy()
    parallax[17] = np.nan
    mock = write_catalogue(tmp_path / "mock.parquet", stars | {"parallax": parallax})
    error = fails(capsys, tmp_path, mock, "--epochs", 2032, "-o", tmp_path / "x.parquet")
    assert "parallax is missing in row 17" in error


def test_existing_outputs_are_kept(capsys, tmp_path, mock):
    output = tmp_path / "x.parquet"
    assert run(mock, "--epochs", 2032, "-o", output) == 0
    content = output.read_bytes()
    capsys.readouterr()
    assert "exists already" in fails(capsys, tmp_path, mock, "--epochs", 2033, "-o", output)
    assert output.read_bytes() == content
    assert run(mock, "--epochs", 2033, "-o", output, "--overwrite") == 0
    assert output.read_bytes() != content
    capsys.readouterr()
    sources = tmp_path / "sources.parquet"
    assert run(mock, "--product", "sources", "-o", sources) == 0
    capsys.readouterr()
    error = fails(capsys, tmp_path, sources, "--epochs", 2033, "-o", sources, "--overwrite")
    assert "is read by this command" in error


# It leaves files open, and asks the Gaia archive for news when it is imported.
@pytest.mark.filterwarnings("ignore")
def test_warpfield_reads_the_table_of_sources(tmp_path, mock, stars):
    """The source table of JASMINE's image simulator (JASMINE-Mission/jasmine_warpfield)."""
    source = pytest.importorskip(
        "warpfield.telescope.source",
        reason="warpfield of JASMINE is not installed (PyPI's warpfield is another program)",
        exc_type=ImportError,
    )
    expected = None
    for name in ("sources.fits", "sources.ecsv"):
        assert run(mock, "--product", "sources", "-o", tmp_path / name) == 0
        if name.endswith("fits"):
            table = source.SourceTable.from_fitsfile(tmp_path / name, key=1)
        else:
            table = source.SourceTable(QTable.read(tmp_path / name))
        sky = table.skycoord
        np.testing.assert_array_equal(table["source_id"], stars["source_id"])
        np.testing.assert_array_equal(sky.ra.deg, stars["ra"])
        np.testing.assert_allclose(sky.distance.to_value("pc"), stars["distance_pc"], rtol=1e-12)
        np.testing.assert_allclose(sky.pm_ra_cosdec.to_value("mas/yr"), stars["pmra"], rtol=1e-12)
        np.testing.assert_allclose(sky.obstime.jyear, 2016.0, atol=2e-3)
        expected = expected or len(table)
        assert len(table) == expected == 300
