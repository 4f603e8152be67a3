"""Run every gcmock command of the documentation, at small sizes and on simulated inputs.

    python tools/docs_commands.py --list
    python tools/docs_commands.py [--folder DIR] [PAGE ...]

The commands are those of the bash blocks of the README and of docs/. They run page by page, in the
order in which they stand there, in a temporary folder with the files that the pages suppose: lists
of stars, a catalogue, surveys. One that stands on several pages runs once. `SMALLER` makes windows
and missions small, `LEFT_OUT` names the commands that cannot run here, `FEWER` those whose checks
fail with few stars, each with its reason. Exit code 1 if a command fails.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"^(?:\S*/)?gcmock\s")

SMALLER = (
    (r"--l -1\.4 0\.7 --b -0\.6 0\.6", "--l 0.10 0.12 --b -0.20 -0.18"),
    (r"--l -0\.2 0\.2 --b -0\.3 -0\.1", "--l 0.10 0.12 --b -0.20 -0.18"),
    (r"--l 0 0\.1 --b -0\.1 0", "--l 0.00 0.02 --b -0.02 0"),
    (r"--ks-max 1[67](\.5)?", "--ks-max 14"),
    (r"(stars\.fits .*--limits) 10 15", r"\1 7 9.5"),
    (r"(survey\.parquet .*--limits) 10 15", r"\1 10 13.9"),
    (r"--visits 400$", "--visits 120 --set calibration.block_days=60"),
    (r"--visits 400 ", "--visits 120 "),
    (r"(build (?:catalogue|gcmock-demo|stars\.fits .*--config|.* -o mock$).*)", r"\1 --no-learn"),
)
"""What makes a command small: pattern and replacement."""

LEFT_OUT = (
    (r"^gcmock fetch", "asks an archive; tests/surveys/fetch has a server of its own"),
    (r"--scheduler|^gcmock import-hats", "starts worker processes; tests/runtime runs them"),
    (r"ukidss_gps", "wants the whole definition; tests/exercises/test_new_survey.py runs it"),
)
"""Commands that do not run here: pattern and reason."""

FEWER = ((r"^gcmock validate .*--counts", "a list of some stars has not the numbers of the model"),)
"""Commands whose checks fail with so few stars (exit code 1): pattern and reason."""

MOCK = "mock.parquet"
"""The mock catalogue that pages suppose; many of them make one."""

BESIDE = ("learned.fits", "truth.parquet", "rejected")
"""What commands write beside an output, behind its name."""


@dataclass(frozen=True)
class Call:
    """A command of a page.

    Attributes
    ----------
    page : str
        Where it stands.
    line : str
        As it stands there, from ``gcmock`` on.
    """

    page: str
    line: str

    @property
    def reason(self) -> str:
        """Why it is left out; empty if it runs."""
        return next((why for pattern, why in LEFT_OUT if re.search(pattern, self.line)), "")

    @property
    def excuse(self) -> str:
        """Why a failed check of it is no failure here; empty if it is one."""
        return next((why for pattern, why in FEWER if re.search(pattern, self.line)), "")

    @property
    def words(self) -> list[str]:
        """Arguments of gcmock, made small."""
        line = self.line
        for pattern, small in SMALLER:
            line = re.sub(pattern, small, line)
        return shlex.split(line, comments=True)[1:]


def pages(root: Path) -> list[Path]:
    """Return the pages whose commands are run."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def calls(root: Path) -> Iterator[Call]:
    """Yield every command of the pages, in their order; each once per page."""
    for page in pages(root):
        found = []
        for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            lines = text.replace("\\\n", " ").splitlines() if language == "bash" else []
            for line in lines:
                for part in line.split("&&"):
                    if CALL.match(part.strip()):
                        found.append("gcmock " + CALL.sub("", part.strip(), count=1))
        name = page.relative_to(root).as_posix()
        yield from (Call(name, line) for line in dict.fromkeys(found))


def settings_of(root: Path, page: str) -> str:
    """Return the settings file that a page shows, empty if it shows none."""
    text = (root / page).read_text(encoding="utf-8")
    shown = [body for language, body in BLOCK.findall(text) if language == "toml"]
    return next((body for body in shown if "[columns]" in body), "")


