"""The reduced normal matrix: scaling, Cholesky factorisation in place, null space, inverse.

One square array holds everything: its lower triangle becomes the factor and then the inverse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from gcmock.astrometry.solver.cholesky import PivotError, factorise_lower, invert_lower, solve_lower
from gcmock.astrometry.solver.problem import Floats
from gcmock.compilation import compiled
from gcmock.progress import Progress


class Factor:
    """Cholesky factor of a symmetric matrix, scaled to a unit diagonal.

    Directions in which the matrix is singular can be given as `null`: with U an orthonormal basis
    of them (in the scaled unknowns), S + U U' is factorised, and `solve` and `inverse` return the
    pseudo-inverse (I - U U') (S + U U')^-1 (I - U U'), the solution of least norm.

    Parameters
    ----------
    matrix : ndarray, shape (n, n), Fortran order
        The lower triangle is used; the array is overwritten.
    null : ndarray, shape (n, k), optional
        Null directions in the unscaled unknowns.
    ridge : float
        Added to the unit diagonal: to look at a matrix that has other null directions.

    update : callable, optional
        Called with the numbers of operations done and in total.

    Raises
    ------
    PivotError
        If the matrix is not positive definite. The lower triangle is lost then.
    """

    def __init__(
        self,
        matrix: Floats,
        null: Floats | None = None,
        ridge: float = 0.0,
        update: Progress | None = None,
    ) -> None:
        diagonal = matrix.diagonal().copy()
        bad = np.flatnonzero(~(diagonal > 0.0))
        if len(bad):
            raise PivotError(int(bad[0]))
        self.scale = 1.0 / np.sqrt(diagonal)
        _scale_lower(matrix, self.scale)
        self.null = np.zeros((len(matrix), 0))
        if null is not None and null.shape[1]:
            self.null = np.asfortranarray(np.linalg.qr(null / self.scale[:, None])[0])
            add_products(matrix, self.null, 0.5 * self.null)
        if ridge:
            np.einsum("ii->i", matrix)[:] += ridge
        self._matrix = matrix
        factorise_lower(matrix, update)

    def solve(self, right: Floats) -> Floats:
        """Solve for one or several right-hand sides, shape (n,) or (n, k)."""
        scale = self.scale if right.ndim == 1 else self.scale[:, None]
        return self._project(solve_lower(self._matrix, self._project(right * scale))) * scale

    def _project(self, v: Floats) -> Floats:
        return v - self.null @ (self.null.T @ v) if self.null.shape[1] else v

    def lowest(self, start: Floats, n_mode: int = 16, n_pass: int = 6) -> tuple[Floats, Floats]:
        """Smallest eigenvalues of the scaled matrix, by inverse iteration on a block.

        Parameters
        ----------
        start : ndarray, shape (n, k)
            Guesses of eigenvectors, in the unscaled unknowns; random ones are added.
        n_mode : int
            Eigenvalues wanted, not counting the null directions.
        n_pass : int

        Returns
        -------
        eigenvalues : ndarray, shape (m,)
            Ascending. The matrix has a unit diagonal, so that 1 is typical.
        vectors : ndarray, shape (n, m)
            Orthonormal, in the scaled unknowns; orthogonal to the null directions.
        """
        n = len(self.scale)
        m = min(n_mode, n - self.null.shape[1])
        if m <= 0:
            return np.zeros(0), np.zeros((n, 0))
        rng = np.random.default_rng(1)
        extra = rng.standard_normal((n, min(m + 8, n)))
        v = np.hstack([start / self.scale[:, None], extra])[:, : min(m + 8, n)]
        for _ in range(n_pass):
            v = np.linalg.qr(self._project(v))[0]
            w = self._project(solve_lower(self._matrix, v))
            values, rotation = np.linalg.eigh(0.5 * (v.T @ w + w.T @ v))
            v = w @ rotation[:, ::-1]
        v = np.linalg.qr(v)[0]
        inverse = np.sort(values)[::-1][:m]
        return 1.0 / np.maximum(inverse, 1e-300), v[:, :m]

    def inverse(self, update: Progress | None = None) -> Floats:
        """Turn the factor into the inverse, in place; the factor is lost.

        Parameters
        ----------
        update : callable, optional
            Called with the numbers of panels done and in total.

        Returns
        -------
        ndarray, shape (n, n), Fortran order
            Only the lower triangle is meaningful.
        """
        inverse = self._matrix
        invert_lower(inverse, update)
        if self.null.shape[1]:
            u = self.null
            y = symmetric_times(inverse, u)
            # P B P = B - U Y' - Y U' + U (U'Y) U' with P = I - U U'
            z = y - 0.5 * u @ (u.T @ y)
            add_products(inverse, u, -z)
        _scale_lower(inverse, self.scale)
        return inverse


def add_products(matrix: Floats, x: Floats, y: Floats) -> None:
    """Add X Y' + Y X' to the lower triangle of a matrix in place, panel by panel."""
    for start in range(0, len(matrix), 512):
        stop = start + 512
        matrix[start:, start:stop] += x[start:] @ y[start:stop].T + y[start:] @ x[start:stop].T


def symmetric_times(matrix: Floats, right: Floats) -> Floats:
    """Product of a symmetric matrix, of which the lower triangle is stored, with (n, k)."""
    out = np.zeros_like(right)
    for start in range(0, len(matrix), 512):
        stop = start + 512
        corner = np.tril(matrix[start:stop, start:stop])
        out[start:stop] += (corner + np.tril(corner, -1).T) @ right[start:stop]
        out[stop:] += matrix[stop:, start:stop] @ right[start:stop]
        out[start:stop] += matrix[stop:, start:stop].T @ right[stop:]
    return out


def subtract_product(matrix: Floats, rows: Floats, columns: NDArray[np.int64]) -> None:
    """Subtract ``rows.T @ rows`` from the lower triangle of ``matrix[columns, columns]``.

    Parameters
    ----------
    matrix : ndarray, shape (n, n), Fortran order
    rows : ndarray, shape (m, k), C order
    columns : ndarray of int64, shape (k,)
        Ascending.
    """
    if len(columns) == len(matrix):
        for start in range(0, len(matrix), 512):
            matrix[start:, start : start + 512] -= rows[:, start:].T @ rows[:, start : start + 512]
        return
    product = blas.dsyrk(1.0, rows.T, lower=1)
    _scatter_lower(matrix, product, columns)


def gathered(matrix: Floats, columns: NDArray[np.int64]) -> Floats:
    """Symmetric submatrix of a matrix of which the lower triangle is stored, Fortran order."""
    out = np.empty((len(columns), len(columns)), order="F")
    _gather_lower(matrix, columns, out)
    return out


@compiled(nogil=True)
def _scale_lower(matrix, scale):  # pragma: no cover
    for j in range(len(scale)):
        for i in range(j, len(scale)):
            matrix[i, j] *= scale[i] * scale[j]


@compiled(nogil=True)
def _scatter_lower(matrix, product, columns):  # pragma: no cover
    for j in range(len(columns)):
        for i in range(j, len(columns)):
            matrix[columns[i], columns[j]] -= product[i, j]


@compiled(nogil=True)
def _gather_lower(matrix, columns, out):  # pragma: no cover
    for j in range(len(columns)):
        for i in range(j, len(columns)):
            out[i, j] = matrix[columns[i], columns[j]]
