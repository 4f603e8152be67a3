"""How nodes and places are laid out: in rows and bins, so that few of them need to be visited.

A star's Gaussian is an ellipse in W and c. Rows are intervals of W, bins intervals of c: in each
row one contiguous range of bins covers what is inside the ellipse. With a synthetic band
(such as Hw) a row is a colour J - H, which decides its extinction, and bins are intervals of its
absolute magnitude.

Every row is padded to whole blocks of sixteen (`gcmock.posterior.kernel.vector`), so that a range
may be widened to whole blocks without counting anything twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.compilation import compiled
from gcmock.posterior.kernel.vector import LANES, N_COORDINATE
from gcmock.stars.bands import SyntheticRelation
from gcmock.words.bands import (
    ALL_LINEAR,
    LINEAR_BANDS,
    N_LINEAR,
    band,
    by_colour,
    first_band,
    linear_part,
)

_J, _H, _KS = map(band, LINEAR_BANDS)

KEY_BANDS: dict[int, tuple[int, ...]] = {band.bit: (band.index,) for band in (_J, _H, _KS)} | {
    _J.bit | _H.bit: (_J.index, _H.index),
    _J.bit | _KS.bit: (_J.index, _KS.index),
    _H.bit | _KS.bit: (_H.index, _KS.index),
    ALL_LINEAR: (_J.index, _KS.index),
}
"""The band, or the two bands, that make W and c, for every set of J, H, Ks."""


class Rows(NamedTuple):
    """Places in blocks, by row and bin.

    Attributes
    ----------
    block : ndarray of float32, shape (n_block, 3 + n_weight, 16)
        Coordinates W, c, Q (by colour: absolute magnitude in the synthetic band, the same less that
        in the other band, J - H) [mag] and weights.
    first : ndarray of int32, shape (n_group, n_row, n_bin + 1)
        Place at which every bin begins; groups are populations, or one for all.
    row_min, row_step, row_extent : float
        Row i has places from ``row_min + i row_step`` up to `row_extent` more [mag].
    bin_min, bin_step : float
        The same for the bins [mag].
    q_mean, q_half : ndarray, shape (n_row + 16,)
        Where most of the places of a row are in Q (with Hw: where all are in Hw less the other
        band) [mag]; sixteen rows more may be read.
    c_top, c_bottom : ndarray, shape (n_row,)
        Largest bin edge in a row and all fainter ones; least in it and all brighter ones [mag].
    """

    block: NDArray[np.float32]
    first: NDArray[np.int32]
    row_min: float
    row_step: float
    row_extent: float
    bin_min: float
    bin_step: float
    q_mean: Floats
    q_half: Floats
    c_top: Floats
    c_bottom: Floats


class RowLayout(NamedTuple):
    """Rows and bins.

    Attributes
    ----------
    row_axis, bin_axis : int
        Coordinate (0: W, 1: c, 2: Q) along which rows and bins are counted.
    row_min, row_step, row_extent, bin_min, bin_step : float
        See `Rows` [mag].
    n_row, n_bin : int
        Their numbers.
    """

    row_axis: int
    bin_axis: int
    row_min: float
    row_step: float
    row_extent: float
    bin_min: float
    bin_step: float
    n_row: int
    n_bin: int


def coordinate_rows(mask: int, kappa: Floats) -> Floats:
    """Rows that turn (J, H, Ks) into (W, c, Q), shape (3, 3); zeros for what is not used.

    Parameters
    ----------
    mask : int
        Bands: one to three of J, H, Ks; all zeros for other masks.
    kappa : ndarray, shape (3,)
        Extinction law.
    """
    rows = np.zeros((3, 3))
    if mask not in KEY_BANDS:
        return rows
    key = KEY_BANDS[mask]
    if len(key) == 1:
        rows[0, key[0]] = 1.0
        return rows
    a, b = key
    rows[0, a] = -kappa[b] / (kappa[a] - kappa[b])
    rows[0, b] = kappa[a] / (kappa[a] - kappa[b])
    rows[1, a] = 1.0 / (kappa[a] - kappa[b])
    rows[1, b] = -rows[1, a]
    if mask == ALL_LINEAR:
        rows[2] = colour_of_all(kappa)
    return rows


def colour_of_all(kappa: Floats) -> Floats:
    """Row that turns (J, H, Ks) into Q: H minus what J and Ks predict, q·1 = 0 and q·κ = 0."""
    row = np.zeros(N_LINEAR)
    f = (kappa[_H.index] - kappa[_KS.index]) / (kappa[_J.index] - kappa[_KS.index])
    row[_J.index], row[_H.index], row[_KS.index] = -f, 1.0, f - 1.0
    return row


def coordinates(mask: int, mag: Floats, kappa: Floats, relation: SyntheticRelation) -> Floats:
    """Coordinates of nodes, shape (3, n_node); those that are not used are zero.

    Parameters
    ----------
    mask : int
        One to three of J, H, Ks; or the synthetic band, alone or with one of them.
    mag : ndarray, shape (3, n_node)
        M_J, M_H, M_Ks [mag].
    kappa : ndarray, shape (3,)
        Extinction law.
    relation : SyntheticRelation
        Relation of the synthetic band to J and H.
    """
    if not by_colour(mask):
        return coordinate_rows(mask, kappa) @ mag
    j, h = mag[_J.index], mag[_H.index]
    absolute = relation.mag(j, h)
    alone = linear_part(mask) == 0
    colour = np.zeros_like(absolute) if alone else absolute - mag[first_band(mask)]
    return np.stack([absolute, colour, j - h])


def arrange(
    place: Floats,
    weight: NDArray[np.float32],
    group: NDArray[np.int64],
    n_group: int,
    layout: RowLayout,
) -> tuple[Rows, NDArray[np.int64]]:
    """Put places in rows of blocks.

    Parameters
    ----------
    place : ndarray, shape (3, n_place)
        Coordinates [mag].
    weight : ndarray of float32, shape (n_weight, n_place)
    group : ndarray of int64, shape (n_place,)
        Populations, or zero for all.
    n_group : int
        Their number.
    layout : RowLayout

    Returns
    -------
    rows : Rows
    position : ndarray of int64, shape (n_place,)
        Where each place went: block and lane are its quotient and remainder by 16.
    """
    # The small shift keeps places of a lattice, which stand exactly on an edge, in their own row.
    row = np.floor((place[layout.row_axis] - layout.row_min) / layout.row_step + 1e-6)
    row = np.clip(row.astype(np.int64), 0, layout.n_row - 1)
    bin = np.floor((place[layout.bin_axis] - layout.bin_min) / layout.bin_step + 1e-6)
    bin = np.clip(bin.astype(np.int64), 0, layout.n_bin - 1)
    line = group * layout.n_row + row
    key = line * layout.n_bin + bin
    n_line = n_group * layout.n_row
    below = np.zeros(n_line * layout.n_bin + 1, np.int64)
    np.cumsum(np.bincount(key, minlength=below.size - 1), out=below[1:])
    before = below[:: layout.n_bin]
    begin = np.concatenate([[0], np.cumsum(-(-np.diff(before) // LANES) * LANES)])
    shift = begin[:-1] - before[:-1]
    edges = np.arange(layout.n_bin + 1) + layout.n_bin * np.arange(n_line)[:, None]
    first = below[edges] + shift[:, None]
    position = _places_in_order(key, below) + shift[line]
    flat = np.zeros((begin[-1], N_COORDINATE + len(weight)), np.float32)
    flat[position, :N_COORDINATE] = place.T
    flat[position, N_COORDINATE:] = weight.T
    block = flat.reshape(-1, LANES, flat.shape[1]).transpose(0, 2, 1)
    fraction = np.abs(weight).sum(axis=0).astype(np.float64) + 1e-30
    total = np.bincount(row, fraction, layout.n_row) + 1e-30
    third = place[3 - layout.row_axis - layout.bin_axis]
    q_mean = np.bincount(row, fraction * third, layout.n_row) / total
    away = third - q_mean[row]
    if layout.row_axis == 2:
        q_half = np.zeros(layout.n_row)
        np.maximum.at(q_half, row, np.abs(away))
    else:
        q_half = 2.0 * np.sqrt(np.bincount(row, fraction * away**2, layout.n_row) / total)
    return Rows(
        np.ascontiguousarray(block), first.reshape(n_group, layout.n_row, -1).astype(np.int32),
        layout.row_min, layout.row_step, layout.row_extent, layout.bin_min, layout.bin_step,
        np.pad(q_mean, (0, LANES)), np.pad(q_half, (0, LANES)), *_extremes(row, bin, layout),
    ), position  # fmt: skip


@compiled(nogil=True)
def _places_in_order(key, below):  # type: ignore[no-untyped-def]
    """Place of each in the order of small integers, with `below` of them before each value."""
    following = below.copy()
    out = np.empty(key.size, np.int64)
    for i in range(key.size):
        out[i] = following[key[i]]
        following[key[i]] += 1
    return out


def _extremes(
    row: NDArray[np.int64], bin: NDArray[np.int64], layout: RowLayout
) -> tuple[Floats, Floats]:
    """`Rows.c_top` and `Rows.c_bottom`."""
    top = np.full(layout.n_row, -np.inf)
    bottom = np.full(layout.n_row, np.inf)
    np.maximum.at(top, row, layout.bin_min + (bin + 1) * layout.bin_step)
    np.minimum.at(bottom, row, layout.bin_min + bin * layout.bin_step)
    return np.maximum.accumulate(top[::-1])[::-1].copy(), np.minimum.accumulate(bottom)


def no_rows() -> Rows:
    """Stand-in where there is nothing."""
    empty = np.empty(0)
    return Rows(
        np.empty((0, N_COORDINATE + 1, LANES), np.float32), np.zeros((1, 0, 1), np.int32),
        0.0, 1.0, 0.0, 0.0, 1.0, empty, empty, empty, empty,
    )  # fmt: skip
