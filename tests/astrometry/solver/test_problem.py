"""Unknowns and their changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_problem import random_shift, small_problem

from gcmock.astrometry.directions.geometry import MAS, DistortionTerm, distortion_terms
from gcmock.astrometry.solver.problem import (
    Distortion,
    Unknowns,
    shifted_sources,
    source_shift,
    triads,
)


@pytest.fixture(scope="module")
def problem():
    return small_problem()[0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), size=st.sampled_from([1e-3, 1.0, 1e4]))
def test_shifts_of_stars_are_undone(seed, size):
    rng = np.random.default_rng(seed)
    stars = np.column_stack(
        [rng.uniform(0, 360, 5), rng.uniform(-80, 80, 5), rng.normal(0, 5, (5, 3))]
    )
    shift = size * rng.standard_normal((5, 5))
    found = source_shift(shifted_sources(stars, shift), stars)
    # Degrees resolve 2e-7 mas.
    np.testing.assert_allclose(found, shift, rtol=1e-9, atol=1e-6)


def test_right_ascension_is_shifted_along_the_circle():
    stars = np.array([[100.0, 60.0, 1.0, 2.0, 3.0]])
    found = shifted_sources(stars, np.array([[10.0, -20.0, 0.5, 0.25, 0.125]]))
    assert (found[0, 0] - 100.0) * 3.6e6 == pytest.approx(20.0, rel=1e-4)
    assert (found[0, 1] - 60.0) * 3.6e6 == pytest.approx(-20.0, rel=1e-4)
    assert found[0, 2:].tolist() == [1.5, 2.25, 3.125]


def test_triads_are_right_handed():
    rng = np.random.default_rng(0)
    found = triads(np.column_stack([rng.uniform(0, 360, 9), rng.uniform(-90, 90, 9)]))
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), np.eye(3) * np.ones((9, 1, 1)),
                               atol=1e-15)  # fmt: skip
    np.testing.assert_allclose(np.linalg.det(found), 1.0, rtol=1e-14)
    assert (found[:, 0, 2] == 0).all()


def test_distortion_knows_its_terms():
    distortion = Distortion(distortion_terms(3), 0.01, 4)
    assert (distortion.n_term, distortion.n_x) == (17, 9)
    expected = [(t.degree_x, t.degree_y) for t in distortion.terms]
    np.testing.assert_array_equal(distortion.degrees(), expected)
    assert DistortionTerm("y", 1, 0) not in distortion.terms
    assert Distortion((), 0.01, 4).degrees().shape == (0, 2)


def test_the_instrument_is_one_vector(problem):
    shift = random_shift(problem, 4)
    assert len(shift.instrument) == problem.n_instrument
    np.testing.assert_array_equal(shift.instrument[:3], shift.attitude[0])
    np.testing.assert_array_equal(shift.instrument[3 * problem.n_visit :][:8],
                                  shift.coefficients[0])  # fmt: skip
    back = problem.no_shift().with_instrument(shift.instrument)
    np.testing.assert_array_equal(back.attitude, shift.attitude)
    np.testing.assert_array_equal(back.coefficients, shift.coefficients)
    assert not back.sources.any()


def test_shifts_are_vectors(problem):
    a, b = random_shift(problem, 1), random_shift(problem, 2)
    assert (a + b).dot(a) == pytest.approx(a.dot(a) + b.dot(a))
    assert a.scaled(-3.0).dot(b) == pytest.approx(-3.0 * b.dot(a))
    assert (a + a.scaled(-1.0)).dot(b) == 0.0
    n = 5 * problem.n_source + problem.n_instrument
    assert 0.5 * n < a.dot(a) < 2.0 * n


def test_unknowns_are_shifted_by_small_rotations():
    start = Unknowns(np.array([[10.0, 0.0, 1.0, 0.0, 0.0]]), np.array([[10.0, 0.0, 0.0]]),
                     np.array([[5.0, 6.0]]))  # fmt: skip
    problem, *_ = small_problem()
    shift = type(problem.no_shift())(
        np.zeros((1, 5)), np.array([[0.0, 0.0, 1.0]]), np.array([[0.5, -1.0]])
    )
    found = start.shifted(shift)
    # About Z: w becomes w - e x w, so that the instrument turns from X to Y, north to west.
    roll = (found.attitude[0, 2] + 180.0) % 360.0 - 180.0
    assert abs(np.radians(roll) / MAS) == pytest.approx(1.0, rel=1e-6)
    np.testing.assert_allclose(found.attitude[0, :2], [10.0, 0.0], atol=1e-13)
    assert found.coefficients.tolist() == [[5.5, 5.0]]


def test_weights_are_multiplied(problem):
    factor = np.linspace(0.0, 4.0, problem.n_observation)
    found = problem.reweighted(factor)
    np.testing.assert_allclose(found.root_weight**2, problem.root_weight**2 * factor[:, None])
    assert found.measured is problem.measured


def test_sizes(problem):
    assert problem.n_source == len(problem.prior.mean)
    assert problem.n_observation == problem.first[-1]
    assert problem.n_instrument == 3 * 10 + 2 * 8
