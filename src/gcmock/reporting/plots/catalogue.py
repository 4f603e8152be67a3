"""What a plot is drawn from: counts of a catalogue, or a table that is counted first."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.errors import InputError
from gcmock.io.readers.source import TableSource
from gcmock.reporting.page.bins import Axis, merged
from gcmock.reporting.page.extent import ROWS_AT_ONCE, look
from gcmock.reporting.page.observed import ObservedTally
from gcmock.reporting.page.tally import TALLY_COLUMNS, Tally

_FACTORS: Final = (1, 2, 3, 4, 6, 12)

_BORDER: Final = 0.02
"""Rows of cells at the border with so small a fraction of the usual number of stars are cut off."""


def count_catalogue(catalogue: Any) -> Tally:
    """Count a mock catalogue for the plots.

    Parameters
    ----------
    catalogue : Tally, path, astropy Table, pandas DataFrame or pyarrow Table
        A mock catalogue, on disk or in memory. Counts are returned as they are.

    Returns
    -------
    Tally

    Raises
    ------
    InputError
        If it is no mock catalogue.
    """
    if isinstance(catalogue, Tally):
        return catalogue
    source = source_of(catalogue)
    tally = Tally(look(source))
    check_columns(source)
    for chunk in source.chunks(ROWS_AT_ONCE, TALLY_COLUMNS):
        tally.add(chunk)
    return tally


def source_of(catalogue: Any) -> TableSource:
    """Return a table on disk or in memory as something that can be read in chunks."""
    from gcmock.io.readers.opening import open_table
    from gcmock.io.tables import in_memory

    if isinstance(catalogue, str) or hasattr(catalogue, "__fspath__"):
        return open_table(catalogue)
    return in_memory(catalogue)


def check_columns(source: TableSource) -> None:
    """Raise an InputError if a table lacks columns of a mock catalogue."""
    if missing := [name for name in TALLY_COLUMNS if name not in source.columns]:
        raise InputError(
            f"{source.path}: no mock catalogue: it lacks {', '.join(missing)}; give what gcmock "
            "build "
            "made, with all its columns"
        )


def map_factor(stars: Floats, wanted: float) -> int:
    """Return how many cells to join along a side for so many stars in a cell (median)."""
    for factor in _FACTORS:
        cells = merged(stars, factor)
        filled = cells[cells > 0]
        if filled.size and np.median(filled) >= wanted:
            return factor
    return _FACTORS[-1]


def sky_map(
    catalogue: Tally | ObservedTally, name: str, wanted: float
) -> tuple[tuple[Axis, Axis], Floats, Floats]:
    """Sum per cell of the sky, and number of stars, in cells with enough stars.

    Parameters
    ----------
    catalogue : Tally or ObservedTally
    name : str
        One of `gcmock.reporting.page.tally.SKY`.
    wanted : float
        Stars per cell (median).

    Returns
    -------
    axes : tuple of Axis
    total, stars : ndarray, shape (n_l, n_b)
    """
    sums = catalogue.sky if isinstance(catalogue, Tally) else {"stars": catalogue.sky}
    stars, total = sums["stars"], sums[name]
    factor = map_factor(stars, wanted)
    l_axis, b_axis = (axis.coarser(factor) for axis in catalogue.extent.sky)
    return (l_axis, b_axis), merged(total, factor), merged(stars, factor)


def crop(stars: Floats) -> tuple[slice, slice]:
    """Rectangle of the cells (n_x, n_y) with stars, without borders that hold hardly any."""
    found = []
    for along in (1, 0):
        sums = stars.sum(axis=along)
        index = np.flatnonzero(sums > _BORDER * (np.median(sums[sums > 0]) if sums.any() else 0.0))
        found.append(slice(int(index[0]), int(index[-1]) + 1) if index.size else slice(0, 1))
    return found[0], found[1]
