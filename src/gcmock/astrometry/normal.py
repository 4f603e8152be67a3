"""Sweeps over the observations: residuals, gradients and blocks of the normal matrix.

All blocks but those between stars and instrument are small and are kept as they are; the blocks
between stars and instrument are filled for groups of stars (`source_rows`) or of visits
(`visit_rows`) by whoever eliminates them. Sweeps run in threads over ranges of stars.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.astrometry.problem import N_PARAMETER, Floats, Problem, Shift, Unknowns, source_shift
from gcmock.astrometry.rows import FIELD, Arrays, arrays, observe, scratch_compiled
from gcmock.compilation import compiled


@dataclass(frozen=True)
class Blocks:
    """Blocks of the normal matrix that do not connect stars with the instrument.

    Attributes
    ----------
    sources : array (n_source, 5, 5)
        With the prior.
    visits : array (n_visit, 3, 3)
    visit_terms : array (n_visit, 3, n_term)
        Between a visit and the distortion of its block.
    terms : array (n_block, n_term, n_term)
    gradient : Shift
        Right-hand side, with the prior.
    block : int64 array (n_visit,)
        Block of each visit.
    chi2 : array (n_source,)
        Sums of squares of the whitened residuals of each star, without the prior.
    """

    sources: Floats
    visits: Floats
    visit_terms: Floats
    terms: Floats
    gradient: Shift
    block: NDArray[np.int64]
    chi2: Floats


@dataclass(frozen=True)
class VisitOrder:
    """Observations by visit: ``order[first[j]:first[j + 1]]`` are those of visit j.

    Attributes
    ----------
    order, first : int64 arrays (n_observation,), (n_visit + 1,)
    source : int64 array (n_observation,)
        Star of each observation.
    """

    order: NDArray[np.int64]
    first: NDArray[np.int64]
    source: NDArray[np.int64]

    @classmethod
    def of(cls, problem: Problem) -> VisitOrder:
        """Sort the observations of a problem."""
        counts = np.bincount(problem.visit, minlength=problem.n_visit)
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        order = np.argsort(problem.visit, kind="stable").astype(np.int64)
        source = np.repeat(np.arange(problem.n_source), np.diff(problem.first))
        return cls(order, first, source)

    def stars(self, visits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Stars that some of the visits see, ascending."""
        seen = [self.order[self.first[j] : self.first[j + 1]] for j in visits]
        return np.unique(self.source[np.concatenate(seen)])


