"""How objects look: a line of text, a table of HTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.notebook import Outcome, html_table, listing_of

# Characters that XML, with which the tables are read back here, can hold.
words = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=6)


@settings(max_examples=20, deadline=None)
@given(title=words, rows=st.lists(st.tuples(words, words), max_size=3), head=st.tuples(words))
def test_tables_hold_any_text(title: str, rows: list[tuple[str, str]], head: tuple[str]) -> None:
    table = ElementTree.fromstring(html_table(title, rows, head))
    texts = ["".join(cell.itertext()) for cell in table.iter() if cell.tag in {"th", "td"}]
    assert texts == [*head, *(text for row in rows for text in row)]
    assert "".join(table.find("caption").itertext()) == title


def test_the_first_column_names_the_row() -> None:
    table = ElementTree.fromstring(html_table("t", [("a", "b", "c")]))
    assert [(cell.tag, cell.text) for cell in table.find("tbody/tr")] == [
        ("th", "a"), ("td", "b"), ("td", "c"),
    ]  # fmt: skip
    assert table.find("thead") is None


def test_numbers_are_written_to_be_read() -> None:
    values = [("n_rows", 1234567), ("seconds", 1.23456), ("output", Path("a/b")), ("file", "x")]
    assert listing_of(values) == [
        ("rows", "1,234,567"),
        ("seconds", "1.235"),
        ("output", str(Path("a/b"))),
        ("file", "x"),
    ]


def test_what_is_not_a_few_words_is_left_out() -> None:
    empty = [("a", None), ("b", ""), ("c", True), ("d", np.zeros(3)), ("e", {}), ("f", ())]
    assert listing_of(empty) == []
    assert listing_of([("n_left", 0)]) == [("left", "0")]


def test_mappings_and_lists_have_a_row_for_each_member() -> None:
    values = [
        ("skipped_rows", Counter({"faint": 3, "outside": 2000})),
        ("files", [Path("a.png"), None, "b.png"]),
    ]
    assert listing_of(values) == [
        ("skipped rows, faint", "3"),
        ("skipped rows, outside", "2,000"),
        ("files", "a.png"),
        ("files", "b.png"),
    ]


@dataclass(repr=False)
class Done(Outcome):
    output: Path
    n_star: int
    table: np.ndarray = field(default_factory=lambda: np.zeros(2))
    note: str | None = None


def test_outcomes_say_what_they_hold_in_a_line_and_in_a_table() -> None:
    done = Done(Path("m.fits"), 1200)
    assert repr(done) == "Done(output: m.fits, star: 1,200)"
    html = ElementTree.fromstring(done._repr_html_())
    assert html.find("caption/b").text == "Done"
    assert [cell.text for cell in html.iter("td")] == ["m.fits", "1,200"]
