"""Compiled: sums over the strips of ranges of patches, for one right-hand side.

Arguments are `Tables`, `Strips`, the range of patches, and arrays to which results are added; those
of stars have the shape (n_tile, ..., 16). `gcmock.astrometry.solver.iterative.operator` says what
they mean.
"""

from __future__ import annotations

import numpy as np

from gcmock.astrometry.solver.iterative.strip import (
    FAST,
    directions,
    polynomials,
    scratch,
)
from gcmock.astrometry.solver.iterative.tables import PATCH
from gcmock.compilation import compiled


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def weigh(a, r, w):  # pragma: no cover
    """Fill the weights of a strip, x then y [1/mas^2], with robust factors where there are any."""
    for m in range(16):
        w[m] = a.root_x[r, m] * a.root_x[r, m]
        w[16 + m] = a.root_y[r, m] * a.root_y[r, m]
    if len(a.robust):
        for m in range(16):
            w[m] *= a.robust[r, m]
            w[16 + m] *= a.robust[r, m]


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _forward(t, v, c, j, s, b, w, u):  # pragma: no cover
    """Fill `u` with the weighted field shifts of a change of the instrument."""
    v0, v1, v2, k = v[j, 0], v[j, 1], v[j, 2], t.block[j]
    for m in range(16):
        x, y = s[m], s[16 + m]
        u[m] = x * y * v0 - (1.0 + x * x) * v1 + y * v2
        u[16 + m] = (1.0 + y * y) * v0 - x * y * v1 - x * v2
    for q in range(len(t.k_x)):
        cx, cy = c[k, 0, q], c[k, 1, q]
        for m in range(16):
            u[m] += b[q, m] * cx
            u[16 + m] += b[q, m] * cy
    for m in range(16):
        u[m] *= w[m]
        u[16 + m] *= w[16 + m]


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _collect(s, tau, u, g):  # pragma: no cover
    """Add the derivatives by the stars' parameters times weighted field shifts."""
    for m in range(16):
        e = s[32 + m] * u[m] + s[64 + m] * u[16 + m]
        n = s[48 + m] * u[m] + s[80 + m] * u[16 + m]
        g[0, m] += e
        g[1, m] += n
        g[2, m] += s[96 + m] * u[m] + s[112 + m] * u[16 + m]
        g[3, m] += tau * e
        g[4, m] += tau * n


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _star_shift(s, tau, z, w, u):  # pragma: no cover
    """Fill `u` with the weighted field shifts of changes of the stars' parameters."""
    for m in range(16):
        e, n, p = z[0, m] + tau * z[3, m], z[1, m] + tau * z[4, m], z[2, m]
        u[m] = w[m] * (s[32 + m] * e + s[48 + m] * n + s[96 + m] * p)
        u[16 + m] = w[16 + m] * (s[64 + m] * e + s[80 + m] * n + s[112 + m] * p)


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _scatter(t, j, s, b, u, uf, out_v, out_c):  # pragma: no cover
    """Add derivatives by the instrument times weighted shifts: `uf` for turns, `u` for terms."""
    o0, o1, o2, k = 0.0, 0.0, 0.0, t.block[j]
    for m in range(16):
        x, y, e, f = s[m], s[16 + m], uf[m], uf[16 + m]
        o0 += x * y * e + (1.0 + y * y) * f
        o1 -= (1.0 + x * x) * e + x * y * f
        o2 += y * e - x * f
    out_v[j, 0] += o0
    out_v[j, 1] += o1
    out_v[j, 2] += o2
    for q in range(len(t.k_x)):
        e, f = 0.0, 0.0
        for m in range(16):
            e += b[q, m] * u[m]
            f += b[q, m] * u[16 + m]
        out_c[k, 0, q] += e
        out_c[k, 1, q] += f


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def sweep_forward(t, a, start, stop, v, c, g):  # pragma: no cover
    """Add N_si x to `g`, (n_tile, 5, 16), of a change of the instrument (v, c)."""
    s, b, _ = scratch(t)
    w, u = np.zeros(32), np.zeros(32)
    for r in range(a.first[start], a.first[stop]):
        j, tile = a.visit[r], a.tile[r]
        directions(t, j, tile, s)
        polynomials(t, s, b)
        weigh(a, r, w)
        _forward(t, v, c, j, s, b, w, u)
        _collect(s, t.frame[j, 12], u, g[tile])


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def sweep_adjoint(t, a, start, stop, z, out_v, out_c):  # pragma: no cover
    """Add N_is z to (out_v, out_c) of changes of stars, (n_tile, 5, 16)."""
    s, b, _ = scratch(t)
    w, u = np.zeros(32), np.zeros(32)
    for r in range(a.first[start], a.first[stop]):
        j, tile = a.visit[r], a.tile[r]
        directions(t, j, tile, s)
        polynomials(t, s, b)
        weigh(a, r, w)
        _star_shift(s, t.frame[j, 12], z[tile], w, u)
        _scatter(t, j, s, b, u, u, out_v, out_c)


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def sweep_schur(t, a, start, stop, inverse, v, c, out_v, out_c):  # pragma: no cover
    """Add N_is N_ss^-1 N_si x to (out_v, out_c); `inverse` is N_ss^-1, (n_tile, 5, 5, 16)."""
    n_tile = len(inverse)
    g, z = np.zeros((n_tile, 5, 16)), np.zeros((n_tile, 5, 16))
    for patch in range(start, stop):
        sweep_forward(t, a, patch, patch + 1, v, c, g)
        for tile in range(PATCH * patch, PATCH * (patch + 1)):
            for p in range(5):
                for q in range(5):
                    for m in range(16):
                        z[tile, p, m] += inverse[tile, p, q, m] * g[tile, q, m]
        sweep_adjoint(t, a, patch, patch + 1, z, out_v, out_c)


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def sweep_blocks(t, a, start, stop, n, vv, vt, tt):  # pragma: no cover
    """Add up the blocks of the normal matrix.

    Shapes: (n_tile, 5, 5, 16), (n_visit, 3, 3), (n_visit, 3, 2, n_pair), (n_block, 2, n_pair,
    n_pair).
    """
    s, b, _ = scratch(t)
    w, row = np.zeros(32), np.zeros((2, 5, 16))
    turn = np.zeros((2, 3, 16))
    n_pair = len(t.k_x)
    for r in range(a.first[start], a.first[stop]):
        j, tile = a.visit[r], a.tile[r]
        k, tau = t.block[j], t.frame[j, 12]
        directions(t, j, tile, s)
        polynomials(t, s, b)
        weigh(a, r, w)
        for m in range(16):
            x, y = s[m], s[16 + m]
            row[0, 0, m], row[0, 1, m], row[0, 2, m] = s[32 + m], s[48 + m], s[96 + m]
            row[1, 0, m], row[1, 1, m], row[1, 2, m] = s[64 + m], s[80 + m], s[112 + m]
            row[0, 3, m], row[0, 4, m] = tau * s[32 + m], tau * s[48 + m]
            row[1, 3, m], row[1, 4, m] = tau * s[64 + m], tau * s[80 + m]
            turn[0, 0, m], turn[0, 1, m], turn[0, 2, m] = x * y, -(1.0 + x * x), y
            turn[1, 0, m], turn[1, 1, m], turn[1, 2, m] = 1.0 + y * y, -x * y, -x
        for p in range(5):
            for q in range(5):
                for m in range(16):
                    n[tile, p, q, m] += w[m] * row[0, p, m] * row[0, q, m]
                for m in range(16):
                    n[tile, p, q, m] += w[16 + m] * row[1, p, m] * row[1, q, m]
        for axis in range(2):
            o = 16 * axis
            for p in range(3):
                for q in range(3):
                    e = 0.0
                    for m in range(16):
                        e += w[o + m] * turn[axis, p, m] * turn[axis, q, m]
                    vv[j, p, q] += e
                for q in range(n_pair):
                    e = 0.0
                    for m in range(16):
                        e += w[o + m] * turn[axis, p, m] * b[q, m]
                    vt[j, p, axis, q] += e
            for p in range(n_pair):
                for q in range(p + 1):
                    e = 0.0
                    for m in range(16):
                        e += w[o + m] * b[p, m] * b[q, m]
                    tt[k, axis, p, q] += e
