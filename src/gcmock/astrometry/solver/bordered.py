"""Terms of the whole mission beside a solution that does not know them: tests and solutions.

With N the normal matrix of stars and instrument, G the columns of the terms and r the residuals of
the solution, the terms have the equations

    K g = G'W r,   K = G'W G - G'W A N^-1 A'W G,

and the other unknowns move by -N^-1 A'W G g. K needs one solution with N for every term; nothing is
assembled anew, whatever solves with N. Since K takes out all that stars, attitude and distortion
can take up, G'W r has the covariance K if there is no such term: its size over its standard
deviation is what the observations and references say against the instrument that was assumed
(score test; Rao 1948, Math. Proc. Camb. Phil. Soc. 44, 50), without any truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.special import ndtri_exp
from scipy.stats import chi2 as chi2_distribution

from gcmock.arrays import Floats
from gcmock.astrometry.solver.modes import patterns
from gcmock.astrometry.solver.problem import Prior, Shift
from gcmock.astrometry.solver.terms import REFERENCE_PARALLAX, InstrumentTerms

HIDDEN: Final = 1e-7
"""Part of a term's own information below which the other unknowns take it up completely, at the
least: what is negative of it is noise, and so is as much again that is positive."""

CHUNK: Final = 200_000
"""Observations whose columns are in memory at a time."""


@dataclass(frozen=True)
class Sums:
    """G'W G and G'W r of the observations and references, shapes (k, k) and (k,)."""

    square: Floats
    score: Floats


@dataclass(frozen=True)
class Border:
    """Terms beside a solution.

    Attributes
    ----------
    terms : InstrumentTerms
    sums : Sums
    information : ndarray, shape (k, k)
        K.
    responses : tuple of Shift
        N^-1 A'W G of every term.
    values, covariance : ndarray, shape (m,), (m, m)
        Of the terms that are solved for.
    factor : float
        Of the variances, for robust weights.
    floor : float
        Part of their own information below which combinations of terms cannot be seen.
    """

    terms: InstrumentTerms
    sums: Sums
    information: Floats
    responses: tuple[Shift, ...]
    values: Floats
    covariance: Floats
    factor: float = 1.0
    floor: float = HIDDEN

    @property
    def whole(self) -> Floats:
        """Values of all terms, zero where they are not solved for, shape (k,)."""
        out = np.zeros(len(self.terms.terms))
        out[self.terms.solved] = self.values
        return out

    def shift(self, zero: Shift) -> Shift:
        """Return how the other unknowns move when the terms are solved for."""
        for value, k in zip(self.values, self.terms.solved, strict=True):
            zero = zero + self.responses[k].scaled(-float(value))
        return zero

    def added(self, part: str) -> Floats:
        """Return what the terms add to the covariances of ``sources``, ``attitude`` and so on."""
        found = np.stack([getattr(self.responses[k], part) for k in self.terms.solved], axis=-1)
        return np.asarray(spread(found, self.covariance))

    def of_modes(self, sources: Floats) -> Floats:
        """Return what the terms add to the covariance of the common modes of some stars."""
        found = np.array([pattern.ravel() for pattern in patterns(sources).values()]).T
        moved = np.array([self.responses[k].sources.ravel() for k in self.terms.solved]).T
        return spread(np.linalg.lstsq(found, moved)[0], self.covariance)

    def prior(self, prior: Prior) -> Prior:
        """Return priors of stars without the zero point of the references that was found."""
        found = zip(self.terms.terms, self.whole, strict=True)
        mean = prior.mean.copy()
        mean[:, 2] -= sum(value for term, value in found if term.name == REFERENCE_PARALLAX)
        return Prior(mean, prior.precision)

    def account(self) -> dict[str, Any]:
        """Return values, errors and significances, for the account of a solution."""
        score, matrix, own = self._left()
        solved = dict(zip(self.terms.solved.tolist(), range(len(self.values)), strict=True))
        rows = []
        for k, term in enumerate(self.terms.terms):
            if k in solved:
                at = solved[k]
                value, variance = float(self.values[at]), float(self.covariance[at, at])
            elif matrix[k, k] > self.floor * own[k]:
                value = float(score[k] / matrix[k, k])
                variance = self.factor / float(matrix[k, k])
            else:
                continue
            error = float(np.sqrt(variance))
            rows.append(
                {
                    "name": term.name,
                    "solved": k in solved,
                    "value_mas": value,
                    "error_mas": error,
                    "sigma": value / error,
                }
            )
        families = self._families(score, matrix, own)
        seen = {row["name"] for row in families}
        unseen = [t.family for t in self.terms.terms if t.family not in seen]
        return {"terms": rows, "families": families, "unseen": list(dict.fromkeys(unseen))}

    def _left(self) -> tuple[Floats, Floats, Floats]:
        """Scores, their covariance, and own information when the solved terms are taken out."""
        s, k, own = self.terms.solved, self.information, np.diag(self.sums.square)
        if not len(s):
            return self.sums.score, k, own
        inner = self.covariance / self.factor
        score = self.sums.score - k[:, s] @ self.values
        return score, k - k[:, s] @ inner @ k[s], own

    def _families(self, score: Floats, matrix: Floats, own: Floats) -> list[dict[str, Any]]:
        out = []
        for family in dict.fromkeys(term.family for term in self.terms.terms):
            at = np.array([k for k, t in enumerate(self.terms.terms) if t.family == family])
            solved = bool(np.isin(at, self.terms.solved).any())
            if solved:
                places = np.searchsorted(self.terms.solved, at)
                matrix_of = self.covariance[np.ix_(places, places)]
                chi2, n = _quadratic(self.values[places], matrix_of, HIDDEN)
            else:
                scale = np.sqrt(np.maximum(own[at], 1e-300))
                scaled = matrix[np.ix_(at, at)] / scale[:, None] / scale
                chi2, n = _quadratic(score[at] / scale, scaled, self.floor)
                chi2 /= self.factor
            if n:
                row = {"name": family, "solved": solved, "chi2": chi2, "n": n}
                out.append({**row, "sigma": in_sigma(chi2, n)})
        return out


def of_secondaries(
    border: Border | None, terms: InstrumentTerms | None, n_primary: int
) -> Border | None:
    """Return solved terms with what is known of the secondary stars; None without such terms."""
    if border is None or terms is None or not len(border.values):
        return None
    return replace(border, terms=terms.of(slice(n_primary, None)))


def spread(response: Floats, covariance: Floats) -> Floats:
    """Return B C B' of responses B, shape (n, p, m), as (n, p, p)."""
    product = response @ covariance
    return np.asarray(product @ response.swapaxes(-1, -2), dtype=np.float64)


