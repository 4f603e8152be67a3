"""Sizes of libraries that could draw the single stars of a report: the table of docs/report.md.

    python benchmarks/bundles.py

Downloads the packages with npm (the command `npm pack`), which has to be there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile

from printed import table

BUNDLES = (
    # package, version, the file that a page would need, what it draws
    ("plotly.js-basic-dist-min", "4.1.1", "plotly-basic.min.js", "points and lines"),
    ("@bokeh/bokehjs", "3.10.0", "build/js/bokeh.min.js", "points and lines"),
    ("uplot", "1.6.32", "dist/uPlot.iife.min.js", "lines"),
)


def size_mb(folder: str, package: str, version: str, file: str) -> str:
    """Download a package and return the size of one of its files [MB]."""
    words = ["npm", "pack", "--json", f"{package}@{version}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}:\n{done.stderr}")
    name = json.loads(done.stdout)[0]["filename"]
    with tarfile.open(f"{folder}/{name}") as archive:
        return f"{archive.getmember(f'package/{file}').size / 1e6:.2f}"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        table(
            ("package", "file", "draws", "size [MB]"),
            ((f"{package} {version}", file, what, size_mb(folder, package, version, file))
             for package, version, file, what in BUNDLES),
        )  # fmt: skip


if __name__ == "__main__":
    main()
