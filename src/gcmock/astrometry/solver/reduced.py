"""Normal equations of which a part of the unknowns is eliminated: what both orders share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gcmock.arrays import Floats
from gcmock.astrometry.solver.dense import Factor
from gcmock.astrometry.solver.normal import Blocks, Linearisation
from gcmock.astrometry.solver.problem import Shift
from gcmock.progress import Progress, Stage, silent


@dataclass
class Covariance:
    """Covariances of a solution [mas, mas/yr].

    Attributes
    ----------
    sources : ndarray, shape (n_source, 5, 5)
        Of every star.
    attitude : ndarray, shape (n_visit, 3, 3)
        Of every visit.
    coefficients : ndarray, shape (n_block, n_term, n_term)
        Of the distortion of every block.
    instrument : ndarray, shape (n_instrument, n_instrument)
        Of attitude and distortion together; the lower triangle is meaningful. Empty if it was not
        asked for.
    """

    sources: Floats
    attitude: Floats
    coefficients: Floats
    instrument: Floats


class Reduced(ABC):
    """Normal equations with a part of the unknowns eliminated, factorised.

    Parameters
    ----------
    linearisation : Linearisation
        The problem at given unknowns.
    blocks : Blocks
        Its blocks.
    null : sequence of Shift
        Null directions; the solution has none of them in the unknowns that are left.
    ridge : float
        See `gcmock.astrometry.solver.dense.Factor`.
    stage : Stage
        Told what is being done.

    Attributes
    ----------
    factor : Factor
        Of the equations for the unknowns that are left.

    Raises
    ------
    PivotError
        If there are other null directions; the index counts the unknowns that are left.
    """

    name: ClassVar[str]
    """What is eliminated."""

    def __init__(
        self,
        linearisation: Linearisation,
        blocks: Blocks,
        null: Sequence[Shift] = (),
        ridge: float = 0.0,
        stage: Stage = silent,
    ) -> None:
        self.linearisation, self.blocks = linearisation, blocks
        self._eliminate()
        matrix = self._matrix(stage("reduce"))
        vectors = self.start_vectors(null) if null else None
        self.factor = Factor(matrix, vectors, ridge, stage("factorise"))

    @abstractmethod
    def _eliminate(self) -> None:
        """Prepare the part that is eliminated."""

    @abstractmethod
    def _matrix(self, update: Progress | None) -> Floats:
        """Return the matrix of the unknowns that are left, its lower triangle."""

    @abstractmethod
    def start_vectors(self, shifts: Sequence[Shift]) -> Floats:
        """Return the part of shifts that stays in the reduced equations, shape (n, k)."""

    @abstractmethod
    def expanded(self, vector: Floats) -> Shift:
        """Return a direction of the unknowns that are left, with the others following it."""

    @abstractmethod
    def solve(self, right: Shift) -> Shift:
        """Solve the normal equations for any right-hand side."""

    @abstractmethod
    def covariance(
        self,
        update: Progress | None = None,
        *,
        instrument: bool = True,
        invert: Progress | None = None,
    ) -> Covariance:
        """Return covariances of all unknowns; the factor is lost.

        Parameters
        ----------
        update : callable, optional
            Told the progress.
        instrument : bool
            Whether the whole matrix of the instrument is wanted, for secondary stars.
        invert : callable, optional
            Told the progress of the inversion.
        """
