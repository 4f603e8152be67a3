"""Expected counts of stars against the star lists of genstars: the table of docs/results.md.

    python benchmarks/counts.py [--shared FOLDER]

Ks 6 to 15.5, five fields of 0.0025 square degrees, with the mean extinction of the cells and with
that of sub-cells. `tests/test_counts.py` asserts that they agree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from printed import table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from test_counts import genstars_counts

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    results = {stars: genstars_counts(options.shared, stars) for stars in ("cellmean", "subcell")}
    rows = []
    for words, stars in (("mean of the cell", "cellmean"), ("sub-cells", "subcell")):
        found, expected = results[stars]
        sigma = (found - expected) / np.sqrt(expected)
        worst = np.unravel_index(np.abs(sigma).argmax(), sigma.shape)
        most = f"{sigma[worst]:+.1f} sigma ({found[worst]} stars for {expected[worst]:.1f})"
        rms = np.sqrt(np.mean(sigma**2))
        rows.append([words, f"{found.sum():,}", f"{expected.sum():,.0f}", f"{rms:.2f}", most])
    table(
        ("extinction", "listed", "expected", "rms of (listed - expected) / Poisson noise",
         "largest of field and component"),
        rows,
    )  # fmt: skip


if __name__ == "__main__":
    main()
