"""Time and memory of `gcmock report` on many rows.

    python benchmarks/report.py [--rows 20] [--folder out/report]

Simulates a survey and builds its catalogue in the folder, if they are not there, makes folders of
as many links to the catalogue and to its input as give so many million rows, and reports them in a
process of its own. Prints the tables of docs/report.md.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from gcmock.mock.build import build
from gcmock.mock.simulate import simulate_to_file
from gcmock.reporting.page.write import write_report
from gcmock.settings.build import load_config
from machine import cpu
from printed import head, part, row, table

WINDOW, KS_MAX = ((-0.2, 0.2), (-0.3, -0.1)), 15.0
"""Of the survey: l, b [deg] and its faintest stars."""

_CODE = """
import resource, sys
from gcmock.reporting.page.write import write_report

folder, page, table = sys.argv[1:4]
done = write_report(folder, page, input=table or None)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(done.n_row, done.n_posterior, done.size, done.seconds, peak)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, nargs="+", default=[20.0], help="millions")
    parser.add_argument("--folder", type=Path, default=Path("out/report"), help="git-ignored")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    survey, mock = options.folder / "survey.parquet", options.folder / "mock.parquet"
    if not mock.exists():
        simulate_to_file(survey, *WINDOW, load_config(), ks_max=KS_MAX, survey=True, overwrite=True)
        build(survey, mock, load_config())
    n_rows = pq.ParquetFile(mock).metadata.num_rows
    print(cpu())
    part("cost")
    head(("rows", "seconds", "seconds per million rows", "peak memory [GB]", "page [MB]"))
    for millions in options.rows:
        n_link = max(round(millions * 1e6 / n_rows), 1)
        measure(mock, n_link, survey)
    part("page")
    page = options.folder / "report.html"
    write_report(mock, page, input=survey, overwrite=True)
    table(("part of the page", "size [MB]"), contents(page.read_text(encoding="utf-8")))


def contents(page: str) -> list[tuple[str, str]]:
    """Sizes of what a page consists of; its figures are vectors or images within the text."""
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    data = [text for words, text in scripts if words]
    code = [text for words, text in scripts if not words]
    sizes = {
        "script of the single stars": sum(map(len, code)),
        "its data, posteriors included": sum(map(len, data)),
        "all": len(page.encode()),
    }
    return [(name, f"{size / 1e6:.2f}") for name, size in sizes.items()]


def linked(table: Path, folder: Path, n_link: int) -> Path:
    """Make a folder of links to a table."""
    folder.mkdir()
    for i in range(n_link):
        os.link(table, folder / f"part-{i:05d}.parquet")
    return folder


def measure(mock: Path, n_link: int, survey: Path) -> None:
    """Report a folder of links and print a row of the table."""
    with tempfile.TemporaryDirectory(dir=mock.parent) as name:
        folder = linked(mock, Path(name) / "mock", n_link)
        stars = linked(survey, Path(name) / "stars", n_link)
        page = Path(name) / "report.html"
        done = subprocess.run(
            [sys.executable, "-c", _CODE, folder, page, stars],
            capture_output=True,
            text=True,
            check=True,
        )
    rows, _, size, seconds, peak = (float(x) for x in done.stdout.split())
    row((
        f"{rows:,.0f}",
        f"{seconds:.1f}",
        f"{1e6 * seconds / rows:.1f}",
        f"{peak:.2f}",
        f"{size / 1e6:.1f}",
    ))  # fmt: skip


if __name__ == "__main__":
    main()
