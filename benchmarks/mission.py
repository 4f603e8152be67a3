"""The whole JASMINE mission on real stars, and propagation of many stars: time, memory, disk.

    python benchmarks/mission.py [--shared FOLDER] [--folder out/mission] [--visits N] [--stars N]

Builds the JASMINE target list of the window (as `benchmarks/real_stars.py`), unless it is there,
observes it with all visits of three years by the command of gcmock, and propagates a catalogue of N
stars (copies of the list) to one epoch. Prints the tables of docs/astrometry.md, and that of
docs/closed_loop.md on a solution of the whole mission, as `gcmock solve` estimates it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gcmock.astrometry.directions.geometry import distortion_terms
from gcmock.astrometry.solver.plan import Size, estimate
from gcmock.mock.build import build
from gcmock.settings.build import load_config
from machine import processor
from printed import part, table
from real_stars import ROOT, cut_to_window

DEGREE, GFLOPS = 3, 25.0
"""Degree of the distortion of JASMINE, and a speed of matrix products for the estimate."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--folder", type=Path, default=Path("out/mission"), help="git-ignored")
    parser.add_argument("--visits", type=int, help="fewer visits, for a trial")
    parser.add_argument("--stars", type=int, default=20_000_000, help="stars that are propagated")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    window, mock = folder / "window.parquet", folder / "mock.parquet"
    if not mock.exists():
        cut_to_window(options.shared / "real" / "jasmine_hw_catalogue.parquet", window)
        build(window, mock, load_config(ROOT / "examples" / "jasmine_window.toml"))
    print(processor())
    observe(mock, folder / "observations", options.visits)
    propagate(mock, folder, options.stars)


def command(*words: object) -> tuple[float, float]:
    """Run a command of gcmock; return processor seconds and peak memory [GB]."""
    line = [sys.executable, "-m", "gcmock", *map(str, words)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(line)} failed with status {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024**2


def observe(mock: Path, output: Path, visits: int | None) -> None:
    """Print the cost of observing all visits."""
    few = ("--visits", visits) if visits else ()
    seconds, memory = command("observe", mock, "-o", output, *few, "--overwrite")
    found = json.loads((output / "provenance.json").read_text(encoding="utf-8"))
    counts = [f"{found[f'n_{name}']:,}" for name in ("visit", "source", "observation")]
    disk = sum(path.stat().st_size for path in output.rglob("*") if path.is_file()) / 1e9
    shutil.rmtree(output)
    part("observe")
    table(
        ("visits", "stars", "observations", "s processor", "peak memory", "on the disk"),
        [(*counts, f"{seconds:.0f}", f"{memory:.1f} GB", f"{disk:.1f} GB")],
    )
    solution(found)


def solution(found: dict[str, Any]) -> None:
    """Print what solving the whole mission would take (not run)."""
    n_star, n_primary, n_observation = (
        found[f"n_{name}"] for name in ("source", "primary", "observation")
    )
    n_term = len(distortion_terms(DEGREE, 1))
    rows = []
    for words, n in (("primary", n_primary), ("all", n_star)):
        # Every star is seen about as often as another.
        size = Size(n_primary, n - n_primary, found["n_visit"], found["n_block"], n_term,
                    round(n_observation * n / n_star))  # fmt: skip
        plan = estimate(size, gflops=GFLOPS)
        rows.append(
            (f"{words} ({n:,})", f"{size.n_instrument:,}",
             "stars" if plan.order == "sources" else "instrument", f"{plan.n_reduced:,}",
             f"{plan.memory_gb:.0f} GB", f"{plan.minutes / 60:.1f}")
        )  # fmt: skip
    part("solve")
    table(
        ("stars", "unknowns of the instrument", "eliminated first", "unknowns left", "memory",
         f"hours at {GFLOPS:.0f} GFlop/s"),
        rows,
    )  # fmt: skip


def propagate(mock: Path, folder: Path, n_star: int) -> None:
    """Print the cost of propagating copies of the catalogue."""
    stars = pq.read_table(mock)
    many = folder / "many.parquet"
    left, first = n_star, 0
    with pq.ParquetWriter(many, stars.schema) as writer:
        while left > 0:
            copy = stars.slice(0, min(left, stars.num_rows))
            ids = pa.array(np.arange(first, first + copy.num_rows), pa.int64())
            where = copy.schema.get_field_index("source_id")
            field = copy.schema.field(where)
            writer.write_table(copy.set_column(where, field, ids.cast(field.type)))
            left, first = left - copy.num_rows, first + copy.num_rows
    output = folder / "directions.parquet"
    seconds, memory = command("propagate", many, "--epochs", 2032, "-o", output, "--overwrite")
    many.unlink()
    output.unlink()
    part("propagate")
    table(
        ("stars", "epochs", "s processor", "peak memory"),
        [(f"{n_star:,}", "1", f"{seconds:.0f}", f"{memory:.1f} GB")],
    )


if __name__ == "__main__":
    main()
