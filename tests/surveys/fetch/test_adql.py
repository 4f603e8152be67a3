"""Queries in the part of ADQL that all archives understand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.surveys.fetch import adql
from gcmock.surveys.fetch.adql import Selection, count_query, first_row, identifier, rows


class Tile:
    lon, lat = (0.5, 0.75), (-0.25, 0.0)

    def circle(self, frame, pad):
        assert (frame, pad) == ("galactic", 0.001)
        return 266.5, -28.9, 0.2


SELECTION = Selection("vvv.sources", ("id", "2mass", "ks"), "l", "b", "ra", "Dec J2000",
                      "galactic", 0.001)  # fmt: skip
WHERE = (
    "l BETWEEN 0.499 AND 0.751 AND b BETWEEN -0.251 AND 0.001 AND "
    "CONTAINS(POINT('ICRS', ra, \"Dec J2000\"), CIRCLE('ICRS', 266.5, -28.9, 0.2)) = 1"
)


def test_rows_of_a_tile_with_its_margin():
    assert rows(SELECTION, Tile()) == f'SELECT id, "2mass", ks FROM vvv.sources WHERE {WHERE}'


def test_number_of_rows():
    assert (
        count_query(SELECTION, Tile())
        == f"SELECT COUNT(*) AS n_rows FROM vvv.sources WHERE {WHERE}"
    )


def test_one_row_shows_the_table():
    assert first_row("vvv.sources") == "SELECT TOP 1 * FROM vvv.sources"


@pytest.mark.parametrize(
    ("name", "written"),
    [("ra", "ra"), ("_RAJ2000", '"_RAJ2000"'), ("e-b", '"e-b"'), ("a1_", "a1_")],
)
def test_names_that_need_quotes(name, written):
    assert identifier(name) == written


@given(st.floats(-400.0, 400.0))
def test_numbers_have_no_exponent(value):
    text = adql._number(value)
    assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", text)
    assert float(text) == pytest.approx(value, abs=5.1e-10)
