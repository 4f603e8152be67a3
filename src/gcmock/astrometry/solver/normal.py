"""Sweeps over the observations: residuals, gradients and blocks of the normal matrix.

All blocks but those between stars and instrument are small and are kept as they are; the blocks
between stars and instrument are filled for groups of stars (`source_rows`) or of visits
(`visit_rows`) by whoever eliminates them. Sweeps run in threads over ranges of stars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.astrometry.solver.problem import (
    N_PARAMETER,
    Floats,
    Problem,
    Shift,
    Unknowns,
    source_shift,
)
from gcmock.astrometry.solver.rows import Arrays, arrays
from gcmock.astrometry.solver.sweeps import (
    sweep_blocks,
    sweep_dense,
    sweep_gradient,
    sweep_residuals,
    sweep_source_blocks,
    sweep_source_rows,
    sweep_square,
    sweep_visit_rows,
)
from gcmock.pool import in_order


@dataclass(frozen=True)
class Blocks:
    """Blocks of the normal matrix that do not connect stars with the instrument.

    Attributes
    ----------
    sources : ndarray, shape (n_source, 5, 5)
        With the prior.
    visits : ndarray, shape (n_visit, 3, 3)
    visit_terms : ndarray, shape (n_visit, 3, n_term)
        Between a visit and the distortion of its block.
    terms : ndarray, shape (n_block, n_term, n_term)
    gradient : Shift
        Right-hand side, with the prior.
    block : ndarray of int64, shape (n_visit,)
        Block of each visit.
    chi2 : ndarray, shape (n_source,)
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
    order, first : ndarray of int64, shape (n_observation,), (n_visit + 1,)
    source : ndarray of int64, shape (n_observation,)
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
        return list(in_order(lambda rows: one(*rows), self._ranges, len(self._ranges)))

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
            sweep_blocks(self.arrays, start, stop, n, g, chi2, *out)
            return out

        vv, vt, tt, gv, gt = (sum(part) for part in zip(*self._sweep(one), strict=True))
        g += np.einsum("nij,nj->ni", p, self.prior_offset())
        return Blocks(n + p, vv, vt, tt, Shift(g, gv, gt), problem.visits.block, chi2)

    def source_blocks(self) -> tuple[Floats, Floats, Floats]:
        """Return the part of `blocks` that belongs to stars: matrices, right-hand sides, chi2."""
        problem = self.problem
        n, p = np.zeros((problem.n_source, 5, 5)), problem.prior.precision
        g, chi2 = np.zeros((problem.n_source, N_PARAMETER)), np.zeros(problem.n_source)
        self._sweep(lambda start, stop: sweep_source_blocks(self.arrays, start, stop, n, g, chi2))
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
        """Multiply a shift with the normal matrix, A'W A shift, with or without the prior."""
        g = self._gradient(shift, 0.0).scaled(-1.0)
        if not prior:
            return g
        known = np.einsum("nij,nj->ni", self.problem.prior.precision, shift.sources)
        return Shift(g.sources + known, g.attitude, g.coefficients)

    def square(self, shift: Shift) -> float:
        """Sum of squares of the whitened rows times a shift, |A shift|^2, without the prior."""
        ds, dv, dt = shift.sources, shift.attitude, shift.coefficients
        return float(sum(self._sweep(lambda a, b: sweep_square(self.arrays, a, b, ds, dv, dt))))

    def _gradient(self, shift: Shift, factor: float) -> Shift:
        """A'W (factor r - A shift)."""
        problem = self.problem
        d = problem.distortion
        g = np.zeros((problem.n_source, N_PARAMETER))

        def one(start: int, stop: int) -> tuple[Floats, Floats]:
            out = np.zeros((problem.n_visit, 3)), np.zeros((d.n_block, d.n_term))
            ds, dv, dt = shift.sources, shift.attitude, shift.coefficients
            sweep_gradient(self.arrays, start, stop, factor, ds, dv, dt, g, *out)
            return out

        gv, gt = (sum(part) for part in zip(*self._sweep(one), strict=True))
        return Shift(g, gv, gt)

    def residuals(self) -> Floats:
        """Whitened residuals, shape (n_observation, 2)."""
        out = np.zeros((self.problem.n_observation, 2))
        self._sweep(lambda start, stop: sweep_residuals(self.arrays, start, stop, out))
        return out

    def prior_chi2(self) -> Floats:
        """Square of the prior's deviation per star, shape (n_source,)."""
        offset = self.prior_offset()
        return np.einsum("ni,nij,nj->n", offset, self.problem.prior.precision, offset)

    def source_rows(
        self,
        members: NDArray[np.int64],
        visit_column: NDArray[np.int64],
        term_column: NDArray[np.int64],
        n_column: int,
    ) -> Floats:
        """Fill the normal matrix between stars and instrument, dense, shape (5 n_member, n_column).

        Parameters
        ----------
        members : ndarray of int64, shape (n_member,)
            Stars.
        visit_column : int64 array (n_visit,), term_column : int64 array (n_block,)
            First column of a visit and of a block; all that the members need.
        n_column : int
        """
        out = np.zeros((len(members), N_PARAMETER, n_column))
        sweep_source_rows(self.arrays, members, visit_column, term_column, out)
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
        """Fill the normal matrix between visits and stars, dense, shape (n_member, 3, n_column).

        Parameters
        ----------
        order : VisitOrder
        visits : ndarray of int64, shape (n_member,)
        column : ndarray of int64, shape (n_source,)
            First column of a star; all that the members see.
        n_column : int
        mixing : ndarray, shape (n_visit, 3, n_term)
            N_vv^-1 N_vt of the visits: how far the attitude takes up the distortion.
        slot : ndarray of int64, shape (n_member,)
            Place of the block of each member in `terms`.
        terms : ndarray, shape (n_slot, n_term, 5 n_source)
            The matrix between distortion and stars with these visits eliminated is added to it.
        """
        rows = np.zeros((len(visits), 3, n_column))
        sweep_visit_rows(
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
        sweep_dense(self.arrays, n_s, n_v, design)
        right = self.residuals().ravel()
        root = np.zeros((n_s, design.shape[1]))
        offset = np.zeros(n_s)
        for i, (p, o) in enumerate(zip(problem.prior.precision, self.prior_offset(), strict=True)):
            if p.any():
                upper = np.linalg.cholesky(p).T
                root[5 * i : 5 * i + 5, 5 * i : 5 * i + 5] = upper
                offset[5 * i : 5 * i + 5] = upper @ o
        return np.vstack([design, root]), np.concatenate([right, offset])


def _ranges(first: NDArray[np.int64], workers: int) -> list[tuple[int, int]]:
    """Ranges of stars with about the same number of observations."""
    edges = np.searchsorted(first, np.linspace(0, first[-1], workers + 1)[1:-1])
    edges = np.unique([0, *edges, len(first) - 1])
    return [(int(a), int(b)) for a, b in pairwise(edges)] or [(0, 0)]
