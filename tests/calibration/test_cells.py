"""Factor and scatter of cells, from curves whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.calibration.cells import (
    LEAST_SCATTER,
    SCATTER_PRIOR,
    Prior,
    fit_cells,
    gaussian_weights,
    usual_prior,
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


def flat(n_star):
    """Expected stars that do not depend on the reddening."""
    return np.ones((n_star, FACTORS.size))


def test_cell_without_stars_has_the_prior():
    fit = fit_cells(curves_of([], 0.1), np.zeros(0, np.int64), flat(0), prior=usual_prior(1))
    assert fit.n_star.tolist() == [0]
    assert fit.factor[0] == pytest.approx(1.0, abs=1e-6)
    assert fit.factor_error[0] == pytest.approx(0.1, rel=0.02)
    assert np.log(fit.scatter[0]) == pytest.approx(np.log(SCATTER_PRIOR[0]), abs=0.3)
    assert fit.log_evidence[0] == pytest.approx(0.0, abs=1e-9)


def test_mean_and_scatter_of_many_stars():
    rng = np.random.default_rng(5)
    true = 1.07 + 0.08 * rng.standard_normal(800)
    seen = true + 0.03 * rng.standard_normal(800)
    fit = fit_cells(curves_of(seen, 0.03), np.zeros(800, np.int64), flat(800))
    assert abs(fit.factor[0] - 1.07) < 4 * fit.factor_error[0]
    assert abs(fit.scatter[0] - 0.08) < 4 * fit.scatter_error[0] + 0.01
    assert fit.factor_error[0] == pytest.approx(np.hypot(0.08, 0.03) / np.sqrt(800), rel=0.3)


def test_cells_do_not_see_each_other():
    curves = curves_of([0.9, 0.92, 1.1, 1.12, 0.91], 0.02)
    cell = np.array([0, 0, 2, 2, 0])
    fit = fit_cells(curves, cell, flat(5))
    assert fit.n_star.tolist() == [3, 0, 2]
    alone = fit_cells(curves[cell == 2], np.zeros(2, np.int64), flat(2))
    assert fit.factor[2] == pytest.approx(alone.factor[0])
    assert fit.log_evidence[2] == pytest.approx(alone.log_evidence[0])
    assert fit.factor[0] < 0.95 < 1.05 < fit.factor[2]


def test_selection_takes_back_what_dust_hides():
    """Where more dust hides stars, those that are seen must not make the dust look thin."""
    density = np.exp(-3.0 * (FACTORS - 1.0)) * flat(50)
    curves = curves_of(np.full(50, 1.0), 0.1)
    cell = np.zeros(50, np.int64)
    with_it = fit_cells(curves, cell, density).factor[0]
    without = fit_cells(curves, cell, density, selection=False).factor[0]
    assert without == pytest.approx(1.0, abs=0.005)
    assert with_it > without + 0.02


def test_no_star_vetoes_a_factor():
    # One star that no factor explains at all.
    curves = np.concatenate([curves_of(np.full(20, 1.1), 0.03), np.zeros((1, FACTORS.size), "f4")])
    fit = fit_cells(curves.astype(np.float32), np.zeros(21, np.int64), flat(21))
    alone = fit_cells(curves[:20].astype(np.float32), np.zeros(20, np.int64), flat(20))
    assert fit.factor[0] == pytest.approx(alone.factor[0], abs=1e-4)


def test_the_prior_of_every_cell_is_its_own():
    prior = Prior(
        np.array([0.9, 1.1]), np.array([0.02, 0.05]), np.array([0.03, 0.1]), np.array([0.3, 0.5])
    )
    fit = fit_cells(curves_of([], 0.1), np.zeros(0, np.int64), flat(0), prior=prior)
    np.testing.assert_allclose(fit.factor, [0.9, 1.1], atol=1e-3)
    np.testing.assert_allclose(fit.factor_error, [0.02, 0.05], rtol=0.05)
    assert (np.abs(np.log(fit.scatter / prior.scatter)) < 0.2).all()
    # One star that is known well moves the cell whose prior is wide further.
    both = fit_cells(curves_of([1.0, 1.0], 0.02), np.array([0, 1]), flat(2), prior=prior)
    assert 0.0 < both.factor[0] - 0.9 < both.factor_error[0] * 2.0
    assert 1.1 - both.factor[1] > 0.5 * (both.factor[0] - 0.9)


def test_widths_of_factors_by_brute_force():
    """The posterior of the mean of Gaussian measurements, whose scatter is all but known."""
    rng = np.random.default_rng(8)
    true, scatter, error, n = 1.04, 0.05, 0.03, 40
    seen = rng.normal(true, np.hypot(scatter, error), n)
    prior = Prior(np.ones(1), np.full(1, 0.06), np.full(1, scatter), np.full(1, 0.01))
    fit = fit_cells(curves_of(seen, error), np.zeros(n, np.int64), flat(n), prior=prior)
    # The scatter nearest to the prior's on the grid.
    precision = n / (fit.scatter[0] ** 2 + error**2) + 0.06**-2
    mean = (seen.mean() * n / (fit.scatter[0] ** 2 + error**2) + 0.06**-2) / precision
    assert fit.factor[0] == pytest.approx(mean, abs=5e-4)
    assert fit.factor_error[0] == pytest.approx(precision**-0.5, rel=0.02)


def test_the_evidence_of_other_cases_frees_a_cell_of_its_outliers():
    """Eight stars in forty have a reddening that is not the cell's."""
    factors = np.concatenate([np.full(32, 1.0), np.full(8, 1.25)])
    given = curves_of(factors, 0.02), np.zeros(40, np.int64), flat(40)
    plain = fit_cells(*given)
    robust = fit_cells(*given, floor=np.full(40, 0.05, np.float32))
    assert robust.scatter[0] < 0.5 * plain.scatter[0]
    assert abs(robust.factor[0] - 1.0) < 0.3 * abs(plain.factor[0] - 1.0)
