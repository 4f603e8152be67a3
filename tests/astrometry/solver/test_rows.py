"""Rows of the linearised equations: against the readable geometry and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import Legendre
from small_problem import as_shift, random_shift, small_problem, with_optics

from gcmock.astrometry.directions.displacement import aberrated, deflected, displacement
from gcmock.astrometry.directions.geometry import (
    MAS,
    attitude_partials,
    distortion_basis,
    field_coordinates,
    triad,
)
from gcmock.astrometry.solver import rows
from gcmock.astrometry.solver.normal import Linearisation

pytestmark = pytest.mark.usefixtures("interpreted")


def test_polynomials_and_slopes():
    values, slopes = np.empty(6), np.empty(6)
    rows._polynomials(0.37, values, slopes)
    for k in range(6):
        basis = Legendre.basis(k)
        assert values[k] == pytest.approx(basis(0.37), rel=1e-14)
        assert slopes[k] == pytest.approx(basis.deriv()(0.37), rel=1e-13, abs=1e-15)
    rows._polynomials(0.5, values[:1], slopes[:1])
    assert (values[0], slopes[0]) == (1.0, 0.0)


def test_components_along_a_triad():
    axes = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    v = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(rows._along(axes, v), axes @ v, rtol=1e-14)


def test_scratch_has_room_for_all_terms():
    problem, truth, _ = small_problem()
    row, residual, poly = rows.scratch(rows.arrays(problem, truth))
    assert row.shape == (2, 8 + problem.distortion.n_term)
    assert residual.shape == (2,)
    assert poly.shape == (4, 4)


@pytest.mark.parametrize("optics", [False, True])
def test_residuals_are_measurements_minus_the_geometry(optics):
    problem, _, start = small_problem()
    problem = with_optics(problem) if optics else problem
    start = start.shifted(random_shift(problem))
    a = rows.arrays(problem, start)
    row, found, poly = rows.scratch(a)
    visits = problem.visits
    for i in range(problem.n_source):
        p, q, r = np.array(triad(*start.sources[i, :2])).reshape(3, 3)
        for o in range(problem.first[i], problem.first[i + 1]):
            j = problem.visit[o]
            b = [axis @ visits.observer_au[j] for axis in (p, q, r)]
            shift = displacement(*start.sources[i, 2:], 0.0, visits.tau[j], *b)
            if optics:
                shift = deflected(*shift, *(axis @ visits.from_sun_au[j] for axis in (p, q, r)))
                shift = aberrated(*shift, *(axis @ visits.velocity[j] for axis in (p, q, r)))
            x, y, *_ = field_coordinates(*start.sources[i, :2], *shift, *start.attitude[j])
            d = problem.distortion
            basis = distortion_basis(np.array([x]), np.array([y]), d.half_field, d.terms)
            c = start.coefficients[visits.block[j]]
            model = np.array([x / MAS + basis[0][0] @ c, y / MAS + basis[1][0] @ c])
            rows.observe_row(a, i, o, row, found, poly)
            expected = problem.root_weight[o] * (problem.measured[o] - model)
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_rotations_and_terms_of_a_row():
    """Without distortion the rows are the partial derivatives of the field coordinates."""
    problem, truth, _ = small_problem(coefficients_mas=0.0)
    a = rows.arrays(problem, truth)
    row, residual, poly = rows.scratch(a)
    rows.observe_row(a, 0, 0, row, residual, poly)
    j, d, w = problem.visit[0], problem.distortion, problem.root_weight[0]
    p, q, r = np.array(triad(*truth.sources[0, :2])).reshape(3, 3)
    b = [axis @ problem.visits.observer_au[j] for axis in (p, q, r)]
    shift = displacement(*truth.sources[0, 2:], 0.0, problem.visits.tau[j], *b)
    x, y, x_e, x_n, y_e, y_n = field_coordinates(*truth.sources[0, :2], *shift, *truth.attitude[j])
    tau = problem.visits.tau[j]
    for axis, (e, n) in enumerate(((x_e, x_n), (y_e, y_n))):
        expected = [e, n, -(e * b[0] + n * b[1]), tau * e, tau * n]
        np.testing.assert_allclose(row[axis, :5], w[axis] * np.array(expected), rtol=1e-12)
        rotations = np.array(attitude_partials(x, y)[3 * axis : 3 * axis + 3])
        np.testing.assert_allclose(row[axis, 5:8], w[axis] * rotations, rtol=1e-12)
    basis = distortion_basis(np.array([x]), np.array([y]), d.half_field, d.terms)
    np.testing.assert_allclose(row[0, 8:], w[0] * basis[0][0], rtol=1e-12)
    np.testing.assert_allclose(row[1, 8:], w[1] * basis[1][0], rtol=1e-12)


@pytest.mark.parametrize("min_degree", [1, 3])
def test_rows_are_derivatives_of_the_residuals(min_degree):
    # True parallaxes and distortions, so that every derivative counts.
    problem, truth, _ = small_problem(min_degree=min_degree)
    lin = Linearisation(problem, truth)
    design, _ = lin.dense_design()
    rng = np.random.default_rng(2)
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
