"""Tables are written without loss, described for astropy and TOPCAT, and never half."""

import errno

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.table import QTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import sha256_of
from gcmock.io.metadata import read_metadata
from gcmock.io.readers.opening import open_table
from gcmock.io.writers.writer import Writer, open_writer
from gcmock.words.columns import OUTPUT_COLUMNS, Column, columns_by_name
from gcmock.words.components import COMPONENTS

SUFFIXES = [".parquet", ".fits", ".vot", ".xml", ".ecsv"]
METADATA = {
    "config": "".join(f'[a{i}]\nb = "x & <q> \' é"  # &\n' for i in range(50)),
    "version": "0.1.0",
    "empty": "",
}


def fake_rows(n, seed=0):
    rng = np.random.default_rng(seed)
    rows = {}
    for column in OUTPUT_COLUMNS:
        dtype = np.dtype(column.dtype)
        if column.name == "source_id":
            rows[column.name] = rng.integers(2**53, 2**63 - 1, n)
        elif dtype.kind == "U":
            rows[column.name] = rng.choice(COMPONENTS, n)
        elif dtype.kind == "f":
            rows[column.name] = rng.normal(size=n).astype(dtype)
        else:
            rows[column.name] = rng.integers(0, 100, n).astype(dtype)
    rows["l"][: n // 2] = np.nan
    return rows


def write(path, chunks, columns=OUTPUT_COLUMNS, metadata=METADATA, **options):
    with open_writer(path, columns, metadata, **options) as writer:
        for chunk in chunks:
            writer.write(chunk)
    return writer


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_astropy_reads_what_was_written(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    chunks = [fake_rows(n, n) for n in (1, 7, 100)]
    assert write(path, chunks).n_rows == 108
    table = QTable.read(path)
    assert table.colnames == [column.name for column in OUTPUT_COLUMNS]
    for column in OUTPUT_COLUMNS:
        expected = np.concatenate([chunk[column.name] for chunk in chunks])
        values = table[column.name]
        plain = np.asarray(getattr(values, "value", values))
        if plain.dtype.kind == "S":
            plain = plain.astype(str)
        np.testing.assert_array_equal(plain, expected, err_msg=column.name)
        if column.unit == "dex" and suffix not in (".parquet", ".ecsv"):
            # Neither FITS nor VOTable has a name for it.
            assert getattr(values, "unit", None) is None
        elif column.unit:
            assert values.unit == u.Unit(column.unit)
        # astropy's FITS reader leaves descriptions and UCDs in the header.
        if suffix == ".fits":
            i = OUTPUT_COLUMNS.index(column) + 1
            assert table.meta[f"TCOMM{i}"] == column.description
            assert table.meta[f"TUCD{i}"] == column.ucd
        else:
            assert values.info.description == column.description
            assert values.info.meta["ucd"] == column.ucd
    assert read_metadata(path) == METADATA
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


FLOATS = columns_by_name(OUTPUT_COLUMNS)
SMALL = (
    Column("source_id", "int64", "", "meta.id", "id"),
    FLOATS["ra"],
    FLOATS["mass_init"],
    FLOATS["component"],
)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_bit_is_lost(tmp_path, suffix, data):
    n = data.draw(st.integers(1, 6))
    rows = {
        "source_id": data.draw(hnp.arrays(np.int64, n, elements=st.integers(-(2**63), 2**63 - 1))),
        "ra": data.draw(hnp.arrays(np.float64, n, elements=st.floats(allow_infinity=False))),
        "mass_init": data.draw(
            hnp.arrays(np.float32, n, elements=st.floats(width=32, allow_infinity=False))
        ),
        "component": np.array(
            data.draw(st.lists(st.sampled_from(COMPONENTS), min_size=n, max_size=n))
        ),
    }
    path = tmp_path / f"t{suffix}"
    split = data.draw(st.integers(0, n))
    parts = [
        {name: values[part] for name, values in rows.items()}
        for part in (slice(0, split), slice(split, n))
    ]
    write(path, parts, SMALL, overwrite=True)
    read = list(open_table(path).chunks(4))
    for name, values in rows.items():
        back = np.concatenate([chunk[name] for chunk in read])
        assert back.dtype.kind == values.dtype.kind
        np.testing.assert_array_equal(back, values)
        if values.dtype.kind == "f":
            # The sign of zero counts as a bit; that of NaN does not.
            finite = ~np.isnan(values)
            np.testing.assert_array_equal(np.signbit(back[finite]), np.signbit(values[finite]))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("texts", [["a", 'with "q",', "J1745-29 x"], ["a", "b", "c"]])
def test_text_identifiers(tmp_path, suffix, texts):
    names = np.array(texts)
    columns = (SMALL[0].with_dtype(names.dtype.str[1:]), SMALL[1])
    path = tmp_path / f"t{suffix}"
    write(path, [{"source_id": names, "ra": np.arange(3.0)}], columns)
    (chunk,) = open_table(path).chunks(10)
    np.testing.assert_array_equal(chunk["source_id"], names)


def test_parquet_describes_itself_three_ways(tmp_path):
    path = tmp_path / "t.parquet"
    write(path, [fake_rows(20)])
    field = pq.read_schema(path).field("pmra")
    assert field.metadata[b"unit"] == b"mas/yr"
    assert field.metadata[b"ucd"] == b"pos.pm;pos.eq.ra"
    table = QTable.read(path, format="parquet.votable")
    assert table["pmra"].unit == u.mas / u.yr
    column = pq.ParquetFile(path).metadata.row_group(0).column(12)
    assert column.path_in_schema == "component"
    assert "RLE_DICTIONARY" in column.encodings


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_arrays_may_be_used_again(tmp_path, suffix):
    """Rows that wait to be written do not change with the arrays that they came in."""
    column = Column("x", "float64", "", "", "A number")
    path, values = tmp_path / f"t{suffix}", np.empty(5)
    with open_writer(path, [column], METADATA) as writer:
        for i in range(3):
            values[:] = i
            writer.write({"x": values})
    np.testing.assert_array_equal(QTable.read(path)["x"], np.repeat([0.0, 1.0, 2.0], 5))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_rows(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    assert write(path, []).n_rows == 0
    assert read_metadata(path) == METADATA
    with pytest.raises(InputError, match="no rows"):
        open_table(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_an_exception(tmp_path, suffix, stop):
    path = tmp_path / f"t{suffix}"
    path.write_text('{"creator": "gcmock 0"}')

    def chunks():
        yield fake_rows(10)
        assert len(list(tmp_path.glob("*.partial-*"))) == 1
        raise stop

    with pytest.raises(stop):
        write(path, chunks(), overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == '{"creator": "gcmock 0"}'


@pytest.mark.parametrize("when", ["write", "finish"])
def test_full_disk(tmp_path, monkeypatch, when):
    path = tmp_path / "t.fits"

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"gcmock.io.writers.fits.FitsEncoder.{when}", full)
    with pytest.raises(GcmockError, match=r"t\.fits: writing failed: No space left"):
        write(path, [fake_rows(3)])
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_opening_is_interrupted(tmp_path):
    """Ctrl-C may come when the file exists, but is not open for rows yet."""

    def interrupted(partial):
        partial.touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Writer(tmp_path / "mock.parquet", OUTPUT_COLUMNS, interrupted)
    assert not list(tmp_path.iterdir())


def test_outputs_that_cannot_be_written(tmp_path, monkeypatch):
    existing = tmp_path / "t.fits"
    existing.write_text("x")
    with pytest.raises(InputError, match="exists already"):
        open_writer(existing, OUTPUT_COLUMNS)
    with pytest.raises(InputError, match="does not exist"):
        open_writer(tmp_path / "no" / "t.fits", OUTPUT_COLUMNS)
    with pytest.raises(InputError, match="CSV cannot hold units"):
        open_writer(tmp_path / "t.csv", OUTPUT_COLUMNS)
    with pytest.raises(InputError, match="unknown file type"):
        open_writer(tmp_path / "t.h5", OUTPUT_COLUMNS)
    (tmp_path / "d.fits").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        open_writer(tmp_path / "d.fits", OUTPUT_COLUMNS, overwrite=True)

    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("gcmock.io.writers.fits.FitsEncoder.__init__", refuse)
    with pytest.raises(InputError, match="cannot be written: Permission denied"):
        open_writer(tmp_path / "new.fits", OUTPUT_COLUMNS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ra": None}, "columns differ: \\['ra'\\]"),
        ({"extra": np.zeros(3)}, "columns differ: \\['extra'\\]"),
        ({"ra": np.zeros(2)}, "different lengths"),
        ({"component": np.array(["too long"] * 3)}, "text of 8 characters"),
        ({"flags": np.zeros(3)}, "flags: float64 cannot be stored as int32"),
    ],
)
def test_wrong_chunks_are_refused(tmp_path, change, words):
    rows = {k: v for k, v in (fake_rows(3) | change).items() if v is not None}
    with pytest.raises(ValueError, match=words):
        write(tmp_path / "t.parquet", [rows])
    assert list(tmp_path.iterdir()) == []


def test_checksum(tmp_path):
    (tmp_path / "a").write_bytes(b"ab")
    (tmp_path / "b").write_bytes(b"c")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path) == known
    with pytest.raises(InputError, match="No such file"):
        sha256_of(tmp_path / "absent")
