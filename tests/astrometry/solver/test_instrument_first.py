"""Elimination of the instrument: against the dense normal matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_problem import random_shift, small_problem, vector

from gcmock.astrometry.solver import instrument_first
from gcmock.astrometry.solver.elimination import inverse_root
from gcmock.astrometry.solver.instrument_first import Arrow, InstrumentFirst, reduced_terms
from gcmock.astrometry.solver.normal import Linearisation

pytestmark = pytest.mark.usefixtures("interpreted")


@pytest.fixture(scope="module")
def small(interpreted):
    problem, _, start = small_problem()
    lin = Linearisation(problem, start)
    design, right = lin.dense_design()
    return problem, lin, lin.blocks(), design.T @ design, design.T @ right


def test_arrow_is_the_instrument_with_known_stars(small):
    problem, _, blocks, normal, _ = small
    n = 5 * problem.n_source
    shift = random_shift(problem)
    found = Arrow(blocks).solve(shift)
    expected = np.linalg.solve(normal[n:, n:], shift.instrument)
    np.testing.assert_allclose(found.instrument, expected, rtol=1e-8)
    assert not found.sources.any()


def test_arrow_knows_the_blocks_of_its_inverse(small):
    problem, _, blocks, normal, _ = small
    n, n_v, n_t = 5 * problem.n_source, 3 * problem.n_visit, problem.distortion.n_term
    inverse = np.linalg.inv(normal[n:, n:])
    visits, terms = Arrow(blocks).inverse_blocks()
    for j, found in enumerate(visits):
        s = slice(3 * j, 3 * j + 3)
        np.testing.assert_allclose(found, inverse[s, s], rtol=1e-7, atol=1e-9 * found.max())
    for k, found in enumerate(terms):
        s = slice(n_v + n_t * k, n_v + n_t * (k + 1))
        np.testing.assert_allclose(found, inverse[s, s], rtol=1e-7, atol=1e-9 * found.max())


def test_terms_without_the_visits_are_a_schur_complement(small):
    _, _, blocks, *_ = small
    root = inverse_root(blocks.visits)
    mixing = np.einsum("nki,nkj,njt->nit", root, root, blocks.visit_terms)
    expected = blocks.terms.copy()
    for k, matrix, mixed in zip(blocks.block, blocks.visits, blocks.visit_terms, strict=True):
        expected[k] -= mixed.T @ np.linalg.inv(matrix) @ mixed
    found = reduced_terms(blocks, mixing)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_array_equal(found, found.transpose(0, 2, 1))


def test_undetermined_visits_are_refused(small):
    _, _, blocks, *_ = small
    visits = blocks.visits.copy()
    visits[4] = np.ones((3, 3))
    with pytest.raises(np.linalg.LinAlgError):
        Arrow(replace(blocks, visits=visits))


@pytest.mark.parametrize("batch_rows", [1500, 8])
def test_solution_and_covariances_are_the_dense_ones(small, monkeypatch, batch_rows):
    """With all blocks in one batch, or each in its own."""
    monkeypatch.setattr(instrument_first, "BATCH_ROWS", batch_rows)
    problem, lin, blocks, normal, right = small
    eliminated = InstrumentFirst(lin, blocks)
    expected = np.linalg.solve(normal, right)
    found = vector(eliminated.solve(lin.gradient()))
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
    whole = np.linalg.inv(normal)
    error = np.sqrt(whole.diagonal())
    n, n_v, n_t = 5 * problem.n_source, 3 * problem.n_visit, problem.distortion.n_term
    c = eliminated.covariance(instrument=True)
    for part, start in ((c.sources, 0), (c.attitude, n), (c.coefficients, n + n_v)):
        size = part.shape[1]
        for k, block in enumerate(part):
            s = slice(start + size * k, start + size * (k + 1))
            off = (block - whole[s, s]) / np.outer(error[s], error[s])
            assert np.abs(off).max() < 1e-8
    off = np.tril(c.instrument - whole[n:, n:]) / np.outer(error[n:], error[n:])
    assert np.abs(off).max() < 1e-8
    assert len(c.coefficients) == 2
    assert c.coefficients.shape[1] == n_t


def test_the_instrument_is_left_out_if_it_is_not_wanted(small):
    _, lin, blocks, *_ = small
    with_it = InstrumentFirst(lin, blocks).covariance(instrument=True)
    without = InstrumentFirst(lin, blocks).covariance(instrument=False)
    assert without.instrument.shape == (0, 0)
    np.testing.assert_allclose(without.sources, with_it.sources, rtol=1e-12)
    np.testing.assert_allclose(without.attitude, with_it.attitude, rtol=1e-9)


def test_expanded_directions_leave_no_force_on_the_instrument(small):
    problem, lin, blocks, *_ = small
    eliminated = InstrumentFirst(lin, blocks)
    v = np.random.default_rng(1).standard_normal(5 * problem.n_source)
    found = eliminated.expanded(v)
    np.testing.assert_array_equal(eliminated.start_vectors([found])[:, 0], v)
    force = lin.product(found)
    assert np.abs(force.instrument).max() < 1e-9 * np.abs(force.sources).max()
