"""Terms of the whole mission beside a solution in strips, see `bordered`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.astrometry.directions.geometry import field_coordinates
from gcmock.astrometry.solver.bordered import Border, bordered, observation_sums, spread
from gcmock.astrometry.solver.gauss_newton import Result
from gcmock.astrometry.solver.iterative.newton import State, full_shift
from gcmock.astrometry.solver.iterative.operator import Operator
from gcmock.astrometry.solver.iterative.strips import Strips
from gcmock.astrometry.solver.iterative.tables import TILE
from gcmock.astrometry.solver.problem import Shift, Unknowns, source_shift
from gcmock.astrometry.solver.terms import InstrumentTerms
from gcmock.astrometry.solver.with_terms import with_terms

CHUNK: Final = 10_000
"""Strips whose columns are in memory at a time."""

GAIN: Final = 1e-8
"""Conjugate gradients of a term end when this part is left: a term of 1 mas is some thousand
errors of all stars together, and no star may move by a thousandth of its own."""


def by_slot(terms: InstrumentTerms, strips: Strips) -> InstrumentTerms:
    """Return terms that know the stars by slot; slots without a star have that of the first."""
    number = np.cumsum(strips.order >= 0) - 1
    return terms.of(np.maximum(number, 0))


def add_terms(state: State, terms: InstrumentTerms, factor: float) -> Border:
    """Test and solve terms beside a solution; the state becomes that with the solved terms.

    Parameters
    ----------
    state : State
        With the residuals of the solution in its strips.
    terms : InstrumentTerms
        With the primary stars.
    factor : float
        Of the variances, for robust weights.
    """
    operator, unknowns = state.equations.operator, state.unknowns
    strips, model = operator.strips, operator.model
    terms = by_slot(terms, strips)
    sums = observation_sums(_parts(terms, strips, unknowns), len(terms.terms))
    prior = model.prior
    offset = np.zeros_like(prior.mean)
    known = prior.precision[:, 0, 0] > 0
    offset[known] = source_shift(prior.mean[known], unknowns.sources[known])
    priors = _priors(operator, unknowns)
    border = bordered(
        terms,
        sums,
        lambda k: _right(operator, unknowns, terms, k, priors),
        lambda right: full_shift(state, right, GAIN)[0],
        prior,
        offset,
        factor,
    )
    if len(terms.solved):
        shifted = unknowns.shifted(border.shift(_nothing(operator)))
        subtract_terms(strips, unknowns, border, known_slots=True)
        operator.model = replace(model, prior=border.prior(prior))
        state.gradient = operator.gradient(unknowns, shifted, write=True)
        state.unknowns = shifted
    return border


def _nothing(operator: Operator) -> Shift:
    d, n_slot = operator.model.distortion, len(operator.strips.order)
    n_visit = len(operator.model.visits)
    return Shift(np.zeros((n_slot, 5)), np.zeros((n_visit, 3)), np.zeros((d.n_block, d.n_term)))


def _columns(
    terms: InstrumentTerms, strips: Strips, unknowns: Unknowns
) -> Iterator[tuple[slice, Floats]]:
    """Yield rows of strips, and what the terms shift, (n_term, 2, n_strip, 16)."""
    lanes = np.arange(TILE)
    for start in range(0, len(strips.visit), CHUNK):
        rows = slice(start, start + CHUNK)
        slot = (strips.tile[rows, None] * TILE + lanes).ravel()
        attitude = unknowns.attitude[np.repeat(strips.visit[rows], TILE)].T
        ra, dec = unknowns.sources[slot, :2].T
        x, y, *_ = field_coordinates(ra, dec, 0.0, 0.0, 0.0, *attitude)
        columns = terms.columns(slot, x, y)
        yield rows, columns.reshape(len(terms.terms), 2, -1, TILE)


def _parts(
    terms: InstrumentTerms, strips: Strips, unknowns: Unknowns
) -> Iterator[tuple[Floats, Floats, Floats]]:
    for rows, columns in _columns(terms, strips, unknowns):
        robust = strips.robust[rows] if len(strips.robust) else 1.0
        roots = strips.root_x[rows], strips.root_y[rows]
        weight: Floats = np.stack([np.square(root, dtype=np.float64) * robust for root in roots])
        lanes = strips.residual[rows].astype(np.float64) * strips.step
        residual = lanes.reshape(-1, 2, TILE).swapaxes(0, 1)
        yield columns, weight, residual


def _priors(operator: Operator, unknowns: Unknowns) -> Shift:
    """Return what the gradient is without residuals, minus: the same for every term."""
    strips = replace(operator.strips, residual=np.zeros_like(operator.strips.residual))
    still = Operator(operator.model, strips, operator.unknowns, operator.workers)
    return still.gradient(unknowns, unknowns).shift.scaled(-1.0)


def _right(
    operator: Operator, unknowns: Unknowns, terms: InstrumentTerms, k: int, priors: Shift
) -> Shift:
    """Return A'W G of a term, from residuals that are the term's column."""
    strips = operator.strips
    residual = np.zeros_like(strips.residual)
    for rows, columns in _columns(terms, strips, unknowns):
        residual[rows] = _steps(columns[k], strips.step)
    moved = Operator(
        operator.model, replace(strips, residual=residual), operator.unknowns, operator.workers
    )
    return moved.gradient(unknowns, unknowns).shift + priors


def _steps(shift: Floats, step: float) -> NDArray[np.int32]:
    """Return shifts (2, n_strip, 16) [mas] as residuals (n_strip, 32) in steps."""
    lanes = shift.swapaxes(0, 1).reshape(-1, 2 * TILE)
    return np.rint(lanes / step).astype(np.int32)


def subtract_terms(
    strips: Strips, unknowns: Unknowns, border: Border, *, known_slots: bool = False
) -> None:
    """Take what the solved terms shift off the residuals of strips, in place.

    Parameters
    ----------
    strips : Strips
    unknowns : Unknowns
        Stars by slot.
    border : Border
    known_slots : bool
        Whether its terms know the stars by slot, or in the order of the campaign.
    """
    terms = border.terms if known_slots else by_slot(border.terms, strips)
    for rows, columns in _columns(terms, strips, unknowns):
        strips.residual[rows] -= _steps(np.tensordot(border.whole, columns, 1), strips.step)


def result_with_terms(result: Result, border: Border, used: NDArray[np.bool_]) -> Result:
    """Return a result with the terms, whose stars are those of the slots that are used."""
    responses = tuple(
        Shift(one.sources[used], one.attitude, one.coefficients) for one in border.responses
    )
    border = replace(border, responses=responses)
    if not len(border.values):
        return replace(result, border=border)
    return replace(
        result,
        border=border,
        covariance=with_terms(result.covariance, border),
        mode_covariance=result.mode_covariance + border.of_modes(result.unknowns.sources),
    )


def secondary_covariance(
    operator: Operator, unknowns: Unknowns, inverse: Floats, border: Border
) -> Floats:
    """Return what the terms add to the covariances of secondary stars, shape (n_slot, 5, 5)."""
    terms = by_slot(border.terms, operator.strips)
    found, priors = [], _priors(operator, unknowns)
    for k in terms.solved:
        right = _right(operator, unknowns, terms, int(k), priors).sources
        instrument = border.responses[k].instrument[:, None]
        right = right - operator.forward(instrument)[:, :, 0]
        found.append(np.einsum("nij,nj->ni", inverse, right))
    return spread(np.stack(found, axis=-1), border.covariance)
