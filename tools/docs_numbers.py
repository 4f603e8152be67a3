"""Keep the measured numbers of README and documentation equal to what benchmarks print.

    python tools/docs_numbers.py --list
    python tools/docs_numbers.py --run [NAME ...]     measure, store and insert; hours without NAME
    python tools/docs_numbers.py --insert [NAME ...]  insert what is stored
    python tools/docs_numbers.py --check              fails if pages and stored results differ

`docs/numbers/commands.toml` names the commands. What a command printed is stored in
`docs/numbers/NAME.md`, with command, date, machine, versions and seconds, so that commands can be
run one by one on different days. A page shows it between ``<!-- numbers: NAME -->`` and
``<!-- end numbers -->``. A command that prints lines ``<!-- part: PART -->`` prints several parts,
each of them up to the next such line: ``<!-- numbers: NAME.PART -->``.

Numbers are stored only if what was measured is a commit: `--run` refuses to begin, and to store,
while files differ from it (those that it writes itself apart: stored results, and the pages that
show them). `--anyway` measures and prints without storing.

Numbers within sentences are compared by the `quote` tables of the same file: the groups of the
regular expression `sentence` on the page must be those of `printed` in the stored result, rounded
to the digits that the page shows.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from machine import cpu

ROOT = Path(__file__).resolve().parents[1]

BLOCK = re.compile(
    r"^<!-- numbers: (?P<key>(?!given )\S+) -->\n(?P<text>.*?)^<!-- end numbers -->$",
    re.DOTALL | re.MULTILINE,
)
MARK = re.compile(r"^<!-- (numbers: (?!given)|end numbers).*$", re.MULTILINE)
PART = re.compile(r"^<!-- part: (\S+) -->\n", re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
GIVEN = "<!-- numbers: given -->\n"
LIBRARIES = ("numpy", "scipy", "numba")


class Command(NamedTuple):
    """A registered command: the line as it is shown, minutes that it takes, how it is run."""

    line: str
    minutes: float
    shown: bool


class Quote(NamedTuple):
    """A sentence of a page and where its numbers are in a stored result."""

    page: str
    sentence: str
    run: str
    printed: str


class Stored(NamedTuple):
    """What a command printed, by part ("" if there is one only), and where it comes from."""

    head: dict[str, Any]
    parts: dict[str, str]


def folder_of(root: Path) -> Path:
    """Folder of the stored results."""
    return root / "docs" / "numbers"


def registry(root: Path) -> tuple[dict[str, Command], list[Quote]]:
    """Read the registered commands and quotes."""
    text = (folder_of(root) / "commands.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    quotes = [Quote(**quote) for quote in table.pop("quote", [])]
    commands = {
        name: Command(entry["command"], entry["minutes"], entry.get("shown", True))
        for name, entry in table.items()
    }
    return commands, quotes


def pages(root: Path) -> list[Path]:
    """README, changelog and the pages of the documentation."""
    return [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").glob("*.md"))]


def split(printed: str) -> dict[str, str]:
    """Return the parts of an output; what stands before the first one is no part."""
    lines = "\n".join(line.rstrip() for line in printed.splitlines())
    pieces = PART.split(lines + "\n")
    if len(pieces) == 1:
        return {"": lines.strip()}
    return {name: text.strip() for name, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def load(root: Path, name: str) -> Stored | None:
    """Read a stored result; None if there is none."""
    path = folder_of(root) / f"{name}.md"
    if not path.is_file():
        return None
    head, _, body = path.read_text(encoding="utf-8").partition("\n-->\n")
    return Stored(tomllib.loads(head.removeprefix("<!--\n")), split(body))


def save(root: Path, name: str, stored: Stored) -> None:
    """Write a result under its name when it is complete."""
    lines = [f"{key} = {_toml(value)}" for key, value in stored.head.items()]
    body = [f"<!-- part: {p} -->\n\n{t}" if p else t for p, t in stored.parts.items()]
    path = folder_of(root) / f"{name}.md"
    temporary = path.with_suffix(".new")
    temporary.write_text("\n".join(["<!--", *lines, "-->", "", *"\n\n".join(body).split("\n"), ""]),
                         encoding="utf-8")  # fmt: skip
    temporary.replace(path)


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def caption(stored: Stored) -> str:
    """Return the line that says where the numbers come from."""
    head = stored.head
    words = f"Printed by `{head['command']}` on {head['date']}"
    if "origin" in head:
        words = words.replace(" on ", " on or before ")
    details = [head["machine"]]
    if "seconds" in head:
        details.append(head["versions"].partition(",")[0])
        seconds = head["seconds"]
        details.append(f"{seconds:.0f} s" if seconds < 99 else f"{seconds / 60:.0f} minutes")
    return f"*{words}{': ' if details else ''}{', '.join(details)}.*"


def text_of(root: Path, key: str) -> str | None:
    """Return the stored text of a block; None if nothing is stored under the key."""
    name, _, part = key.partition(".")
    stored = load(root, name)
    return None if stored is None else stored.parts.get(part)


def render(root: Path, page: str, only: Sequence[str] = ()) -> str:
    """Return a page with the stored results in its blocks."""
    commands, _ = registry(root)
    keys = [match["key"] for match in BLOCK.finditer(page)]
    last_of = {key.partition(".")[0]: i for i, key in enumerate(keys) if text_of(root, key)}
    number = iter(range(len(keys)))

    def fresh(match: re.Match[str]) -> str:
        i, key = next(number), match["key"]
        name = key.partition(".")[0]
        text = text_of(root, key)
        if only and name not in only:
            return match[0]
        stored = load(root, name)
        copied = stored is None or "origin" in stored.head
        if text is None and name in commands and copied:
            text = f"*Not measured yet: `{shown(commands[name].line)}`.*"
        if text is None:
            return match[0]
        if stored and last_of.get(name) == i and commands.get(name, Command("", 0, True)).shown:
            text = f"{text}\n\n{caption(stored)}"
        return f"<!-- numbers: {key} -->\n\n{text}\n\n<!-- end numbers -->"

    return BLOCK.sub(fresh, page)


def insert(root: Path, only: Sequence[str] = ()) -> None:
    """Put the stored results into the pages."""
    for path in pages(root):
        page = path.read_text(encoding="utf-8")
        fresh = render(root, page, only)
        if fresh != page:
            path.write_text(fresh, encoding="utf-8")
            print(f"{path.relative_to(root)}: written", file=sys.stderr)


def problems(root: Path) -> Iterator[str]:
    """Everything in which pages, stored results and commands disagree: where, what, what to do."""
    commands, quotes = registry(root)
    used = set()
    for path in pages(root):
        name, page = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        yield from _broken_marks(name, page)
        for match in BLOCK.finditer(page):
            used.add(match["key"])
            yield from _block_problems(root, commands, name, page, match["key"])
        yield from _differences(name, page, render(root, page))
        yield from _loose_tables(name, page)
    for quote in quotes:
        used.add(quote.run)
        yield from _quote_problems(root, commands, quote)
    for name, command in commands.items():
        if not any(key.partition(".")[0] == name for key in used):
            yield f"docs/numbers/commands.toml: no page shows or quotes {name}: add a block"
        stored = load(root, name)
        if stored is None or "origin" in stored.head:
            continue
        if stored.head["command"] != shown(command.line):
            yield (
                f"docs/numbers/{name}.md was printed by another command than the registered one "
                f"({stored.head['command']}): run python tools/docs_numbers.py --run {name}"
            )
    for path in folder_of(root).glob("*.md"):
        if path.stem not in commands:
            yield f"docs/numbers/{path.name}: no command of this name in commands.toml"


def _is_measured(root: Path, name: str) -> bool:
    stored = load(root, name)
    return stored is not None and "origin" not in stored.head


def _line(page: str, place: int) -> int:
    return page.count("\n", 0, place) + 1


def _broken_marks(name: str, page: str) -> Iterator[str]:
    marks = list(MARK.finditer(page))
    kinds = [match[1] == "end numbers" for match in marks]
    if kinds != [False, True] * (len(kinds) // 2) or not all(
        re.fullmatch(r"<!-- (numbers: [\w.]+|end numbers) -->", match[0]) for match in marks
    ):
        lines = ", ".join(str(_line(page, match.start())) for match in marks)
        yield (
            f"{name}: marks of numbers (lines {lines}) do not come in pairs of "
            "<!-- numbers: NAME --> and <!-- end numbers -->"
        )


def _block_problems(
    root: Path, commands: dict[str, Command], name: str, page: str, key: str
) -> Iterator[str]:
    run, _, part = key.partition(".")
    where = f"{name}, line {_line(page, page.index(f'<!-- numbers: {key} -->'))}"
    if run not in commands:
        yield f"{where}: block {key} has no command: add [{run}] to docs/numbers/commands.toml"
    elif (stored := load(root, run)) is None or "origin" in stored.head:
        # Not measured by this tool yet; the page says so.
        return
    elif part not in stored.parts:
        has = ", ".join(filter(None, stored.parts)) or "one part without a name"
        yield f"{where}: docs/numbers/{run}.md has no part {part or 'without a name'}, but {has}"


def _differences(name: str, page: str, fresh: str) -> Iterator[str]:
    for old, new in zip(BLOCK.finditer(page), BLOCK.finditer(fresh), strict=True):
        if old[0] == new[0]:
            continue
        a, b = old[0].split("\n"), new[0].split("\n")
        i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        here, stored = (("".join(text[i : i + 1]) or "nothing") for text in (a, b))
        run = old["key"].partition(".")[0]
        yield (
            f"{name}, line {_line(page, old.start()) + i}: the page has\n    {here}\n"
            f"  but docs/numbers/{run}.md has\n    {stored}\n"
            f"  Take what is stored: python tools/docs_numbers.py --insert {run}\n"
            f"  Measure again:       python tools/docs_numbers.py --run {run}"
        )


def _loose_tables(name: str, page: str) -> Iterator[str]:
    """Tables that are mostly numbers and stand outside of every generated block."""
    inside = [match.span() for match in BLOCK.finditer(page)]
    inside += [m.span() for m in re.finditer(r"<!-- begin: .*?<!-- end: ", page, re.DOTALL)]
    inside += [m.span() for m in re.finditer(r"^```.*?^```", page, re.DOTALL | re.MULTILINE)]
    for match in TABLE.finditer(page):
        if any(start < match.start() < stop for start, stop in inside):
            continue
        if page[: match.start()].rstrip("\n").endswith(GIVEN.strip()):
            continue
        # The first column has names.
        cells = [c for row in match[0].splitlines()[2:] for c in row.strip("|").split("|")[1:]]
        if sum(bool(re.match(r"\W*\d", cell)) for cell in cells) > 0.3 * len(cells):
            yield (
                f"{name}, line {_line(page, match.start())}: a table of numbers outside of a "
                "block: let a registered command print it, or put the line "
                "<!-- numbers: given --> before it if nothing here measures them (parameters, "
                "sums, what others measured)"
            )


def _quote_problems(root: Path, commands: dict[str, Command], quote: Quote) -> Iterator[str]:
    page = " ".join((root / quote.page).read_text(encoding="utf-8").split())
    stored = load(root, quote.run)
    if quote.run not in commands or stored is None:
        yield (
            f"{quote.page}: quotes {quote.run}, of which nothing is stored: "
            f"run python tools/docs_numbers.py --run {quote.run}"
        )
        return
    found = re.search(quote.sentence, page)
    printed = re.search(quote.printed, "\n".join(stored.parts.values()))
    if found is None:
        yield f"{quote.page}: no sentence like '{quote.sentence}' (a quote of commands.toml)"
    elif printed is None and "origin" not in stored.head:
        yield f"docs/numbers/{quote.run}.md: nothing like '{quote.printed}', for {quote.page}"
    elif printed is not None:
        for here, there in zip(found.groups(), printed.groups(), strict=True):
            if not same(here, there):
                yield (
                    f"{quote.page}: '{found[0]}' says {here}, "
                    f"but docs/numbers/{quote.run}.md has {there}: correct the sentence"
                )


def same(quoted: str, printed: str) -> bool:
    """Tell whether a number is another one, rounded to the digits that it shows."""
    try:
        a, b = (float(text.replace(",", "").replace("−", "-")) for text in (quoted, printed))
    except ValueError:
        return quoted == printed
    digits = quoted.replace(",", "")
    if "." in digits:
        step = 10.0 ** -len(digits.split(".")[1])
    else:
        step = 10.0 ** (len(digits) - len(digits.rstrip("0")) if a else 0)
    return math.isclose(a, b) or abs(a - b) <= 0.5 * step * (1 + 1e-9)


def shown(line: str) -> str:
    """Return a command as pages show it."""
    return line.format(shared="SHARED", out="OUT")


def changed_files(root: Path) -> list[str]:
    """Files that differ from the commit, or that it lacks; not those that this tool writes.

    A page that differs in its blocks alone is as committed: `insert` wrote there.
    """
    words = ["git", "-C", str(root), "-c", "core.quotePath=false", "status", "--porcelain",
             "--untracked-files=all", "--no-renames", "-z"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"no commit to name: {done.stderr.strip() or 'git failed'}"]
    own = {f"docs/numbers/{name}.md" for name in registry(root)[0]}
    shown_on = {path.relative_to(root).as_posix() for path in pages(root) if path.is_file()}
    files = [entry[3:] for entry in done.stdout.split("\0") if entry]
    return [
        name
        for name in files
        if name not in own and not (name in shown_on and _same_but_blocks(root, name))
    ]


def _same_but_blocks(root: Path, name: str) -> bool:
    """Tell whether a page is that of the commit outside of its generated blocks."""
    words = ["git", "-C", str(root), "show", f"HEAD:./{name}"]
    done = subprocess.run(words, capture_output=True, check=False)
    texts = done.stdout.decode("utf-8"), (root / name).read_text(encoding="utf-8")
    before, now = (BLOCK.sub(lambda match: match["key"], text) for text in texts)
    return done.returncode == 0 and before == now


def refusal(files: Sequence[str]) -> str:
    """Words for numbers that nobody could measure again: which files differ, and what to do."""
    return "\n    ".join(
        [
            "The tree is not that of a commit, so the numbers would belong to code that nobody can "
            "get again. Commit these files, remove them, or let git ignore them; --anyway measures "
            "without storing:",
            *files,
        ]
    )


def run(root: Path, name: str, shared: Path, out: Path, store: bool = True) -> bool:
    """Run a command and store what it prints; tell whether it succeeded."""
    measured = commit(root)
    line = registry(root)[0][name].line
    words = [word.format(shared=shared, out=out) for word in shlex.split(line)]
    if words[0] in ("python", "gcmock"):
        words = [sys.executable, *(["-m", "gcmock"] if words[0] == "gcmock" else []), *words[1:]]
    out.mkdir(parents=True, exist_ok=True)
    print(f"\n== {name}: {shown(line)}", file=sys.stderr, flush=True)
    start, printed = time.monotonic(), []
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        for text in process.stdout or ():
            printed.append(text)
            print(text, end="", flush=True)
    if process.returncode:
        print(f"{name} failed with exit code {process.returncode}; nothing was stored",
              file=sys.stderr)  # fmt: skip
        return False
    if not store:
        return True
    # Hours may have passed: what is there now must still be what was measured.
    files = changed_files(root)
    if files or commit(root) != measured:
        print(f"{name}: the tree changed during the run; nothing was stored", *files, sep="\n    ",
              file=sys.stderr)  # fmt: skip
        return False
    head = {
        "command": shown(line),
        "date": datetime.date.today(),
        "machine": cpu(),
        "versions": versions(),
        "commit": measured,
        "seconds": round(time.monotonic() - start, 1),
    }
    save(root, name, Stored(head, split("".join(printed))))
    insert(root, [name])
    return True


def versions() -> str:
    """Versions of gcmock, Python and the libraries that decide about speed."""
    names = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"gcmock {version('gcmock')}, Python {platform.python_version()}, {names}"


def commit(root: Path) -> str:
    """Name of the commit that was measured."""
    words = ["git", "-C", str(root), "describe", "--always", "--exclude=*"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def listing(root: Path) -> None:
    """Print commands, minutes, and what is stored."""
    for name, command in registry(root)[0].items():
        stored = load(root, name)
        state = "nothing stored"
        if stored is not None:
            where = stored.head.get("commit", stored.head.get("origin", ""))
            state = f"{stored.head['date']}, {where}"
        print(f"{name:24} {command.minutes:6g} min   {state}\n    {shown(command.line)}")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    for option in ("--list", "--run", "--insert", "--check"):
        what.add_argument(option, action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--shared", type=Path, default=root.parent / "shared", metavar="DIR",
                        help="star lists and tables of other programs (../shared)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=root / "out" / "numbers", metavar="DIR",
                        help="folder for large files of the commands (out/numbers)")  # fmt: skip
    parser.add_argument("--anyway", action="store_true",
                        help="with --run: whatever differs, store nothing")  # fmt: skip
    options = parser.parse_args(arguments)
    commands, _ = registry(root)
    if unknown := set(options.names) - set(commands):
        parser.error(f"no command {', '.join(sorted(unknown))}; there are {', '.join(commands)}")
    if options.list:
        listing(root)
    elif options.check:
        found = list(problems(root))
        print("\n".join(found) or f"numbers of {len(commands)} commands: pages as printed")
        if missing := [name for name in commands if not _is_measured(root, name)]:
            print(f"not yet measured by --run: {', '.join(missing)}")
        heads = {name: stored.head for name in commands if (stored := load(root, name))}
        if unclear := [n for n, head in heads.items() if "changes" in head.get("commit", "")]:
            print(f"measured before changes were committed: {', '.join(unclear)}")
        return int(bool(found))
    elif options.insert:
        insert(root, options.names)
    else:
        os.environ.setdefault("COLUMNS", "120")
        names, store = options.names or list(commands), not options.anyway
        if store and (files := changed_files(root)):
            print(refusal(files), file=sys.stderr)
            return 2
        try:
            failed = [n for n in names if not run(root, n, options.shared, options.out, store)]
        except KeyboardInterrupt:
            print("interrupted; what was measured before is stored", file=sys.stderr)
            return 130
        return int(bool(failed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
