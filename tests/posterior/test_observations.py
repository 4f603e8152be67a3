"""Observations: some of the stars, all of several tables, and the motion by name."""

from __future__ import annotations

import numpy as np

from gcmock.posterior.kinds import set_aside, synthetic_of
from gcmock.posterior.observations import MeasuredMotion, Observations, joined


def observations(n: int, motion: MeasuredMotion | None = None) -> Observations:
    column = np.arange(n, dtype=float)
    mag = np.full((n, 4), 15.0)
    return Observations(column, column, mag, 0.1 * mag, column, column, column, column, motion)


def motions(n: int) -> MeasuredMotion:
    return MeasuredMotion(*(np.arange(n) + 10.0 * i for i in range(7)))


def test_stars_without_motion_are_joined_with_some() -> None:
    found = joined([observations(2), observations(3, motions(3))])
    assert found.n_star == 5
    assert found.with_motion
    assert found.motion is not None
    np.testing.assert_array_equal(found.motion.has_pm, [False, False, True, True, True])
    last = found.take(slice(4, 5))
    assert last.motion == (2.0, 12.0, 22.0, 32.0, 42.0, 52.0, 62.0)
    assert not found.take(slice(0, 2)).with_motion
    assert joined([observations(2)]).motion is None


def test_vector_and_covariance_of_a_motion() -> None:
    motion = motions(2).take(1)
    np.testing.assert_array_equal(motion.vector, [1.0, 11.0, 51.0])
    np.testing.assert_array_equal(motion.covariance, [[21, 31, 0], [31, 41, 0], [0, 0, 61]])
    assert motions(2).covariance.shape == (2, 3, 3)


def test_motions_with_other_errors_and_in_another_frame() -> None:
    given = motions(2).take(1)
    wider = given.with_errors(3.0)
    np.testing.assert_array_equal(
        wider.covariance, [[9 * 21, 9 * 31, 0], [9 * 31, 9 * 41, 0], [0, 0, 61]]
    )
    np.testing.assert_array_equal(wider.vector, given.vector)
    moved = given.in_frame(np.array([0.5, 1.0]), np.array([2.0, 3.0]), 1.0)
    np.testing.assert_array_equal(moved.vector, [0.5, 10.0, 51.0])
    np.testing.assert_array_equal(moved.covariance, [[25, 31, 0], [31, 50, 0], [0, 0, 61]])


def test_the_more_precise_synthetic_band_is_used() -> None:
    mag = np.full((4, 6), 15.0)
    mag[1, 3:], mag[2, 5] = np.nan, np.nan
    variance = np.tile([1.0, 1.0, 1.0, 0.3, 0.2, 0.1], (4, 1))
    variance[3, 3] = 0.01
    np.testing.assert_array_equal(synthetic_of(mag, variance), [2, 0, 1, 0])
    expected = np.zeros((4, 6), bool)
    expected[0, 3:5] = expected[2, 3] = expected[3, 4:] = True
    np.testing.assert_array_equal(set_aside(mag, variance), expected)
