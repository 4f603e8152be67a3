"""FITS files, byte by byte where other programs look."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from gcmock.io.writers.fits import FitsEncoder
from gcmock.words.columns import Column

COLUMNS = (
    Column("id", "int64", "", "meta.id", "Identifier"),
    Column("pm", "float64", "mas/yr", "pos.pm", "Proper motion"),
    Column("kind", "U3", "", "meta.code", "Kind"),
)
METADATA = {"config": 'a = "x & y"\n' * 40, "é": "'quoted'"}


def write(path: Path, sizes: list[int]) -> dict[str, np.ndarray]:
    encoder = FitsEncoder(path, COLUMNS, METADATA)
    n = sum(sizes)
    rows = {"id": np.arange(n), "pm": np.arange(n) / 3.0, "kind": np.resize(["nsd", "x"], n)}
    start = 0
    for size in sizes:
        encoder.write({name: values[start : start + size] for name, values in rows.items()})
        start += size
    encoder.finish()
    return rows


@pytest.mark.parametrize("sizes", [[], [1], [3, 500, 7], [2880 // 19]])
def test_files_are_whole_blocks_with_the_number_of_rows(tmp_path: Path, sizes: list[int]) -> None:
    path = tmp_path / "t.fits"
    rows = write(path, sizes)
    assert path.stat().st_size % 2880 == 0
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus["STARS"].header["NAXIS2"] == sum(sizes)
        for name, values in rows.items():
            np.testing.assert_array_equal(hdus["STARS"].data[name], values)


def test_words_stand_behind_the_keywords_of_their_column(tmp_path: Path) -> None:
    write(tmp_path / "t.fits", [1])
    header = fits.getheader(tmp_path / "t.fits", 1)
    keys = list(header)
    assert keys[keys.index("TTYPE2") :][:5] == ["TTYPE2", "TFORM2", "TUNIT2", "TCOMM2", "TUCD2"]
    assert (header["TUNIT2"], header["TCOMM3"], header["TUCD1"]) == ("mas yr-1", "Kind", "meta.id")


def test_metadata_survive_continued_cards(tmp_path: Path) -> None:
    write(tmp_path / "t.fits", [1])
    header = fits.getheader(tmp_path / "t.fits", 1)
    assert json.loads(header["GCMOCK"]) == METADATA
    assert "CONTINUE" in repr(header)


def test_a_closed_file_is_not_finished(tmp_path: Path) -> None:
    encoder = FitsEncoder(tmp_path / "t.fits", COLUMNS, METADATA)
    encoder.write({"id": np.arange(2), "pm": np.ones(2), "kind": np.array(["a", "b"])})
    encoder.close()
    encoder.close()
    assert fits.getheader(tmp_path / "t.fits", 1)["NAXIS2"] == 0
