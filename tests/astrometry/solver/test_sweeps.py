"""Sums over observations: against the design matrix, row by row."""

from __future__ import annotations

import numpy as np
import pytest
from small_problem import random_shift, small_problem, vector

from gcmock.astrometry.solver import rows, sweeps
from gcmock.astrometry.solver.normal import VisitOrder

pytestmark = pytest.mark.usefixtures("interpreted")


@pytest.fixture(scope="module")
def swept(interpreted):
    """Problem, its arrays, the design matrix and the residuals, put together row by row."""
    problem, _, start = small_problem()
    a = rows.arrays(problem, start)
    n_s, n_v = 5 * problem.n_source, 3 * problem.n_visit
    n_t, n_x = problem.distortion.n_term, problem.distortion.n_x
    design = np.zeros((2 * problem.n_observation, n_s + problem.n_instrument))
    residuals = np.zeros((problem.n_observation, 2))
    row, r, poly = rows.scratch(a)
    for i in range(problem.n_source):
        for o in range(problem.first[i], problem.first[i + 1]):
            rows.observe_row(a, i, o, row, r, poly)
            j, residuals[o] = problem.visit[o], r
            block = n_s + n_v + n_t * problem.visits.block[j]
            for axis, terms in ((0, slice(0, n_x)), (1, slice(n_x, n_t))):
                line = design[2 * o + axis]
                line[5 * i : 5 * i + 5] = row[axis, :5]
                line[n_s + 3 * j : n_s + 3 * j + 3] = row[axis, 5:8]
                line[block:][:n_t][terms] = row[axis, 8:][terms]
    return problem, a, design, residuals


def test_dense(swept):
    problem, a, design, _ = swept
    found = np.zeros_like(design)
    sweeps.sweep_dense(a, 5 * problem.n_source, 3 * problem.n_visit, found)
    np.testing.assert_array_equal(found, design)


def test_residuals_of_a_range_of_stars(swept):
    problem, a, _, residuals = swept
    found = np.full_like(residuals, np.nan)
    sweeps.sweep_residuals(a, 2, 5, found)
    inside = slice(problem.first[2], problem.first[5])
    np.testing.assert_array_equal(found[inside], residuals[inside])
    assert np.isnan(found[: problem.first[2]]).all()
    assert np.isnan(found[problem.first[5] :]).all()


def parts(problem, normal):
    """Blocks of a normal matrix that do not connect stars with the instrument."""
    n_s, n_v, n_t = 5 * problem.n_source, 3 * problem.n_visit, problem.distortion.n_term

    def at(start, size, k):
        return slice(start + size * k, start + size * (k + 1))

    stars = [at(0, 5, i) for i in range(problem.n_source)]
    visits = [at(n_s, 3, j) for j in range(problem.n_visit)]
    terms = [at(n_s + n_v, n_t, k) for k in range(problem.distortion.n_block)]
    block = problem.visits.block
    return (
        np.array([normal[s, s] for s in stars]),
        np.array([normal[v, v] for v in visits]),
        np.array([normal[v, terms[k]] for v, k in zip(visits, block, strict=True)]),
        np.array([normal[t, t] for t in terms]),
    )


