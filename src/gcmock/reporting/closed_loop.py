"""Accounts of solutions and comparisons in the terminal, and progress by stages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gcmock.astrometry.comparison.tables import GOALS
from gcmock.progress import Progress


@contextmanager
def closed_loop_stages() -> Iterator[Callable[[str], Progress | None]]:
    """Show what a long computation does, with a bar and the time, on stderr.

    Yields
    ------
    callable
        Takes the name of a stage; returns what to call with the numbers done and in total, or None
        if stderr is not a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )

    bar = Bar(
        TextColumn("{task.description:32s}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)

        def stage(name: str) -> Progress:
            bar.reset(task, description=name, total=None)

            def update(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            return update

        yield stage


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for k, head in enumerate(heads):
        table.add_column(
            head, style="bold" if k == 0 else None, justify="left" if k == 0 else "right"
        )
    return table


def print_solution(output: Path, account: dict[str, Any]) -> None:
    """Print the account of a solution."""
    console = Console(highlight=False)
    a = account
    rows = _table("", "")
    rows.add_row("stars", f"{a['n_primary']:,} primary, {a['n_secondary']:,} secondary")
    references = f"{a['n_reference_primary']:,} primary, {a['n_reference_secondary']:,} secondary"
    rows.add_row(f"references ({Path(a['reference']).name})", references)
    rows.add_row("visits, calibration blocks", f"{a['n_visit']:,}, {a['n_block']:,}")
    rows.add_row("unknowns of the primary solution", f"{a['n_unknown']:,}")
    what = "stars" if a["order"] == "sources" else "instrument"
    rows.add_row(f"left when the {what} are eliminated", f"{a['n_reduced']:,}")
    label = "chi2 / degrees of freedom" + ("" if a["robust"] == "none" else ", full weights")
    rows.add_row(label, f"{a['chi2_per_freedom']:.4f} ({a['n_freedom']:,})")
    rows.add_row("condition of the scaled matrix", f"{a['condition']:.1e}")
    if a["robust"] != "none":
        rows.add_row(
            f"observations with less weight ({a['robust']})", f"{a['downweighted_fraction']:.2%}"
        )
        rows.add_row("factor on variances", f"{a['variance_factor']:.3f}")
    console.print(rows)
    passes = _table("pass", "chi2", "largest shift [mas]", "pointing [mas]")
    for k, p in enumerate(a["passes"], 1):
        passes.add_row(
            f"{k}{' *' if p['factorised'] else ''}",
            f"{p['chi2']:.6g}",
            f"{p['largest_shift_mas']:.3g}",
            f"{p['largest_attitude_shift_mas']:.3g}",
        )
    console.print(passes)
    modes = _table("common mode", "seen by observations", "error", "determined by")
    for m in a["modes"]:
        error = "free" if m["error"] is None else f"{m['error']:.3g}"
        modes.add_row(m["name"], f"{m['eigenvalue_observations']:.1e}", error, m["determined_by"])
    console.print(modes)
    if "terms" in a:
        print_terms(console, a["terms"])
    for remark in a["remarks"]:
        console.print(f"note: {remark}", soft_wrap=True, markup=False)
    seconds, peak = sum(a["seconds"].values()), a["memory_peak_gb"]
    text = (
        f"{output}: {seconds:.1f} s{'' if peak is None else f', {peak:.2f} GB'} "
        f"(estimated {60 * a['minutes_estimated']:.0f} s, {a['memory_estimated_gb']:.2f} GB)"
    )
    console.print(text, soft_wrap=True, markup=False)


NOTICED = 4.0
"""Significance in standard deviations from which a term is pointed out."""


def print_terms(console: Console, found: dict[str, Any]) -> None:
    """Print what the residuals say against the instrument that was assumed.

    Parameters
    ----------
    console : Console
    found : dict
        See `gcmock.astrometry.solver.bordered.Border.account`.
    """
    families = _table("term of the instrument", "chi2", "numbers", "sigma", "")
    for f in found["families"]:
        state = "solved" if f["solved"] else "not solved: noticed" if f["sigma"] > NOTICED else ""
        families.add_row(f["name"], f"{f['chi2']:.1f}", f"{f['n']}", f"{f['sigma']:.1f}", state)
    console.print(families)
    for name in found["unseen"]:
        console.print(f"note: observations and references do not see {name}", soft_wrap=True)
    rows = [r for r in found["terms"] if r["solved"] or abs(r["sigma"]) > NOTICED]
    terms = _table("term", "value [mas]", "+-", "sigma", "")
    for r in rows:
        state = "solved" if r["solved"] else "if it were the only one"
        values = f"{r['value_mas']:.4g}", f"{r['error_mas']:.2g}", f"{r['sigma']:.1f}"
        terms.add_row(r["name"], *values, state)
    if rows:
        console.print(terms)


def print_comparison(account: dict[str, Any], tables: dict[str, Any]) -> None:
    """Print the account of a comparison."""
    console = Console(highlight=False)
    modes = _table("common mode", "removed", "primary stars, unweighted", "+-")
    for m in account["common_modes"]:
        error = m["primary_stars_error"]
        formal = "free" if error is None else f"{error:.3g}"
        modes.add_row(m["name"], f"{m['removed']:.3g}", f"{m['primary_stars']:.3g}", formal)
    console.print(modes)
    chi2 = _table("chi2 / degrees of freedom", "number", "as is", "modes removed")
    for row in account["chi2"]:
        name = f"single stars: {row['stars']}"
        chi2.add_row(
            name, f"{5 * row['n']:,}", f"{row['as_is']:.4f}", f"{row['without_modes']:.4f}"
        )
    joint = account["joint_chi2"]
    if joint is not None:
        for name, n, whole, without in (
            ("jointly: all unknowns", "n_unknown", "all_unknowns", "all_without_modes"),
            ("jointly: attitude and distortion", "n_shared", "shared", "shared_without_modes"),
        ):
            n_free = joint[n]
            chi2.add_row(
                name,
                f"{n_free:,}",
                f"{joint[whole] / n_free:.4f}",
                f"{joint[without] / max(n_free - joint['n_mode'], 1):.4f}",
            )
    console.print(chi2)
    pulls = _table("pulls", "mean", "std", "mean, modes removed", "std, modes removed")
    for row in account["pulls"]:
        keys = ("mean_as_is", "std_as_is", "mean_without_modes", "std_without_modes")
        pulls.add_row(row["parameter"], *(f"{row[key]:.3f}" for key in keys))
    console.print(pulls)
    binned = tables["by_magnitude"]
    parallax = _table("Hw [mag]", "stars", "parallax error, formal [µas]", "real (68 %)", "goal")
    faint, goal = GOALS["parallax"]
    for k, hw in enumerate(binned["phot_hw_mag"]):
        parallax.add_row(
            f"{hw - 0.25:.1f} - {hw + 0.25:.1f}",
            f"{binned['n_star'][k]:,}",
            f"{1e3 * binned['parallax_formal'][k]:.1f}",
            f"{1e3 * binned['parallax_robust'][k]:.1f}",
            f"{1e3 * goal:.0f}" if hw < faint else "",
        )
    console.print(parallax)
    if "separation" in tables:
        s = tables["separation"]
        found = _table(
            "nuclear stellar disc by", "Hw <", "NSD stars", "P > 0.5", "pure", "P > 0.9", "pure"
        )
        for k, measure in enumerate(s["measure"]):
            fractions = (s[key][k] for key in ("found_50", "purity_50", "found_90", "purity_90"))
            found.add_row(
                measure,
                f"{s['hw_max'][k]:.1f}",
                f"{s['n_nsd'][k]:,}",
                *(f"{x:.1%}" for x in fractions),
            )
        console.print(found)
