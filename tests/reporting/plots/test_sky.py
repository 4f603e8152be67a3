"""Maps: values of cells, their units and their place."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure
from mock_rows import mock_rows, tally_of

from gcmock.errors import InputError
from gcmock.reporting.page.bins import Axis
from gcmock.reporting.plots import sky
from gcmock.reporting.plots.sky import (
    distance_error_map,
    extinction_change,
    extinction_found,
    extinction_learned,
    extinction_limits,
    extinction_used,
    model_extinction,
    probability_map,
    sky_density,
)
from gcmock.reporting.plots.style import BALANCE, DENSITY, DUST, PROBABILITY


@pytest.fixture
def axis():
    return Figure().add_subplot()


def pairs(**columns):
    """Forty stars at two places, 0.02 deg apart in l, twenty at each."""
    where = np.repeat([0.0103, 0.0303], 20)
    return mock_rows(["nsd"] * 40, l=where, b=np.full(40, 0.0103), **columns)


def shown(axis):
    """The two values of the map at the places of the stars, by longitude."""
    (image,) = axis.images
    values = image.get_array()
    values = values.filled(np.nan) if np.ma.isMaskedArray(values) else values
    low, high, *_ = image.get_extent()
    width = (high - low) / values.shape[1]
    found = np.nansum(np.where(np.isfinite(values), values, 0.0), axis=0)
    return [found[int((x - low) / width)] for x in (0.0103, 0.0303)], image


def label(axis):
    return axis.child_axes[0].get_ylabel()


def test_stars_per_square_arcminute(axis):
    tally = tally_of(pairs())
    sky_density(axis, tally)
    values, _ = shown(axis)
    step = tally.extent.sky[0].step
    np.testing.assert_allclose(values, 20.0 / (60.0 * step) ** 2)
    assert label(axis) == "stars per arcmin²"
    # Longitude to the left.
    assert axis.get_xlim()[0] > axis.get_xlim()[1]


def test_mean_probability_of_a_group(axis):
    tally = tally_of(pairs(p_own=np.repeat([0.25, 0.75], 20)))
    probability_map(axis, tally)
    values, image = shown(axis)
    np.testing.assert_allclose(values, [0.25, 0.75])
    assert label(axis) == "mean P(nuclear stellar disc)"
    assert image.norm.vmin == 0.0
    assert image.norm.vmax == pytest.approx(0.75, abs=0.01)


def test_unknown_group(axis):
    with pytest.raises(InputError, match="'halo' is no group of components; known: disc, bar"):
        probability_map(axis, tally_of(pairs()), "halo")


def test_mean_extinction_and_width(axis):
    tally = tally_of(pairs(a_ks=np.repeat([1.0, 3.0], 20)))
    extinction_found(axis, tally)
    values, image = shown(axis)
    np.testing.assert_allclose(values, [1.0, 3.0])
    assert 1.0 <= image.norm.vmin < image.norm.vmax <= 3.0
    other = Figure().add_subplot()
    # Half of the range from 7 to 9 kpc, in kpc.
    distance_error_map(other, tally)
    np.testing.assert_allclose(shown(other)[0], [1.0, 1.0])
    assert label(other) == "uncertainty of the distance [kpc]"


def test_cells_with_few_stars_have_no_mean():
    total, stars = np.array([4.0, 300.0, 30.0]), np.array([2.0, 100.0, 15.0])
    found = sky._mean(total, stars)
    # Fewer than 15 % of the median of filled cells, here 2.25, or than three.
    np.testing.assert_array_equal(found, [np.nan, 3.0, 2.0])
    # A handful of stars is better shown than not.
    np.testing.assert_array_equal(sky._mean(np.array([5.0, 0.0]), np.array([1.0, 0.0]))[:1], [5.0])


class Map:
    """A stand-in for a model whose reddening is 10 l + b, with A_Ks = E / 2."""

    def __init__(self):
        self.asked = []
        self.extinction_map = self
        self.law = self
        self.map_value = "subcell"

    def value(self, l_deg, b_deg, kind):
        self.asked.append(kind)
        return 10.0 * l_deg + b_deg, None

    def reddening(self, l_deg, b_deg):
        """As learned: a tenth more than the map."""
        return 1.1 * self.value(l_deg, b_deg, "learned")[0], None

    def kappa(self, l_deg, b_deg):
        return np.tile([1.5, 1.0, 0.5], (l_deg.size, 1))


def test_extinction_of_the_model():
    model = Map()
    axes = Axis(0.0, 0.5, 3), Axis(1.0, 2.0, 2)
    found = model_extinction(axes, model)
    expected = 0.5 * (10.0 * axes[0].centres[:, None] + axes[1].centres)
    np.testing.assert_allclose(found, expected)
    assert model.asked == ["subcell"]


def test_extinction_is_shown_where_there_are_stars(axis):
    tally = tally_of(pairs())
    extinction_used(axis, tally, Map())
    values = axis.images[0].get_array()
    assert np.ma.count(np.ma.masked_invalid(values)) >= 2
    low, _, bottom, _ = axis.images[0].get_extent()
    step = tally.extent.sky[0].step
    first = 0.5 * (10.0 * (low + 0.5 * step) + bottom + 0.5 * step)
    assert values[0, 0] == pytest.approx(first)


def test_all_maps_of_the_extinction_have_one_scale(axis):
    """That of the map, as learned, and of the stars."""
    tally, model = tally_of(pairs(a_ks=3.0)), Map()
    limits = extinction_limits(tally, model)
    assert limits[0] < 0.3
    assert limits[1] == pytest.approx(3.0, abs=0.01)
    for draw in (extinction_used, extinction_learned):
        other = Figure().add_subplot()
        draw(other, tally, model, limits=limits)
        assert (other.images[0].norm.vmin, other.images[0].norm.vmax) == limits
    extinction_found(axis, tally, limits=limits)
    assert (axis.images[0].norm.vmin, axis.images[0].norm.vmax) == limits


def test_learned_extinction_less_that_of_the_map(axis):
    tally, model = tally_of(pairs()), Map()
    extinction_change(axis, tally, model)
    values = np.ma.masked_invalid(axis.images[0].get_array())
    used, learned = Figure().add_subplot(), Figure().add_subplot()
    extinction_used(used, tally, model)
    extinction_learned(learned, tally, model)
    one, other = (np.ma.masked_invalid(a.images[0].get_array()) for a in (used, learned))
    np.testing.assert_allclose(other.compressed(), 1.1 * one.compressed())
    np.testing.assert_allclose(values.compressed(), 0.1 * one.compressed())
    # More is red.
    assert axis.images[0].cmap(1.0)[0] > axis.images[0].cmap(1.0)[2]


def test_nothing_is_no_colour_of_a_scale(axis):
    sky_density(axis, tally_of(pairs()))
    ground = np.array(axis.get_facecolor()[:3])
    for scale in (DENSITY, PROBABILITY, DUST, colormaps[BALANCE]):
        colours = scale(np.linspace(0.0, 1.0, 256))[:, :3]
        assert np.abs(colours - ground).max(axis=1).min() > 0.05


def test_evidence_is_relative_to_the_expected_stars(axis, monkeypatch):
    n = 70
    where = np.repeat([0.0103, 0.0303], n)
    rows = mock_rows(
        ["nsd"] * 2 * n, l=where, b=np.full(2 * n, 0.0103), log_evidence=np.repeat([5.0, 7.0], n)
    )
    tally = tally_of(rows)
    monkeypatch.setattr(sky, "log_stars", lambda axes, model: np.zeros([a.n for a in axes]))
    sky.evidence_map(axis, tally, object())
    values, image = shown(axis)
    np.testing.assert_allclose(values, [-1.0, 1.0])
    assert image.norm.vmin == -image.norm.vmax

    def more_to_the_left(axes, model):
        """Expect e^2 times as many stars at the second place."""
        return 2.0 * (axes[0].centres[:, None] > 0.02) + 0.0 * axes[1].centres

    monkeypatch.setattr(sky, "log_stars", more_to_the_left)
    other = Figure().add_subplot()
    sky.evidence_map(other, tally, object())
    np.testing.assert_allclose(shown(other)[0], [0.0, 0.0], atol=1e-12)


def test_quantile_of_finite_values():
    assert sky._quantile(np.array([np.nan, 1.0, 3.0, np.inf]), 0.5) == 2.0
    assert sky._quantile(np.full(2, np.nan), 0.5) == 0.0


def test_places_near_the_centre_are_denser():
    x = np.linspace(-0.5, 0.1, 50)
    near = sky._near(x, -0.05)
    assert (near >= x[0]).all()
    assert (near <= x[-1]).all()
    step = np.diff(np.unique(near))
    middle = np.abs(np.unique(near)[1:] + 0.05) < 0.02
    assert step[middle].max() < step[~middle].max()
