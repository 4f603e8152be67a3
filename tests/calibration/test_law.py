"""The extinction law: a power law with an offset in H, and the search for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.calibration.law import (
    DERIVATIVE_STEPS,
    OFFSET_PRIOR,
    SLOPE_PRIOR,
    STARTS,
    WAVELENGTH_UM,
    Optimum,
    fit_law,
    newton,
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


@settings(max_examples=15)
@given(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.floats(-0.8, 0.8))
def test_newton_finds_the_minimum_of_a_parabola(x, y, tilt):
    matrix = np.array([[3.0, tilt], [tilt, 2.0]])
    target = np.array([x, y])

    def objective(at):
        return 5.0 + 0.5 * (at - target) @ matrix @ (at - target)

    found = newton(objective, np.zeros(2), np.array([0.1, 0.08]))
    assert found.value - 5.0 < 0.03
    np.testing.assert_allclose(found.hessian, matrix, rtol=1e-6, atol=1e-6)


def test_curvature_is_never_flatter_than_the_priors():
    found = newton(lambda x: 1e-3 * float(x @ x), np.array([0.5]), np.array([0.1]))
    assert found.hessian[0, 0] == 1.0


def test_searches_that_meet():
    def at(x, curvature):
        return Optimum(np.zeros(1), np.array([x]), 0.0, np.array([[curvature]]))

    assert at(1.0, 4.0).meets(at(1.3, 1.0))
    assert not at(1.0, 400.0).meets(at(1.3, 1.0))


START = power_law(*STARTS[0], 1.0)


def evidence_of(slope, offset, width):
    """Evidence that is largest at a slope and an offset, with Gaussian widths."""

    def near(anchor):
        def evidence(kappa):
            found = np.array(parameters_of(kappa)) - (slope, offset)
            return float(-0.5 * ((found / width) ** 2).sum())

        return evidence

    return near


def test_strong_evidence_decides():
    fit = fit_law(evidence_of(2.25, 0.02, np.array([0.02, 0.003])), START, 77)
    assert fit.slope == pytest.approx(2.25, abs=0.01)
    assert fit.offset == pytest.approx(0.02, abs=0.002)
    np.testing.assert_allclose(fit.kappa, power_law(fit.slope, fit.offset, 1.0))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), [0.02, 0.003], rtol=0.05)
    assert fit.n_star == 77
    # ln posterior at the start: nine standard deviations of the slope and 6.7 of the offset.
    assert fit.gain == pytest.approx(0.5 * (9.0**2 + 6.67**2), rel=0.05)
    assert kappa_error_by_hand(fit) == pytest.approx(fit.kappa_error[KS], rel=0.02)


def kappa_error_by_hand(fit):
    change = power_law(fit.slope + 1e-3, fit.offset, 1.0) - power_law(fit.slope, fit.offset, 1.0)
    return abs(change[KS]) / 1e-3 * np.sqrt(fit.covariance[0, 0])


def test_without_evidence_the_priors_hold():
    fit = fit_law(lambda anchor: lambda kappa: 0.0, START, 0)
    assert fit.slope == pytest.approx(SLOPE_PRIOR[0], abs=0.3 * SLOPE_PRIOR[1])
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.covariance)), [SLOPE_PRIOR[1], OFFSET_PRIOR[1]], rtol=1e-6
    )
    assert len(DERIVATIVE_STEPS) == 2


def test_offset_can_be_kept():
    start = power_law(2.07, 0.03, 1.0)
    fit = fit_law(evidence_of(2.2, -0.05, np.array([0.02, 0.05])), start, 5, with_offset=False)
    assert fit.offset == pytest.approx(0.03)
    assert fit.slope == pytest.approx(2.2, abs=0.01)
    assert fit.covariance[1, 1] == 0.0
