"""Posteriors on skies that differ from the model in one thing, by default and without learning.

Each file of the folder is a list as a survey gives it, with the truth in columns ``true_*``, which
no run sees. Run ``python benchmarks/wrong_worlds.py FOLDER``; ``--stars 50 --lists 10`` takes ten
lists of 50 of its stars, each inferred by itself, and scores them together.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import gcmock
from gcmock.validation.scores import brier, coverage, expected_calibration_error, ks_uniform, ranks
from gcmock.words.cases import CASE_COLUMNS
from gcmock.words.components import COMPONENTS, NUCLEAR
from printed import head, part, row

RUNS: dict[str, dict[str, Any]] = {
    "default": {},
    "no_learn": {"no_learn": True},
    "no_numbers": {"learn": {"numbers": False}},
    "no_errors": {"learn": {"errors": False}},
    "no_law": {"learn": {"law": "none"}},
    "no_cases": {"learn": {"cases": []}},
    **{
        f"no_{name}": {"learn": {"cases": [case for case in CASE_COLUMNS if case != name]}}
        for name in CASE_COLUMNS
    },
}

N_DRAW = 10

COLUMNS = (
    "world", "stars", "ECE of P(nuclear)", "Brier", "68 % covers", "KS of PIT",
    "mean P - fraction", "seconds",
)  # fmt: skip


def lists_of(table: pa.Table, n: int, n_list: int, seed: int) -> list[pa.Table]:
    """Return lists of stars chosen at random, none of them twice; one of all of them for 0."""
    if not n or n * n_list >= table.num_rows:
        return [table]
    chosen = np.random.default_rng(seed).choice(table.num_rows, (n_list, n), replace=False)
    return [table.take(pa.array(np.sort(rows))) for rows in chosen]


def nuclear_of(table: pa.Table) -> np.ndarray:
    """Return which true stars are nuclear: components are names, or their places."""
    component = table["true_component"].to_numpy(zero_copy_only=False)
    if component.dtype.kind in "iuf":
        component = np.array(COMPONENTS)[component.astype(int)]
    return np.isin(component.astype(str), NUCLEAR)


def measure(lists: list[pa.Table], run: dict[str, Any], workers: int) -> tuple[list[str], float]:
    """Infer each list, and return the scores of all their stars and the seconds of a call."""
    start = time.perf_counter()
    mocks = []
    for table in lists:
        seen = table.select([name for name in table.column_names if not name.startswith("true_")])
        mocks.append(gcmock.build(seen, realisations=N_DRAW, seed=1, workers=workers, **run))
    seconds = (time.perf_counter() - start) / len(lists)
    mock, table = pa.concat_tables(mocks), pa.concat_tables(lists)
    columns = {name: mock[name].to_numpy(zero_copy_only=False) for name in mock.column_names}
    first = columns["realisation"] == 0
    p = sum(columns[f"p_{name}"][first].astype(float) for name in NUCLEAR)
    nuclear, truth = nuclear_of(table), table["true_distance_pc"].to_numpy()
    low, high = (columns[f"distance_q{q}_pc"][first] for q in ("16", "84"))
    draws = columns["distance_pc"].reshape(-1, N_DRAW)
    scores = [
        f"{expected_calibration_error(p, nuclear):.3f}",
        f"{brier(p, nuclear):.4f}",
        f"{coverage(truth, low, high):.3f}",
        f"{ks_uniform(ranks(draws, truth)):.3f}",
        f"{p.mean() - nuclear.mean():+.3f}",
    ]
    return scores, seconds


def main() -> None:
    """Print a table for every way to run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="Parquet files of worlds with their truth")
    parser.add_argument("--stars", type=int, default=0, help="take so many of each; 0: all")
    parser.add_argument("--lists", type=int, default=1, help="so many lists of each (1)")
    parser.add_argument("--seed", type=int, default=5, help="of the choice of stars")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=["default", "no_learn"])
    parser.add_argument("--worlds", nargs="+", help="names of files; all if not given")
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    files = sorted(options.folder.glob("*.parquet"))
    files = [file for file in files if not options.worlds or file.stem in options.worlds]
    found: dict[str, dict[str, list[str]]] = {}
    for name in options.runs:
        part(name)
        head(COLUMNS)
        found[name] = {}
        for file in files:
            lists = lists_of(pq.read_table(file), options.stars, options.lists, options.seed)
            scores, seconds = measure(lists, RUNS[name], options.workers)
            found[name][file.stem] = scores
            stars = f"{lists[0].num_rows:,}" + (f" x {len(lists)}" if len(lists) > 1 else "")
            row((file.stem, stars, *scores, f"{seconds:.1f}"))
    if {"default", "no_learn"} <= set(options.runs):
        in_short(found["default"], found["no_learn"])


def in_short(learned: dict[str, list[str]], assumed: dict[str, list[str]]) -> None:
    """Print calibration error and coverage of both, side by side."""
    part("short")
    ece, covers = COLUMNS.index("ECE of P(nuclear)") - 2, COLUMNS.index("68 % covers") - 2
    head(("what differs", "ECE", "68 % covers", "ECE, `--no-learn`", "68 % covers, `--no-learn`"))
    for world, scores in learned.items():
        other = assumed[world]
        words = " ".join(world.replace("_", " ").split())
        row((words, scores[ece], scores[covers], other[ece], other[covers]))


if __name__ == "__main__":
    main()
