"""Gauss-Newton iteration of a problem, and its covariances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.solver.bordered import Border
from gcmock.astrometry.solver.elimination import Covariance
from gcmock.astrometry.solver.equations import Eigenvalue, Equations
from gcmock.astrometry.solver.modes import Mode
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Floats, Problem, Unknowns
from gcmock.astrometry.solver.robust import variance_factor, weights
from gcmock.astrometry.solver.terms import InstrumentTerms
from gcmock.astrometry.solver.with_terms import border_of, corrected, with_terms
from gcmock.errors import GcmockError
from gcmock.progress import Stage, silent

Order = Literal["auto", "sources", "instrument"]

CONVERGED_MAS: Final = 1e-6
"""The iteration ends when no star moves further in a pass (0.001 micro-arcsec) ..."""

CONVERGED_ERRORS: Final = 1e-4
"""... or further than this part of its error with a known instrument; nor any pointing or roll
further than ten times this part of its error with known stars."""

FAR: Final = 1e-3
"""A shift of this part of half the field asks for a new matrix before the covariances."""

SLOW: Final = 0.2
"""A pass that shrinks the shift less asks for a new factorisation."""

ROBUST_CONVERGED_ERRORS: Final = 1e-3
"""Convergence with robust weights, which change from pass to pass."""

ROBUST_CHORD_ERRORS: Final = 0.05
"""Smaller shifts of nearly all stars with robust weights need no new factorisation.

Reweighted least squares with Huber's weights always go downhill, but only with the present matrix.
"""

MAX_PASSES: Final = 60


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
    chi2 : ndarray, shape (n_source,)
        Sums of squares of the residuals, without robust weights.
    chi2_prior : float
        Squares of the deviations from the priors.
    n_freedom : int
        Equations (with priors) minus unknowns that are determined.
    variance_factor : float
        Factor on the covariances for robust weights.
    weight : ndarray, shape (n_observation,)
        Robust weights.
    downweighted : float
        Fraction of the observations with less than full weight.
    modes : tuple of Mode
        Common modes.
    mode_covariance : ndarray, shape (k, k)
        Of the amplitudes of the modes, fitted together.
    eigenvalues : tuple of Eigenvalue
        Null ones first.
    condition : float
        Largest possible over smallest eigenvalue of the scaled matrix that was factorised.
    border : Border, optional
        Terms of the whole mission.
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
    downweighted: float
    modes: tuple[Mode, ...]
    mode_covariance: Floats
    eigenvalues: tuple[Eigenvalue, ...]
    condition: float
    border: Border | None = None


def chosen_order(problem: Problem, order: Order = "auto") -> str:
    """Which unknowns to eliminate first: those that leave the smaller matrix."""
    if order != "auto":
        return order
    return "sources" if problem.n_instrument <= 5 * problem.n_source else "instrument"


def iterate(
    problem: Problem,
    start: Unknowns,
    *,
    order: Order = "auto",
    robust: str = "none",
    workers: int = 1,
    stage: Stage = silent,
    instrument: bool = True,
    terms: InstrumentTerms | None = None,
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
        One of `gcmock.astrometry.solver.robust.ROBUST`.
    workers : int
        Threads of the sweeps over the observations.
    stage : Stage
        Told what is being done.
    instrument : bool
        Whether the covariance of the whole instrument is wanted.
    terms : InstrumentTerms, optional
        Terms of the whole mission that are tested or solved for; they know the stars.

    Raises
    ------
    GcmockError
        If the iteration does not converge.
    """
    chosen = chosen_order(problem, order)
    unknowns, weighted = start, problem
    equations = Equations(problem, start, chosen, workers, stage)
    conditional = np.sqrt(np.einsum("nii->ni", np.linalg.inv(equations.blocks.sources)))
    known_stars = np.sqrt(np.einsum("nii->ni", np.linalg.inv(equations.blocks.visits)))
    passes: list[Pass] = []
    weight, previous, relative = np.ones(problem.n_observation), np.inf, np.inf
    fresh, far, descending = True, False, False
    for number in range(1, MAX_PASSES + 1):
        stage(f"pass {number}")
        here = Linearisation(problem, unknowns, workers)
        residuals = here.residuals()
        size = np.hypot(residuals[:, 0], residuals[:, 1])
        settling = robust != "none" and number > 1
        if settling:
            # Weights that fall to zero are for residuals that are nearly final.
            descending = descending or relative < 1.0
            weight = weights(size, robust if descending else "huber")
            weighted = problem.reweighted(weight)
            here = Linearisation(weighted, unknowns, workers)
        shift = equations.solve(here.gradient())
        unknowns = unknowns.shifted(shift)
        largest = float(np.abs(shift.sources).max())
        attitude = float(np.abs(shift.attitude[:, :2]).max(initial=0.0))
        far = far or max(largest, attitude) > FAR * problem.distortion.half_field / MAS
        passes.append(Pass(float((size**2).sum()), largest, attitude, fresh))
        by_star = (np.abs(shift.sources) / conditional).max(axis=1)
        relative = float(by_star.max())
        limit = CONVERGED_ERRORS if robust == "none" else ROBUST_CONVERGED_ERRORS
        enough = largest < CONVERGED_MAS or relative < limit
        enough = enough and float((np.abs(shift.attitude) / known_stars).max()) < 10.0 * limit
        if not np.isfinite(largest):
            break
        if enough and (robust == "none" or descending):
            break
        if robust == "none":
            fresh = largest > SLOW * previous
        else:
            fresh = number == 1 or float(np.quantile(by_star, 0.98)) > ROBUST_CHORD_ERRORS
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
    end = _End(problem, weighted, unknowns, equations, weight, passes, robust, instrument)
    return _finished(end, terms, workers)


