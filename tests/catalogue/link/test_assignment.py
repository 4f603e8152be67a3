from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from gcmock.catalogue.link.assignment import assign


def all_matchings(i, j):
    """Every set of candidates in which no source occurs twice."""
    n = len(i)
    for size in range(n + 1):
        for chosen in combinations(range(n), size):
            rows, columns = i[list(chosen)], j[list(chosen)]
            if len(set(rows)) == size and len(set(columns)) == size:
                yield list(chosen)


@st.composite
def candidates(draw, largest=4):
    n_i, n_j = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    every = [(a, b) for a in range(n_i) for b in range(n_j)]
    pairs = sorted(draw(st.lists(st.sampled_from(every), unique=True, min_size=1)))
    odds = draw(
        st.lists(st.floats(-6, 12, allow_nan=False), min_size=len(pairs), max_size=len(pairs))
    )
    i, j = np.array(pairs, dtype=np.int64).T
    return np.ascontiguousarray(i), np.ascontiguousarray(j), np.array(odds), n_i, n_j


@settings(max_examples=60, deadline=None)
@given(candidates())
def test_links_are_one_to_one_and_their_sum_is_the_largest(case):
    i, j, odds, n_i, n_j = case
    chosen = assign(i, j, odds, n_i, n_j).chosen
    assert len(set(i[chosen])) == chosen.sum() == len(set(j[chosen]))
    best = max(odds[which].sum() for which in all_matchings(i, j))
    assert odds[chosen].sum() == pytest.approx(best, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(candidates(largest=3), st.randoms(use_true_random=False))
def test_the_names_of_the_sources_do_not_matter(case, random):
    i, j, odds, n_i, n_j = case
    odds = odds + 1e-3 * np.arange(len(odds))  # no equal sums
    rows, columns = list(range(n_i)), list(range(n_j))
    random.shuffle(rows)
    random.shuffle(columns)
    new_i, new_j = np.array(rows)[i], np.array(columns)[j]
    order = np.lexsort((new_j, new_i))
    one = assign(i, j, odds, n_i, n_j)
    other = assign(new_i[order], new_j[order], odds[order], n_i, n_j)
    np.testing.assert_array_equal(other.chosen, one.chosen[order])
    np.testing.assert_allclose(other.probability, one.probability[order], atol=1e-6)


def test_probabilities_of_a_tree_are_those_of_all_matchings():
    # A chain 0-0, 0-1, 1-1, 1-2, 2-2 has no closed loop.
    i, j = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 2])
    odds = np.array([1.0, 2.5, 0.5, -1.0, 3.0])
    weights = np.zeros(5)
    total = 0.0
    for which in all_matchings(i, j):
        weight = np.exp(odds[which].sum())
        total += weight
        weights[which] += weight
    found = assign(i, j, odds, 3, 3).probability
    np.testing.assert_allclose(found, weights / total, rtol=1e-6)


def test_a_lone_candidate_has_its_own_odds():
    found = assign(np.array([0]), np.array([0]), np.array([np.log(3.0)]), 1, 1)
    assert found.probability[0] == pytest.approx(0.75)
    assert found.chosen[0]


def test_candidates_that_are_less_probable_than_none_are_no_links():
    found = assign(np.array([0, 1]), np.array([0, 1]), np.array([-0.1, 0.1]), 2, 2)
    np.testing.assert_array_equal(found.chosen, [False, True])


def test_large_groups_agree_with_scipy():
    rng = np.random.default_rng(8)
    gain = rng.normal(2.0, 3.0, (40, 30))
    i, j = (values.ravel() for values in np.indices(gain.shape))
    chosen = assign(i.copy(), j.copy(), gain.ravel(), 40, 30).chosen
    padded = np.hstack((np.maximum(gain, 0.0), np.zeros((40, 40))))
    rows, columns = linear_sum_assignment(-padded)
    assert gain.ravel()[chosen].sum() == pytest.approx(padded[rows, columns].sum(), rel=1e-12)


def test_certain_links_stay_certain():
    odds = np.array([300.0, 5.0, 280.0])
    found = assign(np.array([0, 0, 1]), np.array([0, 1, 1]), odds, 2, 2)
    np.testing.assert_array_equal(found.chosen, [True, False, True])
    assert found.probability[0] > 0.99
    assert np.isfinite(found.probability).all()
