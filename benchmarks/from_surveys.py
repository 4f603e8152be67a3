"""From simulated surveys to a mock catalogue that is validated with the completeness of the merge.

    python benchmarks/from_surveys.py [--width 0.2] [--seed 4] [--folder FOLDER]

Simulates 2MASS, VIRAC2, SIRIUS and Gaia on a square around l = 0.40, b = -0.30,
merges them, builds the mock catalogue, and lets `gcmock validate` compare both with the model:
once with the completeness that the merge estimated, once as if every star were seen.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from gcmock.cli.app import run
from printed import part, table

SURVEYS = {
    "2mass": "2mass.csv",
    "virac2": "virac2.fits",
    "sirius": "sirius.dat",
    "gaia": "gaia.csv",
}
FAINTEST, LIMITS = 17.0, ("11", "15.5")
"""Faintest star that is simulated, and the range that is compared [mag in Ks]."""

L_DEG, B_DEG = 0.40, -0.30

COLUMNS = ("quantity", "value", "expected", "verdict")


def main() -> None:
    """Simulate, merge, build, validate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=0.2, help="of the square [deg]")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--folder", type=Path, help="keeps the files here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        with redirect_stdout(sys.stderr):
            make(folder, 0.5 * options.width, options.seed)
        part("with")
        table(COLUMNS, validated(folder, ["--completeness", str(folder / "catalogue")]))
        part("without")
        table(COLUMNS, (row for row in validated(folder, []) if row[0].startswith("prior")))


def make(folder: Path, half: float, seed: int) -> None:
    """Write the surveys, the merged and the mock catalogue."""
    window = {"l": (L_DEG - half, L_DEG + half), "b": (B_DEG - half, B_DEG + half)}
    words = [
        "simulate",
        "--surveys",
        ",".join(SURVEYS),
        "-o",
        str(folder / "surveys"),
        "--seed",
        str(seed),
    ]
    for axis, (low, high) in window.items():
        words += [f"--{axis}", f"{low:.4f}", f"{high:.4f}"]
    succeed([*words, "--ks-max", str(FAINTEST), "--overwrite"])
    ranges = "".join(f"{axis} = [{low:.4f}, {high:.4f}]\n" for axis, (low, high) in window.items())
    surveys = "".join(f'[[survey]]\nname = "{k}"\npath = "{v}"\n' for k, v in SURVEYS.items())
    settings = folder / "surveys" / "merge.toml"
    settings.write_text(f"{surveys}[window]\n{ranges}", encoding="utf-8")
    succeed(["merge", str(settings), "-o", str(folder / "catalogue"), "--overwrite"])
    words = ["build", str(folder / "catalogue"), "-o", str(folder / "mock.parquet")]
    succeed([*words, "--overwrite"])


def validated(folder: Path, more: list[str]) -> list[list[str]]:
    """Return what validate says of the magnitudes and colours: `COLUMNS` of every line."""
    output = folder / "validation.json"
    words = ["validate", str(folder / "mock.parquet"), "--input", str(folder / "catalogue")]
    words += ["--only", "predictive", "--limits", *LIMITS, *more]
    with redirect_stdout(sys.stderr):
        # Exit code 1: some test fails, and the table says which.
        run([*words, "-o", str(output), "--overwrite"])
    checks = json.loads(output.read_text(encoding="utf-8"))["checks"]
    return [
        [one["quantity"], f"{one['value']:.4g}", one["expected"], one["verdict"]] for one in checks
    ]


def succeed(words: list[str]) -> None:
    """Run a command that must not fail."""
    if run(words):
        raise SystemExit(f"gcmock {words[0]} failed")


if __name__ == "__main__":
    main()
