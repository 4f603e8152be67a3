from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from gcmock.catalogue.link.neighbours import pairs_within
from gcmock.errors import InputError


def unit(ra, dec):
    a, d = np.radians(ra), np.radians(dec)
    return np.column_stack((np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)))


@pytest.mark.parametrize("centre", [(266.4, -29.0), (359.99, 10.0), (0.01, 75.0)])
def test_all_pairs_of_a_tree_are_found(centre):
    rng = np.random.default_rng(3)
    ra = (centre[0] + rng.uniform(-0.03, 0.03, (2, 1500))) % 360.0
    dec = centre[1] + rng.uniform(-0.02, 0.02, (2, 1500))
    i, j = pairs_within(ra[0], dec[0], ra[1], dec[1], 2.0)
    first, second = cKDTree(unit(ra[0], dec[0])), cKDTree(unit(ra[1], dec[1]))
    found = first.sparse_distance_matrix(second, np.radians(2.0 / 3600.0), output_type="ndarray")
    # A pair on the edge of the circle may fall to either side.
    assert abs(len(found) - len(i)) <= 2
    missing = set(zip(found["i"], found["j"], strict=True)) ^ set(zip(i, j, strict=True))
    assert len(missing) <= 2
    assert len(i) > 100


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_pairs_do_not_depend_on_what_else_is_there(seed, keep):
    rng = np.random.default_rng(seed)
    ra, dec = 266.4 + rng.uniform(0, 0.003, (2, 80)), -29.0 + rng.uniform(0, 0.003, (2, 80))
    i, j = pairs_within(ra[0], dec[0], ra[1], dec[1], 1.5)
    some_i, some_j = pairs_within(ra[0][:keep], dec[0][:keep], ra[1], dec[1], 1.5)
    inside = i < keep
    np.testing.assert_array_equal(some_i, i[inside])
    np.testing.assert_array_equal(some_j, j[inside])


def test_pairs_are_sorted_and_empty_lists_have_none():
    rng = np.random.default_rng(1)
    ra, dec = 266.4 + rng.uniform(0, 0.01, 500), -29.0 + rng.uniform(0, 0.01, 500)
    i, j = pairs_within(ra, dec, ra, dec, 3.0)
    np.testing.assert_array_equal(np.lexsort((j, i)), np.arange(len(i)))
    assert set(range(500)) == set(i[i == j])
    nothing = np.empty(0)
    assert pairs_within(nothing, nothing, ra, dec, 1.0)[0].size == 0
    assert pairs_within(ra, dec, nothing, nothing, 1.0)[0].size == 0


def test_a_list_whose_sources_all_lie_at_one_place_is_refused():
    place = np.full(20_001, 266.4), np.full(20_001, -29.0)
    with pytest.raises(InputError, match=r"20,001 sources lie within 1\.8 arcsec of ra = 266\.4"):
        pairs_within(*place, *place, 1.8)
