"""What both orders of elimination fraction, with an elimination that leaves everything."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.astrometry.solver.cholesky import PivotError
from gcmock.astrometry.solver.reduced import Reduced

pytestmark = pytest.mark.usefixtures("interpreted")


class Whole(Reduced):
    """Nothing is eliminated: the matrix is that of the blocks."""

    name = "nothing"
    covariance = expanded = None

    def _eliminate(self):
        self.told = ["eliminated"]

    def _matrix(self, update):
        self.told.append(update)
        return np.asfortranarray(self.blocks.matrix)

    def start_vectors(self, shifts):
        return np.array(shifts, float).T

    def solve(self, right):
        return self.factor.solve(right)


def whole(matrix, *arguments):
    return Whole(None, SimpleNamespace(matrix=np.array(matrix, float)), *arguments)


def test_the_matrix_is_factorised_in_stages():
    begun = []
    found = whole([[4.0, 2.0], [2.0, 9.0]], (), 0.0, lambda name: begun.append(name))
    assert begun == ["reduce", "factorise"]
    assert found.told == ["eliminated", None]
    np.testing.assert_allclose(found.solve(np.array([8.0, 20.0])), [1.0, 2.0])


def test_null_directions_are_those_of_the_shifts():
    singular = [[1.0, -1.0], [-1.0, 1.0]]
    with pytest.raises(PivotError):
        whole(singular)
    found = whole(singular, [[1.0, 1.0]])
    # The solution of least norm.
    np.testing.assert_allclose(found.solve(np.array([2.0, -2.0])), [1.0, -1.0], atol=1e-12)
    assert whole(singular, (), 1e-8).factor.null.shape == (2, 0)


def test_an_elimination_must_say_what_it_does():
    with pytest.raises(TypeError, match="abstract"):
        Reduced(None, None)
