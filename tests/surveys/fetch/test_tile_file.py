"""Files of fetched rows: nothing of the archive's values and words is lost."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table

from gcmock.surveys.fetch.tile_file import tile_to_arrow, write_tile


@pytest.fixture
def table():
    found = Table()
    found["id"] = np.array([3, 1, 2], ">i8")
    found["mag"] = MaskedColumn(np.array([1.5, 2.5, 3.5], ">f4"), mask=[False, True, False],
                                unit="mag", description="Ks", meta={"ucd": "phot.mag"})  # fmt: skip
    found["text"] = MaskedColumn(np.array([b"a", b"bc", b""], "S2"), mask=[False, False, True])
    found["any"] = np.array(["x", None, b"y"], object)
    return found


def test_missing_values_are_null(table):
    found = tile_to_arrow(table, {})
    assert found.column("id").to_pylist() == [3, 1, 2]
    assert found.column("mag").to_pylist() == [1.5, None, 3.5]
    assert found.column("text").to_pylist() == ["a", "bc", None]
    assert found.column("any").to_pylist() == ["x", None, "y"]
    # Native byte order, but the precision of the archive.
    assert [str(field.type) for field in found.schema] == ["int64", "float", "string", "string"]


def test_words_of_the_archive(table):
    schema = tile_to_arrow(table, {"survey": "vvv"}).schema
    assert schema.metadata == {b"survey": b"vvv"}
    assert schema.field("mag").metadata == {
        b"unit": b"mag", b"description": b"Ks", b"ucd": b"phot.mag",
    }  # fmt: skip
    # What is empty is not written.
    assert not schema.field("id").metadata


def test_file(table, tmp_path):
    path = tmp_path / "tile.parquet"
    write_tile(path, table, {"query": "SELECT"})
    found = pq.read_table(path)
    assert found.equals(tile_to_arrow(table, {"query": "SELECT"}))
    assert found.schema.metadata[b"query"] == b"SELECT"
    assert [file.name for file in tmp_path.iterdir()] == ["tile.parquet"]
