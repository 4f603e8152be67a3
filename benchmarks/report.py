"""Time and memory of `gcmock report` on many rows.

    python benchmarks/report.py MOCK [--rows 20] [--input CATALOGUE]

Makes folders of as many links to the catalogue and to its input (Parquet files) as give so many
million rows, and reports them in a process of its own. Prints the table of docs/report.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from machine import cpu

_CODE = """
import resource, sys
from gcmock.report.page.write import write_report

folder, page, table = sys.argv[1:4]
done = write_report(folder, page, input=table or None)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(done.n_row, done.n_posterior, done.size, done.seconds, peak)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mock", type=Path)
    parser.add_argument("--rows", type=float, nargs="+", default=[0.5, 20.0], help="millions")
    parser.add_argument("--input", type=Path, help="table of which the catalogue was made")
    options = parser.parse_args()
    n_rows = pq.ParquetFile(options.mock).metadata.num_rows
    print(cpu())
    print("| rows | seconds | seconds per million rows | peak memory [GB] | page [MB] |")
    print("|---|---|---|---|---|")
    for millions in options.rows:
        n_link = max(round(millions * 1e6 / n_rows), 1)
        measure(options.mock, n_link, options.input)


def linked(table: Path, folder: Path, n_link: int) -> Path:
    """Make a folder of links to a table."""
    folder.mkdir()
    for i in range(n_link):
        os.link(table, folder / f"part-{i:05d}.parquet")
    return folder


def measure(mock: Path, n_link: int, table: Path | None) -> None:
    """Report a folder of links and print a row of the table."""
    with tempfile.TemporaryDirectory(dir=mock.parent) as name:
        folder = linked(mock, Path(name) / "mock", n_link)
        stars = linked(table, Path(name) / "stars", n_link) if table else ""
        page = Path(name) / "report.html"
        done = subprocess.run(
            [sys.executable, "-c", _CODE, folder, page, stars],
            capture_output=True,
            text=True,
            check=True,
        )
    rows, _, size, seconds, peak = (float(x) for x in done.stdout.split())
    cells = (
        f"{rows:,.0f}",
        f"{seconds:.1f}",
        f"{1e6 * seconds / rows:.1f}",
        f"{peak:.2f}",
        f"{size / 1e6:.1f}",
    )
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
