"""Merge simulated surveys and compare with the truth, by the default rule and that of the pilot.

    python benchmarks/merge.py [--deg2 0.25] [--l 0.35] [--b -0.3] [--folder FOLDER]

The window is a square of `--deg2` square degrees around `--l`, `--b`. Prints the tables of
docs/catalogue.md: completeness, purity and wrong links of both rules, and the limit of an ideal
classifier on the same sky; by survey and by magnitude.

Definitions. A true star is *detected* if at least one survey has a source whose light is mostly its
own. A merged star *is* the true star of its first source, in the order of the surveys.
  completeness  detected stars that are in the catalogue
  purity        rows of the catalogue that are a true star, each star counted once
  wrong links   sources beyond the first of a merged star that are another star's, or nobody's

The ideal classifier knows more than any real one can. For links it has the true, noise-free
position at the epoch of each survey and the true magnitudes of all detected stars, and the errors
of every source: each source goes to the star under which it is most probable. What it gets wrong no
rule can be sure to get right. For detections without a partner it knows, for each survey, set of
bands, magnitude and number of epochs, how many are real: it keeps a kind if most of it is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from gcmock.catalogue.merging import MergedCell  # noqa: F401  (compiles before the clock starts)
from gcmock.catalogue.sources import in_2mass, magnitudes, numbers, position_error
from gcmock.catalogue.traits import BACKBONE, ID_COLUMN, TRAITS
from gcmock.cli import run
from gcmock.surveys.readers import open_survey

SURVEYS = ("2mass", "virac2", "sirius", "gnc", "gaia")
RULES = ("probabilistic", "pilot2023")
FILES = {
    "2mass": "2mass.csv",
    "virac2": "virac2.fits",
    "sirius": "sirius.dat",
    "gnc": "gnc.fits",
    "gaia": "gaia.csv",
    "vvv": "vvv.fits",
}
RADIUS = 1.5


def simulate(
    folder: Path, window: tuple[float, float, float, float], surveys: tuple[str, ...]
) -> None:
    """Write the simulated surveys, unless they are there."""
    if (folder / "truth_links.parquet").exists():
        return
    l0, l1, b0, b1 = (f"{value:.6f}" for value in window)
    words = ["simulate", "--surveys", ",".join(surveys), "-o", str(folder)]
    words += ["--l", l0, l1, "--b", b0, b1, "--ks-max", "17.5", "--seed", "1"]
    if run(words):
        raise SystemExit("the simulation failed")


def merge(
    folder: Path, window: tuple[float, float, float, float], surveys: tuple[str, ...]
) -> None:
    """Merge the surveys by both rules."""
    l0, l1, b0, b1 = window
    lines = [f"[window]\nl = [{l0}, {l1}]\nb = [{b0}, {b1}]"]
    lines += [f'[[survey]]\nname = "{name}"\npath = "{FILES[name]}"' for name in surveys]
    (folder / "merge.toml").write_text("\n".join(lines), encoding="utf-8")
    for rule in RULES:
        start = time.perf_counter()
        words = ["merge", str(folder / "merge.toml"), "-o", str(folder / rule), "--rule", rule]
        words += ["--keep-rejected"]
        if run([*words, "--overwrite"]):
            raise SystemExit("the merge failed")
        print(f"{rule}: {time.perf_counter() - start:.1f} s")


def truth_of(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the true stars and the links of all sources to them, with keys "survey identifier"."""
    names = ["source_id", "ra", "dec", "l", "b", "ref_epoch", "pmra", "pmdec"]
    names += [f"phot_{band}_mag" for band in ("j", "h", "ks")]
    stars = pq.read_table(folder / "truth.parquet", columns=names).to_pandas()
    links = pq.read_table(folder / "truth_links.parquet").to_pandas()
    links["key"] = links.survey + " " + links.source_id.astype(str)
    return stars.set_index("source_id"), links.drop_duplicates("key").set_index("key")


def merged_links(folder: Path) -> pd.DataFrame:
    """Return one row per merged star and source: star, survey, key."""
    table = pq.read_table(sorted(folder.glob("part-*.parquet")), partitioning=None).to_pandas()
    parts = []
    for number, survey in enumerate(BACKBONE):
        ids = table[ID_COLUMN[survey]]
        has = np.flatnonzero(ids.to_numpy() != "")
        keys = survey + " " + ids.iloc[has].astype(str)
        parts.append(pd.DataFrame({"row": has, "number": number, "key": keys.to_numpy()}))
    return pd.concat(parts).sort_values(["row", "number"]).reset_index(drop=True)


