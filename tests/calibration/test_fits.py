"""Least values, and the best fraction of bad measurements."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from gcmock.calibration.fits import PRIOR_STARS, least_of, with_bad_fraction


@pytest.mark.parametrize("best", [-0.3, 0.1, 0.65])
def test_least_of_a_parabola(best):
    points = np.array([-0.5, -0.2, 0.0, 0.4, 0.7])
    found, width = least_of(lambda x: 7.0 + 0.5 * ((x - best) / 0.07) ** 2, points)
    assert found == pytest.approx(best)
    assert width == pytest.approx(0.07)


def test_nothing_outside_of_the_points():
    points = np.linspace(0.0, 1.0, 5)
    assert least_of(lambda x: (x + 3.0) ** 2, points)[0] == 0.0
    assert least_of(lambda x: (x - 9.0) ** 2, points)[0] == 1.0
    # Flat: anything may be true.
    assert least_of(lambda x: 0.0 * x, points)[1] == pytest.approx(1.0)


@pytest.mark.parametrize("fraction", [0.002, 0.1])
def test_the_fraction_of_bad_parallaxes_is_the_best(fraction):
    """Against a search over fractions, for stars that tell good from bad."""
    rng = np.random.default_rng(4)
    z = rng.normal(size=2000) * np.where(rng.random(2000) < fraction, 6.0, 1.0)
    good, bad = -0.5 * z**2, -0.5 * (z / 6.0) ** 2 - np.log(6.0)

    def minus(x):
        total = np.logaddexp(good + np.log1p(-x), bad + np.log(x)).sum()
        return -total - PRIOR_STARS * (0.01 * np.log(x) + 0.99 * np.log1p(-x))

    best = minimize_scalar(minus, bounds=(1e-5, 0.5), method="bounded")
    value, found = with_bad_fraction(good, bad, 0.01)
    assert value == pytest.approx(-best.fun, abs=0.01)
    assert found == pytest.approx(best.x, abs=1e-3)
    assert best.x == pytest.approx(fraction, rel=0.4, abs=0.004)
