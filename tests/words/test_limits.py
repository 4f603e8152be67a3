"""Limits of a list as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.words.bands import BANDS, mask_of
from gcmock.words.limits import Limit, parse_limit, parse_limits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("j-h > 2.1", Limit("j", "h", True, 2.1, 0.071)),
        ("J - H >= 2.1", Limit("j", "h", True, 2.1, 0.071)),
        ("ks<15", Limit("ks", "", False, 15.0, 0.05)),
        ("hw < 14.5 +- 0.3", Limit("hw", "", False, 14.5, 0.3)),
        ("h-ks > -.1 ± 1", Limit("h", "ks", True, -0.1, 1.0)),
    ],
)
def test_what_is_read(text, expected):
    assert parse_limit(text) == expected
    assert parse_limit(str(expected)) == expected


@given(
    st.sampled_from(BANDS), st.sampled_from(["", *BANDS]), st.booleans(),
    st.floats(-5, 30).map(lambda x: round(x, 3)), st.floats(0.01, 3).map(lambda x: round(x, 3)),
)  # fmt: skip
def test_written_limits_are_read_again(blue, red, above, value, width):
    if blue != red:
        limit = Limit(blue, red, above, value, width)
        assert parse_limits([str(limit)]) == (limit,)
        assert limit.mask == mask_of(*limit.bands)


@pytest.mark.parametrize(
    ("text", "words"),
    [("j-h", "is no limit"), ("g < 3", "'g' is no band"), ("j-j > 1", "two different bands"),
     ("ks < 99", "expected a number from -10 to 40"), ("ks < 15 +- 0", "expected a width"),
     ("", "is no limit")],
)  # fmt: skip
def test_what_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        parse_limit(text)
