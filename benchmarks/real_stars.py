"""Mock catalogues of real stars: every row accounted for, and the counts per component.

    python benchmarks/real_stars.py [--shared FOLDER] [--output FOLDER]

Cuts the JASMINE target list to the JASMINE window, builds it and the long-period variables of VVV
with the settings of `examples/`, and prints what `docs/results.md` quotes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from gcmock.config import load_config
from gcmock.frames import icrs_to_galactic
from gcmock.mock.build import build
from gcmock.mock.demo import read_columns
from gcmock.report.terminal import print_summary
from gcmock.schema import COMPONENTS, Flag

ROOT = Path(__file__).parents[1]
L_RANGE, B_RANGE = (-1.4, 0.7), (-0.6, 0.6)


def main() -> None:
    """Build and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--output", type=Path, default=Path("out"))
    options = parser.parse_args()
    options.output.mkdir(exist_ok=True, parents=True)
    real = options.shared / "real"
    window = options.output / "jasmine_window.parquet"
    cut_to_window(real / "jasmine_hw_catalogue.parquet", window)
    report(window, "jasmine_window.toml", options.output)
    report(real / "vvv_lpv_mira_window.csv", "vvv_variables.toml", options.output)


def cut_to_window(catalogue: Path, output: Path) -> None:
    """Write the stars of the JASMINE window (|b| < 0.6, -1.4 < l < 0.7 deg)."""
    table = pq.read_table(catalogue)
    l_deg, b_deg = icrs_to_galactic(table["ra"].to_numpy(), table["dec"].to_numpy())
    inside = (l_deg > L_RANGE[0]) & (l_deg < L_RANGE[1])
    inside &= (b_deg > B_RANGE[0]) & (b_deg < B_RANGE[1])
    pq.write_table(table.filter(inside), output)


def report(catalogue: Path, settings: str, folder: Path) -> None:
    """Build a catalogue and print its summary and checks."""
    output = folder / f"mock_{catalogue.stem}.parquet"
    config = load_config(ROOT / "examples" / settings)
    print(f"\n== {catalogue.name}, examples/{settings}")
    summary = build(catalogue, output, config, overwrite=True)
    print_summary(summary)
    mock = read_columns(output)
    total = np.sum([mock[f"p_{name}"] for name in COMPONENTS], axis=0)
    width = np.median(mock["distance_q84_pc"] - mock["distance_q16_pc"])
    unexplained = int(((mock["flags"] & Flag.UNEXPLAINED) != 0).sum())
    print(f"largest deviation of the sum of probabilities from 1: {np.abs(total - 1).max():.1e}")
    print(f"median width of the 68 % interval of the distance: {width:.0f} pc")
    print(f"unexplained stars: {unexplained}")


if __name__ == "__main__":
    main()
