"""What else a measurement may be: the cases of photometry and parallax beside the clean one.

The likelihood of a star is a mixture over cases k of what was measured,

    P(d | c, D) = Σ_k ε_k P_k(d | c, D),    Σ_k ε_k = 1,

with fractions ε_k that are learned from the stars (`gcmock.calibration.measurements`). Every case
but the clean one differs from it by wider errors alone: one band that belongs to another source,
light of another star in all bands, dust of the star's own, a parallax that is no measurement. So
each is the same posterior of other observations, and nothing in the sums over nodes knows of them
(Hogg, Bovy & Lang 2010, arXiv:1008.4686, section 3, on mixtures for outliers).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.posterior.kernel.draw import QUANTILES
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.kinds import Lattices
from gcmock.posterior.observations import Observations, joined
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.random import uniform
from gcmock.words.cases import CASES, CLEAN, Case

_CASE_PLACE: Final = 1000
"""Place of the choice of the case in a star's random numbers."""

Doubtful = Callable[[Observations, PosteriorSummary], NDArray[np.bool_]]


class Mixture(NamedTuple):
    """What the measurements of a list are.

    Attributes
    ----------
    fraction : ndarray, shape (n_case,)
        Fractions of `gcmock.words.cases.CASES`.
    doubtful : callable
        Takes observations and their clean posteriors, and returns which stars are worth a look at
        the other cases, (n_star,): for those in the thick of the model's own stars no other case is
        more probable than its fraction, and they are clean.
    """

    fraction: Floats
    doubtful: Doubtful


def applies(case: Case, data: Observations) -> NDArray[np.bool_]:
    """Return whether a case differs from the clean one for every star, shape (n_star,).

    A star with one magnitude shows nothing of its photometry, and one without a parallax has none
    that may be bad.
    """
    given = np.isfinite(data.mag)
    several = given.sum(axis=1) > 1
    touched = (given & (np.array(case.mag) > 0.0)).any(axis=1) | (case.tau > 0.0)
    with_parallax = np.isfinite(data.parallax) & (case.parallax > 1.0)
    return np.asarray((several & touched) | with_parallax)


def as_case(case: Case, data: Observations) -> Observations:
    """Return the observations with the errors of a case."""
    return data._replace(
        mag_error=np.hypot(data.mag_error, np.array(case.mag)),
        tau=np.hypot(data.tau, case.tau) if case.tau else data.tau,
        parallax_error=data.parallax_error * case.parallax,
    )


def of_cases_in_use(fraction: Floats, columns: Collection[str]) -> Floats:
    """Return fractions of cases that are zero but for the clean one and those of some columns.

    What the others had is the clean one's.

    Parameters
    ----------
    fraction : ndarray, shape (n_case,)
    columns : collection of str
        Of `gcmock.words.cases.CASE_COLUMNS`.

    Returns
    -------
    ndarray, shape (n_case,)
    """
    in_use = np.array([case.column in columns for case in CASES])
    left = np.where(in_use, fraction, 0.0)
    left[CLEAN] = 1.0 - left.sum()
    return left


class Inferences(NamedTuple):
    """Posteriors of the same stars under one case.

    Attributes
    ----------
    summary : PosteriorSummary
    draws : Draws
    mass : ndarray of float32, shape (n_star, n_distance)
        Probability of every distance bin; no rows if it was not asked for.
    """

    summary: PosteriorSummary
    draws: Draws
    mass: NDArray[np.float32]

    def part(self, rows: slice) -> Inferences:
        """Return those of some of the stars."""
        return Inferences(
            PosteriorSummary._make(value[rows] for value in self.summary),
            Draws._make(value[rows] for value in self.draws),
            self.mass[rows],
        )


