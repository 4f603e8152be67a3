"""The observed stars of which a catalogue was made, counted like the catalogue itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gcmock.arrays import Columns
from gcmock.dust.profile import signed_longitude
from gcmock.io.columns import keep_identifiers, match_table
from gcmock.io.observed import ObservedCatalogue, ObservedStars
from gcmock.io.readers.source import TableSource
from gcmock.progress import Progress
from gcmock.reporting.page.bins import count, flat_place
from gcmock.reporting.page.extent import ROWS_AT_ONCE, Extent
from gcmock.reporting.page.tally import (
    BRIGHTNESS,
    COLOUR,
    DIAGRAMS,
    MAGNITUDE,
    colour_place,
    diagram_place,
)
from gcmock.settings.build import Config
from gcmock.words.bands import BANDS, magnitude_name


@dataclass
class ObservedTally:
    """Counts of observed stars, on the bins of `Tally`.

    Attributes
    ----------
    extent : Extent
        Of the catalogue.
    n_star : int
    sky : ndarray, shape (n_l, n_b)
    magnitudes : ndarray, shape (n_band, n_magnitude)
    diagrams : ndarray, shape (n_diagram, n_colour, n_brightness)
    colours : ndarray, shape (n_colour, n_colour)
    bands : Counter of str
        Stars by band.
    """

    extent: Extent
    n_star: int = 0
    bands: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Start from zero."""
        self.sky = np.zeros(tuple(axis.n for axis in self.extent.sky))
        self.magnitudes = np.zeros((len(BANDS), MAGNITUDE.n))
        self.diagrams = np.zeros((len(DIAGRAMS), COLOUR.n, BRIGHTNESS.n))
        self.colours = np.zeros((COLOUR.n, COLOUR.n))

    def add(self, stars: ObservedStars) -> None:
        """Count stars."""
        self.n_star += stars.n_star
        l_axis, b_axis = self.extent.sky
        index = (l_axis.place(signed_longitude(stars.l)), b_axis.place(stars.b))
        self.sky += count(flat_place(self.extent.sky, index), self.sky.shape)
        chunk = {magnitude_name(band): stars.mag[:, i] for i, band in enumerate(BANDS)}
        for i, band in enumerate(BANDS):
            self.magnitudes[i] += count(MAGNITUDE.place(stars.mag[:, i]), (MAGNITUDE.n,))
            self.bands[band] += int(np.isfinite(stars.mag[:, i]).sum())
        for i, names in enumerate(DIAGRAMS):
            self.diagrams[i] += count(diagram_place(chunk, *names), self.diagrams.shape[1:])
        self.colours += count(colour_place(chunk), self.colours.shape)


class _Part:
    """Some rows of a table as a table of its own, so that nothing is kept of the others."""

    def __init__(self, source: TableSource, rows: Columns) -> None:
        self.path: Path = source.path
        self.columns = tuple(rows)
        self.units = source.units
        self.n_rows: int | None = len(next(iter(rows.values())))
        self._rows = rows

    def chunks(self, size: int, columns: Any = None) -> Iterator[Columns]:
        """See `gcmock.io.readers.source.TableSource`."""
        names = list(self.columns if columns is None else columns)
        for start in range(0, self.n_rows or 0, size):
            yield {name: self._rows[name][start : start + size] for name in names}


def observed_stars(
    source: TableSource, config: Config, progress: Progress | None = None
) -> Iterator[ObservedStars]:
    """Yield all stars of an input table, cleaned as `gcmock build` does, chunk by chunk.

    Parameters
    ----------
    source : TableSource
    config : Config
        Settings of the catalogue.
    progress : callable, optional
        Called with the numbers of rows done and in total.

    Raises
    ------
    InputError
        See `gcmock.io.observed.ObservedCatalogue`.
    """
    matches = match_table(source, config.columns)
    keep_identifiers(source, matches)
    names = [match.name for match in matches.values()]
    start = 0
    for rows in source.chunks(ROWS_AT_ONCE, names):
        catalogue = ObservedCatalogue(_Part(source, rows), config)
        for stars in catalogue.chunks(ROWS_AT_ONCE):
            numbered = stars._replace(row=stars.row + start)
            if "source_id" not in matches:
                numbered = numbered._replace(source_id=numbered.row)
            yield numbered
        start += len(rows[names[0]])
        if progress is not None:
            progress(start, source.n_rows or start)
