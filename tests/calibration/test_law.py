"""The extinction law: a power law with an offset in H, and its errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.calibration.law import (
    OFFSET_PRIOR,
    SLOPE_PRIOR,
    WAVELENGTH_UM,
    jacobian_of,
    law_fit,
    parameters_of,
    power_law,
)
from gcmock.dust.laws import load_law
from gcmock.words.bands import KS, H, J


@given(st.floats(0.4, 5.0), st.floats(-0.2, 0.2), st.floats(0.5, 1.5))
def test_power_law_and_its_inverse(slope, offset, excess):
    kappa = power_law(slope, offset, excess)
    assert kappa[J] - kappa[KS] == pytest.approx(excess)
    assert kappa[J] / kappa[KS] == pytest.approx((WAVELENGTH_UM[J] / WAVELENGTH_UM[KS]) ** -slope)
    plain = power_law(slope, 0.0, excess)
    assert kappa[H] - plain[H] == pytest.approx(offset)
    assert parameters_of(kappa) == (pytest.approx(slope), pytest.approx(offset, abs=1e-9))


def test_law_of_wang_and_chen_is_a_power_law():
    (row,) = load_law("wang_chen_2019").rows[:1]
    slope, offset = parameters_of(np.array(row))
    assert slope == pytest.approx(2.07, abs=0.005)
    assert abs(offset) < 0.005


def test_slope_is_kept_within_reason():
    assert parameters_of(np.array([1.01, 1.0, 1.0]))[0] == 0.3
    assert parameters_of(np.array([100.0, 10.0, 1.0]))[0] == 6.0


@settings(max_examples=25)
@given(st.floats(1.0, 3.0), st.floats(-0.1, 0.1), st.floats(0.8, 1.2))
def test_derivatives_of_the_law(slope, offset, excess):
    found = jacobian_of(slope, offset, excess)
    step = 1e-5
    for i, (up, down) in enumerate(
        [((slope + step, offset), (slope - step, offset)),
         ((slope, offset + step), (slope, offset - step))]
    ):  # fmt: skip
        central = (power_law(*up, excess) - power_law(*down, excess)) / (2.0 * step)
        np.testing.assert_allclose(found[:, i], central, atol=2e-4)
    # A_J - A_Ks is that of the map, whatever the law.
    np.testing.assert_allclose(found[J], found[KS], atol=1e-9)


def test_errors_of_the_law_by_drawing():
    """The errors of A_λ / E(J-Ks) are the scatter of laws whose slope and offset scatter."""
    covariance = np.array([[4e-4, 2e-5], [2e-5, 2e-5]])
    fit = law_fit(2.2, 0.01, 1.04, covariance, 77, 3.5)
    assert (fit.slope, fit.offset, fit.n_star, fit.gain) == (2.2, 0.01, 77, 3.5)
    np.testing.assert_allclose(fit.kappa, power_law(2.2, 0.01, 1.04))
    drawn = np.random.default_rng(1).multivariate_normal([2.2, 0.01], covariance, 4000)
    scatter = np.std([power_law(a, h, 1.04) for a, h in drawn], axis=0)
    np.testing.assert_allclose(fit.kappa_error, scatter, rtol=0.06)


def test_an_offset_that_was_not_fitted_has_no_error():
    fit = law_fit(2.2, 0.01, 1.0, np.diag([4e-4, 0.0]), 5, 0.0)
    change = power_law(2.2 + 1e-3, 0.01, 1.0) - power_law(2.2, 0.01, 1.0)
    np.testing.assert_allclose(fit.kappa_error, np.abs(change) / 1e-3 * 0.02, rtol=0.01)


def test_priors_hold_the_published_laws():
    for name in ("wang_chen_2019", "nishiyama_2009"):
        for row in load_law(name).rows:
            slope, offset = parameters_of(np.array(row))
            assert abs(slope - SLOPE_PRIOR[0]) < 2.5 * SLOPE_PRIOR[1]
            assert abs(offset - OFFSET_PRIOR[0]) < 2.5 * OFFSET_PRIOR[1]
