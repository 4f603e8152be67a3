"""Which true stars a merge leaves out, and why: by their flags, and by default.

    python benchmarks/rejected.py [--deg2 0.06] [--l 0.35] [--b -0.3] [--seed 4] [--shared FOLDER]

Simulates the surveys on a sky that is known and merges them, all together and some alone, twice:
"flags reject" leaves out every source that its survey marks as doubtful (2MASS cc_flg p, d, s and
gal_contam 2, any error bit of VVV); by default a mark costs a band at most. A true star is *lost*
if a source with most of its light was left out for the reason, and the catalogue does not have it;
reasons that cost fewer than ten are not shown.
The real sky, a cone of 2MASS, has no truth: what is counted are the sources that are left out, and
those of them with 10 sigma in two bands.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from gcmock.catalogue.order import packaged_order
from gcmock.cli.app import run
from merge import FILES, merged_links, score, simulate, truth_of
from printed import part, table

ROOT = Path(__file__).resolve().parents[1]
SURVEYS = ("2mass", "virac2", "sirius", "gnc", "gaia", "vvv")
TOGETHER = {
    "2mass alone": ("2mass",),
    "vvv alone": ("vvv",),
    "all": SURVEYS,
}
RULES = {
    "flags reject": ("duplicate", "artefact", "extended", "on_extended", "doubtful"),
    "default": ("duplicate", "artefact", "extended"),
}
FEWEST = 10
"""Lost stars of a reason that is shown."""

CONE = "twomass_cone_rome02.tsv"


def merge(folder: Path, window: str, paths: dict[str, Path], rule: str) -> Path:
    """Merge surveys by a rule; return the folder of the catalogue."""
    reject = json.dumps(RULES[rule])
    lines = [window]
    for name, path in paths.items():
        lines.append(f'[[survey]]\nname = "{name}"\npath = "{path}"\nreject = {reject}')
    settings, output = folder / "merge.toml", folder / f"{'_'.join(paths)}_{rule[:5]}"
    settings.write_text("\n".join(lines), encoding="utf-8")
    # What merge prints is no part of the tables.
    with redirect_stdout(sys.stderr):
        code = run(["merge", str(settings), "-o", str(output), "--keep-rejected", "--overwrite"])
    if code:
        raise SystemExit("the merge failed")
    return output


def rejected(output: Path) -> pd.DataFrame:
    """Return the sources that were left out: survey, key and reason."""
    files = sorted(output.with_name(f"{output.name}_rejected").glob("part-*.parquet"))
    rows = pq.read_table(files, partitioning=None).to_pandas()
    parts = []
    for one in packaged_order():
        ids = rows[one.id_column]
        some = rows[ids != ""]
        keys = one.name + " " + ids[ids != ""].astype(str)
        parts.append(pd.DataFrame({"survey": one.name, "key": keys, "reason": some.rejected}))
    return pd.concat(parts)


def simulated(folder: Path, options: argparse.Namespace) -> None:
    """Print the tables of the simulated sky."""
    half = 0.5 * np.sqrt(options.deg2)
    window = (options.l - half, options.l + half, options.b - half, options.b + half)
    simulate(folder, window, SURVEYS, options.seed)
    _, truth = truth_of(folder)
    l0, l1, b0, b1 = window
    words = f"[window]\nl = [{l0}, {l1}]\nb = [{b0}, {b1}]"
    totals, reasons = [], []
    for what, names in TOGETHER.items():
        here = [name for name in names if (folder / FILES[name]).exists()]
        seen = truth[truth.survey.isin(here) & (truth.true_source_id >= 0)]
        detected = pd.Index(seen.true_source_id.unique())
        for rule in RULES:
            paths = {name: folder / FILES[name] for name in here}
            output = merge(folder, words, paths, rule)
            links = merged_links(output)
            scores, _ = score(links, truth, detected)
            cells = (scores["completeness"], scores["spurious"], scores["repeated"])
            totals.append((what, rule, f"{len(detected):,}", *(f"{x:.2%}" for x in cells)))
            kept = pd.Index(truth.true_source_id.reindex(links.key).unique())
            out = rejected(output)
            out["true"] = truth.true_source_id.reindex(out.key).to_numpy()
            out["main"] = truth.blend_fraction.reindex(out.key).to_numpy() > 0.6
            for (survey, reason), rows in out.groupby(["survey", "reason"], sort=False):
                stars = rows.true[(rows.true >= 0) & rows.main]
                lost = stars[~stars.isin(kept)].nunique()
                own = truth[(truth.survey == survey) & (truth.true_source_id >= 0)]
                of = own.true_source_id.nunique()
                cells = (len(rows), int((rows.true < 0).sum()), lost)
                if lost >= FEWEST:
                    reasons.append(
                        (what, rule, survey, reason, *(f"{n:,}" for n in cells), f"{lost / of:.2%}")
                    )
    part("totals")
    names = ("surveys", "rule", "detected stars", "in the catalogue", "spurious rows", "repeated")
    table(names, totals)
    part("reasons")
    names = ("surveys", "rule", "survey", "reason", "left out", "no stars", "true stars lost",
             "of the stars of the survey")  # fmt: skip
    table(names, reasons)


def real(folder: Path, shared: Path) -> None:
    """Print what becomes of a real cone of 2MASS."""
    rows = []
    for rule in RULES:
        output = merge(folder, "", {"2mass": shared / "real" / CONE}, rule)
        words = json.loads((output / "_summary.json").read_text(encoding="utf-8"))
        account = words["account"]["2mass"]
        left = {name: n for name, n in account.items() if name not in ("read", "linked") and n}
        said = ", ".join(f"{name} {n}" for name, n in left.items())
        looks = sum(words["real_looking"].values())
        flagged = words["flags"]["DOUBTFUL"]
        rows.append((rule, account["read"], account["linked"], said, looks, flagged))
    part("real")
    names = ("rule", "sources", "in a star", "left out", "of these 10 sigma in two bands",
             "stars flagged as doubtful")  # fmt: skip
    table(names, rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deg2", type=float, default=0.06)
    parser.add_argument("--l", type=float, default=0.35)
    parser.add_argument("--b", type=float, default=-0.3)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "sky"
        simulated(folder, options)
        real(folder, options.shared.resolve())


if __name__ == "__main__":
    main()
