"""The reduced equations: the arrow, the coarse space, the approximate inverse."""

from __future__ import annotations

import numpy as np
import pytest
from packed import coarse, packed, reduced
from synthetic import make

from gcmock.astrometry.solver.iterative.reduced import smooth_changes


def test_the_arrow_is_inverted():
    arrow = reduced().arrowhead
    x = np.random.default_rng(0).standard_normal((len(arrow.diagonal), 3))
    np.testing.assert_allclose(arrow.solve(arrow.product(x)), x, atol=1e-9)
    unit = np.zeros_like(x)
    unit[7, 0] = unit[-1, 1] = 1.0
    found = arrow.product(unit)
    assert found[7, 0] == pytest.approx(arrow.diagonal[7])
    assert found[-1, 1] == pytest.approx(arrow.diagonal[-1])


def test_the_inverse_is_exact_on_the_coarse_space_and_symmetric():
    equations = reduced()
    coarse(equations, 2)
    c = equations.coarse
    matrix = equations.product(np.eye(len(c.modes)))
    k = c.modes.shape[1]
    np.testing.assert_allclose(c.modes.T @ matrix @ c.modes, np.eye(k), atol=1e-8)
    np.testing.assert_allclose(c.images, matrix @ c.modes, atol=1e-7 * np.abs(c.images).max())
    np.testing.assert_allclose(equations.inverse(c.images), c.modes, atol=1e-8)
    approximate = equations.inverse(np.eye(len(c.modes)))
    scale = np.sqrt(np.diag(approximate))
    difference = (approximate - approximate.T) / scale[:, None] / scale
    assert np.abs(difference).max() < 1e-9
    # Closer to the inverse than the arrow alone.
    exact = np.diag(np.linalg.inv(matrix))
    arrow = np.diag(equations.arrowhead.solve(np.eye(len(exact))))
    assert np.abs(np.diag(approximate) / exact - 1.0).max() < np.abs(arrow / exact - 1.0).max()
    assert c.values.min() > 0.0
    assert c.null.shape[1] == 0


def test_free_modes_are_found_and_left_out():
    equations = reduced(references=0.0, min_degree=2)
    coarse(equations, 2)
    null = equations.coarse.null
    assert null.shape[1] == 6
    diagonal = equations.arrowhead.diagonal[:, None]
    assert np.abs(equations.product(null)).max() < 1e-8 * np.abs(diagonal * null).max()
    x = np.random.default_rng(0).standard_normal((len(null), 2))
    assert np.abs(null.T @ equations.without_null(x)).max() < 1e-12


def test_smooth_changes_are_independent():
    _, _, start = make(n_source=150, n_visit=20, n_block=4)
    part = packed(make(n_source=150, n_visit=20, n_block=4)[0], start)
    used = part.strips.order >= 0
    found = smooth_changes(part.start.sources, used, 3)
    flat = found.reshape(-1, found.shape[2])
    np.testing.assert_allclose(flat.T @ flat, np.eye(flat.shape[1]), atol=1e-5)
    assert flat.shape[1] >= 50
    assert not found[~used].any()
