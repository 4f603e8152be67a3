"""Colours, magnitudes, distances and membership."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from gcmock.arrays import Floats
from gcmock.reporting.page.bins import Axis, occupied
from gcmock.reporting.page.observed import ObservedTally
from gcmock.reporting.page.tally import (
    BRIGHTNESS,
    COLOUR,
    DIAGRAMS,
    DISTANCE,
    GROUP_OF,
    MAGNITUDE,
    PROBABILITY_AXIS,
    WIDTH,
    Tally,
)
from gcmock.reporting.page.truth import TruthComparison
from gcmock.reporting.plots.catalogue import count_catalogue
from gcmock.reporting.plots.style import (
    DENSITY,
    GREY,
    INK,
    colour_bar,
    legend,
    steps,
)
from gcmock.reporting.plots.style import PROBABILITY as PROBABILITY_MAP
from gcmock.words.bands import BANDS, NEIGHBOUR_COLOURS, band_label, colour_label
from gcmock.words.components import COLOURS as COLOUR_OF
from gcmock.words.components import GROUP_TABLE

Window = tuple[float, float, float, float]


def colour_magnitude(
    axis: Axes,
    catalogue: Any,
    diagram: int = 0,
    *,
    window: Window | None = None,
    largest: float | None = None,
) -> None:
    """Draw the number of stars in a colour-magnitude diagram.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, ObservedTally, path or table
    diagram : int
        Place in `gcmock.reporting.page.tally.DIAGRAMS`.
    window : tuple of 4 floats, optional
        Bluest, reddest, brightest and faintest that are shown [mag]; what holds the stars if not
        given.
    largest : float, optional
        Stars per bin at the dark end of the scale.
    """
    values = _tally(catalogue).diagrams[diagram]
    image = _diagram(axis, values, diagram, window, largest)
    colour_bar(axis, image, "stars per bin")


def nuclear_colour_magnitude(
    axis: Axes, catalogue: Any, diagram: int = 0, *, window: Window | None = None
) -> None:
    """Draw the mean probability of the nuclear components in a colour-magnitude diagram.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    diagram : int
        Place in `gcmock.reporting.page.tally.DIAGRAMS`.
    window : tuple of 4 floats, optional
        As for `colour_magnitude`.
    """
    tally = count_catalogue(catalogue)
    stars = tally.diagrams[diagram]
    # Sums belong to the first realisation of every star, counts to all of them.
    mean = np.where(stars >= 1, tally.diagrams_nuclear[diagram] / np.maximum(stars, 1.0), np.nan)
    window = window or diagram_window(stars)
    image = axis.pcolormesh(
        COLOUR.edges,
        BRIGHTNESS.edges,
        np.clip(mean, 0.0, 1.0).T,
        cmap=PROBABILITY_MAP,
        vmin=0.0,
        vmax=1.0,
        rasterized=True,
    )
    diagram_axes(axis, diagram, window)
    colour_bar(axis, image, "mean P(nuclear disc or cluster)")


def colour_colour(
    axis: Axes, catalogue: Any, *, window: Window | None = None, largest: float | None = None
) -> None:
    """Draw the number of stars in the diagram of J - H and H - Ks.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, ObservedTally, path or table
    window : tuple of 4 floats, optional
        Limits in H - Ks and J - H [mag].
    largest : float, optional
        Stars per bin at the dark end of the scale.
    """
    values = _tally(catalogue).colours
    low_x, high_x, low_y, high_y = window or colour_window(values)
    image = axis.pcolormesh(
        COLOUR.edges,
        COLOUR.edges,
        np.where(values > 0, values, np.nan).T,
        cmap=DENSITY,
        norm=_norm(values, largest),
        rasterized=True,
    )
    labels = [f"{colour_label(*bands)} [mag]" for bands in NEIGHBOUR_COLOURS]
    axis.set(xlabel=labels[0], ylabel=labels[1])
    axis.set_xlim(low_x, high_x)
    axis.set_ylim(low_y, high_y)
    colour_bar(axis, image, "stars per bin")


def diagram_window(values: Floats) -> Window:
    """Limits that hold nearly all stars of a colour-magnitude diagram (n_colour, n_brightness)."""
    colour = _range(COLOUR, values.sum(axis=1), 0.002, 0.2)
    bright = _range(BRIGHTNESS, values.sum(axis=0), 5e-5, 0.2)
    return (*colour, *bright)


def colour_window(values: Floats) -> Window:
    """Limits that hold nearly all stars of the colour-colour diagram."""
    x, y = (_range(COLOUR, values.sum(axis=i), 0.002, 0.2) for i in (1, 0))
    return (*x, *y)


def _range(axis: Axis, values: Floats, tail: float, margin: float) -> tuple[float, float]:
    part = occupied(values, tail)
    return float(axis.edges[part.start] - margin), float(axis.edges[part.stop] + margin)


def _norm(values: Floats, largest: float | None) -> LogNorm:
    least = float(values[values > 0].min(initial=1.0))
    return LogNorm(max(least, 0.2), max(largest or float(values.max(initial=0.0)), 10.0))


def _diagram(
    axis: Axes, values: Floats, diagram: int, window: Window | None, largest: float | None
) -> Any:
    image = axis.pcolormesh(
        COLOUR.edges,
        BRIGHTNESS.edges,
        np.where(values > 0, values, np.nan).T,
        cmap=DENSITY,
        norm=_norm(values, largest),
        rasterized=True,
    )
    diagram_axes(axis, diagram, window or diagram_window(values))
    return image


def diagram_axes(axis: Axes, diagram: int, window: Window) -> None:
    """Label the axes of a colour-magnitude diagram, bright stars above."""
    blue, red, band = DIAGRAMS[diagram]
    axis.set(xlabel=f"{colour_label(blue, red)} [mag]", ylabel=f"{band_label(band)} [mag]")
    axis.set_xlim(window[0], window[1])
    axis.set_ylim(window[3], window[2])


def _tally(catalogue: Any) -> Tally | ObservedTally:
    if isinstance(catalogue, ObservedTally):
        return catalogue
    return count_catalogue(catalogue)


def distances(axis: Axes, catalogue: Any) -> None:
    """Draw the distances of the drawn stars of every group of components.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    """
    tally = count_catalogue(catalogue)
    factor = 8
    bins = DISTANCE.coarser(factor)
    for i, group in enumerate(GROUP_TABLE):
        values = tally.distances[i == GROUP_OF].sum(axis=0)
        per_kpc = values.reshape(bins.n, factor).sum(axis=1) / bins.step
        steps(axis, bins.edges, per_kpc, group.colour, group.label, dash=group.dash)
    total = tally.distances.sum(axis=0)
    axis.set_xlim(0.0, float(DISTANCE.edges[occupied(total, 1e-4).stop]))
    top = axis.get_ylim()[1]
    _log_counts(axis, max(1e-5 * top, 0.5), 12.0 * top)
    axis.set(xlabel="distance [kpc]", ylabel="stars per kpc")
    legend(axis, loc="upper left", ncols=2)


def _log_counts(axis: Axes, low: float, high: float) -> None:
    """Set a logarithmic axis of counts: of a decade at least, also where nothing is counted."""
    axis.set_yscale("log")
    axis.set_ylim(low, max(high, 10.0 * low))


def magnitude_counts(
    axis: Axes, catalogue: Any, band: str = "hw", observed: ObservedTally | None = None
) -> None:
    """Draw the counts of drawn magnitudes per group, and of the observed ones.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    band : str
        One of `gcmock.words.bands.BANDS`.
    observed : ObservedTally, optional
        The input, if it has the band.
    """
    tally = count_catalogue(catalogue)
    place = BANDS.index(band)
    values = tally.magnitudes[place] / MAGNITUDE.step
    steps(axis, MAGNITUDE.edges, values.sum(axis=0), INK, "all, drawn", fill=False)
    for i, group in enumerate(GROUP_TABLE):
        steps(axis, MAGNITUDE.edges, values[i], group.colour, group.label, dash=group.dash)
    if observed is not None and observed.bands[band]:
        counts = observed.magnitudes[place] / MAGNITUDE.step
        seen = counts > 0
        axis.plot(MAGNITUDE.centres[seen], counts[seen], ".", color=INK, ms=4, label="observed")
    part = occupied(values.sum(axis=0), 2e-5)
    axis.set_xlim(MAGNITUDE.edges[part.start] - 0.1, MAGNITUDE.edges[part.stop] + 0.1)
    least = 0.7 * max(1.0, 1.0 / MAGNITUDE.step)
    _log_counts(axis, least, 2.0 * float(values.sum(axis=0).max()))
    axis.set(xlabel=f"{band_label(band)} [mag]", ylabel="stars per mag")
    legend(axis, loc="upper left")


def fractions(axis: Axes, catalogue: Any) -> None:
    """Draw the fraction of every group with its uncertainty (2 sigma of the drawing).

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    """
    tally = count_catalogue(catalogue)
    for i, group in enumerate(GROUP_TABLE):
        fraction = tally.p_sum[i == GROUP_OF].sum() / tally.n_star
        error = np.sqrt(tally.p_variance[i == GROUP_OF].sum()) / tally.n_star
        axis.barh(i, fraction, 0.62, color=group.colour, alpha=0.85, xerr=2.0 * error)
        text = (
            f" {fraction:.1%} ± {error:.1%}" if error >= 5e-4 else f" {fraction:.2%} ± {error:.2%}"
        )
        axis.text(fraction + 2.0 * error, i, text, va="center", color=INK)
    axis.set_yticks(range(len(GROUP_TABLE)), [group.label for group in GROUP_TABLE])
    axis.invert_yaxis()
    axis.set_xlim(0.0, 1.28 * axis.get_xlim()[1])
    axis.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
    axis.set_xlabel("fraction of the stars")
    axis.tick_params(axis="y", length=0)


def membership(axis: Axes, catalogue: Any) -> None:
    """Draw how many stars have which probability of being nuclear.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    """
    values = count_catalogue(catalogue).nuclear.copy()
    values[-2] += values[-1]
    axis.stairs(values[:-1], PROBABILITY_AXIS.edges[:-1], color=COLOUR_OF["nsd"], fill=True)
    axis.set(xlabel="P(nuclear disc or cluster)", ylabel="stars")
    axis.set_xlim(0.0, 1.0)
    axis.set_ylim(0.0, None)


def distance_errors(axis: Axes, catalogue: Any) -> None:
    """Draw how well distances are known: half widths of the 68 % interval.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    catalogue : Tally, path or table
    """
    tally = count_catalogue(catalogue)
    for i, group in enumerate(GROUP_TABLE):
        label = f"mostly {group.label}"
        steps(axis, 10.0**WIDTH.edges, tally.widths[i], group.colour, label, dash=group.dash)
    part = occupied(tally.widths.sum(axis=0), 0.0005)
    axis.set_xscale("log")
    axis.set_xlim(*(float(10.0 ** WIDTH.edges[k]) for k in (part.start, part.stop)))
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axis.set_ylim(0.0, 1.25 * axis.get_ylim()[1])
    axis.set(xlabel="uncertainty of the distance [kpc]", ylabel="stars")
    legend(axis, loc="upper left")


def reliability(axis: Axes, comparison: TruthComparison) -> None:
    """Draw the true fraction of nuclear stars against the stated probability.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    comparison : TruthComparison
        See `gcmock.reporting.page.truth.compare_sample`.
    """
    c = comparison
    error = np.sqrt(np.maximum(c.mean_p * (1.0 - c.mean_p), 1e-4) / c.number)
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="ideal")
    axis.errorbar(
        c.mean_p,
        c.fraction,
        error,
        fmt="o",
        color=COLOUR_OF["nsd"],
        capsize=2,
        label="found",
    )
    axis.set(xlabel="stated P(nuclear disc or cluster)", ylabel="true fraction")
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)
    legend(axis, loc="upper left")
