"""Data minus mock: how the observed stars deviate from the drawn ones, measured again."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from gcmock.arrays import Floats
from gcmock.reporting.page.bins import merged
from gcmock.reporting.page.remeasured import Remeasured, deviation
from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, MAGNITUDE
from gcmock.reporting.plots.stars import Window, colour_window, diagram_axes, diagram_window
from gcmock.reporting.plots.style import BALANCE, GREY, INK, NOTHING, colour_bar
from gcmock.words.bands import BANDS, NEIGHBOUR_COLOURS, band_label, colour_label

DIAGRAM_BINS, COUNT_BINS = 2, 5
"""Bins of diagrams and of magnitudes that are joined before data and mock are compared."""

LARGEST: Final = 4.0
"""Deviations at the ends of the scale."""

LEAST_IN_BIN: Final = 20
"""Stars of a ratio that is shown, of data and mock together."""


def residual_colour_magnitude(
    axis: Axes, remeasured: Remeasured, diagram: int = 0, *, window: Window | None = None
) -> None:
    """Draw the deviation of the data from the mock in a colour-magnitude diagram.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    remeasured : Remeasured
    diagram : int
        Place in `gcmock.reporting.page.tally.DIAGRAMS`.
    window : tuple of 4 floats, optional
        Bluest, reddest, brightest and faintest that are shown [mag]; what holds the stars if not
        given.
    """
    data, mock = remeasured.diagrams[:, diagram]
    _deviation(axis, (COLOUR.edges, BRIGHTNESS.edges), data, mock)
    diagram_axes(axis, diagram, window or diagram_window(data + mock))


def residual_colour_colour(
    axis: Axes, remeasured: Remeasured, *, window: Window | None = None
) -> None:
    """Draw the deviation of the data from the mock in the diagram of J - H and H - Ks.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    remeasured : Remeasured
    window : tuple of 4 floats, optional
        Limits in H - Ks and J - H [mag].
    """
    data, mock = remeasured.colours
    _deviation(axis, (COLOUR.edges, COLOUR.edges), data, mock)
    labels = [f"{colour_label(*bands)} [mag]" for bands in NEIGHBOUR_COLOURS]
    axis.set(xlabel=labels[0], ylabel=labels[1])
    low_x, high_x, low_y, high_y = window or colour_window(data + mock)
    axis.set_xlim(low_x, high_x)
    axis.set_ylim(low_y, high_y)


def residual_counts(axis: Axes, remeasured: Remeasured, band: str = "ks") -> None:
    """Draw the number of observed stars over that of the mock, by magnitude.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    remeasured : Remeasured
    band : str
        One of `gcmock.words.bands.BANDS`.
    """
    centres, data, mock = counts_of(remeasured, band)
    ratio = data / np.maximum(mock, 1.0)
    # Errors of independent counts: those of the ratio are smaller, its stars are the same.
    error = ratio * np.sqrt(1.0 / np.maximum(data, 1.0) + 1.0 / np.maximum(mock, 1.0))
    axis.axhline(1.0, color=GREY, lw=0.8)
    axis.errorbar(centres, ratio, error, fmt="o", color=INK, ms=4, lw=1.0)
    axis.set(xlabel=f"{band_label(band)} [mag]", ylabel="data / mock")
    low, high = ratio.min(initial=1.0), ratio.max(initial=1.0)
    axis.set_ylim(min(0.5, low - 0.1), max(1.5, high + 0.1))


def counts_of(remeasured: Remeasured, band: str) -> tuple[Floats, Floats, Floats]:
    """Return centres of magnitude bins with enough stars, and the stars of data and mock there."""
    bins = MAGNITUDE.coarser(COUNT_BINS)
    both = remeasured.magnitudes[:, BANDS.index(band)]
    data, mock = both.reshape(2, bins.n, COUNT_BINS).sum(axis=2)
    shown = data + mock >= LEAST_IN_BIN
    return bins.centres[shown], data[shown], mock[shown]


def deviations_of(data: Floats, mock: Floats) -> Floats:
    """Return the deviation of the data from the mock in joined bins of a diagram."""
    return deviation(*(merged(side, DIAGRAM_BINS) for side in (data, mock)))


def _deviation(axis: Axes, edges: tuple[Floats, Floats], data: Floats, mock: Floats) -> None:
    axis.set_facecolor(NOTHING)
    image: Any = axis.pcolormesh(
        *(values[::DIAGRAM_BINS] for values in edges),
        deviations_of(data, mock).T,
        cmap=f"{BALANCE}_r",
        vmin=-LARGEST,
        vmax=LARGEST,
        rasterized=True,
    )
    colour_bar(axis, image, "(data - mock) / sqrt(N)")
