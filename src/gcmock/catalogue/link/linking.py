"""Link the sources of a survey to the stars of the merged list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.cell.sources import MAS, SurveySources
from gcmock.catalogue.learn.density import Density
from gcmock.catalogue.link.assignment import assign
from gcmock.catalogue.link.likelihood import (
    FieldStatistics,
    SharedLight,
    SourceAstrometry,
    log_odds,
    shared_light,
)
from gcmock.catalogue.link.neighbours import pairs_within
from gcmock.settings.merge import MatchConfig
from gcmock.words.bands import SURVEY_BANDS

LEAST_LOG_ODDS: Final = -5.0
"""Candidates below this count neither as links nor as rivals."""

N_RINGS: Final = 4
"""Rings around bright stars (`gcmock.catalogue.cell.surroundings`); 0 is far from all of them."""

FRACTION_STEPS: Final = (0.2, 0.5, 0.8, 0.97)
"""Steps between classes of the fraction of a star in the light that a survey collects there."""

N_MAG: Final = 48
FIRST_MAG: Final = 6.0
STEP_MAG: Final = 0.25

_BEAM_PER_FWHM: Final = 1.0 / 2.354820045
_SHARING_REACH: Final = 1.0


@dataclass(frozen=True)
class Rates:
    """What fractions of stars and sources have a partner, by magnitude.

    Attributes
    ----------
    detected : ndarray, shape (N_MAG,)
        Probability that the survey has a star of the merged list, by its magnitude.
    new : ndarray, shape (N_MAG,)
        Fraction of the survey's sources that are no star of the list, by their magnitude.
    depth : ndarray, shape (N_RINGS, n_fraction, N_MAG)
        Probability that the survey has a star that another survey has: by the ring around a bright
        star, by the class of its fraction in the light at its place (`FRACTION_STEPS`), and by its
        magnitude.
    """

    detected: Floats
    new: Floats
    depth: Floats


def default_rates() -> Rates:
    """Return rates for surveys of which nothing is known yet."""
    depth = np.zeros((N_RINGS, len(FRACTION_STEPS) + 1, N_MAG))
    return Rates(np.full(N_MAG, 0.7), np.full(N_MAG, 0.5), depth)


class Linked(NamedTuple):
    """The links of a survey.

    Attributes
    ----------
    star, source : ndarray of int64, shape (n_link,)
    probability : ndarray, shape (n_link,)
    blended : ndarray of bool, shape (n_link,)
        Whether neighbours add more than 10 % to the light of the star in this survey.
    rival : ndarray, shape (n_source,)
        For every source of the survey, the probability that it is a star of the list.
    fraction : ndarray, shape (n_link,)
        Fraction of the star in the light that the survey collects at its place, by the stars of the
        list.
    """

    star: NDArray[np.int64]
    source: NDArray[np.int64]
    probability: Floats
    blended: NDArray[np.bool_]
    rival: Floats
    fraction: Floats


def rank_mag(side: SourceAstrometry) -> Floats:
    """Return the reddest magnitude that there is: Ks, H, J, or else G [mag]."""
    mag = side.g_mag.copy()
    for in_band in side.mag.T:
        mag = np.where(np.isfinite(in_band), in_band, mag)
    return mag


def magnitude_bin(mag: Floats) -> NDArray[np.int64]:
    """Return the bin of `Rates` for magnitudes; those that are missing count as faint."""
    place = np.floor((np.where(np.isfinite(mag), mag, 99.0) - FIRST_MAG) / STEP_MAG)
    return place.clip(0, N_MAG - 1).astype(np.int64)


def field_of(
    config: MatchConfig, motion_masyr: Floats, g_relation: Floats | None = None
) -> FieldStatistics:
    """Return what the stars of the field are like; see `FieldStatistics`."""
    return FieldStatistics(
        motion=motion_masyr * MAS,
        motion_sigma=np.full(2, config.motion_sigma_masyr * MAS),
        scatter=np.full(len(SURVEY_BANDS), config.scatter_mag),
        tail=np.array([config.tail_fraction, -0.1, config.tail_mag]),
        g_colour=np.array([3.0, 4.0, 4.4]),
        g_sigma=np.array([1.3, 1.6, 1.8]),
        g_relation=np.full(3, np.nan) if g_relation is None else g_relation,
    )


def moved(side: SourceAstrometry, epoch: float, field: FieldStatistics) -> tuple[Floats, Floats]:
    """Return the positions at another epoch [deg], by measured motions or the mean of the field."""
    motion = np.where(np.isfinite(side.motion), side.motion, field.motion)
    step = (epoch - side.epoch)[:, None] * motion / 3600.0
    return side.ra + step[:, 0] / np.cos(np.radians(side.dec)), side.dec + step[:, 1]


def light_of_neighbours(
    stars: MergedStars, ra: Floats, dec: Floats, fwhm: float
) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Return what the neighbours of stars add to their light; see `shared_light`."""
    i, j = pairs_within(ra, dec, ra, dec, _SHARING_REACH * fwhm)
    start = np.searchsorted(i, np.arange(len(ra) + 1))
    return shared_light(start, j, ra, dec, stars.side.mag, fwhm * _BEAM_PER_FWHM)