class Linearisation:
    """A problem at given unknowns, and the sweeps over it.

    Parameters
    ----------
    problem : Problem
    unknowns : Unknowns
        Where the equations are linearised.
    workers : int
        Threads.
    """

    def __init__(self, problem: Problem, unknowns: Unknowns, workers: int = 1) -> None:
        self.problem, self.unknowns = problem, unknowns
        self.arrays: Arrays = arrays(problem, unknowns)
        self._ranges = _ranges(problem.first, workers)

    def _sweep(self, one: Callable[[int, int], Any]) -> list[Any]:
        if len(self._ranges) == 1:
            return [one(*self._ranges[0])]
        with ThreadPoolExecutor(len(self._ranges)) as pool:
            return list(pool.map(lambda r: one(*r), self._ranges))

    def prior_offset(self) -> Floats:
        """Prior minus present values, shape (n_source, 5); zero where there is no prior."""
        prior = self.problem.prior
        rows = np.flatnonzero(prior.precision[:, 0, 0] > 0)
        offset = np.zeros_like(prior.mean)
        offset[rows] = source_shift(prior.mean[rows], self.unknowns.sources[rows])
        return offset

    def blocks(self) -> Blocks:
        """Fill the blocks of the normal matrix and the right-hand side."""
        problem = self.problem
        d = problem.distortion
        n, p = np.zeros((problem.n_source, 5, 5)), problem.prior.precision
        g, chi2 = np.zeros((problem.n_source, N_PARAMETER)), np.zeros(problem.n_source)

        def one(start: int, stop: int) -> tuple[Floats, ...]:
            out = (
                np.zeros((problem.n_visit, 3, 3)),
                np.zeros((problem.n_visit, 3, d.n_term)),
                np.zeros((d.n_block, d.n_term, d.n_term)),
                np.zeros((problem.n_visit, 3)),
                np.zeros((d.n_block, d.n_term)),
            )
            _blocks(self.arrays, start, stop, n, g, chi2, *out)
            return out

        vv, vt, tt, gv, gt = (sum(part) for part in zip(*self._sweep(one), strict=True))
        g += np.einsum("nij,nj->ni", p, self.prior_offset())
        return Blocks(n + p, vv, vt, tt, Shift(g, gv, gt), problem.visits.block, chi2)

    def source_blocks(self) -> tuple[Floats, Floats, Floats]:
        """The part of `blocks` that belongs to stars: matrices, right-hand sides, chi2."""
        problem = self.problem
        n, p = np.zeros((problem.n_source, 5, 5)), problem.prior.precision
        g, chi2 = np.zeros((problem.n_source, N_PARAMETER)), np.zeros(problem.n_source)
        self._sweep(lambda start, stop: _source_blocks(self.arrays, start, stop, n, g, chi2))
        return n + p, g + np.einsum("nij,nj->ni", p, self.prior_offset()), chi2

    def gradient(self) -> Shift:
        """Right-hand side of the normal equations, A'W r, with the prior."""
        g = self._gradient(self.problem.no_shift(), 1.0)
        precision = self.problem.prior.precision
        return Shift(
            g.sources + np.einsum("nij,nj->ni", precision, self.prior_offset()),
            g.attitude,
            g.coefficients,
        )

    def product(self, shift: Shift, *, prior: bool = True) -> Shift:
        """Normal matrix times a shift, A'W A shift, with or without the prior."""
        g = self._gradient(shift, 0.0).scaled(-1.0)
        if not prior:
            return g
        known = np.einsum("nij,nj->ni", self.problem.prior.precision, shift.sources)
        return Shift(g.sources + known, g.attitude, g.coefficients)

    def square(self, shift: Shift) -> float:
        """Sum of squares of the whitened rows times a shift, |A shift|^2, without the prior."""
        ds, dv, dt = shift.sources, shift.attitude, shift.coefficients
        return float(sum(self._sweep(lambda a, b: _square(self.arrays, a, b, ds, dv, dt))))

    def _gradient(self, shift: Shift, factor: float) -> Shift:
        """A'W (factor r - A shift)."""
        problem = self.problem
        d = problem.distortion
        g = np.zeros((problem.n_source, N_PARAMETER))

        def one(start: int, stop: int) -> tuple[Floats, Floats]:
            out = np.zeros((problem.n_visit, 3)), np.zeros((d.n_block, d.n_term))
            ds, dv, dt = shift.sources, shift.attitude, shift.coefficients
            _gradient(self.arrays, start, stop, factor, ds, dv, dt, g, *out)
            return out

        gv, gt = (sum(part) for part in zip(*self._sweep(one), strict=True))
        return Shift(g, gv, gt)

    def residuals(self) -> Floats:
        """Whitened residuals, shape (n_observation, 2)."""
        out = np.zeros((self.problem.n_observation, 2))
        self._sweep(lambda start, stop: _residuals(self.arrays, start, stop, out))
        return out

    def prior_chi2(self) -> Floats:
        """Square of the prior's deviation per star, shape (n_source,)."""
        offset = self.prior_offset()
        return np.einsum("ni,nij,nj->n", offset, self.problem.prior.precision, offset)

    def source_rows(
        self, members: NDArray[np.int64], visit_column: NDArray[np.int64],
        term_column: NDArray[np.int64], n_column: int,
    ) -> Floats:
        """Normal matrix between stars and instrument, dense, shape (5 n_member, n_column).

        Parameters
        ----------
        members : int64 array (n_member,)
            Stars.
        visit_column : int64 array (n_visit,), term_column : int64 array (n_block,)
            First column of a visit and of a block; all that the members need.
        n_column : int
        """
        out = np.zeros((len(members), N_PARAMETER, n_column))
        _source_rows(self.arrays, members, visit_column, term_column, out)
        return out.reshape(-1, n_column)

    def visit_rows(
        self,
        order: VisitOrder,
        visits: NDArray[np.int64],
        column: NDArray[np.int64],
        n_column: int,
        mixing: Floats,
        slot: NDArray[np.int64],
        terms: Floats,
    ) -> Floats:
        """Normal matrix between visits and stars, dense, shape (n_member, 3, n_column).

        Parameters
        ----------
        order : VisitOrder
        visits : int64 array (n_member,)
        column : int64 array (n_source,)
            First column of a star; all that the members see.
        n_column : int
        mixing : array (n_visit, 3, n_term)
            N_vv^-1 N_vt of the visits: how far the attitude takes up the distortion.
        slot : int64 array (n_member,)
            Place of the block of each member in `terms`.
        terms : array (n_slot, n_term, 5 n_source)
            The matrix between distortion and stars with these visits eliminated is added to it.
        """
        rows = np.zeros((len(visits), 3, n_column))
        _visit_rows(
            self.arrays,
            order.order,
            order.first,
            order.source,
            visits,
            column,
            mixing,
            slot,
            rows,
            terms,
        )
        return rows

    def dense_design(self) -> tuple[Floats, Floats]:
        """All whitened equations as one dense matrix and right-hand side: for small checks.

        Columns are stars, visits, blocks; the prior follows the observations as five rows per star.
        """
        problem = self.problem
        n_s, n_v = 5 * problem.n_source, 3 * problem.n_visit
        design = np.zeros((2 * problem.n_observation, n_s + problem.n_instrument))
        _dense(self.arrays, n_s, n_v, design)
        right = self.residuals().ravel()
        root = np.zeros((n_s, design.shape[1]))
        offset = np.zeros(n_s)
        for i, (p, o) in enumerate(
            zip(problem.prior.precision, self.prior_offset(), strict=True)
        ):
            if p.any():
                upper = np.linalg.cholesky(p).T
                root[5 * i : 5 * i + 5, 5 * i : 5 * i + 5] = upper
                offset[5 * i : 5 * i + 5] = upper @ o
        return np.vstack([design, root]), np.concatenate([right, offset])