def case_probabilities(log_evidence: Floats, fraction: Floats) -> tuple[Floats, Floats]:
    """Probability of every case, and the evidence of all.

    Parameters
    ----------
    log_evidence : ndarray, shape (n_star, n_case)
        -inf where a case cannot explain the star or does not apply.
    fraction : ndarray, shape (n_case,)
        ε_k.

    Returns
    -------
    probability : ndarray, shape (n_star, n_case)
    log_evidence : ndarray, shape (n_star,)
        ln Σ_k ε_k Z_k over the cases that apply, their fractions adding up to one.
    """
    with np.errstate(divide="ignore"):
        weighted = log_evidence + np.log(fraction)
    # The clean case always applies, whether or not it can explain the star.
    known = np.isfinite(log_evidence)
    known[:, CLEAN] = True
    applied = np.where(known, fraction, 0.0).sum(axis=1)
    largest = weighted.max(axis=1)
    safe = np.where(np.isfinite(largest), largest, 0.0)
    probability = np.exp(weighted - safe[:, None])
    total = probability.sum(axis=1)
    with np.errstate(divide="ignore"):
        evidence = safe + np.log(total) - np.log(applied)
    probability /= np.where(total > 0.0, total, 1.0)[:, None]
    return probability, np.asarray(evidence)


def quantiles_of(mass: NDArray[np.floating], edges_pc: Floats, levels: Floats) -> Floats:
    """Quantiles of the distance from the probabilities of bins.

    Parameters
    ----------
    mass : ndarray, shape (n_star, n_distance)
    edges_pc : ndarray, shape (n_distance + 1,)
        Edges of the bins [pc].
    levels : ndarray, shape (n_quantile,)

    Returns
    -------
    ndarray, shape (n_star, n_quantile)
        [pc]; linear inside a bin.
    """
    cumulative = np.cumsum(mass, axis=1, dtype=np.float64)
    cumulative /= cumulative[:, -1:]
    out = np.empty((len(mass), levels.size))
    rows = np.arange(len(mass))
    for i, level in enumerate(levels):
        place = np.minimum((cumulative < level).sum(axis=1), mass.shape[1] - 1)
        before = np.where(place > 0, cumulative[rows, np.maximum(place - 1, 0)], 0.0)
        inside = np.maximum(cumulative[rows, place] - before, 1e-300)
        part = np.clip((level - before) / inside, 0.0, 1.0)
        out[:, i] = edges_pc[place] + part * (edges_pc[place + 1] - edges_pc[place])
    return out


class CasePosterior(Protocol):
    """What computes the posteriors of one case: `gcmock.posterior.engine.Posterior`."""

    def infer_case(  # noqa: D102
        self,
        data: Observations,
        keys: NDArray[np.uint64],
        workers: int = 1,
        *,
        with_mass: bool = False,
    ) -> Inferences: ...

    def log_evidence(  # noqa: D102
        self, data: Observations, workers: int = 1, *, lattices: Lattices = "own"
    ) -> Floats: ...

    def variance(self, data: Observations) -> Floats: ...  # noqa: D102

    @property
    def motion(self) -> MotionModel: ...  # noqa: D102

    @property
    def edges_pc(self) -> Floats: ...  # noqa: D102


def log_evidences(
    data: Observations, posterior: CasePosterior, workers: int = 1, *, lattices: Lattices = "own"
) -> Floats:
    """Return ln of the evidence of every case, -inf where it does not apply, (n_star, n_case)."""
    out = np.full((data.n_star, len(CASES)), -np.inf)
    for k, case in enumerate(CASES):
        rows = np.flatnonzero(applies(case, data)) if k != CLEAN else np.arange(data.n_star)
        if rows.size:
            seen = as_case(case, data.take(rows))
            out[rows, k] = posterior.log_evidence(seen, workers, lattices=lattices)
    return out


def evidence_of(summary: PosteriorSummary) -> Floats:
    """Return ln of the evidence, -inf where errors had to be inflated."""
    return np.where(summary.inflation == 0, summary.log_evidence, -np.inf)


