"""FITS, VOTable and ECSV tables, as astropy reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from gcmock.errors import InputError
from gcmock.io.readers.astropy_formats import FitsSource, InMemorySource

BIG = 2**60 + 1


def read(source: FitsSource | InMemorySource, size: int = 2) -> dict[str, np.ndarray]:
    chunks = list(source.chunks(size))
    assert all(0 < len(next(iter(chunk.values()))) <= size for chunk in chunks)
    return {name: np.ma.concatenate([chunk[name] for chunk in chunks]) for name in source.columns}


def test_nulls_unsigned_and_vector_columns_of_fits(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    columns = [
        fits.Column("i", "J", null=-99, array=np.array([1, -99, 3])),
        fits.Column("u", "K", bzero=2**63, array=np.array([1, 2**63 + 5, 7], dtype=np.uint64)),
        fits.Column("v", "3E", array=np.ones((3, 3))),
        fits.Column("b", "L", array=np.array([True, False, True])),
        fits.Column("s", "4A", unit="mag", array=np.array(["a", "b ", "cccc"])),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    source = FitsSource(path)
    assert source.columns == ("i", "u", "b", "s")
    assert (source.n_rows, source.units) == (3, {"s": "mag"})
    data = read(source)
    np.testing.assert_array_equal(data["i"].mask, [False, True, False])
    assert data["u"][1] == 2**63 + 5
    np.testing.assert_array_equal(data["b"], [True, False, True])
    np.testing.assert_array_equal(data["s"], ["a", "b", "cccc"])


def test_chunks_of_fits_are_native_copies(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    Table({"x": np.arange(5.0), "y": np.arange(5, dtype=np.int16)}).write(path)
    first, *_ = FitsSource(path).chunks(3, ["x"])
    assert list(first) == ["x"]
    assert first["x"].dtype.isnative
    first["x"][:] = -1.0
    assert read(FitsSource(path))["x"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_images_before_the_table_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("x", "D", array=np.array([7.0]))])
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((2, 2))), table]).writeto(path)
    assert read(FitsSource(path))["x"].tolist() == [7.0]


def test_fits_files_without_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    fits.PrimaryHDU(np.ones((2, 2))).writeto(path)
    with pytest.raises(InputError, match=r"t\.fits: the FITS file has no table"):
        FitsSource(path)


def test_fits_files_that_end_too_early(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    Table({"x": np.arange(5000.0)}).write(path)
    path.write_bytes(path.read_bytes()[:-5760])
    with pytest.raises(InputError, match=r"t\.fits: damaged or not readable"):
        read(FitsSource(path))


WRITE = {
    "votable": {"format": "votable", "tabledata_format": "binary2"},
    "ecsv": {"format": "ascii.ecsv"},
}


@pytest.mark.parametrize("kind", WRITE)
def test_tables_that_are_read_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t"
    table = Table(
        {
            "id": np.arange(5) + BIG,
            "name": ["a", "b c", "", "d", "e"],
            "mag": MaskedColumn([10.0, 11.0, 12.0, 13.0, 14.0], mask=[0, 1, 0, 0, 0], unit="mag"),
            "n": MaskedColumn(np.arange(5) + BIG, mask=[0, 0, 1, 0, 0]),
            "v": np.ones((5, 2)),
        }
    )
    table.write(path, **WRITE[kind])
    source = InMemorySource(path, kind)
    assert source.columns == ("id", "name", "mag", "n")
    assert (source.n_rows, source.units) == (5, {"mag": "mag"})
    data = read(source)
    np.testing.assert_array_equal(data["id"], np.arange(5) + BIG)
    np.testing.assert_array_equal(data["name"], ["a", "b c", "", "d", "e"])
    np.testing.assert_array_equal(data["mag"], [10.0, np.nan, 12.0, 13.0, 14.0])
    assert data["n"].mask.tolist() == [False, False, True, False, False]
    assert data["n"][4] == BIG + 4
    (one,) = source.chunks(9, ["name"])
    assert list(one) == ["name"]


@pytest.mark.parametrize("kind", WRITE)
def test_rubbish_is_one_line_with_the_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.bad"
    path.write_text("no table\nat all")
    with pytest.raises(InputError) as caught:
        InMemorySource(path, kind)
    assert str(caught.value).startswith(f"{path}: damaged or not readable: ")
    assert "\n" not in str(caught.value)
