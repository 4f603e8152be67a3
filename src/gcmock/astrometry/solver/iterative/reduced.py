"""The reduced equations of the instrument and their approximate inverse.

The reduced matrix is S = N_ii - N_is N_ss^-1 N_si. Its inverse is approximated by two parts: M, the
exact inverse of N_ii (visits coupled to the distortion of their block: an arrow), which ignores
what is coupled through the stars; and a coarse space V of the instrument's answers to smooth
changes of the stars over the sky, on which S is inverted exactly:

    B = V V' + P' M P,   P = 1 - S V V',   V'S V = 1

(deflation or balancing: Mandel 1993, Comm. Numer. Meth. Eng. 9, 233; Nicolaides 1987, SIAM J.
Numer. Anal. 24, 355). B preconditions conjugate gradients, and stands for S^-1 in covariances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, qr
from scipy.sparse import csr_array

from gcmock.arrays import Floats
from gcmock.astrometry.directions.geometry import legendre, tangent_offset
from gcmock.astrometry.solver.grouping import direction_centre
from gcmock.astrometry.solver.instrument_first import Arrow
from gcmock.astrometry.solver.iterative.operator import Operator
from gcmock.astrometry.solver.modes import NULL_EIGENVALUE, patterns
from gcmock.astrometry.solver.normal import Blocks

DEPENDENT: Final = 1e-6
"""A smooth change counts as a combination of others if less than this part of it is left."""


class Arrowhead:
    """The matrix N_ii and its inverse M, on vectors (n_instrument, k).

    Parameters
    ----------
    blocks : Blocks

    Raises
    ------
    numpy.linalg.LinAlgError
        If a visit or a block is undetermined even with known stars.
    """

    def __init__(self, blocks: Blocks) -> None:
        self.blocks, self.arrow = blocks, Arrow(blocks)
        root = self.arrow.visit_root
        self._visit_inverse = np.matmul(root.transpose(0, 2, 1), root)
        root = self.arrow.term_root
        self._term_inverse = np.matmul(root.transpose(0, 2, 1), root)
        n_visit, n_block = len(blocks.visits), len(blocks.terms)
        one, at = np.ones(n_visit), np.arange(n_visit)
        self._of_block = csr_array((one, (blocks.block, at)), shape=(n_block, n_visit))
        diagonals = [np.einsum("nii->ni", part).ravel() for part in (blocks.visits, blocks.terms)]
        self.diagonal = np.concatenate(diagonals)

    def _split(self, vector: Floats) -> tuple[Floats, Floats]:
        b, k = self.blocks, vector.shape[1]
        n = 3 * len(b.visits)
        return vector[:n].reshape(-1, 3, k), vector[n:].reshape(len(b.terms), -1, k)

    def _by_block(self, matrices: Floats, attitude: Floats) -> Floats:
        """Sum over the visits of a block: matrices (n_visit, 3, n_term) times vectors."""
        parts = np.matmul(matrices.transpose(0, 2, 1), attitude)
        sums = self._of_block @ parts.reshape(len(parts), -1)
        return sums.reshape(len(self.blocks.terms), *parts.shape[1:])

    def product(self, vector: Floats) -> Floats:
        """N_ii x."""
        b = self.blocks
        v, t = self._split(vector)
        attitude = np.matmul(b.visits, v) + np.matmul(b.visit_terms, t[b.block])
        terms = np.matmul(b.terms, t) + self._by_block(b.visit_terms, v)
        return _joined(attitude, terms)

    def solve(self, vector: Floats) -> Floats:
        """M x."""
        v, t = self._split(vector)
        mixing, block = self.arrow.mixing, self.blocks.block
        t = np.matmul(self._term_inverse, t - self._by_block(mixing, v))
        v = np.matmul(self._visit_inverse, v) - np.matmul(mixing, t[block])
        return _joined(v, t)


def _joined(attitude: Floats, terms: Floats) -> Floats:
    k = attitude.shape[2]
    return np.concatenate([attitude.reshape(-1, k), terms.reshape(-1, k)])


@dataclass(frozen=True)
class CoarseSpace:
    """Smooth modes of the instrument, on which the reduced matrix is known exactly.

    Attributes
    ----------
    modes : ndarray, shape (n_instrument, k)
        V, with V'S V = 1.
    images : ndarray, shape (n_instrument, k)
        W = S V.
    softened : ndarray, shape (n_instrument, k)
        M W, and W'M W is diagonal:
    squares : ndarray, shape (k,)
        its elements.
    null : ndarray, shape (n_instrument, n_null)
        What S does not see: orthonormal, free of it are solutions.
    values, vectors : ndarray, shape (m,), (n_instrument, m)
        Eigenvalues of S in the space, scaled to a unit diagonal of N_ii, ascending, and their
        vectors: they are not smaller than those of S.
    """

    modes: Floats
    images: Floats
    softened: Floats
    squares: Floats
    null: Floats
    values: Floats
    vectors: Floats


class ReducedEquations:
    """The reduced equations of an operator, with their approximate inverse.

    Parameters
    ----------
    operator : Operator
    blocks : Blocks
        Of the operator.
    """

    def __init__(self, operator: Operator, blocks: Blocks) -> None:
        self.operator, self.blocks = operator, blocks
        self.stars: Floats = np.linalg.inv(blocks.sources).astype(np.float64, copy=False)
        self.arrowhead = Arrowhead(blocks)
        self.coarse: CoarseSpace | None = None

    def product(self, vector: Floats) -> Floats:
        """S x of vectors (n_instrument, k)."""
        found = self.arrowhead.product(vector)
        found -= self.operator.through_stars(self.stars, vector)
        return found

    def inverse(self, vector: Floats) -> Floats:
        """B x, the approximate inverse, of vectors (n_instrument, k)."""
        c = self.coarse
        if c is None:
            return self.arrowhead.solve(vector)
        along = c.modes.T @ vector
        rest = self.arrowhead.solve(vector - c.images @ along)
        return c.modes @ (along - c.images.T @ rest) + rest

    def without_null(self, vector: Floats) -> Floats:
        """Return right-hand sides without the parts for which there is no solution."""
        if self.coarse is None or not self.coarse.null.shape[1]:
            return vector
        null = self.coarse.null
        return vector - null @ (null.T @ vector)

    def take_coarse_space(self, start: Floats) -> None:
        """Make the coarse space of vectors (n_instrument, k); null modes are left out of it."""
        scale = np.sqrt(self.arrowhead.diagonal)[:, None]
        basis, triangle, _ = qr(scale * start, mode="economic", pivoting=True)
        size = np.abs(np.diag(triangle))
        kept = size > 1e-10 * size.max(initial=0.0)
        basis = basis[:, kept] / scale
        images = self.product(basis)
        matrix = basis.T @ images
        values, turn = np.linalg.eigh(0.5 * (matrix + matrix.T))
        vectors = basis @ turn
        free = values < NULL_EIGENVALUE
        null = np.linalg.qr(vectors[:, free])[0]
        root = turn[:, ~free] / np.sqrt(values[~free])
        modes, images = basis @ root, images @ root
        softened = self.arrowhead.solve(images)
        squares = images.T @ softened
        squares, turn = eigh(0.5 * (squares + squares.T))
        self.coarse = CoarseSpace(
            modes @ turn, images @ turn, softened @ turn, squares, null, values, vectors
        )


def smooth_changes(sources: Floats, used: NDArray[np.bool_], degree: int) -> Floats:
    """Return changes of the five parameters of stars that are smooth over the sky.

    Parameters
    ----------
    sources : ndarray, shape (n_slot, 5)
    used : ndarray of bool, shape (n_slot,)
        Slots that have a star; others do not change.
    degree : int
        Of the polynomials of the position.

    Returns
    -------
    ndarray, shape (n_slot, 5, k)
        The common modes of `gcmock.astrometry.solver.modes.patterns` first, then the Legendre
        polynomials times each parameter, without what they have in common; of unit length.
    """
    chosen = sources[used]
    common = np.stack(list(patterns(chosen).values()), axis=-1)
    xi, eta = tangent_offset(
        chosen[:, 0], chosen[:, 1], *direction_centre(chosen[:, 0], chosen[:, 1])
    )
    px, py = (legendre(c / max(float(np.abs(c).max()), 1e-12), degree) for c in (xi, eta))
    maps = [px[:, i] * py[:, j] for i in range(degree + 1) for j in range(degree + 1 - i)]
    each = np.einsum("nk,pq->npkq", np.array(maps).T, np.eye(5)).reshape(len(chosen), 5, -1)
    first = _orthonormal(_unit(common.reshape(-1, common.shape[2])))
    rest = _unit(each.reshape(len(first), -1))
    for _ in range(2):
        rest = rest - first @ (first.T @ rest)
    columns = np.hstack([first, _orthonormal(rest)])
    out = np.zeros((len(sources), 5, columns.shape[1]))
    out[used] = columns.reshape(len(chosen), 5, -1)
    return out


def _unit(columns: Floats) -> Floats:
    return np.asarray(columns / np.maximum(np.sqrt((columns**2).sum(axis=0)), 1e-300))


def _orthonormal(columns: Floats) -> Floats:
    """Return an orthonormal basis, without what depends on the rest."""
    basis, triangle, _ = qr(columns, mode="economic", pivoting=True)
    kept = np.abs(np.diag(triangle)) > DEPENDENT
    return np.asarray(basis[:, kept], dtype=np.float64)
