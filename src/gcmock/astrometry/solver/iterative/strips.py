"""Observations in memory as strips: the stars of a tile in a visit, side by side.

Stars are put into tiles of sixteen neighbours, tiles into patches of eight. A strip is a tile in a
visit that saw any of its stars; those that were not seen have no weight. Strips of a patch are
sorted by calibration block, visit and tile. A number of a star is thereby at a fixed place, and no
index of a star or visit is stored with an observation. Coordinates are kept as residuals at some
unknowns, integers of a step such as 0.0002 micro-arcsec: four bytes that keep what float32 loses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import tangent_offset
from gcmock.astrometry.solver.grouping import direction_centre
from gcmock.astrometry.solver.iterative.tables import PATCH, TILE
from gcmock.compilation import compiled

STEP_MAS: Final = 2.0**-24
"""Smallest step of the residuals [mas]; doubled until the largest of them has 31 bits."""

SLOTS: Final = TILE * PATCH
"""Stars of a patch."""


class Arrays(NamedTuple):
    """Strips as kernels take them; see `Strips`."""

    first: NDArray[np.int64]
    visit: NDArray[np.int32]
    tile: NDArray[np.int32]
    residual: NDArray[np.int32]
    root_x: NDArray[np.float32]
    root_y: NDArray[np.float32]
    robust: NDArray[np.float32]
    step: float


@dataclass
class Strips:
    """Observations of some stars, in place.

    Attributes
    ----------
    order : ndarray of int64, shape (n_slot,)
        Star of each slot, sixteen slots a tile; -1 where there is none.
    first : ndarray of int64, shape (n_patch + 1,)
        Strips ``first[k]:first[k + 1]`` are those of patch k.
    visit, tile : ndarray of int32, shape (n_strip,)
    residual : ndarray of int32, shape (n_strip, 32)
        x, then y of the stars, in units of `step`.
    root_x, root_y : ndarray of float32, shape (n_strip, 16)
        Square roots of the weights [1/mas]; zero for stars that were not seen. One array if they
        are equal.
    robust : ndarray of float32, shape (n_strip, 16) or (0, 16)
        Factors on the weights, if there are any.
    step : float
        [mas].
    """

    order: Integers
    first: NDArray[np.int64]
    visit: NDArray[np.int32]
    tile: NDArray[np.int32]
    residual: NDArray[np.int32]
    root_x: NDArray[np.float32]
    root_y: NDArray[np.float32]
    robust: NDArray[np.float32]
    step: float

    @property
    def n_patch(self) -> int:
        """Number of patches."""
        return len(self.first) - 1

    def arrays(self) -> Arrays:
        """Return what kernels take; they write into residuals and robust factors."""
        return Arrays(
            self.first,
            self.visit,
            self.tile,
            self.residual,
            self.root_x,
            self.root_y,
            self.robust,
            self.step,
        )

    def part(self, start: int, stop: int) -> Strips:
        """Return some patches; the large arrays are the same memory."""
        rows = slice(self.first[start], self.first[stop])
        return replace(
            self,
            order=self.order[SLOTS * start : SLOTS * stop],
            first=self.first[start : stop + 1] - self.first[start],
            visit=self.visit[rows],
            tile=self.tile[rows] - np.int32(PATCH * start),
            residual=self.residual[rows],
            root_x=self.root_x[rows],
            root_y=self.root_y[rows],
            robust=self.robust[rows] if len(self.robust) else self.robust,
        )

    def with_robust_factors(self) -> Strips:
        """Return the same strips with a place for robust factors, all one."""
        return replace(self, robust=np.ones((len(self.visit), TILE), np.float32))

    def visits_per_star(self) -> Integers:
        """Observations of every slot, shape (n_slot,)."""
        counts = np.zeros(len(self.order), dtype=np.int64)
        _count(self.tile, self.root_x, counts)
        return counts

    def stars_per_visit(self, n_visit: int, without: NDArray[np.bool_] | None = None) -> Integers:
        """Stars of every visit, shape (n_visit,); those of the slots `without` do not count."""
        counts = np.zeros(n_visit, dtype=np.int64)
        out = np.zeros(len(self.order), np.bool_) if without is None else without
        _count_visits(self.visit, self.tile, self.root_x, out, counts)
        return counts

    def leave_out(self, slots: NDArray[np.bool_], visits: NDArray[np.bool_]) -> None:
        """Take the weight from all observations of some slots and of some visits."""
        _leave_out(self.visit, self.tile, self.root_x, self.root_y, slots, visits)

    def renumbered(self, number: Integers) -> Strips:
        """Return the strips with new numbers of the visits, all of them valid."""
        return replace(self, visit=number[self.visit].astype(np.int32))


class Layout(NamedTuple):
    """Where observations go.

    Attributes
    ----------
    seen : ndarray of uint8, shape (n_patch, n_visit)
        A bit for every tile of the patch that the visit saw.
    start : ndarray of int64, shape (n_patch, n_visit)
        First strip of a patch in a visit.
    """

    seen: NDArray[np.uint8]
    start: NDArray[np.int64]


def tile_order(ra: Floats, dec: Floats) -> Integers:
    """Put stars into tiles of neighbours, tiles into patches.

    The sky is halved along its longer side again and again, so that all tiles but one are full.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        [deg].

    Returns
    -------
    ndarray of int64, shape (n_slot,)
        Star of each slot, -1 for those that stay empty; whole patches.
    """
    n = len(ra)
    n_slot = -(-n // SLOTS) * SLOTS
    if not n:
        return np.zeros(0, dtype=np.int64)
    xi, eta = tangent_offset(ra, dec, *direction_centre(ra, dec))
    todo, order = [np.arange(n)], []
    while todo:
        members = todo.pop()
        if len(members) <= TILE:
            order.append(members)
            continue
        size = SLOTS if len(members) > SLOTS else TILE
        side = max((xi, eta), key=lambda c: np.ptp(c[members]))
        sorted_members = members[np.argsort(side[members], kind="stable")]
        half = -(-len(members) // (2 * size)) * size
        half = half if half < len(members) else half - size
        todo += [sorted_members[half:], sorted_members[:half]]
    out = np.full(n_slot, -1, dtype=np.int64)
    out[:n] = np.concatenate(order)
    return out


def layout(seen: NDArray[np.uint8], rank: Integers) -> tuple[Layout, Strips]:
    """Find the place of every strip and make room for them.

    Parameters
    ----------
    seen : ndarray of uint8, shape (n_patch, n_visit)
        See `Layout`.
    rank : ndarray of int64, shape (n_visit,)
        Visits in the order in which they follow each other within a patch.

    Returns
    -------
    Layout
    Strips
        Without observations, and without `order`.
    """
    bits = np.array([bin(k).count("1") for k in range(256)], dtype=np.uint8)
    start = np.zeros(seen.shape, dtype=np.int64)
    n = np.zeros(len(seen) + 1, dtype=np.int64)
    for k, row in enumerate(seen):
        number = bits[row[rank]].astype(np.int64)
        n[k + 1] = n[k] + number.sum()
        start[k, rank] = n[k] + np.cumsum(number) - number
    n_strip = int(n[-1])
    visit, tile = np.zeros(n_strip, np.int32), np.zeros(n_strip, np.int32)
    _name_strips(seen, start, visit, tile)
    root = np.zeros((n_strip, TILE), np.float32)
    empty = np.zeros((0, TILE), np.float32)
    residual = np.zeros((n_strip, 2 * TILE), np.int32)
    strips = Strips(np.zeros(0, np.int64), n, visit, tile, residual, root, root, empty, STEP_MAS)
    return Layout(seen, start), strips


@compiled(nogil=True)
def _name_strips(seen, start, visit, tile):  # pragma: no cover
    for k in range(seen.shape[0]):
        for j in range(seen.shape[1]):
            at = start[k, j]
            for i in range(PATCH):
                if seen[k, j] & (1 << i):
                    visit[at], tile[at] = j, PATCH * k + i
                    at += 1


@compiled(nogil=True)
def mark_seen(slot, visit, seen):  # pragma: no cover
    """Set the bits of `Layout.seen` for observations; slots below zero are left out."""
    for o in range(len(slot)):
        if slot[o] >= 0:
            tile = slot[o] // TILE
            seen[tile // PATCH, visit[o]] |= np.uint8(1 << (tile % PATCH))


@compiled(nogil=True)
def place(slot, visit, value, root, where, out):  # pragma: no cover
    """Put observations into strips.

    Parameters
    ----------
    slot, visit : ndarray of int
        Of each observation; slots below zero are left out.
    value : ndarray of int32, shape (n, 2)
        Residuals in steps.
    root : ndarray of float32, shape (n, 2)
    where : Layout
    out : Arrays

    Returns
    -------
    int
        An observation that was there already, or -1.
    """
    twice = -1
    for o in range(len(slot)):
        if slot[o] < 0:
            continue
        tile, m = slot[o] // TILE, slot[o] % TILE
        k, i = tile // PATCH, tile % PATCH
        at = where.start[k, visit[o]]
        bits = where.seen[k, visit[o]]
        for h in range(i):
            at += (bits >> h) & 1
        if out.root_x[at, m] > 0.0:
            twice = o
        out.residual[at, m] = value[o, 0]
        out.residual[at, 16 + m] = value[o, 1]
        out.root_x[at, m] = root[o, 0]
        out.root_y[at, m] = root[o, 1]
    return twice


@compiled(nogil=True)
def _count(tile, root, counts):  # pragma: no cover
    for r in range(len(tile)):
        for m in range(16):
            if root[r, m] > 0.0:
                counts[16 * tile[r] + m] += 1


@compiled(nogil=True)
def _count_visits(visit, tile, root, without, counts):  # pragma: no cover
    for r in range(len(visit)):
        for m in range(16):
            if root[r, m] > 0.0 and not without[16 * tile[r] + m]:
                counts[visit[r]] += 1


@compiled(nogil=True)
def _leave_out(visit, tile, root_x, root_y, slots, visits):  # pragma: no cover
    for r in range(len(visit)):
        for m in range(16):
            if visits[visit[r]] or slots[16 * tile[r] + m]:
                root_x[r, m] = 0.0
                root_y[r, m] = 0.0
