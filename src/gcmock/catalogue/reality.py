"""How probable it is that a source which one survey alone has is a star.

Ghosts, spikes and peaks of noise have no partner in other surveys; real stars without one are
expected as well, because every survey misses stars. Sources are divided into kinds: by their
distance from a bright star, their set of bands, whether they were seen once or oftener, and their
magnitude. Of each kind, those that have a partner tell how many real ones have none: as many per
paired source as among all sources at that distance and of that magnitude, times `TOLERANCE`,
because kinds differ in how well other surveys see them. (Close to a bright star other surveys are
blind as well: that many sources there have no partner says nothing, but an odd set of bands does.)

If far more are there, most of them are no stars. Beyond the reach of all other surveys nothing can
be compared but sets of bands: a single J or H without Ks is left out where it is far more frequent
than among sources with a partner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.catalogue.linking import rank_mag
from gcmock.catalogue.neighbours import pairs_within
from gcmock.catalogue.settings import CleaningConfig
from gcmock.catalogue.sources import Sources
from gcmock.catalogue.stars import Stars
from gcmock.catalogue.traits import BACKBONE

Floats = NDArray[np.float64]

N_PLACES: Final = 4
N_PATTERNS: Final = 8
N_MAGNITUDES: Final = 20
N_KINDS: Final = N_PLACES * N_PATTERNS * 2 * N_MAGNITUDES
"""Kinds: place, set of bands, seen once or oftener, magnitude."""

UNKNOWN_BEYOND: Final = 0.5
"""Where the other surveys miss a star with this probability, its being alone says nothing."""

TOLERANCE: Final = 2.0

_GROWTH_PER_MAG: Final = 1.3
_LARGEST_RADIUS: Final = 20.0
_CONTRAST: Final = 2.5
_PRIOR: Final = 2.0
_FIRST_MAG: Final = 4.0
_WITHOUT_KS: Final = (1, 2)

MANY_EPOCHS: Final = ("virac2", "gaia")
"""Surveys whose stars were all seen many times."""


def places(stars: Stars, config: CleaningConfig) -> NDArray[np.int64]:
    """Return how close stars are to a much brighter one.

    Parameters
    ----------
    stars : Stars
    config : CleaningConfig

    Returns
    -------
    ndarray of int64 (n_star,)
        0: outside the radius in which bright stars have ghosts; 3: in the inner third of it.
    """
    place = np.zeros(len(stars), np.int64)
    ks = stars.side.mag[:, 2]
    bright = np.flatnonzero(ks < config.bright_ks_mag)
    if not bright.size or config.bright_radius_arcsec == 0:
        return place
    side = stars.side
    i, j = pairs_within(side.ra[bright], side.dec[bright], side.ra, side.dec, _LARGEST_RADIUS)
    east = (side.ra[j] - side.ra[bright[i]]) * np.cos(np.radians(side.dec[j])) * 3600.0
    north = (side.dec[j] - side.dec[bright[i]]) * 3600.0
    growth = _GROWTH_PER_MAG ** (config.bright_ks_mag - ks[bright[i]])
    radius = np.minimum(config.bright_radius_arcsec * growth, _LARGEST_RADIUS)
    depth = N_PLACES - 1 - np.floor((N_PLACES - 1) * np.hypot(east, north) / radius)
    faint = ~(rank_mag(side)[j] < ks[bright[i]] + _CONTRAST)
    inside = faint & (depth > 0)
    np.maximum.at(place, j[inside], depth[inside].astype(np.int64).clip(max=N_PLACES - 1))
    return place


def kinds(
    stars: Stars, surveys: Mapping[int, Sources], place: NDArray[np.int64], number: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the stars that a survey has, and the kind of their source in it.

    Parameters
    ----------
    stars : Stars
    surveys : mapping of int to Sources
    place : ndarray of int64 (n_star,)
        From `places`.
    number : int
        Number of the survey.
    """
    star = np.flatnonzero(stars.link[:, number] >= 0)
    source = stars.link[star, number]
    sources = surveys[number]
    pattern = np.isfinite(sources.native_mag[source]) @ np.array([1, 2, 4])
    once = (sources.n_epochs[source] <= 1).astype(np.int64)
    mag = rank_mag(sources.side)[source]
    bright = np.floor(np.nan_to_num(mag, nan=99.0) - _FIRST_MAG).clip(0, N_MAGNITUDES - 1)
    kind = (place[star] * N_PATTERNS + pattern) * 2 + once
    return star, kind * N_MAGNITUDES + bright.astype(np.int64)


