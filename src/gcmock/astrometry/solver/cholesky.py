"""Blocked Cholesky factorisation, solution and inverse in place, for large matrices.

The textbook algorithms (Golub & Van Loan 2013, Matrix Computations, section 4.2), on panels of
columns. All the work is in matrix products, which run in the threads of BLAS without copies; LAPACK
sees only the diagonal blocks. The parallel `dpotrf` of OpenBLAS crashes on matrices of some 17,000
rows and more (OpenBLAS bugs 352, 1413 and 2562), and it can neither show progress nor be
interrupted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.linalg import blas, lapack

from gcmock.arrays import Floats
from gcmock.progress import Progress

PANEL: Final = 512
"""Columns of a panel."""


class PivotError(Exception):
    """The factorisation met a pivot that is not positive; `index` is its row."""

    def __init__(self, index: int) -> None:
        super().__init__(f"pivot {index} is not positive")
        self.index = index


def factorise_lower(matrix: Floats, update: Progress | None = None) -> None:
    """Overwrite the lower triangle of a symmetric matrix by its Cholesky factor.

    Parameters
    ----------
    matrix : ndarray, shape (n, n), Fortran order
        The lower triangle is used. What is above the diagonal is not kept.
    update : callable, optional
        Called with the numbers of operations done and in total, in millions.

    Raises
    ------
    PivotError
        If the matrix is not positive definite.
    """
    n = len(matrix)
    for start, stop in _panels(n):
        if start:
            matrix[start:, start:stop] -= matrix[start:, :start] @ matrix[start:stop, :start].T
        corner, info = lapack.dpotrf(matrix[start:stop, start:stop], lower=1, clean=1)
        if info:
            raise PivotError(start + info - 1)
        matrix[start:stop, start:stop] = corner
        if stop < n:
            matrix[stop:, start:stop] = blas.dtrsm(
                1.0, corner, matrix[stop:, start:stop], side=1, lower=1, trans_a=1
            )
        if update:
            update(_millions(n, stop), _millions(n, n))


def solve_lower(factor: Floats, right: Floats) -> Floats:
    """Solve L L' x = b.

    Parameters
    ----------
    factor : ndarray, shape (n, n)
        From `factorise_lower`.
    right : ndarray, shape (n,) or (n, k)

    Returns
    -------
    ndarray, shape of `right`
    """
    n = len(factor)
    x = np.array(right, dtype=np.float64, order="F").reshape(n, -1)
    panels = list(_panels(n))
    for start, stop in panels:
        corner = factor[start:stop, start:stop]
        x[start:stop] = blas.dtrsm(1.0, corner, x[start:stop], lower=1)
        x[stop:] -= factor[stop:, start:stop] @ x[start:stop]
    for start, stop in reversed(panels):
        corner = factor[start:stop, start:stop]
        x[start:stop] -= factor[stop:, start:stop].T @ x[stop:]
        x[start:stop] = blas.dtrsm(1.0, corner, x[start:stop], lower=1, trans_a=1)
    return x.reshape(np.shape(right))


def invert_lower(factor: Floats, update: Progress | None = None) -> None:
    """Overwrite the factor L by the lower triangle of (L L')^-1.

    Parameters
    ----------
    factor : ndarray, shape (n, n), Fortran order
        From `factorise_lower`. What is above the diagonal is not kept.
    update : callable, optional
        Called with the numbers of panels done and in total.
    """
    n = len(factor)
    panels = list(_panels(n))
    # L becomes W = L^-1, from the last panel to the first.
    for k, (start, stop) in enumerate(reversed(panels)):
        corner, info = lapack.dtrtri(factor[start:stop, start:stop], lower=1)
        assert info == 0
        below = np.asfortranarray(factor[stop:, start:stop]) @ -np.tril(corner)
        for top, bottom in panels:
            if top >= stop:
                part = factor[top:bottom, stop:bottom] @ below[: bottom - stop]
                factor[top:bottom, start:stop] = part
        factor[start:stop, start:stop] = np.tril(corner)
        if update:
            update(k + 1, 2 * len(panels))
    # W becomes W'W, from the first rows to the last.
    for k, (start, stop) in enumerate(panels):
        corner = factor[start:stop, start:stop]
        product = corner.T @ factor[start:stop, :stop]
        if stop < n:
            product += factor[stop:, start:stop].T @ factor[stop:, :stop]
        factor[start:stop, :stop] = product
        if update:
            update(len(panels) + k + 1, 2 * len(panels))


def _panels(n: int) -> list[tuple[int, int]]:
    return [(start, min(start + PANEL, n)) for start in range(0, n, PANEL)]


def _millions(n: int, k: int) -> int:
    """Operations that the first k columns cost."""
    return int((n * n * k - n * k * k + k**3 / 3.0) / 1e6)
