"""What every reader makes of the arrays of a format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcmock.io.readers.source import plain

BIG = 2**60 + 1


def test_text_of_every_kind() -> None:
    text = np.ma.MaskedArray([b"a", b"b"], mask=[False, True])
    np.testing.assert_array_equal(plain(text), ["a", ""])
    np.testing.assert_array_equal(plain(np.array([b"x", None, 3], dtype=object)), ["x", "", "3"])
    np.testing.assert_array_equal(
        plain(np.array(["é".encode(), b"\xff"])), ["é", "\N{REPLACEMENT CHARACTER}"]
    )
    np.testing.assert_array_equal(plain(np.array(["a", "b"]), np.array([True, False])), ["", "b"])


@pytest.mark.parametrize("dtype", [">f8", "<f8", ">f4", ">i4", ">u8"])
def test_byte_order_is_native_and_the_width_stays(dtype: str) -> None:
    found = plain(np.array([1, 2, 3], dtype))
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    assert found.dtype.isnative
    assert found.tolist() == [1, 2, 3]


def test_missing_floats_are_nan() -> None:
    found = plain(np.array([1.0, 2.0], ">f4"), np.array([False, True]))
    np.testing.assert_array_equal(found, [1.0, np.nan])
    assert found.dtype == np.float32


def test_missing_integers_are_masked_and_lose_no_digit() -> None:
    values = np.ma.MaskedArray([BIG, BIG + 2, BIG + 4], mask=[True, False, False])
    found = plain(values, np.array([False, False, True]))
    assert found.mask.tolist() == [True, False, True]
    assert found[1] == BIG + 2
    assert plain(np.array([True, False]), np.array([False, True])).mask.tolist() == [False, True]


def test_masks_that_hide_nothing_go() -> None:
    found = plain(np.ma.MaskedArray([1, 2], mask=[False, False]), np.zeros(2, bool))
    assert not np.ma.isMaskedArray(found)


@settings(max_examples=20)
@given(hnp.arrays(np.float64, 5), hnp.arrays(bool, 5), hnp.arrays(bool, 5))
def test_a_value_is_missing_by_either_mask(values, inner, outer) -> None:
    found = plain(np.ma.MaskedArray(values, mask=inner), outer)
    np.testing.assert_array_equal(found, np.where(inner | outer, np.nan, values))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4))
def test_integers_pass_through(numbers: list[int]) -> None:
    assert plain(np.array(numbers, np.int64)).tolist() == numbers