def telling(sources: Sources, source: NDArray[np.int64], missed: Floats) -> NDArray[np.bool_]:
    """Return where it says something that no other survey has a source.

    Where other surveys are likely to have it; and for a source that was seen once, everywhere, if
    it belongs to a survey that sees its stars many times.
    """
    often = sources.survey in MANY_EPOCHS
    return (missed < UNKNOWN_BEYOND) | (often & (sources.n_epochs[source] == 1))


def is_alone(stars: Stars) -> NDArray[np.bool_]:
    """Whether one survey alone has a star, (n_star,)."""
    return np.asarray((stars.link >= 0).sum(axis=1) == 1)


def learn_reality(
    stars: Stars, surveys: Mapping[int, Sources], missed: Floats, config: CleaningConfig
) -> dict[str, Floats]:
    """Return the probability that a lone source of each kind is a star.

    Parameters
    ----------
    stars : Stars
    surveys : mapping of int to Sources
    missed : ndarray (n_star, n_survey)
        Probability that all surveys but one miss the star.
    config : CleaningConfig

    Returns
    -------
    dict of str to ndarray (N_KINDS + N_PATTERNS,)
        By survey: of kinds where other surveys would have the star; of sets of bands elsewhere.
    """
    alone, place = is_alone(stars), places(stars, config)
    result = {}
    for number in surveys:
        if BACKBONE[number] == "gaia":
            continue
        star, kind = kinds(stars, surveys, place, number)
        source = stars.link[star, number]
        judged = telling(surveys[number], source, missed[star, number])
        shape = (N_PLACES, N_PATTERNS * 2, N_MAGNITUDES)
        lone = np.bincount(kind[alone[star] & judged], minlength=N_KINDS).reshape(shape)
        paired = np.bincount(kind[~alone[star] & judged], minlength=N_KINDS).reshape(shape)
        pattern = kind // (2 * N_MAGNITUDES) % N_PATTERNS
        beyond = np.bincount(pattern[alone[star] & ~judged], minlength=N_PATTERNS)
        usual = np.bincount(pattern[~alone[star]], minlength=N_PATTERNS)
        # What was seen many times is there, whatever its bands.
        often = BACKBONE[number] in MANY_EPOCHS
        rest = np.ones(N_PATTERNS) if often else _reality_beyond(beyond, usual)
        result[BACKBONE[number]] = np.append(_reality(lone, paired).ravel(), rest)
    return result


def _reality_beyond(lone: NDArray[np.int64], paired: NDArray[np.int64]) -> Floats:
    """Probability that a source beyond the reach of other surveys is real, by its set of bands.

    Only for single bands without Ks, which stars behind dust seldom have: sets with Ks become more
    frequent towards faint magnitudes for good reasons.
    """
    expected = TOLERANCE * lone.sum() * paired / max(paired.sum(), 1)
    real = np.minimum(1.0, (expected + _PRIOR) / (lone + _PRIOR))
    return np.where(np.isin(np.arange(N_PATTERNS), _WITHOUT_KS), real, 1.0)


def _reality(lone: NDArray[np.int64], paired: NDArray[np.int64]) -> Floats:
    """Probability that a lone source is real, by place, set of bands and epochs, and magnitude."""
    of_magnitude = (lone.sum(axis=1) + _PRIOR) / (paired.sum(axis=1) + _PRIOR)
    # The halos of bright stars hide whole kinds from the other surveys: what the kind is among the
    # pairs of that magnitude is taken from far away where that is more.
    usual = paired[:1] / np.maximum(paired[:1].sum(axis=1, keepdims=True), 1)
    pairs = np.maximum(paired, usual * paired.sum(axis=1, keepdims=True))
    expected = TOLERANCE * pairs * of_magnitude[:, None, :]
    return np.minimum(1.0, (expected + _PRIOR) / (lone + _PRIOR))
