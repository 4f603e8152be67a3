"""Folders of Parquet files: order of the parts, HATS catalogues, what else lies there."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.errors import InputError
from gcmock.io.readers.folder import is_collection, is_hats, natural_key, open_folder


def write_part(path, first, n=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.arange(first, first + n)
    columns = {"ra": 266.0 + rows / 10, "dec": -29.0 + rows / 10, "phot_ks_mag": 10.0 + rows}
    pq.write_table(pa.table(columns), path)


def mags(path):
    chunks = list(open_folder(path).chunks(3))
    return np.concatenate([chunk["phot_ks_mag"] for chunk in chunks])


def test_parts_in_natural_order(tmp_path):
    for i in (0, 10, 2, 1):
        write_part(tmp_path / f"part.{i}.parquet", i, 1)
    np.testing.assert_array_equal(mags(tmp_path), [10.0, 11.0, 12.0, 20.0])


def test_other_tables_of_a_folder_are_named(tmp_path):
    write_part(tmp_path / "a.parquet", 0)
    (tmp_path / "b.csv").write_text("ra,dec\n1,2\n")
    (tmp_path / "_c.csv").write_text("ra,dec\n1,2\n")
    source = open_folder(tmp_path)
    assert source.n_rows == 2
    assert source.remarks[0].endswith("not read: b.csv")


def test_natural_order_of_names():
    names = ["1.parquet", "2.parquet", "10.parquet", "a1b2", "a1b10", "a2", "b"]
    mixed = [Path(name) for name in names]
    random.Random(1).shuffle(mixed)
    assert [path.as_posix() for path in sorted(mixed, key=natural_key)] == names


def hats(folder, kind="object", n_rows=4, **more):
    write_part(folder / "dataset" / "Norder=1" / "Dir=0" / "Npix=4.parquet", 0)
    write_part(folder / "dataset" / "Norder=1" / "Dir=0" / "Npix=11" / "part0.parquet", 2)
    write_part(folder / "dataset" / "sample.parquet", 0)
    lines = {"dataproduct_type": kind, "hats_nrows": n_rows, **more}
    text = "#HATS catalog\n" + "".join(f"{k}={v}\n" for k, v in lines.items())
    (folder / "hats.properties").write_text(text)


def test_hats_collections_and_margins(tmp_path):
    hats(tmp_path / "stars")
    hats(tmp_path / "margin", "margin", hats_primary_table_url="stars")
    with pytest.raises(InputError, match=r"holds HATS catalogues \(margin, stars\)"):
        mags(tmp_path)
    (tmp_path / "collection.properties").write_text("hats_primary_table_url=stars\n")
    np.testing.assert_array_equal(mags(tmp_path), [10.0, 11.0, 12.0, 13.0])
    np.testing.assert_array_equal(mags(tmp_path / "stars"), [10.0, 11.0, 12.0, 13.0])
    with pytest.raises(InputError, match="type 'margin', not a catalogue of stars; give 'stars'"):
        mags(tmp_path / "margin")
    hats(tmp_path / "stars", n_rows=5)
    with pytest.raises(InputError, match="incomplete: holds 4 rows, but its properties say 5"):
        mags(tmp_path)


def test_folders_of_hats(tmp_path):
    assert not is_hats(tmp_path)
    (tmp_path / "properties").write_text("")
    assert is_hats(tmp_path)
    assert not is_collection(tmp_path)
    (tmp_path / "collection.properties").write_text("hats_primary_table_url = absent\n")
    assert is_collection(tmp_path)
    with pytest.raises(InputError, match=r"names no catalogue of the collection \('absent'\)"):
        open_folder(tmp_path)


def test_folders_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="holds no Parquet files"):
        open_folder(tmp_path)
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(InputError, match=r"a\.parquet: not a Parquet file, or damaged"):
        open_folder(tmp_path)
