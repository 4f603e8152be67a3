"""The files that make partitions a HATS catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hats_metadata import METADATA

from gcmock.errors import InputError
from gcmock.io.writers.writer import open_writer
from gcmock.runtime.hats_catalogue import Pixel, describe_hats, open_hats
from gcmock.runtime.pixels import HEALPIX, ORDER
from gcmock.settings.build import load_config
from gcmock.words.columns import SOURCE_ID, TRUTH_COLUMNS

pytest.importorskip("hats", reason="the extra [hats] is not installed")

POSITION = tuple(column for column in TRUTH_COLUMNS if column.name in ("ra", "dec"))
COLUMNS = (HEALPIX, SOURCE_ID, *POSITION)
CONFIG = load_config(None, {"run": {"seed": 7}})


@pytest.fixture
def catalogue(tmp_path):
    """Two partitions of two rows."""
    folder = tmp_path / "stars"
    pixels = []
    for number in (24_003, 5):
        pixel = Pixel(6, number, folder)
        path = folder / pixel.name
        path.parent.mkdir(parents=True)
        with open_writer(path, COLUMNS) as writer:
            index = (number << 2 * (ORDER - 6)) + np.arange(2)
            rows = {HEALPIX.name: index, "source_id": index, "ra": np.ones(2), "dec": np.ones(2)}
            writer.write(rows)
        pixels.append(pixel)
    describe_hats(folder, pixels, COLUMNS, METADATA, CONFIG, 4)
    return folder


def test_ten_thousand_pixels_share_a_folder():
    def name(number):
        return Pixel(8, number, Path("x")).name

    assert name(9_999) == "dataset/Norder=8/Dir=0/Npix=9999.parquet"
    assert name(10_000) == "dataset/Norder=8/Dir=10000/Npix=10000.parquet"
    assert name(123_456) == "dataset/Norder=8/Dir=120000/Npix=123456.parquet"


def test_what_is_described_is_read_back(catalogue):
    found = open_hats(catalogue)
    assert [(p.order, p.pixel) for p in found.pixels] == [(6, 5), (6, 24_003)]
    assert [p.path for p in found.pixels] == [catalogue / p.name for p in found.pixels]
    assert found.columns == {"ra": "ra", "dec": "dec"}
    assert (found.path, found.name) == (catalogue, "stars")


def test_the_provenance_is_in_the_properties(catalogue):
    from hats import read_hats

    info = read_hats(catalogue).catalog_info
    assert info.total_rows == 4
    assert (info.healpix_column, info.healpix_order) == ("_healpix_29", 29)
    assert info.obs_description == "true stars"
    assert info.bib_reference == "a paper"
    words = info.model_extra
    assert words["gcmock_seed"] == "7"
    assert words["gcmock_data_sha256"] == "cd" * 32
    assert json.loads(words["gcmock_config"]) == CONFIG.model_dump(mode="json")


def test_the_schema_has_units_and_metadata(catalogue):
    schema = pq.read_schema(catalogue / "dataset" / "_common_metadata")
    assert schema.names == [column.name for column in COLUMNS]
    assert json.loads(schema.metadata[b"gcmock"]) == METADATA
    assert schema.field("ra").metadata[b"unit"] == b"deg"


def test_partitions_that_are_lost_are_named(catalogue):
    lost = open_hats(catalogue).pixels[1].path
    lost.unlink()
    with pytest.raises(InputError, match=r"1 partitions are missing, such as .*Npix=24003"):
        open_hats(catalogue)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"not a HATS catalogue, or damaged: .*gcmock import-hats"):
        open_hats(tmp_path)
    (tmp_path / "hats.properties").write_text("nonsense")
    with pytest.raises(InputError, match="not a HATS catalogue, or damaged"):
        open_hats(tmp_path)
