"""Print how far the model is from genulens and genstars: the tables of ``docs/model.md``.

REFERENCE is a folder with ``density_reference.csv`` (genulens 2.0.0a4),
``density_reference_genstars.csv`` and ``kinematics_reference.csv`` (genstars 9b0ecb0).

``python tools/compare_model.py REFERENCE``
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.words.components import COMPONENTS

FloatArray = NDArray[np.float64]

VARIANTS = {
    "EXE": {},
    "E": {"bar": "E"},
    "G": {"bar": "G"},
    "GXG": {"bar": "G+G_X"},
    "EXE_hDISK1": {"disc": "linear"},
}
"""Variants of ``density_reference.csv`` as keywords of `load_galactic_model`."""

BARS = {"EXE": "E+E_X", "E": "E", "G": "G", "GXG": "G+G_X"}
"""Names of the bars, in the order of the table."""

THIN = "thin1 ... thin7"

QUANTITIES = ("vx", "vy", "vz", "mul_cosb", "mub", "vrad")
N_DRAW = 100_000
SEED = 5


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open() as stream:
        return list(csv.DictReader(stream))


def column(rows: list[dict[str, str]], name: str) -> FloatArray:
    """One column as numbers."""
    return np.array([float(row[name]) for row in rows])


def deviation(ours: FloatArray, printed: FloatArray) -> float:
    """Largest relative deviation beyond the rounding of seven printed digits.

    Points where the reference is not positive and finite are left out.
    """
    good = np.isfinite(printed) & (printed > 0)
    if not good.any():
        return 0.0
    ours, printed = ours[good], printed[good]
    rounding = 0.5 * 10.0 ** (np.floor(np.log10(printed)) - 6)
    return float((np.maximum(np.abs(ours - printed) - rounding, 0.0) / printed).max())


def shown(name: str) -> str:
    """Row of the tables in which a component stands."""
    return THIN if name.startswith("thin") else name


def short(value: float | None) -> str:
    """Return a deviation as text."""
    if value is None:
        return "-"
    return f"{value:.1e}".replace("e-0", "e-") if value >= 1e-7 else "below 1e-7"


def compare_densities(reference: Path) -> None:
    """Living stars and mass per component, every variant."""
    title = {"nsd": "NSD", "nsc": "NSC"}
    everything = read_rows(reference / "density_reference.csv")
    genulens: dict[str, float] = defaultdict(float)
    bars = {}
    for variant, keywords in VARIANTS.items():
        rows = [row for row in everything if row["variant"] == variant]
        model = load_galactic_model(**keywords)
        ours = model.number_density(*(column(rows, c) for c in ("l_deg", "b_deg", "D_pc")))
        for i, name in enumerate(COMPONENTS[:10]):
            off = deviation(ours[:, i], column(rows, f"nMS_{title.get(name, name)}"))
            genulens[shown(name)] = max(genulens[shown(name)], off)
            if name == "bar":
                # The discs hold part of the mass of the bar's box.
                bar = variant.removesuffix("_hDISK1")
                bars[bar] = max(bars.get(bar, 0.0), off)
    rows = read_rows(reference / "density_reference_genstars.csv")
    place = [column(rows, c) for c in ("l_deg", "b_deg", "D_pc")]
    model = load_galactic_model()
    number, mass = model.number_density(*place), model.mass_density(*place)
    genstars: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for i, name in enumerate(COMPONENTS):
        for k, (ours, kind) in enumerate(((number, "nMS"), (mass, "rho"))):
            off = deviation(ours[:, i], column(rows, f"{kind}_{title.get(name, name)}"))
            genstars[shown(name)][k] = max(genstars[shown(name)][k], off)
    print("<!-- part: densities -->\n")
    print("| component | living stars, genulens | living stars, genstars | mass, genstars |")
    print("|---|---|---|---|")
    for name, (stars, solar) in genstars.items():
        label, living = name, short(genulens.get(name))
        if name == "bar":
            label = "bar, " + " / ".join(f"`{bar}`" for bar in BARS.values())
            living = " / ".join(short(bars[variant]) for variant in BARS)
        print(f"| {label} | {living} | {short(stars)} | {short(solar)} |")


def compare_velocities(reference: Path) -> None:
    """Means and standard deviations of 100,000 draws per point."""
    model = load_galactic_model()
    rng = np.random.default_rng(SEED)
    worst: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in read_rows(reference / "kinematics_reference.csv"):
        name = row["component"].lower()
        place = float(row["l_deg"]), float(row["b_deg"]), np.full(N_DRAW, float(row["D_pc"]))
        found = worst[shown(name)]
        for quantity, drawn in zip(
            QUANTITIES, model.sample_observables(name, *place, rng), strict=True
        ):
            mean, std = float(row[f"mean_{quantity}"]), float(row[f"std_{quantity}"])
            found[0] = max(found[0], abs(drawn.mean() - mean) / std)
            found[1] = max(found[1], abs(drawn.std() / std - 1.0))
    print("\n<!-- part: velocities -->\n")
    print("| component | largest difference of means [sigma] | "
          "largest difference of standard deviations |\n|---|---|---|")  # fmt: skip
    for name, (mean, std) in worst.items():
        print(f"| {name} | {mean:.3f} | {100 * std:.1f} % |")


def main(arguments: list[str]) -> None:
    """Compare everything with the references in the folder given."""
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    reference = Path(arguments[0])
    compare_densities(reference)
    compare_velocities(reference)


if __name__ == "__main__":
    main(sys.argv[1:])
