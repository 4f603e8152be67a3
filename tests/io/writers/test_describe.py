"""Columns as astropy describes them: units, UCDs, packed rows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy import units as u
from astropy.io.votable import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.io.writers.describe import (
    empty_table,
    pack,
    packed_dtype,
    votable_header,
    votable_parts,
)
from gcmock.words.columns import OUTPUT_COLUMNS, Column

COLUMNS = (
    Column("id", "int64", "", "meta.id;meta.main", "Identifier"),
    Column("pm", "float32", "mas/yr", "pos.pm", "Proper motion"),
    Column("kind", "U5", "", "meta.code", "One of <few> & more"),
    Column("flag", "U1", "", "meta.code", "A letter"),
)


def test_empty_tables_have_all_words() -> None:
    table = empty_table(COLUMNS)
    assert len(table) == 0
    assert table.colnames == ["id", "pm", "kind", "flag"]
    assert [column.dtype.str[1:] for column in table.itercols()] == ["i8", "f4", "U5", "U1"]
    assert (table["pm"].unit, table["id"].unit) == (u.mas / u.yr, None)
    assert table["kind"].description == "One of <few> & more"
    assert table["pm"].meta == {"ucd": "pos.pm"}


def test_text_may_be_bytes() -> None:
    assert empty_table(COLUMNS, bytes_text=True)["kind"].dtype == np.dtype("S5")


def test_rows_are_big_endian_and_text_takes_a_byte_a_character() -> None:
    dtype = packed_dtype(COLUMNS, {"mask": "V1"})
    assert dtype.names == ("mask", "id", "pm", "kind", "flag")
    assert dtype.itemsize == 1 + 8 + 4 + 5 + 1
    assert (dtype["id"], dtype["pm"]) == (np.dtype(">i8"), np.dtype(">f4"))
    assert packed_dtype(OUTPUT_COLUMNS).names == tuple(c.name for c in OUTPUT_COLUMNS)


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text("abc ~", max_size=5)), min_size=1)
)
def test_rows_are_packed_without_loss(rows: list[tuple[int, str]]) -> None:
    chunk = {"id": np.array([n for n, _ in rows]), "kind": np.array([t for _, t in rows], "U5")}
    packed = pack(chunk, packed_dtype(COLUMNS))
    again = np.frombuffer(packed.tobytes(), packed_dtype(COLUMNS))
    np.testing.assert_array_equal(again["id"], chunk["id"])
    assert [text.decode() for text in again["kind"].tolist()] == [t for _, t in rows]
    assert not again["pm"].any()


def test_text_must_be_ascii() -> None:
    with pytest.raises(ValueError, match="ascii"):
        pack({"kind": np.array(["é"])}, packed_dtype(COLUMNS))


def test_headers_are_votables_with_units_and_metadata() -> None:
    text = votable_header(COLUMNS, '{"a": "<&>"}')
    votable = parse(io.BytesIO(text.encode()))
    fields = votable.get_first_table().fields
    assert [field.ucd for field in fields] == [column.ucd for column in COLUMNS]
    assert fields[1].unit == u.mas / u.yr
    # Without a size, text of one character would read as a single char.
    assert [field.arraysize for field in fields[2:]] == ["5", "1"]
    (info,) = votable.resources[0].infos
    assert (info.name, info.value) == ("gcmock", '{"a": "<&>"}')


def test_both_parts_of_a_votable_stand_around_its_rows() -> None:
    head, tail = votable_parts(COLUMNS, "{}")
    votable = parse(io.BytesIO((head + tail).encode()))
    assert len(votable.get_first_table().array) == 0
    assert head.endswith('<STREAM encoding="base64">\n')
    assert tail.startswith("\n      </STREAM>")
