"""One strip against the reference geometry."""

from __future__ import annotations

import numpy as np
import pytest
from packed import packed
from synthetic import make

from gcmock.astrometry.directions.displacement import displacement
from gcmock.astrometry.directions.geometry import (
    MAS,
    distortion_basis,
    field_coordinates,
    triad,
)
from gcmock.astrometry.solver.iterative import strip
from gcmock.astrometry.solver.iterative.tables import tables


@pytest.fixture(scope="module")
def made():
    problem, truth, _ = make(n_source=40, n_visit=10, n_block=2, noise=False)
    part = packed(problem, truth)
    t = tables(part.model.visits, part.model.distortion, part.start, part.model.radial_velocity)
    return part, truth, t


@pytest.mark.long
def test_directions_and_derivatives_are_those_of_the_geometry(made):
    part, truth, t = made
    s, b, d = strip.scratch(t)
    j, tile = 3, 1
    stars = part.start.sources[16:32]
    axes = np.array(triad(stars[:, 0], stars[:, 1])).reshape(3, 3, -1)
    bp, bq, br = (axis.T @ part.model.visits.observer_au[j] for axis in axes)
    shift = displacement(*stars[:, 2:].T, 0.0, part.model.visits.tau[j], bp, bq, br)
    expected = field_coordinates(*stars[:, :2].T, *shift, *truth.attitude[j])
    strip.displaced(t, j, tile, s)
    rows = s.reshape(12, 16)
    np.testing.assert_allclose(rows[:2], expected[:2], atol=3e-16)
    np.testing.assert_allclose(rows[2:6], expected[2:], atol=1e-15)
    e, n = expected[2] * bp + expected[3] * bq, expected[4] * bp + expected[5] * bq
    np.testing.assert_allclose(rows[6:8], [-e, -n], rtol=1e-6, atol=1e-9)
    strip.directions(t, j, tile, s)
    at_rest = field_coordinates(*stars[:, :2].T, 0.0, 0.0, 0.0, *truth.attitude[j])
    np.testing.assert_allclose(rows[:6], at_rest, atol=1e-15)
    strip.distorted(t, j, s, b, d)
    basis = distortion_basis(rows[0], rows[1], t.half_field, part.model.distortion.terms)
    c = truth.coefficients[part.model.visits.block[j]]
    np.testing.assert_allclose(d.reshape(6, 16)[:2], [m @ c for m in basis], atol=1e-12)


def test_the_gradient_of_the_distortion_is_its_slope(made):
    _, _, t = made
    s, b, d = strip.scratch(t)
    strip.directions(t, 2, 0, s)
    start, step = s.copy(), 1e-6
    strip.distorted(t, 2, s, b, d)
    found = d.reshape(6, 16).copy()
    for axis in range(2):
        ends = []
        for sign in (1.0, -1.0):
            s[:] = start
            s[16 * axis : 16 * (axis + 1)] += sign * step
            strip.distorted(t, 2, s, b, d)
            ends.append(d.reshape(6, 16)[:2].copy())
        slope = (ends[0] - ends[1]) / (2.0 * step) * MAS
        slope[axis] += 1.0
        np.testing.assert_allclose(found[[2 + axis, 4 + axis]], slope, atol=1e-9)
