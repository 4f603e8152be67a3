"""A first look at a catalogue: where it lies, and how large the evidence usually is.

Reads few columns. The second look (`gcmock.reporting.page.tally`) needs the window for its maps,
and the usual evidence of stars of the same brightness to find those that the model does not
explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.dust.profile import signed_longitude
from gcmock.errors import InputError
from gcmock.io.readers.source import TableSource
from gcmock.progress import Progress
from gcmock.reporting.page.bins import Axis, count, flat_place

ROWS_AT_ONCE: Final = 200_000
"""Rows read at a time."""

EVIDENCE_AXES: Final = (Axis(0, 1, 6), Axis(0.0, 0.5, 60))
"""Number of bands and magnitude, for the usual evidence."""

MOST_CELLS: Final = 480
"""Largest number of cells of the map along a side."""

STEPS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.0125, 0.025, 0.05, 0.1)
"""Widths of the cells of maps [deg]: divisors or multiples of a cell of the extinction map."""

_COLUMNS: Final = ("l", "b", "realisation", "phot_ks_mag", "log_evidence", "n_bands")


@dataclass(frozen=True)
class Extent:
    """What the first look found.

    Attributes
    ----------
    sky : tuple of Axis
        Cells of the maps in longitude (-180 to 180) and latitude [deg].
    n_row : int
        Rows of the catalogue.
    n_realisation : int
        Drawn stars per observed star.
    usual_evidence : ndarray, shape (n_bands, n_magnitude)
        Mean log evidence on `EVIDENCE_AXES`; NaN where there is no star.
    """

    sky: tuple[Axis, Axis]
    n_row: int
    n_realisation: int
    usual_evidence: Floats


def evidence_place(n_bands: NDArray[np.int64], mag: Floats) -> NDArray[np.int64]:
    """Bin of `EVIDENCE_AXES` of stars (n_row,)."""
    bands, magnitudes = EVIDENCE_AXES
    return flat_place(EVIDENCE_AXES, (bands.place(n_bands), magnitudes.place(mag)))


def look(source: TableSource, progress: Progress | None = None) -> Extent:
    """Read the positions and the evidence of a whole catalogue.

    Parameters
    ----------
    source : TableSource
        A mock catalogue.
    progress : callable, optional
        Called with the numbers of rows done and in total.

    Raises
    ------
    InputError
        If the table is no mock catalogue.
    """
    missing = [name for name in _COLUMNS if name not in source.columns]
    if missing:
        raise InputError(
            f"{source.path}: no mock catalogue: it lacks {', '.join(missing)}; give a file or "
            "folder "
            "that gcmock build wrote"
        )
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    shape = tuple(axis.n for axis in EVIDENCE_AXES)
    total, stars = np.zeros(shape), np.zeros(shape)
    n_row, last = 0, 0
    for chunk in source.chunks(ROWS_AT_ONCE, _COLUMNS):
        n_row += len(chunk["l"])
        if not len(chunk["l"]):
            continue
        last = max(last, int(chunk["realisation"].max()))
        position = np.stack((signed_longitude(chunk["l"]), chunk["b"]))
        # Neither warns of a chunk without any position, as the other functions do.
        low = np.fmin(low, np.fmin.reduce(position, axis=1))
        high = np.fmax(high, np.fmax.reduce(position, axis=1))
        evidence = np.where(chunk["realisation"] == 0, chunk["log_evidence"], np.nan)
        where = evidence_place(chunk["n_bands"], chunk["phot_ks_mag"])
        finite = np.isfinite(evidence)
        total += count(where[finite], shape, evidence[finite])
        stars += count(where[finite], shape)
        if progress is not None:
            progress(n_row, source.n_rows or n_row)
    if not n_row or not np.isfinite(low).all():
        raise InputError(f"{source.path}: the table has no rows with a position")
    with np.errstate(invalid="ignore"):
        usual = total / np.where(stars > 0, stars, np.nan)
    return Extent(_sky(low, high), n_row, last + 1, usual)


def _sky(low: Floats, high: Floats) -> tuple[Axis, Axis]:
    """Cells that cover a window, on the raster of the extinction map."""
    width = float((high - low).max())
    step = next((s for s in STEPS if width / s <= MOST_CELLS), STEPS[-1])
    first = np.floor(low / step)
    n = (np.floor(high / step) - first + 1).astype(int)
    # A rest that blocks of cells leave out at the border would lose stars: up to whole blocks.
    n = -(-n // BLOCK) * BLOCK
    return Axis(first[0] * step, step, int(n[0])), Axis(first[1] * step, step, int(n[1]))


BLOCK: Final = 12
"""Maps have whole blocks of so many cells, which 2, 3, 4, 6 and 12 divide."""
