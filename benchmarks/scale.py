"""Cost of a build by stage, and against the number of stars, cells, realisations and workers.

    python benchmarks/scale.py [--stars N ...] [--workers W ...] [--realisations R ...]
                               [--without-kernel] [--keep FOLDER]

Stars are simulated surveys (J, H, Ks, some parallaxes, every error different). Every run is a
process of its own, so that its peak memory is its own; seconds are those from the call of build to
the finished output. Stages are timed with one worker, in processor seconds, each without those
inside it.

With --without-kernel a stand-in takes the place of the posterior, with draws at 8 kpc: what is left
is everything else, and ten million stars take minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np

from gcmock.settings.build import load_config
from machine import cpu
from printed import part

CORNER = (0.3, -0.7)
"""Least longitude and middle latitude of the windows [deg]."""

FIELDS = {"deep": (15.5, 1.21e6), "medium": (14.0, 3.6e5), "shallow": (13.0, 1.5e5)}
"""Faintest Ks and stars per square degree, about, near l = 0.6, b = -0.5 deg."""

STAGES = (
    "load model",
    "read",
    "check",
    "checksum",
    "prepare",
    "lines of sight",
    "kernel",
    "velocity",
    "assemble",
    "write",
    "rest",
)

NOTES = {
    "load model": "once",
    "read": "two passes over the Parquet input",
    "check": "identifiers, positions, census of the sky",
    "checksum": "SHA-256 of input and output",
    "prepare": "units, missing values, map, random keys",
    "velocity": "draws of velocities, tables of the discs",
    "assemble": "columns of the output",
    "write": "Parquet",
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--realisations", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--stage-stars", type=int, default=100_000)
    parser.add_argument("--without-kernel", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the inputs, to use them again")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(**json.loads(options.one))))
        return
    print(f"{cpu()}, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        most = max(options.workers)
        stage_table(folder, options.stage_stars, options.without_kernel)
        part("builds")
        print("| stars | lines of sight | workers | realisations | seconds | stars/s | "
              "µs per star | peak memory | output |")  # fmt: skip
        print("|---|---|---|---|---|---|---|---|---|")
        for n in options.stars:
            row(folder, n, "deep", most, 1, options.without_kernel)
        for name in ("medium", "shallow"):
            row(folder, options.stage_stars, name, most, 1, options.without_kernel)
        for n in options.realisations[1:]:
            row(folder, options.stage_stars, "deep", most, n, options.without_kernel)
        for n in options.workers:
            row(folder, options.stage_stars, "deep", n, 1, options.without_kernel)
        simulation_table(folder, options.stage_stars, most)


def survey(folder: Path, n_star: int, field: str) -> Path:
    """Simulate a survey of about a number of stars, unless it is there."""
    from gcmock.mock.simulate import simulate_to_file

    path = folder / f"survey-{field}-{n_star}"
    if not path.exists():
        window, ks_max = window_of(n_star, field), FIELDS[field][0]
        simulate_to_file(path, *window, load_config(), ks_max=ks_max, survey=True, workers=2)
    return path


def window_of(n_star: int, field: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Window (l, b) that holds about a number of stars."""
    side = float(np.sqrt(n_star / FIELDS[field][1]))
    l, b = CORNER
    return (l, l + 2 * side), (b - side / 4, b + side / 4)


def simulation_table(folder: Path, n_star: int, workers: int) -> None:
    """Print the rate of `gcmock simulate` into folders, from the call to the last file."""
    from gcmock.mock.simulate import simulate_to_file

    part("simulate")
    print("| field | faintest Ks | output | stars | seconds | stars/s |")
    print("|---|---|---|---|---|---|")
    for field, (ks_max, _) in FIELDS.items():
        for with_survey in (False, True):
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                start = time.perf_counter()
                n = simulate_to_file(
                    Path(temporary) / "sky", *window_of(n_star, field), load_config(),
                    ks_max=ks_max, survey=with_survey, workers=workers,
                )  # fmt: skip
                seconds = time.perf_counter() - start
            what = "survey and truth" if with_survey else "truth"
            print(
                f"| {field} | {ks_max} | {what} | {n:,} | {seconds:.1f} | {n / seconds:,.0f} |",
                flush=True,
            )


