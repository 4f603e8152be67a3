"""Rows per second of the readers of surveys, and of fetching from a service on this machine.

    python benchmarks/surveys.py [--rows N] [--folder out/surveys] [--fetch-rows N]

Writes tables of every survey in the native spelling and in each format, as archives give them, and
reads them as the common table. Then the TAP service of the tests serves a window of VIRAC2, and
`gcmock fetch` fetches it: what is measured is the work of this side, the network costs nothing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from gcmock.frames import galactic_to_icrs
from gcmock.surveys.fetch.download import fetch
from gcmock.surveys.read.open_survey import open_survey
from machine import cpu
from printed import part

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from survey_tables import native_table, sirius_line, write
from tap_server import serve

TABLES = (
    ("2mass", "irsa"),
    ("virac2", "eso"),
    ("vvv", "dr2"),
    ("gnc", "vizier"),
    ("gaia", "gaia"),
)
SUFFIXES = (".parquet", ".fits", ".csv")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--fetch-rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("out/surveys"), help="git-ignored")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{cpu()}, {options.rows:,} rows")
    part("readers")
    print("| survey | spelling | Parquet | FITS | CSV | text |")
    print("|---|---|---|---|---|---|")
    for survey, spelling in TABLES:
        table = native_table(survey, spelling, options.rows)
        rates = []
        for suffix in SUFFIXES:
            path = options.folder / f"{survey}{suffix}"
            path.unlink(missing_ok=True)
            rates.append(rate(write(table, path)))
            path.unlink()
        print(f"| {survey} | {spelling} | {' | '.join(f'{r:,.0f}' for r in rates)} | |", flush=True)
    path = sirius(options.folder / "sirius.dat", options.rows)
    print(f"| sirius | text | | | | {rate(path):,.0f} |", flush=True)
    path.unlink()
    fetched(options.folder / "virac2", options.fetch_rows)


def rate(path: Path) -> float:
    """Rows per second of opening and reading a file, the better of two times."""
    best = 0.0
    for _ in range(2):
        start = time.perf_counter()
        n = sum(chunk.num_rows for chunk in open_survey(path).chunks())
        best = max(best, n / (time.perf_counter() - start))
    return best


def sirius(path: Path, n: int) -> Path:
    """Write lines in the text layout of SIRIUS."""
    rng = np.random.default_rng(1)
    lines = [
        sirius_line(f"17:{m:02d}:{s:07.4f}", f"-29:{m:02d}:{s:06.3f}", (j, j - 2.0, j - 3.0))
        for m, s, j in zip(
            rng.integers(30, 60, n), rng.uniform(0, 59.9, n), rng.uniform(14, 18, n), strict=True
        )
    ]
    path.write_text("".join(lines), encoding="ascii")
    return path


def fetched(folder: Path, n: int) -> None:
    """Print how long a window takes from a service on this machine."""
    l_range, b_range = (-0.5, 0.5), (-0.5, 0.5)
    table = native_table("virac2", "eso", n)
    rng = np.random.default_rng(2)
    table["ra"][:], table["de"][:] = galactic_to_icrs(
        rng.uniform(*l_range, n), rng.uniform(*b_range, n)
    )
    part("fetch")
    print("| rows | rows of a tile | tiles | jobs | seconds | rows/s |")
    print("|---|---|---|---|---|---|")
    with serve({"VVVX_VIRAC_V2_SOURCES": table}) as server:
        for tile_rows in (n, n // 10):
            shutil.rmtree(folder, ignore_errors=True)
            server.queries.clear()
            done = fetch(
                "virac2", l_range, b_range, folder, service=server.url, tile_rows=tile_rows
            )
            assert done.n_rows == n, f"{done.n_rows} rows fetched of {n}"
            print(
                f"| {n:,} | {tile_rows:,} | {done.n_tile} | {len(server.queries) - 1} | "
                f"{done.seconds:.1f} | {n / done.seconds:,.0f} |",
                flush=True,
            )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
