"""Putting observations into strips: residuals at some unknowns, in place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.solver.iterative.strip import displaced, distorted, scratch
from gcmock.astrometry.solver.iterative.strips import (
    SLOTS,
    Layout,
    Strips,
    layout,
    mark_seen,
    place,
)
from gcmock.astrometry.solver.iterative.tables import TILE, Tables
from gcmock.compilation import compiled


class Packer:
    """Takes observations chunk by chunk, twice: to make room, and to put each at its place.

    Parameters
    ----------
    order : ndarray of int64, shape (n_slot,)
        Star of each slot, see `gcmock.astrometry.solver.iterative.strips.tile_order`.
    block : ndarray of int64, shape (n_visit,)
        Calibration block of each visit.
    """

    def __init__(self, order: Integers, block: Integers) -> None:
        self._order = order
        self._rank = np.argsort(block, kind="stable")
        self._seen = np.zeros((len(order) // SLOTS, len(block)), np.uint8)
        self._where: Layout | None = None
        self._strips: Strips | None = None

    def count(self, slot: Integers, visit: NDArray[np.int32]) -> None:
        """Take note of observations, slots below zero left out."""
        mark_seen(slot, visit, self._seen)

    def put(
        self,
        tables: Tables,
        slot: Integers,
        visit: NDArray[np.int32],
        measured: Floats,
        root: Floats,
    ) -> int:
        """Put observations at their places, after all have been counted.

        Parameters
        ----------
        tables : Tables
            At the unknowns to which the residuals refer.
        slot : ndarray of int64, shape (n,)
            Below zero for observations that are left out.
        visit : ndarray of int32, shape (n,)
        measured : ndarray, shape (n, 2)
            [mas].
        root : ndarray, shape (n, 2)
            Square roots of the weights [1/mas].

        Returns
        -------
        int
            An observation that was there already, or -1.
        """
        if self._strips is None:
            self._where, self._strips = layout(self._seen, self._rank)
            self._strips.order = self._order
        assert self._where is not None
        s = self._strips
        used = slot >= 0
        residual = np.zeros_like(measured)
        _subtract_model(tables, slot, visit, measured, residual)
        largest = float(np.abs(residual[used]).max(initial=0.0))
        double = 1.0
        while largest > 0.98 * 2.0**31 * s.step * double:
            double *= 2.0
        if double > 1.0:
            # Coarser steps for what is there and for what comes.
            _coarsen(s.residual, 1.0 / double)
            s.step *= double
        if s.root_y is s.root_x and (root[used, 0] != root[used, 1]).any():
            s.root_y = s.root_x.copy()
        value = np.rint(residual / s.step).astype(np.int32)
        small = root.astype(np.float32)
        return int(place(slot, visit, value, small, self._where, s.arrays()))

    def strips(self) -> Strips:
        """Return the strips with all observations."""
        if self._strips is None:
            _, found = layout(self._seen, self._rank)
            self._strips = replace(found, order=self._order)
        return self._strips


def by_slot(values: NDArray[Any], order: Integers) -> NDArray[Any]:
    """Numbers of stars by slot; slots without a star have those of a neighbour.

    Parameters
    ----------
    values : ndarray, shape (n_source, ...)
    order : ndarray of int64, shape (n_slot,)
    """
    stars = np.maximum.accumulate(np.where(order >= 0, np.arange(len(order)), 0))
    return values[np.maximum(order[stars], 0)]


@compiled(nogil=True, error_model="numpy")
def _subtract_model(t, slot, visit, measured, out):  # pragma: no cover
    """Fill what is measured minus what is expected [mas]; a tile at a time, so 16 stars for one."""
    s, b, d = scratch(t)
    for o in range(len(slot)):
        if slot[o] < 0:
            continue
        tile, m = slot[o] // TILE, slot[o] % TILE
        displaced(t, visit[o], tile, s)
        distorted(t, visit[o], s, b, d)
        out[o, 0] = measured[o, 0] - (s[m] / MAS + d[m])
        out[o, 1] = measured[o, 1] - (s[16 + m] / MAS + d[16 + m])


@compiled(nogil=True)
def _coarsen(residual, factor):  # pragma: no cover
    """Multiply residuals in place, rounded."""
    for r in range(residual.shape[0]):
        for m in range(residual.shape[1]):
            residual[r, m] = np.int32(np.rint(residual[r, m] * factor))
