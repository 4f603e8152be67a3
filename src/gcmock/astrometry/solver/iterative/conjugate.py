"""Preconditioned conjugate gradients for the reduced equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.astrometry.solver.iterative.reduced import ReducedEquations
from gcmock.errors import GcmockError

MAX_ITERATIONS: Final = 400


class Solved(NamedTuple):
    """What conjugate gradients found.

    Attributes
    ----------
    vector : ndarray, shape (n_instrument, k)
    iterations : int
    energy : ndarray, shape (k,)
        b'x: what the solution takes from the sum of squares.
    left : ndarray, shape (k,)
        Estimated energy norm of the error, in units of the standard errors.
    """

    vector: Floats
    iterations: int
    energy: Floats
    left: Floats


def solve(
    equations: ReducedEquations,
    right: Floats,
    enough: Callable[[Floats, Floats], bool],
) -> Solved:
    """Solve S x = b for columns of b, each by its own conjugate gradients.

    The columns share the passes over the observations. With B the approximate inverse and r the
    residual, r'B r is the square of the error in the norm of S, that is in units of the standard
    errors of the solution, as far as B is S^-1.

    Parameters
    ----------
    equations : ReducedEquations
    right : ndarray, shape (n_instrument, k)
    enough : callable
        Told the square roots of r'B r and what the last step added to b'x, both of shape (k,);
        answers whether to stop.

    Raises
    ------
    GcmockError
        If it does not come to an end.
    """
    residual = equations.without_null(right)
    x = np.zeros_like(residual)
    softened = equations.inverse(residual)
    direction = softened
    size = np.einsum("ik,ik->k", residual, softened)
    energy, step = np.zeros(len(size)), np.full(len(size), np.inf)
    for number in range(MAX_ITERATIONS + 1):
        if enough(np.sqrt(np.maximum(size, 0.0)), step):
            return Solved(x, number, energy, np.sqrt(np.maximum(size, 0.0)))
        image = equations.product(direction)
        curvature = np.einsum("ik,ik->k", direction, image)
        alpha = np.where(curvature > 0.0, size / np.where(curvature > 0.0, curvature, 1.0), 0.0)
        x = x + alpha * direction
        residual = equations.without_null(residual - alpha * image)
        step = alpha * size
        energy = energy + step
        softened = equations.inverse(residual)
        new = np.einsum("ik,ik->k", residual, softened)
        beta = np.where(size > 0.0, new / np.where(size > 0.0, size, 1.0), 0.0)
        direction, size = softened + beta * direction, new
    raise GcmockError(
        f"conjugate gradients did not converge in {MAX_ITERATIONS} iterations; use --solver "
        "direct, give references, or fewer terms of the distortion"
    )