def score(
    links: pd.DataFrame, truth: pd.DataFrame, detected: pd.Index
) -> tuple[dict, pd.DataFrame]:
    """Return completeness, purity and wrong links of a catalogue, and its rows and links."""
    links = links.assign(true=truth.true_source_id.reindex(links.key).to_numpy())
    first = links.groupby("row", sort=False).true.first()
    real = first[first >= 0]
    found = pd.Index(real.unique())
    more = links[links.duplicated("row")]
    wrong = more.true.to_numpy() != first.loc[more.row].to_numpy()
    more = more.assign(wrong=wrong)
    scores = {
        "completeness": detected.isin(found).mean(),
        "purity": len(found) / len(first),
        "wrong links": wrong.mean() if len(wrong) else 0.0,
        "spurious": (first < 0).mean(),
        "repeated": 1.0 - len(found) / max(len(real), 1),
    }
    return scores, more.assign(first=first.loc[more.row].to_numpy())


def ideal_links(
    folder: Path, survey: str, stars: pd.DataFrame, links: pd.DataFrame, detected
) -> pd.Series:
    """Return, for the sources of a survey that are a star's, whether the ideal classifier errs."""
    known = stars.loc[stars.index.isin(detected)]
    mine = links[(links.survey == survey) & (links.true_source_id >= 0)]
    tables = list(open_survey(folder / FILES[survey], survey).chunks(10**7))
    table = tables[0]
    keys = pd.Index([f"{survey} {one}" for one in table.column("source_id").to_pylist()])
    row = keys.get_indexer(mine.index)
    mine, row = mine[row >= 0], row[row >= 0]
    mag, error = in_2mass(survey, *magnitudes(table))
    sigma = np.hypot(position_error(survey, table), 0.04)
    epoch = numbers(table, "ref_epoch")
    ra, dec = numbers(table, "ra"), numbers(table, "dec")
    year = np.median(epoch)
    years = year - known.ref_epoch.to_numpy()
    t_dec = known.dec.to_numpy() + known.pmdec.to_numpy() * years / 3.6e6
    cos = np.cos(np.radians(np.median(t_dec)))
    t_ra = known.ra.to_numpy() + known.pmra.to_numpy() * years / 3.6e6 / cos
    place = np.column_stack((t_ra * cos, t_dec)) * 3600.0
    at = np.column_stack((ra[row] * cos, dec[row])) * 3600.0
    true_mag = known[[f"phot_{band}_mag" for band in ("j", "h", "ks")]].to_numpy()
    # Common offsets of position are known to the ideal classifier.
    own = known.index.get_indexer(mine.true_source_id)
    good = own >= 0
    at[:] -= np.median(at[good] - place[own[good]], axis=0)
    near = cKDTree(at).sparse_distance_matrix(cKDTree(place), RADIUS, output_type="ndarray")
    i, j = near["i"], near["j"]
    wide = TRAITS[survey].fwhm_arcsec * 0.15
    delta = at[i] - place[j]
    var = sigma[row[i]] ** 2
    clean = -0.5 * (delta**2 / var + np.log(var)).sum(axis=1)
    tail = -0.5 * (delta**2 / (var + wide**2) + np.log(var + wide**2)).sum(axis=1)
    difference = mag[row[i]] - true_mag[j]
    var_m = error[row[i]] ** 2 + 0.03**2
    there = np.isfinite(difference)
    clean += np.where(there, -0.5 * (difference**2 / var_m + np.log(var_m)), 0.0).sum(axis=1)
    var_t = var_m + 0.5**2
    tail += np.where(there, -0.5 * ((difference + 0.1) ** 2 / var_t + np.log(var_t)), 0.0).sum(
        axis=1
    )
    odds = np.logaddexp(np.log(0.9) + clean, np.log(0.1) + tail)
    frame = pd.DataFrame({"i": i, "j": j, "odds": odds}).sort_values(["i", "odds"])
    best = frame.groupby("i").j.last()
    wrong = np.ones(len(mine), bool)
    wrong[best.index] = (
        known.index.to_numpy()[best.to_numpy()] != mine.true_source_id.to_numpy()[best.index]
    )
    return pd.Series(wrong, index=mine.index)


