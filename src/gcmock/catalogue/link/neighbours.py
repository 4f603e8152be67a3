"""Pairs of sources that are close on the sky (compiled).

A pair is judged by the coordinates of its two members alone, so that it is the same pair whatever
else is in the arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gcmock.compilation import compiled
from gcmock.errors import InputError

ARCSEC_PER_DEG = 3600.0

_CROWD = 20_000
"""Sources in a square of the search radius: the densest lists have some hundreds."""


@compiled(nogil=True)
def separation(ra_1, dec_1, ra_2, dec_2):
    """Return the offsets (east, north) from source 1 to source 2 [arcsec], on a small field."""
    d_ra = ra_2 - ra_1
    if d_ra > 180.0:
        d_ra -= 360.0
    elif d_ra < -180.0:
        d_ra += 360.0
    east = d_ra * np.cos(np.deg2rad(0.5 * (dec_1 + dec_2))) * ARCSEC_PER_DEG
    return east, (dec_2 - dec_1) * ARCSEC_PER_DEG


@compiled(nogil=True)
def _lower_bound(values, target):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low


@compiled(nogil=True)
def _bins(ra, dec, ra_0, dec_0, width_ra, width_dec):
    """Column and row of the grid for every source; columns wrap at 180 degrees from `ra_0`."""
    column = np.empty(len(ra), np.int64)
    row = np.empty(len(ra), np.int64)
    for k in range(len(ra)):
        d_ra = (ra[k] - ra_0 + 540.0) % 360.0 - 180.0
        column[k] = np.int64(np.floor((d_ra + 180.0) / width_ra)) + 1
        row[k] = np.int64(np.floor((dec[k] - dec_0) / width_dec)) + 1
    return column, row


@compiled(nogil=True)
def _scan(column, row, stride, ra_1, dec_1, key, order, ra_2, dec_2, radius, start, found):
    """Count (if `found` is empty) or fill the neighbours of every source of the first list."""
    fill = len(found) > 0
    limit = radius * radius
    for i in range(len(ra_1)):
        n = start[i] if fill else 0
        for step in range(-1, 2):
            first = (row[i] + step) * stride + column[i] - 1
            k = _lower_bound(key, first)
            while k < len(key) and key[k] <= first + 2:
                j = order[k]
                east, north = separation(ra_1[i], dec_1[i], ra_2[j], dec_2[j])
                if east * east + north * north <= limit:
                    if fill:
                        found[n] = j
                    n += 1
                k += 1
        if fill:
            # The order inside a bin says nothing; neighbours come in the order of their list.
            found[start[i] : n].sort()
        else:
            start[i + 1] = n
    return start


def _check_crowd(
    key: NDArray[np.int64],
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    order: NDArray[np.int64],
    radius: float,
) -> None:
    """Refuse a list of which all pairs at one place would never be finished."""
    if len(key) <= _CROWD:
        return
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    number = np.diff(np.append(first, len(key)))
    most = int(np.argmax(number))
    if number[most] > _CROWD:
        i = order[first[most]]
        raise InputError(
            f"{number[most]:,} sources lie within {radius:g} arcsec of ra = {ra[i]:.6f}, dec = "
            f"{dec[i]:.6f}: no sky is so dense; are the positions right?"
        )


def pairs_within(
    ra_1: NDArray[np.float64],
    dec_1: NDArray[np.float64],
    ra_2: NDArray[np.float64],
    dec_2: NDArray[np.float64],
    radius: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find all pairs of a source of one list and a source of another within a radius.

    Parameters
    ----------
    ra_1, dec_1 : ndarray, shape (n_1,)
        Positions [deg].
    ra_2, dec_2 : ndarray, shape (n_2,)
        Positions [deg]; the same list gives every source itself as well.
    radius : float
        Largest separation [arcsec]; small, as offsets are those of a flat sky.

    Returns
    -------
    i, j : ndarray of int64, shape (n_pair,)
        Indices into the lists, sorted by i, then j.

    Raises
    ------
    InputError
        If so many sources lie at one place that they are none of a sky.
    """
    n_1 = len(ra_1)
    if n_1 == 0 or len(ra_2) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    dec_0 = float(min(dec_1.min(), dec_2.min()))
    furthest = max(abs(dec_0), abs(float(max(dec_1.max(), dec_2.max()))))
    width = 1.000001 * radius / ARCSEC_PER_DEG
    width_ra = width / max(np.cos(np.radians(min(furthest + width, 89.9))), 1e-3)
    stride = np.int64(np.ceil(360.0 / width_ra)) + 4
    ra_0 = float(ra_1[0])
    column_2, row_2 = _bins(ra_2, dec_2, ra_0, dec_0, width_ra, width)
    key = row_2 * stride + column_2
    order = np.argsort(key, kind="stable")
    key = key[order]
    _check_crowd(key, ra_2, dec_2, order, radius)
    column, row = _bins(ra_1, dec_1, ra_0, dec_0, width_ra, width)
    start = np.zeros(n_1 + 1, np.int64)
    nothing = np.empty(0, np.int64)
    _scan(column, row, stride, ra_1, dec_1, key, order, ra_2, dec_2, radius, start, nothing)
    counts = start[1:].copy()
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    found = np.empty(int(start[-1]), np.int64)
    if len(found):
        _scan(column, row, stride, ra_1, dec_1, key, order, ra_2, dec_2, radius, start, found)
    return np.repeat(np.arange(n_1), counts), found
