"""All rows of the input are counted, and looked at, before the first star is computed."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.errors import OutsideModelError
from gcmock.io.observed import ObservedStars
from gcmock.mock.infer import kept, outside_map_error
from gcmock.settings.build import InputConfig

OUTSIDE_MAP, NO_PHOTOMETRY = "outside the extinction map", "no magnitude"
"""Reasons for which a star is left out."""

BLOCK_ROWS: Final = 65_536
"""Rows of a block in which cells of the sky are counted."""

FEW_CELLS: Final = 1000
"""So few lines of sight are kept in memory whatever the order of the stars."""

VISITS: Final = 4
"""Rows jump over the sky if a cell occurs in more blocks than this, on average."""


class InputCensus:
    """Counts stars that will be left out, and the cells of the sky that the others visit.

    Parameters
    ----------
    extinction_map : ExtinctionMap
        The map that stars must lie on.
    choices : InputConfig
        Which stars are left out.

    Attributes
    ----------
    skipped : Counter of str
        Stars that will be left out, by reason.
    stars_of_cell : ndarray of int64, shape (n_cell,)
        Stars in every cell of the extinction map (flat index); those outside are not counted.
    visits : int
        Pairs of a block of rows and a cell that occurs in it.
    """

    def __init__(self, extinction_map: ExtinctionMap, choices: InputConfig) -> None:
        self.skipped: Counter[str] = Counter()
        self.stars_of_cell = np.zeros(extinction_map.mean.size, np.int64)
        self.visits = 0
        self._map, self._choices = extinction_map, choices
        self._waiting: list[NDArray[np.int64]] = []
        self._n_waiting = 0
        self._first: tuple[int, float, float] | None = None

    def visit(self, stars: ObservedStars) -> None:
        """Count some stars."""
        inside, keep = kept(stars, self._map, self._choices)
        outside = np.flatnonzero(~inside)
        if outside.size:
            self.skipped[OUTSIDE_MAP] += outside.size
            i = outside[0]
            here = (int(stars.row[i]), float(stars.l[i]), float(stars.b[i]))
            self._first = self._first or here
        if dark := int((inside & ~keep).sum()):
            self.skipped[NO_PHOTOMETRY] += dark
        self._waiting.append(self._map.cell_index(stars.l, stars.b))
        self._n_waiting += stars.n_star
        if self._n_waiting >= BLOCK_ROWS:
            self._count(self._n_waiting // BLOCK_ROWS * BLOCK_ROWS)

    def _count(self, n_rows: int) -> None:
        """Count the cells of the first rows that wait, in blocks that no chunk can shift."""
        waiting = np.concatenate(self._waiting)
        for start in range(0, n_rows, BLOCK_ROWS):
            cells = waiting[start : min(start + BLOCK_ROWS, n_rows)]
            found = np.bincount(cells[cells >= 0], minlength=self.stars_of_cell.size)
            self.stars_of_cell += found
            self.visits += int(np.count_nonzero(found))
        self._waiting = [waiting[n_rows:]]
        self._n_waiting -= n_rows

    def finish(self, path: object) -> None:
        """Count the last rows.

        Raises
        ------
        OutsideModelError
            If stars lie outside the extinction map and ``[input] outside_map`` is ``"error"``.
        """
        if self._n_waiting:
            self._count(self._n_waiting)
        if self._first is not None and self._choices.outside_map == "error":
            message = str(outside_map_error(self.skipped[OUTSIDE_MAP], *self._first))
            raise OutsideModelError(f"{path}: {message}")

    @property
    def jumps(self) -> bool:
        """Whether the rows jump over the sky: whether sorting them saves time."""
        n_cell = int(np.count_nonzero(self.stars_of_cell))
        return n_cell > FEW_CELLS and self.visits > VISITS * n_cell
