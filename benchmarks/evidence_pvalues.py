"""Uniformity of `evidence_pvalue` on the model's own stars, by what was measured: docs/results.md.

    python benchmarks/evidence_pvalues.py [--stars 20000] [--cases NAME ...] [--folder FOLDER]

Stars of `gcmock simulate` get noise, and are built without learning. KS is the distance of the
p-values from a uniform distribution; the counts below 0.01, 1e-3 and 1e-4 stand beside those that
are expected. The lists are cut in the observed brightness, one magnitude above the faint limit of
the simulated sky.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from astropy.table import Table

import gcmock
from gcmock.validation.scores import ks_uniform
from gcmock.words.flags import Flag
from printed import head, row


class Sky(NamedTuple):
    """A window, and its faint limit in Ks."""

    l: tuple[float, float]
    b: tuple[float, float]
    ks_max: float


SKIES = {
    "window": Sky((-0.35, 0.25), (-0.40, -0.1), 15.0),
    "bright": Sky((-2.0, 2.0), (-1.5, 1.5), 9.0),
}


class Case(NamedTuple):
    """What is measured of the stars of a sky.

    Errors are standard deviations, or two of them between which ln of the error is uniform.
    """

    sky: str
    bands: str
    mag: tuple[float, float]
    parallax: tuple[float, float] | None = None
    pm: tuple[float, float] | None = None
    faintest: float = 14.0


CASES = {
    "J, H, Ks": Case("window", "j h ks", (0.05, 0.05)),
    "J, H, Ks, errors 0.02-0.15 each": Case("window", "j h ks", (0.02, 0.15)),
    "H, Ks": Case("window", "h ks", (0.02, 0.1)),
    "J, Ks": Case("window", "j ks", (0.05, 0.05)),
    "Ks": Case("window", "ks", (0.05, 0.05)),
    "Hw": Case("window", "hw", (0.05, 0.05)),
    "J, H, Ks, motion 0.1-2 mas/yr": Case("window", "j h ks", (0.05, 0.05), None, (0.1, 2.0)),
    "Ks < 8: J, H, Ks": Case("bright", "j h ks", (0.03, 0.03), faintest=8.0),
    "Ks < 8: J, H, Ks, parallax 0.02-0.3": Case(
        "bright", "j h ks", (0.02, 0.03), (0.02, 0.3), faintest=8.0
    ),
    "Ks < 8: parallax 0.02, motion 0.02": Case(
        "bright", "j h ks", (0.02, 0.02), (0.02, 0.02), (0.02, 0.02), 8.0
    ),
}

COLUMNS = (
    "measured", "stars", "KS", "p < 0.01 / expected", "p < 1e-3 / expected",
    "p < 1e-4 / expected", "flagged before (< 1e-3 per deg2)",
)  # fmt: skip


def errors(rng: np.random.Generator, limits: tuple[float, float], n: int) -> np.ndarray:
    """Draw errors."""
    return np.exp(rng.uniform(*np.log(limits), n))


def observed(truth: dict[str, np.ndarray], case: Case, n: int) -> Table:
    """Measure true stars."""
    rng = np.random.default_rng(11)
    # The error of the model itself is part of what is measured.
    floor = gcmock.load_model().config.photometry.error_floor_mag
    size = truth["l"].size
    columns = {name: truth[name] for name in ("source_id", "l", "b")}
    for band in case.bands.split():
        error = errors(rng, case.mag, size)
        noise = rng.normal(0.0, np.hypot(error, floor if band != "hw" else 0.0))
        columns[f"phot_{band}_mag"] = truth[f"phot_{band}_mag"] + noise
        columns[f"phot_{band}_mag_error"] = error
    if case.parallax:
        columns["parallax_error"] = errors(rng, case.parallax, size)
        columns["parallax"] = truth["parallax"] + rng.normal(0.0, columns["parallax_error"])
    if case.pm:
        for axis in ("pmra", "pmdec"):
            columns[f"{axis}_error"] = errors(rng, case.pm, size)
            columns[axis] = truth[axis] + rng.normal(0.0, columns[f"{axis}_error"])
    last = columns[f"phot_{case.bands.split()[-1]}_mag"]
    rows = np.flatnonzero(last < case.faintest)
    rows = np.sort(rng.permutation(rows)[:n])
    return Table({name: np.asarray(values)[rows] for name, values in columns.items()})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stars", type=int, default=20_000)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--folder", type=Path, help="keeps the simulated skies")
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        head(COLUMNS)
        for name in options.cases:
            case = CASES[name]
            path = folder / f"{case.sky}.parquet"
            if not path.exists():
                sky = SKIES[case.sky]
                gcmock.simulate(l=sky.l, b=sky.b, output=path, ks_max=sky.ks_max, seed=21)
            table = pq.read_table(path)
            truth = {c: table[c].to_numpy() for c in table.column_names if c != "component"}
            stars = observed(truth, case, options.stars)
            mock = gcmock.build(stars, no_learn=True, workers=options.workers)
            p, flags = np.asarray(mock["evidence_pvalue"]), np.asarray(mock["flags"])
            assert np.isfinite(p).all()
            assert ((flags & Flag.UNEXPLAINED) != 0).sum() == (p < 1e-4).sum()
            below = [f"{(p < q).sum():,} / {q * p.size:,.0f}" for q in (0.01, 1e-3)]
            below.append(f"{(p < 1e-4).sum()} / {1e-4 * p.size:.1f}")
            row((name, f"{p.size:,}", f"{ks_uniform(p):.4f}", *below, f"{before(stars, mock):.1%}"))


def before(stars: Table, mock: Table) -> float:
    """Fraction of stars of which the model expects less than 1e-3 in a square degree."""
    volume = np.zeros(len(stars))
    for name in stars.colnames:
        if name.endswith("_error") and name.startswith(("phot", "parallax")):
            volume += np.log(np.sqrt(2.0 * np.pi) * np.asarray(stars[name]))
    return float((np.asarray(mock["log_evidence"]) + volume < np.log(1e-3)).mean())


if __name__ == "__main__":
    main()
