"""Factorised normal equations and their null modes: against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from small_problem import random_shift, small_problem, vector

from gcmock.astrometry.solver.equations import Equations
from gcmock.astrometry.solver.modes import patterns
from gcmock.astrometry.solver.problem import source_shift
from gcmock.errors import InputError
from gcmock.progress import silent

pytestmark = pytest.mark.usefixtures("interpreted")

EXACT_NULL = {"offset_ra", "offset_dec", "rotation", "motion_ra", "motion_dec", "spin"}


@pytest.fixture(scope="module", params=["sources", "instrument"])
def with_references(request, interpreted):
    problem, _, start = small_problem()
    equations = Equations(problem, start, request.param, 1, silent)
    design, right = equations.linearisation.dense_design()
    return problem, equations, design.T @ design, design.T @ right


@pytest.fixture(scope="module", params=["sources", "instrument"])
def without_references(request, interpreted):
    problem, _, start = small_problem(references=0.0)
    return problem, start, Equations(problem, start, request.param, 1, silent)


def test_nothing_is_free_with_references(with_references):
    problem, equations, normal, right = with_references
    assert equations.null == []
    expected = np.linalg.solve(normal, right)
    found = vector(equations.solve(equations.linearisation.gradient()))
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
    values = [e.value for e in equations.eigenvalues]
    assert values == sorted(values)
    assert equations.condition == pytest.approx(len(equations.eliminated.factor.scale) / values[0])
    # Small eigenvalues are those of the reduced matrix of unit diagonal.
    n = 5 * problem.n_source
    kept, gone = (slice(n, None), slice(0, n))
    if equations.eliminated.name == "instrument":
        kept, gone = gone, kept
    reduced = normal[kept, kept] - normal[kept, gone] @ np.linalg.solve(
        normal[gone, gone], normal[gone, kept]
    )
    scale = 1.0 / np.sqrt(reduced.diagonal())
    smallest = np.linalg.eigvalsh(reduced * scale[:, None] * scale)[:3]
    np.testing.assert_allclose(values[:3], smallest, rtol=1e-4)


def test_errors_of_common_modes(with_references):
    """The covariance of amplitudes that are fitted without weights, by propagation."""
    problem, equations, normal, _ = with_references
    n = 5 * problem.n_source
    found = patterns(equations.linearisation.unknowns.sources)
    m = np.array([pattern.ravel() for pattern in found.values()]).T
    fit = np.linalg.pinv(m)
    expected = fit @ np.linalg.inv(normal)[:n, :n] @ fit.T
    error = np.sqrt(expected.diagonal())
    off = (equations.mode_covariance() - expected) / np.outer(error, error)
    assert np.abs(off).max() < 1e-6


def test_six_modes_are_free_without_references(without_references):
    problem, _, equations = without_references
    assert {e.name for e in equations.eigenvalues if e.value < 1e-9} == EXACT_NULL
    assert len(equations.null) == 6
    # A product with the normal matrix has none of them.
    force = equations.linearisation.product(random_shift(problem))
    size = np.sqrt(force.dot(force))
    for null in equations.null:
        assert abs(null.dot(force)) < 1e-6 * size * np.sqrt(null.dot(null))


def bordered_inverse(problem, equations):
    """Covariance of all unknowns if the stars do not move along the null modes, and N."""
    design, _ = equations.linearisation.dense_design()
    normal = design.T @ design
    z = np.array([vector(s) for s in equations.null]).T
    m = np.zeros_like(z)
    n = 5 * problem.n_source
    m[:n] = z[:n]
    k = z.shape[1]
    scale = 1.0 / np.sqrt(normal.diagonal())
    m *= scale[:, None]
    bordered = np.block([[normal * scale[:, None] * scale, m], [m.T, np.zeros((k, k))]])
    return np.linalg.inv(bordered)[:-k, :-k] * scale[:, None] * scale


def test_stars_move_least(without_references):
    problem, start, equations = without_references
    whole = bordered_inverse(problem, equations)
    right = equations.linearisation.gradient()
    found = equations.solve(right)
    expected = whole @ vector(right)
    np.testing.assert_allclose(vector(found), expected, atol=1e-5 * np.abs(expected).max())
    for null in equations.null:
        size = np.linalg.norm(null.sources) * np.linalg.norm(found.sources)
        assert abs((null.sources * found.sources).sum()) < 1e-8 * size
    # Whatever was added along the null modes is taken back.
    moved = start.shifted(found)
    added = moved.shifted(equations._along_null(np.array([0.3, -0.2, 5.0, 0.1, 0.2, -7.0])))
    settled = equations.settled(added, start)
    left = source_shift(settled.sources, moved.sources)
    was = source_shift(added.sources, moved.sources)
    assert np.abs(left).max() < 1e-5 * np.abs(was).max()


@pytest.mark.parametrize("order", ["sources", "instrument"])
def test_inner_constraints_equal_the_dense_pseudo_inverse(interpreted, order):
    problem, _, start = small_problem(references=0.0)
    equations = Equations(problem, start, order, 1, silent)
    whole = bordered_inverse(problem, equations)
    c = equations.covariance(instrument=True)
    n = 5 * problem.n_source
    error = np.sqrt(whole.diagonal())
    for i in range(problem.n_source):
        s = slice(5 * i, 5 * i + 5)
        assert np.abs((c.sources[i] - whole[s, s]) / np.outer(error[s], error[s])).max() < 1e-4
    lower = np.tril(c.instrument - whole[n:, n:]) / np.outer(error[n:], error[n:])
    assert np.abs(lower).max() < 1e-4


def test_undetermined_visits_are_refused():
    problem, _, start = small_problem()
    blind = problem.reweighted((problem.visit != 3).astype(float))
    with pytest.raises(InputError, match="undetermined even with known stars"):
        Equations(blind, start, "sources", 1, silent)