def _ranges(first: NDArray[np.int64], workers: int) -> list[tuple[int, int]]:
    """Ranges of stars with about the same number of observations."""
    edges = np.searchsorted(first, np.linspace(0, first[-1], workers + 1)[1:-1])
    edges = np.unique([0, *edges, len(first) - 1])
    return [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)] or [(0, 0)]


@compiled(nogil=True, error_model="numpy")
def _blocks(a, start, stop, n, g, chi2, vv, vt, tt, gv, gt):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
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
def _source_blocks(a, start, stop, n, g, chi2):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
            for axis in range(2):
                res = r[axis]
                chi2[i] += res * res
                for p in range(5):
                    g[i, p] += row[axis, p] * res
                    for q in range(5):
                        n[i, p, q] += row[axis, p] * row[axis, q]


@compiled(nogil=True, error_model="numpy")
def _gradient(a, start, stop, factor, ds, dv, dt, g, gv, gt):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
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
def _square(a, start, stop, ds, dv, dt):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    total = 0.0
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
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
def _residuals(a, start, stop, out):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    for i in range(start, stop):
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
            out[o, 0], out[o, 1] = r[0], r[1]


@compiled(nogil=True, error_model="numpy")
def _source_rows(a, members, visit_column, term_column, out):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for m in range(len(members)):
        i = members[m]
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
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
def _visit_rows(
    a, order, first, source_of, visits, column, mixing, slot, rows, terms
):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    free = np.zeros(nt)
    for m in range(len(visits)):
        j = visits[m]
        for s in range(first[j], first[j + 1]):
            o = order[s]
            i = source_of[o]
            c = column[i]
            observe(a, i, o, row, r, poly)
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
def _dense(a, n_s, n_v, design):  # pragma: no cover
    row, r, poly = scratch_compiled(a)
    nt, nx = len(a.degrees), a.n_x
    for i in range(len(a.first) - 1):
        for o in range(a.first[i], a.first[i + 1]):
            observe(a, i, o, row, r, poly)
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
