"""Terms of the instrument beside the direct solution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import HALF_FIELD, make

from gcmock.astrometry.missions.focal_plane import DetectorGrid
from gcmock.astrometry.solver.gauss_newton import iterate
from gcmock.astrometry.solver.problem import source_shift
from gcmock.astrometry.solver.terms import InstrumentTerms, Term

pytestmark = pytest.mark.slow

GRID = DetectorGrid(1, 1, 2.0 * HALF_FIELD, HALF_FIELD, HALF_FIELD)


def known(problem, prior):
    """Return terms of the colour, for stars with drawn colours."""
    rng = np.random.default_rng(9)
    colour = rng.normal(0.0, 1.0, problem.n_source)
    terms = tuple(Term(f"colour_{a}", "colour", prior) for a in "xy")
    return InstrumentTerms(terms, GRID, 3, colour, np.zeros(problem.n_source))


def shifted(problem, terms, mas):
    star = np.repeat(np.arange(problem.n_source), np.diff(problem.first))
    return replace(problem, measured=problem.measured + np.outer(terms.colour[star], mas))


@pytest.mark.parametrize("order", ["sources", "instrument"])
def test_a_colour_term_is_found_and_taken_off(order):
    problem, truth, start = make(n_source=120, n_visit=40, n_block=4)
    tested = known(problem, 0.0)
    same = iterate(problem, start, order=order)
    clean = iterate(problem, start, order=order, terms=tested)
    assert np.array_equal(clean.unknowns.sources, same.unknowns.sources)
    assert np.array_equal(clean.covariance.sources, same.covariance.sources)
    assert clean.border.account()["families"][0]["sigma"] < 4.0
    wrong = shifted(problem, tested, [2.0, -1.0])
    noticed = iterate(wrong, start, order=order, terms=tested).border.account()
    assert noticed["families"][0]["sigma"] > 8.0
    solved = iterate(wrong, start, order=order, terms=known(problem, 10.0))
    border = solved.border
    deviation = (border.values - [2.0, -1.0]) / np.sqrt(border.covariance.diagonal())
    assert np.abs(deviation).max() < 4.0
    error = source_shift(solved.unknowns.sources, truth.sources)
    pulls = error / np.sqrt(np.einsum("nii->ni", solved.covariance.sources))
    assert abs(pulls.std() - 1.0) < 0.15
    grown = solved.covariance.sources - same.covariance.sources
    assert np.linalg.eigvalsh(grown).min() > -1e-6
    assert abs(solved.chi2.sum() / clean.chi2.sum() - 1.0) < 0.01
