"""How probable it is that a source which one survey alone has is a star.

Ghosts, spikes and peaks of noise have no partner in other surveys; real stars without one are
expected as well, because every survey misses stars. Sources are divided into kinds: by their place
around a bright star, their set of bands, whether they were seen once or oftener, whether their
survey marks all of their bands as doubtful, their magnitude, and how probable it is that all other
surveys miss a star there: a bright or close neighbour hides real stars, ghosts and noise lie where
they like.

Of each kind, those that have a partner tell how many real ones have none: a star that the others
miss with the probability m stands for m / (1 - m) without a partner, times `TOLERANCE`, because
kinds differ in how well other surveys see them. If far more are there, most of them are no stars.
Beyond the reach of all other surveys nothing can be compared but sets of bands: a single J or H
without Ks is left out where it is far more frequent than among sources with a partner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.cell.surroundings import N_BESIDE, N_PLACES, Surroundings, find_spikes, places
from gcmock.catalogue.link.likelihood import N_PATTERNS
from gcmock.catalogue.link.linking import rank_mag
from gcmock.surveys.source_table import DOUBTFUL
from gcmock.words.bands import SURVEY_BANDS, mask_of

N_MAGNITUDES: Final = 20
MISSED_STEPS: Final = (0.05, 0.15, 0.5)
"""Steps between classes of the probability that all other surveys miss a star."""

N_MISSED: Final = len(MISSED_STEPS) + 1
N_STATES: Final = 4
"""Seen once or oftener, marked as doubtful in all bands or not."""

N_KINDS: Final = N_PLACES * N_PATTERNS * N_STATES * N_MAGNITUDES * N_MISSED
"""Kinds: place, set of bands, state, magnitude, how hidden from other surveys."""

UNKNOWN_BEYOND: Final = 0.5
"""Where the other surveys miss a star with this probability, its being alone says nothing."""

TOLERANCE: Final = 7.0
"""So many times the expected number are taken for real, because kinds differ in how well other
surveys see them, and halos are not everywhere alike."""

TOLERANCE_ON_SPIKES: Final = 1.6
"""On a spike, whose sources are compared with those at the same distance in other directions."""

TOLERANCE_BEYOND: Final = 2.0
TOLERANCE_BEYOND_OTHER: Final = 10.0
"""Beyond the reach of all other surveys, where only sets of bands are compared."""

_PRIOR: Final = 2.0
_PRIOR_HIDDEN: Final = np.array([2.0, 4.0, 8.0, 2.0])
_USUAL_RATIO: Final = 0.05
_MOST_MISSED: Final = 0.95
_FIRST_MAG: Final = 4.0
_WITHOUT_KS: Final = (mask_of("j"), mask_of("h"))
_OF_FAINT_STARS: Final = (mask_of("ks"), mask_of("h", "ks"), mask_of("j", "h", "ks"))


class Reality(NamedTuple):
    """What the lone sources of a survey are.

    Attributes
    ----------
    probability : ndarray, shape (N_KINDS + N_PATTERNS,)
        That one is a star: of kinds where other surveys would have the star; of sets of bands
        elsewhere.
    spikes : ndarray of bool, shape (N_DIRECTIONS,)
        Directions of diffraction spikes.
    """

    probability: Floats
    spikes: NDArray[np.bool_]


def kinds(
    stars: MergedStars,
    surveys: Mapping[int, SurveySources],
    place: NDArray[np.int64],
    missed: Floats,
    number: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the stars that a survey has, and the kind of their source in it: twice.

    Where being alone says nothing, the first is the set of bands alone, from `N_KINDS` on.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources
    place : ndarray of int64, shape (n_star,)
        From `places`.
    missed : ndarray, shape (n_star, n_survey)
        Probability that all surveys but one miss the star.
    number : int
        Number of the survey.
    """
    star = np.flatnonzero(stars.link[:, number] >= 0)
    source = stars.link[star, number]
    sources = surveys[number]
    pattern = np.isfinite(sources.native_mag[source]) @ (1 << np.arange(len(SURVEY_BANDS)))
    once = (sources.n_epochs[source] <= 1).astype(np.int64)
    mag = rank_mag(sources.side)[source]
    bright = np.floor(np.nan_to_num(mag, nan=99.0) - _FIRST_MAG).clip(0, N_MAGNITUDES - 1)
    hidden = np.digitize(missed[star, number], MISSED_STEPS)
    state = 2 * all_doubtful(sources, source) + once
    kind = (place[star] * N_PATTERNS + pattern) * N_STATES + state
    kind = (kind * N_MAGNITUDES + bright.astype(np.int64)) * N_MISSED + hidden
    # Other directions tell what is to be expected on a spike, whatever other surveys see.
    judged = telling(sources, source, missed[star, number]) | (place[star] >= N_BESIDE)
    return star, np.where(judged, kind, N_KINDS + pattern), kind


def telling(sources: SurveySources, source: NDArray[np.int64], missed: Floats) -> NDArray[np.bool_]:
    """Return where it says something that no other survey has a source.

    Where other surveys are likely to have it; and for a source that was seen once, everywhere, if
    it belongs to a survey that sees its stars many times.
    """
    often = sources.survey.merge.many_epochs
    return (missed < UNKNOWN_BEYOND) | (often & (sources.n_epochs[source] == 1))


