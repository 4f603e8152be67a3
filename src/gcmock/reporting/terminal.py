"""Progress and summaries in the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from gcmock.mock.pulls import pulls_in_words
from gcmock.mock.summary import BuildSummary
from gcmock.progress import LOUDNESS, Progress, StagedProgress
from gcmock.reporting.demo import DemoResult
from gcmock.words.components import COMPONENTS, GROUPS

_BEGINNING: Final = "loading, and compiling at the first run"
_LINE_S: Final = 10.0
"""Seconds between two lines of ``--verbose``."""


@contextmanager
def progress(what: str, unit: str) -> Iterator[Progress | None]:
    """Show a bar with the rate and the time left on stderr while the context is open.

    Until the first numbers come the bar says that the work begins: libraries and the model are
    loaded, and compiled where that was never done. Rate and time left count from there on. With
    ``--verbose`` lines are printed where stderr is no terminal, with ``--quiet`` nothing is.

    Parameters
    ----------
    what : str
        What is being done.
    unit : str
        What is counted.

    Yields
    ------
    callable or None
        Takes the numbers done and in total. None if nothing is shown.
    """
    loudness = LOUDNESS.get()
    if loudness == "quiet" or not sys.stderr.isatty():
        yield _lines(what, unit) if loudness == "verbose" else None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} {unit}/s" if task.speed else "")

    class Done(MofNCompleteColumn):
        def render(self, task: Task) -> Text:
            return Text(_BEGINNING) if task.total is None else super().render(task)

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        Done(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None)

        begun = False

        def update(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                # What was loaded and compiled before is no part of the rate.
                bar.reset(task, total=total)
                begun = True
            bar.update(task, completed=done, total=total)

        yield update


def _lines(what: str, unit: str) -> Progress:
    """Say on stderr that something begins; return what says in lines how far it is."""
    begin, told = time.monotonic(), -_LINE_S
    print(f"gcmock: {what}: {_BEGINNING}", file=sys.stderr, flush=True)

    def update(done: int, total: int) -> None:
        nonlocal told
        seconds = time.monotonic() - begin
        if done >= total or seconds - told >= _LINE_S:
            told = seconds
            words = f"gcmock: {what}: {done:,} of {total:,} {unit}".rstrip()
            print(f"{words}, {seconds:.1f} s", file=sys.stderr, flush=True)

    return update


UNITS = {"read": "rows", "curves": "stars", "counts": "cells"}
"""What is counted in the stages of learning."""


@contextmanager
def stages() -> Iterator[StagedProgress]:
    """Show a bar for every stage, one after the other."""
    with ExitStack() as outer:
        open_stage: dict[str, object] = {"name": ""}
        inner = outer.enter_context(ExitStack())

        def tell(name: str, done: int, total: int) -> None:
            if name != open_stage["name"]:
                inner.close()
                open_stage["name"] = name
                open_stage["update"] = inner.enter_context(progress(name, UNITS.get(name, "")))
            update = open_stage["update"]
            if callable(update):
                update(done, total)

        yield tell


def print_summary(summary: BuildSummary) -> None:
    """Print the account of a run: rows, missing values, components, flags, time."""
    console = Console(highlight=False)
    rows: list[tuple[str, str, str]] = [("rows read", f"{summary.n_rows:,}", "")]
    rows += [("rows skipped", f"{n:,}", reason) for reason, n in summary.skipped.items()]
    draws = f"{summary.n_star:,} stars x {summary.n_realisation} realisations"
    rows.append(("rows written", f"{summary.n_written:,}", draws))
    if summary.n_partition:
        rows.append(("partitions", f"{summary.n_partition:,}", "files of the output"))
    if summary.n_kept:
        rows.append(("rows kept", f"{summary.n_kept:,}", "written by an earlier run"))
    missing = {name: n for name, n in summary.read.missing.items() if n}
    rows += [("missing values", f"{n:,}", name) for name, n in missing.items()]
    rows += [("of them numbers", f"{n:,}", name) for name, n in summary.read.marked.items()]
    assumed = summary.read.error_assumed.items()
    rows += [("default error", f"{n:,}", name) for name, n in assumed]
    rows += [("stars by bands", f"{n:,}", name) for name, n in summary.read.band_sets.most_common()]
    rows += [("flagged rows", f"{n:,}", name.lower()) for name, n in summary.flags.most_common()]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    _add_grouped(table, rows)
    console.print(table)
    console.print(_components(summary))
    pulls = pulls_in_words(summary.account.pulls)
    for remark in [*summary.remarks, *([pulls] if pulls else [])]:
        console.print(f"note: {remark}", soft_wrap=True, markup=False)
    took = f"{summary.seconds:.1f} s, {summary.rate:,.0f} stars/s"
    console.print(f"{summary.output}: {took}", soft_wrap=True, markup=False)


def _add_grouped(table: Table, rows: Iterable[tuple[str, str, str]]) -> None:
    """Add rows, with the label of each group on its first line only."""
    previous = ""
    for label, number, text in rows:
        table.add_row("" if label == previous else label, number, text)
        previous = label


def _components(summary: BuildSummary) -> Table:
    """Return the expected number of stars of every component, with its uncertainty."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("component", style="bold")
    table.add_column("stars", justify="right")
    table.add_column("+-", justify="right")
    table.add_column("fraction", justify="right")
    sigma = np.sqrt(summary.component_variance)
    for name, n, error in zip(COMPONENTS, summary.component_sum, sigma, strict=True):
        table.add_row(name, f"{n:,.1f}", f"{error:,.1f}", f"{n / max(summary.n_star, 1):.2%}")
    return table


def print_demo(result: DemoResult) -> None:
    """Print fractions, calibration and files of a demonstration."""
    console = Console(highlight=False)
    found, summary = result.calibration, result.summary
    console.print(
        f"{summary.n_star:,} stars simulated and inferred "
        f"({summary.seconds:.1f} s, {summary.rate:,.0f} stars/s)"
    )
    fractions = Table(box=None, padding=(0, 2, 0, 0))
    fractions.add_column("fraction of", style="bold")
    for head in ("true", "inferred", "+-"):
        fractions.add_column(head, justify="right")
    for group, names in GROUPS.items():
        values = (
            found.true_fraction[group],
            found.inferred_fraction[group],
            found.fraction_error[group],
        )
        label = group if len(names) == 1 else f"{group} ({names[0]} to {names[-1]})"
        fractions.add_row(label, *(f"{value:.2%}" for value in values))
    console.print(fractions)
    checks = Table(box=None, padding=(0, 2, 0, 0))
    checks.add_column("calibration", style="bold")
    checks.add_column("found", justify="right")
    checks.add_column("ideal", justify="right")
    checks.add_row("68 % interval of the distance covers", f"{found.coverage:.3f}", "0.68")
    base = f"< {found.base_brier:.3f}"
    checks.add_row("Brier score of P(nuclear)", f"{found.brier:.3f}", base)
    checks.add_row("expected calibration error of P(nuclear)", f"{found.ece:.3f}", "0")
    for band, pull in found.pull.items():
        label = f"std of (observed - true) / error, {band.capitalize()}"
        checks.add_row(label, f"{pull:.2f}", "1")
    console.print(checks)
    for file in result.files:
        console.print(str(file), soft_wrap=True, markup=False)
