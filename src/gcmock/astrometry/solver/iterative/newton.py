"""Gauss-Newton iteration with conjugate gradients, and what follows from the last pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.solver.equations import Eigenvalue
from gcmock.astrometry.solver.gauss_newton import (
    CONVERGED_MAS,
    FAR,
    MAX_PASSES,
    ROBUST_CONVERGED_ERRORS,
    Pass,
)
from gcmock.astrometry.solver.iterative.conjugate import solve
from gcmock.astrometry.solver.iterative.operator import Gradient, Model, Operator
from gcmock.astrometry.solver.iterative.reduced import ReducedEquations, smooth_changes
from gcmock.astrometry.solver.iterative.strips import Strips
from gcmock.astrometry.solver.modes import NULL_EIGENVALUE, Mode, diagonal_of, patterns
from gcmock.astrometry.solver.problem import Shift, Unknowns, source_shift
from gcmock.errors import GcmockError, InputError
from gcmock.progress import Stage, silent

GAIN: Final = 1e-5
"""Conjugate gradients of a pass end when this part of the shift is left; the curvature of the
equations leaves more."""

CONVERGED: Final = 1e-5
"""The iteration ends when in a next pass no star would move further than this part of its error
with a known instrument, nor any pointing or roll further than ten times this part of its error with
known stars."""

MARGIN: Final = 10.0
"""How many times less than the pass before it a pass may gain."""

ROBUST_GAIN: Final = 1e-2
"""The same with robust weights, which change from pass to pass."""

SMALLEST_ERRORS: Final = 1e-7
"""Conjugate gradients need not go below this part of the standard errors."""


@dataclass
class State:
    """A solution on its way.

    Attributes
    ----------
    unknowns : Unknowns
        Stars by slot.
    equations : ReducedEquations
        At the last point where they were made.
    modes : tuple of Mode
        The common modes.
    null : ndarray, shape (n_slot, 5, n_null)
        Free modes in the stars, with `null_instrument`, shape (n_instrument, n_null).
    passes : list of Pass
    iterations : list of int
        Of conjugate gradients, in each pass.
    gradient : Gradient, optional
        At the unknowns.
    """

    unknowns: Unknowns
    equations: ReducedEquations
    modes: tuple[Mode, ...]
    null: Floats
    null_instrument: Floats
    passes: list[Pass] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    gradient: Gradient | None = None

    def eigenvalues(self, n: int) -> tuple[Eigenvalue, ...]:
        """Return the free modes, and the smallest eigenvalues of the coarse space."""
        free = [m for m in self.modes if m.eigenvalue < NULL_EIGENVALUE]
        named = [Eigenvalue(m.name, m.eigenvalue) for m in free]
        coarse = self.equations.coarse
        assert coarse is not None
        others = coarse.null.shape[1] - len(named)
        named += [Eigenvalue("other", 0.0)] * max(others, 0)
        rest = coarse.values[coarse.null.shape[1] :][:n]
        return (*named, *(Eigenvalue("smooth", float(v)) for v in rest))


def prepared(
    model: Model, strips: Strips, start: Unknowns, degree: int, workers: int, stage: Stage
) -> State:
    """Make the equations at the start values, with their coarse space.

    Parameters
    ----------
    model : Model
    strips : Strips
    start : Unknowns
        Stars by slot.
    degree : int
        Of the smooth modes over the sky.
    workers : int
    stage : Stage

    Raises
    ------
    InputError
        If a visit or a block is undetermined even with known stars.
    """
    stage("blocks")
    operator = Operator(model, strips, start, workers)
    try:
        equations = ReducedEquations(operator, operator.blocks())
    except np.linalg.LinAlgError as error:
        raise InputError(
            "a star, a visit or a calibration block is undetermined even if all others are known"
        ) from error
    stage("coarse space")
    used = strips.order >= 0
    modes = _modes(equations, used)
    changes = smooth_changes(start.sources, used, degree)
    equations.take_coarse_space(-equations.arrowhead.solve(operator.adjoint(changes)))
    coarse = equations.coarse
    assert coarse is not None
    null = -np.matmul(equations.stars, operator.forward(coarse.null)) if coarse.null.size else None
    if null is None:
        null = np.zeros((len(used), 5, 0))
    return State(start, equations, modes, null, coarse.null)


def _modes(equations: ReducedEquations, used: NDArray[np.bool_]) -> tuple[Mode, ...]:
    """Return the common modes with their Rayleigh quotients, as `modes.named_modes` has them."""
    operator, blocks = equations.operator, equations.blocks
    prior = operator.model.prior.precision
    found = patterns(operator.unknowns.sources[used])
    stars = np.zeros((len(used), 5, len(found)))
    stars[used] = np.stack(list(found.values()), axis=-1)
    image = operator.adjoint(stars)
    hidden = -equations.arrowhead.solve(image)
    taken = np.einsum("ik,ik->k", image, hidden)
    diagonal, n = diagonal_of(blocks), operator.model.n_attitude
    modes = []
    for k, name in enumerate(found):
        p, h = np.ascontiguousarray(stars[:, :, k]), hidden[:, k]
        z = Shift(p, h[:n].reshape(-1, 3), h[n:].reshape(blocks.terms.shape[:2]))
        known = float(np.einsum("ni,nij,nj->", p, prior, p))
        whole = float(np.einsum("ni,nij,nj->", p, blocks.sources, p)) + float(taken[k])
        squares = Shift(z.sources**2, z.attitude**2, z.coefficients**2).dot(diagonal)
        own = squares - float(np.einsum("ni,nii->", p**2, prior))
        modes.append(Mode(name, z, max(whole, 0.0) / squares, max(whole - known, 0.0) / own))
    return tuple(modes)


def full_shift(state: State, right: Shift, gain: float) -> tuple[Shift, int]:
    """Solve the normal equations for a right-hand side, with least motion along free modes."""
    e = state.equations
    first = np.einsum("nij,nj->ni", e.stars, right.sources)
    reduced = right.instrument[:, None] - e.operator.adjoint(first[:, :, None])
    begin: list[float] = []

    def enough(left: Floats, _: Floats) -> bool:
        begin.append(float(left[0]))
        return begin[-1] <= max(gain * begin[0], SMALLEST_ERRORS)

    solved = solve(e, reduced, enough)
    back = e.operator.forward(solved.vector)[:, :, 0]
    stars = first - np.einsum("nij,nj->ni", e.stars, back)
    shift = Shift(stars, right.attitude, right.coefficients).with_instrument(solved.vector[:, 0])
    return _least(state, shift, shift.sources), solved.iterations


def _least(state: State, shift: Shift, moved: Floats) -> Shift:
    """Add free modes to a shift until the stars that have `moved` move least."""
    if not state.null.shape[2]:
        return shift
    m = state.null.reshape(-1, state.null.shape[2])
    amplitude = -np.linalg.solve(m.T @ m, m.T @ moved.ravel())
    stars = shift.sources + state.null @ amplitude
    instrument = shift.instrument + state.null_instrument @ amplitude
    return Shift(stars, shift.attitude, shift.coefficients).with_instrument(instrument)


def iterate(state: State, robust: str, stage: Stage = silent) -> None:
    """Move a prepared state to the solution.

    Parameters
    ----------
    state : State
        Changed in place; its strips end with the residuals and robust factors of the solution.
    robust : str
        One of `gcmock.astrometry.solver.robust.ROBUST`.
    stage : Stage

    Raises
    ------
    GcmockError
        If the iteration does not converge.
    """
    start = state.unknowns
    operator = state.equations.operator
    descending, enough, relative, far = False, False, np.inf, False
    moved = np.full(2, np.inf)
    half_field = operator.model.distortion.half_field / MAS
    for number in range(1, MAX_PASSES + 1):
        stage(f"pass {number}")
        kind = "none"
        if robust != "none" and number > 1:
            # Weights that fall to zero are for residuals that are nearly final.
            descending = descending or relative < 1.0
            kind = robust if descending else "huber"
        found = operator.gradient(start, state.unknowns, kind)
        if kind != "none" or far:
            operator = _renewed(state)
            far = False
        blocks = state.equations.blocks
        errors = np.sqrt(np.einsum("nii->ni", state.equations.stars))
        known_stars = np.sqrt(np.einsum("nii->ni", np.linalg.inv(blocks.visits)))
        gain = GAIN if robust == "none" else ROBUST_GAIN
        shift, iterations = full_shift(state, found.shift, gain)
        state.unknowns = state.unknowns.shifted(shift)
        used = operator.strips.order >= 0
        largest = float(np.abs(shift.sources[used]).max())
        attitude = float(np.abs(shift.attitude[:, :2]).max(initial=0.0))
        state.passes.append(Pass(float(found.chi2.sum()), largest, attitude, number == 1))
        state.iterations.append(iterations)
        if not np.isfinite(largest):
            break
        far = max(largest, attitude) > FAR * half_field
        relative = float((np.abs(shift.sources) / errors)[used].max())
        turned = 0.1 * float((np.abs(shift.attitude) / known_stars).max())
        limit = CONVERGED if robust == "none" else ROBUST_CONVERGED_ERRORS
        moved, before = np.array([relative, turned]), moved
        # A pass gains about as much as the one before it, unless weights change.
        slower = (MARGIN * moved >= before) | (number <= 2)
        gained = np.where(slower, 1.0, MARGIN * moved / np.where(slower, 1.0, before))
        left = moved * gained if robust == "none" else moved
        enough = bool(left[1] < limit) and (largest < CONVERGED_MAS or bool(left[0] < limit))
        if enough and (robust == "none" or descending):
            break
    else:
        enough = False
    if not enough:
        advice = "" if robust != "none" else ", or use --robust huber against outliers"
        raise GcmockError(
            f"the solution did not converge in {len(state.passes)} passes (last shift "
            f"{largest:.3g} mas); check the start values of the pointing{advice}"
        )
    _settle(state, start)
    state.gradient = operator.gradient(start, state.unknowns, write=True)
    if robust != "none" or far:
        _renewed(state, coarse=True)


def _renewed(state: State, *, coarse: bool = False) -> Operator:
    """Make the equations again, with the present weights and unknowns.

    The coarse space stays as it is unless it is wanted exactly: it only has to be good enough.
    """
    old = state.equations
    operator = Operator(
        old.operator.model, old.operator.strips, state.unknowns, old.operator.workers
    )
    new = ReducedEquations(operator, operator.blocks())
    if coarse:
        assert old.coarse is not None
        new.take_coarse_space(np.hstack([old.coarse.null, old.coarse.modes]))
        assert new.coarse is not None
        state.null_instrument = new.coarse.null
        state.null = (
            -np.matmul(new.stars, operator.forward(new.coarse.null))
            if (new.coarse.null.size)
            else state.null[:, :, :0]
        )
    else:
        new.coarse = old.coarse
    state.equations = new
    return operator


def _settle(state: State, start: Unknowns) -> None:
    """Move along the free modes to where the stars have moved least from the start."""
    operator = state.equations.operator
    zero = np.zeros(operator.model.n_instrument)
    empty = Shift(np.zeros_like(start.sources), start.attitude, start.coefficients)
    for _ in range(2 if state.null.shape[2] else 0):
        moved = source_shift(state.unknowns.sources, start.sources)
        state.unknowns = state.unknowns.shifted(_least(state, empty.with_instrument(zero), moved))
