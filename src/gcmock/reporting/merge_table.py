"""The account of a merge in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from gcmock.catalogue.cell.reasons import REASONS
from gcmock.catalogue.summary import MergeSummary


def print_merge_summary(summary: MergeSummary) -> None:
    """Print stars, surveys, magnitudes, offsets, and what was left out for which reason."""
    console = Console(highlight=False)
    for table in (
        _stars(summary),
        _magnitudes(summary),
        _sources(summary),
        _account(summary),
    ):
        console.print(table)
        console.print()
    if summary.real_looking:
        console.print(_real_looking(summary))
        console.print()
    rate = summary.n_read / max(summary.seconds, 1e-9)
    took = f"{summary.n_read:,} sources, {summary.seconds:.1f} s, {rate:,.0f} sources/s"
    console.print(f"{summary.output}: {took}", soft_wrap=True, markup=False)


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(heads[0], style="bold")
    for head in heads[1:]:
        table.add_column(head, justify="right")
    return table


def _stars(summary: MergeSummary) -> Table:
    table = _table("stars", "")
    for name, n in summary.stars.items():
        table.add_row(name, f"{n:,}")
    for name, n in summary.flags.items():
        if n:
            table.add_row(f"flag {name.lower()}", f"{n:,}")
    return table


def _magnitudes(summary: MergeSummary) -> Table:
    bands = list(summary.by_magnitude)
    table = _table("magnitude", *(band.capitalize() for band in bands))
    for name in summary.by_magnitude[bands[0]]:
        numbers = [summary.by_magnitude[band][name] for band in bands]
        if any(numbers):
            table.add_row(name, *(f"{n:,}" for n in numbers))
    return table


def _sources(summary: MergeSummary) -> Table:
    bands = list(summary.magnitude_sources)
    table = _table("survey", "stars", *(f"gives {band.capitalize()}" for band in bands))
    names = dict.fromkeys([*summary.by_survey, "mixed"])
    for name in names:
        numbers = [summary.magnitude_sources[band].get(name, 0) for band in bands]
        if name in summary.by_survey or any(numbers):
            has = f"{summary.by_survey[name]:,}" if name in summary.by_survey else ""
            table.add_row(name, has, *(f"{n:,}" for n in numbers))
    return table


def _account(summary: MergeSummary) -> Table:
    surveys = [name for name in summary.account if name != "stars"]
    table = _table("sources", *surveys)
    for word in ("read", "linked", *REASONS):
        numbers = [summary.account[name].get(word, 0) for name in surveys]
        if any(numbers):
            label = {"read": "read", "linked": "in a star"}.get(word, f"left out: {word}")
            table.add_row(label, *(f"{n:,}" for n in numbers))
    return table


def _real_looking(summary: MergeSummary) -> Table:
    table = _table("left out as no star, but 10 sigma in two bands", "")
    for name, n in summary.real_looking.items():
        table.add_row(name, f"{n:,}")
    return table
