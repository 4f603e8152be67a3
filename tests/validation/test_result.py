"""Checks and their verdicts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcmock.validation.result import (
    FALSE_ALARM,
    Check,
    above,
    below,
    failures,
    likely,
    noted,
    skipped,
    within,
)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_below_and_above_are_opposites(value, limit):
    low, high = below("sbc", "q", value, limit, "s"), above("sbc", "q", value, limit, "s")
    assert (low.verdict == "pass") == (value <= limit)
    assert (high.verdict == "pass") == (value >= limit)
    assert low.expected.startswith("< ")
    assert high.expected.startswith("> ")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_passes(value):
    assert below("t", "q", value, 1.0, "s").verdict == "fail"
    assert above("t", "q", value, 1.0, "s").verdict == "fail"
    assert within("t", "q", value, 0.0, 1.0, "s").verdict == "fail"


@pytest.mark.parametrize(
    ("value", "tolerance", "verdict", "expected"),
    [
        (1.5, 0.5, "pass", "1 +- 0.5"),
        (1.51, 0.5, "fail", "1 +- 0.5"),
        (0.8, (0.1, 0.3), "fail", "1 +- 0.3/-0.1"),
        (0.95, (0.1, 0.3), "pass", "1 +- 0.3/-0.1"),
        (1.25, (0.1, 0.3), "pass", "1 +- 0.3/-0.1"),
    ],
)
def test_within_a_tolerance(value, tolerance, verdict, expected):
    check = within("t", "q", value, 1.0, tolerance, "s", unit="pc", n=7)
    assert (check.verdict, check.expected, check.unit, check.n) == (verdict, expected, "pc", 7)


def test_likely_at_the_chance_of_a_false_alarm():
    assert likely("t", "chi2", FALSE_ALARM, "s").verdict == "pass"
    check = likely("t", "chi2", 0.99 * FALSE_ALARM, "s")
    assert (check.verdict, check.quantity) == ("fail", "chi2, p-value")


def test_numbers_without_a_verdict():
    assert noted("t", "q", 3.0, "model 4").verdict == "info"
    left_out = skipped("counts", "no list")
    assert (left_out.verdict, left_out.quantity) == ("skip", "no list")
    assert np.isnan(left_out.value)


def test_failures_alone():
    good, bad = below("t", "a", 0.0, 1.0, "s"), below("t", "b", 2.0, 1.0, "s")
    assert failures([good, bad, skipped("t", "r"), noted("t", "q", 1.0)]) == [bad]


def test_record_is_json():
    record = skipped("counts", "no list").record()
    assert record["value"] is None
    assert json.loads(json.dumps(record)) == record
    check = Check("t", "q", np.float32(0.5), "", "info")
    assert json.loads(json.dumps(check.record()))["value"] == 0.5
