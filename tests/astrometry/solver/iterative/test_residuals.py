"""Robust factors of the compiled sweeps are those of the weight functions."""

from __future__ import annotations

import numpy as np
import pytest
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.iterative.operator import Operator
from gcmock.astrometry.solver.robust import weights


@pytest.mark.parametrize("kind", ["huber", "agis"])
def test_robust_factors(kind):
    problem, _, start = make(n_source=60, n_visit=12, n_block=2, attitude_mas=3.0, start_mas=1.0)
    part = packed(problem, start)
    strips = part.strips.with_robust_factors()
    operator = Operator(part.model, strips, part.start, 1)
    plain = operator.gradient(part.start, part.start)
    robust = operator.gradient(part.start, part.start, kind)
    size = np.hypot(
        strips.residual[:, :16] * strips.step * strips.root_x,
        strips.residual[:, 16:] * strips.step * strips.root_y,
    )
    seen = strips.root_x > 0.0
    np.testing.assert_allclose(strips.robust[seen], weights(size, kind)[seen], rtol=1e-6)
    np.testing.assert_allclose(robust.chi2, plain.chi2, rtol=1e-9)
    assert np.abs(robust.shift.instrument).max() < np.abs(plain.shift.instrument).max()
