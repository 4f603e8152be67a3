"""Messages stay short, whatever was given."""

import numpy as np
import pytest

from gcmock.errors import few_lines, shortened, shown


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: "x" * 5_000_000,
        lambda: 10**5000,
        lambda: nested(100_000),
        lambda: np.arange(10**6),
        lambda: list(range(10**5)),
    ],
)
def test_values_are_shown_in_a_line(make):
    text = shown(make())
    assert len(text) <= 60
    assert "\n" not in text


def test_short_values_are_shown_as_they_are():
    assert shown("seed") == "'seed'"
    assert shown(1.5) == "1.5"


def test_both_ends_of_a_text_stay():
    assert shortened("abc", 10) == "abc"
    assert shortened("a" * 50 + "b" * 50, 15) == "aaaaa ... bbbbb"


def test_a_message_has_few_lines():
    assert few_lines(["a", "b"]) == ["a", "b"]
    found = few_lines(map(str, range(300)))
    assert found == [*map(str, range(10)), "and 290 more lines like these"]
    assert len(few_lines(["x" * 10_000])[0]) <= 2000
