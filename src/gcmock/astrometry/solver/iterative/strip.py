"""Compiled: one strip, the stars of a tile in one visit, and its partial derivatives.

Rows of scratch have one number per star of the tile, one behind the other with constant offsets, so
that the compiler turns the loops over stars into vector instructions. The equations are those of
`gcmock.astrometry.solver.rows`; directions are turned by the axes of the visit, which is good to
1e-16 rad. `S_*` and `B_*` are places in scratch.
"""

from __future__ import annotations

import numpy as np

from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.solver.rows import (
    _aberrated,
    _deflected,
    _displacement,
)
from gcmock.compilation import compiled

FAST = {"contract", "afn", "reassoc", "nsz", "arcp"}

GEOMETRY = 16 * 12
"""Length of the scratch of the geometry: x, y, their derivatives by east, north and parallax."""


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def directions(t, j, tile, s):  # pragma: no cover
    """Fill field coordinates [rad] and their derivatives of the stars of a tile, as catalogued.

    Rows of `s`: x, y, dx/de, dx/dn, dy/de, dy/dn, dx/dparallax, dy/dparallax.
    """
    f = t.frame
    f0, f1, f2, f3, f4, f5 = f[j, 0], f[j, 1], f[j, 2], f[j, 3], f[j, 4], f[j, 5]
    f6, f7, f8, xb, yb, zb = f[j, 6], f[j, 7], f[j, 8], f[j, 9], f[j, 10], f[j, 11]
    star = t.star[tile]
    for m in range(16):
        p0, p1 = star[m], star[16 + m]
        q0, q1, q2 = star[48 + m], star[64 + m], star[80 + m]
        r0, r1, r2 = star[96 + m], star[112 + m], star[128 + m]
        depth = 1.0 / (f6 * r0 + f7 * r1 + f8 * r2)
        x = (f0 * r0 + f1 * r1 + f2 * r2) * depth
        y = (f3 * r0 + f4 * r1 + f5 * r2) * depth
        zp, zq = f6 * p0 + f7 * p1, f6 * q0 + f7 * q1 + f8 * q2
        s[m] = x
        s[16 + m] = y
        s[32 + m] = (f0 * p0 + f1 * p1 - x * zp) * depth
        s[48 + m] = (f0 * q0 + f1 * q1 + f2 * q2 - x * zq) * depth
        s[64 + m] = (f3 * p0 + f4 * p1 - y * zp) * depth
        s[80 + m] = (f3 * q0 + f4 * q1 + f5 * q2 - y * zq) * depth
        s[96 + m] = (x * zb - xb) * depth
        s[112 + m] = (y * zb - yb) * depth


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def displacements(t, j, tile, s):  # pragma: no cover
    """Fill rows 8, 9, 10 of `s`: the displacement along p, q, r of the stars [rad]."""
    star, motion = t.star[tile], t.motion[tile]
    b0, b1, b2 = t.place[j, 0], t.place[j, 1], t.place[j, 2]
    tau = t.frame[j, 12]
    for m in range(16):
        bp = star[m] * b0 + star[16 + m] * b1
        bq = star[48 + m] * b0 + star[64 + m] * b1 + star[80 + m] * b2
        br = star[96 + m] * b0 + star[112 + m] * b1 + star[128 + m] * b2
        e, n, r = _displacement(
            motion[m], motion[16 + m], motion[32 + m], motion[48 + m], tau, bp, bq, br
        )
        s[128 + m] = e
        s[144 + m] = n
        s[160 + m] = r
    if t.apparent:
        _apparent(t, j, star, s)


