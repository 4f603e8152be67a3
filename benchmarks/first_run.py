"""What a newcomer does, timed: a fresh environment and the commands of the first pages.

    python benchmarks/first_run.py [--python python3] [--extras] [--no-cache] [--no-tests]

Copies the files of the repository that git knows into a temporary folder and types there what
docs/first_catalogue.md says, as it stands there, block by block, and last the command of the README
that passes the tests. Nothing that was compiled or set before is used; of what was downloaded
before only the cache of pip, which --no-cache leaves out, too. With --extras the time and the size
of an installation without and with the extra [hats] are measured instead.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import cpu
from printed import part, table

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"<!-- (?:ci|first run): (\w+) -->\n```(\w+)\n(.*?)```", re.DOTALL)


def main() -> None:
    """Do it and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    own = getattr(sys, "_base_executable", sys.executable)
    parser.add_argument("--python", default=own, help="python3 of the commands (the one of this)")
    parser.add_argument("--extras", action="store_true", help="only: installations with extras")
    parser.add_argument("--no-cache", action="store_true", help="download every package again")
    parser.add_argument("--no-tests", action="store_true", help="leave out the tests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "gcmock"
        copy_repository(clone)
        newcomer = Newcomer(clone, options.python, not options.no_cache)
        print(f"{cpu()}, Python {platform.python_version()}")
        if options.extras:
            extras(newcomer)
            return
        first_run(newcomer)
        if not options.no_tests:
            tests(newcomer)


def copy_repository(folder: Path) -> None:
    """Copy what a clone would have."""
    words = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


class Newcomer:
    """Somebody with a clone, a shell and nothing else."""

    def __init__(self, folder: Path, python: str, cache: bool) -> None:
        self.folder = folder
        home = folder.parent / "home"
        (home / "bin").mkdir(parents=True)
        if shutil.which(python) is None:
            sys.exit(f"{python}: no such program")
        (home / "bin" / "python3").symlink_to(shutil.which(python))
        kept = {k: v for k, v in os.environ.items()
                if not re.match("PYTHON|VIRTUAL_ENV|NUMBA|MPL|XDG", k)}  # fmt: skip
        # gcmock, numba and matplotlib find an empty home; pip has its settings and packages.
        own = Path.home()
        self.environment = kept | {
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", f"{own}/.config/pip/pip.conf"),
            "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", f"{own}/.cache/pip"),
            **({} if cache else {"PIP_NO_CACHE_DIR": "1"}),
        }
        self.before = ""

    def types(self, command: str) -> float:
        """Run a command as it stands on a page; return the seconds that it took."""
        print(f"$ {command.strip()}", file=sys.stderr, flush=True)
        start = time.monotonic()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.before + command],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{command.strip()}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
        return time.monotonic() - start

    def environment_gb(self) -> float:
        """Size of the environment on the disk [GB]."""
        files = [path for path in (self.folder / ".venv").rglob("*") if path.is_file()]
        return sum(path.lstat().st_size for path in files if not path.is_symlink()) / 1e9


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Names, languages and texts of the marked blocks of a page."""
    return MARKED.findall((ROOT / page).read_text(encoding="utf-8"))


def first_run(newcomer: Newcomer) -> None:
    """Time every block of the page."""
    rows, total = [], 0.0
    for name, language, text in blocks("docs/first_catalogue.md"):
        if name == "activate":
            # Every block has a shell of its own.
            newcomer.before = text
            continue
        if language == "python":
            (newcomer.folder / "example.py").write_text(text, encoding="utf-8")
            text = "python example.py\n"
        for line in text.splitlines():
            seconds = newcomer.types(line)
            total += seconds
            shown = "the example in Python" if language == "python" else f"`{line}`"
            size = f"{newcomer.environment_gb():.2f} GB" if name == "install" else ""
            rows.append((shown, f"{seconds:.0f} s", size))
    again = newcomer.types("gcmock demo")
    part("table")
    table(("what is typed", "time", "on the disk"), rows)
    print(f"| together | {total / 60:.1f} min | |")
    print(f"| `gcmock demo` once more | {again:.0f} s | |", flush=True)


def tests(newcomer: Newcomer) -> None:
    """Time the command of the README that passes the tests."""
    (command,) = [text for name, _, text in blocks("README.md") if name == "tests"]
    minutes = newcomer.types(command) / 60
    part("tests")
    print(f"Tests of the README: {minutes:.1f} minutes.")


def extras(newcomer: Newcomer) -> None:
    """Time installations without and with an extra."""
    rows = []
    for words, target in (("`pip install .`", "."), ("with `[hats]`", "'.[hats]'")):
        shutil.rmtree(newcomer.folder / ".venv", ignore_errors=True)
        seconds = newcomer.types(f"python3 -m venv .venv && .venv/bin/pip install {target}")
        rows.append((words, f"{seconds:.0f}", f"{1000 * newcomer.environment_gb():,.0f} MB"))
    part("table")
    table(("", "seconds to install", "size of the environment"), rows)


if __name__ == "__main__":
    main()
