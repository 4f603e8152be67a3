"""Secondary stars in strips: those of the direct solver are compared in `test_solution`."""

from __future__ import annotations

import numpy as np
import pytest
from packed import campaign, packed
from synthetic import make

from gcmock.astrometry.solver import secondary
from gcmock.astrometry.solver.iterative.solution import solve_strips
from gcmock.errors import GcmockError


def test_a_star_that_does_not_settle_is_told(monkeypatch):
    problem, _, start = make(n_source=100, n_visit=25, n_block=3)
    parts = packed(problem, start), packed(problem, start)
    monkeypatch.setattr(secondary, "MAX_PASSES", 1)
    with pytest.raises(GcmockError, match="secondary stars did not converge"):
        solve_strips(campaign(*parts))


@pytest.mark.slow
def test_stars_with_outliers_keep_their_places():
    problem, _, start = make(n_source=100, n_visit=25, n_block=3)
    clean = solve_strips(campaign(packed(problem, start), packed(problem, start)))
    disturbed, _, _ = make(n_source=100, n_visit=25, n_block=3)
    disturbed.measured[::40] += 200.0
    made = campaign(packed(problem, start), packed(disturbed, start))
    robust = solve_strips(made, robust="huber")
    assert clean.secondaries is not None
    assert robust.secondaries is not None
    moved = robust.secondaries.values - clean.secondaries.values
    assert np.abs(moved[:, 2]).max() < 30.0 * np.sqrt(clean.secondaries.covariance[:, 2, 2].max())