def _quadratic(vector: Floats, matrix: Floats, floor: float) -> tuple[float, int]:
    """Return v' M^-1 v without directions of M that are empty, and the number of the others."""
    values, turn = np.linalg.eigh(0.5 * (matrix + matrix.T))
    good = values > floor * max(1.0, values.max(initial=0.0))
    along = turn.T @ vector
    return float((along[good] ** 2 / values[good]).sum()), int(good.sum())


def _seen(information: Floats, own: Floats) -> tuple[Floats, Floats, float]:
    """Return information without what cannot be seen, a projection on the rest, and the floor.

    Differences of large numbers leave noise, also negative one, where a combination of terms is
    taken up by the other unknowns.
    """
    scale = np.sqrt(np.maximum(own, 1e-300))
    values, turn = np.linalg.eigh(information / scale[:, None] / scale)
    floor = max(HIDDEN, -2.0 * float(values.min(initial=0.0)))
    good = values > floor
    kept = turn[:, good]
    cleaned = (kept * values[good]) @ kept.T * scale[:, None] * scale
    return cleaned, (kept @ kept.T) * scale[:, None] / scale, floor


def in_sigma(chi2: float, n: int) -> float:
    """Return the Gaussian deviation that is as rare, on both sides, as a chi2 of n numbers."""
    log_p = float(chi2_distribution.logsf(chi2, n))
    if not np.isfinite(log_p) or log_p < -700.0:
        return float(np.sqrt(max(chi2 - n, 0.0)))
    return max(float(-ndtri_exp(log_p - np.log(2.0))), 0.0)


def observation_sums(parts: Iterable[tuple[Floats, Floats, Floats]], n_term: int) -> Sums:
    """Add up columns, each (k, 2, n), with weights and residuals, each (2, n) [mas]."""
    square, score = np.zeros((n_term, n_term)), np.zeros(n_term)
    for columns, weight, residual in parts:
        flat = columns.reshape(n_term, -1)
        weighted = flat * weight.ravel()
        square += weighted @ flat.T
        score += weighted @ residual.ravel()
    return Sums(square, score)


def bordered(
    terms: InstrumentTerms,
    sums: Sums,
    right: Callable[[int], Shift],
    solve: Callable[[Shift], Shift],
    prior: Prior,
    offset: Floats,
    factor: float = 1.0,
) -> Border:
    """Test all terms of a solution, and solve for those that have a prior.

    Parameters
    ----------
    terms : InstrumentTerms
    sums : Sums
        Of the observations.
    right : callable
        A'W G of the observations for the term of a number.
    solve : callable
        Solves the normal equations for a right-hand side.
    prior : Prior
        Of the stars.
    offset : ndarray, shape (n_source, 5)
        Prior minus solution.
    factor : float
        Of the variances, for robust weights.
    """
    square, score = sums.square.copy(), sums.score.copy()
    rights = []
    for k, term in enumerate(terms.terms):
        one = right(k)
        if term.name == REFERENCE_PARALLAX:
            one = one + Shift(prior.precision[:, :, 2], 0 * one.attitude, 0 * one.coefficients)
            square[k, k] += float(prior.precision[:, 2, 2].sum())
            score[k] += float(np.einsum("ni,ni->", prior.precision[:, :, 2], offset))
        rights.append(one)
    responses = tuple(solve(one) for one in rights)
    taken = np.array([[a.dot(b) for b in responses] for a in rights])
    information = square - 0.5 * (taken + taken.T)
    s = terms.solved
    known = np.diag([1.0 / terms.terms[k].prior ** 2 for k in s])
    floor = _seen(information, np.diag(square))[2]
    seen, project, own_floor = _seen(information[np.ix_(s, s)], np.diag(square)[s])
    inverse = np.asarray(np.linalg.inv(seen + known), np.float64)
    values = inverse @ (project @ score[s])
    floor, done = max(floor, own_floor), Sums(square, score)
    return Border(terms, done, information, responses, values, factor * inverse, factor, floor)
