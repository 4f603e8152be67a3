"""Merge simulated surveys and compare with the truth, by the default rule and that of the pilot.

    python benchmarks/merge.py [--deg2 0.25] [--l 0.35] [--b -0.3] [--seed 2] [--depth both]
                               [--folder FOLDER]

The window is a square of `--deg2` square degrees around `--l`, `--b`. Prints the tables of
docs/catalogue.md: completeness, purity and wrong links of both rules, and the limit of an ideal
classifier on the same sky; by survey and by magnitude.

Depths. "window": VIRAC2, SIRIUS and GALACTICNUCLEUS end at one Ks (`faint_ks_mag`), chosen so that
all surveys together have 1.1 million stars per square degree, as many as the JASMINE pilot
catalogue has sources. "full": all that the surveys see, but for GALACTICNUCLEUS beyond Ks = 17.5,
where the simulated sky ends. Settings were chosen on seed 1; tables are of other seeds.

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

"blends linked" is the default rule with `least_fraction = 0`: sources in which no star has 60 % of
the light are linked to the most probable one instead of being left out.

Wrong links of *pairs* are those of sources that are blends of several stars none of which gives
more than 60 % of the light: which of them such a source "is" is a matter of definition.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.cell.sources import (
    SurveySources,
    canonical_order,
    magnitudes,
    make_sources,
    numbers,
)
from gcmock.catalogue.healpix import pixel_of
from gcmock.catalogue.learn.density import Counter
from gcmock.catalogue.link.likelihood import SourceAstrometry
from gcmock.catalogue.link.linking import (
    N_MAG,
    Rates,
    default_rates,
    field_of,
    link,
    magnitude_bin,
    rank_mag,
)
from gcmock.catalogue.order import names_of, packaged_order
from gcmock.cli.app import run
from gcmock.settings.merge import MatchConfig
from gcmock.surveys.definition import load_survey
from gcmock.surveys.read.open_survey import open_survey
from printed import part

ORDER = names_of(packaged_order())
SURVEYS = ("2mass", "virac2", "sirius", "gnc", "gaia")
RULES = ("probabilistic", "pilot2023")
RUNS = {"probabilistic": "", "blends linked": "[match]\nleast_fraction = 0.0", "pilot2023": ""}
STARS_PER_DEG2 = 1.1e6
LIMITED = ("virac2", "sirius", "gnc")
FAINTEST = 17.5
FILES = {
    "2mass": "2mass.csv",
    "virac2": "virac2.fits",
    "sirius": "sirius.dat",
    "gnc": "gnc.fits",
    "gaia": "gaia.csv",
    "vvv": "vvv.fits",
}


def simulate(
    folder: Path, window: tuple[float, float, float, float], surveys: tuple[str, ...], seed: int
) -> None:
    """Write the simulated surveys, unless they are there."""
    if (folder / "truth_links.parquet").exists():
        return
    l0, l1, b0, b1 = (f"{value:.6f}" for value in window)
    words = ["simulate", "--surveys", ",".join(surveys), "-o", str(folder)]
    words += ["--l", l0, l1, "--b", b0, b1, "--ks-max", str(FAINTEST), "--seed", str(seed)]
    if run(words):
        raise SystemExit("the simulation failed")


def limits_of(
    depth: str, folder: Path, surveys: tuple[str, ...], truth: pd.DataFrame, deg2: float
) -> dict[str, float]:
    """Return the faintest Ks of the surveys that have one."""
    if depth == "full":
        return {"gnc": FAINTEST} if "gnc" in surveys else {}
    # The brightest Ks with which a limited survey has a star; -inf where another one has it.
    best = []
    for survey in surveys:
        keys, ks = keys_and_ks(folder, survey)
        true = truth.true_source_id.reindex(keys).to_numpy()
        ks = np.where(np.isfinite(ks), ks, np.inf) if survey in LIMITED else np.full(len(ks), -9.0)
        best.append(pd.Series(ks[true >= 0], index=true[true >= 0]))
    faint = np.sort(pd.concat(best).groupby(level=0).min().to_numpy())
    place = min(int(STARS_PER_DEG2 * deg2), len(faint) - 1)
    limit = round(min(float(faint[place]), FAINTEST), 2)
    return {survey: limit for survey in LIMITED if survey in surveys}


def keys_and_ks(folder: Path, survey: str) -> tuple[pd.Index, np.ndarray]:
    """Return keys of the sources of a survey, and their Ks [mag] (NaN for Gaia)."""
    table = read_survey(folder, survey)
    keys = pd.Index([f"{survey} {one}" for one in table.column("source_id").to_pylist()])
    if survey == "gaia":
        return keys, np.full(len(keys), np.nan)
    return keys, numbers(table, "phot_ks_mag")


def within(folder: Path, surveys: tuple[str, ...], limits: dict[str, float]) -> pd.Index:
    """Return the keys of all sources within the limits."""
    parts = []
    for survey in surveys:
        keys, ks = keys_and_ks(folder, survey)
        parts.append(keys[ks <= limits[survey]] if survey in limits else keys)
    return parts[0].append(parts[1:])


def merge(
    folder: Path,
    depth: str,
    window: tuple[float, float, float, float],
    surveys: tuple[str, ...],
    limits: dict[str, float],
) -> None:
    """Merge the surveys by both rules."""
    l0, l1, b0, b1 = window
    lines = [f"[window]\nl = [{l0}, {l1}]\nb = [{b0}, {b1}]"]
    for name in surveys:
        lines.append(f'[[survey]]\nname = "{name}"\npath = "{FILES[name]}"')
        if name in limits:
            lines.append(f"faint_ks_mag = {limits[name]}")
    for name, more in RUNS.items():
        path = folder / "merge.toml"
        path.write_text("\n".join([*lines, more]), encoding="utf-8")
        start = time.perf_counter()
        rule = "pilot2023" if name == "pilot2023" else "probabilistic"
        words = ["merge", str(path), "-o", str(output_of(folder, depth, name)), "--rule", rule]
        if run([*words, "--overwrite"]):
            raise SystemExit("the merge failed")
        print(f"{depth}, {name}: {time.perf_counter() - start:.1f} s", flush=True)


def output_of(folder: Path, depth: str, name: str) -> Path:
    """Return the folder of a merged catalogue."""
    return folder / f"{depth}_{name.replace(' ', '_')}"


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
    for number, one in enumerate(packaged_order()):
        survey, ids = one.name, table[one.id_column]
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
    pairs = wrong & (truth.blend_fraction.reindex(more.key).to_numpy() < 0.6)
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
    folder: Path,
    survey: str,
    stars: pd.DataFrame,
    links: pd.DataFrame,
    detected: pd.Index,
    used: pd.Index,
) -> pd.DataFrame:
    """Return the links of a survey to the true, noise-free stars, and whether they are wrong."""
    known = stars.loc[stars.index.isin(detected)]
    n = len(known)
    tiny = np.full((n, 2), 1e-4)
    motion = known[["pmra", "pmdec"]].to_numpy() / 1000.0
    true = no_stars(packaged_order())
    true.side = SourceAstrometry(
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
    true.position_from = np.full(n, ORDER.index("gaia"))
    table = read_survey(folder, survey)
    keys = pd.Index([f"{survey} {one}" for one in table.column("source_id").to_pylist()])
    table, keys = table.filter(pa.array(keys.isin(used))), keys[keys.isin(used)]
    own = known.index.get_indexer(links.true_source_id.reindex(keys))
    plain = make_sources(load_survey(survey), table, np.ones(table.num_rows, bool))
    order = canonical_order(table)
    offset, zero = known_offsets(plain, true.side, own[order])
    back = np.argsort(order)
    sources = make_sources(
        load_survey(survey), table, np.ones(table.num_rows, bool), offset[back], zero[back]
    )
    side, counter = sources.side, Counter()
    counter.add(side.ra, side.dec, side.mag, side.g_mag)
    field = field_of(MatchConfig(), 1000.0 * motion.mean(axis=0))
    rates = true_rates(true.side, own[order], side)
    match = MatchConfig()
    radius, tail = match.search_radius_arcsec, match.tail_position_fwhm
    found = link(true, sources, counter.density(), rates, field, radius, tail)
    one = found.fraction >= match.least_fraction
    star, source = found.star[one], found.source[one]
    frame = pd.DataFrame({"key": keys[order][source], "wrong": own[order][source] != star})
    return frame.assign(true=known.index.to_numpy()[star])


def true_rates(stars: SourceAstrometry, own: np.ndarray, sources: SourceAstrometry) -> Rates:
    """Return which fractions of true stars a survey has, and of its sources are none of them."""
    rank, of_source = magnitude_bin(rank_mag(stars)), magnitude_bin(rank_mag(sources))
    has = np.isin(np.arange(len(rank)), own)

    def fraction(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
        n_some, n_all = (np.bincount(one, minlength=N_MAG)[:N_MAG] for one in (some, whole))
        return ((n_some + 0.5) / (n_all + 1.0)).clip(0.001, 0.999)

    detected, new = fraction(rank[has], rank), fraction(of_source[own < 0], of_source)
    return replace(default_rates(), detected=detected, new=new)


def known_offsets(
    sources: SurveySources, true: SourceAstrometry, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
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
    folder: Path, links: pd.DataFrame, surveys: tuple[str, ...], used: pd.Index
) -> tuple[float, float]:
    """Return completeness and purity if kinds of lone detections are kept that are mostly real."""
    parts = []
    links = links[links.index.isin(used)]
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
        parts.append(frame[keys.isin(used)])
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
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--depth", choices=("window", "full", "both"), default="both")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--surveys", default=",".join(SURVEYS))
    options = parser.parse_args()
    surveys = tuple(options.surveys.split(","))
    half = 0.5 * np.sqrt(options.deg2)
    window = (options.l - half, options.l + half, options.b - half, options.b + half)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "sky"
        simulate(folder, window, surveys, options.seed)
        # A window may lie outside a survey.
        surveys = tuple(name for name in surveys if (folder / FILES[name]).exists())
        stars, truth = truth_of(folder)
        truth = truth[truth.survey.isin(surveys)]
        for depth in ("window", "full") if options.depth == "both" else (options.depth,):
            limits = limits_of(depth, folder, surveys, truth, options.deg2)
            merge(folder, depth, window, surveys, limits)
            report(folder, depth, surveys, stars, truth, limits, options.deg2)


def report(
    folder: Path,
    depth: str,
    surveys: tuple[str, ...],
    stars: pd.DataFrame,
    truth: pd.DataFrame,
    limits: dict[str, float],
    deg2: float,
) -> None:
    """Print the tables of a depth."""
    used = within(folder, surveys, limits)
    seen = truth[truth.index.isin(used)]
    detected = pd.Index(seen.true_source_id[seen.true_source_id >= 0].unique())
    merged = {name: merged_links(output_of(folder, depth, name)) for name in RUNS}
    results = {name: score(links, truth, detected) for name, links in merged.items()}
    wrong = {
        name: ideal_links(folder, name, stars, truth, detected, used)
        for name in surveys
        if name != "gaia"
    }
    complete, pure = ideal_detections(folder, truth, surveys, used)
    ends = ", ".join(f"{name} to Ks = {limit}" for name, limit in limits.items())
    part(depth)
    print(f"{depth}: {len(detected) / deg2 / 1e6:.2f} million detected stars per deg2 ({ends})")
    print(f"{len(detected):,} detected stars of {len(used):,} sources\n")
    print(
        "| | completeness | purity | wrong links | of these pairs | links | spurious | repeated |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for rule, (scores, more) in results.items():
        cells = [f"{value:.2%}" for value in scores.values()]
        cells.insert(4, f"{len(more):,}")
        print(f"| {rule} | " + " | ".join(cells) + " |")
    # Sources of the first survey begin stars; they are nobody's links.
    first = min(wrong, key=ORDER.index)
    limit = pd.concat([frame for name, frame in wrong.items() if name != first]).wrong.mean()
    print(
        f"| ideal classifier | {complete:.2%} | {pure:.2%} | {limit:.2%} | | | {1 - pure:.2%} | 0 |"
    )
    print("\n| wrong links of | links | " + " | ".join(RULES) + " | ideal |")
    print("|---|---|" + "---|" * (len(RULES) + 1))
    for survey in surveys:
        number = ORDER.index(survey)
        more = [results[rule][1].query(f"number == {number}") for rule in RULES]
        if not len(more[0]):
            continue
        ideal = f"{wrong[survey].wrong.mean():.2%}" if survey in wrong else ""
        cells = " | ".join(f"{frame.wrong.mean():.2%}" for frame in more)
        print(f"| {survey} | {len(more[0]):,} | {cells} | {ideal} |")
    print(
        "\n| true Ks | detected | "
        + " | ".join(f"completeness, {r} | wrong, {r}" for r in RULES)
        + " |"
    )
    print("|---|---|" + "---|---|" * len(RULES))
    ks = stars.phot_ks_mag
    found = {r: pd.Index(frame_of(merged[r], truth)) for r in RULES}
    for low in range(8, 19):
        some = detected[(ks.reindex(detected) >= low) & (ks.reindex(detected) < low + 1)]
        if len(some) < 20:
            continue
        cells = []
        for rule in RULES:
            more = results[rule][1]
            here = more[more["first"].isin(some)]
            fraction = f"{here.wrong.mean():.2%}" if len(here) else ""
            cells.append(f"{some.isin(found[rule]).mean():.2%} | {fraction}")
        print(f"| {low}-{low + 1} | {len(some):,} | " + " | ".join(cells) + " |")


def frame_of(links: pd.DataFrame, truth: pd.DataFrame) -> np.ndarray:
    """Return the true stars that a catalogue has."""
    first = truth.true_source_id.reindex(links[~links.duplicated("row")].key)
    return first[first >= 0].unique()


if __name__ == "__main__":
    main()