def link(
    stars: MergedStars,
    sources: SurveySources,
    density: Density,
    rates: Rates,
    field: FieldStatistics,
    radius: float,
    tail_fwhm: float,
) -> Linked:
    """Link the sources of a survey to stars, one-to-one.

    Parameters
    ----------
    stars : MergedStars
    sources : SurveySources
    density : Density
        Of the survey.
    rates : Rates
    field : FieldStatistics
    radius : float
        Largest separation of a candidate [arcsec].
    tail_fwhm : float
        Extra error of disturbed positions, in widths of the coarser image.

    Returns
    -------
    Linked
    """
    n_star, n_source = len(stars), len(sources)
    if not n_star or not n_source:
        none = np.empty(0, np.int64)
        return Linked(none, none, np.empty(0), np.empty(0, bool), np.zeros(n_source), np.empty(0))
    ra, dec = moved(stars.side, sources.survey.ref_epoch, field)
    i, j = pairs_within(ra, dec, sources.side.ra, sources.side.dec, radius)
    neighbours = light_of_neighbours(stars, ra, dec, sources.survey.merge.fwhm_arcsec)
    # The coarser of the two images disturbs.
    own = np.array([one.merge.fwhm_arcsec for one in stars.order])[stars.position_from]
    wide = tail_fwhm * np.maximum(own, sources.survey.merge.fwhm_arcsec)
    light = SharedLight(*neighbours, wide)
    detected = rates.detected[magnitude_bin(rank_mag(stars.side))]
    new = rates.new[magnitude_bin(rank_mag(sources.side))]
    side = sources.side
    odds = log_odds(
        i,
        j,
        stars.side,
        side,
        field,
        light,
        density.log_density(side.ra, side.dec, side.mag, side.g_mag),
        np.log(detected / (1.0 - detected)),
        np.log(new),
    )
    good = odds > LEAST_LOG_ODDS
    i, j, odds = i[good], j[good], odds[good]
    found = assign(i, j, odds, n_star, n_source)
    rival = np.bincount(j, weights=found.probability, minlength=n_source).clip(max=1.0)
    star, source = i[found.chosen], j[found.chosen]
    brighter = np.nanmax(
        np.nan_to_num(stars.side.mag[star] - light.mag[star], nan=0.0), axis=1, initial=0.0
    )
    probability = found.probability[found.chosen]
    return Linked(star, source, probability, brighter > 0.1, rival, light.fraction[star])