def prepare(root: Path, folder: Path) -> None:
    """Make the files that the pages suppose."""
    from astropy.table import Table

    import gcmock
    from gcmock.data import path as data_path

    window = {"l": (0.10, 0.12), "b": (-0.20, -0.18)}
    # Bright stars over a field of view: a mission has primary sources all over it.
    bright = {"l": (-0.2, 0.4), "b": (-0.5, 0.1), "ks_max": 9.5}
    gcmock.simulate(**bright, survey=True, output=folder / "survey.parquet")
    stars = Table.read(folder / "survey.parquet")
    # FITS has no place for what astropy keeps of the file.
    stars.meta.clear()
    named = stars.copy()
    named.rename_columns(["phot_ks_mag", "phot_ks_mag_error"], ["Kmag", "e_Kmag"])
    for name, table in (("stars", stars), ("named", named)):
        table.write(folder / f"{name}.fits")
    stars[:20].write(folder / "few.parquet")
    target = stars["source_id", "ra", "dec"]
    target["phot_hw_mag"] = stars["phot_h_mag"] - 0.3
    target.write(folder / "jasmine_hw_catalogue.parquet")
    gcmock.build(stars, folder / MOCK, no_learn=True)
    shutil.copyfile(folder / MOCK, folder / f"whole_{MOCK}")
    shutil.copyfile(data_path("missions/jasmine.toml"), folder / "my_mission.toml")
    names = "2mass,virac2,sirius,gnc,gaia"
    gcmock.simulate(**window, ks_max=14, surveys=names, output=folder / "sky")
    found = {path.stem: path for path in (folder / "sky").iterdir()}
    Table.read(found["2mass"]).write(folder / "2mass.csv", overwrite=True)
    shutil.copytree(root / "examples", folder / "examples")
    merge = folder / "examples" / "jasmine_merge.toml"
    text = merge.read_text(encoding="utf-8")
    text = text.replace("[-1.4, 0.7]", "[0.10, 0.12]").replace("[-0.6, 0.6]", "[-0.20, -0.18]")
    for name in names.split(","):
        section = rf'\[\[survey\]\]\nname = "{name}"\npath = "[^"]*"'
        # A survey that sees nothing in so small a window has no file.
        file = found.get(name)
        own = f'[[survey]]\nname = "{name}"\npath = "../sky/{file.name}"' if file else ""
        text = re.sub(section, own, text)
    merge.write_text(text, encoding="utf-8")


def run(root: Path, folder: Path, only: Sequence[str] = ()) -> list[str]:
    """Run the commands in a folder with its inputs; return what failed, one text each."""
    from gcmock import cli

    failed: list[str] = []
    done: dict[tuple[str, str], list[str]] = {}
    renamed: set[str] = set()
    before, page, settings = Path.cwd(), "", ""
    os.chdir(folder)
    try:
        for call in calls(root):
            if only and call.page not in only:
                continue
            if call.reason:
                print(f"left out  {call.page}: {call.line} ({call.reason})")
                continue
            if call.page != page:
                page, settings = call.page, settings_of(root, call.page)
                renamed.clear()
                # Another page may have made one of a few stars, which no mission can be tried on.
                shutil.copyfile(f"whole_{MOCK}", MOCK)
                done = {key: given for key, given in done.items() if MOCK not in given}
                Path("settings.toml").write_text(settings, encoding="utf-8")
            same = call.line, settings if "settings.toml" in call.line else ""
            if same in done:
                continue
            words = _ready(call.words, renamed)
            if words[0] == "observe":
                # What was solved from other observations in this folder is solved again.
                of_others = words[words.index("-o") + 1]
                done = {key: given for key, given in done.items() if of_others not in given}
            done[same] = words
            printed, begin = io.StringIO(), time.monotonic()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                code = cli.run(words)
            print(
                f"{time.monotonic() - begin:6.1f} s  {page}: gcmock {shlex.join(words)}", flush=True
            )
            if code == 1 and (why := call.excuse):
                print(f"no error  exit code 1: {why}")
            elif code:
                print(f"FAILED    exit code {code}: {printed.getvalue().strip()}", flush=True)
                failed.append(f"{page}: {call.line}\n  exit code {code}: {printed.getvalue()}")
    finally:
        os.chdir(before)
    return failed


def _ready(words: list[str], renamed: set[str]) -> list[str]:
    """Free the names of outputs, and give a list of stars the names that the settings have.

    Outputs that were made with such settings have them inside, and are added to `renamed`.
    """
    for option in ("-o", "--output", "--figure"):
        if option in words:
            output = Path(words[words.index(option) + 1])
            beside = [output.with_name(f"{output.stem}_{what}") for what in BESIDE]
            for path in [output, *(path for path in beside if path.name not in words)]:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
    outputs = {words[i + 1] for i, word in enumerate(words) if word in ("-o", "--output")}
    if "settings.toml" not in words and not renamed & set(words) - outputs:
        renamed -= outputs
    else:
        renamed |= outputs
        words = ["named.fits" if word == "stars.fits" else word for word in words]
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="such as docs/tutorial.md; all")
    parser.add_argument("--list", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep what is made in DIR")
    options = parser.parse_args(arguments)
    if options.list:
        for call in calls(ROOT):
            print(f"{call.page}: {call.line}" + (f"  [{call.reason}]" if call.reason else ""))
        return 0
    if unknown := set(options.pages) - {p.relative_to(ROOT).as_posix() for p in pages(ROOT)}:
        parser.error(f"no page {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(ROOT, folder.resolve())
        failed = run(ROOT, folder.resolve(), options.pages)
    print("\n".join(["", *failed]) if failed else "all commands ended well")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
