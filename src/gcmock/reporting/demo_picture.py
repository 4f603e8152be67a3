"""The picture of the demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gcmock.arrays import Table
from gcmock.reporting.figure_file import save_figure
from gcmock.validation.recovery import (
    NOMINAL,
    Recovery,
    nuclear_probability,
    reliability_bins,
)
from gcmock.words.bands import SURVEY_BANDS, magnitude_error_name, magnitude_name
from gcmock.words.components import COLOURS, GROUP_TABLE, GROUPS, LABELS, NUCLEAR, Group

GREY: Final = "#555555"


def draw_demo(path: Path, truth: Table, observed: Table, mock: Table, result: Recovery) -> None:
    """Write the picture.

    Parameters
    ----------
    path : Path
        PNG file.
    truth, observed, mock : mapping of str to ndarray, shape (n_star,)
        True stars, their survey and the catalogue, the same stars in the same order.
    result : Recovery
    """
    figure = Figure(figsize=(14.0, 7.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 4, width_ratios=(0.6, 1.0, 1.0, 1.0))
    _sky(figure, figure.add_subplot(grid[:, 0]), mock)
    axes = np.array([[figure.add_subplot(grid[i, j]) for j in (1, 2, 3)] for i in (0, 1)])
    _colours(axes[0, 0], mock)
    _distances(axes[0, 1], truth, mock)
    _motions(axes[0, 2], mock)
    _fractions(axes[1, 0], result)
    _calibration(axes[1, 1], truth, mock, result)
    _pulls(axes[1, 2], observed, mock)
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    n_star = len(truth["l"])
    figure.suptitle(
        f"gcmock demo: {n_star:,} simulated stars south of Sgr A*, and their mock catalogue",
        fontsize=13,
    )
    save_figure(figure, path)


def _drawn(mock: Table, group: str) -> np.ndarray:
    """Stars that were drawn in a group."""
    return np.isin(mock["component"], GROUPS[group])


def _most_first(mock: Table) -> list[Group]:
    """Sort the groups so that the points of the rare ones are drawn on top."""
    return sorted(GROUP_TABLE, key=lambda group: -int(_drawn(mock, group.name).sum()))


def _sky(figure: Figure, axis: Axes, mock: Table) -> None:
    p = nuclear_probability(mock)
    points = axis.scatter(
        mock["l"], mock["b"], c=p, s=5, cmap="plasma", vmin=0, vmax=1, linewidths=0
    )
    figure.colorbar(points, ax=axis, aspect=60, pad=0.08, label="P(nuclear disc or cluster)")
    axis.set(xlabel="l [deg]", ylabel="b [deg]", title="Observed stars", aspect="equal")
    axis.locator_params(axis="x", nbins=2)
    axis.invert_xaxis()


def _colours(axis: Axes, mock: Table) -> None:
    for group in _most_first(mock):
        rows = _drawn(mock, group.name)
        colour = mock["phot_h_mag"][rows] - mock["phot_ks_mag"][rows]
        axis.scatter(
            colour,
            mock["phot_ks_mag"][rows],
            s=5,
            color=group.colour,
            marker=group.marker,
            alpha=0.7,
            linewidths=0,
            label=group.label,
        )
    colour = mock["phot_h_mag"] - mock["phot_ks_mag"]
    low, high = np.quantile(colour, (0.002, 0.998))
    axis.set(xlabel="H - Ks [mag]", ylabel="Ks [mag]", title="Drawn magnitudes and components")
    axis.set_xlim(low - 0.2, high + 0.2)
    axis.invert_yaxis()
    axis.legend(frameon=False, markerscale=3, fontsize=8, loc="upper left")


def _distances(axis: Axes, truth: Table, mock: Table) -> None:
    bins = np.geomspace(2.0, 13.0, 56).tolist()
    for group in GROUPS:
        of_truth = np.isin(truth["component"], GROUPS[group])
        drawn = mock["distance_pc"][_drawn(mock, group)] / 1e3
        axis.hist(drawn, bins, color=COLOURS[group], alpha=0.45, label=LABELS[group])
        true = truth["distance_pc"][of_truth] / 1e3
        axis.hist(true, bins, histtype="step", color=COLOURS[group], linewidth=1.4)
    axis.set(xlabel="distance [kpc]", ylabel="stars", title="Drawn (filled) and true (lines)")
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = (2, 4, 6, 8, 12)
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.set_xticks([], minor=True)


def _motions(axis: Axes, mock: Table) -> None:
    for group in _most_first(mock):
        rows = _drawn(mock, group.name)
        axis.scatter(
            mock["pmra"][rows],
            mock["pmdec"][rows],
            s=5,
            color=group.colour,
            marker=group.marker,
            alpha=0.6,
            linewidths=0,
        )
    axis.set_xlim(*np.quantile(mock["pmra"], (0.003, 0.997)))
    axis.set_ylim(*np.quantile(mock["pmdec"], (0.003, 0.997)))
    axis.set_title("Drawn proper motions")
    axis.set(xlabel="pmra [mas/yr]", ylabel="pmdec [mas/yr]")


def _fractions(axis: Axes, result: Recovery) -> None:
    place = np.arange(len(GROUPS))
    colours = [COLOURS[group] for group in GROUPS]
    inferred = [result.inferred_fraction[group] for group in GROUPS]
    error = [2.0 * result.fraction_error[group] for group in GROUPS]
    axis.bar(place, inferred, 0.6, color=colours, alpha=0.6, yerr=error, ecolor=GREY, capsize=4)
    for x, group in zip(place, GROUPS, strict=True):
        axis.hlines(result.true_fraction[group], x - 0.38, x + 0.38, color="black", linewidth=1.6)
    axis.set_xticks(place, [LABELS[group].replace(" ", "\n") for group in GROUPS])
    axis.set(ylabel="fraction of stars", title="Inferred (bars, 2 sigma) and true (lines)")


def _calibration(axis: Axes, truth: Table, mock: Table, result: Recovery) -> None:
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
    p = nuclear_probability(mock)
    mean_p, fraction, count = reliability_bins(p, np.isin(truth["component"], NUCLEAR))
    error = np.sqrt(np.maximum(mean_p * (1.0 - mean_p), 1e-4) / count)
    axis.errorbar(
        mean_p,
        fraction,
        error,
        fmt="o",
        color=COLOURS["nsd"],
        capsize=2,
        label=f"P(nuclear): ECE {result.ece:.3f}, Brier {result.brier:.3f}",
    )
    axis.plot(
        NOMINAL,
        result.below_quantile,
        "s-",
        color=COLOURS["disc"],
        label=f"distance: 68 % interval covers {result.coverage:.1%}",
    )
    axis.set(xlabel="stated probability", ylabel="true fraction", title="Calibration")
    axis.legend(frameon=False, fontsize=8, loc="upper left")


def _pulls(axis: Axes, observed: Table, mock: Table) -> None:
    bins = np.linspace(-4.0, 4.0, 41)
    centre = 0.5 * (bins[1:] + bins[:-1])
    for band, style in zip(SURVEY_BANDS, ("-", "--", ":"), strict=True):
        name = magnitude_name(band)
        pull = (observed[name] - mock[name]) / observed[magnitude_error_name(band)]
        pull = pull[np.isfinite(pull)]
        density, _ = np.histogram(pull, bins, density=True)
        label = f"{band.capitalize()}: standard deviation {pull.std():.2f}"
        axis.step(centre, density, where="mid", color="black", linestyle=style, label=label)
    normal = np.exp(-0.5 * centre**2) / np.sqrt(2.0 * np.pi)
    axis.fill_between(centre, normal, color=COLOURS["disc"], alpha=0.3, label="normal")
    axis.set(xlabel="(observed - true) / error", ylabel="density", title="Magnitudes")
    axis.set_ylim(0.0, 0.56)
    axis.legend(frameon=False, fontsize=8, loc="upper left")
