"""The factor of the reduced matrix: scaling, null space, inverse, products in place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.solver import dense
from gcmock.astrometry.solver.cholesky import PivotError
from gcmock.astrometry.solver.dense import (
    Factor,
    add_products,
    gathered,
    subtract_product,
    symmetric_times,
)

pytestmark = pytest.mark.usefixtures("interpreted")


def test_unscaled_unknowns_come_back():
    """Unknowns of very different units: the answer is that of the plain matrix."""
    rng = np.random.default_rng(1)
    size = 10.0 ** np.arange(-6, 6, 2)
    x = rng.standard_normal((6, 20)) * size[:, None]
    matrix = x @ x.T
    expected = np.linalg.inv(matrix)
    factor = Factor(np.asfortranarray(matrix.copy()))
    solution = np.ones((6, 2)) / size[:, None]
    right = matrix @ solution
    np.testing.assert_allclose(factor.solve(right), solution, rtol=1e-9)
    np.testing.assert_allclose(factor.solve(right[:, 0]), solution[:, 0], rtol=1e-9)
    error = np.sqrt(expected.diagonal())
    found = np.tril(factor.inverse()) / error[:, None] / error
    np.testing.assert_allclose(found, np.tril(expected / error[:, None] / error), atol=1e-9)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_unknowns_that_nothing_determines_are_named(value):
    matrix = np.asfortranarray(np.diag([1.0, 2.0, value, value]))
    with pytest.raises(PivotError) as caught:
        Factor(matrix)
    assert caught.value.index == 2


def test_a_ridge_is_added_to_the_unit_diagonal():
    matrix = np.array([[4.0, 2.0], [2.0, 9.0]])
    found = Factor(np.asfortranarray(matrix), ridge=0.1).solve(np.array([1.0, 2.0]))
    scaled = np.array([[1.1, 1 / 3], [1 / 3, 1.1]])
    expected = np.linalg.solve(scaled, [1.0 / 2.0, 2.0 / 3.0]) / [2.0, 3.0]
    np.testing.assert_allclose(found, expected)
    with pytest.raises(PivotError):
        Factor(np.asfortranarray(np.ones((2, 2))))
    Factor(np.asfortranarray(np.ones((2, 2))), ridge=1e-8)


def test_no_eigenvalues_where_all_directions_are_null():
    factor = Factor(np.asfortranarray(np.eye(2)), np.eye(2))
    values, vectors = factor.lowest(np.zeros((2, 0)))
    assert values.shape == (0,)
    assert vectors.shape == (2, 0)
    np.testing.assert_allclose(factor.solve(np.ones(2)), 0.0, atol=1e-15)


@pytest.mark.parametrize("columns", [[0, 1, 2, 3, 4], [1, 3]])
def test_squares_are_subtracted_from_the_lower_triangle(columns):
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((7, len(columns)))
    matrix = np.asfortranarray(rng.standard_normal((5, 5)))
    expected = matrix.copy()
    expected[np.ix_(columns, columns)] -= rows.T @ rows
    subtract_product(matrix, rows, np.array(columns))
    np.testing.assert_allclose(np.tril(matrix), np.tril(expected), atol=1e-13)


def test_submatrices_are_symmetric():
    rng = np.random.default_rng(3)
    lower = np.asfortranarray(np.tril(rng.standard_normal((6, 6))))
    whole = lower + np.tril(lower, -1).T
    columns = np.array([0, 2, 5])
    found = np.tril(gathered(lower, columns))
    np.testing.assert_array_equal(found, np.tril(whole[np.ix_(columns, columns)]))


@settings(max_examples=10, deadline=None)
@given(n=st.sampled_from([1, 30, 513]), seed=st.integers(0, 50))
def test_symmetric_products(n, seed):
    rng = np.random.default_rng(seed)
    matrix, right = rng.standard_normal((n, n)), rng.standard_normal((n, 2))
    whole = np.tril(matrix) + np.tril(matrix, -1).T
    np.testing.assert_allclose(symmetric_times(matrix, right), whole @ right, atol=1e-11)


def test_kernels_touch_the_lower_triangle_alone():
    matrix = np.ones((3, 3))
    dense._scale_lower(matrix, np.array([1.0, 2.0, 3.0]))
    assert matrix.tolist() == [[1, 1, 1], [2, 4, 1], [3, 6, 9]]
    dense._scatter_lower(matrix, np.ones((2, 2)), np.array([0, 2]))
    assert matrix.tolist() == [[0, 1, 1], [2, 4, 1], [2, 6, 8]]


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
