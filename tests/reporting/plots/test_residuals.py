"""Data minus mock on an axis."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure

from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, DIAGRAMS, MAGNITUDE
from gcmock.reporting.plots import (
    residual_colour_colour,
    residual_colour_magnitude,
    residual_counts,
)
from gcmock.reporting.plots.residuals import LARGEST
from gcmock.words.bands import BANDS, KS


def remeasured():
    diagrams = np.zeros((2, len(DIAGRAMS), COLOUR.n, BRIGHTNESS.n))
    diagrams[0, 0, 40:44, 100:104] = 9.0
    diagrams[1, 0, 42:46, 100:104] = 9.0
    colours = np.zeros((2, COLOUR.n, COLOUR.n))
    colours[:, 40:44, 60:64] = 5.0
    magnitudes = np.zeros((2, len(BANDS), MAGNITUDE.n))
    magnitudes[:, KS, 100:105] = (20.0,)
    magnitudes[:, KS, 110:115] = 1.0
    return SimpleNamespace(diagrams=diagrams, colours=colours, magnitudes=magnitudes)


def test_excess_of_either_side_has_its_sign_and_no_star_is_no_value():
    axis = Figure().add_subplot()
    residual_colour_magnitude(axis, remeasured())
    (mesh,) = axis.collections
    values = mesh.get_array().T
    assert (mesh.norm.vmin, mesh.norm.vmax) == (-LARGEST, LARGEST)
    assert (values[20, 50:52] > 4.0).all()
    assert (values[21, 50:52] == 0.0).all()
    assert (values[22, 50:52] < -4.0).all()
    assert np.ma.getmaskarray(values)[0, 0] or np.isnan(values[0, 0])
    # White is no deviation; the ground is not white.
    assert mesh.cmap(0.5)[:3] > (0.95, 0.95, 0.95)
    assert max(axis.get_facecolor()[:3]) < 0.8
    faint, bright = axis.get_ylim()
    assert faint > bright


def test_two_colours():
    axis = Figure().add_subplot()
    residual_colour_colour(axis, remeasured())
    (mesh,) = axis.collections
    assert np.nansum(np.abs(mesh.get_array())) == 0.0
    assert axis.get_xlim()[0] < COLOUR.edges[40] < axis.get_xlim()[1]


def test_ratio_is_shown_where_there_are_stars():
    axis = Figure().add_subplot()
    residual_counts(axis, remeasured())
    (points,) = axis.containers
    np.testing.assert_allclose(points.lines[0].get_xdata(), [12.25])
    np.testing.assert_allclose(points.lines[0].get_ydata(), [1.0])
    assert axis.get_ylim() == (0.5, 1.5)


def test_no_ratio_is_outside_of_the_figure():
    found = remeasured()
    found.magnitudes[0, KS] *= 3.0
    axis = Figure().add_subplot()
    residual_counts(axis, found)
    assert axis.get_ylim() == (0.5, 3.1)
