"""HEALPix pixels (nested) of positions, and in whose margin a position lies."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats

_DIRECTIONS: Final = np.radians(np.arange(8) * 45.0)
# A point in the margin of a pixel reaches into it on at least one of eight paths of this length.
_REACH: Final = 1.5


def pixel_of(ra: Floats, dec: Floats, order: int) -> NDArray[np.int64]:
    """Return the nested HEALPix pixel of ICRS positions [deg], shape (n,)."""
    # Imported here: slow to import.
    from astropy import units as u
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix import nested

    if not len(ra):
        return np.empty(0, np.int64)
    pixels = nested.lonlat_to_healpix(
        Longitude(ra, u.deg), Latitude(dec, u.deg), order, num_threads=1
    )
    return np.asarray(pixels).astype(np.int64)


def centre_of(pixel: NDArray[np.int64], order: int) -> tuple[Floats, Floats]:
    """Return the centres (ra, dec) of pixels [deg]."""
    from cdshealpix import nested

    lon, lat = nested.healpix_to_lonlat(pixel.astype(np.uint64), order, num_threads=1)
    return np.asarray(lon.deg), np.asarray(lat.deg)


def interpolation(ra: Floats, dec: Floats, order: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the four pixels around positions and their weights, each (n, 4)."""
    from astropy import units as u
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix import nested

    if not len(ra):
        return np.empty((0, 4), np.int64), np.empty((0, 4))
    pixels, weights = nested.bilinear_interpolation(
        Longitude(ra, u.deg), Latitude(dec, u.deg), order, num_threads=1
    )
    return np.asarray(pixels).astype(np.int64), np.asarray(weights, dtype=np.float64)


def pixel_area_arcsec2(order: int) -> float:
    """Area of a pixel [arcsec²]."""
    return float(4.0 * np.pi * (180.0 * 3600.0 / np.pi) ** 2 / (12 * 4**order))


def memberships(
    ra: Floats, dec: Floats, order: int, margin_arcsec: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the pixels in which, or within whose margin, positions lie.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        [deg].
    order : int
    margin_arcsec : float
        Every position within this distance of a pixel is listed for it, and some that are up to
        one and a half times as far.

    Returns
    -------
    row : ndarray of int64, shape (n_membership,)
        Index of the position.
    pixel : ndarray of int64, shape (n_membership,)
    core : ndarray of bool, shape (n_membership,)
        Whether the position lies inside the pixel.
    """
    own = pixel_of(ra, dec, order)
    rows: list[NDArray[Any]] = [np.arange(len(ra))]
    pixels: list[NDArray[Any]] = [own]
    reach = _REACH * margin_arcsec / 3600.0
    found: list[NDArray[np.int64]] = [own]
    for angle in _DIRECTIONS:
        away_dec = np.clip(dec + reach * np.sin(angle), -90.0, 90.0)
        away_ra = ra + reach * np.cos(angle) / np.cos(np.radians(dec))
        other = pixel_of(away_ra % 360.0, away_dec, order)
        # Few positions are near a border, and then mostly near one.
        fresh = np.logical_and.reduce([other != before for before in found])
        rows.append(np.flatnonzero(fresh))
        pixels.append(other[fresh])
        found.append(other)
    row, pixel = np.concatenate(rows), np.concatenate(pixels)
    return row, pixel, pixel == own[row]