def mixed(
    clean: Inferences,
    data: Observations,
    keys: NDArray[np.uint64],
    posterior: CasePosterior,
    mixture: Mixture,
    workers: int = 1,
) -> tuple[PosteriorSummary, Draws]:
    """Mix the posteriors of all cases.

    Parameters
    ----------
    clean : Inferences
        Of the n_star stars.
    data : Observations
    keys : ndarray of uint64, shape (n_star, n_realisation)
        Keys of the random streams.
    posterior : Posterior
    mixture : Mixture
    workers : int
        Threads.

    Returns
    -------
    summary : PosteriorSummary
    draws : Draws
        Each of a case that is drawn first.
    """
    summary, draws, _ = clean
    rows = np.flatnonzero(mixture.doubtful(data, summary))
    if not rows.size or mixture.fraction[CLEAN] == mixture.fraction.sum():
        return summary, draws
    here = data.take(rows)
    stars = {
        k: np.flatnonzero(applies(case, here)) if k != CLEAN else np.arange(rows.size)
        for k, case in enumerate(CASES)
        if mixture.fraction[k] > 0.0 or k == CLEAN
    }
    # Without draws, which take longer than everything else and are seldom of another case.
    found = _of_cases(stars, here, keys[rows][:, :0], posterior, workers, with_mass=True)
    log_z = np.full((rows.size, len(CASES)), -np.inf)
    for k, result in found.items():
        log_z[stars[k], k] = evidence_of(result.summary)
    probability, evidence = case_probabilities(log_z, mixture.fraction)
    # Stars that no case explains keep what inflated errors made of them.
    explained = np.isfinite(evidence)
    some = np.flatnonzero(explained)
    _mix_summaries(summary, rows, some, stars, found, probability, posterior.edges_pc)
    summary.log_evidence[rows[some]] = evidence[some]
    summary.inflation[rows[some]] = 0
    if keys.shape[1] and some.size:
        chosen = np.where(explained[:, None], _chosen_cases(keys[rows], probability), CLEAN)
        stars = {k: np.flatnonzero((chosen == k).any(axis=1)) for k in found if k != CLEAN}
        drawn = _of_cases(stars, here, keys[rows], posterior, workers, with_mass=False)
        for k, result in drawn.items():
            star, realisation = np.nonzero(chosen[stars[k]] == k)
            to = rows[stars[k][star]]
            for mine, other in zip(draws, result.draws, strict=True):
                mine[to, realisation] = other[star, realisation]
    return summary, draws


def _of_cases(
    stars: dict[int, NDArray[np.int64]],
    data: Observations,
    keys: NDArray[np.uint64],
    posterior: CasePosterior,
    workers: int,
    *,
    with_mass: bool,
) -> dict[int, Inferences]:
    """Return the posteriors of some stars under every case: all are inferred together."""
    stars = {k: rows for k, rows in stars.items() if rows.size}
    if not stars:
        return {}
    seen = joined(
        [
            data.take(rows) if k == CLEAN else as_case(CASES[k], data.take(rows))
            for k, rows in stars.items()
        ]
    )
    which = np.concatenate(list(stars.values()))
    everything = posterior.infer_case(seen, keys[which], workers, with_mass=with_mass)
    stop = np.cumsum([rows.size for rows in stars.values()])
    return {
        k: everything.part(slice(end - rows.size, end))
        for (k, rows), end in zip(stars.items(), stop, strict=True)
    }


def _chosen_cases(keys: NDArray[np.uint64], probability: Floats) -> NDArray[np.int64]:
    """Draw a case for every realisation, shape (n_star, n_realisation)."""
    u = uniform(keys.ravel(), _CASE_PLACE).reshape(keys.shape)
    cumulative = np.cumsum(probability, axis=1)
    return (u[:, :, None] * cumulative[:, None, -1:] >= cumulative[:, None, :]).sum(axis=2)


def _mix_summaries(
    summary: PosteriorSummary,
    rows: NDArray[np.int64],
    some: NDArray[np.int64],
    stars: dict[int, NDArray[np.int64]],
    found: dict[int, Inferences],
    probability: Floats,
    edges_pc: Floats,
) -> None:
    """Write the mixtures of summaries over those of the clean case; `some` index `rows`."""
    weight = probability.astype(np.float32)
    component = np.zeros((rows.size, summary.probability.shape[1]), np.float32)
    mean, mass = np.zeros(rows.size), np.zeros((rows.size, edges_pc.size - 1), np.float32)
    for k, result in found.items():
        of_case = stars[k]
        w = weight[of_case, k]
        component[of_case] += w[:, None] * result.summary.probability
        mean[of_case] += probability[of_case, k] * result.summary.distance_mean_pc
        mass[of_case] += w[:, None] * result.mass
    to = rows[some]
    summary.probability[to] = component[some]
    summary.distance_mean_pc[to] = mean[some]
    summary.distance_quantile_pc[to] = quantiles_of(mass[some], edges_pc, QUANTILES)
    summary.case[to] = weight[some]
