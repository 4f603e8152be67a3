"""The coarse grid: places and distance moduli are inverse to each other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uncompiled import uncompile

from gcmock.posterior.kernel import coarse
from gcmock.posterior.kernel.coarse import MARGIN, STEP_PER_SIGMA, WIDEST_STEP
from gcmock.posterior.kernel.structures import N_COARSE, make_bins


def knots(density):
    density = np.array(density)
    return np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1])))), density


@settings(max_examples=40)
@given(st.lists(st.floats(20.0, 300.0), min_size=3, max_size=8), st.floats(0.0, 1.0))
def test_inverse(density, part):
    knot, density = knots(density)
    mu = 5.0 + part * (knot.size - 1.001)
    at = coarse.place.py_func(5.0, mu, knot, density)
    assert coarse.modulus.py_func(5.0, at, knot, density) == pytest.approx(mu, abs=1e-9)
    # The slope of the place is the density between the knots.
    x = mu - 5.0
    i = int(x)
    expected = density[i] + (x - i) * (density[i + 1] - density[i])
    near = coarse.place.py_func(5.0, mu + 1e-6, knot, density)
    assert (near - at) / 1e-6 == pytest.approx(expected, rel=1e-3, abs=1.0)


def test_beyond_the_knots_the_density_stays():
    knot, density = knots([50.0, 60.0, 80.0])
    assert coarse.modulus.py_func(5.0, -5.0, knot, density) == pytest.approx(5.0 - 5.0 / 50.0)


@pytest.mark.parametrize("width", [1e-4, 0.02, 1.0])
def test_grid_covers_all_bins_with_a_margin(monkeypatch, width):
    uncompile(monkeypatch, "gcmock.posterior.kernel.coarse")
    monkeypatch.setattr(coarse, "slope_along", lambda *_: 0.0)
    monkeypatch.setattr(coarse, "profile", lambda *_: 1.0)
    monkeypatch.setattr(coarse, "along_sightline", lambda *_: width)
    bins = make_bins(np.geomspace(100.0, 16000.0, 300))
    knot, density = np.zeros((2, bins.knot_mu.size))
    red = SimpleNamespace(dust=SimpleNamespace(scatter=0.0), e_jks_rc=2.0, tau_rc=0.1)
    n = coarse.make_grid(7, False, 1.0, None, None, bins, red, knot, density)
    assert n <= N_COARSE
    first, last = (coarse.place(bins.knot_mu[0], mu, knot, density) for mu in bins.mu[[0, -1]])
    assert first == pytest.approx(MARGIN)
    assert last == pytest.approx(n - 1 - MARGIN, abs=1.0)
    step = 1.0 / density
    if width > 1e-3:
        np.testing.assert_allclose(step, min(STEP_PER_SIGMA * width, WIDEST_STEP))
    else:
        # Errors far below those of any survey: as fine as there is room for.
        assert (step > STEP_PER_SIGMA * width).all()
