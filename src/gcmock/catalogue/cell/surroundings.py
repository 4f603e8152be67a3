"""Which stars lie close to a much brighter one, how close, and on its diffraction spikes or not.

The halo of a star is its aureole, whose surface brightness falls with the square of the distance
(King 1971, PASP 83, 199): the radius at which it has some brightness grows as 10^(0.2 dm). Rings
are fractions of such a radius, so that they mean the same for all bright stars.

Spikes have directions that belong to the telescope. They are not known beforehand: a survey's
sources without a partner pile up on them, and real stars lie around a bright one in every direction
alike.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.merged_stars import MergedStars
from gcmock.catalogue.link.linking import N_RINGS, rank_mag
from gcmock.catalogue.link.neighbours import pairs_within
from gcmock.settings.merge import CleaningConfig
from gcmock.words.bands import KS

N_BESIDE: Final = 2 * N_RINGS - 1
"""Places on no spike: far away; three rings around bright stars, three around brighter ones."""

N_PLACES: Final = 2 * N_BESIDE - 1
"""These, and those close to a bright star once more for what lies on a spike."""

N_DIRECTIONS: Final = 90
"""Position angles, modulo 180 degrees, because spikes come in opposite pairs."""

LARGEST_RADIUS: Final = 28.0
"""Farthest from a bright star that is judged [arcsec]; less than the margin of a cell."""

_GROWTH_PER_MAG: Final = 10.0**0.2
_CONTRAST: Final = 2.5
_BRIGHTER_MAG: Final = 1.5
_STEPS_MAG: Final = (0.0, 1.0, 2.0, 3.0)
_SIGNIFICANT: Final = 4.0
_BESIDE: Final = 2.5
_FEWEST: Final = 4.0


class Surroundings(NamedTuple):
    """Stars near bright ones.

    Attributes
    ----------
    ring : ndarray of int64, shape (n_star,)
        0: outside the radius of every bright star; 3: in the inner third of that of one.
    star : ndarray of int64, shape (n_pair,)
        The faint one of every pair of a bright star and one within its radius.
    pair_place : ndarray of int64, shape (n_pair,)
        Its place beside the spikes of that bright star: 1 to 3 is its ring, 4 to 6 that around a
        star brighter by 1.5 mag than the limit of bright ones.
    excess : ndarray, shape (n_pair,)
        By how much the bright star is brighter than that limit [mag].
    direction : ndarray of int64, shape (n_pair,)
        Its direction from there, as number of a bin of `N_DIRECTIONS`.
    """

    ring: NDArray[np.int64]
    star: NDArray[np.int64]
    pair_place: NDArray[np.int64]
    excess: Floats
    direction: NDArray[np.int64]


def no_surroundings(n_star: int) -> Surroundings:
    """Return the surroundings of stars none of which is close to a bright one."""
    none = np.empty(0, np.int64)
    return Surroundings(np.zeros(n_star, np.int64), none, none, np.empty(0), none)


def surroundings(stars: MergedStars, config: CleaningConfig) -> Surroundings:
    """Return which stars are close to a much brighter one.

    Parameters
    ----------
    stars : MergedStars
    config : CleaningConfig

    Returns
    -------
    Surroundings
    """
    result = no_surroundings(len(stars))
    side, ks = stars.side, stars.side.mag[:, KS]
    bright = np.flatnonzero(ks < config.bright_ks_mag)
    if not bright.size or config.bright_radius_arcsec == 0:
        return result
    i, j = pairs_within(side.ra[bright], side.dec[bright], side.ra, side.dec, LARGEST_RADIUS)
    i = bright[i]
    excess = config.bright_ks_mag - ks[i]
    radius = np.minimum(config.bright_radius_arcsec * _GROWTH_PER_MAG**excess, LARGEST_RADIUS)
    east = (side.ra[j] - side.ra[i]) * np.cos(np.radians(side.dec[j])) * 3600.0
    north = (side.dec[j] - side.dec[i]) * 3600.0
    depth = N_RINGS - 1 - np.floor((N_RINGS - 1) * np.hypot(east, north) / radius)
    inside = ~(rank_mag(side)[j] < ks[i] + _CONTRAST) & (depth > 0)
    star, ring = j[inside], depth[inside].astype(np.int64).clip(max=N_RINGS - 1)
    excess = excess[inside]
    angle = np.degrees(np.arctan2(east[inside], north[inside])) % 180.0
    direction = np.floor(angle * (N_DIRECTIONS / 180.0)).astype(np.int64) % N_DIRECTIONS
    np.maximum.at(result.ring, star, ring)
    place = ring + (N_RINGS - 1) * (excess > _BRIGHTER_MAG)
    return Surroundings(result.ring, star, place, excess, direction)


def find_spikes(around: Surroundings, lone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the directions of the diffraction spikes of a survey.

    Parameters
    ----------
    around : Surroundings
    lone : ndarray of bool, shape (n_star,)
        Stars that this survey alone has.

    Returns
    -------
    ndarray of bool, shape (N_DIRECTIONS,)
        Directions in which there are more of them than the median one has, by four of its standard
        deviations, or by 2.5 next to such a direction: around all bright stars, or around those
        that are brighter by 1, 2 or 3 mag.
    """
    result = np.zeros(N_DIRECTIONS, bool)
    for step in _STEPS_MAG:
        some = lone[around.star] & (around.excess >= step)
        counts = np.bincount(around.direction[some], minlength=N_DIRECTIONS)
        usual = max(float(np.median(counts)), _FEWEST)
        excess = (counts - usual) / np.sqrt(usual)
        sure = excess > _SIGNIFICANT
        beside = np.roll(sure, 1) | np.roll(sure, -1)
        result |= sure | (beside & (excess > _BESIDE))
    return result


def places(around: Surroundings, spikes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the place of every star for one survey.

    Parameters
    ----------
    around : Surroundings
    spikes : ndarray of bool, shape (N_DIRECTIONS,)
        From `find_spikes`.

    Returns
    -------
    ndarray of int64, shape (n_star,)
        0 far from bright stars, up to `N_BESIDE` - 1 beside their spikes, beyond on them.
    """
    place = np.zeros(len(around.ring), np.int64)
    np.maximum.at(place, around.star, around.pair_place)
    # On the spike of any bright star around: what hides a star there is its place all the same.
    place[np.unique(around.star[spikes[around.direction]])] += N_BESIDE - 1
    return place
