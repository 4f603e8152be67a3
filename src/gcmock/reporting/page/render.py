"""Pictures as files and as parts of a page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gcmock.io.disk import whole_file
from gcmock.reporting.page.content import Picture
from gcmock.reporting.plots.style import RC

_DPI: Final = {"svg": 170, "png": 200, "pdf": 300}
_NO_DATE: Final = {
    "svg": {"Date": None, "Creator": "gcmock"},
    "pdf": {"CreationDate": None, "Creator": "gcmock"},
    "png": {"Software": "gcmock"},
}
"""Equal catalogues give equal files."""


def figure_of(picture: Picture) -> Figure:
    """Draw a picture."""
    figure = Figure(figsize=picture.size, layout="constrained")
    FigureCanvasAgg(figure)
    picture.draw(figure.add_subplot())
    return figure


def encode(picture: Picture, *formats: str) -> list[bytes]:
    """Draw a picture and return it as SVG, PNG or PDF, in the order of `formats`."""
    encoded = []
    with mpl.rc_context(dict(RC)):
        figure = figure_of(picture)
        for name in formats:
            buffer = io.BytesIO()
            figure.savefig(
                buffer,
                format=name,
                dpi=_DPI[name],
                metadata=_NO_DATE[name],
                # A map of fixed shape fills its figure only in one direction.
                bbox_inches="tight",
                pad_inches=0.05,
            )
            encoded.append(buffer.getvalue())
    return encoded


def pixels_of(svg: bytes) -> tuple[int, int]:
    """Width and height of an SVG in pixels of a page (96 per inch)."""
    # matplotlib's user units are points.
    found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise ValueError("the SVG does not say how large it is")
    width, height = (round(float(value) * 96.0 / 72.0) for value in found.groups())
    return width, height


def data_uri(content: bytes, kind: str = "image/svg+xml") -> str:
    """Return bytes as a URI that a page can hold."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def write_files(picture: Picture, folder: Path) -> list[Path]:
    """Write a picture as PNG and PDF and return their paths."""
    paths = [folder / f"{picture.name}.{name}" for name in ("png", "pdf")]
    for path, content in zip(paths, encode(picture, "png", "pdf"), strict=True):
        with whole_file(path) as partial:
            partial.write_bytes(content)
    return paths
