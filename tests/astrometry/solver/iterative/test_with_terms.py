"""Terms of the instrument beside the iterative solution: those of the direct one."""

from __future__ import annotations

import numpy as np
import pytest
from packed import campaign, packed
from synthetic import HALF_FIELD, make

from gcmock.astrometry.missions.focal_plane import DetectorGrid
from gcmock.astrometry.solver.gauss_newton import iterate
from gcmock.astrometry.solver.iterative.solution import solve_strips
from gcmock.astrometry.solver.problem import source_shift
from gcmock.astrometry.solver.terms import REFERENCE_PARALLAX, InstrumentTerms, Term

GRID = DetectorGrid(2, 2, HALF_FIELD, 0.5 * HALF_FIELD, HALF_FIELD)


@pytest.mark.long
def test_both_solvers_find_the_same_terms():
    problem, _, start = make(n_source=120, n_visit=40, n_block=4)
    colour = np.random.default_rng(9).normal(0.0, 1.0, problem.n_source)
    terms = (
        *(Term(f"colour_{a}", "colour", 10.0) for a in "xy"),
        *(Term(f"detector_{k}_offset_{a}", "detector_offset", 5.0) for a in "xy" for k in range(4)),
        Term(REFERENCE_PARALLAX, REFERENCE_PARALLAX, 0.1),
    )
    known = InstrumentTerms(terms, GRID, 3, colour, np.zeros(problem.n_source))
    direct = iterate(problem, start, instrument=False, terms=known)
    made = campaign(packed(problem, start))
    stars = made.source_id
    result = solve_strips(made, terms=known.of(stars)).result
    a, b = result.border, direct.border
    error = np.sqrt(b.covariance.diagonal())
    assert np.abs((a.values - b.values) / error).max() < 1e-3
    np.testing.assert_allclose(a.covariance.diagonal(), b.covariance.diagonal(), rtol=1e-3)
    spread = np.sqrt(np.einsum("nii->ni", direct.covariance.sources[stars]))
    shift = source_shift(result.unknowns.sources, direct.unknowns.sources[stars])
    # At the edge of a detector the place of an observation, and that of its star, may be on either.
    moved = np.abs(shift / spread).max(axis=1)
    assert np.quantile(moved, 0.95) < 3e-3
    assert moved.max() < 0.1
    ratio = np.sqrt(np.einsum("nii->ni", result.covariance.sources)) / spread
    assert np.quantile(np.abs(ratio - 1.0), 0.95) < 2e-3
    assert np.abs(ratio - 1.0).max() < 0.01
    assert result.chi2.sum() == pytest.approx(direct.chi2.sum(), rel=2e-5)
