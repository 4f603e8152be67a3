"""The sky in blocks with margins."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gcmock.mock.sky import SkyWindow
from gcmock.surveys.simulated.blocks import (
    BLOCK_MARGIN_ARCSEC,
    TrueStars,
    block_truth,
    flat_coordinates,
    is_inside,
    make_blocks,
    stars_of,
)

MODEL = SimpleNamespace(
    extinction_map=SimpleNamespace(
        mean=np.zeros((80, 40)), step_deg=0.025, l_min_deg=-1.0, b_min_deg=-0.5
    )
)


def inner(window):
    return [block.inner for block in make_blocks(MODEL, window)]


def test_blocks_tile_the_window():
    window = SkyWindow(-0.33, 0.41, -0.11, 0.27)
    rng = np.random.default_rng(1)
    l_deg, b_deg = rng.uniform(-0.5, 0.5, 3000), rng.uniform(-0.3, 0.3, 3000)
    number = sum(is_inside(part, l_deg, b_deg).astype(int) for part in inner(window))
    np.testing.assert_array_equal(number, is_inside(window, l_deg, b_deg))


def test_borders_do_not_depend_on_the_window():
    """Cut to a smaller window, blocks keep their borders inside it."""
    edges = {round(x, 6) for part in inner(SkyWindow(-0.6, 0.6, -0.4, 0.4)) for x in part[:2]}
    some = {round(x, 6) for part in inner(SkyWindow(-0.3, 0.15, -0.1, 0.1)) for x in part[:2]}
    assert some - {-0.3, 0.15} <= edges
    # Eight cells of 0.025 deg, from the border of the map.
    assert all(abs((x + 1.0) / 0.2 - round((x + 1.0) / 0.2)) < 1e-6 for x in some - {-0.3, 0.15})


def test_margins_end_at_the_map():
    first, *_, last = make_blocks(MODEL, SkyWindow(-1.0, 1.0, -0.5, 0.5))
    margin = BLOCK_MARGIN_ARCSEC / 3600.0
    assert first.outer.l_min == -1.0
    assert first.outer.b_min == -0.5
    assert first.outer.l_max == pytest.approx(first.inner.l_max + margin)
    assert last.outer.l_max == pytest.approx(1.0)
    assert last.outer.b_max == pytest.approx(0.5)
    assert last.outer.b_min == pytest.approx(last.inner.b_min - margin)


def truth(n=5):
    names = ("l", "b", "ra", "dec", "parallax", "pmra", "pmdec", "radial_velocity")
    found = {name: np.linspace(i, i + 1.0, n) for i, name in enumerate(names)}
    found["source_id"] = np.arange(n) + 100
    for i, band in enumerate(("j", "h", "ks")):
        found[f"phot_{band}_mag"] = np.full(n, 10.0 + i)
    return found


def test_stars_of_a_truth():
    stars = stars_of(truth())
    np.testing.assert_array_equal(stars.identity, np.arange(5) + 100)
    np.testing.assert_array_equal(stars.mag[0], [10.0, 11.0, 12.0])
    assert not stars.kind.any()
    both = stars.take(np.array([4, 0])).join(stars.take(np.array([2])))
    assert isinstance(both, TrueStars)
    assert both.identity.tolist() == [104, 100, 102]
    assert both.mag.shape == (3, 3)


def test_flat_coordinates_are_true_to_scale():
    x, y = flat_coordinates(np.array([0.0, 0.01]), np.array([60.0, 60.0]))
    assert x[1] - x[0] == pytest.approx(18.0)
    assert y[0] == 60.0 * 3600.0


def test_margin_is_cut_off():
    window = SkyWindow(0.2, 0.8, 1.0, 2.0)
    block = SimpleNamespace(inner=window, outer=None)
    found = block_truth(truth(), block)
    np.testing.assert_array_equal(found["source_id"], [101, 102, 103])
    assert all(values.size == 3 for values in found.values())
