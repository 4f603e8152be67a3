"""How many possible, and how many impossible stars are flagged: the table of docs/results.md.

    python benchmarks/flags.py [--shared FOLDER]

Stars of genstars with sub-cell extinction get noise and are built with the default settings; then
the same stars with an H that is 0.5 mag too faint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from astropy.table import Table

import gcmock
from gcmock.words.flags import Flag
from printed import table

ROOT = Path(__file__).resolve().parents[1]
CASES = (
    # populations, noise [mag], added to H [mag]
    ("parsec", 0.05, 0.0),
    ("koshimoto2021", 0.05, 0.0),
    ("parsec", 0.02, 0.0),
    ("parsec", 0.05, 0.5),
)


def flagged(stars: dict[str, np.ndarray], populations: str, noise: float, off: float) -> int:
    """Return how many stars are flagged as unexplained."""
    rng = np.random.default_rng(5)
    table = Table({"l": stars["l"], "b": stars["b"]})
    for band in ("j", "h", "ks"):
        mag = stars[f"phot_{band}_mag"] + rng.normal(0.0, noise, len(table))
        table[f"phot_{band}_mag"] = mag + (off if band == "h" else 0.0)
        table[f"phot_{band}_mag_error"] = np.full(len(table), noise)
    mock = gcmock.build(table, populations={"name": populations})
    return int(((np.asarray(mock["flags"]) & Flag.UNEXPLAINED) != 0).sum())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    source = pq.read_table(options.shared / "reference" / "stars_subcell.parquet")
    names = ("l", "b", "phot_j_mag", "phot_h_mag", "phot_ks_mag")
    stars = {name: source[name].to_numpy().astype(float) for name in names}
    n = source.num_rows

    def row(case: tuple[str, float, float]) -> tuple[str, ...]:
        found = flagged(stars, *case)
        populations, noise, off = case
        what = f"H {off:g} mag too faint" if off else "as they are"
        return populations, f"{noise:g}", what, f"{n:,}", f"{found:,}", f"{found / n:.3%}"

    table(("populations", "noise [mag]", "magnitudes", "stars", "flagged", "fraction"),
          map(row, CASES))  # fmt: skip


if __name__ == "__main__":
    main()
