"""The part of the line of sight that can explain a colour: by bisection, and not too short."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from uncompiled import uncompile

from gcmock.dust.profile import DustProfile
from gcmock.posterior.kernel import reach as module
from gcmock.posterior.kernel.coarse import FIRST_STEP
from gcmock.posterior.kernel.structures import Reddening

MU0, PER_MAG, N = 8.0, 60.0, 421
KNOT = PER_MAG * np.arange(9.0)
DENSITY = np.full(9, PER_MAG)
ROWS = SimpleNamespace(
    row_min=-8.0, row_step=0.5, c_top=np.full(30, 1.0), c_bottom=np.full(30, 0.4)
)
RED = Reddening(2.5, 0.0, DustProfile(20_000.0, 0.33, 0.0))
R2, V_C = 3.5**2, 0.003


@pytest.fixture(autouse=True)
def python(monkeypatch):
    uncompile(monkeypatch, "gcmock.posterior.kernel.reach", "gcmock.posterior.kernel.terms")
    uncompile(monkeypatch, "gcmock.posterior.kernel.coarse")


def star(c):
    return SimpleNamespace(
        w=12.0, c=c, q=-0.1, kappa_w=0.0, v_ww=0.01, v_wc=0.0, v_cc=V_C, gamma=0.0, delta=0.0
    )


@pytest.mark.parametrize("c", [0.5, 1.0, 2.0, 3.0, 3.5])
def test_points_that_explain_the_colour_are_reached(c):
    """With a colour between 0.4 and 1.0 of all stars, within 3.5 sigma."""
    begin, end = module.reach(star(c), ROWS, MU0, N, RED, R2, KNOT, DENSITY)
    mu = MU0 + np.arange(N) / PER_MAG
    e = RED.e_jks_rc * RED.dust.value(10.0 ** (0.2 * mu + 1.0))
    half = np.sqrt(R2 * V_C)
    possible = np.flatnonzero((c - e - half <= 1.0) & (c - e + half >= 0.4))
    assert begin % FIRST_STEP == 0
    assert 0 <= begin <= possible[0]
    assert possible[-1] < end <= N
    # At most two steps of the first pass too many on either side.
    assert begin == 0 or possible[0] - begin <= 2 * FIRST_STEP
    assert end == N or end - 1 - possible[-1] <= 2 * FIRST_STEP


def test_scatter_of_the_reddening_reaches_further():
    near, far = module.reach(star(2.0), ROWS, MU0, N, RED, R2, KNOT, DENSITY)
    scattered = RED._replace(tau_rc=0.3)
    nearer, further = module.reach(star(2.0), ROWS, MU0, N, scattered, R2, KNOT, DENSITY)
    assert nearer < near
    assert further > far
