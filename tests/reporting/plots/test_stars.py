"""Colours, magnitudes, distances and membership: the numbers behind the artists."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from mock_rows import mock_rows, tally_of

from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, DIAGRAMS, MAGNITUDE
from gcmock.reporting.page.truth import TruthComparison
from gcmock.reporting.plots.stars import (
    colour_colour,
    colour_magnitude,
    colour_window,
    diagram_window,
    distance_errors,
    distances,
    fractions,
    magnitude_counts,
    membership,
    nuclear_colour_magnitude,
    reliability,
)
from gcmock.words.components import GROUP_TABLE


@pytest.fixture
def axis():
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def tally():
    """Six stars of the bar at 7 kpc, four of the nuclear disc at 8.1 kpc with P = 0.75."""
    return tally_of(
        mock_rows(
            ["bar"] * 6 + ["nsd"] * 4,
            p_own=[1.0] * 6 + [0.75] * 4,
            distance_pc=[7010.0] * 6 + [8110.0] * 4,
            phot_j_mag=16.02,
            phot_h_mag=14.02,
            phot_ks_mag=[13.05] * 6 + [12.05] * 4,
            phot_hw_mag=15.05,
        )
    )


def outlines(axis):
    """Values of the histograms of an axis, by label."""
    return {p.get_label(): p.get_data() for p in axis.patches if p.get_label()}


def test_stars_of_a_diagram(axis, tally):
    colour_magnitude(axis, tally)
    (mesh,) = axis.collections
    values = np.ma.filled(mesh.get_array(), np.nan)
    assert np.nansum(values) == 10.0
    assert values[BRIGHTNESS.place(13.05), COLOUR.place(0.97)] == 6.0
    assert values[BRIGHTNESS.place(12.05), COLOUR.place(1.97)] == 4.0
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("H − Ks [mag]", "Ks [mag]")
    faint, bright = axis.get_ylim()
    assert faint > 13.05 > 12.05 > bright
    assert axis.child_axes[0].get_ylabel() == "stars per bin"


def test_window_and_scale_that_are_given(axis, tally):
    colour_magnitude(axis, tally, window=(0.0, 3.0, 10.0, 16.0), largest=500.0)
    assert axis.get_xlim() == (0.0, 3.0)
    assert axis.get_ylim() == (16.0, 10.0)
    assert axis.collections[0].norm.vmax == 500.0


@pytest.mark.parametrize("diagram", range(len(DIAGRAMS)))
def test_windows_hold_the_stars(tally, diagram):
    low, high, bright, faint = diagram_window(tally.diagrams[diagram])
    x, y = np.nonzero(tally.diagrams[diagram])
    assert low < COLOUR.centres[x].min() <= COLOUR.centres[x].max() < high
    assert bright < BRIGHTNESS.centres[y].min() <= BRIGHTNESS.centres[y].max() < faint


def test_mean_nuclear_probability_of_a_bin(axis, tally):
    nuclear_colour_magnitude(axis, tally)
    values = np.ma.filled(axis.collections[0].get_array(), np.nan)
    assert values[BRIGHTNESS.place(13.05), COLOUR.place(0.97)] == 0.0
    assert values[BRIGHTNESS.place(12.05), COLOUR.place(1.97)] == 0.75
    assert np.isfinite(values).sum() == 2


def test_both_colours(axis, tally):
    colour_colour(axis, tally)
    values = np.ma.filled(axis.collections[0].get_array(), np.nan)
    # Rows of the picture are J - H, columns H - Ks.
    assert values[COLOUR.place(2.01), COLOUR.place(0.97)] == 6.0
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("H − Ks [mag]", "J − H [mag]")
    low_x, high_x, low_y, high_y = colour_window(tally.colours)
    assert low_x < 0.97 < 1.97 < high_x
    assert low_y < 2.0 < high_y
    assert axis.get_xlim() == (low_x, high_x)


def test_distances_are_per_kiloparsec(axis, tally):
    distances(axis, tally)
    found = outlines(axis)
    assert list(found) == [group.label for group in GROUP_TABLE]
    bar = found["bar"]
    # Eight bins of 25 pc are joined: 6 stars in 0.2 kpc.
    assert bar.values.max() == pytest.approx(30.0)
    assert np.flatnonzero(bar.values).tolist() == [35]
    assert bar.edges[35] == pytest.approx(7.0)
    assert axis.get_yscale() == "log"
    assert axis.get_xlim()[1] == pytest.approx(8.125)


def test_counts_of_magnitudes(axis, tally):
    magnitude_counts(axis, tally, "ks")
    found = outlines(axis)
    assert found["all, drawn"].values.sum() * MAGNITUDE.step == pytest.approx(10.0)
    place = MAGNITUDE.place(12.05)
    assert found["nuclear stellar disc"].values[place] == pytest.approx(40.0)
    assert found["bar"].values[place] == 0.0
    assert axis.get_xlabel() == "Ks [mag]"
    assert axis.get_xlim() == (pytest.approx(11.9), pytest.approx(13.2))
    assert "observed" not in axis.get_legend_handles_labels()[1]


@pytest.mark.filterwarnings("ignore:Data has no positive values")
@pytest.mark.parametrize("draw", [distances, magnitude_counts])
def test_an_axis_of_no_counts_has_an_order(axis, draw):
    """Stars that are in no bin: a logarithmic axis down to zero has ticks without end."""
    away = mock_rows(["bar"] * 4, p_own=[1.0] * 4, distance_pc=1e9, phot_hw_mag=-90.0)
    draw(axis, tally_of(away))
    low, high = axis.get_ylim()
    assert 0.0 < low < high < np.inf
    assert len(axis.get_yticks()) < 50


def test_observed_counts_are_dots(axis, tally):
    class Observed:
        bands = {"ks": 3}  # noqa: RUF012
        magnitudes = np.zeros((4, MAGNITUDE.n))

    Observed.magnitudes[2, MAGNITUDE.place(12.05)] = 3.0
    magnitude_counts(axis, tally, "ks", Observed)
    dots = next(line for line in axis.lines if line.get_label() == "observed")
    np.testing.assert_allclose(dots.get_data(), [[12.05], [30.0]])


def test_fractions_with_their_errors(axis, tally):
    fractions(axis, tally)
    # Of the bar 6 + 4 * 0.25 of ten stars, +- sqrt(4 * 0.75 * 0.25) / 10.
    texts = [text.get_text().strip() for text in axis.texts]
    assert texts == ["0.00% ± 0.00%", "70.0% ± 8.7%", "30.0% ± 8.7%", "0.00% ± 0.00%"]
    widths = [bar.get_width() for bar in axis.patches]
    np.testing.assert_allclose(widths, [0.0, 0.7, 0.3, 0.0], atol=1e-12)
    ticks = [tick.get_text() for tick in axis.get_yticklabels()]
    assert ticks == [group.label for group in GROUP_TABLE]
    top, bottom = axis.get_ylim()
    assert top > bottom
    assert axis.xaxis.get_major_formatter()(0.25, 0) == "25 %"


def test_membership_counts_certain_stars_in_the_last_bin(axis):
    membership(axis, tally_of(mock_rows(["nsd"] * 5 + ["bar"] * 2)))
    (steps,) = axis.patches
    values, edges, _ = steps.get_data()
    assert (values[0], values[-1], values.sum()) == (2.0, 5.0, 7.0)
    assert edges[-1] == pytest.approx(1.0)


def test_widths_of_distances_by_the_most_probable_group(axis, tally):
    distance_errors(axis, tally)
    found = outlines(axis)
    bar, nsd = found["mostly bar"], found["mostly nuclear stellar disc"]
    assert (bar.values.sum(), nsd.values.sum()) == (6.0, 4.0)
    k = int(bar.values.argmax())
    # All intervals are +- 1 kpc, the edge of a bin.
    assert bar.edges[k] * 0.999 <= 1.0 <= bar.edges[k + 1]
    assert axis.get_xscale() == "log"


def test_true_fraction_against_stated_probability(axis):
    c = TruthComparison(
        50, np.zeros(5), np.array([0.0, 0.5]), np.array([0.1, 0.6]), np.array([25.0, 25.0]),
        np.zeros((4, 4)), 0.1, 0.2, 0.1,
    )  # fmt: skip
    reliability(axis, c)
    (bars,) = axis.containers
    np.testing.assert_allclose(bars.lines[0].get_data(), [[0.0, 0.5], [0.1, 0.6]])
    first, second = (s[:, 1] for s in bars.lines[2][0].get_segments())
    # Binomial, but of a bin of certain stars not nothing.
    np.testing.assert_allclose(np.diff(first) / 2, 0.01 / 5.0)
    np.testing.assert_allclose(np.diff(second) / 2, 0.1)
    assert axis.get_legend_handles_labels()[1] == ["ideal", "found"]
