"""The whole loop on real stars: true stars, a season of JASMINE, its solution, and the comparison.

    python benchmarks/closed_loop.py CATALOGUE FOLDER [--seasons N] [--visits N] [--workers N]

CATALOGUE is a list of stars of the JASMINE window with the columns that
`examples/jasmine_window.toml` names. Every step is a command of gcmock, run on its own as a user
would; the table has its time and its largest memory. FOLDER gets all files; the figure of the
documentation is `FOLDER/comparison/comparison.png`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from machine import processor
from printed import part, table
from real_stars import cut_to_window

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "jasmine_window.toml"


def main() -> None:
    """Run the steps and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seasons", type=int, default=1, help="seasons that are observed")
    parser.add_argument("--visits", type=int, help="visits, spread over the whole mission instead")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    folder, workers = options.folder, ("--workers", str(options.workers))
    folder.mkdir(parents=True, exist_ok=True)
    cut_to_window(options.catalogue, folder / "window.parquet")
    extent = ("--seasons", str(options.seasons))
    if options.visits:
        extent = ("--visits", str(options.visits))
    f = {name: str(folder / name) for name in ("observations", "solution", "comparison")}
    window, mock = str(folder / "window.parquet"), str(folder / "mock.parquet")
    steps = (
        ("build", window, "-o", mock, "--config", str(EXAMPLE), *workers),
        ("observe", mock, "-o", f["observations"], *extent),
        ("solve", f["observations"], "-o", f["solution"], *workers),
        ("compare", f["solution"], mock, "-o", f["comparison"]),
    )
    rows, start = [], time.perf_counter()
    for step in steps:
        begin = time.perf_counter()
        command = [sys.executable, "-m", "gcmock", *step, "--overwrite"]
        print(f"$ gcmock {' '.join(step)}", flush=True)
        subprocess.run(command, check=True)
        # The largest of all children so far: steps are in the order of their memory.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        rows.append((step[0], time.perf_counter() - begin, peak))
    total = time.perf_counter() - start
    print(f"\n{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    report(folder, rows, total)


def report(folder: Path, rows: list[tuple[str, float, float]], total: float) -> None:
    """Print the tables of docs/closed_loop.md from the files of a loop."""
    solution = json.loads((folder / "solution/solution.json").read_text(encoding="utf-8"))
    found = json.loads((folder / "comparison/comparison.json").read_text(encoding="utf-8"))
    part("steps")
    done = {
        "observe": f" ({observations(solution):,} observations)",
        "solve": f" ({solution['n_primary']:,} primaries with "
        f"{solution['n_observation_primary']:,} observations, {solution['n_secondary']:,} "
        f"secondaries with {solution['n_observation_secondary']:,})",
    }
    peaks = [0.0, *(peak for _, _, peak in rows)]
    lines = [
        (f"`{name}`{done.get(name, '')}", f"{seconds:.0f} s",
         f"{peak:.1f} GB" if peak > before else "not above")
        for (name, seconds, peak), before in zip(rows, peaks)
    ]  # fmt: skip
    table(
        ("step", "time", "largest memory so far"),
        [*lines, ("together", f"{total / 60:.1f} min", "")],
    )
    part("quantities")
    table(("quantity", "value"), quantities(solution, found))
    part("magnitudes")
    binned = pq.read_table(folder / "comparison/by_magnitude.parquet").to_pylist()
    table(
        ("Hw", "stars", "parallax error, formal [µas]", "solution − truth [µas]"),
        (
            (f"{b['phot_hw_mag'] - 0.25:.1f} to {b['phot_hw_mag'] + 0.25:.1f}",
             f"{b['n_star']:,}", f"{1000 * b['parallax_formal']:,.0f}",
             f"{1000 * b['parallax_robust']:,.0f}")
            for b in binned
        ),
    )  # fmt: skip
    part("nuclear_disc")
    separation = pq.read_table(folder / "comparison/separation.parquet").to_pylist()
    table(
        ("nuclear disc told by", "stars with Hw up to", "of the nuclear disc",
         "of them P(nsd) > 0.5", "of those with P(nsd) > 0.5 in it", "of them P(nsd) > 0.9"),
        (
            (s["measure"], f"{s['hw_max']:.1f}", f"{s['n_nsd']:,}", f"{s['found_50']:.0%}",
             f"{s['purity_50']:.0%}" if s["found_50"] else "", f"{s['found_90']:.0%}")
            for s in separation
        ),
    )  # fmt: skip


def observations(solution: dict[str, Any]) -> int:
    """Two-dimensional observations, of primary and secondary stars."""
    return solution["n_observation_primary"] + solution["n_observation_secondary"]


def quantities(solution: dict[str, Any], found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Rows on passes, chi2, pulls and cost."""
    steps = [p["largest_shift_mas"] for p in solution["passes"]]
    shifts = ", ".join(f"{step:.0f}" if step >= 10 else f"{step:.1g}" for step in steps)
    yield f"largest shift of a star in passes 1 to {len(solution['passes'])} [mas]", shifts
    chi2, sigma = solution["chi2_per_freedom"], (2.0 / solution["n_freedom"]) ** 0.5
    yield "chi2 / degrees of freedom, primary solution", f"{chi2:.4f} ± {sigma:.4f}"
    joint = found["joint_chi2"]
    for words, kind, size in (
        ("all unknowns", "all", "unknown"),
        ("attitude and distortion", "shared", "shared"),
    ):
        n = joint[f"n_{size}"]
        as_is = joint["all_unknowns" if kind == "all" else kind] / n
        without = joint[f"{kind}_without_modes"] / (n - joint["n_mode"])
        yield (
            f"joint chi2 of {words} / {n:,}, as it is and without common modes",
            f"{as_is:.3f}, {without:.3f} (± {(2.0 / n) ** 0.5:.3f})",
        )
    for line in found["chi2"]:
        n = 5 * line["n"]
        yield (
            f"chi2 of single stars ({line['stars']}) / {n:,}, as it is and without common modes",
            f"{line['as_is']:.4f}, {line['without_modes']:.4f}",
        )
    pulls = ", ".join(f"{pull['std_as_is']:.3f}" for pull in found["pulls"])
    yield "standard deviation of error / formal error, five parameters", pulls
    (zero,) = [mode for mode in found["common_modes"] if mode["name"] == "parallax"]
    value = f"{zero['primary_stars']:.3f} ± {zero['primary_stars_error']:.3f} mas"
    yield "parallax zero point of the primary stars, unweighted", value
    yield (
        "unknowns of the primary solution, after the elimination",
        f"{solution['n_unknown']:,}, {solution['n_reduced']:,}",
    )
    seconds = solution["seconds"]
    parts = (seconds["read"], seconds["primaries"], seconds["secondaries"])
    yield "`solve`: reading, primaries, secondaries", ", ".join(f"{s:.0f} s" for s in parts)
    memory = (solution["memory_peak_gb"], solution["memory_estimated_gb"])
    yield "`solve`: memory, as estimated before", f"{memory[0]:.1f} GB, {memory[1]:.1f} GB"


if __name__ == "__main__":
    main()
