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

The ideal classifier knows more than any real one can. Its links are those of the same likelihood
with the truth in place of everything that other surveys have measured: the complete list of
detected stars, their noise-free positions at every epoch and their noise-free magnitudes. For
detections without a partner it knows how many of each kind (survey, set of bands, magnitude, seen
once or oftener) are real, and keeps a kind if most of it is.

Wrong links of *pairs* are those of sources that are blends of several stars none of which gives
more than 60 % of the light: which of them such a source "is" is a matter of definition.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gcmock.catalogue.density import Counter
from gcmock.catalogue.healpix import pixel_of
from gcmock.catalogue.likelihood import Side
from gcmock.catalogue.linking import N_MAG, Rates, field_of, link
from gcmock.catalogue.settings import MatchConfig
from gcmock.catalogue.sources import Sources, canonical_order, magnitudes, make_sources, numbers
from gcmock.catalogue.stars import no_stars
from gcmock.catalogue.traits import BACKBONE, ID_COLUMN
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
    pairs = wrong & (truth.blend_share.reindex(more.key).to_numpy() < 0.6)
    more = more.assign(wrong=wrong)
    scores = {
        "completeness": detected.isin(found).mean(),
        "purity": len(found) / len(first),
        "wrong links": wrong.mean() if len(wrong) else 0.0,
        "of these pairs": pairs.mean() if len(wrong) else 0.0,
        "spurious": (first < 0).mean(),
        "repeated": 1.0 - len(found) / max(len(real), 1),
    }
    return scores, more.assign(first=first.loc[more.row].to_numpy())


def read_survey(folder: Path, survey: str) -> pa.Table:
    """Return the table of a survey in the common columns."""
    return pa.concat_tables(list(open_survey(folder / FILES[survey], survey).chunks()))


def ideal_links(
    folder: Path, survey: str, stars: pd.DataFrame, links: pd.DataFrame, detected: pd.Index
) -> pd.DataFrame:
    """Return the links of a survey to the true, noise-free stars, and whether they are wrong."""
    known = stars.loc[stars.index.isin(detected)]
    n = len(known)
    tiny = np.full((n, 2), 1e-4)
    motion = known[["pmra", "pmdec"]].to_numpy() / 1000.0
    true = no_stars()
    true.side = Side(
        known.ra.to_numpy(),
        known.dec.to_numpy(),
        known.ref_epoch.to_numpy(),
        tiny,
        motion,
        tiny / 1e3,
        known[[f"phot_{band}_mag" for band in ("j", "h", "ks")]].to_numpy(),
        np.full((n, 3), 1e-3),
        np.full(n, np.nan),
    )
    true.primary = np.zeros(n, np.int64)
    true.position_from = np.full(n, BACKBONE.index("gaia"))
    table = read_survey(folder, survey)
    keys = pd.Index([f"{survey} {one}" for one in table.column("source_id").to_pylist()])
    own = known.index.get_indexer(links.true_source_id.reindex(keys))
    plain = make_sources(survey, table, np.ones(table.num_rows, bool))
    order = canonical_order(table)
    offset, zero = known_offsets(plain, true.side, own[order])
    back = np.argsort(order)
    sources = make_sources(survey, table, np.ones(table.num_rows, bool), offset[back], zero[back])
    side, counter = sources.side, Counter()
    counter.add(side.ra, side.dec, side.mag, side.g_mag)
    field = field_of(MatchConfig(), 1000.0 * motion.mean(axis=0))
    rates = Rates(np.full(N_MAG, 0.9), np.full(N_MAG, 0.02), np.zeros(N_MAG))
    match = MatchConfig()
    radius, tail = match.search_radius_arcsec, match.tail_position_fwhm
    found = link(true, sources, counter.density(), rates, field, radius, tail)
    key = keys[order][found.source]
    frame = pd.DataFrame({"key": key, "wrong": own[order][found.source] != found.star})
    return frame.assign(true=known.index.to_numpy()[found.star])


def known_offsets(sources: Sources, true: Side, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the systematic offsets of sources, by field, from the true stars behind them."""
    side, good = sources.side, own >= 0
    of = own[good]
    years = side.epoch[good] - true.epoch[of]
    east = (side.ra[good] - true.ra[of]) * np.cos(np.radians(side.dec[good])) * 3600.0
    north = (side.dec[good] - true.dec[of]) * 3600.0
    move = true.motion[of] * years[:, None]
    values = np.column_stack((east - move[:, 0], north - move[:, 1], side.mag[good] - true.mag[of]))
    frame = pd.DataFrame(values)
    frame["field"] = pixel_of(side.ra[good], side.dec[good], 10)
    medians = frame.groupby("field").median()
    found = medians.reindex(pixel_of(side.ra, side.dec, 10)).fillna(0.0).to_numpy()
    return found[:, :2], found[:, 2:]


def ideal_detections(
    folder: Path, links: pd.DataFrame, surveys: tuple[str, ...]
) -> tuple[float, float]:
    """Return completeness and purity if kinds of lone detections are kept that are mostly real."""
    parts = []
    n_surveys = links[links.true_source_id >= 0].groupby("true_source_id").survey.nunique()
    for survey in surveys:
        table = read_survey(folder, survey)
        mag, _ = magnitudes(table)
        keys = pd.Index([f"{survey} {one}" for one in table.column("source_id").to_pylist()])
        frame = pd.DataFrame(
            {
                "survey": survey,
                "bands": np.isfinite(mag) @ np.array([1, 2, 4]),
                "bin": np.floor(2 * np.nanmin(np.nan_to_num(mag, nan=99.0), axis=1)),
                "once": numbers(table, "n_epochs") <= 1,
                "true": links.true_source_id.reindex(keys).to_numpy(),
            }
        )
        parts.append(frame)
    every = pd.concat(parts)
    every = every[(every.true < 0) | ~every.duplicated(["survey", "true"])]
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
    print(f"\n<!-- part: rules -->\n\n{len(detected):,} detected stars of {len(truth):,} sources\n")
    print("| | completeness | purity | wrong links | of these pairs | spurious | repeated |")
    print("|---|---|---|---|---|---|---|")
    for rule, (scores, _) in results.items():
        print(f"| {rule} | " + " | ".join(f"{value:.2%}" for value in scores.values()) + " |")
    # Sources of the first survey begin stars; they are nobody's links.
    first = min(wrong, key=BACKBONE.index)
    limit = pd.concat([frame for name, frame in wrong.items() if name != first]).wrong.mean()
    print(
        f"| ideal classifier | {complete:.2%} | {pure:.2%} | {limit:.2%} | | {1 - pure:.2%} | 0 |"
    )
    print(
        "\n<!-- part: surveys -->\n\n| wrong links of | links | " + " | ".join(RULES) + " | ideal |"
    )
    print("|---|---|" + "---|" * (len(RULES) + 1))
    for survey in surveys:
        number = BACKBONE.index(survey)
        more = [frame[frame.number == number] for _, frame in results.values()]
        if not len(more[0]):
            continue
        ideal = f"{wrong[survey].wrong.mean():.2%}" if survey in wrong else ""
        cells = " | ".join(f"{frame.wrong.mean():.2%}" for frame in more)
        print(f"| {survey} | {len(more[0]):,} | {cells} | {ideal} |")
    print(
        "\n<!-- part: magnitudes -->\n\n| true Ks | detected | "
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
