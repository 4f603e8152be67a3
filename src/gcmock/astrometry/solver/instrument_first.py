"""Elimination of the instrument: the reduced normal matrix of the stars, for many visits.

Visits are eliminated first (3 x 3 blocks), then the distortion of each block; what remains has five
unknowns per star.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from gcmock.astrometry.solver.dense import subtract_product
from gcmock.astrometry.solver.elimination import inverse_root, times
from gcmock.astrometry.solver.grouping import sky_groups
from gcmock.astrometry.solver.normal import Blocks, VisitOrder
from gcmock.astrometry.solver.problem import Floats, Shift
from gcmock.astrometry.solver.reduced import Covariance, Reduced
from gcmock.progress import Progress

GROUP_SIZE = 200
"""Visits in a group."""

BATCH_ROWS = 1500
"""Rows of distortion that are kept dense over all stars at a time."""


class Arrow:
    """The normal matrix of the instrument alone: visits meet in the distortion of their block.

    Parameters
    ----------
    blocks : Blocks

    Raises
    ------
    numpy.linalg.LinAlgError
        If a visit or a block is undetermined even with known stars: `undetermined` says which.
    """

    def __init__(self, blocks: Blocks) -> None:
        self.block = blocks.block
        self.visit_root = inverse_root(blocks.visits)
        root = self.visit_root
        self.mixing = np.matmul(root.transpose(0, 2, 1), np.matmul(root, blocks.visit_terms))
        self.terms = reduced_terms(blocks, self.mixing)
        self.term_root = inverse_root(self.terms)

    def solve(self, right: Shift) -> Shift:
        """Solve for the instrument with the stars fixed; the stars of the result are zero."""
        t = right.coefficients.copy()
        np.subtract.at(t, self.block, np.einsum("jpt,jp->jt", self.mixing, right.attitude))
        t = times(self.term_root, t)
        v = times(self.visit_root, right.attitude)
        v -= np.einsum("jpt,jt->jp", self.mixing, t[self.block])
        return Shift(np.zeros_like(right.sources), v, t)

    def inverse_blocks(self) -> tuple[Floats, Floats]:
        """Blocks of visits and of distortion of the inverse."""
        terms = np.einsum("nki,nkj->nij", self.term_root, self.term_root)
        visits = np.einsum("nki,nkj->nij", self.visit_root, self.visit_root)
        m = self.mixing
        return visits + np.einsum("jps,jst,jqt->jpq", m, terms[self.block], m, optimize=True), terms


def reduced_terms(blocks: Blocks, mixing: Floats) -> Floats:
    """Eliminate the visits from the distortion: matrices (n_block, n_term, n_term)."""
    out = blocks.terms.copy()
    np.subtract.at(out, blocks.block, np.matmul(blocks.visit_terms.transpose(0, 2, 1), mixing))
    return 0.5 * (out + out.transpose(0, 2, 1))


class SourceBatch(NamedTuple):
    """Rows of some blocks and of their visits, whitened.

    Attributes
    ----------
    blocks : ndarray of int64, shape (n_slot,)
    terms : ndarray, shape (n_slot, n_term, 5 n_source)
        Distortion with stars, the visits eliminated; not whitened.
    visits : list of (members, stars, rows)
        Groups of visits, the stars that they see, and the rows of visits with stars, of shape
        (n_member, 3, 5 n_star), not whitened.
    """

    blocks: NDArray[np.int64]
    terms: Floats
    visits: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]


class InstrumentFirst(Reduced):
    """Normal equations with the instrument eliminated; see `Reduced`.

    Its progress counts visits.
    """

    name = "instrument"

    def _eliminate(self) -> None:
        self.arrow = Arrow(self.blocks)
        self._order = VisitOrder.of(self.linearisation.problem)

    def _matrix(self, update: Progress | None) -> Floats:
        problem = self.linearisation.problem
        n = problem.n_source
        matrix = np.zeros((5 * n, 5 * n), order="F")
        at, five = 5 * np.arange(n)[:, None, None], np.arange(5)
        matrix[at + five[:, None], at + five] = self.blocks.sources
        everything = np.arange(5 * n)
        done = 0
        for batch in self._batches():
            for members, stars, rows in batch.visits:
                white = np.matmul(self.arrow.visit_root[members], rows)
                subtract_product(matrix, white.reshape(-1, white.shape[2]), _columns(stars))
                done += len(members)
                if update:
                    update(done, problem.n_visit)
            white = np.matmul(self.arrow.term_root[batch.blocks], batch.terms)
            subtract_product(matrix, white.reshape(-1, 5 * n), everything)
        return matrix

    def _batches(self) -> Iterator[SourceBatch]:
        lin, problem = self.linearisation, self.linearisation.problem
        n_term, n_block = problem.distortion.n_term, problem.distortion.n_block
        step = max(1, BATCH_ROWS // max(n_term, 1))
        for start in range(0, n_block, step):
            blocks = np.arange(start, min(start + step, n_block))
            terms = np.zeros((len(blocks), n_term, 5 * problem.n_source))
            visits = np.flatnonzero(np.isin(problem.visits.block, blocks))
            groups = []
            attitude = lin.unknowns.attitude[visits]
            for chosen in sky_groups(attitude[:, 0], attitude[:, 1], GROUP_SIZE):
                members = visits[chosen]
                stars = self._order.stars(members)
                column = np.full(problem.n_source, -1, dtype=np.int64)
                column[stars] = 5 * np.arange(len(stars))
                slot = problem.visits.block[members] - start
                rows = lin.visit_rows(
                    self._order, members, column, 5 * len(stars), self.arrow.mixing, slot, terms
                )
                groups.append((members, stars, rows))
            yield SourceBatch(blocks, terms, groups)

    def start_vectors(self, shifts: Sequence[Shift]) -> Floats:
        """Return the part of shifts that stays in the reduced equations, shape (n, k)."""
        return np.array([shift.sources.ravel() for shift in shifts]).T

    def expanded(self, vector: Floats) -> Shift:
        """Return a direction of the reduced unknowns, with the instrument following it."""
        none = self.linearisation.problem.no_shift()
        stars = Shift(vector.reshape(-1, 5), none.attitude, none.coefficients)
        back = self.arrow.solve(self.linearisation.product(stars).scaled(-1.0))
        return Shift(stars.sources, back.attitude, back.coefficients)

    def solve(self, right: Shift) -> Shift:
        """Solve the normal equations for any right-hand side."""
        product = self.linearisation.product
        first = self.arrow.solve(right)
        reduced = right.sources - product(first).sources
        sources = self.factor.solve(reduced.ravel()).reshape(-1, 5)
        zero = np.zeros(len(right.instrument))
        stars = Shift(sources, right.attitude, right.coefficients).with_instrument(zero)
        back = self.arrow.solve(right + product(stars).scaled(-1.0))
        return Shift(sources, back.attitude, back.coefficients)

    def covariance(
        self,
        update: Progress | None = None,
        *,
        instrument: bool = True,
        invert: Progress | None = None,
    ) -> Covariance:
        """Return covariances of all unknowns."""
        inverse = self.factor.inverse(invert)
        del self.factor
        problem = self.linearisation.problem
        n, n_v, n_t = problem.n_source, problem.n_visit, problem.distortion.n_term
        at, i, j = 5 * np.arange(n)[:, None, None], np.arange(5)[:, None], np.arange(5)
        sources = inverse[at + np.maximum(i, j), at + np.minimum(i, j)]
        attitude, coefficients = self.arrow.inverse_blocks()
        size = problem.n_instrument
        whole = np.zeros((size if instrument else 0, 5 * n))
        for batch in self._batches():
            terms_of = self._responses(batch)
            for rows, response in terms_of:
                spread = blas.dsymm(1.0, inverse, response.T, lower=1).T
                width = 3 if rows[0] < 3 * n_v else n_t
                parts = response.reshape(-1, width, 5 * n)
                added = np.matmul(parts, spread.reshape(-1, width, 5 * n).transpose(0, 2, 1))
                if width == 3 and rows[-1] < 3 * n_v:
                    attitude[rows[::3] // 3] += added
                else:
                    coefficients[(rows[::width] - 3 * n_v) // n_t] += added
                if instrument:
                    whole[rows] = response
        matrix = self._instrument_covariance(whole, inverse) if instrument else np.zeros((0, 0))
        return Covariance(sources, attitude, coefficients, matrix)

    def _responses(self, batch: SourceBatch) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Rows of d(instrument)/d(stars) of a batch, with their places in the instrument."""
        problem = self.linearisation.problem
        n_v, n_t, n = problem.n_visit, problem.distortion.n_term, problem.n_source
        root = self.arrow.term_root[batch.blocks]
        terms = -np.matmul(root.transpose(0, 2, 1), np.matmul(root, batch.terms))
        places = 3 * n_v + n_t * batch.blocks[:, None] + np.arange(n_t)
        yield places.ravel(), terms.reshape(-1, 5 * n)
        for members, stars, rows in batch.visits:
            root = self.arrow.visit_root[members]
            local = np.matmul(root.transpose(0, 2, 1), np.matmul(root, rows))
            slot = problem.visits.block[members] - batch.blocks[0]
            response = -np.matmul(self.arrow.mixing[members], terms[slot])
            response[:, :, _columns(stars)] -= local
            yield (3 * members[:, None] + np.arange(3)).ravel(), response.reshape(-1, 5 * n)

    def _instrument_covariance(self, response: Floats, inverse: Floats) -> Floats:
        """Covariance of the whole instrument: of the arrow, and what the stars add."""
        problem = self.linearisation.problem
        spread = blas.dsymm(1.0, inverse, response.T, lower=1)
        matrix = blas.dgemm(1.0, response.T, spread, trans_a=1)
        n_t, n_v, m = problem.distortion.n_term, problem.n_visit, self.arrow.mixing
        term_root, visit_root = self.arrow.term_root, self.arrow.visit_root
        terms = np.einsum("nki,nkj->nij", term_root, term_root)
        for k in range(problem.distortion.n_block):
            visits = np.flatnonzero(problem.visits.block == k)
            places = (3 * visits[:, None] + np.arange(3)).ravel()
            mixed = m[visits].reshape(-1, n_t)
            block = 3 * n_v + n_t * k + np.arange(n_t)
            matrix[np.ix_(places, places)] += mixed @ terms[k] @ mixed.T
            matrix[np.ix_(block, places)] -= terms[k] @ mixed.T
            matrix[np.ix_(places, block)] -= mixed @ terms[k]
            matrix[np.ix_(block, block)] += terms[k]
        own = np.einsum("nki,nkj->nij", visit_root, visit_root)
        v = 3 * np.arange(n_v)[:, None, None]
        matrix[v + np.arange(3)[:, None], v + np.arange(3)] += own
        return matrix


def _columns(stars: NDArray[np.int64]) -> NDArray[np.int64]:
    return (5 * stars[:, None] + np.arange(5)).ravel()
