"""A wide catalogue from beginning to end: 20,897,004 stars, killed and resumed on the way.

    python benchmarks/wide.py [--stars N] [--folder out/wide] [--workers W] [--kill-stars K]

Simulates a survey (J, H, Ks, some parallaxes) of 10 x 2.4 degrees around the Galactic centre down
to Ks = 15.4, about the density of the merged catalogue of JASMINE, and keeps its first N stars;
fewer stars take a smaller window of the same shape. The survey stays in the folder for the next
time. Then `gcmock build` runs as a user runs it, and its first K stars are built twice more: in one
go, and killed (SIGKILL) several times.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from gcmock.mock.simulate import simulate_to_file
from gcmock.settings.build import load_config
from machine import cpu
from printed import part as begin_part

STARS, HALF_L, HALF_B, KS_MAX = 20_897_004, 5.0, 1.2, 15.4
KILLS = 3


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=STARS)
    parser.add_argument("--folder", type=Path, default=Path("out/wide"), help="git-ignored")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-stars", type=int, default=1_000_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    survey = survey_of(options.folder, options.stars)
    print(f"{cpu()}, {options.workers} workers")
    begin_part("build")
    print("| stars | seconds | stars/s | peak memory | input | output |")
    print("|---|---|---|---|---|---|")
    output = options.folder / "mock"
    shutil.rmtree(output, ignore_errors=True)
    seconds, memory = build(survey, output, options.workers)
    print(
        f"| {options.stars:,} | {seconds:.0f} | {options.stars / seconds:,.0f} | "
        f"{memory / 1024**2:.2f} GB | {size_gb(survey):.2f} GB | {size_gb(output):.2f} GB |\n",
        flush=True,
    )
    check(output, options.stars)
    kill_and_resume(options.folder, survey, options.kill_stars, options.workers)


def survey_of(folder: Path, n_star: int) -> Path:
    """Simulate a survey of exactly this many stars, unless it is there."""
    path = folder / f"survey-{n_star}"
    if path.exists():
        return path
    scale = min(1.0, np.sqrt(1.2 * n_star / STARS))
    window = ((-HALF_L * scale, HALF_L * scale), (-HALF_B * scale, HALF_B * scale))
    whole = folder / "survey"
    shutil.rmtree(whole, ignore_errors=True)
    shutil.rmtree(folder / "survey_truth", ignore_errors=True)
    start = time.perf_counter()
    n_all = simulate_to_file(
        whole, *window, load_config(), ks_max=KS_MAX, survey=True, workers=os.cpu_count() or 1
    )
    seconds = time.perf_counter() - start
    print(
        f"{n_all:,} stars simulated in {seconds:.0f} s ({n_all / seconds:,.0f} stars/s)", flush=True
    )
    if n_all < n_star:
        sys.exit(f"the window holds {n_all:,} stars, fewer than {n_star:,}")
    shutil.rmtree(folder / "survey_truth")
    keep_first(whole, n_star)
    whole.rename(path)
    return path


def keep_first(folder: Path, n_star: int) -> None:
    """Cut a folder of partitions after a number of rows."""
    (folder / "_manifest.jsonl").unlink()
    for part in sorted(folder.glob("part-*.parquet")):
        table = pq.read_table(part)
        if table.num_rows > n_star:
            part.unlink()
            if n_star:
                pq.write_table(table.slice(0, n_star), part)
        n_star = max(0, n_star - table.num_rows)


def command(survey: Path, output: Path, workers: int) -> list[str]:
    """Return the command line of a build."""
    line = [sys.executable, "-m", "gcmock", "build", str(survey), "-o", str(output)]
    return [*line, "--workers", str(workers)]


def build(survey: Path, output: Path, workers: int) -> tuple[float, int]:
    """Build a catalogue in a process of its own; return seconds and peak memory [kB]."""
    start = time.perf_counter()
    run = subprocess.Popen(command(survey, output, workers), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    if status:
        sys.exit(f"gcmock build failed with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss


def check(output: Path, n_star: int) -> None:
    """Count the rows that were written, and their identifiers."""
    ids = pq.read_table(output, columns=["source_id"])["source_id"].to_numpy()
    print(f"{ids.size:,} rows, {np.unique(ids).size:,} identifiers", flush=True)
    if ids.size != n_star:
        sys.exit("rows are missing")


def kill_and_resume(folder: Path, survey: Path, n_star: int, workers: int) -> None:
    """Compare a run that was killed several times with one that was not, byte by byte."""
    few = folder / "survey-few"
    shutil.rmtree(few, ignore_errors=True)
    few.mkdir()
    left = n_star
    for part in sorted(survey.glob("part-*.parquet")):
        if left <= 0:
            break
        table = pq.read_table(part)
        pq.write_table(table.slice(0, left), few / part.name)
        left -= table.num_rows
    whole, killed = folder / "whole", folder / "killed"
    for output in (whole, killed):
        shutil.rmtree(output, ignore_errors=True)
    seconds, _ = build(few, whole, workers)
    kills = 0
    start = time.perf_counter()
    for kill in range(KILLS):
        run = subprocess.Popen(command(few, killed, workers), stdout=subprocess.DEVNULL)
        # A third of the time that a whole run takes: in the middle of some partition.
        time.sleep(seconds * (kill + 1) / (KILLS + 2))
        run.send_signal(signal.SIGKILL)
        kills += run.wait() == -signal.SIGKILL
    build(few, killed, workers)
    resumed = time.perf_counter() - start
    same = checksums(whole) == checksums(killed)
    print(
        f"{n_star:,} stars: {seconds:.0f} s in one go, {resumed:.0f} s with {kills} kills; "
        f"the same bytes: {'yes' if same else 'NO'}"
    )
    if not same:
        sys.exit(1)


def checksums(folder: Path) -> dict[str, str]:
    """Checksums of the files of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def size_gb(folder: Path) -> float:
    """Size of the files of a folder [GB]."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


if __name__ == "__main__":
    main()
