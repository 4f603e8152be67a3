"""Write the help of all commands into docs/command_line.md.

    python tools/make_command_line.py [--check]

The page keeps what stands outside of its markers.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "command_line.md"
COMMANDS = (
    "build",
    "report",
    "simulate",
    "propagate",
    "observe",
    "export",
    "solve",
    "compare",
    "import-hats",
    "demo",
    "info",
)
"""Commands in the order of the page; `names_of_commands` finds those that are missing here."""

_BLOCK = re.compile(r"(<!-- begin: commands -->\n).*?(<!-- end: commands -->)", re.DOTALL)
_WIDTH = "100"


def names_of_commands() -> set[str]:
    """Names of all commands of the program."""
    from gcmock.cli.app import app

    return {name for name in app if not name.startswith("-")}


def help_of(command: str) -> str:
    """Help of a command as the terminal shows it, without colours."""
    from gcmock import cli

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        cli.run([command, "--help"])
    lines = (line.rstrip() for line in text.getvalue().splitlines())
    return "\n".join(lines).strip()


def render(page: str) -> str:
    """Return the page with the help that the program has now."""
    os.environ |= {"COLUMNS": _WIDTH, "NO_COLOR": "1", "TERM": "dumb"}
    known = names_of_commands()
    names = [name for name in COMMANDS if name in known] + sorted(known - set(COMMANDS))
    parts = [f"### gcmock {name}\n\n```text\n{help_of(name)}\n```\n" for name in names]
    return _BLOCK.sub(lambda match: match[1] + "\n" + "\n".join(parts) + "\n" + match[2], page)


def main() -> None:
    """Write the page, or check that it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    fresh = render(page)
    if options.check:
        sys.exit(0 if fresh == page else "docs/command_line.md: run tools/make_command_line.py")
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
