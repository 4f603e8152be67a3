"""Small mock catalogues, written by hand, for the tests of missions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gcmock.frames import galactic_to_icrs
from gcmock.io.writers.writer import open_writer
from gcmock.settings.build import load_config
from gcmock.stars.bands import load_relation
from gcmock.words.columns import TRUTH_COLUMNS


def true_stars(n: int, seed: int = 1, **columns: Any) -> dict[str, np.ndarray]:
    """Stars spread over the JASMINE window, with all columns of the truth."""
    rng = np.random.default_rng(seed)
    l_deg, b_deg = rng.uniform(-1.4, 0.7, n), rng.uniform(-0.6, 0.6, n)
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    distance = rng.uniform(500.0, 9000.0, n)
    h = rng.uniform(10.0, 13.5, n)
    j, ks = h + rng.uniform(0.2, 1.5, n), h - rng.uniform(0.1, 0.6, n)
    stars = {
        "source_id": rng.permutation(10 * n)[:n],
        "realisation": np.zeros(n, dtype=np.int32),
        "ra": ra,
        "dec": dec,
        "l": l_deg,
        "b": b_deg,
        "ref_epoch": np.full(n, 2016.0),
        "distance_pc": distance,
        "parallax": 1000.0 / distance,
        "pmra": rng.normal(0.0, 4.0, n),
        "pmdec": rng.normal(0.0, 4.0, n),
        "radial_velocity": rng.normal(0.0, 100.0, n),
        "component": np.full(n, "nsd"),
        "mass_init": np.full(n, 1.0, dtype=np.float32),
        "age_gyr": np.full(n, 7.0, dtype=np.float32),
        "metallicity": np.zeros(n, dtype=np.float32),
        "phot_j_mag": j,
        "phot_h_mag": h,
        "phot_ks_mag": ks,
        "phot_hw_mag": load_relation("hw", "yano2021_2mass").mag(j, h),
        "a_ks": np.full(n, 0.1),
    }
    stars.update({f"{axis}_pc": np.zeros(n) for axis in "xyz"})
    stars.update({f"v{axis}": np.zeros(n) for axis in "xyz"})
    return stars | columns


def write_catalogue(path: Path, stars: dict[str, np.ndarray], *without: str) -> Path:
    """Write the truth columns of stars, but for some, with the metadata of a mock catalogue."""
    columns = [column for column in TRUTH_COLUMNS if column.name not in without]
    if stars["source_id"].dtype.kind == "U":
        columns[0] = columns[0].with_dtype(stars["source_id"].dtype.str[1:])
    metadata = {"config": load_config().to_toml()}
    with open_writer(path, columns, metadata) as writer:
        writer.write({column.name: stars[column.name] for column in columns})
    return path
