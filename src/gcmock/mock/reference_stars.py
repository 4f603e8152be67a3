"""Reference stars: stars of the model measured like those of a list, and their evidences.

For some stars of the list the model makes others of the same brightness behind the same dust: draws
from the posterior that their brightness alone leaves. They are measured with the errors of the
star, and their evidences are what `gcmock.posterior.evidence` tabulates.

What is rare is simulated more often than it is, and has a smaller weight (importance sampling from
a defensive mixture, Hesterberg 1995, Technometrics 37, 185): half of the stars are drawn with a
preference for the foreground, half of the measurements with errors that are `WIDER`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats, Integers
from gcmock.io.observed import ObservedCatalogue
from gcmock.mock.infer import prepare, velocity_uniforms
from gcmock.model import Model
from gcmock.posterior.doubt import BRIGHTEST_FIRST
from gcmock.posterior.evidence import (
    ClassTable,
    EvidenceTable,
    class_table,
    covariates,
    kind_of_data,
    n_measured,
)
from gcmock.posterior.mixture import evidence_of
from gcmock.posterior.observations import MeasuredMotion, Observations, joined
from gcmock.posterior.results import Draws
from gcmock.random import star_key, uniform
from gcmock.settings.build import InferencePolicy
from gcmock.words.bands import BANDS

REFERENCE_STREAM: Final = -5
"""Stands for the realisation in keys: chooses the stars of the list."""

LEAST, MOST, STARS_PER_REFERENCE = 1000, 4000, 50
"""Reference stars of a list: so many at least and at most, and stars of the list for each."""

LEAST_OF_KIND: Final = 64
"""Reference stars of a kind of measurements, if the list has so many."""

N_DRAWN: Final = 32
"""Stars that are simulated for a reference star; more where there are few of these."""

MOST_DRAWN: Final = 64

WIDER: Final = 1.7
"""Factor on the errors of half of the simulated measurements."""

NEAR_MAS, NEAR_WIDTH_MAS = 0.5, 0.25
"""Preference for the foreground: that of a parallax of 0.5 +- 0.25 mas."""

NOISE: Final = 640
"""Place of the noise in a star's random numbers; the draws use those before, motions those after
768."""

BRIGHTEST_MAG, MAG_STEP = 2.0, 0.1
"""Grid on which a single magnitude is compared with the model's [mag]."""

MOST_SINGLE: Final = 128
"""Reference stars with a single magnitude."""

GOLDEN: Final = 0.6180339887
"""Multiples of it fill the unit interval evenly."""

FAINTEST_QUANTILE: Final = 0.999
"""A list of single magnitudes ends at this quantile of them."""


class ReferenceStars(NamedTuple):
    """Stars of a list that others are simulated for.

    Attributes
    ----------
    data : Observations
        Of n_reference stars.
    key : ndarray of uint64, shape (n_reference,)
        Keys of their random streams.
    """

    data: Observations
    key: NDArray[np.uint64]

    def take(self, part: Integers) -> ReferenceStars:
        """Return some of the stars."""
        return ReferenceStars(self.data.take(part), self.key[part])


def evidence_table(
    catalogue: ObservedCatalogue, model: Model, policy: InferencePolicy, workers: int = 1
) -> EvidenceTable:
    """Tabulate how low evidences of the model's own stars are, for the measurements of a list.

    Parameters
    ----------
    catalogue : ObservedCatalogue
        Is read once.
    model : Model
    policy : InferencePolicy
    workers : int
        Threads; they do not change the result, nor does the order of the rows.

    Returns
    -------
    EvidenceTable
    """
    stars = choose(catalogue, model, policy)
    return EvidenceTable(tables_of(stars, model, workers))


