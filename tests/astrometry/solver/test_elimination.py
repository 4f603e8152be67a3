"""Rows, eliminations, factorisation: against dense algebra, finite differences, other solvers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, cg, splu
from synthetic import make

from gcmock.astrometry.solver.elimination import SourcesFirst
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
