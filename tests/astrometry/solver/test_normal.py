"""Linearised problems: priors, ranges, order of visits, dense equations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_problem import random_shift, small_problem, vector

from gcmock.astrometry.solver.normal import Linearisation, VisitOrder, _ranges
from gcmock.astrometry.solver.problem import source_shift

pytestmark = pytest.mark.usefixtures("interpreted")


@pytest.fixture(scope="module")
def small(interpreted):
    problem, _truth, start = small_problem()
    lin = Linearisation(problem, start)
    return problem, start, lin, *lin.dense_design()


def test_only_stars_with_a_prior_are_drawn_to_it(small):
    problem, start, lin, *_ = small
    known = problem.prior.precision[:, 0, 0] > 0
    assert 0 < known.sum() < len(known)
    offset = lin.prior_offset()
    assert (offset[~known] == 0).all()
    expected = source_shift(problem.prior.mean, start.sources)[known]
    np.testing.assert_array_equal(offset[known], expected)
    chi2 = [d @ p @ d for d, p in zip(offset, problem.prior.precision, strict=True)]
    np.testing.assert_allclose(lin.prior_chi2(), chi2)


def test_priors_are_five_equations_per_star(small):
    problem, _, lin, design, right = small
    rows = 2 * problem.n_observation
    assert design.shape[0] == rows + 5 * problem.n_source
    n = 5 * problem.n_source
    whole = np.zeros((n, n))
    for i, p in enumerate(problem.prior.precision):
        whole[5 * i : 5 * i + 5, 5 * i : 5 * i + 5] = p
    known = design[rows:, :n]
    np.testing.assert_allclose(known.T @ known, whole, rtol=1e-12)
    assert not design[rows:, n:].any()
    np.testing.assert_array_equal(right[:rows], lin.residuals().ravel())
    assert (right[rows:] ** 2).sum() == pytest.approx(lin.prior_chi2().sum())


def test_sums_are_those_of_the_dense_equations(small):
    _problem, _, lin, design, right = small
    gradient = design.T @ right
    atol = 1e-9 * np.abs(gradient).max()
    np.testing.assert_allclose(vector(lin.gradient()), gradient, atol=atol)
    blocks = lin.blocks()
    np.testing.assert_allclose(vector(blocks.gradient), gradient, atol=atol)
    matrices, right_sources, chi2 = lin.source_blocks()
    np.testing.assert_allclose(matrices, blocks.sources, rtol=1e-12)
    np.testing.assert_allclose(right_sources, blocks.gradient.sources, rtol=1e-9)
    assert chi2.sum() == pytest.approx((lin.residuals() ** 2).sum())


def test_products_with_and_without_the_prior(small):
    problem, _, lin, design, _ = small
    shift = random_shift(problem)
    rows = 2 * problem.n_observation
    for prior, part in ((True, design), (False, design[:rows])):
        expected = part.T @ (part @ vector(shift))
        found = vector(lin.product(shift, prior=prior))
        np.testing.assert_allclose(found, expected, atol=1e-11 * np.abs(expected).max())
    assert lin.square(shift) == pytest.approx(((design[:rows] @ vector(shift)) ** 2).sum())


def test_threads_do_not_change_the_sums(small):
    problem, start, lin, *_ = small
    other = Linearisation(problem, start, workers=3)
    np.testing.assert_allclose(other.blocks().terms, lin.blocks().terms, rtol=1e-12, atol=1e-12)
    found, expected = vector(other.gradient()), vector(lin.gradient())
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_array_equal(other.residuals(), lin.residuals())


def test_order_of_visits(small):
    problem, *_ = small
    order = VisitOrder.of(problem)
    for j in range(problem.n_visit):
        mine = order.order[order.first[j] : order.first[j + 1]]
        np.testing.assert_array_equal(mine, np.flatnonzero(problem.visit == j))
    both = np.unique(order.source[(problem.visit == 1) | (problem.visit == 4)])
    np.testing.assert_array_equal(order.stars(np.array([4, 1])), both)


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(0, 30), max_size=20), workers=st.integers(1, 6))
def test_ranges_cover_all_stars_once(counts, workers):
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    found = _ranges(first, workers)
    assert len(found) <= workers
    assert next(start for start, _ in found) == 0
    assert found[-1][1] == len(counts)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
    if len(found) > 1:
        # None has more than its part and one star's observations.
        largest = max(int(first[b] - first[a]) for a, b in found)
        assert largest <= first[-1] / workers + max(counts)
