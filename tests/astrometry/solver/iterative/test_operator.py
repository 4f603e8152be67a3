"""Sums over strips against the sweeps of the direct solver."""

from __future__ import annotations

import numpy as np
import pytest
from packed import packed
from synthetic import make

from gcmock.astrometry.solver.instrument_first import Arrow
from gcmock.astrometry.solver.iterative.operator import Operator, by_tile
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Shift
from gcmock.errors import GcmockError

RELATIVE = 2e-7
"""Weights have four bytes in strips."""


@pytest.fixture(scope="module", params=[1, 3], ids=["one worker", "three workers"])
def made(request):
    problem, _, start = make(n_source=300, n_visit=30, n_block=5)
    part = packed(problem, start)
    operator = Operator(part.model, part.strips, part.start, request.param)
    return problem, start, part, operator


def close(found, expected):
    assert np.abs(found - expected).max() < RELATIVE * np.abs(expected).max()


def instrument(shift):
    return shift.instrument


def test_blocks_and_gradient(made):
    problem, start, part, operator = made
    held = part.strips.order >= 0
    stars = part.strips.order[held]
    expected = Linearisation(problem, start).blocks()
    found = operator.blocks()
    close(found.sources[held], expected.sources[stars])
    assert (found.sources[~held] == np.eye(5)).all()
    for name in ("visits", "visit_terms", "terms"):
        close(getattr(found, name), getattr(expected, name))
    gradient = operator.gradient(part.start, part.start)
    close(gradient.shift.sources[held], expected.gradient.sources[stars])
    close(gradient.shift.instrument, expected.gradient.instrument)
    close(gradient.chi2[held], expected.chi2[stars])


@pytest.mark.parametrize("k", [1, 3, 11])
def test_products_between_stars_and_instrument(made, k):
    problem, start, part, operator = made
    lin, none = Linearisation(problem, start), problem.no_shift()
    rng = np.random.default_rng(k)
    x = rng.standard_normal((problem.n_instrument, k))
    z = rng.standard_normal((len(part.strips.order), 5, k))
    held = part.strips.order >= 0
    stars = part.strips.order[held]
    z[~held] = 0.0
    inverse = np.linalg.inv(operator.blocks().sources)
    forward, adjoint = operator.forward(x), operator.adjoint(z)
    through = operator.through_stars(inverse, x)
    for i in range(k):
        product = lin.product(none.with_instrument(x[:, i]), prior=False)
        close(forward[held, :, i], product.sources[stars])
        moved = np.zeros((problem.n_source, 5))
        moved[stars] = z[held, :, i]
        shift = Shift(moved, none.attitude, none.coefficients)
        close(adjoint[:, i], lin.product(shift, prior=False).instrument)
        moved[stars] = np.einsum("nij,nj->ni", inverse[held], forward[held, :, i])
        shift = Shift(moved, none.attitude, none.coefficients)
        close(through[:, i], lin.product(shift, prior=False).instrument)


def test_the_arrow_in_the_covariance(made):
    problem, start, part, operator = made
    arrow = Arrow(operator.blocks())
    found = operator.through_arrow(arrow.visit_root, arrow.mixing, arrow.term_root)
    lin, none = Linearisation(problem, start), problem.no_shift()
    for slot in (0, 40):
        star = part.strips.order[slot]
        for p in range(5):
            moved = np.zeros((problem.n_source, 5))
            moved[star, p] = 1.0
            image = lin.product(Shift(moved, none.attitude, none.coefficients), prior=False)
            back = lin.product(arrow.solve(image), prior=False)
            close(found[slot, :, p], back.sources[star])


def test_residuals_follow_the_unknowns(made):
    problem, _, _, _ = made
    fresh = packed(problem, make(n_source=300, n_visit=30, n_block=5)[2])
    operator = Operator(fresh.model, fresh.strips, fresh.start, 2)
    rng = np.random.default_rng(2)
    shift = Shift(
        rng.normal(0.0, 30.0, fresh.start.sources.shape),
        rng.normal(0.0, 30.0, fresh.start.attitude.shape),
        rng.normal(0.0, 20.0, fresh.start.coefficients.shape),
    )
    moved = fresh.start.shifted(shift)
    found = operator.gradient(fresh.start, moved, write=True)
    held = fresh.strips.order >= 0
    stars = fresh.strips.order[held]
    by_star = moved.sources[np.flatnonzero(held)[np.argsort(stars)]]
    expected = Linearisation(problem, type(moved)(by_star, moved.attitude, moved.coefficients))
    blocks = expected.blocks()
    close(found.chi2[held], blocks.chi2[stars])
    close(found.shift.sources[held], blocks.gradient.sources[stars])
    close(found.shift.instrument, blocks.gradient.instrument)
    assert found.chi2_prior == pytest.approx(expected.prior_chi2().sum())
    # And back again: nothing is lost but steps.
    again = operator.gradient(moved, fresh.start)
    close(again.chi2[held], Linearisation(problem, make(
        n_source=300, n_visit=30, n_block=5)[2]).blocks().chi2[stars])  # fmt: skip


def test_residuals_that_run_away_are_told():
    problem, _, start = make(n_source=60, n_visit=10, n_block=2)
    part = packed(problem, start)
    operator = Operator(part.model, part.strips, part.start, 1)
    far = Shift(
        np.zeros_like(part.start.sources),
        np.full_like(part.start.attitude, 1e5),
        np.zeros_like(part.start.coefficients),
    )
    with pytest.raises(GcmockError, match="beyond all bounds"):
        operator.gradient(part.start, part.start.shifted(far))


def test_lanes_of_a_tile_stand_behind_the_parameters():
    assert by_tile(np.zeros((32, 5))).shape == (2, 5, 16)
    assert by_tile(np.zeros((32, 5, 5))).shape == (2, 5, 5, 16)
    assert by_tile(np.zeros((32, 5, 8))).shape == (2, 5, 16, 8)
