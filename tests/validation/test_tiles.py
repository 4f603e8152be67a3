"""Tiles of the sky and averages over the reddenings of their sub-cells."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.errors import InputError
from gcmock.validation import tiles as module
from gcmock.validation.tiles import (
    REDDENINGS,
    RedTables,
    average,
    count_curves,
    count_observed,
    make_tiles,
    red_model,
    reddenings_of,
    slope,
)
from gcmock.words.bands import H, J

STAR = st.tuples(st.floats(-0.3, 0.4), st.floats(-0.2, 0.2), st.floats(9.0, 15.0))


def test_whole_tiles_of_a_window():
    tiles = make_tiles((-0.2, 0.1), (0.0, 0.25), 0.1)
    assert tiles.shape == (3, 2)
    np.testing.assert_allclose(tiles.l_deg, [-0.15, -0.15, -0.05, -0.05, 0.05, 0.05])
    np.testing.assert_allclose(tiles.b_deg, [0.05, 0.15] * 3)


def test_window_without_a_tile():
    with pytest.raises(InputError, match=r"window l = 0 \.\.\. 0.05, .* holds no tile of 0.1 deg"):
        make_tiles((0.0, 0.05), (0.0, 1.0), 0.1)


def test_area_of_the_whole_sky():
    tiles = make_tiles((-180.0, 180.0), (-90.0, 90.0), 10.0)
    assert tiles.area_deg2.sum() == pytest.approx(4.0 * np.pi * np.degrees(1.0) ** 2)


def test_tiles_that_are_covered_in_part_have_less_area():
    whole = make_tiles((0.0, 0.2), (0.0, 0.1), 0.1)
    part = replace(whole, covered=np.array([1.0, 0.25]))
    np.testing.assert_allclose(part.area_deg2, whole.area_deg2 * [1.0, 0.25])
    np.testing.assert_allclose(part.take(np.array([1])).area_deg2, part.area_deg2[1:])
    np.testing.assert_array_equal(whole.coverage, 1.0)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(-0.3, 0.4), st.floats(-0.2, 0.2), st.floats(9, 15)), max_size=30)
)
def test_stars_by_tile_and_magnitude(stars):
    tiles = make_tiles((-0.2, 0.1), (-0.1, 0.1), 0.1)
    edges = np.array([10.0, 12.0, 14.0])
    l_deg, b_deg, mag = np.array(stars, float).reshape(-1, 3).T
    found = count_observed(tiles, l_deg, b_deg, mag, edges)
    for i, (l0, b0) in enumerate(zip(tiles.l_deg, tiles.b_deg, strict=True)):
        dl, db = np.abs(l_deg - l0), np.abs(b_deg - b0)
        clear = (np.abs(dl - 0.05) > 1e-9) & (np.abs(db - 0.05) > 1e-9)
        inside = (dl < 0.05) & (db < 0.05)
        expected = np.histogram(mag[inside & (mag < 14.0)], edges)[0]
        if clear.all():
            np.testing.assert_array_equal(found[i], expected)


def test_bins_of_magnitude_are_half_open():
    tiles = make_tiles((0.0, 0.1), (0.0, 0.1), 0.1)
    mag = np.array([10.0, 12.0, 14.0, np.nan])
    found = count_observed(tiles, np.full(4, 0.05), np.full(4, 0.05), mag, np.array([10.0, 12, 14]))
    np.testing.assert_array_equal(found, [[1, 1]])


def exponential(rate, n_tile=2):
    """Counts that fall as exp(-rate E), in two bins of magnitude of which one holds twice."""
    curve = 1000.0 * np.exp(-rate * REDDENINGS)
    return np.tile(np.stack([curve, 2.0 * curve], axis=1), (n_tile, 1, 1))


@settings(max_examples=10)
@given(st.floats(0.1, 1.5), st.lists(st.floats(0.5, 5.0), min_size=2, max_size=4))
def test_average_of_an_exponential(rate, reddening):
    e = np.array([reddening, reddening[::-1]])
    found = average(exponential(rate), e)
    expected = 1000.0 * np.exp(-rate * e).mean(axis=1)
    np.testing.assert_allclose(found, np.stack([expected, 2.0 * expected], axis=1), rtol=1e-6)


def test_scatter_and_factor():
    """The mean of exp(-r E) over a Gaussian of width tau is exp(-r E + (r tau)^2 / 2)."""
    e, rate, tau = np.array([[2.0]]), 0.8, 0.3
    curves = exponential(rate, 1)
    plain = average(curves, e)
    np.testing.assert_allclose(
        average(curves, e, tau) / plain, np.exp(0.5 * (rate * tau) ** 2), rtol=1e-6
    )
    np.testing.assert_allclose(average(curves, e, factor=1.5), average(curves, 1.5 * e))
    np.testing.assert_allclose(slope(curves, e), [-rate], rtol=1e-6)


def test_reddening_beyond_the_grid_is_its_end():
    curves = exponential(1.0, 1)
    np.testing.assert_allclose(average(curves, np.array([[99.0]])), curves[:, -1], rtol=1e-6)


def test_subcells_fill_their_tile():
    asked = {}

    class Sky:
        def value(self, l_deg, b_deg, kind):
            asked.update(l=l_deg, b=b_deg, kind=kind)
            return l_deg + 10 * b_deg, None

    tiles = make_tiles((0.0, 0.02), (0.0, 0.01), 0.01)
    found = reddenings_of(Sky(), tiles, "subcell")
    # Sub-cells have 0.005 deg.
    assert found.shape == (2, 4)
    np.testing.assert_allclose(asked["l"][0], [0.0025, 0.0025, 0.0075, 0.0075])
    np.testing.assert_allclose(asked["b"][1], [0.0025, 0.0075] * 2)
    np.testing.assert_allclose(found.mean(axis=1), tiles.l_deg + 10 * tiles.b_deg)
    assert asked["kind"] == "subcell"


def sun(**where):
    return SimpleNamespace(galaxy=SimpleNamespace(sun=SimpleNamespace(**where)))


def test_more_lines_of_sight_near_the_centre():
    tiles = make_tiles((-0.5, 0.5), (-0.5, 0.5), 0.1)
    l_deg, b_deg, owner = module._sightlines(sun(sgr_a_l_deg=-0.05, sgr_a_b_deg=-0.05), tiles)
    n = np.bincount(owner)
    near = np.hypot(tiles.l_deg + 0.05, tiles.b_deg + 0.05) < 0.18
    np.testing.assert_array_equal(n, np.where(near, 36, 1))
    assert near.sum() > 1
    # Each lies in its tile, and their mean is its centre.
    assert np.abs(l_deg - tiles.l_deg[owner]).max() < 0.05
    assert np.abs(b_deg - tiles.b_deg[owner]).max() < 0.05
    np.testing.assert_allclose(np.bincount(owner, l_deg) / n, tiles.l_deg, atol=1e-12)


def test_curves_are_stars_of_the_area(monkeypatch):
    def expected_counts(model, l_deg, b_deg, band, edges, *, e_jks, tau):
        assert band == "hw"
        assert not tau.any()
        return np.tile(100.0 + e_jks[:, None, None], (1, 3, edges.size - 1))

    monkeypatch.setattr(module, "expected_counts", expected_counts)
    tiles = make_tiles((-0.1, 0.1), (-0.1, 0.1), 0.1)
    found = count_curves(sun(sgr_a_l_deg=0.0, sgr_a_b_deg=0.0), tiles, np.array([9.0, 10.0, 11.0]))
    assert found.shape == (4, REDDENINGS.size, 2)
    # Three components; per square degree, whatever the number of lines of sight of a tile.
    expected = 3.0 * (100.0 + REDDENINGS) * tiles.area_deg2[:, None]
    np.testing.assert_allclose(found, np.stack([expected, expected], axis=2))


class Relation:
    """Hw = H + (J - H) / 2."""

    def mag(self, j, h):
        return h + 0.5 * (j - h)


def tables(colour_min):
    mag = np.zeros((2, 4))
    mag[:, J], mag[:, H] = [1.0, 2.5], [0.0, 0.0]
    population = SimpleNamespace(absolute_mag=mag, weight=np.array([3.0, 5.0]))
    populations = SimpleNamespace(populations=[population])
    law = SimpleNamespace(rows=np.array([[1.5, 1.0, 0.5]]))
    return RedTables(populations, law, {"hw": Relation()}, colour_min)


def test_red_stars_appear_with_the_reddening(monkeypatch):
    monkeypatch.setattr(module.CountTables, "_reddened", lambda *a: _reddened(*a), raising=False)
    found = tables(2.0)._build("hw", np.array([1.5, 1.0, 0.5]))
    total = found.cumulative[0, :, -1]
    # J - H grows by E / 2: the bluer star is redder than 2 mag from E = 2 mag on.
    axis = np.arange(total.size) * module.REDDENING_STEP
    np.testing.assert_array_equal(total[axis < 1.99], 5.0)
    np.testing.assert_array_equal(total[axis > 2.01], 8.0)


def _reddened(self, mag, band, e, kappa):
    return self._relations[band].mag(mag[:, J] + kappa[J] * e, mag[:, H] + kappa[H] * e)


def test_other_bands_have_no_axis_of_reddening():
    with pytest.raises(InputError, match="counts of red stars in 'ks': only hw"):
        tables(2.0)._build("ks", np.ones(3))


def test_red_model_is_its_parent_but_for_the_counts():
    class Model:
        config = galaxy = extinction_map = grid = "own"
        populations, law = SimpleNamespace(populations=[]), None
        relations = {}  # noqa: RUF012

        def reddening(self, l_deg, b_deg):
            return "reddening", l_deg, b_deg

        def part_weights(self, l_deg, b_deg):
            return "weights", l_deg, b_deg

    parent = Model()
    found = red_model(parent, 1.8)
    assert isinstance(found.count_tables, RedTables)
    assert found.galaxy == "own"
    assert found.reddening(1.0, 2.0) == ("reddening", 1.0, 2.0)
    assert found.part_weights(1.0, 2.0) == ("weights", 1.0, 2.0)
