"""Write the pictures of the documentation, from a real run of ``gcmock demo``.

``python tools/make_images.py``
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from gcmock.reporting import plots

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """Run the demonstration in a temporary folder and keep its picture."""
    gcmock = Path(sys.executable).with_name("gcmock")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([gcmock, "demo"], cwd=folder, check=True)
        (picture,) = Path(folder).rglob("*.png")
        IMAGES.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, IMAGES / "demo.png")
        draw_report(picture.parent / "mock.parquet")


def draw_report(mock: Path) -> None:
    """Draw some figures of the report of a catalogue side by side, for docs/report.md."""
    counts = plots.count_catalogue(mock)
    with mpl.rc_context(plots.RC):
        figure = Figure(figsize=(12.0, 3.6), layout="constrained")
        axes = figure.subplots(1, 3)
        plots.nuclear_colour_magnitude(axes[0], counts)
        plots.distances(axes[1], counts)
        plots.proper_motions(axes[2], counts)
        figure.savefig(IMAGES / "report.png", dpi=110)


if __name__ == "__main__":
    main()
