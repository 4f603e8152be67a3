"""Elimination of the stars: the reduced normal matrix of attitude and distortion.

With N_ss, N_si, N_ii the blocks of the normal matrix (stars, instrument), the reduced matrix is
S = N_ii - N_is N_ss^-1 N_si, the Schur complement (structure of the normal matrix: Bombrun et
al. 2010, A&A 516, A77). N_ss is block diagonal, with the Cholesky factors L of its 5 x 5 blocks; a
group of stars of one sky cell subtracts H'H with H = L^-1 N_si on the columns that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from gcmock.astrometry.solver.dense import gathered, subtract_product
from gcmock.astrometry.solver.grouping import sky_groups
from gcmock.astrometry.solver.normal import Blocks, Linearisation
from gcmock.astrometry.solver.problem import Floats, Problem, Shift
from gcmock.astrometry.solver.reduced import Covariance, Reduced
from gcmock.progress import Progress

GROUP_SIZE = 200
"""Stars in a group: a few thousand columns and 1,000 rows keep BLAS busy."""


class SourcesFirst(Reduced):
    """Normal equations with the stars eliminated; see `Reduced`."""

    name = "sources"

    def _eliminate(self) -> None:
        self._root = inverse_root(self.blocks.sources)
        sources = self.linearisation.unknowns.sources
        self.groups = sky_groups(sources[:, 0], sources[:, 1], GROUP_SIZE)

    def _matrix(self, update: Progress | None) -> Floats:
        problem = self.linearisation.problem
        matrix = instrument_matrix(self.blocks)
        done = 0
        for members, columns, rows in source_groups(self.linearisation, self.groups):
            subtract_product(matrix, _whitened(self._root[members], rows), columns)
            done += len(members)
            if update:
                update(done, problem.n_source)
        return matrix

    def start_vectors(self, shifts: Sequence[Shift]) -> Floats:
        """Return the part of shifts that stays in the reduced equations, shape (n, k)."""
        return np.array([shift.instrument for shift in shifts]).T

    def expanded(self, vector: Floats) -> Shift:
        """Return a direction of the reduced unknowns, with the stars following it."""
        shift = self.linearisation.problem.no_shift().with_instrument(vector)
        return Shift(
            -times(self._root, self.linearisation.product(shift).sources),
            shift.attitude,
            shift.coefficients,
        )

    def solve(self, right: Shift) -> Shift:
        """Solve the normal equations for any right-hand side."""
        none = np.zeros_like(right.sources)
        first = Shift(times(self._root, right.sources), right.attitude, right.coefficients)
        zero = right.with_instrument(np.zeros(len(right.instrument)))
        product = self.linearisation.product(Shift(first.sources, zero.attitude, zero.coefficients))
        instrument = self.factor.solve(right.instrument - product.instrument)
        shift = Shift(none, right.attitude, right.coefficients).with_instrument(instrument)
        back = right.sources - self.linearisation.product(shift).sources
        return Shift(times(self._root, back), shift.attitude, shift.coefficients)

    def covariance(
        self,
        update: Progress | None = None,
        *,
        instrument: bool = True,
        invert: Progress | None = None,
    ) -> Covariance:
        """Return covariances of all unknowns; that of the instrument is there anyhow."""
        matrix = self.factor.inverse(invert)
        del self.factor
        problem = self.linearisation.problem
        sources = star_covariance(self.linearisation, self._root, self.groups, matrix, update)
        attitude, coefficients = diagonal_blocks(matrix, problem)
        return Covariance(sources, attitude, coefficients, matrix)


def star_covariance(
    linearisation: Linearisation,
    root: Floats,
    groups: list[NDArray[np.int64]],
    instrument: Floats,
    update: Progress | None = None,
) -> Floats:
    """Covariance of stars with that of the instrument: N^-1 + N^-1 N_si C N_is N^-1.

    Parameters
    ----------
    linearisation : Linearisation
    root : ndarray, shape (n_source, 5, 5)
        From `inverse_root`.
    groups : list of ndarray of int64
    instrument : ndarray, shape (n_instrument, n_instrument)
        C, its lower triangle.
    update : callable, optional

    Returns
    -------
    ndarray, shape (n_source, 5, 5)
    """
    out = np.einsum("nki,nkj->nij", root, root)
    done = 0
    for members, columns, rows in source_groups(linearisation, groups):
        h = _whitened(root[members], rows)
        middle = gathered(instrument, columns)
        # Fortran order: h.T is (n_column, n_row)
        t = blas.dsymm(1.0, middle, h.T, lower=1).T.reshape(len(members), 5, -1)
        inner = np.matmul(h.reshape(len(members), 5, -1), t.transpose(0, 2, 1))
        r = root[members]
        out[members] += np.matmul(r.transpose(0, 2, 1), np.matmul(inner, r))
        done += len(members)
        if update:
            update(done, linearisation.problem.n_source)
    return out


def source_groups(
    linearisation: Linearisation, groups: list[NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]:
    """Yield members, columns of the reduced matrix, and the dense rows N_si of each group."""
    problem = linearisation.problem
    n_visit, n_term = problem.n_visit, problem.distortion.n_term
    for members in groups:
        seen = np.concatenate(
            [problem.visit[problem.first[i] : problem.first[i + 1]] for i in members]
        )
        visits = np.flatnonzero(np.bincount(seen, minlength=n_visit))
        blocks = np.flatnonzero(np.bincount(problem.visits.block[visits]))
        visit_column = np.full(n_visit, -1, dtype=np.int64)
        visit_column[visits] = 3 * np.arange(len(visits))
        term_column = np.full(problem.distortion.n_block, -1, dtype=np.int64)
        term_column[blocks] = 3 * len(visits) + n_term * np.arange(len(blocks))
        columns = np.concatenate(
            [
                (3 * visits[:, None] + np.arange(3)).ravel(),
                (3 * n_visit + n_term * blocks[:, None] + np.arange(n_term)).ravel(),
            ]
        )
        rows = linearisation.source_rows(members, visit_column, term_column, len(columns))
        yield members, columns, rows


def instrument_matrix(blocks: Blocks) -> Floats:
    """Return the normal matrix of the instrument, dense, lower triangle, Fortran order."""
    n_visit, n_block = len(blocks.visits), len(blocks.terms)
    n_term = blocks.terms.shape[1]
    n = 3 * n_visit + n_block * n_term
    matrix = np.zeros((n, n), order="F")
    v = 3 * np.arange(n_visit)[:, None, None]
    three, many = np.arange(3), np.arange(n_term)
    matrix[v + three[:, None], v + three] = blocks.visits
    block = blocks.block[:, None, None]
    matrix[3 * n_visit + n_term * block + many[:, None], v + three] = np.swapaxes(
        blocks.visit_terms, 1, 2
    )
    t = 3 * n_visit + n_term * np.arange(n_block)[:, None, None]
    matrix[t + many[:, None], t + many] = blocks.terms
    return matrix


def diagonal_blocks(matrix: Floats, problem: Problem) -> tuple[Floats, Floats]:
    """Blocks of visits (n_visit, 3, 3) and distortion (n_block, n_term, n_term) of a covariance."""
    n_v, n_t = 3 * problem.n_visit, problem.distortion.n_term
    return (
        _blocks_of(matrix, 0, problem.n_visit, 3),
        _blocks_of(matrix, n_v, problem.distortion.n_block, n_t),
    )


def _blocks_of(matrix: Floats, start: int, n: int, size: int) -> Floats:
    at = start + size * np.arange(n)[:, None, None]
    i, j = np.arange(size)[:, None], np.arange(size)
    return matrix[at + np.maximum(i, j), at + np.minimum(i, j)]


def inverse_root(matrices: Floats) -> Floats:
    """Inverse Cholesky factors R of positive definite matrices N: R N R' = 1, N^-1 = R'R.

    Parameters
    ----------
    matrices : ndarray, shape (n, m, m)

    Returns
    -------
    ndarray, shape (n, m, m)
        Lower triangular.

    Raises
    ------
    numpy.linalg.LinAlgError
        If one is not positive definite.
    """
    diagonal = np.einsum("nii->ni", matrices)
    if not (diagonal > 0.0).all():
        raise np.linalg.LinAlgError("an unknown has no observations")
    scale = 1.0 / np.sqrt(diagonal)
    scaled = matrices * scale[:, :, None] * scale[:, None, :]
    return np.linalg.inv(np.linalg.cholesky(scaled)) * scale[:, None, :]


def times(root: Floats, vectors: Floats) -> Floats:
    """N^-1 v for many small matrices given by `inverse_root`."""
    return np.einsum("nki,nkj,nj->ni", root, root, vectors, optimize=True)


def _whitened(root: Floats, rows: Floats) -> Floats:
    """L^-1 times the rows of each star, shape (5 n_member, n_column)."""
    n_column = rows.shape[1]
    return np.matmul(root, rows.reshape(len(root), 5, n_column)).reshape(-1, n_column)
