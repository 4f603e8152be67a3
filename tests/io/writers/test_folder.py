"""Folders of Parquet files, which appear when they are complete."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.io.manifest import MANIFEST, check_complete
from gcmock.io.writers.folder import FolderWriter, open_output
from gcmock.io.writers.writer import Writer
from gcmock.words.columns import Column

COLUMNS = (Column("id", "int64", "", "meta.id", "Identifier"),)


def write(path: Path, sizes: list[int], partition: int, **options: bool) -> None:
    with FolderWriter(path, COLUMNS, {"a": "b"}, partition, **options) as writer:
        start = 0
        for size in sizes:
            writer.write({"id": np.arange(start, start + size)})
            start += size
        assert writer.n_rows == start


def parts(path: Path) -> list[list[int]]:
    return [pq.read_table(part)["id"].to_pylist() for part in sorted(path.glob("part-*.parquet"))]


@pytest.mark.slow
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 9), max_size=4), partition=st.integers(1, 10))
def test_rows_are_cut_into_partitions(tmp_path: Path, sizes: list[int], partition: int) -> None:
    path = tmp_path / "out"
    write(path, sizes, partition, overwrite=True)
    rows = list(range(sum(sizes)))
    assert parts(path) == [rows[i : i + partition] for i in range(0, len(rows), partition)]
    check_complete(path)


def test_files_are_numbered_and_hold_the_metadata(tmp_path: Path) -> None:
    write(tmp_path / "out", [5], 2)
    names = sorted(part.name for part in (tmp_path / "out").iterdir())
    assert names == [MANIFEST, "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    metadata = pq.read_schema(tmp_path / "out" / names[-1]).metadata
    assert json.loads(metadata[b"gcmock"]) == {"a": "b", "manifest": MANIFEST}


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_an_exception(tmp_path: Path, stop: type[BaseException]) -> None:
    def fail() -> None:
        with FolderWriter(tmp_path / "out", COLUMNS, {}, 2) as writer:
            writer.write({"id": np.arange(3)})
            assert not (tmp_path / "out").exists()
            raise stop

    with pytest.raises(stop):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_own_folders_are_replaced_if_that_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "out", [3], 2)
    with pytest.raises(InputError, match="out: exists already"):
        write(tmp_path / "out", [1], 2)
    write(tmp_path / "out", [1], 2, overwrite=True)
    assert parts(tmp_path / "out") == [[0]]


def test_other_folders_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="out"):
        write(tmp_path / "out", [1], 2, overwrite=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_suffix_tells_files_from_folders(tmp_path: Path) -> None:
    for name, kind in (("out", FolderWriter), ("out.fits", Writer)):
        with open_output(tmp_path / name, COLUMNS, {}, 2) as writer:
            assert type(writer) is kind
            writer.write({"id": np.arange(3)})
    assert len(parts(tmp_path / "out")) == 2
    assert (tmp_path / "out.fits").is_file()
