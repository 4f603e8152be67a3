"""Reddening from neighbours: where it helps, and where the cell alone is better."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from gcmock.calibration import local_reddening as module
from gcmock.calibration.curves import FACTORS
from gcmock.calibration.local_reddening import VETO, plane, refine


def curves_of(factors, width):
    away = (FACTORS - np.asarray(factors)[:, None]) / width
    return np.exp(-0.5 * away**2).astype(np.float32)


def density(n_star):
    """Expected stars that do not depend on the reddening."""
    return np.ones((n_star, FACTORS.size))


def field(gradient, n=300, scatter=0.06):
    """Stars of one cell whose reddening rises along l, measured well."""
    rng = np.random.default_rng(9)
    l_deg, b_deg = rng.uniform(0.0, 0.02, (2, n))
    true = 1.0 + gradient * (l_deg - 0.01) / 0.02
    if not gradient:
        true = 1.0 + scatter * rng.standard_normal(n)
    cell = np.zeros(n, np.int64)
    arguments = (l_deg, b_deg, curves_of(true, 0.01), cell, np.ones(1), np.array([scatter]))
    return true, refine(*arguments, density(n))


def test_distances_in_the_plane():
    found = plane(np.array([0.0, 1.0]), np.array([60.0, 60.0]))
    assert np.hypot(*np.diff(found, axis=0)[0]) == pytest.approx(0.5)


def test_smooth_dust_is_refined():
    true, found = field(0.2)
    assert found.n_neighbour > 0
    assert found.score[found.n_neighbour, found.neighbour_scatter] > found.score[0, 0.0]
    assert np.std(found.factor - true) < 0.4 * np.std(true)
    assert (found.scatter < 0.06).mean() > 0.9
    # With the star itself the value is closer still.
    assert np.std(found.factor_all - true) <= np.std(found.factor - true)
    assert (found.radius_deg > 0).all()


def test_random_dust_is_not():
    _, found = field(0.0)
    assert found.n_neighbour == 0
    np.testing.assert_array_equal(found.factor, 1.0)
    np.testing.assert_array_equal(found.scatter, 0.06)
    assert not found.radius_deg.any()
    assert max(found.score, key=found.score.get) == (0, 0.0)


def test_no_numbers_keep_the_cells():
    true, _ = field(0.2)
    n = true.size
    zero = np.zeros(n, np.int64)
    found = refine(
        np.linspace(0, 1, n), np.zeros(n), curves_of(true, 0.01), zero, np.array([1.1]),
        np.array([0.05]), density(n), n_neighbours=(),
    )  # fmt: skip
    assert list(found.score) == [(0, 0.0)]
    np.testing.assert_array_equal(found.factor, 1.1)


def test_a_star_comes_first_even_among_others_at_its_place():
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    radius, near = module._neighbours(cKDTree(xy), xy, 2)
    np.testing.assert_array_equal(near[:, 0], np.arange(5))
    np.testing.assert_array_equal(radius[:3], 0.0)
    assert radius[4].tolist() == [0.0, 2.0, 3.0]
    for row in near:
        assert len(set(row.tolist())) == 3


def test_curves_are_blurred_and_never_veto():
    smooth = module._smoothed(curves_of([1.0], 0.02), 0.03)[0]
    # The largest value is one, the least that of the veto.
    assert smooth.max() == pytest.approx(np.log(1.0 + VETO), abs=1e-5)
    assert smooth.min() == pytest.approx(np.log(VETO), abs=1e-3)
    p = np.exp(smooth) - VETO
    mean = (p @ FACTORS) / p.sum()
    spread = np.sqrt((p @ (FACTORS - mean) ** 2) / p.sum())
    assert mean == pytest.approx(1.0, abs=1e-3)
    assert spread == pytest.approx(np.hypot(0.02, 0.03), rel=0.03)


def test_product_of_nothing_is_the_cell():
    weights = np.exp(-0.5 * ((FACTORS - 1.1) / 0.05) ** 2)
    of_cell = np.log(np.maximum(weights / weights.sum(), 1e-30))[None]
    mean, sigma = module._product(
        np.zeros((3, 0), np.int64), np.zeros((0, FACTORS.size), "f4"), of_cell,
        np.zeros((3, FACTORS.size)), np.zeros(3, np.int64), np.arange(3),
    )  # fmt: skip
    np.testing.assert_allclose(mean, 1.1, atol=1e-3)
    np.testing.assert_allclose(sigma, 0.05, rtol=0.02)


def test_score_prefers_the_truth():
    true = np.full(40, 1.05)
    curves = curves_of(true, 0.02)
    cell, chosen = np.zeros(40, np.int64), np.arange(40)

    def score(mean):
        return module._score(
            curves, density(40), cell, chosen, np.full(40, mean), np.full(40, 0.03)
        )

    assert score(1.05) > score(1.0) > score(0.9)
    # Means of all stars are cut to the chosen ones.
    some = module._score(curves, density(40), cell, chosen[:7], np.full(40, 1.0), np.full(40, 0.03))
    assert some == pytest.approx(score(1.0), rel=1e-6)
