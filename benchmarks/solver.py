"""Cost of an astrometric solution against its size, and the two orders of elimination.

    python benchmarks/solver.py [--sizes N] [--workers N]

Random stars of the JASMINE window are observed by JASMINE for three years with as many visits and
calibration blocks as the table says, and solved together with `gcmock solve`'s own function, from
the files to the files: all passes, all covariances. All stars are primary. Every row is a process
of its own, for its memory; a small run before it compiles and is not counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.observe import observe
from gcmock.astrometry.solver.plan import measured_gflops
from gcmock.astrometry.solver.solve import solve
from gcmock.frames import galactic_to_icrs
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import TRUTH_COLUMNS
from machine import processor
from printed import part

SIZES = (
    # stars, visits, length of a calibration block [d], order
    (500, 120, 55.0, "sources"),
    (500, 120, 55.0, "instrument"),
    (3_000, 400, 27.5, "sources"),
    (10_000, 800, 11.0, "sources"),
    (10_000, 1_600, 11.0, "sources"),
    (1_000, 3_000, 27.5, "sources"),
    (1_000, 3_000, 27.5, "instrument"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="rows of the table")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()},", end=" ")
    print(f"{measured_gflops():.0f} GFlop/s in matrix products")
    part("table")
    head = (
        "stars", "visits", "blocks", "unknowns", "reduced", "2-D observations", "order", "passes",
        "chi2/dof", "read", "solve", "all", "memory",
    )  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in SIZES[: options.sizes]:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                print(pool.submit(measure, folder, *size, options.workers).result(), flush=True)


def measure(
    folder: Path, n_star: int, n_visit: int, block_days: float, order: str, workers: int
) -> str:
    """Warm up, then observe and solve; return a row of the table."""
    run(folder, 300, 60, 200.0, order, workers)
    return run(folder, n_star, n_visit, block_days, order, workers)


def run(
    folder: Path, n_star: int, n_visit: int, block_days: float, order: str, workers: int
) -> str:
    """Observe and solve; return a row of the table."""
    mock = folder / "mock.parquet"
    with open_writer(mock, TRUTH_COLUMNS, overwrite=True) as writer:
        writer.write(random_stars(n_star))
    settings = {
        "schedule.visits": n_visit,
        "calibration.block_days": block_days,
        "magnitudes.primaries": 14.5,
    }
    observe(mock, folder / "obs", load_mission("jasmine", None, settings), overwrite=True)
    begin = time.perf_counter()
    done = solve(folder / "obs", folder / "solution", order=order, workers=workers, overwrite=True)
    seconds = time.perf_counter() - begin
    a = done.account
    shutil.rmtree(folder / "obs")
    cells = (
        f"{a['n_primary']:,}", f"{a['n_visit']:,}", f"{a['n_block']}", f"{a['n_unknown']:,}",
        f"{a['n_reduced']:,}", f"{a['n_observation_primary']:,}", order, f"{len(a['passes'])}",
        f"{a['chi2_per_freedom']:.4f} ± {np.sqrt(2 / a['n_freedom']):.4f}",
        f"{a['seconds']['read']:.1f} s", f"{a['seconds']['primaries']:.1f} s", f"{seconds:.1f} s",
        f"{a['memory_peak_gb']:.2f} GB",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def random_stars(n: int) -> dict[str, np.ndarray]:
    """Stars of the JASMINE window, with the columns of the truth; a fifth is seen by Gaia."""
    rng = np.random.default_rng(1)
    stars = {c.name: np.zeros(n, dtype=c.dtype) for c in TRUTH_COLUMNS}
    stars["source_id"] = np.arange(n)
    stars["l"], stars["b"] = rng.uniform(-1.4, 0.7, n), rng.uniform(-0.6, 0.6, n)
    stars["ra"], stars["dec"] = galactic_to_icrs(stars["l"], stars["b"])
    stars["ref_epoch"] = np.full(n, 2016.0)
    stars["parallax"] = rng.lognormal(-2.0, 0.3, n)
    stars["pmra"], stars["pmdec"] = rng.normal(-4.0, 3.0, (2, n))
    stars["phot_hw_mag"] = 9.6 + 2.9 * rng.power(3, n)
    for band in ("j", "ks"):
        stars[f"phot_{band}_mag"] = np.where(rng.uniform(size=n) < 0.2, 14.0, 25.0)
    return stars


if __name__ == "__main__":
    main()
