"""Posteriors of real stars whose distances are known: members of open clusters.

The table has the columns of the members of Pena Ramirez et al. 2022 (MNRAS 513, 5799): positions,
motions and parallaxes of Gaia, VVV magnitudes, the cluster and its distance (Cantat-Gaudin et al.
2020, A&A 640, A1), from Gaia DR2 and the diagram of its members, by a tenth uncertain. The second
reference is the mean parallax that Gaia DR3 measured for the members, less the zero point of stars
of their magnitudes (Lindegren et al. 2021, A&A 649, A4): as accurate as 3 % at 2.3 kpc.

Run ``python benchmarks/real_distances.py TABLE``.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import gcmock
from gcmock.validation.scores import coverage
from gcmock.words.flags import Flag
from printed import part, table

ZERO_POINT_MAS, LEAST_ERROR_MAS = -0.035, 0.02
"""Of a mean parallax: the zero point of G = 14 to 17, and what is added to every error."""

LARGEST_MAG = 50.0
"""Magnitudes from here on are marks of missing ones."""

NAMES = {
    "plx": "parallax", "eplx": "parallax_error", "pmra": "pmra", "epmra": "pmra_error",
    "pmdec": "pmdec", "epmdec": "pmdec_error", "mj": "phot_j_mag", "ej": "phot_j_mag_error",
    "mh": "phot_h_mag", "eh": "phot_h_mag_error", "mk": "phot_ks_mag", "ek": "phot_ks_mag_error",
    "ra": "ra", "dec": "dec",
}  # fmt: skip

PHOTOMETRY = [name for name in NAMES.values() if name.startswith(("ra", "dec", "phot"))]
ASTROMETRY = ["parallax", "parallax_error"]
MOTIONS = ["pmra", "pmra_error", "pmdec", "pmdec_error"]

RUNS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "J H Ks": (PHOTOMETRY, {}),
    "J H Ks, parallax, `--no-learn`": (PHOTOMETRY + ASTROMETRY, {"no_learn": True}),
    "J H Ks, parallax": (PHOTOMETRY + ASTROMETRY, {}),
    "J H Ks, parallax, motion": (PHOTOMETRY + ASTROMETRY + MOTIONS, {}),
}


def members_of(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return the columns of the members, their clusters, and the distances of these [pc]."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))

    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return np.nan

    columns = {}
    for name, ours in NAMES.items():
        values = np.array([number(row[name]) for row in rows])
        if ours.startswith("phot"):
            values[values > LARGEST_MAG] = np.nan
        columns[ours] = values
    cluster = np.array([row["cluster"] for row in rows])
    distance = np.array([number(row["distance_cg20_pc"]) for row in rows])
    return columns, cluster, distance


def parallax_distance(columns: dict[str, np.ndarray], cluster: np.ndarray) -> np.ndarray:
    """Return the distance of every member's cluster by the mean parallax of its members [pc]."""
    weight = 1.0 / (columns["parallax_error"] ** 2 + LEAST_ERROR_MAS**2)
    distance = np.empty(cluster.size)
    for one in np.unique(cluster):
        rows = (cluster == one) & np.isfinite(columns["parallax"] * weight)
        mean = np.average(columns["parallax"][rows], weights=weight[rows])
        distance[cluster == one] = 1000.0 / (mean - ZERO_POINT_MAS)
    return distance


def scores(mock: Any, distance: np.ndarray, rows: np.ndarray) -> list[str]:
    """Return the scores of some of the stars."""
    first = mock["realisation"].to_numpy() == 0
    q05, q16, q50, q84, q95, flags = (
        mock[name].to_numpy()[first][rows].astype(float)
        for name in ("distance_q05_pc", "distance_q16_pc", "distance_q50_pc", "distance_q84_pc",
                     "distance_q95_pc", "flags")
    )  # fmt: skip
    true = distance[rows]
    pull = (true - q50) / (0.5 * (q84 - q16))
    flagged = (flags.astype(np.int64) & int(Flag.UNEXPLAINED)) > 0
    return [
        str(true.size),
        f"{100.0 * (np.median(q50 / true) - 1.0):+.1f} %",
        f"{np.median(pull):+.2f}",
        f"{0.5 * np.diff(np.percentile(pull, [16, 84]))[0]:.2f}",
        f"{coverage(true, q16, q84):.2f}",
        f"{coverage(true, q05, q95):.2f}",
        f"{100.0 * flagged.mean():.1f} %",
    ]


def main() -> None:
    """Build the members and print how often the published distances are covered."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    columns, cluster, distance = members_of(options.table)
    references = {"published": distance, "parallax": parallax_distance(columns, cluster)}
    head = ("stars", "of", "distance", "n", "D50 / D - 1", "median pull",
            "its scatter", "68 % covers", "90 % covers", "UNEXPLAINED")  # fmt: skip
    lines, each = [], []
    for name, (used, settings) in RUNS.items():
        start = time.perf_counter()
        mock = gcmock.build(
            pa.table({name: columns[name] for name in used}), realisations=10, seed=1,
            workers=options.workers, photometry={"system": "vista"}, **settings,
        )  # fmt: skip
        everyone = np.ones(distance.size, bool)
        for reference, true in references.items():
            lines.append([name, "all", reference, *scores(mock, true, everyone)])
            if name == "J H Ks, parallax":
                each += [[name, one, reference, *scores(mock, true, cluster == one)]
                         for one in np.unique(cluster)]  # fmt: skip
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    part("clusters")
    table(head, [*lines, *each])


if __name__ == "__main__":
    main()
