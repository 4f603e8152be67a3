"""Run cases of inputs that once gave wrong numbers, and say whether each is right now.

    python benchmarks/inputs.py FOLDER [--only PART] [--no-fail]

FOLDER holds a folder for every case: input files, ``cmd.txt`` (the command) and ``expected.txt``
(what is right). A case is copied, run, and judged by the function below that has its name. Prints a
Markdown table: case, what happened, right or wrong. Cases that no function knows are listed as "not
checked". Exit code 1 if one is wrong, unless --no-fail is given.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import gcmock as gcmock_module
from gcmock.words.flags import Flag
from printed import table

Verdict = tuple[str, bool]
CHECKS: Final[dict[str, Callable[[Path], Verdict]]] = {}


class Done(NamedTuple):
    """What a command gave: its exit code, and all that it printed."""

    code: int
    text: str

    @property
    def line(self) -> str:
        """Its error, or its last line."""
        lines = [x for x in self.text.strip().splitlines() if x.strip()] or [""]
        errors = [x for x in lines if "error: " in x]
        return (errors or lines[-1:])[0].replace("|", "/")[-160:]

    @property
    def is_refusal(self) -> bool:
        """Whether it is an error in one line, and no traceback."""
        return self.code == 2 and "Traceback" not in self.text


def case(name: str) -> Callable[[Callable[[Path], Verdict]], Callable[[Path], Verdict]]:
    """Register the check of a case, by its name without the number."""

    def register(check: Callable[[Path], Verdict]) -> Callable[[Path], Verdict]:
        CHECKS[name] = check
        return check

    return register


def gcmock(*arguments: object) -> Done:
    """Run a command in this process."""
    from gcmock import cli

    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            code = cli.run([*map(str, arguments)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        except Exception as error:
            return Done(1, f"{text.getvalue()}\nTraceback: {type(error).__name__}: {error}")
    return Done(code, text.getvalue())


def shell(folder: Path, command: str, **environment: str) -> Done:
    """Run a command line in a process of its own."""
    done = subprocess.run(
        ["bash", "-c", re.sub(r"^gcmock ", f"{sys.executable} -m gcmock ", command)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=600,
    )
    return Done(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))


def build(path: Path | str, *options: object) -> tuple[Done, dict[str, np.ndarray]]:
    """Build a catalogue; return what was said and its columns (none after an error)."""
    output = Path(f"{str(path).replace('[', '_').replace(']', '_')}.out.parquet")
    done = gcmock("build", path, "-o", output, "--seed", 1, *options)
    if done.code:
        return done, {}
    rows = pq.read_table(output)
    return done, {name: rows[name].to_numpy(zero_copy_only=False) for name in rows.column_names}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    """Whether two catalogues have the same stars."""
    names = ("source_id", "distance_pc", "pmra", "pmdec", "phot_ks_mag", "p_nsd")
    return bool(first) and all(np.array_equal(first[n], second[n]) for n in names)


def refused_or_same(path: Path, reference: Path) -> Verdict:
    """Right is the result of another file, or a refusal."""
    done, found = build(path)
    if done.is_refusal:
        return done.line, True
    right = same(found, build(reference)[1])
    return ("the same stars" if right else "other stars") + f" as {reference.name}", right


def refused(*paths: Path) -> Verdict:
    """Right is a refusal of every file."""
    results = [build(path)[0] for path in paths]
    return "; ".join(x.line for x in results), all(x.is_refusal for x in results)


def works(done: Done) -> Verdict:
    """Right is that it works."""
    return done.line if done.code else "works", done.code == 0


@case("fits-bracket-units")
def _(folder: Path) -> Verdict:
    return refused_or_same(folder / "f01.fits", folder / "f00.fits")


@case("astrometry-sentinels")
def _(folder: Path) -> Verdict:
    return refused_or_same(folder / "c04.parquet", folder / "c04nan.parquet")


@case("fits-scaled-tnull")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "c01.fits")
    bands = found.get("n_bands", np.zeros(0)).tolist()
    return f"{done.code}: bands used {bands}", bands[:4] == [2, 2, 3, 2]


@case("merge-float-ids")
def _(folder: Path) -> Verdict:
    from gcmock.errors import InputError
    from gcmock.surveys.read.open_survey import open_survey

    said = []
    for name in ("gaia_nanid.parquet", "gaia_maskid.fits"):
        try:
            said.append(str(next(iter(open_survey(folder / name).chunks()))["source_id"][:3]))
        except InputError as error:
            said.append(str(error).partition(": ")[2])
    return "; ".join(said), all("is missing" in x or "lost digits" in x for x in said)


@case("ref-epoch-ignored")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "c05.parquet")
    epochs = sorted({*found.get("ref_epoch", np.zeros(0)).tolist()})
    return f"{done.code}: ref_epoch {epochs}", epochs == [2000.0]


@case("propagate-mjd-epoch")
def _(folder: Path) -> Verdict:
    tables = []
    for name in ("p0", "p_mjd"):
        arguments = ["--product", "sources", "--epochs", 2036, "-o", folder / f"{name}.out.parquet"]
        done = gcmock("propagate", folder / f"{name}.parquet", *arguments)
        if done.code:
            return done.line, done.is_refusal
        tables.append(pq.read_table(folder / f"{name}.out.parquet"))
    # The file says MJD 57388 for 2016.0, which is half a day later.
    apart = [np.abs(tables[0]["dec"].to_numpy() - tables[1]["dec"].to_numpy()).max() * 3.6e6]
    return f"at most {apart[0]:.3g} mas from p0 (half a day of Barnard's star: 14)", apart[0] < 20


@case("hats-collection")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "h_coll_noid")
    n = len(found.get("ra", ()))
    return done.line if done.code else f"{n} stars", n == 60


@case("folder-units-differ")
def _(folder: Path) -> Verdict:
    return refused(folder / "q_units")


@case("csv-ids-changed")
def _(folder: Path) -> Verdict:
    wanted = {"d08_zeros": "000007", "d09_exp": "2E1", "d10_hex": "0x3E9"}
    got = {}
    for name in wanted:
        done, found = build(folder / f"{name}.csv")
        got[name] = str(found["source_id"][1]) if found else done.line
    return ", ".join(got.values()), got == wanted


@case("dataframe-index")
def _(folder: Path) -> Verdict:
    import pandas as pd

    from gcmock.errors import InputError
    from gcmock.mock.build import build_table

    frame = pd.read_parquet(folder / "d.parquet")
    try:
        ids = build_table(frame.set_index("source_id"))["source_id"].tolist()
    except InputError as error:
        return str(error), True
    return f"identifiers {ids[:2]} ...", ids == frame["source_id"].tolist()


@case("no-home-no-passwd")
def _(folder: Path) -> Verdict:
    # Another user may not reach this interpreter, but one of the same version in /usr/bin.
    python = shutil.which("python{}.{}".format(*sys.version_info), path="/usr/bin:/usr/local/bin")
    packages = [Path(gcmock_module.__file__).parents[1], Path(np.__file__).parents[1]]
    command = (
        "setpriv --reuid 12345 --regid 12345 --clear-groups env -i PATH=/usr/bin:/bin HOME=/ "
        f"PYTHONPATH={':'.join(map(str, packages))} {python or sys.executable} -m gcmock build "
        "ok.parquet -o o.parquet"
    )
    for path in (folder, folder.parent):
        path.chmod(0o777)
    return works(shell(folder, command))


@case("mplbackend")
def _(folder: Path) -> Verdict:
    backend = "module://matplotlib_inline.backend_inline"
    return works(shell(folder, "gcmock demo -o demo", MPLBACKEND=backend))


@case("unicode-ids")
def _(folder: Path) -> Verdict:
    results = [
        gcmock("build", folder / "g01_uni.parquet", "-o", folder / f"o.{s}")
        for s in ("fits", "vot")
    ]
    return results[0].line, all(x.is_refusal or (x.code == 0) for x in results)


@case("duplicate-columns")
def _(folder: Path) -> Verdict:
    return refused(*(folder / n for n in ("e07_dup.parquet", "g03_dup.vot", "g11_dup.fits")))


@case("b-is-a-magnitude")
def _(folder: Path) -> Verdict:
    results = [build(folder / name) for name in ("e08_bmag.csv", "e08c_bmag.fits")]
    right = all(len(found.get("b", ())) and abs(found["b"]).max() < 4.5 for _, found in results)
    return "; ".join(f"{len(found.get('b', ()))} stars" for _, found in results), right


@case("csv-padded")
def _(folder: Path) -> Verdict:
    results = [build(folder / name) for name in ("d06_spaces.csv", "d06b_spacesvals.csv")]
    right = same(results[0][1], results[1][1])
    return "the same stars" if right else results[1][0].line, right


@case("csv-latin1-unused-column")
def _(folder: Path) -> Verdict:
    return works(build(folder / "d03_latin1.csv")[0])


@case("info-data-codepage")
def _(folder: Path) -> Verdict:
    pages = ("cp932", "cp1252", "ascii")
    results = [shell(folder, "gcmock info data", PYTHONIOENCODING=page) for page in pages]
    bad = [x.line for x in results if x.code]
    return bad[0] if bad else "prints", not bad


@case("fits-several-tables")
def _(folder: Path) -> Verdict:
    one, two = build(folder / "e04.fits"), build(folder / "e04b.fits")
    chosen = build(f"{folder / 'e04b.fits'}[2]")
    sizes = [len(found.get("ra", ())) for _, found in (one, two, chosen)]
    said = f"e04: {sizes[0]} stars; e04b: {two[0].line}; e04b.fits[2]: {sizes[2]} stars"
    return said, sizes[0] == 8 and (two[0].is_refusal or sizes[1] == 8) and sizes[2] == 5


@case("zero-magnitudes")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "e12.parquet")
    bands = found.get("n_bands", np.zeros(0)).tolist()
    return f"{done.code}: bands used {bands}", bands == [2, 2, 2, 2, 2, 2, 3, 3]


@case("cache-disk-full")
def _(folder: Path) -> Verdict:
    # The limit stops the cache and the output alike, which is longer than 40 kB: right is that
    # the cache does no harm, and that the output fails in one line and leaves nothing.
    command = f"mkdir nc; (ulimit -f 40; NUMBA_CACHE_DIR=nc {sys.executable} -m gcmock build "
    done = shell(folder, command + "ok.parquet -o o.parquet)")
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith("o"))
    clean = left == ["ok.parquet"] and "Traceback" not in done.text
    right = clean and done.code == 3 and "File too large" in done.line
    return f"{done.code}: {done.line}; left: {', '.join(left)}", right or done.code == 0


@case("log-file-name-bytes")
def _(folder: Path) -> Verdict:
    command = f"cp ok.parquet $'bad_\\xe9.parquet'; {sys.executable} -m gcmock build "
    return works(shell(folder, command + "$'bad_\\xe9.parquet' -o o.parquet --log l.txt"))


@case("folder-part-order")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "e09_parts")
    second = pq.read_table(folder / "e09_parts" / "part.2.parquet")["ra"][0].as_py()
    right = bool(found) and bool(found["ra"][2] == second)
    return ("row 2 is part.2" if right else f"{done.code}: row 2 is another"), right


@case("twomass-upper-limits")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "tmass_limits.csv", "--config", folder / "tmass.toml")
    bands = found.get("n_bands", np.zeros(0)).tolist()
    return f"{done.code}: bands used {bands}", done.is_refusal or bands == [1, 2, 3]


@case("zero-is-missing")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "zeros.csv")
    bands = found.get("n_bands", np.zeros(0)).tolist()
    said = "of them numbers" in done.text and "default error" in done.text
    return f"{done.code}: bands used {bands}", bands in ([0, 2], [0, 3]) and said


@case("separators")
def _(folder: Path) -> Verdict:
    names = folder / "names.toml"
    names.write_text('[columns]\nphot_ks_mag = "Ks"\n')
    results = [build(folder / "tabs.csv"), build(folder / "tabs.tsv")]
    results.append(build(folder / "blank.dat", "--config", names))
    right = all(len(found.get("ra", ())) == 1 for _, found in results)
    return "; ".join(f"{len(found.get('ra', ()))} star" for _, found in results), right


@case("foreground-dust")
def _(folder: Path) -> Verdict:
    done, found = build(folder / "dust_foreground.csv")
    if not found:
        return done.line, False
    low, high = found["distance_q05_pc"], found["distance_q95_pc"]
    covered = int(((low < 2400.0) & (high > 2200.0)).sum())
    odd = int((found["flags"] & int(Flag.UNEXPLAINED) != 0).sum())
    n = len(low)
    # No dust makes H - Ks redder than J - H: that most are UNEXPLAINED is no fault of the dust.
    said = f"90 % covers 2.2 to 2.4 kpc for {covered} of {n} stars ({odd} have colours of no star)"
    return said, covered > 0.7 * n


@case("false-unexplained")
def _(folder: Path) -> Verdict:
    sky = folder / "sim.parquet"
    window = ("--l", 9.0, 9.45, "--b", -2.8, -2.3, "--ks-max", 14, "--seed", 3)
    done = gcmock("simulate", "-o", sky, *window)
    if done.code:
        return done.line, False
    rows = pq.read_table(sky)
    distance = rows["distance_pc"].to_numpy()
    disc = pc.starts_with(rows["component"], "th").to_numpy(zero_copy_only=False)
    rows, distance = (x[disc & (distance < 4000.0)] for x in (rows.to_pandas(), distance))
    rng, n = np.random.default_rng(1), len(rows)
    table = {name: rows[name].to_numpy() for name in ("ra", "dec")}
    noisy = {f"phot_{band}_mag": 0.02 for band in ("j", "h", "ks")} | {"pmra": 0.04, "pmdec": 0.04}
    true = {name: rows[name].to_numpy() for name in noisy} | {"parallax": 1000.0 / distance}
    for name, error in (noisy | {"parallax": 0.03}).items():
        table[name] = true[name] + rng.normal(0.0, error, n)
        table[f"{name}_error"] = np.full(n, error)
    pq.write_table(pa.table(table), folder / "simobs.parquet")
    done, found = build(folder / "simobs.parquet")
    odd = float((found["flags"] & int(Flag.UNEXPLAINED) != 0).mean()) if found else 1.0
    return f"{odd:.1%} of {n:,} stars of the model are UNEXPLAINED", odd < 0.02


def rows(folder: Path, only: str) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table."""
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        name = source.name.lstrip("0123456789").lstrip("-")
        if only not in source.name:
            continue
        if name not in CHECKS:
            yield source.name, "", "not checked"
            continue
        with tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary) / "case"
            shutil.copytree(source, copy)
            for path in (copy, *copy.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            happened, right = CHECKS[name](copy)
            happened = re.sub(r"\S*/case/", "", happened)
        yield source.name, happened, "right" if right else "**wrong**"


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--no-fail", action="store_true", help="exit code 0 whatever is found")
    arguments = parser.parse_args()
    found: list[tuple[str, str, str]] = []

    def keep() -> Iterator[tuple[str, str, str]]:
        for one in rows(arguments.folder, arguments.only):
            found.append(one)
            yield one

    table(("case", "what happened", ""), keep())
    verdicts = [verdict for *_, verdict in found]
    counts = ", ".join(f"{verdicts.count(v)} {v.strip('*')}" for v in dict.fromkeys(verdicts))
    print(f"\n{len(found)} cases: {counts}", flush=True)
    return int("**wrong**" in verdicts and not arguments.no_fail)


if __name__ == "__main__":
    sys.exit(main())
