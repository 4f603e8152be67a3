"""Parquet files: row groups, and units for pyarrow and astropy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import QTable

from gcmock.io.writers import parquet as module
from gcmock.io.writers.parquet import ParquetEncoder, parquet_schema
from gcmock.words.columns import Column

COLUMNS = (
    Column("id", "int64", "", "meta.id", "Identifier"),
    Column("pm", "float32", "mas/yr", "pos.pm", "Proper motion"),
    Column("kind", "U5", "", "meta.code", "Kind"),
)


def write(path: Path, sizes: list[int]) -> None:
    encoder, start = ParquetEncoder(path, COLUMNS, {"a": "b"}), 0
    for size in sizes:
        rows = np.arange(start, start + size)
        start += size
        encoder.write({"id": rows, "pm": rows.astype("f4"), "kind": np.full(size, "nsd")})
    encoder.finish()


@pytest.mark.parametrize("sizes", [[25], [10, 10, 5], [1] * 25, [3, 22]])
def test_bytes_depend_on_the_rows_not_on_the_chunks(tmp_path: Path, monkeypatch, sizes) -> None:
    monkeypatch.setattr(module, "ROW_GROUP", 10)
    write(tmp_path / "a.parquet", sizes)
    write(tmp_path / "b.parquet", [25])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    found = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [found.row_group(i).num_rows for i in range(3)] == [10, 10, 5]


def test_no_rows_and_whole_groups(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "ROW_GROUP", 10)
    write(tmp_path / "a.parquet", [])
    write(tmp_path / "b.parquet", [20])
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_rows == 0
    assert pq.ParquetFile(tmp_path / "b.parquet").metadata.num_row_groups == 2


def test_text_is_a_dictionary_on_disk_but_not_in_the_schema(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", [50])
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i).encodings for i in range(3)}
    assert "RLE_DICTIONARY" in encodings["kind"]
    assert "BYTE_STREAM_SPLIT" in encodings["pm"]
    assert group.column(0).compression == "ZSTD"
    assert pq.read_schema(tmp_path / "a.parquet").field("kind").type == pa.string()


def test_schemas_speak_to_everyone(tmp_path: Path) -> None:
    schema = parquet_schema(COLUMNS, {"a": "b"})
    assert [field.nullable for field in schema] == [False] * 3
    assert schema.field("pm").metadata == {
        b"unit": b"mas/yr", b"description": b"Proper motion", b"ucd": b"pos.pm",
    }  # fmt: skip
    assert json.loads(schema.metadata[b"gcmock"]) == {"a": "b"}
    assert schema.metadata[b"table::len::kind"] == b"5"
    assert b"<VOTABLE" in schema.metadata[b"IVOA.VOTable-Parquet.content"]
    write(tmp_path / "a.parquet", [2])
    table = QTable.read(tmp_path / "a.parquet")
    assert table["pm"].unit == u.mas / u.yr
    assert table.meta["gcmock"] == {"a": "b"}


def test_a_closed_file_has_only_whole_groups(tmp_path: Path) -> None:
    encoder = ParquetEncoder(tmp_path / "a.parquet", COLUMNS, {})
    encoder.write({"id": np.arange(3), "pm": np.ones(3, "f4"), "kind": np.full(3, "x")})
    encoder.close()
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_rows == 0