def choose(catalogue: ObservedCatalogue, model: Model, policy: InferencePolicy) -> ReferenceStars:
    """Choose reference stars: of every kind of measurements those with the smallest keys."""
    parts: list[ReferenceStars] = []
    kinds: dict[int, int] = {}
    n_star = 0
    for stars in catalogue.chunks():
        prepared = prepare(stars, model, policy)
        n_star += prepared.data.n_star
        kept = stars.take(prepared.keep)
        key = star_key(policy.seed, kept.source_id, REFERENCE_STREAM)
        found, count = np.unique(kind_of_data(prepared.data), return_counts=True)
        for code, n in zip(found.tolist(), count.tolist(), strict=True):
            kinds[code] = kinds.get(code, 0) + n
        parts = [_smallest(_together([*parts, ReferenceStars(prepared.data, key)]), MOST)]
    wanted = int(np.clip(n_star // STARS_PER_REFERENCE, LEAST, MOST))
    total = max(sum(kinds.values()), 1)
    quota = {code: max(wanted * n // total, LEAST_OF_KIND) for code, n in kinds.items()}
    return _smallest(parts[0], quota)


def _together(parts: list[ReferenceStars]) -> ReferenceStars:
    return ReferenceStars(
        joined([part.data for part in parts]), np.concatenate([part.key for part in parts])
    )


def _smallest(stars: ReferenceStars, most: int | dict[int, int]) -> ReferenceStars:
    """Return so many stars of every kind, those with the smallest keys, in the order of these."""
    kind = kind_of_data(stars.data)
    order = np.lexsort((stars.key, kind))
    rank = np.arange(order.size) - np.searchsorted(kind[order], kind[order], side="left")
    limit = (
        most if isinstance(most, int) else np.array([most[code] for code in kind[order].tolist()])
    )
    chosen = order[rank < limit]
    return stars.take(chosen[np.argsort(stars.key[chosen], kind="stable")])


def tables_of(stars: ReferenceStars, model: Model, workers: int) -> dict[int, ClassTable]:
    """Return the tables of all kinds of measurements of reference stars, by their numbers."""
    kind, n = kind_of_data(stars.data), n_measured(stars.data)
    bright = np.isfinite(stars.data.mag).any(axis=1)
    tables = {}
    several = np.flatnonzero((n > 1) & bright)
    if several.size:
        n_drawn = int(np.clip(LEAST * N_DRAWN // several.size, N_DRAWN, MOST_DRAWN))
        chosen = stars.take(several)
        log_evidence, weight = simulated_evidences(chosen, model, n_drawn - n_drawn % 4, workers)
        x = covariates(chosen.data, model.posterior.variance(chosen.data))
        of = kind[several]
        for code in np.unique(of).tolist():
            rows = of == code
            tables[code] = class_table(x[rows], log_evidence[rows], weight[rows])
    for code in np.unique(kind[(n == 1) & bright]).tolist():
        tables[code] = _single(stars.data.take(kind == code), model, workers)
    return tables


def simulated_evidences(
    stars: ReferenceStars, model: Model, n_drawn: int, workers: int
) -> tuple[Floats, Floats]:
    """Simulate stars as bright as reference stars, and return their evidences and weights.

    Parameters
    ----------
    stars : ReferenceStars
        With one magnitude at least, and something else.
    model : Model
    n_drawn : int
        Stars for each of them, a multiple of four.
    workers : int
        Threads.

    Returns
    -------
    log_evidence, weight : ndarray, shape (n_reference, n_drawn)
    """
    data = stars.data
    keys = np.stack([star_key(0, stars.key, r) for r in range(n_drawn)], axis=1)
    draws, of_place = _draws(data, keys, model, workers)
    seen, of_noise = _measured(data, draws, keys, model)
    log_evidence = _log_evidence(seen, model, workers)
    return log_evidence.reshape(keys.shape), of_place * of_noise


def _draws(
    data: Observations, keys: NDArray[np.uint64], model: Model, workers: int
) -> tuple[Draws, Floats]:
    """Draw stars as bright as those of the list, and their weights, (n_reference, n_drawn)."""
    rows = np.arange(data.n_star)
    band = brightest_band(data)
    mag, error = np.full_like(data.mag, np.nan), np.full_like(data.mag, np.nan)
    mag[rows, band], error[rows, band] = data.mag[rows, band], data.mag_error[rows, band]
    nothing = np.full(data.n_star, np.nan)
    alone = data._replace(
        mag=mag, mag_error=error, parallax=nothing, parallax_error=nothing, motion=None
    )
    nearby = alone._replace(
        parallax=np.full(data.n_star, NEAR_MAS),
        parallax_error=np.full(data.n_star, NEAR_WIDTH_MAS),
    )
    half = keys.shape[1] // 2
    one = model.posterior.infer_case(alone, keys[:, :half], workers)
    other = model.posterior.infer_case(nearby, keys[:, half:], workers)
    draws = Draws(*(np.concatenate(x, axis=1) for x in zip(one.draws, other.draws, strict=True)))
    # The density of the second half over that of the first is this preference over its mean.
    z = (1000.0 / draws.distance_pc - NEAR_MAS) / NEAR_WIDTH_MAS
    mean = other.summary.log_evidence - one.summary.log_evidence
    log_ratio = -0.5 * z**2 - np.log(np.sqrt(2.0 * np.pi) * NEAR_WIDTH_MAS) - mean[:, None]
    # A brightness that no star has, or none nearby, leaves nothing to weigh.
    usable = (one.summary.inflation == 0)[:, None] & np.ones(half, np.bool_)
    both = (one.summary.inflation == 0) & (other.summary.inflation == 0)
    weight = 1.0 / (0.5 + 0.5 * np.exp(np.minimum(log_ratio, 50.0)))
    weight[~both, :half], weight[~both, half:] = 1.0, 0.0
    weight[~usable[:, 0]] = 1.0
    return draws, weight


def _log_evidence(data: Observations, model: Model, workers: int) -> Floats:
    """Return ln of the evidence as that of the stars of the list is computed, by the same code."""
    no_draws = np.zeros((data.n_star, 0), np.uint64)
    found = model.posterior.infer_case(data, no_draws, workers, lattices="few")
    return evidence_of(found.summary)


def brightest_band(data: Observations) -> Integers:
    """Return the band whose magnitude is the brightness, see `doubt.brightness`, (n_star,)."""
    given = np.isfinite(data.mag)[:, BRIGHTEST_FIRST]
    return np.asarray(BRIGHTEST_FIRST)[given.argmax(axis=1)]


def _measured(
    data: Observations, draws: Draws, keys: NDArray[np.uint64], model: Model
) -> tuple[Observations, Floats]:
    """Measure drawn stars with the errors of those of the list; observations and weights."""
    n, k = keys.shape
    star, flat = np.repeat(np.arange(n), k), keys.ravel()
    normal = ndtri(uniform(flat, NOISE, len(BANDS) + 4))
    wide = np.tile(np.arange(k) % 2 == 1, n)
    normal[wide] *= WIDER
    of = data.take(star)
    used = np.isfinite(of.mag)
    used[np.arange(star.size), brightest_band(of)] = False
    noise = normal[:, : len(BANDS)] * np.sqrt(model.posterior.variance(of))
    mag = np.where(used, draws.mag.reshape(star.size, -1) + noise, of.mag)
    parallax = 1000.0 / draws.distance_pc.ravel() + normal[:, len(BANDS)] * of.parallax_error
    measured = [used, np.isfinite(of.parallax)[:, None]]
    motion = None
    if of.motion is not None:
        motion = _motion(of, draws, flat, normal[:, len(BANDS) + 1 :], model)
        pm, rv = of.motion.has_pm[:, None], of.motion.has_rv[:, None]
        measured += [pm, pm, rv]
    chosen = np.column_stack(measured)
    chi2 = (normal[:, : chosen.shape[1]] ** 2 * chosen).sum(axis=1)
    ratio = 0.5 * chi2 * (1.0 - WIDER**-2) - chosen.sum(axis=1) * np.log(WIDER)
    weight = 1.0 / (0.5 + 0.5 * np.exp(np.minimum(ratio, 50.0)))
    return of._replace(mag=mag, parallax=parallax, motion=motion), weight.reshape(n, k)


def _motion(
    of: Observations, draws: Draws, keys: NDArray[np.uint64], normal: Floats, model: Model
) -> MeasuredMotion:
    """Measured motions of drawn stars, one for each key."""
    given = of.motion
    assert given is not None
    distance = draws.distance_pc.ravel()
    x, y, z = model.galaxy.position(of.l_deg, of.b_deg, distance)
    velocity = model.galaxy.sample_velocity(
        draws.component.ravel(), x, y, z, velocity_uniforms(keys)
    )
    true = model.galaxy.observables(of.l_deg, of.b_deg, distance, velocity)
    ll, bb = (v + model.motion.floor_masyr**2 for v in (given.pm_ll, given.pm_bb))
    along = np.sqrt(ll)
    across = given.pm_lb / along
    pm_l = true.pm_l_cosb + along * normal[:, 0]
    pm_b = true.pm_b + across * normal[:, 0] + np.sqrt(bb - across**2) * normal[:, 1]
    error = np.sqrt(given.rv_variance + model.motion.floor_kms**2)
    radial = true.radial_velocity + error * normal[:, 2]
    return given._replace(pm_l=pm_l, pm_b=pm_b, radial_velocity=radial)


def _single(data: Observations, model: Model, workers: int) -> ClassTable:
    """Tabulate stars with one magnitude: how many are as bright, of those the list can hold."""
    band = int(brightest_band(data)[0])
    faintest = float(np.quantile(data.mag[:, band], FAINTEST_QUANTILE))
    some = data.take(np.arange(min(data.n_star, MOST_SINGLE)))
    n_step = int((faintest - min(BRIGHTEST_MAG, faintest - 1.0)) / MAG_STEP)
    # Every star has a grid of its own, so that those of neighbours together are fine.
    offset = np.modf(np.arange(some.n_star) * GOLDEN)[0]
    grid = faintest - MAG_STEP * (np.arange(n_step) + offset[:, None])
    seen = some.take(np.repeat(np.arange(some.n_star), n_step))
    seen.mag[:, band] = grid.ravel()
    density = np.exp(_log_evidence(seen, model, workers)).reshape(grid.shape)
    x = covariates(some, model.posterior.variance(some))
    return class_table(x, grid, density)