def run_alone(**arguments: Any) -> dict[str, Any]:
    """Measure one build in a process of its own."""
    command = [sys.executable, __file__, "--one", json.dumps(arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(
    folder: Path, n_star: int, field: str, workers: int, realisations: int, no_kernel: bool
) -> None:
    """Print one row of the table of whole builds."""
    found = run_alone(
        path=str(survey(folder, n_star, field)),
        workers=workers,
        realisations=realisations,
        no_kernel=no_kernel,
    )
    n, seconds = found["stars"], found["seconds"]
    print(
        f"| {n:,} | {found['cells']:,} | {workers} | {realisations} | {seconds:.1f} | "
        f"{n / seconds:,.0f} | {seconds / n * 1e6:.1f} | {found['memory_gb']:.2f} GB | "
        f"{found['bytes'] / 1e6:,.0f} MB |",
        flush=True,
    )


def stage_table(folder: Path, n_star: int, no_kernel: bool) -> None:
    """Print processor time by stage, one worker."""
    path = str(survey(folder, n_star, "deep"))
    found = run_alone(path=path, workers=1, realisations=1, no_kernel=no_kernel, stages=True)
    n = found["stars"]
    sight = found["stages"].get("lines of sight", 0.0) / found["cells"] * 1e3
    notes = NOTES | {"lines of sight": f"{sight:.2f} ms for each of {found['cells']:,}"}
    part("stages")
    print(f"| {n:,} stars, one worker | µs per star | |")
    print("|---|---|---|")
    for name in STAGES:
        note = notes.get(name, "")
        print(f"| {name} | {found['stages'].get(name, 0.0) / n * 1e6:.2f} | {note} |")
    print(f"| all | {sum(found['stages'].values()) / n * 1e6:.2f} | |", flush=True)


def measure(
    path: str, workers: int, realisations: int, no_kernel: bool, stages: bool = False
) -> dict[str, Any]:
    """Build a catalogue in this process, and tell what it took."""
    from gcmock.mock.build import build
    from gcmock.mock.census import InputCensus

    clock = StageClock()
    cells: list[InputCensus] = []
    wrap(
        InputCensus,
        "finish",
        lambda finish: lambda self, p: (cells.append(self), finish(self, p))[1],
    )
    if no_kernel:
        leave_out_the_kernel()
    if stages:
        clock.install()
    config = load_config(None, {"run": {"realisations": realisations}})
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        output = Path(folder) / "mock"
        start, start_cpu = time.perf_counter(), time.process_time()
        summary = build(path, output, config, workers=workers)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
        size = sum(file.stat().st_size for file in output.iterdir())
    found = dict(clock.seconds)
    found["rest"] = cpu_seconds - sum(found.values())
    return {
        "stars": summary.n_star,
        "cells": int(np.count_nonzero(cells[0].stars_of_cell)),
        "seconds": seconds,
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "bytes": size,
        "stages": found,
    }


def wrap(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Replace a function by what `change` makes of it."""
    setattr(owner, name, change(getattr(owner, name)))


class StageClock:
    """Processor seconds of stages, each without those that run inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]
        self._thread = get_ident()

    def install(self) -> None:
        """Wrap the functions of the pipeline."""
        import gcmock.io.manifest as manifest
        import gcmock.mock.build as build
        import gcmock.mock.pipeline as pipeline
        from gcmock.galaxy.galactic_model import GalacticModel
        from gcmock.io.observed import ObservedCatalogue
        from gcmock.io.writers.writer import Writer
        from gcmock.posterior.engine import Posterior
        from gcmock.posterior.sightline import SightlineCache

        for owner, name, stage in (
            (build, "load_model", "load model"),
            (build, "sha256_of", "checksum"),
            (manifest, "sha256_of", "checksum"),
            (ObservedCatalogue, "__init__", "check"),
            (ObservedCatalogue, "stars", "prepare"),
            (pipeline, "prepare", "prepare"),
            (pipeline, "star_keys", "prepare"),
            (SightlineCache, "get", "lines of sight"),
            (Posterior, "infer", "kernel"),
            (GalacticModel, "sample_velocity", "velocity"),
            (pipeline, "infer", "velocity"),
            (pipeline, "assemble", "assemble"),
            (Writer, "__init__", "write"),
            (Writer, "write", "write"),
            (Writer, "__exit__", "write"),
        ):
            wrap(owner, name, lambda function, stage=stage: self._timed(function, stage))
        wrap(ObservedCatalogue, "rows", self._timed_rows)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            if get_ident() != self._thread:
                # The checksum of the input is taken in a thread beside; it counts as "check".
                return function(*arguments, **options)
            start = time.process_time()
            self._inside.append(0.0)
            try:
                return function(*arguments, **options)
            finally:
                took = time.process_time() - start
                self.seconds[stage] += took - self._inside.pop()
                self._inside[-1] += took

        return timed

    def _timed_rows(self, rows: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def timed(*arguments: Any, **options: Any) -> Iterator[Any]:
            step = self._timed(lambda iterator: next(iterator, None), "read")
            iterator = rows(*arguments, **options)
            while (raw := step(iterator)) is not None:
                yield raw

        return timed


def leave_out_the_kernel() -> None:
    """Replace the posterior by draws at 8 kpc of which everything else can be made."""
    from gcmock.posterior.engine import Posterior
    from gcmock.posterior.results import empty_draws, empty_summary

    def infer(self: Any, data: Any, keys: Any, workers: int = 1) -> Any:
        self._sightlines.get(data.l_deg, data.b_deg)
        summary, draws = empty_summary(len(keys), 11), empty_draws(*keys.shape, data.mag.shape[1])
        noise = (keys >> np.uint64(11)).astype(np.float64) * 2.0**-53
        summary.probability[:] = noise[:, :1] / 11.0
        draws.component[:] = np.array([8, 8, 8, 9, 4, 6, 1, 9])[keys & np.uint64(7)]
        draws.node[:] = (keys % np.uint64(1000)).astype(np.int64)
        draws.distance_pc[:] = 8000.0 + 1000.0 * noise
        draws.e_jks[:] = noise
        draws.mag[:] = 12.0 + noise[..., None] * np.arange(1, data.mag.shape[1] + 1)
        for values in summary[1:]:
            values[...] = noise[:, 0].reshape(-1, *([1] * (values.ndim - 1)))
        return summary, draws

    Posterior.infer = infer  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
