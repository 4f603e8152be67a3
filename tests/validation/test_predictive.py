"""Predictive checks: they pass for a catalogue that is right, and find out one that is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.validation import predictive as module
from gcmock.validation.fields import CatalogueField, CatalogueFields
from gcmock.validation.predictive import predictive_checks
from gcmock.validation.result import LIMITATIONS
from gcmock.words.bands import BANDS
from gcmock.words.flags import Flag

N, ERROR = 3000, 0.1


def magnitudes(seed, shift=0.0):
    """Reddened giants: Ks between 12 and 15 mag, H - Ks and J - H of a broad range."""
    rng = np.random.default_rng(seed)
    mag = np.full((N, len(BANDS)), np.nan)
    mag[:, 2] = rng.uniform(12.0, 15.0, N)
    mag[:, 1] = mag[:, 2] + rng.uniform(0.5, 2.0, N) + shift
    mag[:, 0] = mag[:, 1] + rng.uniform(1.0, 4.0, N)
    return mag


def fields(shift=0.0, noise=1.0, strange=0, with_map=True, fractions=(1.0, 1.0, 1.0, 0.0)):
    true = magnitudes(1)
    seen = true + noise * ERROR * np.random.default_rng(3).standard_normal(true.shape)
    flags = np.where(np.arange(N) < strange, int(Flag.UNEXPLAINED), 0)
    observed = {"mag": seen, "error": np.where(np.isfinite(seen), ERROR, np.nan)}
    model = {"mag": magnitudes(2, shift) + ERROR * np.random.default_rng(4).standard_normal((N, 4))}
    field = CatalogueField((0, 1), (0, 1), observed, {"mag": true, "flags": flags}, model)
    return CatalogueFields((field,), "ks", (12.5, 14.5), with_map, np.array(fractions))


def test_right_catalogue_passes():
    checks = predictive_checks(fields())
    assert {check.verdict for check in checks} <= {"pass", "info"}
    words = [check.quantity for check in checks]
    assert [w.rsplit(", ", 1)[1] for w in words if "KS distance" in w] == ["j", "h", "ks"]
    assert any("field 1, ks: chi2" in w for w in words)
    assert any("field 1, h-ks: chi2" in w for w in words)
    ratio = next(check for check in checks if "observed / model" in check.quantity)
    assert ratio.value == pytest.approx(1.0, abs=0.1)


def test_wrong_errors_are_found():
    failed = [c.quantity for c in predictive_checks(fields(noise=1.5)) if c.verdict == "fail"]
    assert sum("KS distance of (observed - true)/error" in words for words in failed) == 3


def test_wrong_colours_of_the_model_are_found():
    failed = [c.quantity for c in predictive_checks(fields(shift=0.3)) if c.verdict == "fail"]
    assert failed
    assert all("prior" in words and "shape of h-ks" in words for words in failed)


def test_unexplained_stars():
    first = predictive_checks(fields(strange=30))[0]
    assert (first.value, first.verdict) == (0.01, "fail")
    assert predictive_checks(fields())[0].verdict == "pass"


def test_colour_with_gaps_has_no_verdict():
    gaps = (0.9, 0.9, 1.0, 0.0)
    (shape,) = [c for c in predictive_checks(fields(0.3, fractions=gaps, with_map=False))
                if "shape" in c.quantity]  # fmt: skip
    assert shape.verdict == "info"
    assert shape.limitation == LIMITATIONS["complete"]


def test_colour_that_most_stars_have():
    assert module._colour(fields(fractions=(0.9, 0.4, 1.0, 0.0))) == ("j", "ks")
    assert module._colour(fields(fractions=(0.4, 0.4, 1.0, 0.0))) is None


def test_bins_have_open_ends():
    mag = module._bins(np.array([-5.0, 9.99, 10.0, 10.49, 10.5, 99.0]), 0.5)
    np.testing.assert_array_equal(mag, [0, 0, 1, 1, 2, 12])
    colour = module._bins(np.array([-1.0, 0.05, 0.25, 99.0]), 0.2)
    np.testing.assert_array_equal(colour, [0, 1, 2, 25])


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=25))
def test_joined_bins_keep_stars_and_hold_enough(bins):
    first, second = np.array(bins, float).T
    a, b = module._merged(first, second)
    assert (a.sum(), b.sum()) == (first.sum(), second.sum())
    assert a.size <= first.size
    assert a.size == 1 or (a + b).min() >= 10


def test_few_stars_behind_a_full_bin_are_joined():
    first, second = module._merged(np.array([5.0, 500, 3, 8]), np.array([4.0, 500, 0, 0]))
    np.testing.assert_array_equal(first, [505.0, 11.0])
    np.testing.assert_array_equal(second, [504.0, 0.0])
