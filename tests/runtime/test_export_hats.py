"""A table as a HATS catalogue."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hats_metadata import METADATA

from gcmock.errors import InputError
from gcmock.runtime.export_hats import TILE_ORDER, check_folder, export_hats
from gcmock.runtime.hats_catalogue import open_hats
from gcmock.runtime.pixels import HEALPIX, ORDER, healpix_index
from gcmock.settings.build import load_config
from gcmock.words.columns import SOURCE_ID, TRUTH_COLUMNS

pytest.importorskip("hats", reason="the extra [hats] is not installed")

COLUMNS = (SOURCE_ID, *(column for column in TRUTH_COLUMNS if column.name in ("ra", "dec")))
CONFIG = load_config()


def stars(n=30):
    rng = np.random.default_rng(1)
    return {
        "source_id": rng.permutation(n),
        "ra": 266.4 + rng.uniform(-2.0, 2.0, n),
        "dec": -28.9 + rng.uniform(-2.0, 2.0, n),
    }


def export(folder, rows, **options):
    export_hats(folder, COLUMNS, rows, METADATA, CONFIG, **options)


def test_every_star_lies_in_the_tile_of_its_place(tmp_path):
    rows = stars()
    export(tmp_path / "stars", rows)
    found = open_hats(tmp_path / "stars")
    assert len(found.pixels) > 2
    tables = {p.pixel: pq.ParquetFile(p.path).read() for p in found.pixels}
    assert {p.order for p in found.pixels} == {TILE_ORDER}
    for number, table in tables.items():
        index = table[HEALPIX.name].to_numpy()
        assert (index >> 2 * (ORDER - TILE_ORDER) == number).all()
        assert (np.diff(index) >= 0).all()
        ra, dec = table["ra"].to_numpy(), table["dec"].to_numpy()
        np.testing.assert_array_equal(index, healpix_index(ra, dec))
    ids = np.concatenate([table["source_id"].to_numpy() for table in tables.values()])
    ra = np.concatenate([table["ra"].to_numpy() for table in tables.values()])
    np.testing.assert_array_equal(np.sort(ids), np.arange(30))
    np.testing.assert_array_equal(ra[np.argsort(ids)], rows["ra"][np.argsort(rows["source_id"])])


def test_the_number_of_rows_is_stated(tmp_path):
    from hats import read_hats

    export(tmp_path / "stars", stars(12))
    assert read_hats(tmp_path / "stars").catalog_info.total_rows == 12


def test_catalogues_are_replaced_only_by_choice(tmp_path):
    export(tmp_path / "stars", stars(12))
    with pytest.raises(InputError, match="exists already"):
        export(tmp_path / "stars", stars(5))
    export(tmp_path / "stars", stars(5), overwrite=True)
    parts = (tmp_path / "stars").rglob("Npix=*.parquet")
    assert sum(pq.ParquetFile(part).metadata.num_rows for part in parts) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["stars"]


def test_folders_that_cannot_become_catalogues_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"stars\.parquet: a HATS catalogue is a folder, whose"):
        check_folder(tmp_path / "stars.parquet", overwrite=False)
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").touch()
    # Not a catalogue: nothing replaces it.
    with pytest.raises(InputError, match="gcmock did not write"):
        check_folder(other, overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        check_folder(tmp_path / "no" / "stars", overwrite=False)
    check_folder(tmp_path / "new", overwrite=False)
    assert not (tmp_path / "new").exists()
