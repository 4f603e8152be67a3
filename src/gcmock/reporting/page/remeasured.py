"""The drawn stars as the survey would have measured them, beside what it measured.

Every drawn star with an observation is measured again: its drawn magnitudes get fresh noise of its
own errors, with the factors that were learned and the error of the model, in the bands in which it
was observed. Where model and errors are right both distributions agree within less than chance,
because every drawn star knows its own measurement (a posterior predictive check: Gelman, Meng &
Stern 1996, Statistica Sinica 6, 733).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Columns, Floats
from gcmock.io.observed import ObservedStars
from gcmock.model import Model
from gcmock.random import star_key, uniform
from gcmock.reporting.page.bins import count
from gcmock.reporting.page.sample import RowSample
from gcmock.reporting.page.tally import (
    BRIGHTNESS,
    COLOUR,
    DIAGRAMS,
    MAGNITUDE,
    colour_place,
    diagram_place,
)
from gcmock.words.bands import BANDS, LINEAR_BANDS, magnitude_name

MOST_STARS: Final = 300_000
"""Stars that are measured again, at most, chosen by a hash of their identifiers."""

REMEASURED_COLUMNS: Final = ("source_id", *(magnitude_name(band) for band in BANDS))

_SEED, _STREAM = 20_262, -4


class Remeasured:
    """Counts of observed and of measured drawn stars, of the same stars in the same bands.

    Parameters
    ----------
    sample : RowSample
        Of the catalogue, with `REMEASURED_COLUMNS`.
    model : Model
        That of the catalogue.

    Attributes
    ----------
    n_star : int
        Stars that were found in the input.
    diagrams : ndarray, shape (2, n_diagram, n_colour, n_brightness)
        Stars, of the data and of the mock.
    colours : ndarray, shape (2, n_colour, n_colour)
    magnitudes : ndarray, shape (2, n_band, n_magnitude)
    """

    def __init__(self, sample: RowSample, model: Model) -> None:
        self._sample, self._model = sample, model
        self.n_star = 0
        self.diagrams = np.zeros((2, len(DIAGRAMS), COLOUR.n, BRIGHTNESS.n))
        self.colours = np.zeros((2, COLOUR.n, COLOUR.n))
        self.magnitudes = np.zeros((2, len(BANDS), MAGNITUDE.n))

    def add(self, stars: ObservedStars) -> None:
        """Count those of the stars that are in the sample."""
        place = self._sample.place(stars.source_id)
        found = np.flatnonzero(place >= 0)
        if not found.size:
            return
        self.n_star += found.size
        drawn = np.stack(
            [self._sample.rows[magnitude_name(band)][place[found]] for band in BANDS], axis=1
        ).astype(np.float64)
        given = stars.mag[found]
        again = drawn + self._noise(stars.source_id[found], stars.mag_error[found])
        both = np.isfinite(given) & np.isfinite(again)
        for side, mag in enumerate((given, again)):
            self._count(side, np.where(both, mag, np.nan))

    def _noise(self, source_id: Floats, mag_error: Floats) -> Floats:
        error = mag_error.copy()
        learned = self._model.learned
        if learned is not None:
            linear = error[:, : len(LINEAR_BANDS)]
            linear[:] = np.hypot(linear * learned.error_scale, learned.error_floor_mag)
        key = star_key(_SEED, source_id, _STREAM)
        chance = uniform(key, 0, len(BANDS))
        return np.asarray(np.sqrt(error**2 + self._model.posterior.model_variance) * ndtri(chance))

    def _count(self, side: int, mag: Floats) -> None:
        chunk: Columns = {magnitude_name(band): mag[:, i] for i, band in enumerate(BANDS)}
        for i, names in enumerate(DIAGRAMS):
            where = diagram_place(chunk, *names)
            self.diagrams[side, i] += count(where, self.diagrams.shape[2:])
        self.colours[side] += count(colour_place(chunk), self.colours.shape[1:])
        for i in range(len(BANDS)):
            self.magnitudes[side, i] += count(MAGNITUDE.place(mag[:, i]), (MAGNITUDE.n,))


def deviation(data: Floats, mock: Floats) -> Floats:
    """Return (data - mock) / sqrt(N) with N the mean of both; NaN where there is no star."""
    mean = 0.5 * (data + mock)
    return np.asarray(np.where(mean > 0.0, (data - mock) / np.sqrt(np.maximum(mean, 0.5)), np.nan))
