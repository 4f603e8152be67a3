"""Sorting tables that do not fit in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import GcmockError, InputError
from gcmock.io.observed import RawRows
from gcmock.io.sorted_rows import SortedRows, bucket_edges


def table(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "key": rng.integers(0, 20, n),
        "real": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)).astype(np.float32),
        "text": np.array([f"star {i}" if i % 3 else "" for i in range(n)]),
        "whole": np.ma.MaskedArray(rng.integers(2**60, 2**62, n), mask=rng.random(n) < 0.3),
    }


def chunks(columns: dict[str, np.ndarray], size: int):
    n = len(columns["key"])
    for start in range(0, n, size):
        stop = min(start + size, n)
        part = {name: values[start:stop] for name, values in columns.items()}
        yield RawRows(np.arange(start, stop), part)


def key(raw: RawRows) -> np.ndarray:
    return raw.columns["key"]


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 80),
    size=st.integers(1, 90),
    bucket=st.integers(1, 40),
    read=st.integers(1, 30),
)
def test_rows_in_the_order_of_the_key(tmp_path_factory, n, size, bucket, read) -> None:
    columns = table(n)
    folder = tmp_path_factory.mktemp("sort")
    edges = bucket_edges(np.bincount(columns["key"], minlength=20), bucket)
    with SortedRows(folder / "mock.parquet", chunks(columns, size), key, edges) as found:
        parts = list(found.rows(read))
    assert not list(folder.iterdir())
    assert max(len(part.row) for part in parts) <= read
    order = np.lexsort((np.arange(n), columns["key"]))
    np.testing.assert_array_equal(np.concatenate([part.row for part in parts]), order)
    for name, values in columns.items():
        back = np.ma.concatenate([part.columns[name] for part in parts])
        np.testing.assert_array_equal(np.ma.getmaskarray(back), np.ma.getmaskarray(values[order]))
        np.testing.assert_array_equal(
            np.ma.getdata(back)[~np.ma.getmaskarray(back)], np.ma.compressed(values[order])
        )


@pytest.mark.slow
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=40), rows=st.integers(1, 30))
def test_buckets_are_small(counts: list[int], rows: int) -> None:
    edges = bucket_edges(np.array(counts), rows)
    assert (np.diff(edges) > 0).all()
    for bucket in np.split(np.array(counts), edges):
        # Only the last key of a bucket may reach beyond its size.
        assert bucket.sum() < rows + bucket.max() + 1


def test_folders_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        SortedRows(tmp_path / "no" / "mock.parquet", chunks(table(3), 2), key, np.array([5]))


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gcmock.io.sorted_rows._to_arrow", full)
    with pytest.raises(GcmockError, match="No space left"):
        SortedRows(tmp_path / "rows", chunks(table(3), 2), key, np.array([5]))
    assert list(tmp_path.iterdir()) == []
