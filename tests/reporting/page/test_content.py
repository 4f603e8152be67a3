"""Numbers for people."""

from __future__ import annotations

import pytest

from gcmock.reporting.page.content import PageSection, Picture, grouped, percent


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234567.0, 0, "1\u202f234\u202f567"),
        (999.0, 0, "999"),
        (-1234.56, 1, "\u22121\u202f234.6"),
        (0.125, 2, "0.12"),
    ],
)
def test_numbers_have_thin_spaces_and_a_true_minus(value, digits, text):
    assert grouped(value, digits) == text


def test_fractions_are_in_per_cent():
    assert percent(0.12345) == "12.3 %"
    assert percent(0.00012, 2) == "0.01 %"
    assert percent(1.0, 0) == "100 %"


def test_what_may_be_left_out():
    picture = Picture("name", "title", "alt", lambda axis: None)
    assert (picture.caption, picture.size, picture.table) == ("", (4.9, 3.75), None)
    section = PageSection("name", "title")
    assert (tuple(section.blocks), section.view) == ((), False)
