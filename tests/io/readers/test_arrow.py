"""Columns of Arrow as arrays, and Parquet files and their parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, QTable, Table

from gcmock.errors import InputError
from gcmock.io.readers.arrow import ParquetSource, array_of, as_input_error

BIG = 2**60 + 1


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1.5, None]), [1.5, np.nan]),
        (pa.array([1.5, None], pa.float32()), [1.5, np.nan]),
        (pa.nulls(2), [np.nan, np.nan]),
        (pa.array(["a", None]), ["a", ""]),
        (pa.array(["a", None]).dictionary_encode(), ["a", ""]),
        (pa.array([b"a", None]), ["a", ""]),
        (pa.array([1, 2**64 - 1], pa.uint64()), [1, 2**64 - 1]),
        (pa.array([True, False]), [True, False]),
    ],
)
def test_values(column: pa.Array, expected: list) -> None:
    np.testing.assert_array_equal(array_of(column), expected)


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.int32(), pa.bool_()])
def test_integers_with_nulls_are_masked_in_their_own_type(kind: pa.DataType) -> None:
    found = array_of(pa.array([True, None, False]).cast(kind))
    assert found.mask.tolist() == [False, True, False]
    assert found.dtype == np.dtype(kind.to_pandas_dtype())
    assert bool(found[0]) is True


def test_integers_with_nulls_keep_their_last_digit() -> None:
    assert array_of(pa.array([None, BIG]))[1] == BIG


def test_slices_begin_where_they_are_cut() -> None:
    assert array_of(pa.array([1, None, 3, None])[2:]).tolist() == [3, None]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), pa.ArrowInvalid("bad\nworse")])
def test_errors_have_one_line_with_the_file(error: Exception) -> None:
    with pytest.raises(InputError) as caught, as_input_error(Path("a.parquet")):
        raise error
    text = str(caught.value)
    assert text.startswith("a.parquet: damaged or not readable: ")
    assert "\n" not in text


def read(source: ParquetSource, size: int = 4) -> list[dict[str, np.ndarray]]:
    return list(source.chunks(size))


def test_types_of_a_file(tmp_path: Path) -> None:
    table = pa.table(
        {
            "d": pa.array(["a", None, "a"]).dictionary_encode(),
            "n": pa.nulls(3),
            "b": [True, None, False],
            "u": pa.array([1, 2, 2**64 - 1], pa.uint64()),
            "list": [[1], [2], [3]],
        }
    )
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    source = ParquetSource(path, [path])
    assert (source.columns, source.n_rows) == (("d", "n", "b", "u"), 3)
    (data,) = read(source)
    np.testing.assert_array_equal(data["d"], ["a", "", "a"])
    assert np.isnan(data["n"]).all()
    np.testing.assert_array_equal(data["b"].mask, [False, True, False])
    assert data["u"][2] == 2**64 - 1


def test_chunks_never_span_two_parts(tmp_path: Path) -> None:
    parts = [tmp_path / f"{i}.parquet" for i in range(2)]
    for i, part in enumerate(parts):
        pq.write_table(pa.table({"x": np.arange(5) + 5 * i, "y": np.zeros(5)}), part)
    source = ParquetSource(tmp_path, parts)
    assert source.n_rows == 10
    assert [chunk["x"].tolist() for chunk in read(source)] == [
        [0, 1, 2, 3], [4], [5, 6, 7, 8], [9],
    ]  # fmt: skip
    assert [list(chunk) for chunk in source.chunks(9, ["y"])] == [["y"], ["y"]]


def test_parts_may_have_their_columns_in_another_order_but_no_others(tmp_path: Path) -> None:
    a, b, c = (tmp_path / f"{name}.parquet" for name in "abc")
    pq.write_table(pa.table({"x": [1], "y": [2]}), a)
    pq.write_table(pa.table({"y": [4], "x": [3]}), b)
    pq.write_table(pa.table({"x": [5]}), c)
    chunks = read(ParquetSource(tmp_path, [a, b]))
    assert [(int(chunk["x"][0]), int(chunk["y"][0])) for chunk in chunks] == [(1, 2), (3, 4)]
    with pytest.raises(InputError, match=r"c\.parquet: its columns differ from those of .*a\.par"):
        ParquetSource(tmp_path, [a, c])


def test_units_of_fields_and_of_astropy(tmp_path: Path) -> None:
    fields = [pa.field("x", pa.float64(), metadata={"unit": "mag"}), pa.field("y", pa.float64())]
    pq.write_table(pa.table([[1.0], [2.0]], schema=pa.schema(fields)), tmp_path / "a.parquet")
    table = QTable({"x": [1.0], "y": [2.0]}, units={"x": "mas / yr"})
    table.write(tmp_path / "b.parquet")
    units = [ParquetSource(path, [path]).units for path in sorted(tmp_path.iterdir())]
    assert units == [{"x": "mag"}, {"x": "mas / yr"}]


def test_masks_of_astropy_are_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    mask = [False, True]
    Table({"n": MaskedColumn([BIG, 2], mask=mask), "x": MaskedColumn([1.0, 2.0], mask=mask)}).write(
        path
    )
    source = ParquetSource(path, [path])
    assert source.columns == ("n", "x")
    (data,) = read(source)
    assert data["n"].mask.tolist() == mask
    assert data["n"][0] == BIG
    np.testing.assert_array_equal(data["x"], [1.0, np.nan])


def test_damaged_parts_are_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1rubbishPAR1")
    with pytest.raises(InputError, match=r"bad\.parquet: damaged or not readable"):
        ParquetSource(path, [path])
