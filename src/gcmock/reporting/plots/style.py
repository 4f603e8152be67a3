"""How all figures look: colours that colour-blind readers tell apart, one font, few lines."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.transforms import Bbox

from gcmock.arrays import Floats

INK, GREY, FAINT = "#1F2430", "#5A6070", "#D5D9E0"

DENSITY: Final = LinearSegmentedColormap.from_list(
    "gcmock_density", ["#F3F1EC", "#C9D3DD", "#8FA9C4", "#4F77A3", "#27497A", "#131C3D"]
)
"""Number of stars: light to dark, in print as well."""

PROBABILITY: Final = LinearSegmentedColormap.from_list(
    "gcmock_probability", ["#F3F1EC", "#F3CDB8", "#EB937F", "#D8546C", "#9A2A6B", "#4A1555"]
)
"""Probabilities of nuclear components."""

DUST: Final = LinearSegmentedColormap.from_list(
    "gcmock_dust", ["#FBF4E4", "#EBCF96", "#CC9450", "#955A2B", "#542B16", "#1F0E08"]
)
"""Extinction."""

BALANCE: Final = "RdBu"
"""Signed quantities."""

NOTHING: Final = "#BFC5BA"
"""Ground of maps and diagrams, where there is no star or too few: a grey that no scale has."""

RC: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "semibold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "gcmock",
    "pdf.fonttype": 42,
}
"""Settings of matplotlib for the figures of the report: ``with matplotlib.rc_context(RC)``."""


BAR_INCH, GAP_INCH = 0.14, 0.1
"""Width of a colour bar, and of the gap between it and its axis [inch]."""


class _Beside:
    """Place of a colour bar: as high as its axis and as wide as any other, whatever the shape."""

    def __init__(self, axis: Axes) -> None:
        self._axis = axis

    def __call__(self, _bar: Any, _renderer: Any) -> Bbox:
        box, figure = self._axis.get_position(), self._axis.figure
        inch = figure.dpi / figure.bbox.width
        return Bbox.from_bounds(box.x1 + GAP_INCH * inch, box.y0, BAR_INCH * inch, box.height)


def colour_bar(axis: Axes, image: Any, label: str, extend: str = "neither") -> None:
    """Put a colour bar beside an axis."""
    beside = axis.inset_axes((1.0, 0.0, 0.03, 1.0))
    beside.set_axes_locator(_Beside(axis))
    bar = axis.figure.colorbar(image, cax=beside, label=label, extend=extend, extendfrac=0.03)
    bar.outline.set_visible(False)


def steps(
    axis: Axes,
    edges: Floats,
    values: Floats,
    colour: str,
    label: str,
    *,
    dash: str = "-",
    fill: bool = True,
) -> None:
    """Draw a histogram as an outline over a light filling."""
    if fill:
        axis.stairs(values, edges, color=colour, alpha=0.16, fill=True)
    axis.stairs(values, edges, color=colour, linestyle=dash, linewidth=1.6, label=label)


def sky_axes(axis: Axes) -> None:
    """Galactic coordinates, longitude to the left, equal scales."""
    axis.set(xlabel="Galactic longitude l [deg]", ylabel="Galactic latitude b [deg]")
    axis.set_aspect("equal")
    axis.invert_xaxis()
    axis.spines[["top", "right"]].set_visible(True)


def legend(axis: Axes, **options: Any) -> None:
    """Explain what has a label, if anything has."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(**options)
