"""Stars per second of the posterior and of a whole build, next to the accuracy that goes with it.

    python benchmarks/speed.py [--stars N] [--sample M] [--workers W]

Stars are simulated from the model in four fields, get Gaussian errors, and are inferred with one
draw each. The total variation compares P(c, D) with the sum over all original nodes, on a sample of
the same stars. Times are medians of three runs after a warm-up, so that compilation, tables and
lines of sight are not counted; the last table has what a user sees, from the start of the command
to the end.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from gcmock.config import load_config
from gcmock.mock.build import build
from gcmock.mock.simulate import simulate, simulate_to_file
from gcmock.model import Model, load_model
from gcmock.posterior.engine import Data
from gcmock.random import star_key

FIELDS = ((0.30, -0.24), (-0.75, 0.40), (-1.20, -0.50), (0.02, -0.12))
FIELD_DEG = 0.05
ALL = "j h ks"
SETUPS = (
    # populations, bands, error [mag] (None: 0.02 to 0.1, each band of each star its own), scatter
    # [mag]
    ("parsec", ALL, 0.05, 0.02),
    ("parsec", ALL, 0.05, 0.05),
    ("parsec", ALL, 0.05, 0.2),
    ("parsec", ALL, 0.02, 0.02),
    ("parsec", ALL, 0.1, 0.2),
    ("parsec", ALL, None, 0.02),
    ("parsec", ALL, None, 0.2),
    ("parsec", "h ks", 0.05, 0.02),
    ("parsec", "ks", 0.05, 0.02),
    ("parsec", "hw", 0.05, 0.02),
    ("koshimoto2021", ALL, 0.05, 0.02),
    ("koshimoto2021", ALL, None, 0.2),
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=6000, help="stars of each row")
    parser.add_argument("--sample", type=int, default=150, help="stars compared with the exact sum")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{cpu()}, {options.workers} threads, Python {platform.python_version()}\n")
    print("| populations | bands | error | scatter | stars/s | exact | TV median | 99 % | max |")
    print("|---|---|---|---|---|---|---|---|---|")
    models = {
        name: load_model(config=load_config(None, {"populations.name": name}))
        for name in ("parsec", "koshimoto2021")
    }
    for populations, bands, error, scatter in SETUPS:
        model = models[populations]
        data = observations(model, options.stars, bands, error, scatter)
        rate = stars_per_second(model, data, options.workers)
        exact, variation = total_variation(model, data, options.sample)
        label = "0.02-0.1" if error is None else f"{error:g}"
        print(
            f"| {populations} | {bands} | {label} | {scatter:g} | {rate:,.0f} | {exact:.1%} | "
            f"{np.median(variation):.4f} | {np.percentile(variation, 99):.4f} | "
            f"{variation.max():.4f} |",
            flush=True,
        )
    whole_build(options.workers)


def observations(
    model: Model, n_star: int, bands: str, error: float | None, scatter: float
) -> Data:
    """Simulate stars and add noise in the given bands."""
    half = FIELD_DEG / 2
    skies = [
        simulate(model, (l - half, l + half), (b - half, b + half), ks_max=15.5) for l, b in FIELDS
    ]
    rng = np.random.default_rng(1)
    sky = {key: np.concatenate([s[key] for s in skies]) for key in ("l", "b")}
    mag = np.column_stack(
        [np.concatenate([s[f"phot_{x}_mag"] for s in skies]) for x in ("j", "h", "ks", "hw")]
    )
    pick = rng.choice(len(mag), n_star)
    mag, l_deg, b_deg = mag[pick], sky["l"][pick], sky["b"][pick]
    low, high = (0.02, 0.1) if error is None else (error, error)
    mag_error = np.exp(rng.uniform(np.log(low), np.log(high), mag.shape))
    mag = mag + mag_error * rng.normal(size=mag.shape)
    mag[:, [x not in bands.split() for x in ("j", "h", "ks", "hw")]] = np.nan
    e_jks, _ = model.extinction_map.value(l_deg, b_deg)
    nan = np.full(n_star, np.nan)
    return Data(l_deg, b_deg, mag, mag_error, nan, nan, e_jks, np.full(n_star, scatter))


def stars_per_second(model: Model, data: Data, workers: int) -> float:
    """Rate of posterior, summary and one draw."""
    keys = star_key(1, np.arange(len(data.e_jks)))[:, None]
    model.posterior.infer(data, keys, workers)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        model.posterior.infer(data, keys, workers)
        times.append(time.perf_counter() - start)
    return len(keys) / median(times)


def total_variation(model: Model, data: Data, n_star: int) -> tuple[float, np.ndarray]:
    """Return the share of stars summed over nodes, and the total variation of a sample."""
    variance = data.mag_error**2 + model.posterior.model_variance
    kinds = model.posterior.kinds(data, variance)
    exact = sum(members.size for kind, members in kinds if not kind.on_lattice)
    sample = Data(*(x[:n_star] for x in data))
    fast, _ = model.posterior.joint(sample)
    full, _ = model.posterior.joint(sample, exact=True)
    return exact / len(data.e_jks), 0.5 * np.abs(fast - full).sum(axis=(1, 2))


def whole_build(workers: int) -> None:
    """Time a whole `build` of a simulated survey, for two numbers of stars."""
    print("\n| stars | lines of sight | seconds | stars/s | peak memory of the process |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for half in (0.1, 0.3):
            survey = Path(folder) / f"survey_{half}.parquet"
            window = ((0.5 - half, 0.5 + half), (-0.4 - half / 2, -0.4 + half / 2))
            simulate_to_file(
                survey, *window, load_config(), ks_max=15.0, seed=1, survey=True, workers=workers
            )
            start = time.perf_counter()
            summary = build(survey, survey.with_name(f"mock_{half}.parquet"), workers=workers)
            seconds = time.perf_counter() - start
            cells = round(2 * half * half / 0.025**2)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
            print(
                f"| {summary.n_written:,} | {cells:,} | {seconds:.1f} | "
                f"{summary.n_written / seconds:,.0f} | {memory:.1f} GB |",
                flush=True,
            )


def cpu() -> str:
    """Name of the processor and number of cores that this process may use."""
    name = platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        models = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        name = models[0].split(":")[1].strip() if models else name
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


if __name__ == "__main__":
    main()
