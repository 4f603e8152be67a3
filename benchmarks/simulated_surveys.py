"""What the simulated surveys hold, next to the counts of the real ones, and what they cost.

    python benchmarks/simulated_surveys.py [--l L0 L1] [--b B0 B1] [--workers W] [--folder F]
        [--pilot]

The first table is made of the files that ``gcmock simulate --surveys`` writes for the window of the
JASMINE mission (or the part of it that is asked for), read back by the readers of gcmock. The union
of 2MASS, SIRIUS and VVV counts every true star, ghost or peak of noise once. The second table has
the fraction of the true stars of a magnitude that are the brightest star of a row. With --pilot the
three surveys are also merged by the rule of the pilot catalogue. The third table is for the deeper
GALACTICNUCLEUS, in samples of its fields and down to Ks = 19.5. Memory is the largest of the
process that simulates.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gcmock.surveys.definition import survey_names
from gcmock.surveys.read.open_survey import open_survey
from machine import cpu
from printed import part, table

WINDOW = ((-1.4, 0.7), (-0.6, 0.6))
UNION = ("2mass", "sirius", "vvv")
BANDS = {"gaia": ("g", "bp", "rp")}
REAL = {
    # rows per square degree, fractions with each band: JASMINE-Mission/pilot_catalog,
    # docs/overview.md for 2MASS, SIRIUS and VVV DR2 merged; the SIRIUS file has 12.23 million rows
    # in 12 deg2;
    # 3.3 million stars in 0.3 deg2, J/A+A/631/A20 ReadMe.
    "union": (2_789_173 / 2.52, (1_286_852 / 2_789_173, 2_363_883 / 2_789_173, 0.9652)),
    "sirius": (12.23e6 / 12.0, None),
}
REAL_GNC = (3.3e6 / 0.3, (0.20, 0.65, 0.90))
GNC_SAMPLES = (
    # l, b of a corner, and the weight of the field that it stands for (area of the survey, deg2)
    (-0.10, -0.10, 0.04), (0.15, 0.0, 0.04), (-0.30, -0.15, 0.04), (-0.20, 0.03, 0.04),
    (0.35, -0.10, 0.036), (0.65, -0.10, 0.018), (-0.60, -0.10, 0.018), (-0.10, 0.38, 0.018),
)  # fmt: skip
GNC_SIDE = 0.05


def processor_seconds() -> float:
    """Processor time of all commands so far [s]."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def simulate(folder: Path, l: tuple, b: tuple, surveys: str, ks_max: float, workers: int) -> dict:
    """Run the command line; return its account with times [s] and memory [GB] added."""
    start, before = time.perf_counter(), processor_seconds()
    subprocess.run(
        [
            sys.executable, "-m", "gcmock", "simulate", "-o", str(folder), "--surveys", surveys,
            "--l", *map(str, l), "--b", *map(str, b), "--ks-max", str(ks_max), "--seed", "1",
            "--workers", str(workers),
        ],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    account = json.loads((folder / "survey.json").read_text(encoding="utf-8"))
    account["seconds"] = time.perf_counter() - start
    account["processor"] = processor_seconds() - before
    account["gigabyte"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return account


def bands_seen(folder: Path, survey: str) -> np.ndarray:
    """Return whether each row has a magnitude in each band (n_row, 3), as readers give it."""
    path = next(folder.glob(f"{survey}.*"), None)
    if path is None:
        return np.zeros((0, 3), bool)
    names = [f"phot_{band}_mag" for band in BANDS.get(survey, ("j", "h", "ks"))]
    parts = [
        np.column_stack([np.isfinite(chunk[name].to_numpy()) for name in names])
        for chunk in open_survey(path, survey).chunks()
    ]
    return np.concatenate(parts)


def percent(fraction: np.ndarray | tuple | None) -> str:
    return "-" if fraction is None else ", ".join(f"{100 * one:.0f}" for one in fraction)


def line(name: str, seen: np.ndarray, area: float, rest: str) -> str:
    real, fractions = REAL.get(name, (None, None))
    density = "-" if real is None else f"{real:,.0f}"
    own = seen.mean(axis=0) if len(seen) else np.zeros(3)
    cells = [name, f"{len(seen) / area:,.0f}", density, percent(own), percent(fractions), rest]
    return f"| {' | '.join(cells)} |"


def count(folder: Path, area: float) -> None:
    """Print the table of all surveys of a folder and of the union."""
    columns = ["survey", "true_source_id", "kind", "blend_fraction", "copy"]
    links = pq.read_table(folder / "truth_links.parquet", columns=columns)

    def is_one(column: str, value: str) -> np.ndarray:
        return pc.equal(links[column], value).to_numpy(zero_copy_only=False)

    ghost, noise = is_one("kind", "ghost"), is_one("kind", "noise")
    star, copy = links["true_source_id"].to_numpy(), links["copy"].to_numpy()
    fraction = links["blend_fraction"].to_numpy()
    part("counts")
    print(
        "| survey | rows/deg2 | real | with J, H, Ks [%] | real | ghosts, noise, duplicates,",
        end="",
    )
    print(" blends [%] |\n|---|---|---|---|---|---|")
    identity, band = [], []
    for name in survey_names():
        rows = np.flatnonzero(is_one("survey", name))
        if not rows.size:
            continue
        seen = bands_seen(folder, name)
        faults = [ghost[rows], noise[rows], copy[rows] > 0, fraction[rows] < 0.8]
        text = ", ".join(f"{100 * fault.mean():.1f}" for fault in faults)
        print(line(name, seen, area, text))
        if name in UNION:
            # Artefacts have no identity in the truth: each counts as one.
            alone = star[rows] < 0
            own = np.where(
                alone, -1 - np.arange(rows.size) - (len(identity) + 1) * 10**9, star[rows]
            )
            identity.append(own)
            band.append(seen)
    if identity:
        different, of = np.unique(np.concatenate(identity), return_inverse=True)
        union = np.zeros((different.size, 3), bool)
        np.logical_or.at(union, of, np.concatenate(band))
        print(line("union", union, area, ""))


def count_pilot(folder: Path, l: list[float], b: list[float]) -> None:
    """Print what the rule of the pilot catalogue makes of its three surveys."""
    area = (l[1] - l[0]) * np.degrees(np.sin(np.radians(b[1])) - np.sin(np.radians(b[0])))
    with tempfile.TemporaryDirectory() as scratch:
        settings = Path(scratch) / "merge.toml"
        inputs = [
            f'[[survey]]\nname = "{name}"\npath = "{next(folder.resolve().glob(f"{name}.*"))}"'
            for name in UNION
        ]
        window = f"[window]\nl = [{l[0]}, {l[1]}]\nb = [{b[0]}, {b[1]}]"
        settings.write_text("\n".join([*inputs, window]) + "\n", encoding="utf-8")
        output = Path(scratch) / "merged.parquet"
        command = ["merge", str(settings), "-o", str(output), "--rule", "pilot2023"]
        subprocess.run(
            [sys.executable, "-m", "gcmock", *command], check=True, stdout=subprocess.DEVNULL
        )
        names = [f"phot_{band}_mag" for band in ("j", "h", "ks")]
        rows = pq.read_table(output, columns=names)
        seen = np.column_stack([np.isfinite(rows[name].to_numpy()) for name in names])
    REAL["the three merged by the rule of the pilot"] = REAL["union"]
    print(line("the three merged by the rule of the pilot", seen, area, ""))


def count_by_magnitude(folder: Path) -> None:
    """Print which fraction of the true stars each survey has, as the brightest star of a row."""
    truth = pq.read_table(folder / "truth.parquet", columns=["source_id", "phot_ks_mag"])
    links = pq.read_table(folder / "truth_links.parquet", columns=["survey", "true_source_id"])
    edges = np.array([8.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 17.5])
    ks = np.digitize(truth["phot_ks_mag"].to_numpy(), edges)
    identity = truth["source_id"].to_numpy()
    bins = np.arange(1, edges.size)
    number = np.array([(ks == k).sum() for k in bins])
    part("magnitudes")
    print("| Ks | " + " | ".join(f"{a:g}-{b:g}" for a, b in pairwise(edges)) + " |")
    print("|---" * (bins.size + 1) + "|")
    print("| true stars | " + " | ".join(f"{n:,}" for n in number) + " |")
    for name in (*survey_names(), "any"):
        rows = links if name == "any" else links.filter(pc.equal(links["survey"], name))
        has = np.isin(identity, np.unique(rows["true_source_id"].to_numpy()))
        fractions = [has[ks == k].mean() if n else 0.0 for k, n in zip(bins, number, strict=True)]
        print(
            f"| {name} [%] | "
            + " | ".join(f"{100 * fraction:.0f}" for fraction in fractions)
            + " |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--l", type=float, nargs=2, default=WINDOW[0])
    parser.add_argument("--b", type=float, nargs=2, default=WINDOW[1])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep the simulated sky here")
    parser.add_argument("--pilot", action="store_true", help="merge by the pilot's rule, too")
    parser.add_argument("--count", type=Path, help="only count what is in this folder")
    arguments = parser.parse_args()
    (l0, l1), (b0, b1) = arguments.l, arguments.b
    area = (l1 - l0) * np.degrees(np.sin(np.radians(b1)) - np.sin(np.radians(b0)))
    if arguments.count:
        count(arguments.count, area)
        if arguments.pilot:
            count_pilot(arguments.count, arguments.l, arguments.b)
        count_by_magnitude(arguments.count)
        return
    print(f"{cpu()}, {arguments.workers} workers\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch) / "sky"
        run = simulate(
            folder, (l0, l1), (b0, b1), ",".join(survey_names()), 17.5, arguments.workers
        )
        n_rows = sum(table["rows"] for table in run["surveys"].values())
        n_star = run["true_stars"]
        part("cost")
        table(
            ("window [deg2]", "true stars", "rows", "workers", "s passed", "s processor",
             "true stars per s of a processor", "peak memory"),
            [(f"{area:.2f}", f"{n_star:,}", f"{n_rows:,}", arguments.workers,
              f"{run['seconds']:.0f}", f"{run['processor']:.0f}",
              f"{n_star / run['processor']:,.0f}", f"{run['gigabyte']:.1f} GB")],
        )  # fmt: skip
        count(folder, area)
        if arguments.pilot:
            count_pilot(folder, arguments.l, arguments.b)
        count_by_magnitude(folder)
        part("gnc")
        print("| field l, b | rows/deg2 | with J, H, Ks [%] |\n|---|---|---|")
        density, fractions, weights = [], [], []
        for number, (l, b, weight) in enumerate(GNC_SAMPLES):
            sample = Path(scratch) / f"gnc{number}"
            edges = (l, round(l + GNC_SIDE, 3)), (b, round(b + GNC_SIDE, 3))
            simulate(sample, *edges, "gnc", 19.5, arguments.workers)
            seen = bands_seen(sample, "gnc")
            density.append(len(seen) / GNC_SIDE**2)
            fractions.append(seen.mean(axis=0))
            weights.append(weight)
            print(f"| {l:.2f}, {b:.2f} | {density[-1]:,.0f} | {percent(fractions[-1])} |")
        rows = np.array(weights) * density
        mean = rows.sum() / np.sum(weights)
        bands = (rows[:, None] * fractions).sum(axis=0) / rows.sum()
        print(f"| all, by area | {mean:,.0f} | {percent(bands)} |")
        real, real_fractions = REAL_GNC
        print(f"| the real survey | {real:,.0f} | {percent(real_fractions)} |")


if __name__ == "__main__":
    main()