def test_blocks(swept):
    problem, a, design, residuals = swept
    none = problem.no_shift()
    g, gv, gt = none.sources, none.attitude, none.coefficients
    n_t = problem.distortion.n_term
    n, chi2 = np.zeros((problem.n_source, 5, 5)), np.zeros(problem.n_source)
    vv, vt = np.zeros((problem.n_visit, 3, 3)), np.zeros((problem.n_visit, 3, n_t))
    tt = np.zeros((2, n_t, n_t))
    # In two ranges, which add up.
    for start, stop in ((0, 3), (3, problem.n_source)):
        sweeps.sweep_blocks(a, start, stop, n, g, chi2, vv, vt, tt, gv, gt)
    for found, expected in zip((n, vv, vt, tt), parts(problem, design.T @ design), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-9)
    right = design.T @ residuals.ravel()
    np.testing.assert_allclose(np.concatenate([g.ravel(), gv.ravel(), gt.ravel()]), right,
                               rtol=1e-9, atol=1e-6 * np.abs(right).max())  # fmt: skip
    expected = np.add.reduceat((residuals**2).sum(axis=1), problem.first[:-1])
    np.testing.assert_allclose(chi2, expected, rtol=1e-12)
    again, g2, chi2_again = np.zeros_like(n), np.zeros_like(g), np.zeros_like(chi2)
    sweeps.sweep_source_blocks(a, 0, problem.n_source, again, g2, chi2_again)
    for found, same in ((again, n), (g2, g), (chi2_again, chi2)):
        np.testing.assert_allclose(found, same, rtol=1e-12)


@pytest.mark.parametrize("factor", [0.0, 1.0])
def test_gradient_and_square(swept, factor):
    problem, a, design, residuals = swept
    shift, out = random_shift(problem), problem.no_shift()
    ds, dv, dt = shift.sources, shift.attitude, shift.coefficients
    sweeps.sweep_gradient(
        a, 0, problem.n_source, factor, ds, dv, dt, out.sources, out.attitude, out.coefficients
    )
    step = design @ vector(shift)
    expected = design.T @ (factor * residuals.ravel() - step)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(vector(out), expected, atol=1e-12 * scale)
    square = sweeps.sweep_square(a, 0, problem.n_source, ds, dv, dt)
    assert square == pytest.approx((step**2).sum(), rel=1e-12)


def test_rows_of_stars(swept):
    """Some stars, with visits and blocks in columns of another order."""
    problem, a, design, _ = swept
    n_s, n_t = 5 * problem.n_source, problem.distortion.n_term
    n_v = problem.n_visit
    members = np.array([1, 6])
    visit_column = 2 * n_t + 3 * np.arange(n_v)[::-1]
    term_column = np.array([0, n_t])
    out = np.zeros((2, 5, 2 * n_t + 3 * n_v))
    sweeps.sweep_source_rows(a, members, visit_column, term_column, out)
    normal = design.T @ design
    for m, i in enumerate(members):
        mine = normal[5 * i : 5 * i + 5]
        np.testing.assert_allclose(out[m, :, : 2 * n_t], mine[:, n_s + 3 * n_v :], atol=1e-9)
        for j in range(n_v):
            found = out[m, :, visit_column[j] : visit_column[j] + 3]
            expected = mine[:, n_s + 3 * j : n_s + 3 * j + 3]
            np.testing.assert_allclose(found, expected, atol=1e-9)


def test_rows_of_visits(swept):
    problem, a, design, _ = swept
    n_s, n_v, n_t = 5 * problem.n_source, 3 * problem.n_visit, problem.distortion.n_term
    normal = design.T @ design
    order = VisitOrder.of(problem)
    members = np.flatnonzero(problem.visits.block == 1)
    mixing = np.random.default_rng(1).standard_normal((problem.n_visit, 3, n_t))
    out, terms = np.zeros((len(members), 3, n_s)), np.zeros((1, n_t, n_s))
    sweeps.sweep_visit_rows(
        a, order.order, order.first, order.source, members, 5 * np.arange(problem.n_source),
        mixing, np.zeros(len(members), int), out, terms,
    )  # fmt: skip
    at = n_s + n_v + n_t
    expected_terms = normal[at : at + n_t, :n_s].copy()
    for m, j in enumerate(members):
        expected = normal[n_s + 3 * j : n_s + 3 * j + 3, :n_s]
        np.testing.assert_allclose(out[m], expected, atol=1e-9)
        expected_terms -= mixing[j].T @ expected
    scale = np.abs(expected_terms).max()
    np.testing.assert_allclose(terms[0], expected_terms, atol=1e-12 * scale)
