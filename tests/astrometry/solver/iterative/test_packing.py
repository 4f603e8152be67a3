"""Residuals in strips: their places, their steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.iterative.packing import Packer, by_slot
from gcmock.astrometry.solver.iterative.tables import tables
from gcmock.astrometry.solver.normal import Linearisation


def residuals(part, problem):
    """Residuals of the strips in the order of the problem, whitened."""
    s = part.strips
    out = np.zeros((problem.n_observation, 2))
    for r in range(len(s.visit)):
        for m in np.flatnonzero(s.root_x[r] > 0.0):
            star = s.order[16 * s.tile[r] + m]
            rows = slice(problem.first[star], problem.first[star + 1])
            o = problem.first[star] + np.flatnonzero(problem.visit[rows] == s.visit[r])[0]
            value = s.residual[r, [m, 16 + m]] * s.step
            out[o] = value * [s.root_x[r, m], s.root_y[r, m]]
    return out


def test_residuals_are_those_of_the_reference():
    problem, _, start = make(n_source=80, n_visit=15, n_block=3)
    visits = replace(problem.visits, deflection=True, aberration=True)
    visits = replace(
        visits, from_sun_au=visits.observer_au, velocity=1e-4 * visits.observer_au[:, ::-1]
    )
    for p in (problem, replace(problem, visits=visits)):
        part = packed(p, start)
        expected = Linearisation(p, start).residuals()
        np.testing.assert_allclose(residuals(part, p), expected, rtol=2e-7, atol=2e-6)


def test_large_residuals_take_larger_steps():
    problem, _, start = make(n_source=80, n_visit=15, n_block=3)
    usual = packed(problem, start).strips.step
    problem.measured[5] += 20_000.0
    part = packed(problem, start)
    assert part.strips.step == 32.0 * usual or part.strips.step == 64.0 * usual
    expected = Linearisation(problem, start).residuals()
    np.testing.assert_allclose(residuals(part, problem), expected, rtol=2e-7, atol=1e-3)


def test_errors_of_the_axes_may_differ_and_nothing_comes_twice():
    problem, _, start = make(n_source=80, n_visit=15, n_block=3)
    problem.root_weight[:, 1] *= 0.5
    part = packed(problem, start)
    assert part.strips.root_y is not part.strips.root_x
    expected = Linearisation(problem, start).residuals()
    np.testing.assert_allclose(residuals(part, problem), expected, rtol=2e-7, atol=2e-6)
    m = part.model
    packer = Packer(part.strips.order, m.visits.block)
    slot, visit = np.array([4, -1, 4]), np.zeros(3, np.int32)
    packer.count(slot, visit)
    t = tables(m.visits, m.distortion, part.start, m.radial_velocity)
    assert packer.put(t, slot, visit, np.zeros((3, 2)), np.ones((3, 2))) == 2


def test_slots_without_a_star_have_the_values_of_a_neighbour():
    order = np.array([2, 0, -1, 1, -1, -1])
    np.testing.assert_array_equal(by_slot(np.array([5, 6, 7]), order), [7, 5, 5, 6, 6, 6])
