"""Draw the rooms of the package from its imports, and write the picture of docs/architecture.md.

    python tools/make_architecture.py            write docs/images/rooms.png
    python tools/make_architecture.py --list     print every room with its size and what it imports

A room is a folder or a module directly below the package. An arrow means "imports"; arrows that
follow from others (A to C, where A imports B and B imports C) are left out.
"""

from __future__ import annotations

import argparse
import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "gcmock"
PICTURE = ROOT / "docs" / "images" / "rooms.png"

WORDS = ("errors", "arrays", "words", "units", "frames", "random", "notebook", "settings", "data")
WORDS += ("compilation", "pool", "progress", "lazy")
"""Rooms that nearly all others use: drawn in one box, without arrows."""

KIND = {
    "stars": "physics",
    "dust": "physics",
    "galaxy": "physics",
    "posterior": "inference",
    "counts": "inference",
    "model": "inference",
    "learned": "inference",
    "calibration": "inference",
    "io": "tables",
    "surveys": "tables",
    "catalogue": "tables",
    "mock": "products",
    "astrometry": "products",
    "validation": "products",
    "reporting": "products",
    "runtime": "doors",
    "verbs": "doors",
    "cli": "doors",
}
COLOUR = {
    "physics": "#cfe3f5",
    "inference": "#fde2c4",
    "tables": "#d9efd9",
    "products": "#f3d6e4",
    "doors": "#e3e3e3",
}


def room_of(path: Path) -> str:
    """Room that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Rooms that a file imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "gcmock":
            names.update(f"gcmock.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    parts = [name.split(".") for name in names]
    return {p[1] for p in parts if p[0] == "gcmock" and len(p) > 1 and not p[1].startswith("_")}


def read_rooms() -> tuple[dict[str, set[str]], dict[str, tuple[int, int]]]:
    """Return what every room imports, and its numbers of modules and lines."""
    uses: dict[str, set[str]] = defaultdict(set)
    size: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for path in sorted(PACKAGE.rglob("*.py")):
        room = room_of(path)
        if room in ("__init__", "__main__"):
            continue
        uses[room] |= imports_of(path) - {room}
        modules, lines = size[room]
        size[room] = modules + 1, lines + len(path.read_text(encoding="utf-8").splitlines())
    return dict(uses), dict(size)


def reduced(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out arrows that follow from others; the graph has no circles."""
    reach: dict[str, set[str]] = {}

    def below(room: str) -> set[str]:
        if room not in reach:
            reach[room] = set().union(*({u} | below(u) for u in uses[room]), set())
        return reach[room]

    for room in uses:
        below(room)
    return {
        room: {u for u in used if not any(u in reach[v] for v in used - {u})}
        for room, used in uses.items()
    }


def depth(uses: dict[str, set[str]]) -> dict[str, int]:
    """Length of the longest way down from every room."""
    found: dict[str, int] = {}

    def visit(room: str) -> int:
        if room not in found:
            found[room] = 1 + max((visit(u) for u in uses[room]), default=-1)
        return found[room]

    for room in uses:
        visit(room)
    return found


def draw(uses: dict[str, set[str]], size: dict[str, tuple[int, int]]) -> None:
    """Draw rooms in rows by depth, users above what they use."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    rooms = [room for room in uses if room not in WORDS]
    inner = {room: uses[room] & set(rooms) for room in rooms}
    arrows, level = reduced(inner), depth(inner)
    rows: dict[int, list[str]] = defaultdict(list)
    for room in rooms:
        rows[level[room]].append(room)
    place: dict[str, tuple[float, float]] = {}
    for y in sorted(rows):
        # Above the middle of what they use, so that arrows cross little.
        rows[y].sort(key=lambda r: sum(place[u][0] for u in arrows[r]) / max(len(arrows[r]), 1))
        for i, room in enumerate(rows[y]):
            place[room] = (2.0 * (i - 0.5 * (len(rows[y]) - 1)), 1.0 * y)
    figure, axis = plt.subplots(figsize=(9, 0.85 * (len(rows) + 1.6)), layout="constrained")
    for room, (x, y) in place.items():
        colour = COLOUR[KIND.get(room, "doors")]
        axis.add_patch(
            FancyBboxPatch(
                (x - 0.75, y - 0.22), 1.5, 0.44, "round,pad=0.02,rounding_size=0.08",
                facecolor=colour, edgecolor="#555555", linewidth=0.8,
            )
        )  # fmt: skip
        axis.text(x, y + 0.04, room, ha="center", va="center", fontsize=10, weight="bold")
        modules, lines = size[room]
        text = f"{modules} modules, {lines:,} lines" if modules > 1 else f"{lines:,} lines"
        axis.text(x, y - 0.13, text, ha="center", va="center", fontsize=6.5, color="#444444")
        for used in arrows[room]:
            ux, uy = place[used]
            axis.add_patch(
                FancyArrowPatch(
                    (x, y - 0.24), (ux, uy + 0.24), arrowstyle="-|>", mutation_scale=9,
                    connectionstyle=f"arc3,rad={0.0 if y - uy < 1.5 else 0.12}", color="#777777",
                    linewidth=0.8, zorder=0,
                )
            )  # fmt: skip
    common = [room for room in WORDS if room in uses]
    width = max(abs(x) for x, _ in place.values()) + 0.9
    axis.add_patch(
        FancyBboxPatch(
            (-width, -1.22), 2 * width, 0.44, "round,pad=0.02,rounding_size=0.08",
            facecolor="#f4f4f4", edgecolor="#555555", linewidth=0.8,
        )
    )  # fmt: skip
    axis.text(0, -1.0, "shared words: " + "  ".join(common), ha="center", va="center", fontsize=8.5)
    axis.set(xlim=(-width - 0.1, width + 0.1), ylim=(-1.4, max(rows) + 0.4))
    axis.axis("off")
    figure.savefig(PICTURE, dpi=130)


def main() -> None:
    """Read the imports and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print instead of drawing")
    arguments = parser.parse_args()
    uses, size = read_rooms()
    if arguments.list:
        for room in uses:
            modules, lines = size[room]
            used = ", ".join(sorted(uses[room] - set(WORDS)))
            print(f"{room:12} {modules:3} modules {lines:6,} lines  imports {used}")
        return
    draw(uses, size)
    print(f"{PICTURE.relative_to(ROOT)}: {len(uses)} rooms")


if __name__ == "__main__":
    main()
