"""Tables: axes of visits, pairs of degrees."""

from __future__ import annotations

import numpy as np
from packed import packed
from synthetic import make

from gcmock.astrometry.directions.geometry import distortion_terms, star_in_frame, triad
from gcmock.astrometry.solver.iterative.tables import Pairs, tables, visit_axes
from gcmock.astrometry.solver.problem import Distortion


def test_axes_are_those_of_the_geometry():
    attitude = np.array([[266.4, -28.9, 33.0], [10.0, 80.0, 300.0]])
    star = (266.1, -29.3)
    p, q, r = np.array(triad(*star)).reshape(3, 3)
    for axes, (ra, dec, roll) in zip(visit_axes(attitude), attitude, strict=True):
        expected = np.array(star_in_frame(*star, ra, dec, roll)).reshape(3, 3)
        np.testing.assert_allclose(axes @ np.array([p, q, r]).T, expected, atol=1e-15)


def test_pairs_hold_every_term_once():
    d = Distortion(distortion_terms(3, 1), 0.005, 2)
    pairs = Pairs.of(d)
    assert len(pairs.degrees) == 9
    terms = np.arange(2.0 * d.n_term).reshape(2, d.n_term)
    spread = pairs.spread(terms)
    assert spread.shape == (2, 2, 9)
    assert (spread == 0.0).sum() == 3  # the first coefficient, and (1, 0) of y in both blocks
    np.testing.assert_array_equal(pairs.gathered(spread), terms)
    for k, term in enumerate(d.terms):
        assert tuple(pairs.degrees[pairs.pair[k]]) == (term.degree_x, term.degree_y)


def test_stars_stand_side_by_side():
    problem, _, start = make(n_source=40, n_visit=10, n_block=2)
    part = packed(problem, start)
    t = tables(part.model.visits, part.model.distortion, part.start, part.model.radial_velocity)
    n_tile = len(part.strips.order) // 16
    assert t.star.shape == (n_tile, 144)
    p, q, r = np.array(triad(*part.start.sources[17, :2])).reshape(3, 3)
    np.testing.assert_array_equal(t.star[1].reshape(9, 16)[:, 1], [*p, *q, *r])
    assert not t.apparent
