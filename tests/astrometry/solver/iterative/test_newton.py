"""The Gauss-Newton iteration on strips."""

from __future__ import annotations

import numpy as np
import pytest
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.gauss_newton import FAR
from gcmock.astrometry.solver.iterative import newton
from gcmock.astrometry.solver.iterative.newton import iterate, prepared
from gcmock.astrometry.solver.problem import source_shift
from gcmock.errors import GcmockError, InputError
from gcmock.progress import silent


def solved(**options):
    problem, truth, start = make(n_source=150, n_visit=40, n_block=4, **options)
    part = packed(problem, start)
    state = prepared(part.model, part.strips, part.start, 3, 1, silent)
    return part, truth, state


def test_noise_free_observations_give_the_truth():
    part, truth, state = solved(noise=False)
    iterate(state, "none")
    held = part.strips.order >= 0
    error = source_shift(state.unknowns.sources[held], truth.sources[part.strips.order[held]])
    assert np.abs(error).max() < 1e-5  # 0.01 micro-arcsec
    assert np.abs(state.unknowns.coefficients - truth.coefficients).max() < 1e-5
    assert len(state.passes) == len(state.iterations) <= 6
    assert state.gradient.chi2[held].max() < 1e-6


def test_a_far_start_makes_the_equations_anew():
    options = {"attitude_mas": 4_000.0, "noise": False}
    part, truth, state = solved(**options)
    first = state.equations
    iterate(state, "none")
    assert state.passes[0].largest_attitude_mas > FAR * 1e6
    assert state.equations is not first
    held = part.strips.order >= 0
    error = source_shift(state.unknowns.sources[held], truth.sources[part.strips.order[held]])
    assert np.abs(error).max() < 2e-5


def test_without_end_is_an_error(monkeypatch):
    monkeypatch.setattr(newton, "MAX_PASSES", 1)
    _, _, state = solved()
    with pytest.raises(GcmockError, match="did not converge in 1 passes"):
        iterate(state, "none")


def test_an_undetermined_visit_is_named():
    problem, _, start = make(n_source=60, n_visit=10, n_block=2)
    part = packed(problem, start)
    visits = np.arange(10) == 4
    part.strips.leave_out(np.zeros(len(part.strips.order), bool), visits)
    with pytest.raises(InputError, match="undetermined"):
        prepared(part.model, part.strips, part.start, 1, 1, silent)
