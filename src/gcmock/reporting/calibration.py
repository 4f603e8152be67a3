"""A calibration in the terminal and as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gcmock.calibration.calibrate import Calibration
from gcmock.calibration.calibration_file import law_table, map_table
from gcmock.calibration.curves import GROUPS
from gcmock.calibration.extinction import SOURCES
from gcmock.calibration.law import WAVELENGTH_UM
from gcmock.errors import InputError
from gcmock.io.disk import check_new_file
from gcmock.reporting.figure_file import save_figure
from gcmock.words.bands import LINEAR_BANDS
from gcmock.words.cases import CASES


def print_calibration(result: Calibration) -> None:
    """Print what was found, and what it rests on."""
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for name, n in result.stars.account.items():
        table.add_row("stars" if name == "calibrate" else "rows", f"{n:,}", name)
    n_unexplained = int((~result.explained).sum())
    table.add_row("stars", f"{n_unexplained:,}", "that no reddening explains, left out")
    low, high = result.stars.limits
    table.add_row("limits", "", f"{low:g} <= Ks < {high:g} mag")
    for i, name in enumerate(SOURCES):
        table.add_row("cells", f"{int((result.source == i).sum()):,}", f"calibrated by {name}")
    own = result.source == 0
    if own.any():
        factor, scatter = result.fit.factor[own], result.fit.scatter[own]
        error = float(np.median(result.fit.factor_error[own]))
        table.add_row(
            "factor", f"{factor.mean():.3f}",
            f"mean over cells, standard deviation {factor.std():.3f}, typical error {error:.3f}",
        )  # fmt: skip
        table.add_row("scatter", f"{np.median(scatter):.3f}", "median, in units of the map")
        ratio = comparison(result)
        table.add_row("E / Surot+2020", f"{ratio[0]:.3f}", f"standard deviation {ratio[1]:.3f}")
    console.print(table)
    console.print(_laws(result))
    console.print(_local(result), soft_wrap=True)
    console.print(_counts(result), soft_wrap=True)
    if result.weights.n_star:
        console.print(_fractions(result), soft_wrap=True)
    console.print(_measurements(result), soft_wrap=True)
    rate = result.stars.account["calibrate"] / max(result.seconds, 1e-9)
    console.print(f"{result.seconds:.1f} s, {rate:,.0f} stars/s")


def comparison(result: Calibration) -> tuple[float, float]:
    """Mean and standard deviation over cells of E(J-Ks) over that of Surot et al. 2020."""
    table = map_table(result)
    own = result.source == 0
    ratio = table["e_jks"][own] / table["e_jks_surot"][own]
    return float(ratio.mean()), float(ratio.std())


def _laws(result: Calibration) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for i, head in enumerate(("law", "stars", "A_J/E", "A_H/E", "A_Ks/E", "slope", "offset in H")):
        table.add_column(
            head, style="bold" if i == 0 else "", justify="left" if i == 0 else "right"
        )
    rows = law_table(result.law, result.law_fits)
    for i, region in enumerate(rows["region"]):
        fitted = rows["n_star"][i] > 0

        def value(name: str, i: int = i, fitted: bool = fitted) -> str:
            number = f"{rows[name][i] + 0.0:.3f}"
            return f"{number} ({rows[f'{name}_error'][i]:.3f})" if fitted else number

        cells = [value(name) for name in ("a_j", "a_h", "a_ks", "slope", "offset_h")]
        table.add_row(str(region), f"{rows['n_star'][i]:,}" if fitted else "assumed", *cells)
    return table


def _local(result: Calibration) -> str:
    local = result.local
    base = local.score[0, 0.0]
    if not local.n_neighbour:
        return f"local: neighbours add nothing to the cells (score {base:.4f} nat a star)"
    best = local.score[local.n_neighbour, local.neighbour_scatter]
    return (
        f"local: {local.n_neighbour} neighbours, scatter {local.neighbour_scatter:g}; "
        f"leave-one-out score {best - base:+.4f} nat a star against the cells alone"
    )


def _counts(result: Calibration) -> str:
    full = complete_cells(result)
    where = "inside the region"
    if result.footprint is not None:
        where = f"of {result.footprint.area_deg2:.4g} deg2, {result.footprint.what}"
    observed, expected = result.n_observed[full].sum(), result.n_expected[full].sum()
    if not full.any():
        return "counts: no cell lies inside the region, with stars all around: not compared"
    return (
        f"counts: {observed:,} stars observed, {expected:,.0f} expected in {full.sum():,} cells "
        f"{where} (ratio {observed / expected:.3f})"
    )


def complete_cells(result: Calibration) -> np.ndarray:
    """Cells with stars on all sides, or in the footprint: others may be covered in part."""
    if result.footprint is not None:
        return np.asarray(result.n_expected > 0.0)
    n_b = result.model.extinction_map.mean.shape[1]
    full = result.n_observed > 0
    known = set(result.cell[full].tolist())
    sides = [a * n_b + b for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return np.array([f and all(c + s in known for s in sides) for c, f in zip(result.cell, full)])


def _fractions(result: Calibration) -> str:
    found = result.weights
    words = ", ".join(
        f"{name} {w:.3f} +- {s:.3f}"
        for name, w, s in zip(GROUPS, found.of_group, found.error, strict=True)
    )
    ratio, error = found.ratio
    return (
        f"numbers of stars: {words}; nuclear over bar {ratio:.3f} +- {error:.3f}; widths of the "
        f"reddening x {found.scale:.2f}"
    )


def _measurements(result: Calibration) -> str:
    found = result.measurements
    cases = ", ".join(
        f"{case.name} {fraction:.4f}"
        for case, fraction in zip(CASES, found.case_fraction, strict=True)
    )
    words = f"measurements: errors x {found.error_scale[0]:.2f}; {cases}"
    if found.n_parallax:
        words += (
            f"; zero point of {found.n_parallax:,} parallaxes {found.zero_point_mas:+.3f} +- "
            f"{found.zero_point_error_mas:.3f} mas, their errors x {found.parallax_scale:.2f}"
        )
    motions = found.motions
    if motions.n_star:
        offset = " and ".join(
            f"{x:+.2f} +- {e:.2f}"
            for x, e in zip(motions.frame_masyr, motions.frame_error_masyr, strict=True)
        )
        words += (
            f"; frame of {motions.n_star:,} proper motions {offset} mas/yr in l and b, their "
            f"errors x {motions.scale:.2f}"
        )
    return words


def check_figure(path: Path, *, overwrite: bool) -> None:
    """Refuse a picture that cannot be written.

    Raises
    ------
    InputError
    """
    if path.suffix.lower() not in (".png", ".pdf"):
        raise InputError(f"{path}: a picture is a PNG or PDF file, by its suffix")
    check_new_file(path, overwrite=overwrite)


def draw_calibration(result: Calibration, path: Path) -> None:
    """Draw the map, its ratio to Surot et al. 2020, scatter, errors, counts and the law."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cells = map_table(result)
    figure = Figure(figsize=(14.0, 7.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    own = result.source < 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = cells["e_jks"] / cells["e_jks_surot"]
        counts = np.where(complete_cells(result), cells["n_observed"] / cells["n_expected"], np.nan)
    maps = (
        ("E(J-Ks) [mag]", cells["e_jks"], "inferno"),
        ("over Surot et al. 2020", ratio, "RdBu_r"),
        ("scatter in a cell, over E", cells["scatter"], "viridis"),
        ("standard error, over E", cells["factor_error"], "viridis"),
        ("stars observed over expected", counts, "RdBu_r"),
    )
    for axis, (title, values, colours) in zip(axes.ravel(), maps):
        shown = own & np.isfinite(values)
        if not shown.any():
            axis.set_axis_off()
            axis.set_title(f"{title}: none")
            continue
        low, high = np.quantile(values[shown], (0.02, 0.98))
        if colours == "RdBu_r":
            width = max(abs(low - 1.0), abs(high - 1.0), 0.02)
            low, high = 1.0 - width, 1.0 + width
        points = axis.scatter(
            cells["l"][shown], cells["b"][shown], c=values[shown], s=9, marker="s", cmap=colours,
            vmin=low, vmax=high, linewidths=0,
        )  # fmt: skip
        figure.colorbar(points, ax=axis)
        axis.set(title=title, xlabel="l [deg]", ylabel="b [deg]", aspect="equal")
        axis.invert_xaxis()
    axis = axes.ravel()[5]
    law = law_table(result.law, result.law_fits)
    for i, region in enumerate(law["region"]):
        if law["n_star"][i] == 0 and len(law["region"]) > 1:
            continue
        kappa = [law[f"a_{b}"][i] for b in LINEAR_BANDS]
        errors = [law[f"a_{b}_error"][i] for b in LINEAR_BANDS]
        axis.errorbar(WAVELENGTH_UM, kappa, errors, fmt="o-", capsize=3, label=str(region))
    axis.set(title="law (effective)", xlabel="wavelength [um]", ylabel="A / E(J-Ks)")
    axis.legend(frameon=False, fontsize=8)
    save_figure(figure, path)
