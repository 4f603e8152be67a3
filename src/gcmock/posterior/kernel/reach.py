"""Which part of the line of sight can explain the colour of a star at all."""

from __future__ import annotations

import numpy as np
from numba import njit

from gcmock.posterior.kernel.coarse import FIRST_STEP, modulus
from gcmock.posterior.kernel.fastmath import HOT
from gcmock.posterior.kernel.terms import dust_scatter, profile, scattered

Q_TYPICAL, Q_MARGIN = -0.1, 0.1
"""Where stars are in Q, and how far from there the near and far end of a star's range are safe."""


@njit(**HOT)
def _red_enough(star, c_edge, row_min, row_step, side, mu, e, tau, r2):
    """Whether the reddening at a distance can explain the colour.

    `side` 0: of any star that is faint enough to be there; 1: of any that is bright enough.
    `c_edge` is `Rows.c_top` or `Rows.c_bottom`.
    """
    v_w, _, v_c = scattered(star, tau)
    dq = star.q - Q_TYPICAL
    half = np.sqrt(r2 * v_c) + Q_MARGIN * abs(star.delta)
    c = star.c - e - star.delta * dq
    reach = np.sqrt(r2 * v_w) + Q_MARGIN * abs(star.gamma)
    w = star.w - mu - star.kappa_w * e - star.gamma * dq
    row = int((w + (reach if side == 1 else -reach) - row_min) / row_step)
    row = min(max(row, 0), c_edge.size - 1)
    if side == 0:
        return c - half <= c_edge[row]
    return c + half >= c_edge[row]


@njit(**HOT)
def _limit(star, c_edge, side, rows, mu0, n, red, r2, knot, density):
    """First (side 0) or last (side 1) eighth coarse point of `reach`."""
    low, high = 0, (n - 1) // FIRST_STEP
    while low < high:
        middle = (low + high + side) // 2
        mu = modulus(mu0, float(FIRST_STEP * middle), knot, density)
        s = profile(red.dust, 10.0 ** (0.2 * mu + 1.0))
        e, tau = red.e_jks_rc * s, dust_scatter(red.dust, red.e_jks_rc, red.tau_rc, s)
        enough = _red_enough(star, c_edge, rows.row_min, rows.row_step, side, mu, e, tau, r2)
        if enough == (side == 0):
            high = middle - side
        else:
            low = middle + 1 - side
    return low


@njit(**HOT)
def reach(star, rows, mu0, n, red, r2, knot, density):
    """First and last (plus one) coarse point at which the reddening can explain the colour at all.

    Nearer by, neither the reddening nor the stars faint enough to be so near are red enough;
    further out, both are too red. The points are found by bisection, in steps of eight.
    """
    near = _limit(star, rows.c_top, 0, rows, mu0, n, red, r2, knot, density)
    far = _limit(star, rows.c_bottom, 1, rows, mu0, n, red, r2, knot, density)
    # One step more on either side: the limits lie between two points.
    return FIRST_STEP * max(near - 1, 0), min(FIRST_STEP * (far + 1) + 1, n)
