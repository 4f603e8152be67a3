"""What benchmarks print: parts of the documentation and their tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def part(name: str) -> None:
    """Begin a part: what follows stands in the documentation as one block.

    `tools/docs_numbers.py` puts it there.
    """
    print(f"\n<!-- part: {name} -->\n", flush=True)


def head(cells: Sequence[str]) -> None:
    """Print the head of a table."""
    row(cells)
    print("|" + "---|" * len(cells), flush=True)


def row(cells: Iterable[object]) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def table(names: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table, every row when it comes."""
    head(names)
    for cells in rows:
        row(cells)
