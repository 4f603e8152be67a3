"""A table as the partitions of hats-import."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock.errors import InputError
from gcmock.io.observed import ObservedCatalogue
from gcmock.io.ownership import write_account
from gcmock.io.readers.opening import open_table
from gcmock.runtime import import_hats
from gcmock.runtime.import_hats import _array, _check_output, _run, _write_parts, import_table
from gcmock.settings.build import load_config
from gcmock.words.columns import INPUT_COLUMNS, columns_by_name

CONFIG = load_config()


@pytest.fixture
def stars(few_stars, tmp_path):
    path = tmp_path / "stars.fits"
    few_stars(25).write(path)
    return path


def parts(path, folder):
    return list(_write_parts(ObservedCatalogue(open_table(path), CONFIG), folder))


def test_parts_have_the_columns_that_are_used(stars, tmp_path, few_stars):
    (tmp_path / "parts").mkdir()
    (file,) = parts(stars, tmp_path / "parts")
    table, given = pq.read_table(file), few_stars(25)
    # Positions in both systems, whatever the file has.
    assert {"source_id", "ra", "dec", "phot_h_mag", "phot_h_mag_error"} <= set(table.column_names)
    for name in ("source_id", "phot_ks_mag"):
        np.testing.assert_array_equal(table[name].to_numpy(), given[name])
    kinds = columns_by_name(INPUT_COLUMNS)
    for name in ("ra", "phot_h_mag"):
        assert table.schema.field(name).type == pa.from_numpy_dtype(np.dtype(kinds[name].dtype))


def test_large_tables_are_several_files(monkeypatch, stars, tmp_path, few_stars):
    monkeypatch.setattr(import_hats, "_READ_ROWS", 4)
    monkeypatch.setattr(import_hats, "_FILE_ROWS", 8)
    (tmp_path / "parts").mkdir()
    files = parts(stars, tmp_path / "parts")
    tables = [pq.read_table(file) for file in files]
    assert [table.num_rows for table in tables] == [8, 8, 8, 1]
    ids = np.concatenate([table["source_id"].to_numpy() for table in tables])
    np.testing.assert_array_equal(ids, few_stars(25)["source_id"])


def test_identifiers_may_be_text():
    column = columns_by_name(INPUT_COLUMNS)["source_id"]
    assert _array(np.array(["a", "bc"]), column).type == pa.string()
    assert _array(np.array([1, 2]), column).type == pa.int64()


def test_outputs_that_cannot_be_made_are_refused(tmp_path):
    for threshold in (0, -5):
        with pytest.raises(InputError, match=f"--pixel-threshold {threshold}: expected a number"):
            _check_output(tmp_path / "new", threshold, overwrite=False)
    with pytest.raises(InputError, match="whose name has no suffix"):
        _check_output(tmp_path / "new.fits", 10, overwrite=False)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "hats.properties").touch()
    # A catalogue of others is not replaced.
    with pytest.raises(InputError, match="gcmock did not write"):
        _check_output(tmp_path / "old", 10, overwrite=True)
    write_account(tmp_path / "old")
    _check_output(tmp_path / "old", 10, overwrite=True)
    with pytest.raises(InputError, match="exists already"):
        _check_output(tmp_path / "old", 10, overwrite=False)


def test_crowded_pixels_are_explained():
    def fails(message):
        def pipeline(arguments, client):
            assert (arguments.pixel_threshold, client) == (3, "client")
            raise ValueError(message)

        return pipeline

    arguments = SimpleNamespace(pixel_threshold=3)
    words = r"--pixel-threshold 3: single pixel count 9 exceeds threshold.*allow more rows"
    with pytest.raises(InputError, match=words):
        _run(fails("single pixel count 9 exceeds threshold 3"), arguments, "client")
    with pytest.raises(ValueError, match="of another kind"):
        _run(fails("of another kind"), arguments, "client")


def test_identifiers_are_needed(stars, tmp_path, few_stars):
    pytest.importorskip("hats_import", reason="the extra [hats] is not installed")
    table = few_stars(5)
    table.remove_column("source_id")
    table.write(tmp_path / "nameless.fits")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match="no column source_id; a partitioned catalogue needs"):
        import_table(tmp_path / "nameless.fits", tmp_path / "hats", CONFIG, "local")
    assert sorted(tmp_path.iterdir()) == before
