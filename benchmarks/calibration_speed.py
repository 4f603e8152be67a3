"""Speed of calibrate, and of build with motions and a calibration against build without.

Simulates so many stars with J, H, Ks and proper motions, writes them as Parquet, calibrates, and
builds three times. Run ``python benchmarks/calibration_speed.py --help``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.table import Table

from gcmock.calibration.calibrate import Options, calibrate
from gcmock.calibration.product import write_calibration
from gcmock.config import Config, load_config
from gcmock.mock.build import build
from gcmock.mock.simulate import simulate
from gcmock.model import load_model

STARS_PER_DEG2 = 1.0e6
"""Stars with Ks < 15 in a square degree of the inner degree, at the least."""

FIRST_L, FIRST_B = -0.9, -0.7


def simulated(n: int, config: Config, seed: int) -> Table:
    """About `n` stars around the centre with noise."""
    side = float(np.ceil(np.sqrt(n / STARS_PER_DEG2) / 0.025) * 0.025)
    truth = simulate(
        load_model(config=config), (FIRST_L, FIRST_L + side), (FIRST_B, FIRST_B + side),
        ks_max=15.0, seed=seed, workers=config.run.n_workers,
    )  # fmt: skip
    n = truth["l"].size
    rng = np.random.default_rng(seed)
    table = Table({name: truth[name] for name in ("source_id", "l", "b")})
    for band in ("j", "h", "ks"):
        error = rng.uniform(0.03, 0.08, n)
        table[f"phot_{band}_mag"] = truth[f"phot_{band}_mag"] + error * rng.normal(size=n)
        table[f"phot_{band}_mag_error"] = error
    for axis in ("pmra", "pmdec"):
        table[axis] = truth[axis] + rng.normal(0.0, 1.0, n)
        table[f"{axis}_error"] = np.ones(n)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stars", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings = {"run.workers": options.workers, "extinction.residual_scatter_mag": 0.02}
    config = load_config(None, settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stars = folder / "stars.parquet"
        table = simulated(options.stars, config, options.seed)
        table.write(stars)
        n = len(table)
        print(f"{n:,} stars, {options.workers} threads\n")
        print("| what | seconds | stars/s |\n|---|---|---|", flush=True)
        begin = time.perf_counter()
        result = calibrate(stars, config, Options(limits=(-5.0, 14.8)))
        seconds = time.perf_counter() - begin
        n_used = result.stars.account["calibrate"]
        print(f"| calibrate, {n_used:,} stars chosen | {seconds:.1f} | {n / seconds:,.0f} |",
              flush=True)  # fmt: skip
        path = folder / "calibration.fits"
        write_calibration(result, path, {"name": stars.name, "sha256": ""})
        cases = (
            ("build, without motions and calibration", {"motion.use": False}),
            ("build, with motions", {}),
            ("build, with calibration", {"motion.use": False, "extinction.calibration": str(path)}),
            ("build, with both", {"extinction.calibration": str(path)}),
        )
        for what, changes in cases:
            chosen = load_config(None, settings | changes)
            # The first call of a process loads compiled code.
            build(stars, folder / "mock.parquet", chosen, overwrite=True)
            begin = time.perf_counter()
            build(stars, folder / "mock.parquet", chosen, overwrite=True)
            seconds = time.perf_counter() - begin
            print(f"| {what} | {seconds:.1f} | {n / seconds:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
