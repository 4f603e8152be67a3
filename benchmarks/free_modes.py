"""What relative observations leave free: small eigenvalues without references.

    python benchmarks/free_modes.py

Makes the problem of the tests (200 random stars, 60 visits over three years, six calibration
blocks, `tests/support/synthetic.py`) without reference stars, with distortions of degree 2 and 3
and with linear terms, and prints the eigenvalues of the reduced matrix (scaled to a unit diagonal)
along the common modes, and the smallest of the others: the table of docs/closed_loop.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gcmock.astrometry.solver.equations import Equations
from printed import table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from synthetic import make

ROWS = {
    "orientation: `offset_ra`, `offset_dec`, `rotation`": ("offset_ra", "offset_dec", "rotation"),
    "spin: `motion_ra`, `motion_dec`, `spin`": ("motion_ra", "motion_dec", "spin"),
    "`scale` of the positions": ("scale",),
    "`parallax` zero point": ("parallax zero point",),
    "`scale_rate` of the proper motions": ("scale rate",),
}


def column(min_degree: int) -> list[str]:
    """Cells of a distortion from a degree on: the largest eigenvalue of each row, and the next."""
    problem, _, start = make(references=0.0, min_degree=min_degree)
    found = Equations(problem, start, "sources", 1, lambda *_: None).eigenvalues
    value = {e.name: e.value for e in found}
    cells = []
    for names in ROWS.values():
        known = [value[name] for name in names if name in value]
        cells.append(short(max(known)) if known else "not small")
    return [*cells, short(min(e.value for e in found if e.name == "other"))]


def short(value: float) -> str:
    """Return an eigenvalue as text; what is smaller than the rounding of sums is none."""
    return f"{value:.1g}".replace("e-0", "e-") if value > 1e-15 else "< 1e-15"


def main() -> None:
    """Print the table."""
    names = [*ROWS, "next"]
    table(
        ("mode", "distortion of degree 2 and 3", "with linear terms"),
        zip(names, column(2), column(1), strict=True),
    )


if __name__ == "__main__":
    main()