class _End(NamedTuple):
    """What is left when an iteration has ended."""

    problem: Problem
    weighted: Problem
    unknowns: Unknowns
    equations: Equations
    weight: Floats
    passes: list[Pass]
    robust: str
    instrument: bool


def _finished(end: _End, terms: InstrumentTerms | None, workers: int) -> Result:
    problem, weighted, unknowns, equations, weight, passes, robust, instrument = end
    factor, border = 1.0, None
    if terms is not None:
        if robust != "none":
            size = np.hypot(*Linearisation(problem, unknowns, 1).residuals().T)
            factor = variance_factor(size, robust, _freedom(problem, equations))
        border = border_of(terms, weighted, unknowns, equations, workers, factor)
        if len(terms.solved):
            problem = corrected(problem, border)
            unknowns = unknowns.shifted(border.shift(problem.no_shift()))
    here = Linearisation(problem, unknowns, 1)
    residuals = here.residuals()
    square = (residuals**2).sum(axis=1)
    chi2 = np.add.reduceat(np.append(square, 0.0), problem.first[:-1]) * (
        np.diff(problem.first) > 0
    )
    n_freedom = _freedom(problem, equations)
    if robust != "none":
        factor = variance_factor(np.sqrt(square), robust, n_freedom)
    modes, eigenvalues, condition = equations.modes, equations.eigenvalues, equations.condition
    mode_covariance = factor * equations.mode_covariance()
    covariance = equations.covariance(instrument=instrument)
    if factor != 1.0:
        whole = covariance.instrument
        if whole is not None:
            whole *= factor
        covariance = Covariance(
            factor * covariance.sources,
            factor * covariance.attitude,
            factor * covariance.coefficients,
            whole,
        )
    if border is not None and len(border.values):
        mode_covariance = mode_covariance + border.of_modes(unknowns.sources)
        covariance = with_terms(covariance, border)
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
        float((weight < 1.0).mean()),
        tuple(modes),
        mode_covariance,
        eigenvalues,
        condition,
        border,
    )


def _freedom(problem: Problem, equations: Equations) -> int:
    """Count equations and priors, and take off the unknowns that are determined.

    Terms of the whole mission have priors, as many as they are.
    """
    n_prior = 5 * int((problem.prior.precision[:, 0, 0] > 0).sum())
    n_unknown = 5 * problem.n_source + problem.n_instrument - len(equations.null)
    return 2 * problem.n_observation + n_prior - n_unknown
