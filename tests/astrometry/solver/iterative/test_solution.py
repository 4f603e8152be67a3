"""The iterative solution against the direct one: parameters, covariances, modes, weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from packed import campaign, packed
from synthetic import make

from gcmock.astrometry.solver.gauss_newton import iterate
from gcmock.astrometry.solver.iterative.solution import smooth_count, solve_strips
from gcmock.astrometry.solver.modes import NULL_EIGENVALUE
from gcmock.astrometry.solver.problem import Unknowns, source_shift
from gcmock.astrometry.solver.secondary import solve_secondaries

SIZES = {
    "small": {"n_source": 120, "n_visit": 40, "n_block": 4},
    "more stars": {"n_source": 700, "n_visit": 60, "n_block": 6},
    "more visits": {"n_source": 250, "n_visit": 200, "n_block": 12},
}


LAST_PLACE_MAS = 3.6e6 * np.spacing(266.0)
"""What a right ascension of the field is rounded to [mas]."""


def rounding(problem, found):
    """Differences that rounding leaves, in errors: along weak modes, and elsewhere.

    Residuals are rounded to steps star by star. Directions are rounded as well, and what is common
    to many of them moves a mode that all observations together hardly see.
    """
    smallest = 1.0 / problem.root_weight.max()
    n = 2 * problem.n_observation
    common = 3.0 * LAST_PLACE_MAS * np.sqrt(n) / smallest
    return common, 5.0 * found.details["step_mas"] / np.sqrt(12.0) / smallest


def in_errors(found, expected, covariance):
    shift = source_shift(found, expected)
    return np.abs(shift / np.sqrt(np.einsum("nii->ni", covariance))).max()


@pytest.mark.long
@pytest.mark.parametrize("references", [0.3, 0.0])
@pytest.mark.parametrize("size", SIZES)
def test_it_equals_the_direct_solution(size, references):
    problem, _, start = make(**SIZES[size], references=references)
    direct = iterate(problem, start, instrument=False)
    part = packed(problem, start)
    made = campaign(part)
    found = solve_strips(made)
    result, stars = found.result, made.source_id
    expected = direct.covariance.sources[stars]
    # Without references there are modes that observations hardly see: the zero point of parallaxes
    # has an error of 13 mas in the small problem.
    common, elsewhere = rounding(problem, found)
    largest = 1e-6 + (elsewhere if references else common)
    assert largest < 5e-4
    assert in_errors(result.unknowns.sources, direct.unknowns.sources[stars], expected) < largest
    coefficients = result.unknowns.coefficients - direct.unknowns.coefficients
    errors = np.sqrt(np.einsum("nii->ni", direct.covariance.coefficients))
    assert np.abs(coefficients / errors).max() < 10.0 * largest
    ratio = np.einsum("nii->ni", result.covariance.sources) / np.einsum("nii->ni", expected)
    assert np.abs(ratio - 1.0).max() < 2e-3
    # Correlations too: differences in units of the two errors.
    error = np.sqrt(np.einsum("nii->ni", expected))
    difference = (result.covariance.sources - expected) / error[:, :, None] / error[:, None, :]
    assert np.abs(difference).max() < 2e-3
    for name, tolerance in (("attitude", 0.03), ("coefficients", 0.1)):
        a, b = (np.einsum("nii->ni", getattr(r.covariance, name)) for r in (result, direct))
        np.testing.assert_allclose(a, b, rtol=tolerance)
    assert result.n_freedom == direct.n_freedom
    assert result.chi2.sum() == pytest.approx(direct.chi2.sum(), rel=1e-6)
    np.testing.assert_allclose(result.chi2, direct.chi2[stars], rtol=1e-4)
    free = [[m.name for m in r.modes if m.eigenvalue < NULL_EIGENVALUE] for r in (result, direct)]
    assert free[0] == free[1]
    assert bool(free[0]) == (references == 0.0)
    for a, b in zip(result.modes, direct.modes, strict=True):
        assert a.eigenvalue == pytest.approx(b.eigenvalue, rel=1e-4, abs=1e-9)
    a, b = result.mode_covariance.diagonal(), direct.mode_covariance.diagonal()
    np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-9 * b.max())
    # What the run says of its own accuracy.
    said = found.details["covariance_accuracy"]
    assert said["largest"] < 2e-3
    for star in said["stars"]:
        (at,) = np.flatnonzero(stars == star["source_id"])
        np.testing.assert_allclose(star["relative_error"], ratio[at] - 1.0, atol=2e-5)


@pytest.mark.long
@pytest.mark.parametrize("references", [0.3, 0.0])
def test_secondary_stars_equal_those_of_the_direct_solver(references):
    problem, _, start = make(**SIZES["small"], references=references)
    n = problem.n_source // 2
    parts = []
    for rows in (slice(0, n), slice(n, None)):
        first = problem.first[rows.start : (n if rows.start == 0 else problem.n_source) + 1]
        observed = slice(first[0], first[-1])
        prior = replace(
            problem.prior,
            mean=problem.prior.mean[rows],
            precision=problem.prior.precision[rows],
        )
        part = replace(
            problem,
            first=first - first[0],
            visit=problem.visit[observed],
            measured=problem.measured[observed],
            root_weight=problem.root_weight[observed],
            prior=prior,
            radial_velocity=problem.radial_velocity[rows],
        )
        unknowns = Unknowns(start.sources[rows], start.attitude, start.coefficients)
        parts.append((part, unknowns))
    result = iterate(*parts[0], instrument=True)
    direct = solve_secondaries(parts[1][0], parts[1][1].sources, result)
    made = campaign(packed(*parts[0]), packed(*parts[1]))
    solved = solve_strips(made)
    found = solved.secondaries
    assert found is not None
    stars = made.source_id[n:] - n
    common, elsewhere = rounding(problem, solved)
    largest = 1e-6 + (elsewhere if references else common)
    assert in_errors(found.values, direct.values[stars], direct.covariance[stars]) < largest
    ratio = np.einsum("nii->ni", found.covariance) / np.einsum("nii->ni", direct.covariance[stars])
    assert np.abs(ratio - 1.0).max() < 2e-3
    np.testing.assert_allclose(found.chi2, direct.chi2[stars], rtol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["huber", "agis"])
def test_robust_weights_equal_those_of_the_direct_solver(kind):
    problem, _, start = make(n_source=150, n_visit=40, n_block=4)
    rng = np.random.default_rng(9)
    bad = rng.uniform(size=problem.n_observation) < 0.02
    problem.measured[bad] += rng.normal(0.0, 100.0, (int(bad.sum()), 2))
    direct = iterate(problem, start, robust=kind, instrument=False)
    made = campaign(packed(problem, start))
    result = solve_strips(made, robust=kind).result
    expected = direct.covariance.sources[made.source_id]
    sources = direct.unknowns.sources[made.source_id]
    assert in_errors(result.unknowns.sources, sources, expected) < 0.01
    ratio = np.einsum("nii->ni", result.covariance.sources) / np.einsum("nii->ni", expected)
    assert np.abs(ratio - 1.0).max() < 0.01
    assert result.downweighted == pytest.approx(direct.downweighted, abs=2e-3)
    assert result.variance_factor == pytest.approx(direct.variance_factor, rel=1e-3)


def test_the_number_of_smooth_changes():
    assert [smooth_count(d) for d in (0, 1, 3)] == [5, 15, 50]
