"""Covariances from the approximate inverse of the reduced matrix, and how good they are.

The covariance of a star is N_ss^-1 + N_ss^-1 N_si S^-1 N_is N_ss^-1. With B in the place of S^-1,
b = N_is N_ss^-1, and in the notation of `CoarseSpace`,

    b'B b = b'M b + sum over modes of (1 + e) g g' - h g' - g h',   g = b'V, h = b'M W,

with e the squares: sums over the observations of each star. Without references the free modes are
taken out afterwards (S-transformation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.solver.iterative.conjugate import solve
from gcmock.astrometry.solver.iterative.lanes import LANES
from gcmock.astrometry.solver.iterative.operator import Operator
from gcmock.astrometry.solver.iterative.reduced import ReducedEquations
from gcmock.progress import Progress

ENERGY_LEFT: Final = 1e-6
"""Conjugate gradients for exact variances end when a step adds less than this part of them."""


@dataclass(frozen=True)
class InstrumentCovariance:
    """The approximate covariance of attitude and distortion as sums of few parts.

    Attributes
    ----------
    equations : ReducedEquations
        B, the approximate inverse.
    left, right : ndarray, shape (n_instrument, n_null)
        The covariance is B - left right' - right left': what fixing the frame takes off.
    factor : float
        On everything, for robust weights.
    """

    equations: ReducedEquations
    left: Floats
    right: Floats
    factor: float = 1.0

    def of_stars(
        self, operator: Operator, inverse: Floats, update: Progress | None = None
    ) -> Floats:
        """Part of the covariance of stars that comes from the instrument, (n_slot, 5, 5).

        Parameters
        ----------
        operator : Operator
            With the stars, which need not be those of the equations.
        inverse : ndarray, shape (n_slot, 5, 5)
            Inverse blocks of the stars.
        update : callable, optional
        """
        arrow, coarse = self.equations.arrowhead.arrow, self.equations.coarse
        total = operator.through_arrow(arrow.visit_root, arrow.mixing, arrow.term_root)
        parts = [(self.left, -self.right)]
        if coarse is not None:
            half = 0.5 * (1.0 + coarse.squares) * coarse.modes - coarse.softened
            parts.append((coarse.modes, half))
        n = sum(x.shape[1] for x, _ in parts)
        done = 0
        for x, y in parts:
            for start in range(0, x.shape[1], LANES):
                lanes = slice(start, start + LANES)
                g, h = operator.forward(x[:, lanes]), operator.forward(y[:, lanes])
                product = np.matmul(g, h.transpose(0, 2, 1))
                total += product + product.transpose(0, 2, 1)
                done += g.shape[2]
                if update:
                    update(done, n)
        return self.factor * np.matmul(inverse, np.matmul(total, inverse))

    def blocks(self) -> tuple[Floats, Floats]:
        """Covariances of visits (n_visit, 3, 3) and of distortion (n_block, n_term, n_term)."""
        blocks, coarse = self.equations.blocks, self.equations.coarse
        found = self.equations.arrowhead.arrow.inverse_blocks()
        pairs = [(self.left, -self.right)]
        if coarse is not None:
            half = 0.5 * (1.0 + coarse.squares) * coarse.modes - coarse.softened
            pairs.append((coarse.modes, half))
        n, out = 3 * len(blocks.visits), []
        for part, rows in zip(found, (slice(0, n), slice(n, None)), strict=True):
            total = part.copy()
            for x, y in pairs:
                if not x.shape[1]:
                    continue
                a, b = (v[rows].reshape(len(part), -1, v.shape[1]) for v in (x, y))
                product = np.matmul(a, b.transpose(0, 2, 1))
                total += product + product.transpose(0, 2, 1)
            out.append(self.factor * total)
        return out[0], out[1]


@dataclass(frozen=True)
class Accuracy:
    """Variances of a few stars, approximated and exact.

    Attributes
    ----------
    slots : ndarray of int64, shape (n,)
    exact, approximate : ndarray, shape (n, 5)
        Variances [mas^2, mas^2/yr^2], without the factor for robust weights.
    known : ndarray, shape (n, 5)
        Variances if the instrument were known.
    iterations : int
        Of conjugate gradients.
    """

    slots: Integers
    exact: Floats
    approximate: Floats
    known: Floats
    iterations: int

    @property
    def worst(self) -> float:
        """Largest relative error of a variance."""
        return float(np.abs(self.approximate / self.exact - 1.0).max(initial=0.0))


def exact_variances(
    equations: ReducedEquations, slots: Integers, null: Floats
) -> tuple[Floats, Floats, int]:
    """Variances of stars by conjugate gradients, one column for each parameter.

    Parameters
    ----------
    equations : ReducedEquations
    slots : ndarray of int64, shape (n,)
        The stars.
    null : ndarray, shape (n_slot, 5, n_null)
        Free modes in the stars: variances are those of stars that move least along them.

    Returns
    -------
    exact, known : ndarray, shape (n, 5)
        With the instrument as it is, and as if it were known.
    iterations : int
    """
    functionals = np.zeros((len(equations.stars), 5, 5 * len(slots)))
    for k, slot in enumerate(slots):
        functionals[slot, np.arange(5), 5 * k + np.arange(5)] = 1.0
    functionals = along(null, functionals)
    spread = np.matmul(equations.stars, functionals)
    own = np.einsum("npk,npk->k", functionals, spread)
    right = equations.operator.adjoint(spread)
    last = np.full(len(own), np.inf)

    def enough(_: Floats, step: Floats) -> bool:
        nonlocal last
        small = bool((step + last < ENERGY_LEFT * own).all())
        last = step
        return small

    solved = solve(equations, right, enough)
    n = len(slots)
    return (own + solved.energy).reshape(n, 5), own.reshape(n, 5), solved.iterations


def along(null: Floats, functionals: Floats) -> Floats:
    """Functionals of the stars, (n_slot, 5, k), of solutions that move least along free modes."""
    if not null.shape[2]:
        return functionals
    m = null.reshape(-1, null.shape[2])
    f = functionals.reshape(len(m), -1)
    free = f - m @ np.linalg.solve(m.T @ m, m.T @ f)
    return free.reshape(functionals.shape)


def functional_covariance(equations: ReducedEquations, functionals: Floats) -> Floats:
    """Covariance (k, k) of functionals of the stars, (n_slot, 5, k), by the approximate inverse."""
    spread = np.matmul(equations.stars, functionals)
    right = equations.without_null(equations.operator.adjoint(spread))
    own = np.einsum("npk,npl->kl", functionals, spread)
    return np.asarray(own + right.T @ equations.inverse(right), dtype=np.float64)
