"""Blends and the confusion limit of the simulated surveys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.surveys.definition import load_survey
from gcmock.surveys.simulated.crowding import (
    CELL_ARCSEC,
    HALO_MAX_ARCSEC,
    blend,
    combined_limit,
    confusion_map,
    halo_arcsec,
    radius_arcsec,
    swallow,
)

SIRIUS = load_survey("sirius").instrument
EQUAL = radius_arcsec(np.array([0.0]), SIRIUS)[0]


def blended(x, mag, y=None):
    x = np.asarray(x, float)
    return blend(x, np.zeros_like(x) if y is None else y, np.asarray(mag, float), SIRIUS, 9.0)


def test_equal_stars_melt_within_the_blending_width():
    assert blended([0.0, 0.9 * EQUAL], [15.0, 15.1]).source.tolist() == [0]
    assert blended([0.0, 1.2 * EQUAL], [15.0, 15.1]).source.tolist() == [0, 1]


def test_faint_stars_are_lost_farther_out():
    assert blended([0.0, 1.5 * EQUAL], [12.0, 16.0]).source.tolist() == [0]
    assert blended([0.0, 1.5 * EQUAL], [12.0, 12.0]).source.tolist() == [0, 1]


def test_a_swallowed_star_swallows_nothing():
    """Brightest first: B goes to A, and C, near to B only, is a source."""
    found = blended([0.0, 0.9 * EQUAL, 1.8 * EQUAL], [14.0, 14.2, 14.4])
    assert found.source.tolist() == [0, 2]
    assert found.of_star.tolist() == [0, 0, 1]


def test_saturated_stars_have_a_halo():
    radius = halo_arcsec(np.array([7.0]), 9.0, SIRIUS)[0]
    assert radius == pytest.approx(SIRIUS.fwhm_arcsec * 10**0.8)
    assert blended([0.0, 0.9 * radius], [7.0, 14.0]).source.tolist() == [0]
    # Not so faint a star shines through, and nothing is lost beyond.
    assert blended([0.0, 0.9 * radius], [7.0, 9.5]).source.tolist() == [0, 1]
    assert blended([0.0, 1.1 * radius], [7.0, 14.0]).source.tolist() == [0, 1]
    assert halo_arcsec(np.array([-5.0]), 9.0, SIRIUS)[0] == HALO_MAX_ARCSEC


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 120))
def test_sources_are_apart_and_stars_are_near_their_source(seed, n):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0.0, 12.0, (2, n))
    mag = rng.uniform(10.0, 18.0, n)
    found = blended(x, mag, y)
    root = found.source[found.of_star]
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    limit = radius_arcsec(np.abs(mag[:, None] - mag), SIRIUS)
    rows = np.arange(n)
    swallowed = root != rows
    # Halos begin at Ks = 11.
    near = apart[rows, root] < np.maximum(limit[rows, root], halo_arcsec(mag[root], 9.0, SIRIUS))
    assert near[swallowed].all()
    assert (mag[root] <= mag).all()
    sources = found.source
    separate = apart[np.ix_(sources, sources)] + np.eye(sources.size) * 1e3
    assert (separate >= limit[np.ix_(sources, sources)]).all()
    shuffled = rng.permutation(n)
    again = blended(x[shuffled], mag[shuffled], y[shuffled])
    assert set(shuffled[again.source]) == set(sources)


def test_swallow_follows_the_order_of_brightness():
    pairs = np.array([[0, 1], [0, 4], [1, 2], [2, 3]], np.int64)
    assert swallow(*pairs.T.copy(), 5).tolist() == [0, 0, 2, 2, 0]


def test_confusion_limit_of_a_known_density():
    """Stars with 10^(0.3 m) counts: the limit is where they reach one in so many beams."""
    rng = np.random.default_rng(4)
    n, cells = 200_000, 10
    x, y = rng.uniform(0.0, cells * CELL_ARCSEC, (2, n))
    mag = 18.0 + np.log10(rng.uniform(0.0, 1.0, n)) / 0.3
    found = confusion_map(x, y, np.column_stack([mag, mag, mag]), SIRIUS)
    beam = 0.25 * np.pi * SIRIUS.fwhm_arcsec**2
    per_area = n / (cells * CELL_ARCSEC) ** 2
    for band, beams in enumerate(SIRIUS.beams_per_source):
        expected = 18.0 + np.log10(1.0 / (beam * beams) / per_area) / 0.3
        assert np.median(found.limit[..., band]) == pytest.approx(expected, abs=0.05)
    np.testing.assert_array_equal(found.at(x[:5], y[:5])[:, 0], found.limit[_cell(x[:5], y[:5])])


def _cell(x, y):
    return (x // CELL_ARCSEC).astype(int), (y // CELL_ARCSEC).astype(int), 0


def test_few_stars_do_not_confuse():
    found = confusion_map(np.array([1.0]), np.array([1.0]), np.array([[15.0] * 3]), SIRIUS)
    assert np.isinf(found.limit).all()
    np.testing.assert_allclose(combined_limit(np.array([17.0]), np.array([np.inf])), [17.0])


@given(st.floats(10.0, 22.0), st.floats(10.0, 22.0))
def test_the_combined_limit_is_brighter_than_both(depth, crowd):
    both = combined_limit(np.array([depth]), np.array([crowd]))[0]
    assert min(depth, crowd) - 0.38 < both < min(depth, crowd)
