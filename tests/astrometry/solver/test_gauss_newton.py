"""The loop on arrays: truth, noise, null modes, robust weights, joint chi-squares."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import make

from gcmock.astrometry.comparison.joint import difference, joint_chi2
from gcmock.astrometry.solver.equations import Equations
from gcmock.astrometry.solver.gauss_newton import iterate
from gcmock.astrometry.solver.modes import FRAME_MODES, amplitudes, patterns
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import source_shift
from gcmock.progress import silent

pytestmark = pytest.mark.slow

EXACT_NULL = {"offset_ra", "offset_dec", "rotation", "motion_ra", "motion_dec", "spin"}


@pytest.mark.parametrize("order", ["sources", "instrument"])
def test_noise_free_loop_recovers_the_truth(order):
    problem, truth, start = make(noise=False)
    result = iterate(problem, start, order=order)
    error = difference(result.unknowns, truth)
    assert np.abs(error.sources).max() < 1e-5  # 0.01 micro-arcsec
    assert np.abs(error.attitude).max() < 2e-3  # roll; the pointing is far better
    assert np.abs(error.attitude[:, :2]).max() < 1e-5
    assert np.abs(error.coefficients).max() < 1e-5
    assert [p.factorised for p in result.passes] == [True, *[False] * (len(result.passes) - 1)]
    assert len(result.passes) <= 5


@pytest.fixture(scope="module")
def twenty():
    """Solutions of twenty problems: problem, truth, result, joint chi-squares."""
    found = []
    for seed in range(20):
        problem, truth, start = make(seed=seed, n_source=150, n_visit=40, n_block=4)
        result = iterate(problem, start)
        found.append((problem, truth, result, joint_chi2(problem, result.unknowns, truth)))
    return found


def test_twenty_seeds_have_the_right_chi2(twenty):
    def sigmas(pairs):
        chi2, n = np.sum(pairs, axis=0)
        return (chi2 / n - 1.0) / np.sqrt(2.0 / n)

    results = [result for _, _, result, _ in twenty]
    joint = [j for _, _, _, j in twenty]
    assert abs(sigmas([(r.chi2.sum() + r.chi2_prior, r.n_freedom) for r in results])) < 3.0
    assert abs(sigmas([(j.shared, j.n_shared) for j in joint])) < 3.0
    assert abs(sigmas([(j.shared_without_modes, j.n_shared - j.n_mode) for j in joint])) < 3.0
    assert abs(sigmas([(j.all_unknowns, j.n_unknown) for j in joint])) < 3.0
    assert abs(sigmas([(j.all_without_modes, j.n_unknown - j.n_mode) for j in joint])) < 3.0


def test_common_modes_have_their_formal_errors(twenty):
    n_mode = len(FRAME_MODES)
    z = []
    for _, truth, result, _ in twenty:
        error = source_shift(result.unknowns.sources, truth.sources)
        found = amplitudes(error, patterns(truth.sources))
        z.append((found / np.sqrt(result.mode_covariance.diagonal()))[:n_mode])
    # 140 numbers, correlated by the references only.
    assert abs(np.mean(np.square(z)) - 1.0) < 4.0 * np.sqrt(2.0 / np.size(z))


@pytest.mark.parametrize(
    ("min_degree", "expected", "weak"),
    [(2, set(), {"parallax zero point"}), (1, {"scale"}, {"parallax zero point"})],
)
def test_null_modes_without_references(min_degree, expected, weak):
    problem, truth, start = make(references=0.0, min_degree=min_degree)
    equations = Equations(problem, start, "sources", 1, silent)
    null = [e for e in equations.eigenvalues if e.value < 1e-9]
    assert {e.name for e in null} == EXACT_NULL | expected
    assert len(null) == len(equations.null)
    names = {e.name for e in equations.eigenvalues if 1e-9 <= e.value < 1e-4}
    assert names == weak
    # The exact ones leave every observation as it is.
    lin = Linearisation(problem, truth)
    for mode in equations.modes:
        if mode.name in EXACT_NULL:
            assert lin.square(mode.shift) < 1e-9 * mode.shift.dot(mode.shift)


def test_solution_without_references_is_the_truth_up_to_its_frame():
    problem, truth, start = make(
        references=0.0, min_degree=2, noise=False, start_mas=10.0, attitude_mas=20.0
    )
    result = iterate(problem, start)
    error = source_shift(result.unknowns.sources, truth.sources)
    found = {name: p for name, p in patterns(truth.sources).items() if name in FRAME_MODES}
    rest = error - np.einsum("k,kni->ni", amplitudes(error, found), np.array(list(found.values())))
    assert np.abs(error[:, :2]).max() > 0.1  # the frame is that of the start values
    assert np.abs(rest).max() < 1e-5
    # Least norm: the stars have not moved along the null modes.
    moved = source_shift(result.unknowns.sources, start.sources)
    free = {n: p for n, p in found.items() if n in EXACT_NULL}
    along = np.einsum("k,kni->ni", amplitudes(moved, free), np.array(list(free.values())))
    assert np.abs(along).max() < 1e-5
    # The covariance has the same frame: the free modes have no error.
    errors = dict(zip((m.name for m in result.modes), result.mode_covariance.diagonal()))
    per_radian = {"rotation": 0.007, "spin": 0.007}
    assert max(abs(errors[name]) * per_radian.get(name, 1.0) ** 2 for name in EXACT_NULL) < 1e-7
    assert errors["parallax"] > 1.0


@pytest.mark.parametrize("kind", ["huber", "agis"])
def test_robust_weights_survive_outliers(kind):
    problem, truth, start = make(n_source=150, n_visit=40, n_block=4)
    rng = np.random.default_rng(9)
    bad = rng.uniform(size=problem.n_observation) < 0.02
    problem.measured[bad] += rng.normal(0.0, 100.0, (int(bad.sum()), 2))
    plain = iterate(problem, start)
    result = iterate(problem, start, robust=kind)
    free = problem.prior.precision[:, 0, 0] == 0
    spread = {}
    for name, r in (("plain", plain), ("robust", result)):
        spread[name] = source_shift(r.unknowns.sources, truth.sources)[free].std(axis=0)
    assert (spread["robust"] < 0.35 * spread["plain"]).all()
    assert result.weight[bad].mean() < 0.3 < 0.8 < result.weight[~bad].mean()
    pull = source_shift(result.unknowns.sources, truth.sources)[free] / np.sqrt(
        np.einsum("nii->ni", result.covariance.sources[free])
    )
    assert 0.75 < pull.std() < 1.25
