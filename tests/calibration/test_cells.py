"""Factor and scatter of cells, from curves whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.calibration.cells import (
    FACTOR_PRIOR,
    LEAST_SCATTER,
    SCATTER_PRIOR,
    fit_cells,
    gaussian_weights,
)
from gcmock.calibration.curves import FACTORS


@settings(max_examples=30)
@given(st.floats(0.8, 1.2), st.floats(0.01, 0.06))
def test_weights_have_the_moments_asked_for(factor, scatter):
    weights = gaussian_weights(np.array([factor]), np.array([scatter]))[0]
    assert weights.sum() == pytest.approx(1.0)
    mean = weights @ FACTORS
    assert mean == pytest.approx(factor, abs=1e-3)
    assert np.sqrt(weights @ (FACTORS - mean) ** 2) == pytest.approx(scatter, rel=0.02, abs=1e-3)


@given(st.floats(0.8, 1.2))
def test_scatter_below_the_table_is_none(factor):
    weights = gaussian_weights(np.array([factor]), np.array([0.5 * LEAST_SCATTER]))[0]
    assert (weights > 0).sum() <= 2
    assert weights @ FACTORS == pytest.approx(factor, abs=1e-9)


def curves_of(factors, width):
    """Evidence curves of stars whose reddening is measured with a width."""
    away = (FACTORS - np.asarray(factors)[:, None]) / width
    return np.exp(-0.5 * away**2).astype(np.float32)


FLAT = np.ones((1, FACTORS.size))


def test_cell_without_stars_has_the_prior():
    fit = fit_cells(curves_of([], 0.1), np.zeros(0, np.int64), FLAT)
    assert fit.n_star.tolist() == [0]
    assert fit.factor[0] == pytest.approx(1.0, abs=1e-6)
    assert fit.factor_error[0] == pytest.approx(FACTOR_PRIOR, rel=0.02)
    assert np.log(fit.scatter[0]) == pytest.approx(np.log(SCATTER_PRIOR[0]), abs=0.3)
    assert fit.log_evidence[0] == pytest.approx(0.0, abs=1e-9)


def test_mean_and_scatter_of_many_stars():
    rng = np.random.default_rng(5)
    true = 1.07 + 0.08 * rng.standard_normal(800)
    seen = true + 0.03 * rng.standard_normal(800)
    fit = fit_cells(curves_of(seen, 0.03), np.zeros(800, np.int64), FLAT)
    assert abs(fit.factor[0] - 1.07) < 4 * fit.factor_error[0]
    assert abs(fit.scatter[0] - 0.08) < 4 * fit.scatter_error[0] + 0.01
    assert fit.factor_error[0] == pytest.approx(np.hypot(0.08, 0.03) / np.sqrt(800), rel=0.3)


def test_cells_do_not_see_each_other():
    curves = curves_of([0.9, 0.92, 1.1, 1.12, 0.91], 0.02)
    cell = np.array([0, 0, 2, 2, 0])
    fit = fit_cells(curves, cell, np.repeat(FLAT, 3, axis=0))
    assert fit.n_star.tolist() == [3, 0, 2]
    alone = fit_cells(curves[cell == 2], np.zeros(2, np.int64), FLAT)
    assert fit.factor[2] == pytest.approx(alone.factor[0])
    assert fit.log_evidence[2] == pytest.approx(alone.log_evidence[0])
    assert fit.factor[0] < 0.95 < 1.05 < fit.factor[2]


def test_selection_takes_back_what_dust_hides():
    """Where more dust hides stars, those that are seen must not make the dust look thin."""
    density = np.exp(-3.0 * (FACTORS - 1.0))[None]
    curves = curves_of(np.full(50, 1.0), 0.1)
    cell = np.zeros(50, np.int64)
    with_it = fit_cells(curves, cell, density).factor[0]
    without = fit_cells(curves, cell, density, selection=False).factor[0]
    assert without == pytest.approx(1.0, abs=0.005)
    assert with_it > without + 0.02


def test_no_star_vetoes_a_factor():
    # One star that no factor explains at all.
    curves = np.concatenate([curves_of(np.full(20, 1.1), 0.03), np.zeros((1, FACTORS.size), "f4")])
    fit = fit_cells(curves.astype(np.float32), np.zeros(21, np.int64), FLAT)
    alone = fit_cells(curves[:20].astype(np.float32), np.zeros(20, np.int64), FLAT)
    assert fit.factor[0] == pytest.approx(alone.factor[0], abs=1e-4)
