"""The whole loop on real stars: true stars, a season of JASMINE, its solution, and the comparison.

    python benchmarks/closed_loop.py CATALOGUE FOLDER [--seasons N] [--visits N] [--workers N]

CATALOGUE is a list of stars of the JASMINE window with the columns that
`examples/jasmine_window.toml` names. Every step is a command of gcmock, run on its own as a user
would; the table has its time and its largest memory. FOLDER gets all files; the figure of the
documentation is `FOLDER/comparison/comparison.png`.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

from gcmock import __version__
from machine import processor
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
    machine = f"{processor()}, {os.cpu_count()} cores"
    print(f"\n{machine}, Python {platform.python_version()}, {__version__}\n")
    print("| step | time | largest memory so far |\n|---|---|---|")
    for name, seconds, peak in rows:
        print(f"| `{name}` | {seconds:.0f} s | {peak:.1f} GB |")
    print(f"| together | {total / 60:.1f} min | |")


if __name__ == "__main__":
    main()
