"""Fit of the law by scores: how the evidence of every star changes with the law.

The scores of a star are the differences of ln of its evidence under laws that are a little steeper
or shallower, and factors that are a little larger or smaller. Their sums are the gradient, their
mean squares the information on slope, offset and the factors of all cells, which are found together
(the method of scoring; Berndt et al. 1974, Ann. Econ. Soc. Meas. 3, 653). What is left out of a
list, because it is too faint, is put right by -n ln Λ. Each star is weighted with the probability
that it is no outlier.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.cells import gaussian_weights
from gcmock.calibration.curves import USUAL_OF_GROUP
from gcmock.calibration.law import (
    OFFSET_PRIOR,
    QUADRANT_SPREAD,
    SLOPE_PRIOR,
    LawFit,
    law_fit,
    parameters_of,
    power_law,
)
from gcmock.calibration.law_sample import Sample, choose
from gcmock.calibration.measurements import log_floor
from gcmock.calibration.selection import at_places, expected_density
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError
from gcmock.learned import nothing_learned
from gcmock.model import Model
from gcmock.pool import in_order
from gcmock.progress import StagedProgress
from gcmock.words.bands import KS, LINEAR_BANDS, J

LEAST_STARS: Final = 40
"""Fewer stars with J, H and Ks do not calibrate a law."""

SCATTER_MAG: Final = 0.12
"""Scatter of E(J-Ks) about the mean of the cell while the law is fitted [mag]: wide enough for all
cells, and little compared with what colours tell."""

REGION_FACTOR, CELL_FACTOR = 0.08, 0.04
"""Standard deviations of the factor of the region, and of a cell about it."""

MOST_ITERATIONS, LONGEST_MOVE, TOLERANCE, CELL_DAMPING = 6, 1.0, 0.25, 0.5
"""Of the search; moves and their last in units of the widths of the priors, and of the errors."""

LEAST_GAIN: Final = 3.0
"""Quadrants have laws of their own if ln of the posterior gains more than this in each: two
parameters of chance gain 1."""

RATIOS: Final = (0.25, 16.0)
"""Least and largest ratio of the curvature to the mean squares of scores that is believed."""

STEPS: Final = np.array([0.03, 0.003, 0.01])
"""Halves of the widths of the differences in α, h and the factors."""


class State(NamedTuple):
    """Where a search is.

    Attributes
    ----------
    slope, offset : ndarray, shape (n_row,)
        α and h of every row of the law.
    factor : ndarray, shape (n_cell,)
        Factors of the cells.
    """

    slope: Floats
    offset: Floats
    factor: Floats


def fit_laws(
    stars: Calibrators,
    model: Model,
    regions: str,
    with_offset: bool,
    workers: int,
    tell: StagedProgress,
) -> tuple[ExtinctionLaw, dict[int, LawFit]]:
    """Fit a law to all stars, and to quadrants if these differ.

    Parameters
    ----------
    stars : Calibrators
    model : Model
        Its law is where the fit starts.
    regions : {"quadrants", "one", "none"}
    with_offset : bool
        Fit the offset in H as well.
    workers : int
        Threads.
    tell : callable
        Told the progress.

    Returns
    -------
    law : ExtinctionLaw
        That of the model if there are too few stars.
    fits : dict of int to LawFit
        By row of the law.

    Raises
    ------
    InputError
        If `regions` is unknown.
    """
    if regions not in ("quadrants", "one", "none"):
        raise InputError(f"law regions {regions!r}: expected quadrants, one or none")
    full = np.flatnonzero(np.isfinite(stars.data.mag[:, : len(LINEAR_BANDS)]).all(axis=1))
    if regions == "none" or full.size < LEAST_STARS:
        return model.law, {}
    sample = choose(stars, full, model)
    base = model.law.rows[-1]
    excess = float(base[J] - base[KS])
    slope, offset = parameters_of(base)
    state = State(np.array([slope]), np.array([offset]), np.ones(sample.l_deg.size))
    fit = _Fit(sample, model, excess, with_offset, workers)
    state, information, gain, scores = fit.search(state, tell)
    covariance = fit.covariance(information)
    n = sample.data.n_star
    common = law_fit(state.slope[0], state.offset[0], excess, covariance, n, gain)
    fits = {0: common}
    if regions == "quadrants":
        found = fit.quadrants(state, scores)
        if sum(gain for _, _, gain in found.values()) > LEAST_GAIN * len(found) > 0:
            n_row = len(QUADRANTS)
            state = State(
                np.repeat(state.slope, n_row), np.repeat(state.offset, n_row), state.factor
            )
            for _ in range(2):
                scores = fit.scores(state)
                for row, (move, _, _) in fit.quadrants(state, scores, common).items():
                    state.slope[row] += move[0]
                    state.offset[row] += move[1]
            fits = {n_row - 1: common}
            scores = fit.scores(state)
            for row, (_, spread, gain) in fit.quadrants(state, scores, common).items():
                members = int((sample.quadrant == row).sum())
                fits[row] = law_fit(
                    state.slope[row], state.offset[row], excess, spread, members, gain
                )
    return _law_of(state, excess, model.law), fits


def _law_of(state: State, excess: float, base: ExtinctionLaw) -> ExtinctionLaw:
    """Law of a state."""
    pairs = zip(state.slope, state.offset, strict=True)
    rows = np.stack([power_law(float(a), float(h), excess) for a, h in pairs])
    rows.flags.writeable = False
    return ExtinctionLaw(
        f"fitted from {base.name}", rows, f"stars of a catalogue; start {base.source}"
    )


class Scores(NamedTuple):
    """Scores of stars, with the term of what is too faint, times the probability of no outlier.

    Attributes
    ----------
    law : ndarray, shape (n_star, 2)
        With respect to slope and offset of the law of the star.
    factor : ndarray, shape (n_star,)
        With respect to the factor of its cell.
    value : float
        ln of the likelihood of all stars.
    curvature : ndarray, shape (3,)
        Its second derivatives in slope, offset and a common factor, with their sign changed.
    move : ndarray, shape (2 + n_cell,), optional
        From where they were computed to where they are needed, in slope, offset and the factors.
    """

    law: Floats
    factor: Floats
    value: float
    curvature: Floats
    move: Floats | None = None

    @property
    def scaled(self) -> Scores:
        """Scores whose mean squares are the curvature.

        They are where errors are what they are said to be; where errors were made larger, scores
        are small, and steps along their mean squares would swing about the best law.
        """
        squares = np.append(np.square(self.law).sum(axis=0), np.square(self.factor).sum())
        ratio = self.curvature / np.maximum(squares, 1e-30)
        scale = np.sqrt(np.clip(ratio, *RATIOS))
        return self._replace(law=self.law * scale[:2], factor=self.factor * scale[2])


class _Fit:
    """A search for the law and the factors of cells."""

    def __init__(
        self, sample: Sample, model: Model, excess: float, with_offset: bool, workers: int
    ) -> None:
        self.sample, self.model, self.excess = sample, model, excess
        self.with_offset, self.workers = with_offset, workers
        self._models: dict[bytes, Model] = {}

    @cached_property
    def floor(self) -> Floats:
        """Ln of the evidence of all cases but the clean one, about the first law."""
        sample = self.sample
        data = sample.data._replace(tau=np.full(sample.data.n_star, SCATTER_MAG))
        return log_floor(self.model.posterior, data, self.workers)

    @cached_property
    def counts(self) -> tuple[Floats, Floats]:
        """Expected stars of the cells under the first law, and its A_Ks over E(J-Ks) there.

        Another law changes them as another factor on the reddening does.
        """
        sample = self.sample
        density = expected_density(
            self.model, sample.l_deg, sample.b_deg, sample.e_map, sample.limits
        )
        kappa = self.model.law.kappa(sample.l_deg, sample.b_deg)[:, KS]
        return np.einsum("cgf,g->cf", density, USUAL_OF_GROUP)[:, None], kappa

    def search(self, state: State, tell: StagedProgress) -> tuple[State, Floats, float, Scores]:
        """Find one law and the factors of all cells.

        Returns the state, the information, the gain of ln P, and the scores.
        """
        n_cell = state.factor.size
        prior = self._prior(n_cell)
        mean = np.concatenate([[SLOPE_PRIOR[0], OFFSET_PRIOR[0]], np.ones(n_cell)])
        first, information, value = 0.0, prior, 0.0
        for iteration in range(MOST_ITERATIONS):
            scores = self.scores(state)
            gradient, _ = self._gradient(scores)
            _, information = self._gradient(scores.scaled)
            value = scores.value
            x = np.concatenate([state.slope, state.offset, state.factor])
            value -= 0.5 * float((x - mean) @ prior @ (x - mean))
            first = value if iteration == 0 else first
            gradient = gradient - prior @ (x - mean)
            information = information + prior
            if not self.with_offset:
                gradient[1] = 0.0
                information[1, :] = information[:, 1] = 0.0
                information[1, 1] = 1.0 / OFFSET_PRIOR[1] ** 2
            move = np.linalg.solve(information, gradient)
            width = np.array([SLOPE_PRIOR[1], OFFSET_PRIOR[1]])
            move *= min(1.0, LONGEST_MOVE / float(np.abs(move[:2] / width).max() + 1e-12))
            # Mean squares of few scores are rough: cells with few stars would swing.
            move[2:] *= 1.0 if iteration == 0 else CELL_DAMPING
            x = x + move
            state = State(x[:1], x[1:2], np.clip(x[2:], 0.6, 1.4))
            tell("law", iteration + 1, MOST_ITERATIONS)
            error = np.sqrt(np.diag(np.linalg.inv(information)))
            if np.abs(move / error)[:2].max() < TOLERANCE:
                return state, information, value - first, scores._replace(move=move)
        return state, information, value - first, self.scores(state)

    def _prior(self, n_cell: int) -> Floats:
        """Inverse covariance of the priors of slope, offset and factors."""
        of_cells = CELL_FACTOR**2 * np.eye(n_cell) + REGION_FACTOR**2
        out = np.zeros((2 + n_cell, 2 + n_cell))
        out[0, 0], out[1, 1] = SLOPE_PRIOR[1] ** -2, OFFSET_PRIOR[1] ** -2
        out[2:, 2:] = np.linalg.inv(of_cells)
        return out

    def covariance(self, information: Floats) -> Floats:
        """Covariance of slope and offset, whatever the factors."""
        found = np.linalg.inv(information)[:2, :2]
        if not self.with_offset:
            found[1, :] = found[:, 1] = 0.0
        return np.asarray(found)

    def quadrants(
        self, state: State, scores: Scores, common: LawFit | None = None
    ) -> dict[int, tuple[Floats, Floats, float]]:
        """Return moves of the laws of quadrants, their covariances and gains."""
        sample = self.sample
        out, scaled = {}, scores.scaled
        prior = np.diag(1.0 / np.square(QUADRANT_SPREAD))
        for q in range(len(QUADRANTS) - 1):
            members = np.flatnonzero(sample.quadrant == q)
            if members.size < LEAST_STARS:
                continue
            r = q if state.slope.size > 1 else 0
            # The factors of cells move along.
            cells, of_star = np.unique(sample.cell[members], return_inverse=True)
            design = np.zeros((members.size, 2 + cells.size))
            design[:, :2] = scores.law[members]
            design[np.arange(members.size), 2 + of_star] = scores.factor[members]
            gradient = design.sum(axis=0)
            design[:, :2] = scaled.law[members]
            design[np.arange(members.size), 2 + of_star] = scaled.factor[members]
            information = design.T @ design
            if scores.move is not None:
                gradient -= information @ np.append(scores.move[:2], scores.move[2 + cells])
            information[2:, 2:] += np.eye(cells.size) / CELL_FACTOR**2
            information[:2, :2] += prior
            if common is not None:
                away = np.array([state.slope[r] - common.slope, state.offset[r] - common.offset])
                gradient[:2] -= prior @ away
            if not self.with_offset:
                gradient[1] = information[1, 0] = information[0, 1] = 0.0
                information[1, 2:] = information[2:, 1] = 0.0
            covariance = np.linalg.inv(information)
            move = covariance @ gradient
            # Of the law alone, whatever the factors.
            gain = 0.5 * float(move[:2] @ np.linalg.solve(covariance[:2, :2], move[:2]))
            of_law = np.array(covariance[:2, :2], np.float64)
            if not self.with_offset:
                of_law[1, :] = of_law[:, 1] = 0.0
            out[q] = np.asarray(move[:2]), of_law, gain
        return out

    def _gradient(self, scores: Scores) -> tuple[Floats, Floats]:
        """Gradient and information of one law and all factors."""
        cell, n_cell = self.sample.cell, self.sample.l_deg.size
        of_cells = np.bincount(cell, scores.factor, n_cell)
        gradient = np.concatenate([scores.law.sum(axis=0), of_cells])
        information = np.zeros((2 + n_cell, 2 + n_cell))
        information[:2, :2] = scores.law.T @ scores.law
        for a in range(2):
            cross = np.bincount(cell, scores.law[:, a] * scores.factor, n_cell)
            information[a, 2:] = information[2:, a] = cross
        own = np.arange(2, 2 + n_cell)
        information[own, own] = np.bincount(cell, scores.factor**2, n_cell)
        return gradient, information

    def scores(self, state: State) -> Scores:
        """Scores of all stars under a state."""
        states = []
        for parameter, step in enumerate(STEPS):
            for sign in (1.0, -1.0):
                fields = list(state)
                fields[parameter] = state[parameter] + sign * step
                states.append(State(*fields))
        self._models.clear()
        # The tables of a law are made in one thread: behind the first, laws share the threads.
        centre, weight = self._log_likelihood(state, self.workers)
        found = list(in_order(self._log_likelihood, states, self.workers))
        moved = [
            weight * (found[2 * i][0] - found[2 * i + 1][0]) / (2.0 * step)
            for i, step in enumerate(STEPS)
        ]
        bent = [
            float((weight * (2.0 * centre - found[2 * i][0] - found[2 * i + 1][0])).sum()) / step**2
            for i, step in enumerate(STEPS)
        ]
        value = float((weight * centre).sum())
        return Scores(np.stack(moved[:2], axis=1), moved[2], value, np.array(bent))

    def _model_of(self, law: ExtinctionLaw) -> Model:
        """Return the model with a law: one for all states that share it, with its tables."""
        key = law.rows.tobytes()
        if key not in self._models:
            learned = nothing_learned(self.model.config.extinction.map_value, law)
            self._models[key] = self.model.with_learned(learned)
        return self._models[key]

    def _log_likelihood(self, state: State, workers: int = 1) -> tuple[Floats, Floats]:
        """Ln Z - ln Λ of every star, 0 for what nothing explains, and its weight."""
        sample = self.sample
        law = _law_of(state, self.excess, self.model.law)
        row = sample.quadrant if state.slope.size > 1 else np.zeros_like(sample.quadrant)
        factor = state.factor[sample.cell]
        mean = factor * sample.data.e_jks_rc
        data = sample.data._replace(e_jks_rc=mean, tau=np.full(mean.size, SCATTER_MAG))
        log_clean = self._model_of(law).posterior.log_evidence(data, workers, lattices="one")
        counts, kappa = self.counts
        steeper = law.rows[row, KS] / kappa[sample.cell]
        here = at_places(counts[sample.cell], steeper * sample.ratio)[:, 0]
        scatter = SCATTER_MAG / sample.data.e_jks_rc
        log_count = np.log((here * gaussian_weights(factor, scatter)).sum(axis=1))
        known = np.isfinite(log_clean)
        odds = np.exp(np.minimum(self.floor - np.where(known, log_clean, 0.0), 50.0))
        weight = np.where(known, 1.0 / (1.0 + odds), 0.0)
        return np.where(known, log_clean, 0.0) - log_count, weight
