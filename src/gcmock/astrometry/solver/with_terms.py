"""Terms of the whole mission beside the direct solution, see `bordered`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gcmock.arrays import Floats
from gcmock.astrometry.solver.bordered import CHUNK, Border, bordered, observation_sums, spread
from gcmock.astrometry.solver.equations import Equations
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Problem, Shift, Unknowns, source_shift
from gcmock.astrometry.solver.reduced import Covariance
from gcmock.astrometry.solver.terms import InstrumentTerms, field_of


def border_of(
    terms: InstrumentTerms,
    problem: Problem,
    unknowns: Unknowns,
    equations: Equations,
    workers: int,
    factor: float,
) -> Border:
    """Test and solve terms beside a solution.

    Parameters
    ----------
    terms : InstrumentTerms
        With the stars of the problem.
    problem : Problem
        With its robust weights.
    unknowns : Unknowns
        The solution without the terms.
    equations : Equations
        Of the solution.
    workers : int
    factor : float
        Of the variances, for robust weights.
    """
    here = Linearisation(problem, unknowns, workers)
    residual = here.residuals() / problem.root_weight
    base = here.gradient()

    def parts() -> Iterator[tuple[Floats, Floats, Floats]]:
        for rows, columns in _chunks(terms, problem):
            yield columns, problem.root_weight[rows].T ** 2, residual[rows].T

    def right(k: int) -> Shift:
        moved = replace(problem, measured=problem.measured + column(terms, problem, k))
        return Linearisation(moved, unknowns, workers).gradient() + base.scaled(-1.0)

    offset = np.zeros_like(problem.prior.mean)
    known = problem.prior.precision[:, 0, 0] > 0
    offset[known] = source_shift(problem.prior.mean[known], unknowns.sources[known])
    sums = observation_sums(parts(), len(terms.terms))
    return bordered(terms, sums, right, equations.solve, problem.prior, offset, factor)


def _chunks(terms: InstrumentTerms, problem: Problem) -> Iterator[tuple[slice, Floats]]:
    star = np.repeat(np.arange(problem.n_source), np.diff(problem.first))
    for start in range(0, problem.n_observation, CHUNK):
        rows = slice(start, start + CHUNK)
        yield rows, terms.columns(star[rows], *field_of(problem.measured[rows]))


def column(terms: InstrumentTerms, problem: Problem, k: int) -> Floats:
    """Return what a term shifts, shape (n_observation, 2)."""
    parts = [columns[k].T for _, columns in _chunks(terms, problem)]
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def corrected(problem: Problem, border: Border) -> Problem:
    """Return a problem without what the terms shift; its stars are those of `border.terms`."""
    parts = [np.einsum("k,kan->na", border.whole, c) for _, c in _chunks(border.terms, problem)]
    shift = np.concatenate(parts) if parts else np.zeros((0, 2))
    return replace(problem, measured=problem.measured - shift, prior=border.prior(problem.prior))


def with_terms(covariance: Covariance, border: Border) -> Covariance:
    """Return covariances with what the terms add.

    That of the whole instrument stays: secondary stars get the errors of the terms by `secondary`.
    """
    return Covariance(
        covariance.sources + border.added("sources"),
        covariance.attitude + border.added("attitude"),
        covariance.coefficients + border.added("coefficients"),
        covariance.instrument,
    )


def secondary_covariance(
    problem: Problem, unknowns: Unknowns, root: Floats, border: Border
) -> Floats:
    """Return what the terms add to the covariances of secondary stars, shape (n_source, 5, 5).

    A term moves such a star by itself and through the instrument.

    Parameters
    ----------
    problem : Problem
        Of the secondary stars, with their robust weights.
    unknowns : Unknowns
    root : ndarray, shape (n_source, 5, 5)
        L^-1 with L L' the normal matrix of each star.
    border : Border
        Its terms know these stars.
    """
    found = []
    none = problem.no_shift()
    for k in border.terms.solved:
        own, moved = border.responses[k], column(border.terms, problem, k)
        problem_k = replace(problem, measured=problem.measured + moved)
        instrument = Shift(none.sources, own.attitude, own.coefficients)
        there, here = (Linearisation(p, unknowns) for p in (problem_k, problem))
        right = there.source_blocks()[1] - here.source_blocks()[1]
        right = right - here.product(instrument, prior=False).sources
        found.append(np.einsum("nki,nkj,nj->ni", root, root, right))
    return spread(np.stack(found, axis=-1), border.covariance)
