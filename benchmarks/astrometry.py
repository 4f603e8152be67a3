"""Star-epochs per second of propagation and observations per second of a mission, on one core.

    python benchmarks/astrometry.py [--stars N] [--epochs M] [--visits V]

Stars are random in the JASMINE window. Times are medians of three runs after a warm-up, so that
compilation is not counted; "files" is from the start of the function to the finished files. Rates
are per second of processor time, on which other programs have little influence; the time that
passed is printed beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from gcmock.astrometry.directions.apparent import MovingStars, apparent_directions
from gcmock.astrometry.directions.ephemeris import observer
from gcmock.astrometry.directions.propagate import propagate
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.observe import observe
from gcmock.frames import galactic_to_icrs
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import TRUTH_COLUMNS
from machine import processor
from printed import part


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=77_000, help="stars of the catalogue")
    parser.add_argument("--epochs", type=int, default=50, help="epochs of the propagation")
    parser.add_argument("--visits", type=int, default=500, help="visits that are observed")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{processor()}, one core, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mock = folder / "mock.parquet"
        stars = random_stars(options.stars)
        with open_writer(mock, TRUTH_COLUMNS) as writer:
            writer.write(stars)
        directions(mock, stars, np.linspace(2032.0, 2035.0, options.epochs), folder)
        observations(mock, options.visits, folder)


def random_stars(n: int) -> dict[str, np.ndarray]:
    """Stars of the JASMINE window, with the columns of the truth."""
    rng = np.random.default_rng(1)
    stars = {c.name: np.zeros(n, dtype=c.dtype) for c in TRUTH_COLUMNS}
    stars["source_id"] = np.arange(n)
    stars["l"], stars["b"] = rng.uniform(-1.4, 0.7, n), rng.uniform(-0.6, 0.6, n)
    stars["ra"], stars["dec"] = galactic_to_icrs(stars["l"], stars["b"])
    stars["ref_epoch"] = np.full(n, 2016.0)
    stars["parallax"] = rng.uniform(0.1, 1.0, n)
    stars["pmra"], stars["pmdec"] = rng.normal(0.0, 4.0, (2, n))
    stars["radial_velocity"] = rng.normal(0.0, 100.0, n)
    for band, mag in (("j", 15.0), ("ks", 12.0), ("hw", 13.0)):
        stars[f"phot_{band}_mag"] = np.full(n, mag)
    return stars


def row(label: str, n: int, function: Callable[[], object]) -> str:
    """Line of a table: median times of three calls after a first one, and the rate."""
    function()
    passed, used = [], []
    for _ in range(3):
        start, processor = time.perf_counter(), time.process_time()
        function()
        passed.append(time.perf_counter() - start)
        used.append(time.process_time() - processor)
    took = median(used)
    return f"| {label} | {n:,} | {median(passed):.2f} | {took:.2f} | {n / took:,.0f} |"


HEAD = "| {} | {} | s passed | s processor | per second |\n|---|---|---|---|---|"


def directions(mock: Path, stars: dict[str, np.ndarray], epochs: np.ndarray, folder: Path) -> None:
    """Print the speed of propagation."""
    parameters = MovingStars(*(stars[name] for name in MovingStars._fields))
    place = observer(epochs)
    n = len(stars["ra"]) * len(epochs)
    part("propagation")
    print(HEAD.format("propagation", "star-epochs"))
    for label, options in (
        ("space motion, parallax", {}),
        ("with aberration and deflection", {"aberration": True, "deflection": True}),
    ):

        def arrays(options: dict[str, bool] = options) -> None:
            # In pieces that stay in the cache, as in files.
            for start in range(0, len(parameters.ra), 10_000):
                part = MovingStars(*(values[start : start + 10_000] for values in parameters))
                apparent_directions(part, epochs, place, **options)

        def files(options: dict[str, bool] = options) -> None:
            propagate(mock, folder / "seen.parquet", epochs, overwrite=True, **options)

        for kind, function in (("arrays", arrays), ("files", files)):
            print(row(f"{label}, {kind}", n, function))


def observations(mock: Path, visits: int, folder: Path) -> None:
    """Print the speed of observations."""
    part("observation")
    print(HEAD.format("observation", "observations"))
    for label, changes in (
        ("JASMINE", {}),
        ("with aberration and deflection",
         {"directions.aberration": True, "directions.deflection": True}),
    ):  # fmt: skip
        mission = load_mission("jasmine", overrides={"schedule.visits": visits, **changes})
        output = folder / "obs"
        n = observe(mock, output, mission, overwrite=True).n_observation
        print(
            row(
                f"{label}, files",
                n,
                lambda m=mission, o=output: observe(mock, o, m, overwrite=True),
            )
        )


if __name__ == "__main__":
    main()