def all_doubtful(sources: SurveySources, source: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the survey marks all bands that it has of a source as doubtful."""
    bits = np.array([int(bit) for bit in DOUBTFUL.values()])
    marked = sources.quality[source, None] & bits != 0
    there = np.isfinite(sources.native_mag[source])
    return np.asarray((marked | ~there).all(axis=1) & there.any(axis=1))


def is_alone(stars: MergedStars) -> NDArray[np.bool_]:
    """Whether one survey alone has a star, (n_star,)."""
    return np.asarray((stars.link >= 0).sum(axis=1) == 1)


def learn_spikes(
    stars: MergedStars, surveys: Mapping[int, SurveySources], around: Surroundings
) -> dict[int, NDArray[np.bool_]]:
    """Return the directions of the spikes of every survey, by its number."""
    alone = is_alone(stars)
    return {number: find_spikes(around, alone & (stars.link[:, number] >= 0)) for number in surveys}


def learn_reality(
    stars: MergedStars,
    surveys: Mapping[int, SurveySources],
    around: Surroundings,
    spikes: Mapping[int, NDArray[np.bool_]],
    missed: Floats,
) -> dict[str, Reality]:
    """Return the probability that a lone source of each kind is a star.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources
    around : Surroundings
    spikes : mapping of int to ndarray of bool, shape (N_DIRECTIONS,)
        From `learn_spikes`.
    missed : ndarray, shape (n_star, n_survey)
        Probability that all surveys but one miss the star.

    Returns
    -------
    dict of str to Reality
        By survey.
    """
    alone = is_alone(stars)
    result = {}
    for number in surveys:
        survey = stars.order[number]
        if not survey.is_infrared:
            continue
        place = places(around, spikes[number])
        star, kind, full = kinds(stars, surveys, place, missed, number)
        lone = alone[star]
        n_lone = np.bincount(kind[lone], minlength=N_KINDS + N_PATTERNS)
        every = np.bincount(full[lone], minlength=N_KINDS)
        odds = missed[star, number].clip(max=_MOST_MISSED)
        odds /= 1.0 - odds
        expected: Floats = np.bincount(kind[~lone], weights=odds[~lone], minlength=N_KINDS).astype(
            np.float64
        )
        source = stars.link[star[~lone], number]
        pattern = np.isfinite(surveys[number].native_mag[source]) @ np.array([1, 2, 4])
        usual = np.bincount(pattern, minlength=N_PATTERNS)
        # What was seen many times is there, whatever its bands.
        rest = np.ones(N_PATTERNS)
        if not survey.merge.many_epochs:
            rest = reality_beyond(n_lone[N_KINDS:], usual)
        paired = np.bincount(place[star[~lone]], minlength=N_PLACES)
        real = _reality(n_lone[:N_KINDS], expected[:N_KINDS], paired, every)
        result[survey.name] = Reality(np.append(real, rest), spikes[number])
    return result


def reality_beyond(lone: NDArray[np.int64], paired: NDArray[np.int64]) -> Floats:
    """Return the probability that a source beyond the reach of other surveys is a star.

    Single bands without Ks are rare among stars behind dust. Faint stars lose J first, then H: Ks
    alone, H with Ks, and all three become more frequent for good reasons, and are kept. The rest is
    false where hardly a star with a partner has it.

    Parameters
    ----------
    lone : ndarray of int64, shape (N_PATTERNS,)
        Such sources without a partner, by their set of bands.
    paired : ndarray of int64, shape (N_PATTERNS,)
        Sources that have one.
    """
    without_ks = np.isin(np.arange(N_PATTERNS), _WITHOUT_KS)
    tolerance = np.where(without_ks, TOLERANCE_BEYOND, TOLERANCE_BEYOND_OTHER)
    # Few pairs say little of a set that none of them has.
    usual = (paired + _PRIOR) / (paired.sum() + N_PATTERNS * _PRIOR)
    expected = tolerance * lone.sum() * usual
    real = np.minimum(1.0, (expected + _PRIOR) / (lone + _PRIOR))
    return np.where(np.isin(np.arange(N_PATTERNS), _OF_FAINT_STARS), 1.0, real)


def _reality(
    lone: NDArray[np.int64], expected: Floats, paired: NDArray[np.int64], every: NDArray[np.int64]
) -> Floats:
    """Probability that a lone source is real, by kind.

    Parameters
    ----------
    lone : ndarray of int64, shape (N_KINDS,)
        Sources without a partner, where that says something.
    expected : ndarray, shape (N_KINDS,)
        Real ones among them by those that have a partner.
    paired : ndarray of int64, shape (N_PLACES,)
        Sources that have one.
    every : ndarray of int64, shape (N_KINDS,)
        All sources without a partner.
    """
    shape = (N_PLACES, N_PATTERNS * N_STATES, N_MAGNITUDES, N_MISSED)
    by_kind = expected.reshape(shape)
    # The halos of bright stars hide whole kinds from the other surveys: what the kind is among the
    # pairs of that magnitude is taken from far away where that is more.
    far = by_kind[:1]
    usual = far / np.maximum(far.sum(axis=1, keepdims=True), 1e-9)
    most = np.maximum(by_kind, usual * by_kind.sum(axis=1, keepdims=True))
    # Real stars lie in all directions alike: those beside the spikes tell what is to be expected on
    # them, with as many as there are more pairs.
    on, beside = paired[N_BESIDE:], paired[1:N_BESIDE]
    ratio = (on + _PRIOR) / (beside + _PRIOR / _USUAL_RATIO)
    there = ratio[:, None, None, None] * every.reshape(shape)[1:N_BESIDE]
    most[N_BESIDE:] = TOLERANCE_ON_SPIKES * there
    most[:N_BESIDE] *= TOLERANCE
    # Few sources prove little where being alone is no surprise.
    prior: Floats = np.full(shape, _PRIOR)
    prior[:N_BESIDE] = _PRIOR_HIDDEN
    prior = prior.ravel()
    return np.minimum(1.0, (most.ravel() + prior) / (lone + prior))
