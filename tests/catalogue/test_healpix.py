"""Pixels of positions, their weights, and margins around them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.catalogue.healpix import (
    centre_of,
    interpolation,
    memberships,
    pixel_area_arcsec2,
    pixel_of,
)


@pytest.mark.parametrize("order", [0, 4, 9])
def test_centres_lie_in_their_pixels(order):
    pixel = np.unique(np.linspace(0, 12 * 4**order - 1, 12).astype(np.int64))
    np.testing.assert_array_equal(pixel_of(*centre_of(pixel, order), order), pixel)


def test_nested_pixels():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 50), rng.uniform(-80, 80, 50)
    np.testing.assert_array_equal(pixel_of(ra, dec, 8) >> 4, pixel_of(ra, dec, 6))


def test_pixels_cover_the_sky():
    whole = 4.0 * np.pi * np.degrees(1.0) ** 2 * 3600.0**2
    assert pixel_area_arcsec2(5) * 12 * 4**5 == pytest.approx(whole)


def test_weights_of_four_pixels():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(260, 270, 30), rng.uniform(-30, -25, 30)
    pixel, weight = interpolation(ra, dec, 8)
    assert pixel.shape == weight.shape == (30, 4)
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)
    own = pixel_of(ra, dec, 8)
    assert (pixel == own[:, None]).any(axis=1).all()


def test_nothing_has_no_pixel():
    none = np.empty(0)
    assert pixel_of(none, none, 5).size == 0
    assert interpolation(none, none, 5)[0].shape == (0, 4)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.floats(1.0, 60.0))
def test_margins(seed, margin):
    rng = np.random.default_rng(seed)
    order = 9
    ra, dec = rng.uniform(266.0, 266.4, 200), rng.uniform(-29.2, -28.8, 200)
    row, pixel, core = memberships(ra, dec, order, margin)
    own = pixel_of(ra, dec, order)
    # Every position is in its own pixel once, and in no pixel twice.
    assert core.sum() == 200
    np.testing.assert_array_equal(pixel[core], own[row[core]])
    assert len(set(zip(row.tolist(), pixel.tolist(), strict=True))) == row.size
    # Whatever lies within the margin in eight other directions is listed.
    listed = set(zip(row.tolist(), pixel.tolist(), strict=True))
    for angle in np.radians(np.arange(8) * 45.0 + 22.5):
        step = margin / 3600.0
        other = pixel_of(
            ra + step * np.cos(angle) / np.cos(np.radians(dec)), dec + step * np.sin(angle), order
        )
        assert all((i, p) in listed for i, p in enumerate(other.tolist()))
