"""Conjugate gradients on the reduced equations."""

from __future__ import annotations

import numpy as np
import pytest
from packed import coarse, reduced

from gcmock.astrometry.solver.iterative import conjugate
from gcmock.errors import GcmockError


@pytest.mark.parametrize("degree", [None, 2])
def test_columns_are_solved(degree):
    equations = reduced()
    if degree is not None:
        coarse(equations, degree)
    right = np.random.default_rng(0).standard_normal((len(equations.arrowhead.diagonal), 3))
    found = conjugate.solve(equations, right, lambda left, _: bool((left < 1e-9).all()))
    image = equations.product(found.vector)
    np.testing.assert_allclose(image, right, atol=1e-7)
    np.testing.assert_allclose(found.energy, np.einsum("ik,ik->k", right, found.vector), rtol=1e-9)
    assert found.iterations < 100


def test_a_null_right_hand_side_is_solved_at_once():
    equations = reduced()
    zero = np.zeros((len(equations.arrowhead.diagonal), 1))
    assert conjugate.solve(equations, zero, lambda left, _: left[0] == 0.0).iterations == 0


def test_no_end_is_an_error(monkeypatch):
    monkeypatch.setattr(conjugate, "MAX_ITERATIONS", 2)
    equations = reduced()
    right = np.ones((len(equations.arrowhead.diagonal), 1))
    with pytest.raises(GcmockError, match="did not converge in 2 iterations"):
        conjugate.solve(equations, right, lambda *_: False)
