"""Metadata of files are read back; settings of catalogues are understood or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import QTable

from gcmock.errors import InputError
from gcmock.io.metadata import catalogue_metadata, read_metadata, recorded_config
from gcmock.io.writers.writer import open_writer
from gcmock.settings.base import to_toml
from gcmock.settings.build import Config
from gcmock.words.columns import Column

COLUMNS = (Column("id", "int64", "", "meta.id", "Identifier"),)
METADATA = {"version": "1", "words": "<&> \" ' é\n"}


def write(path: Path, metadata: dict[str, str] = METADATA) -> Path:
    with open_writer(path, COLUMNS, metadata) as writer:
        writer.write({"id": np.arange(3)})
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".vot", ".xml", ".ecsv"])
def test_metadata_are_read_back(tmp_path: Path, suffix: str) -> None:
    assert read_metadata(write(tmp_path / f"t{suffix}")) == METADATA
    assert read_metadata(str(write(tmp_path / f"e{suffix}", {}))) == {}


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".vot", ".ecsv"])
def test_files_of_others_have_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    QTable({"x": [1.0]}).write(path, **({"format": "votable"} if suffix == ".vot" else {}))
    assert read_metadata(path) == {}


def test_formats_without_a_place_for_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x\n1\n")
    assert read_metadata(tmp_path / "t.csv") == {}


def test_damaged_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"bad\.parquet: damaged metadata"):
        read_metadata(tmp_path / "bad.parquet")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [b"not json", b"[1]", b"3", b'{"config": 3}', b"\xff", b"[" * 9999]
)
def test_junk_in_the_metadata_is_named(tmp_path: Path, words: bytes) -> None:
    table = pa.table({"x": [1]}).replace_schema_metadata({b"gcmock": words})
    pq.write_table(table, tmp_path / "junk.parquet")
    with pytest.raises(InputError, match=r"junk\.parquet: damaged metadata"):
        read_metadata(tmp_path / "junk.parquet")


def test_a_folder_has_those_of_its_first_part(tmp_path: Path) -> None:
    (tmp_path / "Norder=0").mkdir()
    write(tmp_path / "_common.parquet", {"version": "hidden"})
    assert catalogue_metadata(tmp_path) == {}
    write(tmp_path / "Norder=0" / "b.parquet", {"version": "second"})
    write(tmp_path / "Norder=0" / "a.parquet", {"version": "first"})
    assert catalogue_metadata(tmp_path) == {"version": "first"}
    assert catalogue_metadata(tmp_path / "_common.parquet") == {"version": "hidden"}


def test_recorded_settings() -> None:
    config = Config.model_validate({"run": {"seed": 77}})
    found = recorded_config(Path("m.fits"), {"config": to_toml(config, comments=False)})
    assert found == config
    assert recorded_config(Path("m.fits"), METADATA) is None


@pytest.mark.parametrize("text", ["[run]\nsede = 1\n", "[run", "[warp]\nfactor = 9\n"])
def test_settings_of_other_versions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^m.fits: this version of gcmock does not understand"):
        recorded_config(Path("m.fits"), {"config": text})
