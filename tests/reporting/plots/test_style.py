"""How figures look: colour bars, histograms, axes of the sky, legends."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gcmock.reporting.plots.style import (
    BAR_INCH,
    DENSITY,
    DUST,
    GAP_INCH,
    PROBABILITY,
    colour_bar,
    legend,
    sky_axes,
    steps,
)


@pytest.fixture
def axis():
    return Figure().add_subplot()


@pytest.mark.parametrize("colours", [DENSITY, PROBABILITY, DUST])
def test_colours_go_from_light_to_dark(colours):
    """What is more is darker, in print and for every reader alike."""
    rgb = colours(np.linspace(0.0, 1.0, 40))[:, :3]
    luminance = rgb @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0.0).all()
    assert luminance[0] - luminance[-1] > 0.6


def test_steps_are_an_outline_over_a_filling(axis):
    edges, values = np.array([0.0, 1.0, 3.0]), np.array([4.0, 2.0])
    steps(axis, edges, values, "#123456", "stars", dash="--")
    filled, outline = axis.patches
    assert filled.get_fill()
    assert filled.get_alpha() == 0.16
    assert outline.get_label() == "stars"
    assert outline.get_linestyle() == "--"
    assert to_hex(outline.get_edgecolor()) == "#123456"
    found = outline.get_data()
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.edges, edges)
    # The filling is explained by the outline.
    assert axis.get_legend_handles_labels()[1] == ["stars"]


def test_steps_without_a_filling(axis):
    steps(axis, np.array([0.0, 1.0]), np.array([1.0]), "k", "all", fill=False)
    assert len(axis.patches) == 1


def test_longitude_grows_to_the_left(axis):
    axis.set_xlim(-1.0, 2.0)
    sky_axes(axis)
    assert axis.get_xlim() == (2.0, -1.0)
    assert axis.get_aspect() == 1.0
    assert axis.get_xlabel() == "Galactic longitude l [deg]"
    assert axis.get_ylabel() == "Galactic latitude b [deg]"


def test_colour_bar_is_as_high_as_its_axis(axis):
    image = axis.imshow([[0.0, 2.0]])
    colour_bar(axis, image, "stars", "max")
    (beside,) = axis.child_axes
    assert beside.get_ylabel() == "stars"
    assert image.colorbar.extend == "max"
    assert beside.get_ylim() == (0.0, 2.0)


@pytest.mark.parametrize("shape", [(3, 30), (10, 30), (20, 20), (30, 10), (60, 4)])
def test_colour_bar_is_as_wide_beside_any_window(shape):
    figure = Figure(figsize=(5.0, 5.0), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    image = axis.imshow(np.zeros(shape[::-1]), vmin=0.0, vmax=2.0)
    colour_bar(axis, image, "stars")
    canvas.draw()
    map_box, bar_box = (one.get_window_extent() for one in (axis, *axis.child_axes))
    assert bar_box.width / figure.dpi == pytest.approx(BAR_INCH)
    assert (bar_box.x0 - map_box.x1) / figure.dpi == pytest.approx(GAP_INCH)
    assert (bar_box.y0, bar_box.y1) == pytest.approx((map_box.y0, map_box.y1))


def test_legend_only_where_something_has_a_label(axis):
    axis.plot([0, 1], [0, 1])
    legend(axis)
    assert axis.get_legend() is None
    axis.plot([0, 1], [1, 0], label="falling")
    legend(axis, loc="upper left")
    assert [text.get_text() for text in axis.get_legend().texts] == ["falling"]
