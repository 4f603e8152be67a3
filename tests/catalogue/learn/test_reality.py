"""Which sources without a partner are stars."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from survey_sources import survey_sources

from gcmock.catalogue.cell.merged_stars import no_stars
from gcmock.catalogue.learn.reality import (
    N_KINDS,
    N_PATTERNS,
    is_alone,
    kinds,
    reality_beyond,
    telling,
)
from gcmock.catalogue.order import names_of, packaged_order


def test_faint_stars_that_nobody_else_reaches_are_kept():
    """Stars lose J, then H, towards faint magnitudes: their sets of bands are no sign of noise."""
    # Bits: J, H, Ks. Bright stars have all three bands, faint ones Ks with or without H.
    lone = np.array([0, 50, 50, 50, 4000, 3000, 8000, 500])
    paired = np.array([0, 5, 5, 5, 5, 5, 100, 20_000])
    real = reality_beyond(lone, paired)
    assert (real[[4, 6, 7]] == 1.0).all()
    assert real[5] < 0.1


def test_being_alone_says_something_where_others_would_see_the_star():
    missed = np.array([0.1, 0.9])
    both = np.arange(2)
    once = survey_sources("2mass", [0.0, 3.0], n_epochs=1)
    np.testing.assert_array_equal(telling(once, both, missed), [True, False])
    # A survey that sees its stars many times has seen this one once.
    once = survey_sources("virac2", [0.0, 3.0], n_epochs=1)
    np.testing.assert_array_equal(telling(once, both, missed), [True, True])
    often = survey_sources("virac2", [0.0, 3.0], n_epochs=9)
    np.testing.assert_array_equal(telling(often, both, missed), [True, False])


def test_kinds_tell_what_was_seen_where():
    sources = survey_sources("2mass", [0.0, 3.0, 6.0, 9.0], n_epochs=[1, 1, 2, 1], phot_ks_mag=12.0)
    stars = no_stars(packaged_order())
    number = names_of(stars.order).index("2mass")
    stars.add(number, sources, np.arange(4))
    assert is_alone(stars).all()
    missed = np.zeros((4, len(stars.order)))
    missed[3] = 0.9
    place = np.array([0, 1, 0, 0])
    star, kind, full = kinds(stars, {number: sources}, place, missed, number)
    np.testing.assert_array_equal(star, np.arange(4))
    np.testing.assert_array_equal(kind[:3], full[:3])
    assert len(set(full.tolist())) == 4
    # Where nobody else sees stars it is the set of bands alone: Ks is the third bit.
    assert kind[3] == N_KINDS + 4
    assert full.max() < N_KINDS


@given(st.integers(0, 500), st.integers(0, 500))
def test_more_sources_than_expected_are_less_often_stars(few, more):
    def probability(n):
        lone = np.zeros(N_PATTERNS, np.int64)
        lone[1] = n
        return reality_beyond(lone, np.full(N_PATTERNS, 100))[1]

    few, more = sorted((few, more))
    assert 0.0 < probability(more) <= 1.0
    # J alone is a quarter of what is expected of it at most, however many there are.
    assert probability(more) >= 0.25
