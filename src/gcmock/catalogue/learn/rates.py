"""Learn from a sample of the sky which fractions of stars and sources have a partner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.merging import Knowledge, MergedCell, merge_cell, probability_missed
from gcmock.catalogue.cell.sources import SurveySources
from gcmock.catalogue.cell.surroundings import N_BESIDE, places
from gcmock.catalogue.healpix import pixel_of
from gcmock.catalogue.learn.density import ORDER
from gcmock.catalogue.learn.reality import learn_reality, learn_spikes
from gcmock.catalogue.link.linking import (
    FRACTION_STEPS,
    N_MAG,
    N_RINGS,
    default_rates,
    magnitude_bin,
    rank_mag,
)
from gcmock.catalogue.order import first_number
from gcmock.settings.merge import MergeConfig
from gcmock.words.bands import KS, J

N_ROUNDS: Final = 2
"""Times that the sample is merged, each with the rates of the time before."""

_LEAST: Final = 0.02
_RARE: Final = 0.002
_PRIOR: Final = 4.0
_SURE: Final = 0.9
_FEWEST: Final = 50
_FITS: Final = 5
_LEAST_SCATTER: Final = 0.2


def learn_rates(
    sample: Mapping[str, SurveySources], knowledge: Knowledge, config: MergeConfig
) -> Knowledge:
    """Return knowledge with the rates that a sample shows.

    Parameters
    ----------
    sample : mapping of str to Sources
        Sources of all surveys in some pixels of the sky.
    knowledge : Knowledge
    config : MergeConfig
    """
    for turn in range(N_ROUNDS):
        # Half of it is enough for a beginning.
        cell = merge_cell(_half(sample) if turn == 0 else sample, knowledge, config)
        stars = cell.stars
        rank = magnitude_bin(rank_mag(stars.side))
        pixel = pixel_of(stars.side.ra, stars.side.dec, ORDER)
        rates = {}
        for number, sources in cell.surveys.items():
            if not len(sources):
                continue
            # Stars that were there before this survey, where it has looked.
            before = _covered(pixel, sources) & (stars.primary < number)
            linked = before & (stars.link[:, number] >= 0)
            detected = _fraction(rank[linked], rank[before])
            sources_rank = magnitude_bin(rank_mag(sources.side))
            begun = stars.link[stars.primary == number, number]
            new = _fraction(sources_rank[begun], sources_rank)
            rates[sources.survey.name] = replace(default_rates(), detected=detected, new=new)
        knowledge = replace(knowledge, rates=rates, g_relation=fit_g_relation(stars, cell.surveys))
        knowledge = _learn_lone(cell, rank, pixel, knowledge)
    return knowledge


def _half(sample: Mapping[str, SurveySources]) -> dict[str, SurveySources]:
    """Return the sources in every other pixel; all of them if one survey has none there."""
    half = {}
    for name, one in sample.items():
        half[name] = one.take(pixel_of(one.side.ra, one.side.dec, ORDER) % 2 == 0)
        if not len(half[name]):
            return dict(sample)
    return half


def fit_g_relation(stars: MergedStars, surveys: Mapping[int, SurveySources]) -> np.ndarray | None:
    """Fit G - J = a + b (J - Ks) to stars that Gaia and an infrared survey with motions share.

    Parameters
    ----------
    stars : MergedStars
    surveys : mapping of int to Sources

    Returns
    -------
    ndarray, shape (3,) or None
        a, b and the scatter, by straight lines without outliers of three robust standard
        deviations; None with fewer than 50 stars.
    """
    infrared = first_number(stars.order, list(surveys), infrared=True)
    gaia = first_number(stars.order, list(surveys), infrared=False)
    if infrared is None or gaia is None:
        return None
    sure = (stars.link[:, infrared] >= 0) & (stars.probability[:, gaia] > _SURE)
    mag = surveys[infrared].side.mag[stars.link[sure, infrared]]
    g_mag = surveys[gaia].side.g_mag[stars.link[sure, gaia]]
    colour, g_colour = mag[:, J] - mag[:, KS], g_mag - mag[:, J]
    good = np.isfinite(colour) & np.isfinite(g_colour)
    if good.sum() < _FEWEST:
        return None
    colour, g_colour = colour[good], g_colour[good]
    near, scatter = np.ones(len(colour), bool), _LEAST_SCATTER
    slope, offset = 0.0, 0.0
    for _ in range(_FITS):
        if near.sum() < _FEWEST // 2 or np.ptp(colour[near]) == 0:
            return None
        slope, offset = np.polyfit(colour[near], g_colour[near], 1)
        away = np.abs(g_colour - offset - slope * colour)
        scatter = max(1.4826 * float(np.median(away)), _LEAST_SCATTER)
        near = away < 3.0 * scatter
    return np.array([offset, slope, scatter])


def _covered(pixel: np.ndarray, sources: SurveySources) -> np.ndarray:
    """Whether a survey has looked at each pixel: it has sources there."""
    return np.isin(pixel, np.unique(pixel_of(sources.side.ra, sources.side.dec, ORDER)))


def _learn_lone(
    cell: MergedCell, rank: np.ndarray, pixel: np.ndarray, knowledge: Knowledge
) -> Knowledge:
    """Learn how often surveys miss stars, and which lone sources are stars."""
    stars, surveys, around = cell.stars, cell.surveys, cell.around
    has = stars.link >= 0
    spikes = learn_spikes(stars, surveys, around)
    # Much of what lies on spikes is no star that anybody could have missed.
    beside = np.ones(len(stars), bool)
    for directions in spikes.values():
        beside &= places(around, directions) < N_BESIDE
    rates = dict(knowledge.rates)
    for number, sources in surveys.items():
        if not len(sources):
            continue
        # Stars that others have, as the sky goes on where a survey ends.
        others = _covered(pixel, sources) & np.delete(has, number, axis=1).any(axis=1) & beside
        hidden = np.digitize(cell.fraction[others, number], FRACTION_STEPS)
        place = around.ring[others], hidden, rank[others]
        name = sources.survey.name
        rates[name] = replace(rates[name], depth=_depth(place, has[others, number]))
    knowledge = replace(knowledge, rates=rates)
    missed = probability_missed(stars, surveys, around, cell.fraction, knowledge)
    reality = learn_reality(stars, surveys, around, spikes, missed)
    return replace(knowledge, reality=reality)


def _fraction(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Fraction of each magnitude, drawn to that of all magnitudes where there are few."""
    n_some = np.bincount(some, minlength=N_MAG)[:N_MAG]
    n_whole = np.bincount(whole, minlength=N_MAG)[:N_MAG]
    mean = (n_some.sum() + 1.0) / (n_whole.sum() + 2.0)
    return ((n_some + _PRIOR * mean) / (n_whole + _PRIOR)).clip(_LEAST, 1.0 - _LEAST)


def _depth(place: tuple[np.ndarray, np.ndarray, np.ndarray], found: np.ndarray) -> np.ndarray:
    """Fraction that is found, by ring, class of light and magnitude.

    Drawn to that of the magnitude alone where there are few.
    """
    shape = (N_RINGS, len(FRACTION_STEPS) + 1, N_MAG)
    index, size = np.ravel_multi_index(place, shape), int(np.prod(shape))
    whole = np.bincount(index, minlength=size).reshape(shape)
    some = np.bincount(index[found], minlength=size).reshape(shape)
    mean = _fraction(place[2][found], place[2])
    return ((some + _PRIOR * mean) / (whole + _PRIOR)).clip(_RARE, 1.0 - _RARE)
