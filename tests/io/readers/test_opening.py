"""Tables are read in chunks without loss, and damaged files give one clear line."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from gcmock.errors import InputError
from gcmock.io.readers.opening import open_table

BIG = 2**60 + 1
WRITE = {
    ".parquet": {},
    ".fits": {},
    ".vot": {"format": "votable", "tabledata_format": "binary2"},
    ".xml": {"format": "votable"},
    ".ecsv": {"format": "ascii.ecsv"},
    ".csv": {"format": "ascii.csv"},
}


@pytest.fixture
def table():
    table = Table(
        {
            "source_id": np.arange(10) + BIG,
            "ra": 266.0 + np.arange(10) / 7,
            "name": [f"star {i}" for i in range(10)],
            "mag": MaskedColumn(np.linspace(10, 11, 10), mask=np.arange(10) % 3 == 0),
            "n": MaskedColumn(np.arange(10, dtype=np.int64) + BIG, mask=np.arange(10) == 4),
            "f4": np.linspace(0, 1, 10, dtype=np.float32),
        }
    )
    table["ra"].unit = "deg"
    table["mag"].unit = "mag"
    return table


def read_all(path, size=4, columns=None):
    source = open_table(path)
    chunks = list(source.chunks(size, columns))
    assert all(0 < len(next(iter(chunk.values()))) <= size for chunk in chunks)
    names = columns or source.columns
    return source, {name: np.ma.concatenate([chunk[name] for chunk in chunks]) for name in names}


@pytest.mark.parametrize("suffix", WRITE)
def test_every_format_is_read_without_loss(tmp_path, table, suffix):
    path = tmp_path / f"t{suffix}"
    table.write(path, **WRITE[suffix])
    source, data = read_all(path)
    assert source.n_rows == 10
    assert list(source.columns) == table.colnames
    np.testing.assert_array_equal(data["source_id"], table["source_id"])
    np.testing.assert_array_equal(data["ra"], table["ra"])
    np.testing.assert_array_equal(data["name"], table["name"])
    np.testing.assert_array_equal(data["mag"], table["mag"].filled(np.nan))
    np.testing.assert_array_equal(data["n"].mask, table["n"].mask)
    np.testing.assert_array_equal(data["n"].compressed(), table["n"].compressed())
    assert data["n"].dtype.kind == "i"
    assert all(values.dtype.isnative for values in data.values())
    if suffix != ".csv":
        assert source.units == {"ra": "deg", "mag": "mag"}
        assert data["f4"].dtype == np.float32


@pytest.mark.parametrize("suffix", WRITE)
def test_some_columns_only(tmp_path, table, suffix):
    path = tmp_path / f"t{suffix}"
    table.write(path, **WRITE[suffix])
    source = open_table(path)
    for chunk in source.chunks(100, ["mag", "ra"]):
        assert list(chunk) == ["mag", "ra"]


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".ecsv"])
def test_units_of_qtables(tmp_path, suffix):
    path = tmp_path / f"q{suffix}"
    QTable({"pmra": [1.0, 2.0] * u.mas / u.yr, "x": [1.0, 2.0]}).write(path)
    units = open_table(path).units
    assert list(units) == ["pmra"]
    assert u.Unit(units["pmra"]) == u.mas / u.yr


def test_directory_of_parquet_parts(tmp_path):
    (tmp_path / "Norder=1").mkdir()
    for i, name in enumerate(["a.parquet", "Norder=1/b.parquet"]):
        pq.write_table(pa.table({"x": [10.0 * (1 - i), 1.0 + i]}), tmp_path / name)
    (tmp_path / "_metadata.parquet").write_bytes(b"ignored")
    source, data = read_all(tmp_path)
    assert source.n_rows == 4
    np.testing.assert_array_equal(data["x"], [0.0, 2.0, 10.0, 1.0])


def test_directories_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="holds no Parquet"):
        open_table(tmp_path)
    pq.write_table(pa.table({"x": pa.array([], pa.float64())}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no rows"):
        open_table(tmp_path)
    pq.write_table(pa.table({"y": [1.0]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet: its columns differ"):
        open_table(tmp_path)
    (tmp_path / "b.parquet").write_bytes(b"rubbish")
    with pytest.raises(InputError, match=r"b\.parquet: not a Parquet"):
        open_table(tmp_path)


def test_csv_types_hold_for_the_whole_file(tmp_path):
    """The type is not guessed from the first rows."""
    path = tmp_path / "t.csv"
    lines = [f"{i},{i},{i},," for i in range(1000)] + ["1,1.5,x,2.5,"]
    path.write_text("i,f,s,late,none\n" + "\n".join(lines))
    _, data = read_all(path)
    kinds = {name: values.dtype.kind for name, values in data.items()}
    assert kinds["i"] == "i"
    assert kinds["f"] == kinds["late"] == "f"
    assert kinds["s"] == "U"
    assert data["late"][-1] == 2.5
    assert np.isnan(data["late"][:-1]).all()
    assert np.ma.getmaskarray(data["none"]).all()


def test_csv_with_units_is_read_as_ecsv(tmp_path, table):
    path = tmp_path / "t.csv"
    table.write(path, format="ascii.ecsv")
    assert open_table(path).units["ra"] == "deg"


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".vot"])
def test_truncated_files(tmp_path, table, suffix):
    path = tmp_path / f"t{suffix}"
    big = Table({"x": np.arange(5000.0), "y": np.arange(5000)})
    big.write(path, **WRITE[suffix])
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(InputError, match=r"t\.\w+: .*") as caught:
        list(open_table(path).chunks(100))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".vot"])
def test_damaged_files(tmp_path, table, suffix):
    path = tmp_path / f"t{suffix}"
    table.write(path, **WRITE[suffix])
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[: middle // 3] + b"\x07" * 600 + content[middle:])
    with pytest.raises(InputError, match=r"t\.\w+: "):
        list(open_table(path).chunks(3))


def test_ragged_csv_and_ecsv(tmp_path, table):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3\n")
    with pytest.raises(InputError, match="Expected 2 columns, got 1"):
        open_table(path)
    path.write_text("a,a\n1,2\n")
    with pytest.raises(InputError, match="'a' occurs more than once"):
        open_table(path)
    path = tmp_path / "t.ecsv"
    table.write(path)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(InputError, match=r"t\.ecsv: damaged"):
        open_table(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.parquet", None, "no such file"),
        ("t.fits", b"", "empty"),
        ("t.csv", b" \n", "empty"),
        ("t.csv", b"a,b\n", "no rows"),
        ("t.hdf5", b"\x89HDF", "unknown file type '.hdf5'; known: .parquet"),
        ("catalogue", b"a", "unknown file type"),
        ("t.parquet", b"a,b\n1,2\n", "the suffix says Parquet, but the content is a CSV"),
        ("t.csv", b"PAR1....", "the content is a Parquet"),
        ("t.vot", b"SIMPLE  =  T", "the content is a FITS"),
        ("t.csv", b"\x89HDF\0\0", "something else"),
    ],
)
def test_files_that_are_not_tables(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_table(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        open_table(path)