def ideal_detections(
    folder: Path, links: pd.DataFrame, surveys: tuple[str, ...]
) -> tuple[float, float]:
    """Return completeness and purity if kinds of lone detections are kept that are mostly real."""
    parts = []
    n_surveys = links[links.true_source_id >= 0].groupby("true_source_id").survey.nunique()
    for survey in surveys:
        table = next(iter(open_survey(folder / FILES[survey], survey).chunks(10**7)))
        mag, _ = magnitudes(table)
        keys = pd.Index([f"{survey} {one}" for one in table.column("source_id").to_pylist()])
        frame = pd.DataFrame(
            {
                "survey": survey,
                "bands": np.isfinite(mag) @ np.array([1, 2, 4]),
                "bin": np.floor(2 * np.nanmin(np.nan_to_num(mag, nan=99.0), axis=1)),
                "once": numbers(table, "n_epochs") <= 1,
                "true": links.true_source_id.reindex(keys).to_numpy(),
                "copy": links["copy"].reindex(keys).to_numpy(),
            }
        )
        parts.append(frame)
    every = pd.concat(parts)
    every = every[every["copy"].fillna(0) == 0]
    lone = every[(every.true < 0) | (every.true.map(n_surveys) == 1)]
    kind = lone.groupby(["survey", "bands", "bin", "once"]).true.agg(
        real=lambda t: (t >= 0).sum(), false=lambda t: (t < 0).sum()
    )
    kept = kind[kind.real >= kind.false]
    n_common = int((n_surveys > 1).sum())
    n_detected = len(n_surveys)
    real = n_common + kept.real.sum()
    return real / n_detected, real / (real + kept.false.sum())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--deg2", type=float, default=0.25)
    parser.add_argument("--l", type=float, default=0.35)
    parser.add_argument("--b", type=float, default=-0.3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--surveys", default=",".join(SURVEYS))
    options = parser.parse_args()
    surveys = tuple(options.surveys.split(","))
    half = 0.5 * np.sqrt(options.deg2)
    window = (options.l - half, options.l + half, options.b - half, options.b + half)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "sky"
        simulate(folder, window, surveys)
        # A window may lie outside a survey.
        surveys = tuple(name for name in surveys if (folder / FILES[name]).exists())
        merge(folder, window, surveys)
        report(folder, surveys)


def report(folder: Path, surveys: tuple[str, ...]) -> None:
    """Print the tables."""
    stars, truth = truth_of(folder)
    detected = pd.Index(truth.true_source_id[truth.true_source_id >= 0].unique())
    results = {rule: score(merged_links(folder / rule), truth, detected) for rule in RULES}
    wrong = {
        name: ideal_links(folder, name, stars, truth, detected)
        for name in surveys
        if name != "gaia"
    }
    complete, pure = ideal_detections(folder, truth, surveys)
    print(f"\n{len(detected):,} detected stars of {len(truth):,} sources\n")
    print("| | completeness | purity | wrong links | spurious | repeated |")
    print("|---|---|---|---|---|---|")
    for rule, (scores, _) in results.items():
        print(f"| {rule} | " + " | ".join(f"{value:.2%}" for value in scores.values()) + " |")
    every = pd.concat(wrong.values())
    first = truth.loc[every.index].groupby("true_source_id").cumcount() > 0
    limit = every[first.to_numpy()].mean()
    print(f"| ideal classifier | {complete:.2%} | {pure:.2%} | {limit:.2%} | {1 - pure:.2%} | 0 |")
    print("\n| wrong links of | links | " + " | ".join(RULES) + " | ideal |")
    print("|---|---|" + "---|" * (len(RULES) + 1))
    for survey in surveys:
        number = BACKBONE.index(survey)
        more = [frame[frame.number == number] for _, frame in results.values()]
        if not len(more[0]):
            continue
        ideal = f"{wrong[survey].mean():.2%}" if survey in wrong else ""
        cells = " | ".join(f"{frame.wrong.mean():.2%}" for frame in more)
        print(f"| {survey} | {len(more[0]):,} | {cells} | {ideal} |")
    print(
        "\n| true Ks | detected | "
        + " | ".join(f"completeness, {r} | wrong, {r}" for r in RULES)
        + " |"
    )
    print("|---|---|" + "---|---|" * len(RULES))
    ks = stars.phot_ks_mag
    found = {r: pd.Index(frame_of(folder / r, truth)) for r in RULES}
    for low in range(8, 19):
        some = detected[(ks.reindex(detected) >= low) & (ks.reindex(detected) < low + 1)]
        if len(some) < 20:
            continue
        cells = []
        for rule, (_, more) in results.items():
            here = more[more["first"].isin(some)]
            share = f"{here.wrong.mean():.2%}" if len(here) else ""
            cells.append(f"{some.isin(found[rule]).mean():.2%} | {share}")
        print(f"| {low}-{low + 1} | {len(some):,} | " + " | ".join(cells) + " |")


def frame_of(folder: Path, truth: pd.DataFrame) -> np.ndarray:
    """Return the true stars that a catalogue has."""
    links = merged_links(folder)
    first = truth.true_source_id.reindex(links[~links.duplicated("row")].key)
    return first[first >= 0].unique()


if __name__ == "__main__":
    main()
