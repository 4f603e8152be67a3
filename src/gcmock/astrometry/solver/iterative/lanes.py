"""Compiled: sums over the strips for eight right-hand sides at once, and the arrow's covariances.

As `gcmock.astrometry.solver.iterative.sweeps`, with a last axis of `LANES`: the instrument has the
shapes (n_visit, 3, 8) and (n_block, 2, n_pair, 8), stars (n_tile, 5, 16, 8).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gcmock.astrometry.solver.iterative.strip import FAST, directions, polynomials, scratch
from gcmock.astrometry.solver.iterative.sweeps import weigh
from gcmock.astrometry.solver.iterative.tables import PATCH
from gcmock.compilation import compiled

LANES: Final = 8
"""Right-hand sides that share a sweep."""


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def lanes_forward(t, a, start, stop, v, c, g):  # pragma: no cover
    """Add N_si x to `g` of changes of the instrument (v, c)."""
    s, b, _ = scratch(t)
    w, u = np.zeros(32), np.zeros((2, 16, 8))
    for r in range(a.first[start], a.first[stop]):
        j, tile = a.visit[r], a.tile[r]
        k, tau = t.block[j], t.frame[j, 12]
        directions(t, j, tile, s)
        polynomials(t, s, b)
        weigh(a, r, w)
        for m in range(16):
            x, y = s[m], s[16 + m]
            xy, xx, yy = x * y, 1.0 + x * x, 1.0 + y * y
            for i in range(8):
                u[0, m, i] = xy * v[j, 0, i] - xx * v[j, 1, i] + y * v[j, 2, i]
            for i in range(8):
                u[1, m, i] = yy * v[j, 0, i] - xy * v[j, 1, i] - x * v[j, 2, i]
        for axis in range(2):
            for q in range(len(t.k_x)):
                for m in range(16):
                    e = b[q, m]
                    for i in range(8):
                        u[axis, m, i] += e * c[k, axis, q, i]
        for m in range(16):
            w0, w1 = w[m], w[16 + m]
            xe, xn, ye, yn = w0 * s[32 + m], w0 * s[48 + m], w1 * s[64 + m], w1 * s[80 + m]
            xp, yp = w0 * s[96 + m], w1 * s[112 + m]
            for i in range(8):
                e = xe * u[0, m, i] + ye * u[1, m, i]
                g[tile, 0, m, i] += e
                g[tile, 3, m, i] += tau * e
            for i in range(8):
                n = xn * u[0, m, i] + yn * u[1, m, i]
                g[tile, 1, m, i] += n
                g[tile, 4, m, i] += tau * n
            for i in range(8):
                g[tile, 2, m, i] += xp * u[0, m, i] + yp * u[1, m, i]


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def lanes_adjoint(t, a, start, stop, z, out_v, out_c):  # pragma: no cover
    """Add N_is z to (out_v, out_c) of changes of stars."""
    s, b, _ = scratch(t)
    w, u = np.zeros(32), np.zeros((2, 16, 8))
    for r in range(a.first[start], a.first[stop]):
        j, tile = a.visit[r], a.tile[r]
        k, tau = t.block[j], t.frame[j, 12]
        directions(t, j, tile, s)
        polynomials(t, s, b)
        weigh(a, r, w)
        for m in range(16):
            w0, w1 = w[m], w[16 + m]
            xe, xn, ye, yn = w0 * s[32 + m], w0 * s[48 + m], w1 * s[64 + m], w1 * s[80 + m]
            xp, yp = w0 * s[96 + m], w1 * s[112 + m]
            for i in range(8):
                e = z[tile, 0, m, i] + tau * z[tile, 3, m, i]
                n = z[tile, 1, m, i] + tau * z[tile, 4, m, i]
                u[0, m, i] = xe * e + xn * n + xp * z[tile, 2, m, i]
                u[1, m, i] = ye * e + yn * n + yp * z[tile, 2, m, i]
        for m in range(16):
            x, y = s[m], s[16 + m]
            xy, xx, yy = x * y, 1.0 + x * x, 1.0 + y * y
            for i in range(8):
                out_v[j, 0, i] += xy * u[0, m, i] + yy * u[1, m, i]
            for i in range(8):
                out_v[j, 1, i] -= xx * u[0, m, i] + xy * u[1, m, i]
            for i in range(8):
                out_v[j, 2, i] += y * u[0, m, i] - x * u[1, m, i]
        for axis in range(2):
            for q in range(len(t.k_x)):
                for m in range(16):
                    e = b[q, m]
                    for i in range(8):
                        out_c[k, axis, q, i] += e * u[axis, m, i]


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def lanes_schur(t, a, start, stop, inverse, v, c, out_v, out_c):  # pragma: no cover
    """Add N_is N_ss^-1 N_si x to (out_v, out_c)."""
    n_tile = len(inverse)
    g, z = np.zeros((n_tile, 5, 16, 8)), np.zeros((n_tile, 5, 16, 8))
    for patch in range(start, stop):
        lanes_forward(t, a, patch, patch + 1, v, c, g)
        for tile in range(PATCH * patch, PATCH * (patch + 1)):
            for p in range(5):
                for q in range(5):
                    for m in range(16):
                        e = inverse[tile, p, q, m]
                        for i in range(8):
                            z[tile, p, m, i] += e * g[tile, q, m, i]
        lanes_adjoint(t, a, patch, patch + 1, z, out_v, out_c)


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _rows(s, tau, row, turn):  # pragma: no cover
    """Fill the derivatives by stars (2, 5, 16) and by the attitude (2, 3, 16)."""
    for m in range(16):
        x, y = s[m], s[16 + m]
        row[0, 0, m], row[0, 1, m], row[0, 2, m] = s[32 + m], s[48 + m], s[96 + m]
        row[1, 0, m], row[1, 1, m], row[1, 2, m] = s[64 + m], s[80 + m], s[112 + m]
        row[0, 3, m], row[0, 4, m] = tau * s[32 + m], tau * s[48 + m]
        row[1, 3, m], row[1, 4, m] = tau * s[64 + m], tau * s[80 + m]
        turn[0, 0, m], turn[0, 1, m], turn[0, 2, m] = x * y, -(1.0 + x * x), y
        turn[1, 0, m], turn[1, 1, m], turn[1, 2, m] = 1.0 + y * y, -x * y, -x


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _add_square(y, out):  # pragma: no cover
    """Add y'y of y (n, 5, 16) to the lower triangles of out (5, 5, 16)."""
    for i in range(len(y)):
        for p in range(5):
            for q in range(p + 1):
                for m in range(16):
                    out[p, q, m] += y[i, p, m] * y[i, q, m]


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _flush(root, sums, y, out):  # pragma: no cover
    """Add sums' T^-1 sums of a block and a tile; T^-1 = root' root. The sums become zero."""
    n = len(root)
    y[:] = 0.0
    for i in range(n):
        for h in range(i + 1):
            e = root[i, h]
            if e != 0.0:
                for p in range(5):
                    for m in range(16):
                        y[i, p, m] += e * sums[h, p, m]
    _add_square(y, out)
    sums[:] = 0.0


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def sweep_arrow(t, a, start, stop, visit_root, mixing, term_root, out):  # pragma: no cover
    """Add N_si M N_is, the stars' part of the arrow's inverse, to the lower triangles of `out`.

    Parameters
    ----------
    t : Tables
    a : Strips
        The visits of a block are neighbours in every patch.
    start, stop : int
    visit_root : ndarray, shape (n_visit, 3, 3), term_root : ndarray, (n_block, 2 n_pair, 2 n_pair)
        Inverse Cholesky factors, lower; zero where there is no such term.
    mixing : ndarray, shape (n_visit, 3, 2 n_pair)
    out : ndarray, shape (n_tile, 5, 5, 16)
    """
    s, b, _ = scratch(t)
    n = len(t.k_x)
    w, row, turn = np.zeros(32), np.zeros((2, 5, 16)), np.zeros((2, 3, 16))
    local, white = np.zeros((3, 5, 16)), np.zeros((3, 5, 16))
    sums, y = np.zeros((PATCH, 2 * n, 5, 16)), np.zeros((2 * n, 5, 16))
    for patch in range(start, stop):
        low, last = PATCH * patch, -1
        for r in range(a.first[patch], a.first[patch + 1]):
            j, tile = a.visit[r], a.tile[r]
            k = t.block[j]
            if k != last and last >= 0:
                for i in range(PATCH):
                    _flush(term_root[last], sums[i], y, out[low + i])
            last = k
            directions(t, j, tile, s)
            polynomials(t, s, b)
            weigh(a, r, w)
            _rows(s, t.frame[j, 12], row, turn)
            for p in range(3):
                for q in range(5):
                    for m in range(16):
                        local[p, q, m] = (
                            w[m] * turn[0, p, m] * row[0, q, m]
                            + w[16 + m] * turn[1, p, m] * row[1, q, m]
                        )
            for p in range(3):
                white[p] = 0.0
                for h in range(p + 1):
                    e = visit_root[j, p, h]
                    for q in range(5):
                        for m in range(16):
                            white[p, q, m] += e * local[h, q, m]
            _add_square(white, out[tile])
            _add_terms(n, w, b, row, mixing[j], local, sums[tile - low])
        if last >= 0:
            for i in range(PATCH):
                _flush(term_root[last], sums[i], y, out[low + i])


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def _add_terms(n, w, b, row, mixing, local, sums):  # pragma: no cover
    """Add the matrix between the terms of a block, without their visit, and the stars."""
    for axis in range(2):
        for q in range(n):
            i = axis * n + q
            e0, e1, e2 = mixing[0, i], mixing[1, i], mixing[2, i]
            for p in range(5):
                for m in range(16):
                    sums[i, p, m] += w[16 * axis + m] * b[q, m] * row[axis, p, m] - (
                        e0 * local[0, p, m] + e1 * local[1, p, m] + e2 * local[2, p, m]
                    )
