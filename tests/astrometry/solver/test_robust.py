"""Weights of disturbed observations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.solver.robust import ROBUST, SMALLEST_WEIGHT, variance_factor, weights


@settings(max_examples=30, deadline=None)
@given(size=st.lists(st.floats(0.0, 1e6), min_size=2, max_size=20), kind=st.sampled_from(ROBUST))
def test_weights_fall_and_never_vanish(size, kind):
    found = weights(np.sort(size), kind)
    assert (found <= 1.0).all()
    assert (found >= (SMALLEST_WEIGHT if kind == "agis" else 2.0 / 1e6) * (1 - 1e-12)).all()
    # The cubic of AGIS meets the exponential to six digits.
    assert (np.diff(found) <= 2e-6).all()


def test_least_squares_have_the_usual_variance():
    size = np.array([1.0, 2.0, 3.0])
    assert variance_factor(size, "none", 7) == pytest.approx(14.0 / 7.0)
    assert variance_factor(size, "none", 0) == pytest.approx(14.0)


def test_small_residuals_are_not_reweighted():
    size = np.array([0.0, 0.5, 1.5])
    for kind in ("huber", "agis"):
        assert variance_factor(size, kind, 6) == pytest.approx((size**2).sum() / 6)


def test_one_residual_beyond_the_limit():
    """Beyond the limit of Huber psi is a constant 2: w = 2 / r, w + r w' / 2 = w / 2."""
    size = np.array([1.0, 4.0])
    square, mean, slope = (1.0 + 4.0) / 3.0, (1.0 + 0.5) / 2.0, (1.0 + 0.25) / 2.0
    expected = square / slope**2 * mean
    assert variance_factor(size, "huber", 3) == pytest.approx(expected, rel=1e-6)


def test_weight_functions():
    size = np.array([0.0, 1.0, 2.0, 2.5, 3.0, 6.0])
    np.testing.assert_allclose(weights(size, "huber"), [1, 1, 1, 0.8, 2 / 3, 1 / 3])
    # Lindegren et al. 2012, eq. 66: continuous, with a continuous slope, at 2 and 3.
    np.testing.assert_allclose(weights(size, "agis")[[0, 2, 4, 5]], [1, 1, np.exp(-1), np.exp(-2)])
    ends = weights(np.array([3.0 - 1e-7, 3.0 + 1e-7]), "agis")
    assert abs(ends[0] - ends[1]) < 2e-6
    np.testing.assert_array_equal(weights(size, "none"), 1.0)


@pytest.mark.parametrize(("kind", "expected"), [("none", 1.0), ("huber", 1.04), ("agis", 1.1)])
def test_variance_factor_of_normal_residuals(kind, expected):
    """M-estimation of a mean of two components: the factor gives the scatter that is found."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4000, 50, 2))
    mean = np.zeros((4000, 1, 2))
    for _ in range(12):
        w = weights(np.linalg.norm(x - mean, axis=2), kind)[..., None]
        mean = (w * x).sum(axis=1, keepdims=True) / w.sum(axis=1, keepdims=True)
    size = np.linalg.norm(x - mean, axis=2)
    factor = variance_factor(size.ravel(), kind, 2 * size.size - 2 * 4000)
    formal = factor / weights(size, kind).sum(axis=1).mean()
    assert formal == pytest.approx(mean.var(), rel=0.04)
    assert factor == pytest.approx(expected, abs=0.12)
