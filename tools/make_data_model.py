"""Write the tables of ``docs/data_model.md`` from `gcmock.schema` and `gcmock.config`.

Text between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->`` is replaced, the rest is kept.

``python tools/make_data_model.py [--check]``
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from gcmock.config import default_config_toml
from gcmock.schema import (
    ALIASES,
    COMPONENTS,
    INPUT_COLUMNS,
    POSTERIOR_COLUMNS,
    TRUTH_COLUMNS,
    Column,
    Flag,
)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data_model.md"

_BLOCK = re.compile(r"(<!-- begin: (\w+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join([_row(head), "|" + "---|" * len(head), *map(_row, rows)])


def column_table(columns: tuple[Column, ...]) -> str:
    """Return the table of columns: name, type, unit, meaning, UCD."""
    rows = (
        (f"`{c.name}`", "text" if c.dtype[0] == "U" else c.dtype, c.unit, c.description, c.ucd)
        for c in columns
    )
    return _table(("name", "type", "unit", "meaning", "UCD"), rows)


def blocks() -> dict[str, str]:
    """Return the generated text by the name of its block."""
    return {
        "input": column_table(INPUT_COLUMNS),
        "truth": column_table(TRUTH_COLUMNS),
        "posterior": column_table(POSTERIOR_COLUMNS),
        "flags": _table(
            ("bit", "name", "meaning"),
            ((str(int(f)), f"`{f.name}`", f.description) for f in Flag),
        ),
        "aliases": _table(
            ("name", "also accepted"),
            ((f"`{n}`", ", ".join(f"`{a}`" for a in other)) for n, other in ALIASES.items()),
        ),
        "components": ", ".join(f"`{name}`" for name in COMPONENTS) + ".",
        "config": f"```toml\n{default_config_toml()}```",
    }


def render(page: str) -> str:
    """Return the page with its blocks brought up to date.

    Raises
    ------
    ValueError
        A block is missing from the page, or unknown.
    """
    text = blocks()
    found = [match[1] for match in _BLOCK.findall(page)]
    if sorted(found) != sorted(text):
        raise ValueError(f"the page has the blocks {sorted(found)}, expected {sorted(text)}")
    return _BLOCK.sub(lambda m: f"{m[1]}{text[m[2]]}\n{m[3]}", page)


def main(arguments: list[str]) -> int:
    """Rewrite the page; with ``--check`` only say whether it is up to date."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = render(page)
    if "--check" in arguments:
        return int(fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
