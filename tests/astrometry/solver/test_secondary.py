"""Secondary stars with the instrument of others: against dense algebra."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from small_problem import small_problem

from gcmock.astrometry.solver import secondary
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Unknowns, source_shift
from gcmock.astrometry.solver.secondary import solve_secondaries
from gcmock.errors import GcmockError

pytestmark = pytest.mark.usefixtures("interpreted")


def primary(truth, n, covariance=None, factor=1.0):
    """What is used of the solution of primary stars: the true instrument."""
    c = np.zeros((n, n)) if covariance is None else covariance
    return SimpleNamespace(
        unknowns=truth, covariance=SimpleNamespace(instrument=c), variance_factor=factor
    )


def test_stars_without_errors_are_found():
    problem, truth, start = small_problem(noise=False)
    found = solve_secondaries(problem, start.sources, primary(truth, problem.n_instrument))
    assert np.abs(source_shift(found.values, truth.sources)).max() < 1e-5
    assert found.chi2.sum() < 1e-6


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_the_error_of_the_instrument_is_propagated(factor):
    problem, truth, start = small_problem()
    n, n_i = 5 * problem.n_source, problem.n_instrument
    root = np.random.default_rng(1).standard_normal((n_i, n_i + 5))
    c = root @ root.T
    known = primary(truth, n_i, np.asfortranarray(np.tril(c)), factor)
    found = solve_secondaries(problem, start.sources, known)
    lin = Linearisation(problem, Unknowns(found.values, truth.attitude, truth.coefficients))
    design, right = lin.dense_design()
    normal = design.T @ design
    # It is where the gradient of the stars vanishes.
    step = np.linalg.solve(normal[:n, :n], (design.T @ right)[:n])
    own = np.linalg.inv(normal[:n, :n])
    assert np.abs(step / np.sqrt(own.diagonal())).max() < 1e-3
    response = own @ normal[:n, n:]
    whole = factor * own + response @ c @ response.T
    for i, block in enumerate(found.covariance):
        s = slice(5 * i, 5 * i + 5)
        np.testing.assert_allclose(block, whole[s, s], atol=1e-6 * np.abs(whole[s, s]).max())
    chi2 = (lin.residuals() ** 2).sum(axis=1)
    np.testing.assert_allclose(found.chi2, np.add.reduceat(chi2, problem.first[:-1]), rtol=1e-9)


@pytest.mark.parametrize("kind", ["huber", "agis"])
def test_outliers_are_bounded(kind):
    problem, truth, start = small_problem(references=0.0, n_source=4, n_visit=14)
    measured = problem.measured.copy()
    measured[problem.first[:-1]] += 300.0
    disturbed = replace(problem, measured=measured)
    known = primary(truth, problem.n_instrument)
    error = {
        name: np.abs(
            source_shift(solve_secondaries(disturbed, start.sources, known, robust=name).values,
                         truth.sources)
        ).mean()
        for name in ("none", kind)
    }  # fmt: skip
    assert error[kind] < 0.5 * error["none"]


def test_stars_that_do_not_converge_are_counted(monkeypatch):
    problem, truth, start = small_problem()
    monkeypatch.setattr(secondary, "MAX_PASSES", 1)
    n = problem.n_source
    with pytest.raises(GcmockError, match=f"{n} secondary stars did not converge in 1 passes"):
        solve_secondaries(problem, start.sources, primary(truth, problem.n_instrument))