@compiled(nogil=True, error_model="numpy")
def _apparent(t, j, star, s):  # pragma: no cover
    """Add deflection and aberration to the displacement in `s`."""
    place = t.place
    for m in range(16):
        e, n, r = s[128 + m], s[144 + m], s[160 + m]
        if t.deflection:
            a, b, c = place[j, 3], place[j, 4], place[j, 5]
            e, n, r = _deflected(
                e,
                n,
                r,
                star[m] * a + star[16 + m] * b,
                star[48 + m] * a + star[64 + m] * b + star[80 + m] * c,
                star[96 + m] * a + star[112 + m] * b + star[128 + m] * c,
            )
        if t.aberration:
            a, b, c = place[j, 6], place[j, 7], place[j, 8]
            e, n, r = _aberrated(
                e,
                n,
                r,
                star[m] * a + star[16 + m] * b,
                star[48 + m] * a + star[64 + m] * b + star[80 + m] * c,
                star[96 + m] * a + star[112 + m] * b + star[128 + m] * c,
            )
        s[128 + m], s[144 + m], s[160 + m] = e, n, r


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def displaced(t, j, tile, s):  # pragma: no cover
    """Fill `s` as `directions` does, for the stars where they are seen."""
    displacements(t, j, tile, s)
    f = t.frame
    f0, f1, f2, f3, f4, f5 = f[j, 0], f[j, 1], f[j, 2], f[j, 3], f[j, 4], f[j, 5]
    f6, f7, f8, xb, yb, zb = f[j, 6], f[j, 7], f[j, 8], f[j, 9], f[j, 10], f[j, 11]
    star = t.star[tile]
    for m in range(16):
        p0, p1 = star[m], star[16 + m]
        q0, q1, q2 = star[48 + m], star[64 + m], star[80 + m]
        r0, r1, r2 = star[96 + m], star[112 + m], star[128 + m]
        e, n, o = s[128 + m], s[144 + m], 1.0 + s[160 + m]
        xp, xq = f0 * p0 + f1 * p1, f0 * q0 + f1 * q1 + f2 * q2
        yp, yq = f3 * p0 + f4 * p1, f3 * q0 + f4 * q1 + f5 * q2
        zp, zq = f6 * p0 + f7 * p1, f6 * q0 + f7 * q1 + f8 * q2
        depth = 1.0 / (zp * e + zq * n + (f6 * r0 + f7 * r1 + f8 * r2) * o)
        x = (xp * e + xq * n + (f0 * r0 + f1 * r1 + f2 * r2) * o) * depth
        y = (yp * e + yq * n + (f3 * r0 + f4 * r1 + f5 * r2) * o) * depth
        s[m] = x
        s[16 + m] = y
        s[32 + m] = (xp - x * zp) * depth
        s[48 + m] = (xq - x * zq) * depth
        s[64 + m] = (yp - y * zp) * depth
        s[80 + m] = (yq - y * zq) * depth
        s[96 + m] = (x * zb - xb) * depth
        s[112 + m] = (y * zb - yb) * depth


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def polynomials(t, s, b):  # pragma: no cover
    """Fill the products of Legendre polynomials at x and y of `s`, one row of `b` per pair.

    Rows ``n_pair`` and on are the polynomials P_0 ... P_degree of x, then those of y.
    """
    n, d = len(t.k_x), t.degree + 1
    scale = 1.0 / t.half_field
    for m in range(16):
        b[n, m] = 1.0
        b[n + d, m] = 1.0
        b[n + 1, m] = s[m] * scale
        b[n + d + 1, m] = s[16 + m] * scale
    for k in range(1, t.degree):
        u, w = (2.0 * k + 1.0) / (k + 1.0), k / (k + 1.0)
        for o in (n, n + d):
            for m in range(16):
                b[o + k + 1, m] = u * b[o + 1, m] * b[o + k, m] - w * b[o + k - 1, m]
    for q in range(n):
        kx, ky = n + t.k_x[q], n + d + t.k_y[q]
        for m in range(16):
            b[q, m] = b[kx, m] * b[ky, m]


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def distorted(t, j, s, b, d):  # pragma: no cover
    """Fill the distortion and its gradient by x and y at `s`; calls `polynomials`.

    Rows of `d`: shift of x [mas], of y [mas], d(x)/dx, d(x)/dy, d(y)/dx, d(y)/dy with the identity.
    """
    polynomials(t, s, b)
    n, size, k = len(t.k_x), t.degree + 1, t.block[j]
    scale = MAS / t.half_field
    slope = n + 2 * size
    for o in (0, size):
        for m in range(16):
            b[slope + o, m] = 0.0
            b[slope + o + 1, m] = 1.0
        for q in range(1, t.degree):
            for m in range(16):
                b[slope + o + q + 1, m] = (
                    b[slope + o + q - 1, m] + (2.0 * q + 1.0) * b[n + o + q, m]
                )
    for m in range(16):
        d[m], d[16 + m], d[32 + m], d[48 + m], d[64 + m], d[80 + m] = 0.0, 0.0, 1.0, 0.0, 0.0, 1.0
    for q in range(n):
        cx, cy = t.coefficients[k, 0, q], t.coefficients[k, 1, q]
        px, py = n + t.k_x[q], n + size + t.k_y[q]
        sx, sy = slope + t.k_x[q], slope + size + t.k_y[q]
        for m in range(16):
            d[m] += cx * b[q, m]
            d[16 + m] += cy * b[q, m]
        for m in range(16):
            by_x, by_y = scale * b[sx, m] * b[py, m], scale * b[px, m] * b[sy, m]
            d[32 + m] += cx * by_x
            d[48 + m] += cx * by_y
            d[64 + m] += cy * by_x
            d[80 + m] += cy * by_y


@compiled(nogil=True, error_model="numpy", fastmath=FAST)
def scratch(t):  # pragma: no cover
    """Scratch of a strip: geometry, polynomials with their slopes, distortion with its gradient."""
    n = len(t.k_x) + 4 * (t.degree + 1)
    return np.zeros(16 * 12), np.zeros((n, 16)), np.zeros(16 * 6)
