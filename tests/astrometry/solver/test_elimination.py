"""Rows, eliminations, factorisation: against dense algebra, finite differences, other solvers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator, cg, splu
from synthetic import make

from gcmock.astrometry.comparison.joint import rotation_between
from gcmock.astrometry.solver.cholesky import (
    PANEL,
    PivotError,
    factorise_lower,
    invert_lower,
    solve_lower,
)
from gcmock.astrometry.solver.dense import Factor, add_products, symmetric_times
from gcmock.astrometry.solver.elimination import SourcesFirst
from gcmock.astrometry.solver.grouping import sky_groups
from gcmock.astrometry.solver.instrument_first import InstrumentFirst
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Shift


@pytest.fixture(scope="module")
def small():
    problem, truth, start = make(n_source=60, n_visit=20, n_block=4, size_deg=(0.6, 0.6))
    lin = Linearisation(problem, start)
    return problem, truth, start, lin, lin.blocks()


def vector(shift):
    return np.concatenate([shift.sources.ravel(), shift.instrument])


def as_shift(problem, v):
    none = problem.no_shift()
    n = none.sources.size
    sources = v[:n].reshape(-1, 5)
    return Shift(sources, none.attitude, none.coefficients).with_instrument(v[n:])


def test_rows_are_derivatives_of_the_residuals():
    # True parallaxes and distortions, so that every derivative counts.
    problem, truth, _ = make(n_source=40, n_visit=15, n_block=2, size_deg=(0.5, 0.5))
    lin = Linearisation(problem, truth)
    design, _ = lin.dense_design()
    rng = np.random.default_rng(2)
    for _ in range(3):
        v = rng.standard_normal(design.shape[1])
        step = as_shift(problem, v)
        ends = [
            Linearisation(problem, truth.shifted(step.scaled(sign))).residuals().ravel()
            for sign in (1.0, -1.0)
        ]
        expected = -0.5 * (ends[0] - ends[1])
        found = (design @ v)[: len(expected)]
        # The triad of a star turns with it, which the rows leave out: 1e-7 of the shift.
        np.testing.assert_allclose(found, expected, atol=2e-6 * np.abs(expected).max())


def test_sweeps_agree_with_the_dense_matrix(small):
    problem, _, _, lin, blocks = small
    design, right = lin.dense_design()
    normal = design.T @ design
    np.testing.assert_allclose(vector(lin.gradient()), design.T @ right, rtol=1e-9, atol=1e-6)
    v = np.random.default_rng(0).standard_normal(len(normal))
    product = vector(lin.product(as_shift(problem, v)))
    np.testing.assert_allclose(product, normal @ v, rtol=1e-10, atol=1e-9)
    for i in range(problem.n_source):
        s = slice(5 * i, 5 * i + 5)
        np.testing.assert_allclose(blocks.sources[i], normal[s, s], rtol=1e-11, atol=1e-9)
    rows = 2 * problem.n_observation
    assert lin.square(as_shift(problem, v)) == pytest.approx(((design[:rows] @ v) ** 2).sum())


def test_threads_do_not_change_the_sums(small):
    problem, _, start, lin, blocks = small
    other = Linearisation(problem, start, workers=3)
    np.testing.assert_allclose(other.blocks().terms, blocks.terms, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(vector(other.gradient()), vector(lin.gradient()), rtol=1e-9)


@pytest.mark.parametrize("kind", [SourcesFirst, InstrumentFirst])
def test_elimination_equals_the_dense_solution(small, kind):
    problem, _, _, lin, blocks = small
    design, right = lin.dense_design()
    expected = np.linalg.lstsq(design, right, rcond=None)[0]
    eliminated = kind(lin, blocks)
    found = vector(eliminated.solve(lin.gradient()))
    assert np.abs(found - expected).max() < 1e-10 * np.abs(expected).max()
    # Every covariance, relative to the errors of its two unknowns.
    whole = np.linalg.inv(design.T @ design)
    c = eliminated.covariance(instrument=True)
    n, n_v, n_t = 5 * problem.n_source, 3 * problem.n_visit, problem.distortion.n_term

    def close(part, start):
        size = part.shape[1]
        for k, block in enumerate(part):
            s = slice(start + size * k, start + size * (k + 1))
            error = np.sqrt(whole.diagonal()[s])
            assert np.abs((block - whole[s, s]) / np.outer(error, error)).max() < 1e-10

    close(c.sources, 0)
    close(c.attitude, n)
    close(c.coefficients, n + n_v)
    assert c.coefficients.shape[1] == n_t
    lower = np.tril(c.instrument)
    np.testing.assert_allclose(lower, np.tril(whole[n:, n:]), rtol=1e-8, atol=1e-12)


def test_orders_agree():
    problem, _, start = make(n_source=300, n_visit=90, n_block=9)
    lin = Linearisation(problem, start)
    blocks, right = lin.blocks(), lin.gradient()
    found = []
    for kind in (SourcesFirst, InstrumentFirst):
        eliminated = kind(lin, blocks)
        solved = vector(eliminated.solve(right))
        found.append((solved, eliminated.covariance(instrument=False)))
    (a, ca), (b, cb) = found
    assert np.abs(a - b).max() < 1e-9 * np.abs(a).max()
    for part in ("sources", "attitude", "coefficients"):
        x, y = getattr(ca, part), getattr(cb, part)
        error = np.sqrt(np.einsum("nii->ni", x))
        assert np.abs((x - y) / error[:, :, None] / error[:, None, :]).max() < 1e-9


def test_conjugate_gradients_and_sparse_lu_agree(small):
    problem, _, _, lin, blocks = small
    eliminated = SourcesFirst(lin, blocks)
    right = lin.gradient()
    expected = vector(eliminated.solve(right))
    design, residual = lin.dense_design()
    m, n = design.shape
    # Sparse LU on the augmented system [1 A; A' 0].
    a = sp.csc_matrix(design)
    augmented = sp.bmat([[sp.identity(m), a], [a.T, None]]).tocsc()
    solved = splu(augmented).solve(np.concatenate([residual, np.zeros(n)]))[m:]
    assert np.abs(solved - expected).max() < 1e-9 * np.abs(expected).max()
    # Conjugate gradients with the sweeps as the matrix, scaled by the diagonal.
    scale = 1.0 / np.sqrt((design**2).sum(axis=0))

    def product(v):
        return scale * vector(lin.product(as_shift(problem, scale * v)))

    operator = LinearOperator((n, n), matvec=product)
    found, info = cg(operator, scale * vector(right), rtol=1e-14, maxiter=5000)
    assert info == 0
    assert np.abs(scale * found - expected).max() < 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("n", [1, 7, PANEL, PANEL + 1, 2 * PANEL + 130])
def test_blocked_cholesky(n):
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, n + 10))
    matrix = x @ x.T
    factor = np.asfortranarray(matrix.copy())
    factor[np.triu_indices(n, 1)] = np.nan  # only the lower triangle may be used
    factorise_lower(factor)
    np.testing.assert_allclose(np.tril(factor), np.linalg.cholesky(matrix), rtol=1e-8, atol=1e-9)
    right = rng.standard_normal((n, 3))
    np.testing.assert_allclose(matrix @ solve_lower(factor, right), right, atol=1e-8)
    np.testing.assert_allclose(matrix @ solve_lower(factor, right[:, 0]), right[:, 0], atol=1e-8)
    invert_lower(factor)
    whole = np.tril(factor) + np.tril(factor, -1).T
    np.testing.assert_allclose(matrix @ whole, np.eye(n), atol=1e-7)
    np.testing.assert_allclose(symmetric_times(factor, right), whole @ right, atol=1e-10)


def test_cholesky_names_the_pivot():
    matrix = np.asfortranarray(np.diag([1.0, 2.0, -1.0, 1.0]))
    with pytest.raises(PivotError) as caught:
        factorise_lower(matrix)
    assert caught.value.index == 2


@settings(max_examples=20, deadline=None)
@given(n=st.integers(3, 40), k=st.integers(1, 2), seed=st.integers(0, 1000))
def test_null_directions_give_the_pseudo_inverse(n, k, seed):
    rng = np.random.default_rng(seed)
    null = np.linalg.qr(rng.standard_normal((n, k)))[0]
    x = rng.standard_normal((n, 2 * n))
    x -= null @ (null.T @ x)
    matrix = x @ x.T
    scale = np.sqrt(matrix.diagonal())
    factor = Factor(np.asfortranarray(matrix.copy()), null)
    expected = np.linalg.pinv(matrix / scale[:, None] / scale, rcond=1e-9) / scale[:, None] / scale
    right = matrix @ rng.standard_normal(n)
    atol = 1e-7 * np.abs(expected).max()
    np.testing.assert_allclose(factor.solve(right), expected @ right, atol=atol * len(right) * 100)
    lower = np.tril(factor.inverse())
    np.testing.assert_allclose(lower, np.tril(expected), atol=atol)


def test_lowest_eigenvalues():
    rng = np.random.default_rng(3)
    vectors = np.linalg.qr(rng.standard_normal((80, 80)))[0]
    values = np.concatenate([[1e-8, 1e-6, 1e-3], rng.uniform(0.5, 1.5, 77)])
    matrix = (vectors * values) @ vectors.T
    scale = np.sqrt(matrix.diagonal())
    expected = np.linalg.eigvalsh(matrix / scale[:, None] / scale)[:3]
    factor = Factor(np.asfortranarray(matrix))
    found, _ = factor.lowest(np.zeros((80, 0)), 3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_products_are_added_in_place():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, 700, 3))
    matrix = np.zeros((700, 700), order="F")
    add_products(matrix, x, y)
    np.testing.assert_allclose(np.tril(matrix), np.tril(x @ y.T + y @ x.T), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 300), largest=st.integers(1, 60), seed=st.integers(0, 100))
def test_groups_are_a_partition(n, largest, seed):
    rng = np.random.default_rng(seed)
    groups = sky_groups(266.0 + rng.uniform(0, 2, n), -29.0 + rng.uniform(0, 1, n), largest)
    assert sorted(np.concatenate(groups).tolist()) == list(range(n))
    assert max(map(len, groups)) <= largest


def test_rotation_between_attitudes(small):
    _, _, start, _, _ = small
    rng = np.random.default_rng(5)
    e = rng.normal(0.0, 1e-6, start.attitude.shape)
    none = np.zeros_like(start.sources)
    shift = Shift(none, e / 4.84813681109536e-09, 0.0 * start.coefficients)
    np.testing.assert_allclose(
        rotation_between(start.attitude, start.shifted(shift).attitude), e, atol=1e-15
    )
