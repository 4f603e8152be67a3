"""What is done with sixteen components at a time, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from gcmock.posterior.kernel import lanes
from gcmock.posterior.kernel.vector import LANES, N_POPULATION

RNG = np.random.default_rng(11)
ROWS = RNG.uniform(0.0, 2.0, (12, LANES)).astype(np.float32)
SUMS = np.cumsum(RNG.uniform(0.0, 1.0, (9, LANES)), axis=0).astype(np.float32)


@pytest.mark.slow
def test_sums_before_every_row() -> None:
    out = np.full((ROWS.shape[0] + 1, LANES), -1.0, np.float32)
    njit(lambda x, y: lanes.accumulate_lanes(x, x.shape[0], y))(ROWS, out)
    assert np.all(out[0] == 0.0)
    np.testing.assert_allclose(out[1:], np.cumsum(ROWS, axis=0), rtol=1e-6)


def test_clear_and_total() -> None:
    rows, out = ROWS.copy(), np.full(5, -1.0, np.float32)
    njit(lambda x, y: lanes.total_lanes(x, 3, y))(rows, out)
    assert out[3] == pytest.approx(ROWS[3].sum(), rel=1e-6)
    assert np.all(np.delete(out, 3) == -1.0)
    njit(lambda x: lanes.clear_lanes(x, 2))(rows)
    assert np.all(rows[:2] == 0.0)
    np.testing.assert_array_equal(rows[2:], ROWS[2:])


def test_cubic_prediction_is_exact_for_cubics_and_never_negative() -> None:
    x = np.arange(12.0)[:, None]
    rows = (0.1 * (x - 4.0) ** 3 + x + 5.0 * np.arange(LANES)).astype(np.float32)
    guess = np.empty(LANES, np.float32)
    predict = njit(lambda y, out: lanes.predict_lanes(y, 6, 1, 3, 9, out))
    predict(rows, guess)
    np.testing.assert_allclose(guess, rows[6], rtol=1e-5)
    predict(-rows - 10.0, guess)
    assert np.all(guess == 0.0)


def test_scores() -> None:
    score = njit(lambda s, y: lanes.score_lanes(s, 2, 7, y, 4))
    between, fourth = SUMS[7] - SUMS[2], ROWS[4] ** 4
    assert score(SUMS, ROWS) == pytest.approx((between * fourth).sum(), rel=1e-5)
    guess = ROWS[5].copy()
    differ = njit(lambda s, y, g: lanes.difference_lanes(s, 2, 7, y, 4, g))
    expected = (between * np.abs(fourth - guess**4)).sum()
    assert differ(SUMS, ROWS, guess) == pytest.approx(expected, rel=1e-5)


def test_roots_of_the_sums_of_populations() -> None:
    sums = RNG.uniform(0.5, 2.0, N_POPULATION + 1).astype(np.float32)
    sums[3], sums[N_POPULATION] = 1e-30, 0.0
    groups = np.full(LANES, N_POPULATION)
    groups[:11] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    rows = ROWS.copy()
    roots = njit(lambda s, g, y: lanes.roots_of_sums(s, g, np.float32(2), np.float32(1e-22), y, 1))
    assert roots(sums, groups, rows)
    expected = 2.0 * np.where(sums > 1e-22, sums, 0.0)[groups] ** 0.25
    np.testing.assert_allclose(rows[1], expected, rtol=1e-6)
    np.testing.assert_array_equal(np.delete(rows, 1, 0), np.delete(ROWS, 1, 0))
    assert not roots(np.zeros_like(sums), groups, rows)
    assert np.all(rows[1] == 0.0)


@pytest.mark.parametrize("f", [0.0, 0.3, 1.0])
def test_interpolation(f: float) -> None:
    """Cubics are met exactly; the posterior is written, added up and returned."""
    x = np.arange(12.0)[:, None]
    rows = (0.01 * x**3 + 0.1 * np.arange(LANES) + 1.0).astype(np.float32)
    post, evidence = np.zeros((3, LANES), np.float32), np.ones(LANES, np.float32)
    total = njit(
        lambda y, f, prior, post, sums: lanes.interpolate_lanes(y, 5, f, prior, 2, post, sums)
    )(rows, np.float32(f), ROWS, post, evidence)
    expected = ROWS[2] * (0.01 * (5.0 + f) ** 3 + 0.1 * np.arange(LANES) + 1.0) ** 4
    np.testing.assert_allclose(post[2], expected, rtol=1e-5)
    np.testing.assert_allclose(evidence, 1.0 + expected, rtol=1e-5)
    assert total == pytest.approx(expected.sum(), rel=1e-5)