def finest_fwhm(stars: MergedStars) -> Floats:
    """Return the width of the finest images that stars were seen on, (n_star,) [arcsec]."""
    fwhm = np.array([one.merge.fwhm_arcsec for one in stars.order])
    return np.asarray(np.where(stars.link >= 0, fwhm, np.inf).min(axis=1, initial=np.inf))


def explained_fraction(
    sources: SurveySources, index: NDArray[np.int64], stars: MergedStars, field: FieldStatistics
) -> Floats:
    """Return which fraction of the light of sources the stars in their resolution element give.

    Only stars that a finer survey resolves count: those of images as coarse as its own say nothing.

    Parameters
    ----------
    sources : SurveySources
    index : ndarray of int64, shape (n,)
        Which of them.
    stars : MergedStars
    field : FieldStatistics

    Returns
    -------
    ndarray, shape (n,)
        In the reddest band that both have; 0 if there is no star.
    """
    fwhm = sources.survey.merge.fwhm_arcsec
    ra, dec = moved(stars.side, sources.survey.ref_epoch, field)
    some_ra, some_dec = sources.side.ra[index], sources.side.dec[index]
    i, j = pairs_within(some_ra, some_dec, ra, dec, 0.6 * fwhm)
    finer = finest_fwhm(stars) < fwhm
    i, j = i[finer[j]], j[finer[j]]
    difference = np.full(len(i), np.nan)
    for band in range(stars.side.mag.shape[1]):
        both = stars.side.mag[j, band] - sources.side.mag[index[i], band]
        difference = np.where(np.isfinite(both), both, difference)
    light = np.where(np.isfinite(difference), 10.0 ** (-0.4 * np.nan_to_num(difference)), 0.0)
    east = (ra[j] - some_ra[i]) * np.cos(np.radians(some_dec[i])) * 3600.0
    north = (dec[j] - some_dec[i]) * 3600.0
    beam = fwhm * _BEAM_PER_FWHM
    light *= np.exp(-0.25 * (east * east + north * north) / beam**2)
    return np.asarray(np.bincount(i, weights=light, minlength=len(index)), dtype=np.float64)


def explained_stars(
    stars: MergedStars, field: FieldStatistics, fraction: float
) -> NDArray[np.bool_]:
    """Return which stars are the blended light of others that a finer survey resolves.

    A star that only coarse images show is no star if stars on finer images, within its resolution
    element, give enough of its light. Stars with few bands are judged by those that there are.

    Parameters
    ----------
    stars : MergedStars
        All of them, after the last survey.
    field : FieldStatistics
    fraction : float
        Least fraction of its light that they give.

    Returns
    -------
    ndarray of bool, shape (n_star,)
    """
    result = np.zeros(len(stars), bool)
    fwhm = finest_fwhm(stars)
    epoch = float(np.median(stars.side.epoch)) if len(stars) else 0.0
    ra, dec = moved(stars.side, epoch, field)
    for width in np.unique(fwhm):
        coarse, fine = np.flatnonzero(fwhm == width), np.flatnonzero(fwhm < width)
        if not len(fine):
            continue
        i, j = pairs_within(ra[coarse], dec[coarse], ra[fine], dec[fine], 0.6 * width)
        i_star, j_star = coarse[i], fine[j]
        difference = np.full(len(i), np.nan)
        for band in range(stars.side.mag.shape[1]):
            both = stars.side.mag[j_star, band] - stars.side.mag[i_star, band]
            difference = np.where(np.isfinite(both), both, difference)
        light = np.where(np.isfinite(difference), 10.0 ** (-0.4 * np.nan_to_num(difference)), 0.0)
        east = (ra[j_star] - ra[i_star]) * np.cos(np.radians(dec[i_star])) * 3600.0
        north = (dec[j_star] - dec[i_star]) * 3600.0
        light *= np.exp(-0.25 * (east * east + north * north) / (width * _BEAM_PER_FWHM) ** 2)
        result[coarse] = np.bincount(i, weights=light, minlength=len(coarse)) > fraction
    return result
