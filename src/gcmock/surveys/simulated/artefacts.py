"""What is not a star: ghosts and diffraction spikes of bright stars, and peaks of noise.

Artefacts are put among the stars before blending: one that falls on a star spoils its photometry,
one that falls on the sky becomes a source. They follow from the seed and the star, or the cell of
the sky, alone.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.frames import galactic_to_icrs
from gcmock.random import star_key, uniform
from gcmock.surveys.simulated.blocks import TrueStars, flat_coordinates
from gcmock.surveys.simulated.crowding import CELL_ARCSEC, cell_number, halo_arcsec
from gcmock.surveys.simulated.instrument import Instrument

MOST_GHOSTS = 12
"""Of one star."""

FARTHEST_ARCSEC = 45.0
"""From its star; less than the margin of a block."""

GHOST_STREAM, NOISE_STREAM = -1000, -2000
"""Minus the number of the survey they stand for the realisation in keys."""

NEAREST_WIDTHS = 3.0
"""Ghosts of stars without a halo lie about this many widths away or farther."""

_SPIKES = 4
_SPIKE_FRACTION = 0.7
_SPIKE_WIDTH_DEG = 2.0
_BAND_FRACTION = 0.5
_PLACES_PER_GHOST = 8


class ArtefactKind(IntEnum):
    """What a source is in truth."""

    STAR = 0
    GHOST = 1
    NOISE = 2


def ghosts(stars: TrueStars, band_mag: Floats, instrument: Instrument, seed: int) -> TrueStars:
    """Return ghosts and spikes of the bright ones among the stars.

    Their number grows as 10^(0.2 (ghost_mag - m)); most lie on the four spikes of the telescope's
    spider, at the edge of its halo and beyond. They are 4 to 8 mag fainter than their star, and
    each band shows only some of them.

    Parameters
    ----------
    stars : TrueStars
        True stars.
    band_mag : ndarray, shape (n_star,)
        Their magnitudes in the band of detection [mag].
    instrument : Instrument
    seed : int
    """
    bright = np.flatnonzero((band_mag < instrument.ghost_mag) & (instrument.ghosts > 0.0))
    parent = stars.take(bright)
    excess = instrument.ghost_mag - band_mag[bright]
    key = star_key(seed, parent.identity, GHOST_STREAM - instrument.stream)
    mean = instrument.ghosts * 10.0 ** (0.2 * excess)
    number = np.minimum(mean + uniform(key, 0)[:, 0], MOST_GHOSTS).astype(np.int64)
    of = np.repeat(np.arange(number.size), number)
    which = np.arange(of.size) - np.repeat(np.cumsum(number) - number, number)
    chance = uniform(key[of], 1 + _PLACES_PER_GHOST * which, _PLACES_PER_GHOST)
    spike = np.floor(chance[:, 0] * _SPIKES) * (360.0 / _SPIKES)
    spike += _SPIKE_WIDTH_DEG * (2.0 * chance[:, 1] - 1.0)
    angle = np.radians(np.where(chance[:, 2] < _SPIKE_FRACTION, spike, 360.0 * chance[:, 1]))
    saturation = instrument.saturation_mag[instrument.detection_band]
    halo = halo_arcsec(band_mag[bright][of], saturation, instrument)
    reach = np.maximum(halo, NEAREST_WIDTHS * instrument.fwhm_arcsec)
    distance = np.minimum(reach * (0.8 + 2.2 * chance[:, 3]), FARTHEST_ARCSEC)
    shown = chance[:, 5:8] < _BAND_FRACTION
    shown[:, -1] |= ~shown.any(axis=1)
    fainter = 4.0 + 4.0 * chance[:, 4]
    mag = np.where(shown, parent.mag[of] + fainter[:, None], np.inf)
    dx, dy = distance * np.cos(angle), distance * np.sin(angle)
    b_deg = parent.b[of] + dy / 3600.0
    l_deg = parent.l[of] + dx / 3600.0 / np.cos(np.radians(b_deg))
    identity = star_key(seed, key[of] + which.astype(np.uint64))
    return _still(identity, ArtefactKind.GHOST, l_deg, b_deg, mag)


def noise_peaks(
    stars: TrueStars, limit_mag: Floats, instrument: Instrument, seed: int
) -> TrueStars:
    """Return peaks of noise near the limit, in one band, in the cells of the sky that stars fill.

    Parameters
    ----------
    stars : TrueStars
    limit_mag : ndarray, shape (n_star, 3)
        Limits at the stars [mag], in the 2MASS system.
    instrument : Instrument
    seed : int
    """
    column, row = cell_number(stars.x), cell_number(stars.y)
    cell, first = np.unique((column << 24) + (row + (1 << 23)), return_index=True)
    key = star_key(seed, cell, NOISE_STREAM - instrument.stream)
    mean = instrument.noise_per_deg2 * (CELL_ARCSEC / 3600.0) ** 2
    number = np.floor(mean + uniform(key, 0)[:, 0]).astype(np.int64)
    of = np.repeat(np.arange(cell.size), number)
    which = np.arange(of.size) - np.repeat(np.cumsum(number) - number, number)
    chance = uniform(key[of], 1 + 4 * which, 4)
    band = np.floor(float(len(instrument.bands)) * chance[:, 2]).astype(np.int64)
    at = limit_mag[first[of], band] + 0.3 + 0.4 * np.log(chance[:, 3])
    mag = np.full((of.size, len(instrument.bands)), np.inf)
    mag[np.arange(of.size), band] = at
    y = CELL_ARCSEC * (row[first[of]] + chance[:, 1])
    b_deg = y / 3600.0
    l_deg = CELL_ARCSEC * (column[first[of]] + chance[:, 0]) / 3600.0 / np.cos(np.radians(b_deg))
    identity = star_key(seed, key[of] + which.astype(np.uint64))
    return _still(identity, ArtefactKind.NOISE, l_deg, b_deg, mag)


def _still(
    identity: NDArray[np.uint64], kind: ArtefactKind, l_deg: Floats, b_deg: Floats, mag: Floats
) -> TrueStars:
    """Artefacts at rest on the sky."""
    n = identity.size
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    rest = np.zeros(n)
    return TrueStars(
        identity.view(np.int64),
        np.full(n, kind, np.int8),
        *flat_coordinates(l_deg, b_deg),
        l_deg,
        b_deg,
        ra,
        dec,
        rest,
        rest,
        rest,
        rest,
        mag,
    )
