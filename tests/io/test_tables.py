"""Tables in memory, of every library: read in chunks, and made of columns."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from gcmock.errors import InputError
from gcmock.io.tables import (
    in_memory,
    kind_of,
    read_table,
    table_kind,
    to_arrow,
    to_kind,
    to_qtable,
)
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import Column

KINDS = ("astropy", "pandas", "pyarrow", "polars")
COLUMNS = (
    Column("id", "int64", "", "meta.id", "Identifier"),
    Column("pm", "float32", "mas/yr", "pos.pm", "Proper motion"),
    Column("kind", "U5", "", "meta.code", "Kind"),
)
METADATA = {"version": "1", "config": "[run]\n"}
BIG = 2**60 + 1


def parts() -> list[dict[str, np.ndarray]]:
    """Two chunks, in types that are not quite those of the columns."""
    ids = np.arange(5) + BIG
    whole = {"id": ids, "pm": np.arange(5) / 3.0, "kind": np.resize(["nsd", "bar"], 5)}
    return [{name: v[:2] for name, v in whole.items()}, {name: v[2:] for name, v in whole.items()}]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    pytest.importorskip(request.param)
    return request.param


def values(table: object, name: str) -> np.ndarray:
    found = table[name]
    return np.asarray(getattr(found, "value", found))


def test_columns_become_a_table_of_the_library(kind: str) -> None:
    table = to_kind(kind, parts(), COLUMNS, METADATA)
    assert kind_of(table) == table_kind(table) == kind
    assert values(table, "id").tolist() == (np.arange(5) + BIG).tolist()
    np.testing.assert_array_equal(values(table, "pm"), (np.arange(5) / 3.0).astype("f4"))
    assert [str(text) for text in values(table, "kind")] == ["nsd", "bar", "nsd", "bar", "nsd"]


def test_no_rows_make_an_empty_table(kind: str) -> None:
    table = to_kind(kind, [], COLUMNS, METADATA)
    assert len(table) == 0
    with pytest.raises(InputError, match=r"^<table>: the table has no rows"):
        in_memory(table)
    with pytest.raises(InputError, match=r"^<table>: the table has no rows"):
        to_arrow(table)


def test_units_and_metadata_are_where_the_library_has_them() -> None:
    astropy, pandas, arrow = (to_kind(k, parts(), COLUMNS, METADATA) for k in KINDS[:3])
    assert (astropy["pm"].unit, astropy.meta["gcmock"]) == (u.mas / u.yr, METADATA)
    assert astropy["pm"].info.description == "Proper motion"
    assert pandas.attrs["gcmock"] == METADATA
    assert pandas.attrs["units"] == {"pm": "mas/yr"}
    assert pandas.attrs["descriptions"]["id"] == "Identifier"
    assert arrow.schema.field("pm").metadata[b"unit"] == b"mas/yr"


def test_tables_are_read_in_chunks(kind: str) -> None:
    source = in_memory(to_kind(kind, parts(), COLUMNS, METADATA))
    assert (source.columns, source.n_rows, str(source.path)) == (("id", "pm", "kind"), 5, "<table>")
    assert source.units.get("pm", "").replace(" / ", "/") == ("" if kind == "polars" else "mas/yr")
    chunks = list(source.chunks(2))
    assert [len(chunk["id"]) for chunk in chunks] == [2, 2, 1]
    np.testing.assert_array_equal(
        np.concatenate([chunk["id"] for chunk in chunks]), np.arange(5) + BIG
    )
    assert chunks[0]["kind"].tolist() == ["nsd", "bar"]
    assert [list(chunk) for chunk in source.chunks(9, ["kind"])] == [["kind"]]


def test_every_library_goes_to_pyarrow_with_its_words(kind: str) -> None:
    arrow = to_arrow(to_kind(kind, parts(), COLUMNS, METADATA))
    assert arrow["id"].to_pylist() == (np.arange(5) + BIG).tolist()
    if kind != "polars":
        assert b"gcmock" in arrow.schema.metadata
        unit = arrow.schema.field("pm").metadata[b"unit"].decode()
        assert u.Unit(unit) == u.mas / u.yr


def test_files_are_read_as_every_library(kind: str, tmp_path) -> None:
    path = tmp_path / "t.parquet"
    with open_writer(path, COLUMNS, METADATA) as writer:
        writer.write(one_row())
    found = read_table(path, kind)
    assert kind_of(found) == kind
    assert values(found, "id").tolist() == [BIG]
    if kind == "pandas":
        assert found.attrs["gcmock"] == METADATA
        assert found.attrs["units"] == {"pm": "mas/yr"}
        assert found.attrs["descriptions"]["pm"] == "Proper motion"


def one_row() -> dict[str, np.ndarray]:
    return {"id": np.array([BIG]), "pm": np.ones(1, "f4"), "kind": np.array(["nsd"])}


def test_missing_values_of_astropy() -> None:
    table = Table({"n": MaskedColumn([BIG, 2], mask=[False, True]), "x": [1.0, np.nan]})
    (chunk,) = in_memory(table).chunks(5)
    assert chunk["n"].mask.tolist() == [False, True]
    arrow = to_arrow(table)
    assert arrow["n"].to_pylist() == [BIG, None]


def test_vectors_are_not_read() -> None:
    astropy = QTable({"x": [1.0] * u.deg, "v": np.ones((1, 3))})
    assert in_memory(astropy).columns == ("x",)
    assert in_memory(astropy).units == {"x": "deg"}
    assert in_memory(pa.table({"x": [1.0], "v": [[1, 2]]})).columns == ("x",)


@pytest.mark.parametrize("given", [None, 3, {"ra": [1.0]}, SimpleNamespace(schema=1)])
def test_other_things_are_no_tables(given: object) -> None:
    assert table_kind(given) is None
    words = f"a pandas or polars DataFrame or a pyarrow Table, got {type(given).__name__}"
    with pytest.raises(InputError, match=words):
        in_memory(given)


def test_columns_of_python_objects_are_explained() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="a column of the DataFrame cannot be read"):
        in_memory(pandas.DataFrame({"x": [object(), 3]}))


def test_joined_columns_have_the_types_of_their_columns() -> None:
    table = to_qtable(parts(), COLUMNS, METADATA)
    assert np.asarray(table["pm"]).dtype == np.float32
    assert table["kind"].dtype == np.dtype("U5")
    assert table["id"].info.meta == {"ucd": "meta.id"}
