"""Eight right-hand sides at once give what they give one by one."""

from __future__ import annotations

import numpy as np
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.iterative.lanes import LANES
from gcmock.astrometry.solver.iterative.operator import Operator


def test_lanes_are_independent():
    problem, _, start = make(n_source=150, n_visit=15, n_block=3)
    part = packed(problem, start)
    operator = Operator(part.model, part.strips, part.start, 2)
    inverse = np.linalg.inv(operator.blocks().sources)
    x = np.random.default_rng(0).standard_normal((part.model.n_instrument, LANES + 2))
    together = operator.through_stars(inverse, x)
    for i in (0, LANES, LANES + 1):
        alone = operator.through_stars(inverse, x[:, i : i + 1])
        assert np.abs(together[:, i : i + 1] - alone).max() < 1e-12 * np.abs(alone).max()
    products = x.T @ together
    np.testing.assert_allclose(products, products.T, rtol=1e-9, atol=1e-9 * np.abs(products).max())
