"""Time of learning, and of a build with what was learned against one without.

Simulates stars of the window with J, H and Ks, and takes as many as are asked, at random over the
field. Run ``python benchmarks/learning.py``; ``--stars 1e3 8e3`` takes other numbers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from astropy.table import Table

from gcmock.calibration.learn import learn
from gcmock.mock.build import build
from gcmock.mock.simulate import simulate
from gcmock.model import load_model
from gcmock.settings.build import Config, load_config
from printed import head, part, row

FIELD = (-0.8, 0.6), (-0.6, 0.6)
"""Limits in l and b [deg]: what is bright enough fills most of the window."""

STARS_PER_DEG2 = 1.0e6
"""Stars with Ks < 15 in a square degree, at the least."""


def simulated(n: int, config: Config, seed: int) -> Table:
    """`n` stars of a field that is as large as they need, at most the window, with noise."""
    side = np.ceil(np.sqrt(2.0 * n / STARS_PER_DEG2) / 0.025) * 0.025
    limits = [(low, min(low + side, high)) for low, high in FIELD]
    truth = simulate(
        load_model(config=config), *limits, ks_max=15.0, seed=seed, workers=config.run.n_workers
    )
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(truth["l"].size, min(n, truth["l"].size), replace=False))
    table = Table({name: truth[name][rows] for name in ("source_id", "l", "b")})
    for band in ("j", "h", "ks"):
        error = rng.uniform(0.03, 0.08, rows.size)
        table[f"phot_{band}_mag"] = truth[f"phot_{band}_mag"][rows] + error * rng.normal(
            size=rows.size
        )
        table[f"phot_{band}_mag_error"] = error
    return table


def seconds_of(build_of: Config, path: Path, folder: Path) -> float:
    """Seconds of a build, from call to file."""
    start = time.perf_counter()
    build(path, folder / "mock.parquet", build_of, overwrite=True)
    return time.perf_counter() - start


def measure(n: int, folder: Path, repeats: int, seed: int) -> tuple[str, ...]:
    """Return a line of the table."""
    plain = load_config(None, {"learn.use": False})
    path = folder / f"stars_{n}.parquet"
    table = simulated(n, plain, seed)
    table.write(path, overwrite=True)
    start = time.perf_counter()
    learned, _ = learn(path, folder / "mock.parquet", load_config(), overwrite=True)
    learning = time.perf_counter() - start
    without, with_learned = [], []
    for _ in range(repeats):
        without.append(seconds_of(plain, path, folder))
        with_learned.append(seconds_of(learned, path, folder))
    ratio = median(b / a for a, b in zip(without, with_learned, strict=True))
    cells = np.unique(np.floor(np.column_stack([table["l"], table["b"]]) / 0.025), axis=0)
    return (
        f"{len(table):,}", f"{len(cells):,}", f"{median(without):.1f}", f"{learning:.1f}",
        f"{median(with_learned):.1f}", f"{ratio:.2f}",
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stars", type=float, nargs="+", default=[1e3, 8e3, 1e5, 1e6])
    parser.add_argument("--repeats", type=int, default=3, help="builds of each kind (3)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    part("time")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The first run of all compiles, and fills the caches of the model.
        measure(500, folder, 1, options.seed)
        head(
            ("stars", "cells", "`--no-learn` [s]", "learning [s]", "build with it [s]", "ratio")
        )  # fmt: skip
        for n in options.stars:
            row(measure(int(n), folder, options.repeats, options.seed))


if __name__ == "__main__":
    main()
