"""A product through the stars is that of its halves."""

from __future__ import annotations

import numpy as np
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.iterative.operator import Operator


def test_halves_make_a_whole():
    problem, _, start = make(n_source=150, n_visit=15, n_block=3)
    part = packed(problem, start)
    operator = Operator(part.model, part.strips, part.start, 1)
    inverse = np.linalg.inv(operator.blocks().sources)
    x = np.random.default_rng(0).standard_normal((part.model.n_instrument, 1))
    halves = operator.adjoint(np.matmul(inverse, operator.forward(x)))
    whole = operator.through_stars(inverse, x)
    assert np.abs(halves - whole).max() < 1e-12 * np.abs(whole).max()
