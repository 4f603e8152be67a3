"""Crowding: stars that melt into one source, and the confusion limit.

A star within some widths of a brighter source is part of it: fluxes add, the position is their
centre. How faint a lonely detection may be follows from the number of stars around it: at the
confusion limit there is one star in so many beams.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from gcmock.arrays import Floats, Integers
from gcmock.compilation import compiled
from gcmock.surveys.simulated.instrument import Instrument

CELL_ARCSEC = 30.0
"""Side of the cells in which stars are counted: the map's cells and the margin are multiples."""

FAINTEST_BLEND_MAG = 6.0
"""Beyond this difference the distance at which two stars separate grows no more."""

HALO_MARGIN_MAG = 2.0
"""Halos begin this much below saturation."""

HALO_MAX_ARCSEC = 20.0
"""Largest radius of the halo of a saturated star."""

_HALO_CONTRAST_MAG = 3.0
_BIN_MAG = 0.05


class LimitMap(NamedTuple):
    """Limits in cells of the sky.

    Attributes
    ----------
    column, row : int
        First cell along x and y.
    limit : ndarray, shape (n_column, n_row, 3)
        [mag]; limits of confusion are infinite where there are not enough stars.
    """

    column: int
    row: int
    limit: Floats

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the limits at places [arcsec], shape (n, 3); those of the border beyond it."""
        n_column, n_row, _ = self.limit.shape
        column = np.clip(cell_number(x) - self.column, 0, n_column - 1)
        return np.asarray(self.limit[column, np.clip(cell_number(y) - self.row, 0, n_row - 1)])


def cell_number(place: Floats) -> Integers:
    """Return the number of the cell along one axis of places [arcsec]."""
    return np.floor(place / CELL_ARCSEC).astype(np.int64)


def confusion_map(x: Floats, y: Floats, mag: Floats, instrument: Instrument) -> LimitMap:
    """Find the magnitude at which the stars of each cell reach the confusion density.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Places [arcsec].
    mag : ndarray, shape (n, 3)
        Magnitudes of stars [mag].
    instrument : Instrument
    """
    if not x.size:
        return LimitMap(0, 0, np.full((1, 1, mag.shape[1]), np.inf))
    column, row = cell_number(x), cell_number(y)
    first_column, first_row = int(column.min()), int(row.min())
    n_column, n_row = int(column.max()) - first_column + 1, int(row.max()) - first_row + 1
    cell = (column - first_column) * n_row + (row - first_row)
    beam = 0.25 * np.pi * instrument.fwhm_arcsec**2
    limit = np.empty((n_column * n_row, mag.shape[1]))
    for band in range(mag.shape[1]):
        low = float(np.floor(mag[:, band].min()))
        step = np.floor((mag[:, band] - low) / _BIN_MAG).astype(np.int64)
        n_step = int(step.max()) + 1
        counts = np.bincount(cell * n_step + step, minlength=limit.shape[0] * n_step)
        enough = CELL_ARCSEC**2 / (beam * instrument.beams_per_source[band])
        reached = np.cumsum(counts.reshape(-1, n_step), axis=1) >= enough
        middle = low + _BIN_MAG * (np.argmax(reached, axis=1) + 0.5)
        limit[:, band] = np.where(reached[:, -1], middle, np.inf)
    return LimitMap(first_column, first_row, limit.reshape(n_column, n_row, -1))


def combined_limit(depth_mag: Floats, confusion_mag: Floats) -> Floats:
    """Return the limit of sky noise and confusion together [mag]: their fluxes in quadrature.

    Parameters
    ----------
    depth_mag, confusion_mag : ndarray
        [mag]; shapes broadcast, the second may be infinite.
    """
    flux = np.hypot(10.0 ** (-0.4 * depth_mag), 10.0 ** (-0.4 * confusion_mag))
    return np.asarray(-2.5 * np.log10(flux))


class Blends(NamedTuple):
    """Which star is part of which source.

    Attributes
    ----------
    source : ndarray of int64, shape (n_source,)
        The brightest star of each source, in the order of the stars.
    of_star : ndarray of int64, shape (n_star,)
        Number of the source that each star is part of.
    """

    source: Integers
    of_star: Integers


def blend(x: Floats, y: Floats, mag: Floats, instrument: Instrument, saturation: float) -> Blends:
    """Let every star swallow the fainter ones near it, the brightest star first.

    The distance at which two stars separate grows with their difference in magnitude; saturated
    stars have a halo in which much fainter stars are lost.

    Parameters
    ----------
    x, y : ndarray, shape (n_star,)
        Places [arcsec].
    mag : ndarray, shape (n_star,)
        Magnitudes in the band of detection [mag].
    instrument : Instrument
    saturation : float
        Of that band [mag].
    """
    n = x.size
    order = np.lexsort((y, x, mag))
    places, mag = np.column_stack([x, y])[order], mag[order]
    largest = radius_arcsec(np.array([FAINTEST_BLEND_MAG]), instrument)[0]
    tree = KDTree(places, balanced_tree=False)
    # The order is that of brightness, and pairs have the smaller index first.
    first, second = tree.query_pairs(largest, output_type="ndarray").astype(np.int64).T
    apart = ((places[first] - places[second]) ** 2).sum(axis=1)
    near = apart < radius_arcsec(mag[second] - mag[first], instrument) ** 2
    first, second = first[near], second[near]
    halo = halo_arcsec(mag, saturation, instrument)
    # Smaller halos add nothing to what is swallowed anyway.
    n_halo = int(np.searchsorted(-halo, -largest))
    if n_halo:
        around = tree.query_ball_point(places[:n_halo], halo[:n_halo])
        bright = np.repeat(np.arange(n_halo), [len(one) for one in around])
        other = np.concatenate([np.asarray(one, np.int64) for one in around])
        faint = mag[other] > mag[bright] + _HALO_CONTRAST_MAG
        first = np.concatenate([first, bright[faint]])
        second = np.concatenate([second, other[faint]])
    pairs = np.sort(first * n + second)
    parent = np.empty(n, np.int64)
    parent[order] = order[swallow(pairs // n, pairs % n, n)]
    is_source = parent == np.arange(n)
    return Blends(np.flatnonzero(is_source), (np.cumsum(is_source) - 1)[parent])


def radius_arcsec(difference_mag: Floats, instrument: Instrument) -> Floats:
    """Return the distance [arcsec] below which two stars are one source.

    Parameters
    ----------
    difference_mag : ndarray
        How much fainter the second star is [mag].
    instrument : Instrument
    """
    widths = instrument.blend_slope * np.minimum(difference_mag, FAINTEST_BLEND_MAG)
    return np.asarray(instrument.fwhm_arcsec * (instrument.blend_fwhm + widths))


def halo_arcsec(mag: Floats, saturation: float, instrument: Instrument) -> Floats:
    """Return the radius [arcsec] around bright stars in which much fainter ones are lost.

    FWHM 10^(0.2 (saturation + 2 - m)), as if the light of the halo fell as r^-2: an assumption. For
    VIRAC2 it is 8 arcsec at Ks = 8.5; the JASMINE catalogue rejects bad sources of VIRAC2 within
    8 arcsec of stars with Ks <= 10.

    Parameters
    ----------
    mag : ndarray, shape (n,)
        [mag].
    saturation : float
        [mag].
    instrument : Instrument
    """
    excess = saturation + HALO_MARGIN_MAG - mag
    return np.minimum(instrument.fwhm_arcsec * 10.0 ** (0.2 * excess), HALO_MAX_ARCSEC)


@compiled(nogil=True)
def swallow(first, second, n):  # type: ignore[no-untyped-def]
    """Return for every star (0 is the brightest) the one that swallows it, or itself.

    Pairs, int64 (n_pair,), have the brighter star first and are sorted by it: when the pairs of a
    star come, it is known whether the star is a source.
    """
    parent = np.arange(n)
    for k in range(first.size):
        bright, faint = first[k], second[k]
        if parent[bright] == bright and parent[faint] == faint:
            parent[faint] = bright
    return parent
