"""Figures and files of a comparison of a solution with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gcmock.astrometry.comparison.compare import Comparison, dumps
from gcmock.astrometry.comparison.tables import (
    BY_MAGNITUDE_COLUMNS,
    GOALS,
    MAP_COLUMNS,
    SEPARATION_COLUMNS,
)
from gcmock.astrometry.observations.folder import PARAMETERS
from gcmock.io.disk import whole_folder, write_text
from gcmock.io.writers.writer import open_writer
from gcmock.reporting.figure_file import save_figure
from gcmock.words.columns import SOURCE_ID, Column
from gcmock.words.components import NAME_DTYPE

COMPARISON: Final = "comparison.json"

_UNITS: Final = dict(zip(PARAMETERS, ("mas",) * 3 + ("mas/yr",) * 2, strict=True))

ERROR_COLUMNS: Final = (
    SOURCE_ID,
    Column("component", NAME_DTYPE, "", "meta.code.class", "Galactic component of the true star"),
    Column("phot_hw_mag", "float64", "mag", "phot.mag;em.IR", "True Hw magnitude (Vega)"),
    Column("primary", "bool", "", "meta.code", "Solved together with the instrument"),
    *(
        column
        for name, unit in _UNITS.items()
        for column in (
            Column(f"{name}_difference", "float64", unit, "arith.diff", "Solution minus truth"),
            Column(
                f"{name}_residual", "float64", unit, "arith.diff", "The same without common modes"
            ),
            Column(f"{name}_error", "float64", unit, "stat.error", "Formal error"),
        )
    ),
)
"""Errors of every star."""


def write(comparison: Comparison, output: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write tables, numbers and figures into a new folder.

    Parameters
    ----------
    comparison : Comparison
    output : Path
    overwrite : bool
        Replace an existing comparison.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    InputError
        If the folder exists or cannot be written.
    """
    e = comparison.errors
    table: dict[str, Any] = {
        "source_id": e.source_id,
        "component": e.component,
        "phot_hw_mag": e.hw,
        "primary": e.primary,
    }
    for k, name in enumerate(PARAMETERS):
        table[f"{name}_difference"] = e.error[:, k]
        table[f"{name}_residual"] = e.without_modes[:, k]
        table[f"{name}_error"] = e.sigma[:, k]
    tables = {
        "errors": (ERROR_COLUMNS, table),
        "by_magnitude": (BY_MAGNITUDE_COLUMNS, comparison.tables["by_magnitude"]),
        "map": (MAP_COLUMNS, comparison.tables["map"]),
    }
    if "separation" in comparison.tables:
        tables["separation"] = (SEPARATION_COLUMNS, comparison.tables["separation"])
    with whole_folder(output, overwrite=overwrite) as folder:
        for stem, (columns, values) in tables.items():
            with open_writer(folder / f"{stem}.parquet", columns, {"content": stem}) as writer:
                writer.write(values)
        draw_comparison(comparison, folder)
        write_text(folder / COMPARISON, dumps(comparison))
        names = sorted(path.name for path in folder.iterdir())
    return tuple(output / name for name in names)


def draw_comparison(comparison: Comparison, folder: Path) -> None:
    """Write ``comparison.png`` and ``comparison.pdf``."""
    figure = Figure(figsize=(12.0, 8.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    parallax_by_magnitude(axes[0, 0], comparison)
    pulls(axes[0, 1], comparison)
    error_map(figure, axes[1, 0], comparison)
    recognised(axes[1, 1], comparison)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    for suffix in ("png", "pdf"):
        save_figure(figure, folder / f"comparison.{suffix}", dpi=120)


def parallax_by_magnitude(axis: Axes, comparison: Comparison) -> None:
    """Parallax error (inner 68 %) against Hw, formal and real, with the goal of the mission."""
    table = comparison.tables["by_magnitude"]
    hw = table["phot_hw_mag"]
    axis.semilogy(
        hw, 1e3 * table["parallax_formal"], "-", color="#4477AA", label="from the formal errors"
    )
    axis.semilogy(
        hw, 1e3 * table["parallax_robust"], "o", color="#EE6677", label="solution - truth"
    )
    faint, goal = GOALS["parallax"]
    axis.plot([hw.min(), faint], [1e3 * goal] * 2, "k--", lw=1, label="goal of the whole mission")
    axis.set(xlabel="Hw [mag]", ylabel="parallax error [µas]", title="Parallax")
    axis.legend(frameon=False)


def pulls(axis: Axes, comparison: Comparison) -> None:
    """Error over formal error of the five parameters, common modes removed."""
    e = comparison.errors
    x = np.linspace(-5.0, 5.0, 51)
    axis.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi), "k-", lw=1, label="normal")
    for k, name in enumerate(PARAMETERS):
        density, edges = np.histogram(
            e.without_modes[:, k] / e.sigma[:, k], np.linspace(-5.0, 5.0, 41), density=True
        )
        axis.step(edges[:-1], density, where="post", lw=1, label=name)
    axis.set(xlabel="(solution - truth) / error", ylabel="density", title="Pulls, modes removed")
    axis.legend(frameon=False)


def error_map(figure: Figure, axis: Axes, comparison: Comparison, name: str = "parallax") -> None:
    """Mean error in cells of the sky, in units of its formal error."""
    table = comparison.tables["map"]
    significance = table[f"{name}_residual"] / table[f"{name}_residual_error"]
    points = axis.scatter(
        table["east"],
        table["north"],
        c=significance,
        s=40,
        marker="s",
        cmap="RdBu",
        vmin=-4,
        vmax=4,
    )
    figure.colorbar(points, ax=axis, label=f"mean {name} residual / its error")
    axis.set(
        xlabel="east [deg]", ylabel="north [deg]", aspect="equal", title="Residuals on the sky"
    )
    axis.invert_xaxis()


def recognised(axis: Axes, comparison: Comparison) -> None:
    """Fraction of nuclear-disc stars that the astrometry recognises."""
    axis.set(title="Nuclear stellar disc recognised", ylim=(0, 1))
    table = comparison.tables.get("separation")
    if table is None:
        axis.text(0.5, 0.5, "too few stars of the nuclear disc", ha="center")
        return
    x = np.arange(len(table["measure"]))
    axis.bar(x - 0.2, table["found_50"], 0.4, color="#EE6677", label="found (P > 0.5)")
    axis.bar(x + 0.2, table["purity_50"], 0.4, color="#4477AA", label="purity (P > 0.5)")
    labels = [
        f"{measure}\nHw < {hw:.1f}"
        for measure, hw in zip(table["measure"], table["hw_max"], strict=True)
    ]
    axis.set_xticks(x, labels, rotation=30, ha="right", fontsize=7)
    axis.legend(frameon=False)
