"""Bad input ends in one line, exit code 2, and no file."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from gcmock import cli
from gcmock.errors import DiskError

NAN = np.nan


def table(**columns):
    n = 4
    stars = Table({"source_id": np.arange(n), "ra": [266.4] * n, "dec": np.linspace(-29, -28.9, n)})
    stars["phot_h_mag"], stars["phot_ks_mag"] = [13.0, 12.5, 13.5, 14.0], [11.5, 11.0, 12.0, 12.5]
    for name, values in columns.items():
        if values is None:
            del stars[name]
        else:
            stars[name] = values
    return stars


def build(tmp_path, capsys, stars, *options, name="stars.fits", output="mock.parquet"):
    """Exit code and the one line on stderr; checks that nothing was written."""
    given = tmp_path / name
    if stars is not None:
        stars.write(given)
    before = sorted(tmp_path.rglob("*"))
    code = cli.run(["build", str(given), "-o", str(tmp_path / output), *map(str, options)])
    printed, error = capsys.readouterr()
    if code:
        assert sorted(tmp_path.rglob("*")) == before
        assert printed == ""
        assert error.startswith("gcmock: error: ")
        assert "Traceback" not in error
    return code, error


def with_unit(name, unit):
    stars = table()
    stars[name].unit = unit
    return stars


BAD_TABLES = {
    "misnamed position": (
        table(dec=None, decl=[-29.0] * 4),
        "no position: needs columns ra and dec.*closest: 'decl'",
    ),
    "no magnitude": (
        table(phot_h_mag=None, phot_ks_mag=None, Kmag=[1.0] * 4),
        r'no magnitudes.*phot_ks_mag = "Kmag"',
    ),
    "wrong unit": (with_unit("ra", "km"), "column 'ra' has the unit 'km', but ra needs deg"),
    "AB magnitudes": (
        table(phot_ks_mag=None, phot_h_mag=None, phot_ks_mag_ab=[12.0] * 4),
        "is in the AB system",
    ),
    "text as numbers": (table(phot_ks_mag=["a", "b", "c", "d"]), "holds text, not numbers"),
    "missing position": (table(ra=[266.4, NAN, 266.4, 266.4]), "ra is missing in row 1"),
    "impossible position": (table(dec=[-29.0, -29, -99, -29]), "dec = -99 in row 2"),
    "duplicate source_id": (
        table(source_id=[5, 6, 5, 7]),
        "1 source_id occur more than once: 5 in rows 0 and 2",
    ),
    "outside the map": (
        table(ra=[266.4, 83.6, 83.6, 266.4], dec=[-29.0, 22.0, 22.0, -29.0]),
        "2 stars lie outside the extinction map.*in row 1 .*outside_map",
    ),
    "no rows": (table()[:0], "the table has no rows"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables(tmp_path, capsys, case):
    stars, message = BAD_TABLES[case]
    code, error = build(tmp_path, capsys, stars)
    assert code == 2
    assert error.count("\n") == 1
    assert error.startswith(f"gcmock: error: {tmp_path / 'stars.fits'}: ")
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\nsede = 3\n", "[run] sede: unknown key; did you mean 'seed'"),
        ("[extincton]\n", "[extincton]: unknown section; did you mean 'extinction'"),
        ('[extinction]\nlaw = "cardelli"\n', "[extinction] law = 'cardelli'"),
        ("[run]\nrealisations = 0\n", "[run] realisations = 0"),
        ("[run\n", "not valid TOML"),
        ('[columns]\nphot_j_mag = "Jmag"\n', "no column 'Jmag', which [columns] gives"),
    ],
)
def test_bad_settings(tmp_path, capsys, text, message):
    config = tmp_path / "config.toml"
    config.write_text(text)
    code, error = build(tmp_path, capsys, table(), "--config", config)
    assert code == 2
    assert error.count("\n") == 1
    assert message in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "/nowhere/config.toml"], "/nowhere/config.toml: cannot be read"),
        (["--realisations", "0"], "[run] realisations = 0"),
        (["--seed", "x"], "--seed"),
        (["--sed", "3"], "--sed"),
        (["more.fits"], "more.fits"),
    ],
)
def test_bad_options(tmp_path, capsys, options, message):
    code, error = build(tmp_path, capsys, table(), *options)
    assert code == 2
    assert error.count("\n") == 1
    assert message in error


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("mock.txt", "unknown file type '.txt'"),
        ("mock.csv", "CSV cannot hold units"),
        ("nowhere/mock.fits", "does not exist"),
        ("stars.fits", "is read by this command"),
    ],
)
def test_bad_outputs(tmp_path, capsys, output, message):
    code, error = build(tmp_path, capsys, table(), output=output)
    assert code == 2
    assert error.count("\n") == 1
    assert message in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder(tmp_path, capsys):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    code, error = build(tmp_path, capsys, table(), output="locked/mock.parquet")
    assert code == 2
    assert "cannot be written" in error


def test_missing_file(tmp_path, capsys):
    code, error = build(tmp_path, capsys, None)
    assert code == 2
    assert error == f"gcmock: error: {tmp_path / 'stars.fits'}: no such file\n"


@pytest.mark.parametrize("name", ["stars.fits", "stars.parquet", "stars.vot", "stars.ecsv"])
def test_truncated_files(tmp_path, capsys, name):
    whole = tmp_path / name
    large = Table({c: np.tile(np.asarray(table()[c]), 2000) for c in table().colnames})
    large["source_id"] = np.arange(len(large))
    large.write(whole, **({"format": "votable"} if name.endswith("vot") else {}))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2 + 7])
    code, error = build(tmp_path, capsys, None, name=name)
    assert code == 2
    assert error.count("\n") == 1
    assert str(whole) in error


def test_wrong_content(tmp_path, capsys):
    fits.PrimaryHDU(np.zeros(3)).writeto(tmp_path / "stars.fits")
    code, error = build(tmp_path, capsys, None)
    assert code == 2
    assert "the FITS file has no table" in error


@pytest.mark.slow
def test_bad_values_are_missing_values(tmp_path, capsys):
    stars = table(
        phot_h_mag=[99.0, -999.0, NAN, 13.0],
        phot_h_mag_error=[0.05, 0.05, 0.05, -1.0],
        phot_ks_mag=[11.5, 11.0, NAN, 12.0],
        phot_ks_mag_error=[0.0, 0.05, 0.05, 0.05],
    )
    stars.write(tmp_path / "stars.fits")
    assert cli.run(["build", str(tmp_path / "stars.fits"), "-o", str(tmp_path / "m.fits")]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for row in (
        "missing values 3 phot_h_mag",
        "1 phot_h_mag_error",
        "1 phot_ks_mag",
        "1 phot_ks_mag_error",
        "1 none",
        "2 error_assumed",
        "1 no_photometry",
    ):
        assert any(row in line for line in rows), (row, rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--l", "1", "0", "--b", "0", "1"], "is empty"),
        (["--l", "0", "30", "--b", "0", "1"], "reaches beyond the extinction map"),
        (["--l", "0", "--b", "0", "1"], "--l"),
    ],
)
def test_bad_windows(tmp_path, capsys, arguments, message):
    assert cli.run(["simulate", "-o", str(tmp_path / "s.parquet"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert list(tmp_path.iterdir()) == []


def test_demo_needs_a_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.run(["demo", "-o", str(tmp_path / "file")]) == 2
    assert "file: cannot be made" in capsys.readouterr().err


@pytest.mark.slow
def test_interrupted_in_the_middle(tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        assert any(".partial" in file.name for file in tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr("gcmock.mock.pipeline.assemble", interrupt)
    code, error = build(tmp_path, capsys, table())
    assert code == 130
    assert error == "gcmock: error: interrupted; nothing was written\n"


@pytest.mark.slow
def test_a_failing_disk_is_not_bad_input(tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gcmock.io.writers.parquet.ParquetEncoder.write", full)
    code, error = build(tmp_path, capsys, table())
    assert code == DiskError.exit_code == 3
    assert "writing failed: No space left on device" in error


@pytest.mark.long
def test_ctrl_c(tmp_path):
    stars = Table({"l": np.linspace(-9, 9, 20_000), "b": np.linspace(-4, 4, 20_000)})
    stars["phot_ks_mag"] = 12.0
    stars.write(tmp_path / "stars.parquet")
    command = [sys.executable, "-m", "gcmock", "build", "stars.parquet", "-o", "mock.parquet"]
    done = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while done.poll() is None and len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.05)
    done.send_signal(signal.SIGINT)
    _, error = done.communicate(timeout=60)
    assert done.returncode == 130
    assert error == "gcmock: error: interrupted; nothing was written\n"
    assert [file.name for file in tmp_path.iterdir()] == ["stars.parquet"]
