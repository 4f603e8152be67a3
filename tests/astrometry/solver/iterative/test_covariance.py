"""Covariances from the approximate inverse, and exact variances."""

from __future__ import annotations

import numpy as np
import pytest
from packed import coarse, reduced

from gcmock.astrometry.solver.iterative.covariance import (
    Accuracy,
    InstrumentCovariance,
    along,
    exact_variances,
    functional_covariance,
)


@pytest.fixture(scope="module")
def equations():
    made = reduced()
    coarse(made, 2)
    return made


def test_stars_and_blocks_are_those_of_the_approximate_inverse(equations):
    n = len(equations.arrowhead.diagonal)
    rng = np.random.default_rng(0)
    left, right = rng.normal(0.0, 1e-3, (2, n, 2))
    instrument = InstrumentCovariance(equations, left, right, 1.5)
    whole = equations.inverse(np.eye(n)) - left @ right.T - right @ left.T
    attitude, terms = instrument.blocks()
    np.testing.assert_allclose(attitude[3], 1.5 * whole[9:12, 9:12], rtol=1e-6, atol=1e-12)
    t = 3 * len(attitude) + terms.shape[1]
    rows = slice(t, t + terms.shape[1])
    np.testing.assert_allclose(terms[1], 1.5 * whole[rows, rows], rtol=1e-6, atol=1e-12)
    found = instrument.of_stars(equations.operator, equations.stars)
    slot = 5
    unit = np.zeros((len(equations.stars), 5, 5))
    unit[slot] = equations.stars[slot]
    b = equations.operator.adjoint(unit)
    expected = 1.5 * b.T @ whole @ b
    error = np.sqrt(np.diag(expected))
    assert np.abs((found[slot] - expected) / np.outer(error, error)).max() < 1e-6


def test_exact_variances_are_those_of_the_inverse(equations):
    n = len(equations.arrowhead.diagonal)
    inverse = np.linalg.inv(equations.product(np.eye(n)))
    slots = np.array([2, 40])
    none = np.zeros((len(equations.stars), 5, 0))
    exact, known, iterations = exact_variances(equations, slots, none)
    assert iterations < 60
    for k, slot in enumerate(slots):
        unit = np.zeros((len(equations.stars), 5, 5))
        unit[slot] = equations.stars[slot]
        b = equations.operator.adjoint(unit)
        expected = np.diag(equations.stars[slot] + b.T @ inverse @ b)
        np.testing.assert_allclose(exact[k], expected, rtol=1e-4)
        np.testing.assert_allclose(known[k], np.diag(equations.stars[slot]))
    accuracy = Accuracy(slots, exact, 1.01 * exact, known, iterations)
    assert accuracy.worst == pytest.approx(0.01)


def test_functionals(equations):
    n = len(equations.stars)
    f = np.random.default_rng(1).standard_normal((n, 5, 2))
    null = np.random.default_rng(2).standard_normal((n, 5, 1))
    free = along(null, f)
    assert np.abs(np.einsum("npk,npl->kl", null, free)).max() < 1e-9
    assert along(null[:, :, :0], f) is f
    covariance = functional_covariance(equations, f)
    spread = np.matmul(equations.stars, f)
    b = equations.operator.adjoint(spread)
    expected = np.einsum("npk,npl->kl", f, spread) + b.T @ equations.inverse(b)
    np.testing.assert_allclose(covariance, expected)
