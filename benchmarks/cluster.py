"""What worker processes cost: a million stars as a HATS catalogue, built on a Dask cluster.

    python benchmarks/cluster.py [--stars N] [--folder out/cluster] [--workers W ...]

Needs the extra [hats]. The survey is that of benchmarks/wide.py, from a smaller window. Every build
runs as a user runs it, on a cluster of this machine with W worker processes of one thread each;
the first line is the single process with two threads for comparison. Processor time is that of all
processes together.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from machine import cpu
from printed import part, table
from wide import size_gb, survey_of


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("out/cluster"), help="git-ignored")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    folder, n = options.folder, options.stars
    folder.mkdir(parents=True, exist_ok=True)
    survey = survey_of(folder, n)
    catalogue = folder / "survey_hats"
    shutil.rmtree(catalogue, ignore_errors=True)
    print(f"{cpu()}")
    part("cost")
    rows = []
    steps = [("one process, 2 threads", ["build", survey, "-o", "mock", "--workers", 2])]
    steps.append(("import-hats", ["import-hats", survey, "-o", catalogue]))
    for workers in options.workers:
        words = ["build", catalogue, "-o", "mock_hats", "--scheduler", "local"]
        steps.append((f"Dask, {workers} worker processes", [*words, "--workers", workers]))
    for name, words in steps:
        output = folder / words[3] if isinstance(words[3], str) else words[3]
        shutil.rmtree(output, ignore_errors=True)
        seconds, processor = timed([words[0], words[1], "-o", output, *words[4:]])
        rows.append(
            (name, f"{n:,}", f"{seconds:.0f}", f"{processor:.0f}",
             f"{1e6 * processor / n:.0f}", f"{size_gb(output):.2f} GB")
        )  # fmt: skip
    head = ("", "stars", "seconds", "processor time [s]", "per million stars [s]", "output")
    table(head, rows)


def timed(words: list[object]) -> tuple[float, float]:
    """Run gcmock; return seconds by the clock and of all processors."""
    start = time.perf_counter()
    line = [sys.executable, "-m", "gcmock", *map(str, words)]
    run = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    if status:
        sys.exit(f"gcmock {words[0]} failed with status {status}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
