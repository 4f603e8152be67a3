"""Groups of neighbours on the sky."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.solver.grouping import direction_centre, sky_groups


def test_the_longer_side_is_halved_at_the_median():
    ra = 266.0 + np.array([0.0, 0.1, 0.2, 3.0, 3.1, 3.2])
    found = sky_groups(ra, np.full(6, -29.0), 3)
    assert sorted(map(list, found)) == [[0, 1, 2], [3, 4, 5]]
    dec = -29.0 + np.array([0.0, 3.0, 0.1, 3.1, 0.2, 3.2])
    found = sky_groups(np.full(6, 266.0), dec, 3)
    assert sorted(map(list, found)) == [[0, 2, 4], [1, 3, 5]]


def test_neighbours_across_the_zero_of_right_ascension():
    ra = np.array([359.9, 0.1, 359.95, 2.9, 3.0, 3.1])
    found = sky_groups(ra, np.zeros(6), 3)
    assert sorted(map(list, found)) == [[0, 1, 2], [3, 4, 5]]


def test_no_stars_no_groups():
    assert sky_groups(np.zeros(0), np.zeros(0), 5) == []


def test_groups_are_compact():
    rng = np.random.default_rng(1)
    ra, dec = 266.0 + rng.uniform(0, 1, 640), rng.uniform(-0.5, 0.5, 640)
    groups = sky_groups(ra, dec, 10)
    assert len(groups) == 64
    # A square of 1/64 of the sky has a side of 1/8.
    assert np.mean([np.ptp(ra[g]) + np.ptp(dec[g]) for g in groups]) < 2 * 2 / 8


@pytest.mark.parametrize(
    ("ra", "dec", "centre"),
    [
        ([359.0, 1.0], [0.0, 0.0], (0.0, 0.0)),
        ([10.0, 10.0], [20.0, 40.0], (10.0, 30.0)),
        ([0.0, 120.0, 240.0], [80.0] * 3, (None, 90.0)),
        # Less than nothing east of zero, and 360 after rounding.
        ([-1e-15], [0.0], (0.0, 0.0)),
    ],
)
def test_mean_direction(ra, dec, centre):
    found = direction_centre(np.array(ra), np.array(dec))
    if centre[0] is not None:
        assert (found[0] + 180.0) % 360.0 - 180.0 == pytest.approx(centre[0], abs=1e-9)
    assert found[1] == pytest.approx(centre[1], abs=1e-9)
    assert 0.0 <= found[0] < 360.0


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 300), largest=st.integers(1, 60), seed=st.integers(0, 100))
def test_groups_are_a_partition(n, largest, seed):
    rng = np.random.default_rng(seed)
    groups = sky_groups(266.0 + rng.uniform(0, 2, n), -29.0 + rng.uniform(0, 1, n), largest)
    assert sorted(np.concatenate(groups).tolist()) == list(range(n))
    assert max(map(len, groups)) <= largest
