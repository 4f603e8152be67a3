"""Lists with the stars that they lack against the sky that they are of: tables of docs/complete.md.

    python benchmarks/complete.py [--n N]

N skies of 0.1 x 0.1 deg down to Ks = 15.5, each seen by a survey of which the completeness is known
(`tests/mock/test_infill.py`). Truth, and list with added stars, are summed over the skies.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from gcmock.mock.infill import missing_stars
from gcmock.model import load_model
from printed import part, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "mock"))

from test_infill import KS_MAX, WINDOW, added, pairs, surveyed

EDGES = np.array([8.0, 12.0, 13.0, 13.5, 14.0, 14.5, 15.0, KS_MAX])
RADII = (0.5, 1.0, 1.5, 2.0)
FAINT = 17.5


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=40)
    n = parser.parse_args().n
    model = load_model()
    counts, close = np.zeros((3, EDGES.size - 1)), np.zeros((n, 3, len(RADII)))
    for seed in range(n):
        sky = surveyed(model, 100 + seed)
        stars = added(model, sky, seed=seed)
        listed = {"l": sky.listed.l_deg, "b": sky.listed.b_deg}
        both = {name: np.append(listed[name], stars[name]) for name in listed}
        magnitudes = (sky.truth["phot_ks_mag"], sky.listed.ks_mag, stars["phot_ks_mag"])
        counts += [np.histogram(mag, EDGES)[0] for mag in magnitudes]
        close[seed] = [[pairs(one, r) for r in RADII] for one in (sky.truth, listed, both)]
    truth, seen, new = counts
    # The list is common to both; what it lacks has Poisson noise twice.
    noise = np.sqrt(np.maximum(truth - seen + new, 1.0))
    difference = seen + new - truth
    part("counts")
    table(
        ("Ks", "true stars", "listed", "listed and added", "difference", "in units of the noise"),
        (
            (f"{EDGES[i]:g} to {EDGES[i + 1]:g}", f"{truth[i]:,.0f}", f"{seen[i]:,.0f}",
             f"{seen[i] + new[i]:,.0f}", f"{100 * difference[i] / truth[i]:+.2f} %",
             f"{difference[i] / noise[i]:+.1f}")
            for i in range(truth.size)
        ),
    )  # fmt: skip
    part("pairs")
    apart = close[:, 2] - close[:, 0]
    scatter = apart.std(axis=0, ddof=1) * np.sqrt(n)
    total = close.sum(axis=0)
    table(
        ("pairs within", "of true stars", "listed", "listed and added", "difference",
         "in units of the scatter between skies"),
        (
            (f"{radius:g} arcsec", *(f"{total[k, i]:,.0f}" for k in range(3)),
             f"{100 * apart[:, i].sum() / total[0, i]:+.2f} %",
             f"{apart[:, i].sum() / scatter[i]:+.1f}")
            for i, radius in enumerate(RADII)
        ),
    )  # fmt: skip
    part("speed")
    start = time.perf_counter()
    found = missing_stars(model, WINDOW, FAINT, sky.detection, sky.listed)
    n_added = sum(account.n_added for _, account in found)
    seconds = time.perf_counter() - start
    table(
        ("down to Ks", "added stars", "seconds, one thread", "added stars per second"),
        [(FAINT, f"{n_added:,}", f"{seconds:.2f}", f"{n_added / seconds:,.0f}")],
    )


if __name__ == "__main__":
    main()
