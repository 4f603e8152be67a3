"""Solutions without a matrix of a season and of the whole mission, on real targets.

    python benchmarks/mission_solution.py FOLDER... [--output out/solutions]

Every folder is one that `gcmock observe` wrote. Its primary stars are solved, and then all stars as
unknowns of one solution, by the command of gcmock, unless the solution is there already; parallaxes
and motions are compared with the truth. Prints the tables of docs/closed_loop.md on what that
takes, and what it gives.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from machine import processor
from printed import part, table

RUNS = {"primary": ["--no-secondaries"], "all": ["--primary-limit", "99"]}

MAGNITUDES = ((0.0, 11.0), (11.0, 12.5), (12.5, 13.5), (13.5, 14.6))
"""Ranges of Hw; the goal for the parallaxes, 25 uas, is for stars brighter than 12.5."""


def solved(folder: Path, output: Path, words: list[str]) -> dict[str, Any]:
    """Solve observations unless that was done, and return the account of the solution."""
    if not output.exists():
        line = [sys.executable, "-m", "gcmock", "solve", str(folder), "-o", str(output)]
        subprocess.run([*line, "--solver", "iterative", *words], check=True)
    return dict(json.loads((output / "solution.json").read_text(encoding="utf-8")))


def account_of(folder: Path, stars: str, account: dict[str, Any]) -> list[str]:
    """Return a row of the table of what solutions take."""
    seconds = account["seconds"]
    accuracy = account["iterative"]["covariance_accuracy"]
    return [
        folder.name, f"{account['n_visit']:,}", f"{stars} ({account['n_primary']:,})",
        f"{account['n_observation_primary'] / 1e6:.1f} million", f"{account['n_reduced']:,}",
        f"{seconds['read']:.0f} + {seconds['primaries']:.0f} s",
        f"{account['memory_peak_gb']:.2f} GB", str(len(account["passes"])),
        f"{account['chi2_per_freedom']:.4f}", f"{100.0 * accuracy['largest']:.2f} %",
    ]  # fmt: skip


def width(values: np.ndarray) -> float:
    """Return half of the range that holds 68 % of some numbers."""
    return float(0.5 * np.diff(np.percentile(values, [15.87, 84.13]))[0])


def parallaxes(folder: Path, stars: str, solution: Path) -> Iterator[list[str]]:
    """Yield rows of the table of what solutions give, by magnitude and kind of star."""
    found = pq.read_table(solution / "sources.parquet")
    truth = pq.read_table(folder / "truth" / "sources.parquet")
    order = np.argsort(truth["source_id"].to_numpy())
    rows = order[
        np.searchsorted(truth["source_id"].to_numpy()[order], found["source_id"].to_numpy())
    ]
    off = found["parallax"].to_numpy() - truth["parallax"].to_numpy()[rows]
    away = found["pmdec"].to_numpy() - truth["pmdec"].to_numpy()[rows]
    error, of_motion = (found[f"{name}_error"].to_numpy() for name in ("parallax", "pmdec"))
    mag, known = (found[name].to_numpy() for name in ("phot_hw_mag", "used_reference"))
    for low, high in MAGNITUDES:
        for with_reference in (True, False):
            part_of = (mag >= low) & (mag < high) & (known == with_reference)
            if part_of.sum() < 30:
                continue
            yield [
                folder.name, stars, f"{low:g} - {high:g}", "with" if with_reference else "without",
                f"{part_of.sum():,}", f"{1e3 * np.median(error[part_of]):.1f} uas",
                f"{1e3 * width(off[part_of]):.1f} uas",
                f"{width(off[part_of] / error[part_of]):.3f}",
                f"{width(away[part_of] / of_motion[part_of]):.3f}",
            ]  # fmt: skip


def main() -> None:
    """Solve and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, default=Path("out/solutions"), help="git-ignored")
    parser.add_argument("--runs", choices=RUNS, nargs="+", default=list(RUNS))
    options = parser.parse_args()
    print(processor())
    options.output.mkdir(parents=True, exist_ok=True)
    takes, gives = [], []
    for folder in options.folders:
        for stars in options.runs:
            output = options.output / f"{folder.name}_{stars}"
            takes.append(account_of(folder, stars, solved(folder, output, RUNS[stars])))
            gives += list(parallaxes(folder, stars, output))
    part("takes")
    table(
        ("observations of", "visits", "stars", "observations", "unknowns of the instrument",
         "read + solve", "memory", "passes", "chi2 / freedom", "worst variance"), takes,
    )  # fmt: skip
    part("gives")
    table(
        ("observations of", "stars", "Hw", "reference", "n", "median error of the parallax",
         "width of solution - truth", "width of pulls, parallax", "pmdec"), gives,
    )  # fmt: skip


if __name__ == "__main__":
    main()
