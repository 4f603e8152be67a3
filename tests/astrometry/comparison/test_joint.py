"""Joint chi-squares: against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from small_problem import random_shift, small_problem, vector

from gcmock.astrometry.comparison.joint import (
    difference,
    joint_chi2,
    rotation_between,
    true_coefficients,
)
from gcmock.astrometry.directions.geometry import DistortionTerm, turned
from gcmock.astrometry.solver.modes import FRAME_MODES, patterns
from gcmock.astrometry.solver.normal import Linearisation

pytestmark = pytest.mark.usefixtures("interpreted")


def test_rotation_between_attitudes():
    rng = np.random.default_rng(5)
    start = np.column_stack(
        [rng.uniform(0, 360, 20), rng.uniform(-80, 80, 20), rng.uniform(0, 360, 20)]
    )
    e = rng.normal(0.0, 1e-6, (20, 3))
    end = np.column_stack(turned(*start.T, *e.T))
    np.testing.assert_allclose(rotation_between(start, end), e, atol=1e-15)
    np.testing.assert_allclose(rotation_between(end, start), -e, atol=1e-15)


def test_difference_is_the_shift_from_the_truth():
    problem, truth, _ = small_problem()
    shift = random_shift(problem)
    found = difference(truth.shifted(shift), truth)
    np.testing.assert_allclose(found.sources, shift.sources, atol=1e-5)
    np.testing.assert_allclose(found.attitude, shift.attitude, atol=1e-6)
    np.testing.assert_allclose(found.coefficients, shift.coefficients, atol=1e-12)


def test_coefficients_that_both_have():
    terms = (DistortionTerm("x", 1, 0), DistortionTerm("y", 0, 1), DistortionTerm("y", 2, 0))
    table = {
        "block": np.array([4, 4, 7, 9, 7]),
        "axis": np.array(["x", "y", "x", "x", "x"]),
        "degree_x": np.array([1, 0, 1, 1, 3]),
        "degree_y": np.array([0, 1, 0, 0, 0]),
        "coefficient": np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
    }
    found = true_coefficients(table, np.array([7, 4]), terms)
    assert found.tolist() == [[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]]


def test_joint_chi2_equals_the_dense_one():
    problem, truth, _ = small_problem()
    solved = truth.shifted(random_shift(problem, 1))
    found = joint_chi2(problem, solved, truth)
    design, _ = Linearisation(problem, solved).dense_design()
    normal = design.T @ design
    n = 5 * problem.n_source
    e = vector(difference(solved, truth))
    assert found.all_unknowns == pytest.approx(e @ normal @ e, rel=1e-8)
    inner, mixed, shared = normal[:n, :n], normal[:n, n:], normal[n:, n:]
    schur = shared - mixed.T @ np.linalg.solve(inner, mixed)
    assert found.shared == pytest.approx(e[n:] @ schur @ e[n:], rel=1e-6)
    assert (found.n_unknown, found.n_shared) == (len(e), len(e) - n)
    assert found.n_mode == len(FRAME_MODES)
    # The modes, each with the change of the instrument that hides it best from the observations.
    rows = design[: 2 * problem.n_observation]
    m = np.array([patterns(solved.sources)[name].ravel() for name in FRAME_MODES]).T
    hidden = np.linalg.lstsq(rows[:, n:], -rows[:, :n] @ m, rcond=None)[0]
    z = np.vstack([m, hidden])
    for matrix, part, modes, value in (
        (normal, e, z, found.all_without_modes),
        (schur, e[n:], hidden, found.shared_without_modes),
    ):
        scale = 1.0 / np.sqrt(np.einsum("ik,ij,jk->k", modes, matrix, modes))
        left = np.linalg.cholesky(matrix).T
        fit = np.linalg.lstsq(left @ modes * scale, left @ part, rcond=None)[0]
        rest = left @ (part - modes * scale @ fit)
        assert value == pytest.approx(rest @ rest, rel=1e-5)
        assert value < part @ matrix @ part
