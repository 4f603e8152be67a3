"""A validation in the terminal, as Markdown and as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gcmock.reporting.figure_file import save_figure
from gcmock.validation.counts import CountMap
from gcmock.validation.result import Check
from gcmock.validation.run import Validation

_STYLE = {"pass": "green", "fail": "bold red", "info": "", "skip": "yellow"}
_WIDTH = 130
HEADS = ("test", "quantity", "value", "expected", "verdict", "source", "limitation")


def cells(check: Check) -> tuple[str, ...]:
    """Return the texts of a line of the table."""
    value = "" if not np.isfinite(check.value) else f"{check.value:.4g}"
    if value and check.unit:
        value += f" {check.unit}"
    if np.isfinite(check.value) and abs(check.value) >= 1e4:
        value = f"{check.value:,.0f} {check.unit}".strip()
    return (
        check.test, check.quantity, value, check.expected, check.verdict, check.source,
        check.limitation,
    )  # fmt: skip


def print_validation(result: Validation) -> None:
    """Print the table and its sum."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in HEADS[:5]:
        right = head == "value"
        table.add_column(
            head, overflow="fold", no_wrap=head in {"test", "verdict", "value"},
            justify="right" if right else "left",
        )  # fmt: skip
    previous = ""
    for check in result.checks:
        test, quantity, value, expected, verdict, source, limitation = cells(check)
        label = Text(quantity)
        for note in (source, f"limit: {limitation}" if limitation else ""):
            if note:
                label.append(f"\n  {note}", style="dim")
        table.add_row(
            "" if test == previous else test, label, value, expected, Text(verdict, _STYLE[verdict])
        )
        previous = test
    console.print(table)
    verdicts = [check.verdict for check in result.checks]
    words = ", ".join(f"{verdicts.count(v)} {v}" for v in ("pass", "fail", "info", "skip"))
    console.print(words)


def markdown(result: Validation) -> str:
    """Return the table as Markdown."""
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    for check in result.checks:
        texts = [text.replace("|", "\\|") for text in cells(check)]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def validation_figure(counts: CountMap) -> Figure:
    """Draw maps of observed, expected and their ratio."""
    shape, tiles = counts.tiles.shape, counts.tiles
    half = 0.5 * tiles.size_deg
    extent = (
        tiles.l_deg[0] - half, tiles.l_deg[-1] + half, tiles.b_deg[0] - half,
        tiles.b_deg[-1] + half,
    )  # fmt: skip
    observed, expected = counts.observed.sum(axis=1), counts.selected.sum(axis=1)
    plain = counts.expected.sum(axis=1)
    limit = "" if np.isinf(counts.colour_min) else f", J - H > {counts.colour_min:g}"
    top = float(max(observed.max(), expected.max()))
    panels = (
        (observed, "stars of the list per tile", "viridis", 0.0, top),
        (expected, f"expected{limit}", "viridis", 0.0, top),
        (observed / plain, "observed / expected, all colours", "RdBu", 0.0, 2.0),
        (observed / expected, f"observed / expected{limit}", "RdBu", 0.0, 2.0),
    )
    figure = Figure(figsize=(11.0, 6.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axis, (values, title, colours, low, high) in zip(
        figure.subplots(2, 2).flat, panels, strict=True
    ):
        image = axis.imshow(
            values.reshape(shape).T, origin="lower", extent=extent, cmap=colours, vmin=low,
            vmax=high, aspect="equal",
        )  # fmt: skip
        axis.invert_xaxis()
        axis.set(title=title, xlabel="l [deg]", ylabel="b [deg]")
        figure.colorbar(image, ax=axis, shrink=0.8)
    return figure


def write_figure(counts: CountMap, path: Path) -> None:
    """Write the maps as PNG or PDF."""
    save_figure(validation_figure(counts), path)
