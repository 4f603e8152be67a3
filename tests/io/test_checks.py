"""Identifiers and positions of a whole table are possible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.frames import icrs_to_galactic
from gcmock.io.checks import IdColumn, check_positions
from gcmock.words.columns import SOURCE_ID

BIG = 2**60 + 1


def collected(*parts: np.ndarray) -> IdColumn:
    ids, start = IdColumn("t.fits", sum(map(len, parts))), 0
    for part in parts:
        ids.add(part, start)
        start += len(part)
    return ids


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ra", 360.1, r"ra = 360\.1 in row 11 .*between 0 and 360 deg\. 1 such rows"),
        ("ra", -0.1, r"ra = -0\.1 in row 11"),
        ("dec", -90.5, r"dec = -90\.5 in row 11 .*between -90 and 90 deg"),
        ("l", -181.0, r"l = -181 in row 11 .*between -180 and 360 deg"),
        ("b", np.inf, r"b = inf in row 11"),
        ("b", np.nan, r"b is missing in row 11"),
    ],
)
def test_impossible_positions(name: str, value: float, words: str) -> None:
    with pytest.raises(InputError, match=rf"^t\.fits: {words}"):
        check_positions("t.fits", {name: np.array([1.0, value, 2.0])}, 10)


def test_borders_are_possible() -> None:
    check_positions("t.fits", {"ra": np.array([0.0, 360.0]), "dec": np.array([-90.0, 90.0])}, 0)
    check_positions("t.fits", {"l": np.array([-180.0, 360.0]), "b": np.array([90.0, -90.0])}, 0)


@pytest.mark.parametrize("turn", [0.0, -360.0])
def test_both_frames_must_agree_to_a_hundredth_of_a_degree(turn: float) -> None:
    ra, dec = np.array([266.4, 266.6]), np.array([-28.9, -28.5])
    l_deg, b_deg = icrs_to_galactic(ra, dec)
    l_deg = l_deg + np.where(l_deg > 180.0, turn, 0.0)
    given = {"ra": ra, "dec": dec, "l": l_deg, "b": b_deg}
    check_positions("t.fits", given, 0)
    check_positions("t.fits", given | {"b": b_deg + 0.009}, 0)
    words = r"ra, dec and l, b are 0\.02 deg apart in row 6 .*ICRS degrees"
    with pytest.raises(InputError, match=words):
        check_positions("t.fits", given | {"b": b_deg + np.array([0.0, 0.02])}, 5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ma.MaskedArray([1, 2], mask=[False, True]), "is missing in row 8"),
        (np.array(["a", ""]), "is missing in row 8"),
        (np.array([1.0, np.nan]), "is missing in row 8"),
        (np.array([1.0, 2.5]), "is a float that may have lost digits: .* in row 8"),
        # What 2^53 + 1 becomes, and 2^24 + 1 in single precision.
        (np.array([1.0, 2.0**53]), "is a float that may have lost digits: .* in row 8"),
        (np.float32([1.0, 2**24 + 1]), "is a float that may have lost digits: .* in row 8"),
        (np.array([1.0, 2.0**53 + 2]), "is a float that may have lost digits: .* in row 8"),
        (np.array([True, False]), "must be integers or text"),
    ],
)
def test_identifiers_that_are_none(values: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=rf"^t\.fits: source_id {words}"):
        IdColumn("t.fits", 2).add(values, 7)


@pytest.mark.parametrize(
    ("parts", "dtype", "expected"),
    [
        ([[BIG], [3]], "int64", [BIG, 3]),
        ([np.array([1.0, 2.0])], "int64", [1, 2]),
        ([np.array([7], np.uint64)], "int64", [7]),
        ([["a"], ["abc"]], "U3", ["a", "abc"]),
        ([np.array([2**64 - 1, 5], np.uint64)], "U20", [str(2**64 - 1), "5"]),
    ],
)
def test_identifiers_are_kept_in_a_type_that_holds_them(parts, dtype: str, expected) -> None:
    arrays = [np.asarray(part) for part in parts]
    ids = collected(*arrays)
    assert ids.column == SOURCE_ID.with_dtype(dtype)
    assert np.concatenate([ids.normalise(part) for part in arrays]).tolist() == expected
    ids.finish()


def test_columns_may_have_to_hold_more_than_those_of_a_table() -> None:
    ids = collected(np.array(["a"]))
    ids.widen(SOURCE_ID.with_dtype("U9"))
    assert ids.column.dtype == "U9"
    numbers = collected(np.array([1]))
    numbers.widen(SOURCE_ID)
    assert numbers.column.dtype == "int64"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(0, 12))
def test_every_repetition_is_found_across_parts(numbers: list[int], cut: int) -> None:
    ids = collected(np.array(numbers[:cut], np.int64), np.array(numbers[cut:], np.int64))
    repeated = {n for n in numbers if numbers.count(n) > 1}
    if not repeated:
        ids.finish()
        return
    with pytest.raises(InputError, match=rf"{len(repeated)} source_id occur more than once"):
        ids.finish()


def test_repetitions_are_named_by_their_rows() -> None:
    with pytest.raises(InputError, match=r"1 source_id occur more .*: 5 in rows 0 and 2 \(rows"):
        collected(np.array([5, 6, 5, 5])).finish()
    with pytest.raises(InputError, match=r": rows 0 and 1 \(rows"):
        collected(np.array(["x", "x"])).finish()
    with pytest.raises(InputError, match=r"4 source_id .* \.\.\. \(rows counted from 0\)"):
        collected(np.repeat(np.arange(4), 2)).finish()
