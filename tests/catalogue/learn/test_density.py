"""Counts of sources by place and magnitude, and the densities that follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.catalogue.healpix import pixel_area_arcsec2
from gcmock.catalogue.learn.density import ORDER, Counter
from gcmock.catalogue.link.likelihood import N_PATTERNS


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(60, 900))
def test_counts_do_not_depend_on_chunks(seed, size):
    rng = np.random.default_rng(seed)
    n = 900
    ra, dec = 266.0 + rng.uniform(0, 0.3, n), -29.0 + rng.uniform(0, 0.3, n)
    mag = rng.uniform(10, 18, (n, 3))
    mag[rng.random((n, 3)) < 0.3] = np.nan
    g = np.full(n, np.nan)
    whole, parts = Counter(), Counter()
    whole.add(ra, dec, mag, g)
    for start in range(0, n, size):
        some = slice(start, start + size)
        parts.add(ra[some], dec[some], mag[some], g[some])
    for name, values in whole.state().items():
        np.testing.assert_array_equal(values, parts.state()[name])


def test_densities_are_those_of_the_sky():
    rng = np.random.default_rng(0)
    n = 200_000
    size = 0.5
    ra = 266.0 + rng.uniform(0, size, n) / np.cos(np.radians(28.75))
    dec = -29.0 + rng.uniform(0, size, n)
    mag = np.column_stack([rng.normal(15.0 + k, 0.3, n) for k in (3, 1, 0)])
    counter = Counter()
    counter.add(ra, dec, mag, np.full(n, np.nan))
    density = counter.density()
    at = np.array([266.25]), np.array([-28.75])
    found = density.log_density(*at, np.array([[18.0, 16.0, 15.0]]), np.array([np.nan]))[0]
    per_arcsec2 = n / (size * 3600.0) ** 2
    assert found[0] == pytest.approx(np.log(per_arcsec2), abs=0.15)
    in_bin = 0.5 * 0.952  # of a normal distribution in its two middle bins
    assert found[4] == pytest.approx(np.log(per_arcsec2 * in_bin / 0.5), abs=0.25)
    # Two independent magnitudes: the colour is a normal distribution of 0.3 sqrt(2).
    colour = 1.0 / (0.3 * np.sqrt(2) * np.sqrt(2 * np.pi))
    assert found[6] - found[4] == pytest.approx(np.log(colour), abs=0.25)


def test_counts_of_two_halves_are_those_of_the_whole():
    ra, dec = np.array([266.0, 266.3, 266.0]), np.full(3, -29.0)
    mag = np.array([[14.0, 13.0, 12.0], [np.nan, 13.0, 12.5], [14.1, np.nan, 50.0]])
    g = np.array([np.nan, 16.0, np.nan])
    whole, half, other = Counter(), Counter(), Counter()
    whole.add(ra, dec, mag, g)
    half.add(ra[:1], dec[:1], mag[:1], g[:1])
    other.add(ra[1:], dec[1:], mag[1:], g[1:])
    again = Counter.from_state(half.state())
    again.add_state(other.state())
    for name, values in whole.state().items():
        np.testing.assert_array_equal(values, again.state()[name])
    assert whole.state()["counts"].sum() == np.isfinite(mag).sum() + 1
    assert whole.state()["sums"][:, 0].sum() == 3


def test_places_without_a_source_have_the_mean_of_the_others():
    counter = Counter()
    counter.add(np.full(9, 266.0), np.full(9, -29.0), np.full((9, 3), 12.0), np.full(9, np.nan))
    density = counter.density()
    np.testing.assert_array_equal(density.rows(np.array([266.0, 270.0]), np.full(2, -29.0)), [0, 1])
    area = pixel_area_arcsec2(ORDER)
    np.testing.assert_allclose(density.log_number, np.log(9.5 / area))
    log_density = density.log_density(
        np.array([270.0]), np.array([-29.0]), np.array([[np.nan, 12.0, 12.0]]), np.array([np.nan])
    )
    missing = [k for k in range(N_PATTERNS) if k & 1]
    assert np.isnan(log_density[0, missing]).all()
    assert np.isfinite(np.delete(log_density[0], missing)).all()


def test_an_empty_survey_has_a_density():
    density = Counter().density()
    assert density.rows(np.zeros(2), np.zeros(2)).tolist() == [0, 0]
    assert np.isfinite(density.log_number).all()
