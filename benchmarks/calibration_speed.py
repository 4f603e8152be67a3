"""Speed of calibrate, and of build with motions and a calibration against build without.

Simulates so many stars with J, H, Ks and proper motions, writes them as Parquet, calibrates all of
them, and builds mock catalogues of a part of them four times: so many that tables, of which a
calibration with a law of its own in every quadrant needs more, do not decide. Run
``python benchmarks/calibration_speed.py --help``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.table import Table

from gcmock.calibration.calibrate import Options, calibrate
from gcmock.calibration.calibration_file import write_calibration
from gcmock.mock.build import build
from gcmock.mock.simulate import simulate
from gcmock.model import load_model
from gcmock.settings.build import Config, load_config
from printed import head, part, row

STARS_PER_DEG2 = 1.0e6
"""Stars with Ks < 15 in a square degree of the inner degree, at the least."""

FEW = 2000
"""Stars of a first build in every case, which loads the compiled code."""

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


def inputs(options: argparse.Namespace, folder: Path, config: Config) -> tuple[Path, ...]:
    """Files of all stars, of those that are built, and of a few; made unless they are there."""
    n = int(options.stars)
    name = f"stars_{n}_{options.seed}"
    every = folder / f"{name}.parquet"
    if not every.exists():
        simulated(n, config, options.seed).write(every)
    parts = []
    for size in (options.build_stars, FEW):
        parts.append(folder / f"{name}_{size}.parquet")
        if not parts[-1].exists():
            Table.read(every)[:size].write(parts[-1])
    return every, *parts


def line(what: str, n: int, begin: tuple[float, float]) -> float:
    """Print a line of the table and return its processor time."""
    wall, cpu = time.perf_counter() - begin[0], time.process_time() - begin[1]
    row((what, f"{wall:.0f}", f"{cpu:.0f}", f"{n / wall:,.0f}"))
    return cpu


def now() -> tuple[float, float]:
    """Clock and processor time [s]."""
    return time.perf_counter(), time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stars", type=float, default=1e6, help="stars to calibrate, about")
    parser.add_argument("--build-stars", type=int, default=1_000_000, help="stars to build")
    parser.add_argument("--stars-per-cell", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keeps the stars here, for the next time")
    options = parser.parse_args()
    settings = {"run.workers": options.workers, "extinction.residual_scatter_mag": 0.02}
    config = load_config(None, settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = options.folder or folder
        kept.mkdir(parents=True, exist_ok=True)
        stars, built, few = inputs(options, kept, config)
        part("speed")
        head(("what", "seconds", "processor seconds", "stars/s"))
        begin = now()
        chosen = Options(limits=(-5.0, 14.8), stars_per_cell=options.stars_per_cell)
        result = calibrate(stars, config, chosen)
        account = result.stars.account
        n, n_used = account["rows"], account["calibrate"]
        line(f"calibrate, {n:,} stars", n, begin)
        line(f"the same, {n_used:,} chosen stars", n_used, begin)
        path = folder / "calibration.fits"
        write_calibration(result, path, {"name": stars.name, "sha256": ""})
        cases = (
            ("build, without motions and calibration", {"motion.use": False}),
            ("build, with motions", {}),
            ("build, with calibration", {"motion.use": False, "learn.file": str(path)}),
            ("build, with both", {"learn.file": str(path)}),
        )
        n = options.build_stars
        costs = []
        for what, changes in cases:
            one = load_config(None, settings | changes)
            build(few, folder / "mock.parquet", one, overwrite=True)
            begin = now()
            build(built, folder / "mock.parquet", one, overwrite=True)
            costs.append(line(what, n, begin))
        ratio = costs[0] / costs[-1]
        print(f"\nstars per processor second, with both over without: {ratio:.2f}")


if __name__ == "__main__":
    main()
