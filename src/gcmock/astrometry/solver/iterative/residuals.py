"""Compiled: residuals of the strips at other unknowns, their gradient, and robust factors."""

from __future__ import annotations

import numpy as np

from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.solver.iterative.strip import FAST, displaced, distorted, scratch
from gcmock.astrometry.solver.iterative.sweeps import _collect, _scatter, weigh
from gcmock.compilation import compiled

LARGEST = 2.0**31 - 128.0
"""Largest residual that is stored, in steps; what is larger is stored as this."""


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def sweep_residuals(t, before, a, start, stop, kind, write, sums, gradient):  # pragma: no cover
    """Add up the gradient of the residuals at other unknowns than those of the stored ones.

    Parameters
    ----------
    t, before : Tables
        At the unknowns that are wanted and at those of the residuals that are stored.
    a : Strips
    start, stop : int
    kind : int
        Place of the weight function in `gcmock.astrometry.solver.robust.ROBUST`.
    write : bool
        Whether to store the residuals: they then belong to `t`.
    sums : ndarray, shape (n_tile, 2, 16)
        Gets chi2 and the largest residual in steps.
    gradient : tuple of ndarray
        Of stars (n_tile, 5, 16), visits, coefficients: A'W r is added.
    """
    s, b, d = scratch(t)
    w, res, u, f = np.zeros(32), np.zeros(32), np.zeros(32), np.zeros(32)
    to_mas = 1.0 / MAS
    by_step = 1.0 / a.step
    for r in range(a.first[start], a.first[stop]):
        j, tile = a.visit[r], a.tile[r]
        displaced(before, j, tile, s)
        distorted(before, j, s, b, d)
        for m in range(32):
            res[m] = a.residual[r, m] * a.step + (s[m] * to_mas + d[m])
        displaced(t, j, tile, s)
        distorted(t, j, s, b, d)
        for m in range(32):
            res[m] -= s[m] * to_mas + d[m]
        for m in range(16):
            seen = 1.0 if a.root_x[r, m] > 0.0 else 0.0
            res[m] *= seen
            res[16 + m] *= seen
        for m in range(16):
            largest = max(abs(res[m]), abs(res[16 + m])) * by_step
            sums[tile, 1, m] = max(sums[tile, 1, m], largest)
        if write:
            for m in range(32):
                q = np.rint(res[m] * by_step)
                a.residual[r, m] = np.int32(min(max(q, -LARGEST), LARGEST))
        _weigh_again(a, r, kind, res, sums[tile])
        weigh(a, r, w)
        for m in range(16):
            u[m], u[16 + m] = w[m] * res[m], w[16 + m] * res[16 + m]
            f[m] = u[m] * d[32 + m] + u[16 + m] * d[64 + m]
            f[16 + m] = u[m] * d[48 + m] + u[16 + m] * d[80 + m]
        _collect(s, t.frame[j, 12], f, gradient[0][tile])
        _scatter(t, j, s, b, u, f, gradient[1], gradient[2])


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _weigh_again(a, r, kind, res, sums):  # pragma: no cover
    """Add chi2, and set the robust factors from the size of the whitened residuals."""
    for m in range(16):
        x, y = res[m] * a.root_x[r, m], res[16 + m] * a.root_y[r, m]
        size = np.sqrt(x * x + y * y)
        sums[0, m] += size * size
        if kind == 1:
            a.robust[r, m] = 2.0 / max(size, 2.0)
        elif kind == 2:
            v = min(max(size - 2.0, 0.0), 1.0)
            value = 1.0 - 1.773735 * v * v + 1.141615 * v * v * v
            if size >= 3.0:
                value = max(np.exp(-size / 3.0), 1e-4)
            a.robust[r, m] = value
