"""Stars close to a much brighter one, and those on its spikes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from survey_sources import survey_sources
from uncompiled import uncompile

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.cell.surroundings import (
    N_BESIDE,
    N_DIRECTIONS,
    Surroundings,
    find_spikes,
    no_surroundings,
    places,
    surroundings,
)
from gcmock.catalogue.order import packaged_order
from gcmock.settings.merge import CleaningConfig


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, N_DIRECTIONS - 1))
def test_spikes_are_where_lone_sources_pile_up(seed, direction):
    """Of 4000 sources around bright stars 400 lie on a spike; pairs do not count."""
    rng = np.random.default_rng(seed)
    where = rng.integers(0, N_DIRECTIONS, 8000)
    where[:400] = direction
    lone = np.arange(8000) < 4000
    # Many pairs in another direction are stars, not a spike.
    where[4000:5000] = (direction + 45) % N_DIRECTIONS
    one = np.ones(8000, np.int64)
    around = Surroundings(one, np.arange(8000), one, rng.uniform(0, 3, 8000), where)
    found = find_spikes(around, lone)
    assert found[direction]
    assert found.sum() <= 3
    assert not find_spikes(around, ~lone)[direction]


@pytest.fixture
def around(monkeypatch):
    """A star of Ks = 9.5 with faint ones 1, 3 and 7 arcsec to its east, and a bright one at 2."""
    uncompile(monkeypatch, "gcmock.catalogue.link.neighbours")
    ks = [9.5, 14.0, 10.0, 14.0, 14.0]
    sources = survey_sources("2mass", [0.0, 1.0, 2.0, 3.0, 7.0], phot_ks_mag=ks)
    stars = no_stars(packaged_order())
    stars.add(0, sources, np.arange(5))
    return surroundings(stars, CleaningConfig(bright_ks_mag=9.6, bright_radius_arcsec=6.0))


def test_rings_are_thirds_of_the_radius_of_a_bright_star(around):
    # The radius is 6 arcsec times 10^(0.2 0.1) = 6.28: its inner third ends at 2.09 arcsec.
    np.testing.assert_array_equal(around.ring, [0, 3, 0, 2, 0])
    np.testing.assert_array_equal(around.star, [1, 3])
    np.testing.assert_array_equal(around.pair_place, [3, 2])
    np.testing.assert_allclose(around.excess, 0.1)
    np.testing.assert_array_equal(around.direction, N_DIRECTIONS // 2)


def test_a_star_on_a_spike_has_another_place(around):
    spikes = np.zeros(N_DIRECTIONS, bool)
    np.testing.assert_array_equal(places(around, spikes), [0, 3, 0, 2, 0])
    spikes[N_DIRECTIONS // 2] = True
    np.testing.assert_array_equal(places(around, spikes), [0, N_BESIDE + 2, 0, N_BESIDE + 1, 0])
    np.testing.assert_array_equal(places(no_surroundings(2), spikes), [0, 0])
