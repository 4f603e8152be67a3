"""Normal equations that are factorised without their null modes, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gcmock.astrometry.solver.cholesky import PivotError
from gcmock.astrometry.solver.dense import add_products
from gcmock.astrometry.solver.elimination import SourcesFirst
from gcmock.astrometry.solver.instrument_first import Arrow, InstrumentFirst
from gcmock.astrometry.solver.modes import NULL_EIGENVALUE, named_modes, named_vectors, patterns
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Floats, Problem, Shift, Unknowns, source_shift
from gcmock.astrometry.solver.reduced import Covariance, Reduced
from gcmock.errors import GcmockError, InputError
from gcmock.progress import Stage

RIDGE: Final = 1e-8
"""Added to a matrix of unit diagonal that is singular in unknown directions, to find them."""

N_EIGENVALUE: Final = 12
"""Smallest eigenvalues that are reported."""


@dataclass(frozen=True)
class Eigenvalue:
    """A small eigenvalue of the reduced normal matrix, scaled to a unit diagonal."""

    name: str
    value: float


class Equations:
    """The factorised normal equations at some unknowns, free of null modes.

    Parameters
    ----------
    problem : Problem
    unknowns : Unknowns
    order : str
        ``sources`` or ``instrument``: what is eliminated.
    workers : int
    stage : Stage
    """

    def __init__(
        self, problem: Problem, unknowns: Unknowns, order: str, workers: int, stage: Stage
    ) -> None:
        self.linearisation = Linearisation(problem, unknowns, workers)
        self.blocks = self.linearisation.blocks()
        try:
            arrow = Arrow(self.blocks)
        except np.linalg.LinAlgError as error:
            raise InputError(
                "a visit or a calibration block is undetermined even with known stars"
            ) from error
        self.modes = named_modes(self.linearisation, self.blocks, arrow)
        self.null = [m.shift for m in self.modes if m.eigenvalue < NULL_EIGENVALUE]
        self._null_names = [
            Eigenvalue(m.name, m.eigenvalue) for m in self.modes if m.eigenvalue < NULL_EIGENVALUE
        ]
        self._kind: type[Reduced] = SourcesFirst if order == "sources" else InstrumentFirst
        self._stage = stage
        self.eliminated = self._factorised()

    def _factorised(self) -> Reduced:
        ridge = 0.0
        for _ in range(4):
            try:
                eliminated = self._kind(
                    self.linearisation, self.blocks, self.null, ridge, self._stage
                )
            except PivotError as error:
                if ridge:
                    raise GcmockError(
                        "the normal equations are singular beyond repair "
                        f"(unknown {error.index} of {self._kind.name} first); give references, or "
                        "fewer terms of the distortion"
                    ) from error
                ridge = RIDGE
                continue
            starts = eliminated.start_vectors([m.shift for m in self.modes])
            values, vectors = eliminated.factor.lowest(starts, N_EIGENVALUE)
            scale = eliminated.factor.scale
            named = {m.name: starts[:, k] for k, m in enumerate(self.modes)}
            names = named_vectors(vectors, named, scale)
            free = values - ridge < NULL_EIGENVALUE * (100.0 if ridge else 1.0)
            if not free.any():
                if ridge:
                    ridge = 0.0
                    continue
                rest = [Eigenvalue(n, float(v)) for n, v in zip(names, values, strict=True)]
                self.eigenvalues = (*self._null_names, *rest)
                self.condition = len(scale) / float(values.min()) if len(values) else 1.0
                return eliminated
            for k in np.flatnonzero(free):
                self.null.append(eliminated.expanded(vectors[:, k] * scale))
                self._null_names.append(Eigenvalue(names[k], float(max(values[k] - ridge, 0.0))))
            ridge = 0.0
        raise GcmockError("the normal equations stay singular; give references")

    def solve(self, right: Shift) -> Shift:
        """Solve, with the null modes so that the stars move least."""
        shift = self.eliminated.solve(right)
        if not self.null:
            return shift
        m, inverse = self._null_sources()
        return shift + self._along_null(-inverse @ (m.T @ shift.sources.ravel()))

    def _null_sources(self) -> tuple[Floats, Floats]:
        m = np.array([null.sources.ravel() for null in self.null]).T
        return m, np.linalg.inv(m.T @ m)

    def mode_covariance(self) -> Floats:
        """Covariance of the amplitudes of the common modes, fitted together to all stars."""
        found = patterns(self.linearisation.unknowns.sources)
        m = np.array([pattern.ravel() for pattern in found.values()]).T
        none = self.linearisation.problem.no_shift()
        functionals = m
        if self.null:
            fixed, inverse = self._null_sources()
            functionals = m - fixed @ (inverse @ (fixed.T @ m))
        spread = [
            self.solve(Shift(f.reshape(-1, 5), none.attitude, none.coefficients)).sources.ravel()
            for f in functionals.T
        ]
        inverse = np.linalg.inv(m.T @ m)
        return inverse @ (functionals.T @ np.array(spread).T) @ inverse

    def settled(self, unknowns: Unknowns, start: Unknowns) -> Unknowns:
        """Move along the null modes to where the stars have moved least from the start."""
        for _ in range(2 if self.null else 0):
            m, inverse = self._null_sources()
            moved = source_shift(unknowns.sources, start.sources)
            unknowns = unknowns.shifted(self._along_null(-inverse @ (m.T @ moved.ravel())))
        return unknowns

    def _along_null(self, amplitude: Floats) -> Shift:
        shift = self.linearisation.problem.no_shift()
        for a, null in zip(amplitude, self.null, strict=True):
            shift = shift + null.scaled(float(a))
        return shift

    def covariance(self, *, instrument: bool) -> Covariance:
        """Covariances; the factor is lost.

        With null modes they hold for stars that move least (inner constraints): C becomes P C P',
        P = 1 - Z (M'M)^-1 [M' 0], where Z are the null modes and M their stars (S-transformation,
        Baarda 1973; Teunissen 1985).
        """
        spread = []
        if self.null:
            m, inverse = self._null_sources()
            zero = self.linearisation.problem.no_shift()
            for column in m.T:
                right = Shift(column.reshape(-1, 5), zero.attitude, zero.coefficients)
                spread.append(self.eliminated.solve(right))
        invert, update = self._stage("invert"), self._stage("covariances")
        done = self.eliminated.covariance(update, instrument=instrument, invert=invert)
        if self.null:
            _transform(done, self.null, spread, m, inverse)
        return done


def _transform(
    c: Covariance, null: list[Shift], spread: list[Shift], m: Floats, inverse: Floats
) -> None:
    """Apply the S-transformation of `Equations.covariance` to all parts."""
    middle = inverse @ (m.T @ np.array([s.sources.ravel() for s in spread]).T) @ inverse

    def change(z: Floats, k: Floats) -> tuple[Floats, Floats]:
        """Factors X, Y of the change -X Y' - Y X' of a covariance; rows of z, k are unknowns."""
        return z, k @ inverse - 0.5 * z @ middle

    def blocks(part: str, size: int) -> tuple[Floats, Floats]:
        z = np.array([getattr(s, part).ravel() for s in null]).T
        k = np.array([getattr(s, part).ravel() for s in spread]).T
        x, y = change(z, k)
        return x.reshape(-1, size, x.shape[1]), y.reshape(-1, size, y.shape[1])

    for part in ("sources", "attitude", "coefficients"):
        target = getattr(c, part)
        x, y = blocks(part, target.shape[1])
        product = np.matmul(x, y.transpose(0, 2, 1))
        target -= product + product.transpose(0, 2, 1)
    if c.instrument.size:
        z = np.array([s.instrument for s in null]).T
        k = np.array([s.instrument for s in spread]).T
        x, y = change(z, k)
        add_products(c.instrument, x, -y)
