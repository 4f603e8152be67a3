"""A problem of few stars and visits, small enough for dense algebra and interpreted kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from synthetic import make

from gcmock.astrometry.solver.problem import Problem, Shift, Unknowns


def small_problem(**given) -> tuple[Problem, Unknowns, Unknowns]:
    """Problem, truth and start values of eight stars in ten visits of two blocks."""
    usual = {"n_source": 8, "n_visit": 10, "n_block": 2, "size_deg": (0.3, 0.3), "min_degree": 3}
    return make(**{**usual, "references": 0.5, "seed": 3, **given})


def with_optics(problem: Problem) -> Problem:
    """The same problem, but with deflection and aberration in the directions."""
    observer = problem.visits.observer_au
    velocity = 1e-4 * np.roll(observer, 1, axis=1)
    visits = replace(
        problem.visits, from_sun_au=observer, velocity=velocity, deflection=True, aberration=True
    )
    return replace(problem, visits=visits)


def vector(shift: Shift) -> np.ndarray:
    """All elements of a shift."""
    return np.concatenate([shift.sources.ravel(), shift.instrument])


def as_shift(problem: Problem, v: np.ndarray) -> Shift:
    """Shift with the given elements."""
    none = problem.no_shift()
    n = none.sources.size
    return Shift(v[:n].reshape(-1, 5), none.attitude, none.coefficients).with_instrument(v[n:])


def random_shift(problem: Problem, seed: int = 0) -> Shift:
    """Shift of standard normal elements."""
    n = 5 * problem.n_source + problem.n_instrument
    return as_shift(problem, np.random.default_rng(seed).standard_normal(n))
