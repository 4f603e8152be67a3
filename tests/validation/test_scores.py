"""Scores and the limits of chance: uniform where they must be, and never blind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from gcmock.validation import scores
from gcmock.validation.result import FALSE_ALARM, above, below, failures, skipped, within


def test_ranks_of_exact_draws_are_uniform() -> None:
    rng = np.random.default_rng(1)
    draws, truth = rng.normal(size=(4000, 20)), rng.normal(size=4000)
    rank = scores.ranks(draws, truth)
    assert ((rank > 0) & (rank < 1)).all()
    assert scores.ks_uniform(rank) < scores.ks_limit(rank.size)
    assert scores.ks_uniform(scores.ranks(1.3 * draws, truth)) > scores.ks_limit(rank.size)


def test_equal_draws_share_the_rank() -> None:
    rank = scores.ranks(np.zeros((5000, 9)), np.zeros(5000))
    assert scores.ks_uniform(rank) < scores.ks_limit(5000)


@pytest.mark.slow
@given(st.integers(1, 200), st.integers(0, 10**6))
def test_ks_distance_is_that_of_scipy(n: int, seed: int) -> None:
    x = np.random.default_rng(seed).random(n)
    assert scores.ks_uniform(x) == pytest.approx(kstest(x, "uniform").statistic)


def test_ks_limit_is_the_known_one() -> None:
    # Asymptotically sqrt(-ln(alpha / 2) / 2) / sqrt(n).
    expected = np.sqrt(-np.log(FALSE_ALARM / 2) / 2) / np.sqrt(10_000)
    assert scores.ks_limit(10_000) == pytest.approx(expected, rel=0.01)


def test_binary_ranks() -> None:
    rng = np.random.default_rng(2)
    p = rng.beta(0.4, 0.9, 5000)
    happened = rng.random(5000) < p
    limit = scores.ks_limit(5000)
    assert scores.ks_uniform(scores.binary_ranks(p, happened)) < limit
    assert scores.ks_uniform(scores.binary_ranks(np.clip(1.3 * p, 0, 1), happened)) > limit


@pytest.mark.slow
@given(st.integers(1, 300), st.floats(0.01, 0.99), st.data())
def test_number_p_value_is_binomial(n: int, p: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    expected = min(1.0, 2.0 * min(binom.cdf(k, n, p), binom.sf(k - 1, n, p)))
    found = scores.number_p_value(np.full(n, p), k)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_number_of_many_rare_events() -> None:
    p = np.full(20_000, 1e-3)
    assert scores.number_p_value(p, 20) > 0.5
    assert scores.number_p_value(p, 50) < FALSE_ALARM
    assert scores.number_p_value(p, 20_000) == 0.0


def test_calibration_error_limit() -> None:
    rng = np.random.default_rng(3)
    p = rng.random(3000)
    limit = scores.calibration_error_limit(p)
    assert scores.expected_calibration_error(p, rng.random(3000) < p) < limit
    assert scores.expected_calibration_error(p, rng.random(3000) < p**1.5) > limit


def test_coverage_limits_hold_the_right_fraction() -> None:
    down, up = scores.coverage_limits(0.68, 1000)
    inside = np.random.default_rng(4).binomial(1000, 0.68, 20_000) / 1000
    wrong = ((inside < 0.68 - down) | (inside > 0.68 + up)).mean()
    assert wrong < 2 * FALSE_ALARM
    assert up < 0.06


def test_marginal_homogeneity_counts_only_those_that_move() -> None:
    rng = np.random.default_rng(5)
    true = rng.normal(size=20_000)
    first, second = (np.digitize(true + rng.normal(0, 0.3, true.size), [-1, 0, 1]) for _ in "ab")
    value, dof = scores.marginal_homogeneity(first, second)
    assert dof == 3
    assert scores.chi2_p_value(value, dof) > FALSE_ALARM
    shifted = np.digitize(true + 0.03 + rng.normal(0, 0.3, true.size), [-1, 0, 1])
    assert scores.chi2_p_value(*scores.marginal_homogeneity(first, shifted)) < FALSE_ALARM
    assert scores.marginal_homogeneity(first, first) == (0.0, 0)


def test_marginal_homogeneity_of_two_bins_is_mcnemar() -> None:
    first = np.array([0] * 30 + [1] * 12 + [0] * 50 + [1] * 40)
    second = np.array([1] * 30 + [0] * 12 + [0] * 50 + [1] * 40)
    value, dof = scores.marginal_homogeneity(first, second)
    assert (value, dof) == (pytest.approx((30 - 12) ** 2 / 42), 1)


@given(st.lists(st.integers(0, 500), min_size=2, max_size=8), st.integers(0, 10**6))
def test_two_sample_of_equal_counts_is_zero(numbers: list[int], seed: int) -> None:
    a = np.array(numbers, float)
    assert scores.two_sample(a, a)[0] == 0.0
    assert scores.two_sample(a, 3 * a, free_scale=True)[0] == pytest.approx(0.0, abs=1e-9)


def test_two_sample_finds_a_tenth_more() -> None:
    rng = np.random.default_rng(6)
    a, b, c = rng.poisson(1000, 12), rng.poisson(1000, 12), rng.poisson(1100, 12)
    assert scores.chi2_p_value(*scores.two_sample(a.astype(float), b.astype(float))) > 1e-3
    assert scores.chi2_p_value(*scores.two_sample(a.astype(float), c.astype(float))) < 1e-3


def test_verdicts() -> None:
    good = [
        below("t", "q", 1, 2, "s"),
        above("t", "q", 2, 1, "s"),
        within("t", "q", 1, 1.1, 0.2, ""),
    ]
    bad = [
        below("t", "q", 3, 2, "s"),
        above("t", "q", float("nan"), 1, "s"),
        within("t", "q", 2, 1.1, (0.2, 0.3), ""),
    ]
    assert failures([*good, skipped("t", "no list"), *bad]) == bad
    assert bad[1].record()["value"] is None
