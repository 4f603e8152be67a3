"""Blocked Cholesky factorisation, solution and inverse: against LAPACK."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.astrometry.solver import cholesky
from gcmock.astrometry.solver.cholesky import (
    PANEL,
    PivotError,
    factorise_lower,
    invert_lower,
    solve_lower,
)


def positive(n, seed):
    x = np.random.default_rng(seed).standard_normal((n, n + 10))
    return x @ x.T


def lower_only(matrix):
    """The same in Fortran order, unusable above the diagonal."""
    out = np.asfortranarray(matrix.copy())
    out[np.triu_indices(len(out), 1)] = np.nan
    return out


def check(n, seed):
    matrix = positive(n, seed)
    factor = lower_only(matrix)
    factorise_lower(factor)
    np.testing.assert_allclose(np.tril(factor), np.linalg.cholesky(matrix), rtol=1e-8, atol=1e-9)
    right = np.random.default_rng(seed + 1).standard_normal((n, 3))
    np.testing.assert_allclose(matrix @ solve_lower(factor, right), right, atol=1e-8)
    np.testing.assert_allclose(matrix @ solve_lower(factor, right[:, 0]), right[:, 0], atol=1e-8)
    invert_lower(factor)
    whole = np.tril(factor) + np.tril(factor, -1).T
    np.testing.assert_allclose(matrix @ whole, np.eye(n), atol=1e-7)


@pytest.fixture(scope="module")
def narrow():
    """Panels of eight columns, so that small matrices have several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cholesky, "PANEL", 8)
        yield


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 100))
def test_many_panels(narrow, n, seed):
    check(n, seed)


def test_panels_as_they_are():
    check(PANEL + 9, 1)


@pytest.mark.parametrize("index", [0, 5, 8, 19])
def test_the_pivot_is_named(narrow, index):
    matrix = positive(20, 2)
    matrix[index, index] = -1.0
    with pytest.raises(PivotError, match=f"pivot {index} is not positive") as caught:
        factorise_lower(lower_only(matrix))
    assert caught.value.index == index


def test_progress_reaches_its_total(narrow):
    told = []
    factor = lower_only(positive(20, 3))
    factorise_lower(factor, lambda done, total: told.append((done, total)))
    assert len(told) == 3
    assert told[-1][0] == told[-1][1]
    told.clear()
    invert_lower(factor, lambda done, total: told.append((done, total)))
    assert told == [(k, 6) for k in range(1, 7)]


def test_operations_of_a_factorisation():
    """N^3 / 3 in total, of which the first columns cost most."""
    assert cholesky._millions(3000, 3000) == 9000
    steps = np.diff([cholesky._millions(3000, k) for k in range(0, 3001, 500)])
    assert (np.diff(steps) < 0).all()
