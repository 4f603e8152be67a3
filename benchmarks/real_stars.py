"""Mock catalogues of real stars: every row accounted for, and the counts per component.

    python benchmarks/real_stars.py [--shared FOLDER] [--output FOLDER]

Cuts the JASMINE target list to the JASMINE window, builds it and the long-period variables of VVV
with the settings of `examples/`, and prints what `docs/results.md` quotes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gcmock.cli.app import run
from gcmock.frames import icrs_to_galactic
from gcmock.mock.build import build
from gcmock.mock.summary import BuildSummary
from gcmock.reporting.demo import read_columns
from gcmock.reporting.page.write import write_report
from gcmock.reporting.terminal import print_summary
from gcmock.settings.build import load_config
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag
from printed import part, table

ROOT = Path(__file__).parents[1]
L_RANGE, B_RANGE = (-1.4, 0.7), (-0.6, 0.6)
ASSUMED_ERROR_MAG = 0.05
"""That of the settings of the JASMINE list."""


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
    """Build a catalogue, report and validate it, and print the parts of the documentation."""
    output = folder / f"mock_{catalogue.stem}.parquet"
    config = load_config(ROOT / "examples" / settings)
    summary = build(catalogue, output, config, overwrite=True)
    with redirect_stdout(sys.stderr):
        print(f"\n== {catalogue.name}, examples/{settings}")
        print_summary(summary)
    mock = read_columns(output)
    name = catalogue.stem.split("_")[0]
    part(f"{name}_components")
    components(summary)
    part(f"{name}_account")
    table(("quantity", "value"), account(summary, mock, read_columns(catalogue)))
    part(f"{name}_report")
    page = write_report(output, folder / f"{name}.html", input=catalogue, overwrite=True)
    size, seconds = f"{page.size / 1e6:.1f}", f"{page.seconds:.0f}"
    table(
        ("rows", "stars to look at one by one", "page [MB]", "seconds"),
        [(f"{page.n_row:,}", f"{page.n_posterior:,}", size, seconds)],
    )
    if name == "jasmine":
        compare_with_model(catalogue, output, folder / f"{name}_validation.md")


def compare_with_model(catalogue: Path, output: Path, found: Path) -> None:
    """Print what `gcmock validate` says of a catalogue that is limited in magnitude."""
    part("jasmine_validation")
    words = ["validate", output, "--input", catalogue, "--only", "predictive,offshelf"]
    with redirect_stdout(sys.stderr):
        # Exit code 1: the list fails.
        run([*map(str, words), "-o", str(found), "--overwrite"])
    print(found.read_text(encoding="utf-8"))


def components(summary: BuildSummary) -> None:
    """Print the expected stars of every component, of the discs together where they are few."""
    number, variance = summary.component_sum, summary.component_variance
    n_disc = len(COMPONENTS) - 3
    rows = list(zip(COMPONENTS, number, variance, strict=True))
    if number[:n_disc].max() < 100.0:
        discs = (f"discs ({COMPONENTS[0]} to {COMPONENTS[n_disc - 1]})", number[:n_disc].sum(),
                 variance[:n_disc].sum())  # fmt: skip
        rows = [discs, *rows[n_disc:]]
    digits = 1 if summary.n_star < 1000 else 0
    table(
        ("component", "expected stars (sum of P)", "+-", "fraction"),
        (
            (name, f"{n:,.{digits}f}", f"{np.sqrt(v):,.{digits}f}", f"{n / summary.n_star:.1%}")
            for name, n, v in rows
        ),
    )


def account(
    summary: BuildSummary, mock: dict[str, NDArray[Any]], given: dict[str, NDArray[Any]]
) -> Iterator[tuple[str, str]]:
    """Tell what was read and found."""
    yield "rows read, rows written", f"{summary.n_rows:,}, {summary.n_written:,}"
    for bands, n in summary.read.band_sets.most_common():
        yield f"stars with {bands}", f"{n:,}"
    for flag in (Flag.UNEXPLAINED, Flag.NO_SUBCELL, Flag.HW_EXTRAPOLATED):
        yield f"flag `{flag.name}`", f"{int(((mock['flags'] & flag) != 0).sum()):,}"
    total = np.sum([mock[f"p_{name}"] for name in COMPONENTS], axis=0, dtype=np.float64)
    yield "largest deviation of the sum of probabilities from 1", f"{np.abs(total - 1).max():.0e}"
    same = all(np.array_equal(mock[name], given[name]) for name in ("ra", "dec"))
    yield "positions are those of the input, bit by bit", "yes" if same else "no"
    width = np.median(mock["distance_q84_pc"] - mock["distance_q16_pc"])
    yield "median width of the 68 % interval of the distance", f"{width / 1000:.1f} kpc"
    if "phot_hw_mag" in given:
        pull = np.std((given["phot_hw_mag"] - mock["phot_hw_mag"]) / ASSUMED_ERROR_MAG)
        yield "standard deviation of (observed - true Hw)/error", f"{pull:.2f}"
    yield "seconds, stars/s", f"{summary.seconds:.0f}, {summary.rate:,.0f}"


if __name__ == "__main__":
    main()
