"""Gauss-Newton iteration of a problem, its null modes, its covariances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from gcmock.astrometry.dense import SingularMatrixError
from gcmock.astrometry.elimination import Covariance, SourcesFirst, Update
from gcmock.astrometry.instrument_first import Arrow, InstrumentFirst
from gcmock.astrometry.modes import (
    NULL_EIGENVALUE,
    Mode,
    named_modes,
    named_vectors,
    patterns,
)
from gcmock.astrometry.normal import Linearisation
from gcmock.astrometry.problem import Floats, Problem, Shift, Unknowns, source_shift
from gcmock.astrometry.robust import variance_factor, weights
from gcmock.errors import GcmockError, InputError

Order = Literal["auto", "sources", "instrument"]
Stage = Callable[[str], "Update | None"]
"""Announces a stage of the work; returns what to call with the numbers done and in total."""

CONVERGED_MAS: Final = 1e-6
"""The iteration ends when no star moves further in a pass (0.001 micro-arcsec) ..."""

CONVERGED_ERRORS: Final = 1e-4
"""... or further than this part of its error with a known instrument."""

SLOW: Final = 0.2
"""A pass that shrinks the shift less asks for a new factorisation."""

MAX_PASSES: Final = 20

RIDGE: Final = 1e-8
"""Added to a matrix of unit diagonal that is singular in unknown directions, to find them."""

N_EIGENVALUE: Final = 12
"""Smallest eigenvalues that are reported."""


@dataclass(frozen=True)
class Eigenvalue:
    """A small eigenvalue of the reduced normal matrix, scaled to a unit diagonal."""

    name: str
    value: float


@dataclass(frozen=True)
class Pass:
    """Account of one iteration."""

    chi2: float
    largest_shift_mas: float
    largest_attitude_mas: float
    factorised: bool


@dataclass(frozen=True)
class Result:
    """A solution.

    Attributes
    ----------
    unknowns : Unknowns
    covariance : Covariance
    order : str
        What was eliminated first.
    passes : tuple of Pass
    chi2 : array (n_source,)
        Sums of squares of the residuals, without robust weights.
    chi2_prior : float
        Squares of the deviations from the priors.
    n_freedom : int
        Equations (with priors) minus unknowns that are determined.
    variance_factor : float
        Factor on the covariances for robust weights.
    weight : array (n_observation,)
        Robust weights.
    modes : tuple of Mode
        Common modes.
    mode_covariance : array (k, k)
        Of the amplitudes of the modes, fitted together.
    eigenvalues : tuple of Eigenvalue
        Null ones first.
    condition : float
        Largest possible over smallest eigenvalue of the scaled matrix that was factorised.
    """

    unknowns: Unknowns
    covariance: Covariance
    order: str
    passes: tuple[Pass, ...]
    chi2: Floats
    chi2_prior: float
    n_freedom: int
    variance_factor: float
    weight: Floats
    modes: tuple[Mode, ...]
    mode_covariance: Floats
    eigenvalues: tuple[Eigenvalue, ...]
    condition: float


def silent(_: str) -> None:
    """A `Stage` that says nothing."""
    return


def chosen_order(problem: Problem, order: Order = "auto") -> str:
    """Which unknowns to eliminate first: those that leave the smaller matrix."""
    if order != "auto":
        return order
    return "sources" if problem.n_instrument <= 5 * problem.n_source else "instrument"


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
        kind = SourcesFirst if order == "sources" else InstrumentFirst
        self._make = lambda: kind(self.linearisation, self.blocks, stage("reduce"))
        self._stage = stage
        self.eliminated = self._factorised()

    def _factorised(self) -> SourcesFirst | InstrumentFirst:
        ridge = 0.0
        for _ in range(4):
            eliminated = self._make()
            self._stage("factorise")
            try:
                eliminated.factorise(self.null, ridge)
            except SingularMatrixError as error:
                if ridge:
                    raise GcmockError(
                        "the normal equations are singular beyond repair "
                        f"(unknown {error.index} of {eliminated.name} first); give references, or "
                        "fewer terms of the distortion"
                    ) from error
                ridge = RIDGE
                continue
            assert eliminated.factor is not None
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
        done = self.eliminated.covariance(self._stage("covariances"), instrument=instrument)
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
    if c.instrument is not None:
        from scipy.linalg import blas

        z = np.array([s.instrument for s in null]).T
        k = np.array([s.instrument for s in spread]).T
        x, y = change(z, k)
        c.instrument = blas.dsyr2k(-1.0, x, y, 1.0, c.instrument, lower=1, overwrite_c=1)


def iterate(
    problem: Problem,
    start: Unknowns,
    *,
    order: Order = "auto",
    robust: str = "none",
    workers: int = 1,
    stage: Stage = silent,
    instrument: bool = True,
) -> Result:
    """Solve a problem.

    The matrix is factorised once; later passes use it with the new residuals (simplified Newton,
    which gains about four digits a pass because the shifts are small against the field), and it is
    factorised again if that is slow, if the weights have changed, or if the start was far away.

    Parameters
    ----------
    problem : Problem
    start : Unknowns
    order : str
        What is eliminated: ``sources``, ``instrument``, or ``auto`` for the smaller matrix.
    robust : str
        One of `gcmock.astrometry.robust.ROBUST`.
    workers : int
        Threads of the sweeps over the observations.
    stage : Stage
        Told what is being done.
    instrument : bool
        Whether the covariance of the whole instrument is wanted.

    Raises
    ------
    GcmockError
        If the iteration does not converge.
    """
    chosen = chosen_order(problem, order)
    unknowns, weighted = start, problem
    equations = Equations(problem, start, chosen, workers, stage)
    conditional = np.sqrt(
        np.einsum("nii->ni", np.linalg.inv(equations.blocks.sources))
    )
    passes: list[Pass] = []
    weight, previous, fresh, far = np.ones(problem.n_observation), np.inf, True, False
    for number in range(1, MAX_PASSES + 1):
        stage(f"pass {number}")
        here = Linearisation(problem, unknowns, workers)
        residuals = here.residuals()
        size = np.hypot(residuals[:, 0], residuals[:, 1])
        settling = robust != "none" and number > 1
        if settling:
            weight = weights(size, robust)
            weighted = problem.reweighted(weight)
            here = Linearisation(weighted, unknowns, workers)
        shift = equations.solve(here.gradient())
        unknowns = unknowns.shifted(shift)
        largest = float(np.abs(shift.sources).max())
        attitude = float(np.abs(shift.attitude[:, :2]).max(initial=0.0))
        far = far or max(largest, attitude) > 1e-3 * problem.distortion.half_field / 4.85e-9
        passes.append(Pass(float((size**2).sum()), largest, attitude, fresh))
        relative = float((np.abs(shift.sources) / conditional).max())
        enough = largest < CONVERGED_MAS or relative < (
            CONVERGED_ERRORS if robust == "none" else 1e-3
        )
        if not np.isfinite(largest):
            break
        if enough and (settling or robust == "none"):
            break
        fresh = largest > SLOW * previous and robust == "none"
        previous = largest
        if fresh:
            del equations
            equations = Equations(weighted, unknowns, chosen, workers, stage)
            far = False
    else:
        enough = False
    if not enough:
        raise GcmockError(
            f"the solution did not converge in {len(passes)} passes (last shift {largest:.3g} mas);"
            " check the start values of the pointing, or use --robust huber against outliers"
        )
    if robust != "none" or far:
        del equations
        equations = Equations(weighted, unknowns, chosen, workers, stage)
    unknowns = equations.settled(unknowns, start)
    return _finished(problem, weighted, unknowns, equations, weight, passes, robust, instrument)


def _finished(
    problem: Problem,
    weighted: Problem,
    unknowns: Unknowns,
    equations: Equations,
    weight: Floats,
    passes: list[Pass],
    robust: str,
    instrument: bool,
) -> Result:
    here = Linearisation(problem, unknowns, 1)
    residuals = here.residuals()
    square = (residuals**2).sum(axis=1)
    chi2 = np.add.reduceat(np.append(square, 0.0), problem.first[:-1]) * (np.diff(problem.first) > 0)
    n_prior = 5 * int((problem.prior.precision[:, 0, 0] > 0).sum())
    n_unknown = 5 * problem.n_source + problem.n_instrument - len(equations.null)
    n_freedom = 2 * problem.n_observation + n_prior - n_unknown
    factor = 1.0
    if robust != "none":
        factor = variance_factor(np.sqrt(square), robust, n_freedom)
    modes, eigenvalues, condition = equations.modes, equations.eigenvalues, equations.condition
    mode_covariance = factor * equations.mode_covariance()
    covariance = equations.covariance(instrument=instrument)
    if factor != 1.0:
        whole = covariance.instrument
        covariance = Covariance(
            factor * covariance.sources,
            factor * covariance.attitude,
            factor * covariance.coefficients,
            whole if whole is None else factor * whole,
        )
    return Result(
        unknowns,
        covariance,
        equations.eliminated.name,
        tuple(passes),
        chi2,
        float(here.prior_chi2().sum()),
        n_freedom,
        factor,
        weight,
        tuple(replace(mode) for mode in modes),
        mode_covariance,
        eigenvalues,
        condition,
    )
