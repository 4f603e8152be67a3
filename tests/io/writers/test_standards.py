"""Files as the standards of the field have them, in the eyes of programs that are not gcmock's."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import QTable

from gcmock.io.metadata import read_metadata
from gcmock.io.writers.folder import open_output
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import OUTPUT_COLUMNS, SOURCE_ID

N = 30
METADATA = {
    "creator": "gcmock 1.2.3",
    "date": "2032-01-02T03:04:05+00:00",
    "config": '[run]\nseed = 7\n# "é" & <b>',
    "seed": "7",
}
IDS = SOURCE_ID.with_dtype("U12")


def rows_of(columns):
    rng = np.random.default_rng(1)
    rows = {}
    for column in columns:
        dtype = np.dtype(column.dtype)
        if dtype.kind == "U":
            values = np.resize(["nsd", "thin1"], N)
        else:
            values = rng.integers(0, 100, N)
        rows[column.name] = values.astype(dtype)
    rows["ref_epoch"] = np.full(N, 2016.0)
    return rows


def write(path, columns=OUTPUT_COLUMNS, metadata=METADATA, pieces=3):
    rows = rows_of(columns)
    with open_writer(path, columns, metadata) as writer:
        for part in np.array_split(np.arange(N), pieces):
            writer.write({name: values[part] for name, values in rows.items()})
    return path


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {name})")
    return found


@pytest.mark.parametrize("first", [SOURCE_ID, IDS], ids=["numbers", "text"])
def test_fitsverify_finds_nothing(tmp_path: Path, first) -> None:
    path = write(tmp_path / "a.fits", (first, *OUTPUT_COLUMNS[1:]))
    done = subprocess.run(
        [program("fitsverify"), path], capture_output=True, text=True, check=False
    )
    assert "Verification found 0 warning(s) and 0 error(s)" in done.stdout, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("first", [SOURCE_ID, IDS], ids=["numbers", "text"])
def test_votlint_finds_nothing(tmp_path: Path, first) -> None:
    path = write(tmp_path / "a.vot", (first, *OUTPUT_COLUMNS[1:]))
    words = [program("stilts"), "votlint", path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "", "")


@pytest.mark.parametrize("pieces", [1, 3, 30])
def test_checksums_are_right_whatever_the_chunks(tmp_path: Path, pieces: int) -> None:
    path = write(tmp_path / "a.fits", pieces=pieces)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True) as hdus:
            assert all("CHECKSUM" in hdu.header and "DATASUM" in hdu.header for hdu in hdus)
            assert len(hdus[1].data) == N
    # A byte that changes is found.
    data = bytearray(path.read_bytes())
    data[-2880] ^= 1
    path.write_bytes(data)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with fits.open(path, checksum=True) as hdus:
            assert len(hdus[1].data) == N
    assert any("Checksum verification failed" in str(one.message) for one in told)


def test_fits_says_frame_time_scale_origin_and_date(tmp_path: Path) -> None:
    write(tmp_path / "a.fits")
    header = fits.getheader(tmp_path / "a.fits", 1)
    assert (header["RADESYS"], header["TIMESYS"], header["ORIGIN"]) == ("ICRS", "TCB", "gcmock")
    for number in (0, 1):
        header = fits.getheader(tmp_path / "a.fits", number)
        assert (header["DATE"], header["CREATOR"]) == ("2032-01-02T03:04:05", "gcmock 1.2.3")


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".parquet", ".ecsv"])
def test_no_time_where_none_is_recorded(tmp_path: Path, suffix: str) -> None:
    """Equal runs give equal bytes."""
    words = {key: text for key, text in METADATA.items() if key != "date"}
    a, b = (write(tmp_path / f"{name}{suffix}", metadata=words).read_bytes() for name in "ab")
    assert a == b
    if suffix == ".fits":
        assert "DATE" not in fits.getheader(tmp_path / "a.fits")


def test_votable_says_frames_and_time_scale(tmp_path: Path) -> None:
    table = parse(write(tmp_path / "a.vot"), verify="exception")
    systems = {system.ID: system.system for system in table.iter_coosys()}
    assert systems == {"icrs": "ICRS", "galactic": "galactic"}
    [scale] = table.iter_timesys()
    assert (scale.timescale, scale.refposition, scale.timeorigin) == ("TCB", "BARYCENTER", None)
    refs = {field.name: field.ref for field in table.get_first_table().fields}
    for name, ref in {
        "ra": "icrs", "dec": "icrs", "pmra": "icrs", "pmdec": "icrs", "parallax": "icrs",
        "l": "galactic", "b": "galactic", "ref_epoch": "tcb", "age_gyr": None, "source_id": None,
    }.items():  # fmt: skip
        assert refs[name] == ref, name


@pytest.mark.parametrize(("suffix", "unit"), [(".parquet", u.dex), (".ecsv", u.dex),
                                              (".vot", None), (".fits", None)])  # fmt: skip
def test_metallicity_is_in_dex_where_the_format_knows_it(tmp_path, suffix, unit) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = QTable.read(write(tmp_path / f"a{suffix}"))
    assert getattr(table["metallicity"], "unit", None) == unit
    # The description says it everywhere; astropy leaves that of FITS in the header.
    assert suffix == ".fits" or "dex" in table["metallicity"].info.description


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".parquet", ".ecsv"])
def test_provenance_is_read_back(tmp_path: Path, suffix: str) -> None:
    assert read_metadata(write(tmp_path / f"a{suffix}")) == METADATA


def test_provenance_is_read_without_gcmock(tmp_path: Path) -> None:
    history = list(fits.getheader(write(tmp_path / "a.fits"), 1)["HISTORY"])
    assert "seed: 7" in history
    assert history[history.index("config: [run]") + 1] == "  seed = 7"
    infos = parse(write(tmp_path / "a.vot")).resources[0].infos
    words = {info.name: info.value for info in infos}
    assert words["gcmock_seed"] == "7"
    assert "seed = 7" in words["gcmock_config"]
    found = pq.read_schema(write(tmp_path / "a.parquet")).metadata[b"gcmock"]
    assert json.loads(found) == METADATA
    assert QTable.read(write(tmp_path / "a.ecsv")).meta["gcmock"] == METADATA


def test_text_identifiers_come_back_without_padding(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fits", (IDS, *OUTPUT_COLUMNS[1:]))
    assert QTable.read(path)["source_id"].tolist()[:2] == ["nsd", "thin1"]
    assert b"nsd\0\0\0\0\0\0\0\0\0" in path.read_bytes()


def test_readers_of_parquet_take_the_partitions_of_a_folder(tmp_path: Path) -> None:
    rows = rows_of(OUTPUT_COLUMNS)
    with open_output(tmp_path / "mock", OUTPUT_COLUMNS, METADATA, 10) as writer:
        writer.write(rows)
    assert pq.read_table(tmp_path / "mock").num_rows == N
    pandas = pytest.importorskip("pandas")
    assert len(pandas.read_parquet(tmp_path / "mock")) == N
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(tmp_path / "mock" / "part-*.parquet").height == N
