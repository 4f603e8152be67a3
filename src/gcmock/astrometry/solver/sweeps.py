"""Compiled: sums over the observations of ranges of stars.

Arguments are the arrays of a linearised problem (`Arrays`), the range of stars or the members of a
group, shifts (ds, dv, dt: stars, visits, distortion), and the arrays to which results are added;
`gcmock.astrometry.solver.normal` says what they mean.
"""

from __future__ import annotations

import numpy as np

from gcmock.astrometry.solver.rows import FIELD, observe_row, scratch_compiled
from gcmock.compilation import compiled


@compiled(nogil=True, error_model="numpy")
def sweep_blocks(a, start, stop, n, g, chi2, vv, vt, tt, gv, gt):  # pragma: no cover
    """Add up the blocks of the normal matrix; see `Linearisation.blocks`."""
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            j = a.visit[o]
            k = a.block[j]
            for axis in range(2):
                t0, t1 = (0, nx) if axis == 0 else (nx, nt)
                res = r[axis]
                chi2[i] += res * res
                for p in range(5):
                    g[i, p] += row[axis, p] * res
                    for q in range(5):
                        n[i, p, q] += row[axis, p] * row[axis, q]
                for p in range(3):
                    u = row[axis, 5 + p]
                    gv[j, p] += u * res
                    for q in range(3):
                        vv[j, p, q] += u * row[axis, 5 + q]
                    for q in range(t0, t1):
                        vt[j, p, q] += u * row[axis, FIELD + q]
                for p in range(t0, t1):
                    u = row[axis, FIELD + p]
                    gt[k, p] += u * res
                    for q in range(t0, t1):
                        tt[k, p, q] += u * row[axis, FIELD + q]


@compiled(nogil=True, error_model="numpy")
def sweep_source_blocks(a, start, stop, n, g, chi2):  # pragma: no cover
    """Add up the blocks of stars; see `Linearisation.source_blocks`."""
    row, r, poly = scratch_compiled(a)
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            for axis in range(2):
                res = r[axis]
                chi2[i] += res * res
                for p in range(5):
                    g[i, p] += row[axis, p] * res
                    for q in range(5):
                        n[i, p, q] += row[axis, p] * row[axis, q]


@compiled(nogil=True, error_model="numpy")
def sweep_gradient(a, start, stop, factor, ds, dv, dt, g, gv, gt):  # pragma: no cover
    """Add A'W (factor r - A shift)."""
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            j = a.visit[o]
            k = a.block[j]
            for axis in range(2):
                t0, t1 = (0, nx) if axis == 0 else (nx, nt)
                res = factor * r[axis]
                for p in range(5):
                    res -= row[axis, p] * ds[i, p]
                for p in range(3):
                    res -= row[axis, 5 + p] * dv[j, p]
                for p in range(t0, t1):
                    res -= row[axis, FIELD + p] * dt[k, p]
                for p in range(5):
                    g[i, p] += row[axis, p] * res
                for p in range(3):
                    gv[j, p] += row[axis, 5 + p] * res
                for p in range(t0, t1):
                    gt[k, p] += row[axis, FIELD + p] * res


@compiled(nogil=True, error_model="numpy")
def sweep_square(a, start, stop, ds, dv, dt):  # pragma: no cover
    """Return |A shift|^2."""
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    total = 0.0
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            j = a.visit[o]
            k = a.block[j]
            for axis in range(2):
                t0, t1 = (0, nx) if axis == 0 else (nx, nt)
                s = 0.0
                for p in range(5):
                    s += row[axis, p] * ds[i, p]
                for p in range(3):
                    s += row[axis, 5 + p] * dv[j, p]
                for p in range(t0, t1):
                    s += row[axis, FIELD + p] * dt[k, p]
                total += s * s
    return total


@compiled(nogil=True, error_model="numpy")
def sweep_residuals(a, start, stop, out):  # pragma: no cover
    """Fill the whitened residuals."""
    row, r, poly = scratch_compiled(a)
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            out[o, 0], out[o, 1] = r[0], r[1]


@compiled(nogil=True, error_model="numpy")
def sweep_source_rows(a, members, visit_column, term_column, out):  # pragma: no cover
    """Add up the matrix between stars and instrument; see `Linearisation.source_rows`."""
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for m in range(len(members)):
        i = members[m]
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            j = a.visit[o]
            cv, ct = visit_column[j], term_column[a.block[j]]
            for axis in range(2):
                t0, t1 = (0, nx) if axis == 0 else (nx, nt)
                for p in range(5):
                    u = row[axis, p]
                    for q in range(3):
                        out[m, p, cv + q] += u * row[axis, 5 + q]
                    for q in range(t0, t1):
                        out[m, p, ct + q] += u * row[axis, FIELD + q]


@compiled(nogil=True, error_model="numpy")
def sweep_visit_rows(
    a, order, first, source_of, visits, column, mixing, slot, rows, terms
):  # pragma: no cover
    """Add up the matrix between visits and stars; see `Linearisation.visit_rows`."""
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    free = np.zeros(nt)
    for m in range(len(visits)):
        j = visits[m]
        for s in range(first[j], first[j + 1]):
            o = order[s]
            i = source_of[o]
            c = column[i]
            observe_row(a, i, o, row, r, poly)
            for axis in range(2):
                t0, t1 = (0, nx) if axis == 0 else (nx, nt)
                for t in range(nt):
                    free[t] = row[axis, FIELD + t] if t0 <= t < t1 else 0.0
                    for p in range(3):
                        free[t] -= mixing[j, p, t] * row[axis, 5 + p]
                for q in range(5):
                    u = row[axis, q]
                    for p in range(3):
                        rows[m, p, c + q] += u * row[axis, 5 + p]
                for t in range(nt):
                    for q in range(5):
                        terms[slot[m], t, 5 * i + q] += row[axis, q] * free[t]


@compiled(nogil=True, error_model="numpy")
def sweep_dense(a, n_s, n_v, design):  # pragma: no cover
    """Fill the whole design matrix."""
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for i in range(len(a.first) - 1):
        for o in range(a.first[i], a.first[i + 1]):
            observe_row(a, i, o, row, r, poly)
            j = a.visit[o]
            k = a.block[j]
            for axis in range(2):
                t0, t1 = (0, nx) if axis == 0 else (nx, nt)
                line = 2 * o + axis
                for p in range(5):
                    design[line, 5 * i + p] = row[axis, p]
                for p in range(3):
                    design[line, n_s + 3 * j + p] = row[axis, 5 + p]
                for p in range(t0, t1):
                    design[line, n_s + n_v + k * nt + p] = row[axis, FIELD + p]
