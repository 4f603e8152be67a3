"""What a plot is drawn from: counts of tables, cells with enough stars, their rectangle."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_rows import mock_rows, tally_of

from gcmock.errors import InputError
from gcmock.reporting.page.observed import ObservedTally
from gcmock.reporting.plots.catalogue import (
    check_columns,
    count_catalogue,
    crop,
    map_factor,
    sky_map,
    source_of,
)


def test_table_is_counted_and_counts_are_kept():
    rows = mock_rows(["bar", "nsd", "nsd"], l=[0.0, 0.1, 0.2])
    tally = count_catalogue(Table(rows))
    expected = tally_of(rows)
    assert tally.n_star == 3
    np.testing.assert_array_equal(tally.p_sum, expected.p_sum)
    np.testing.assert_array_equal(tally.sky["stars"], expected.sky["stars"])
    assert count_catalogue(tally) is tally


def test_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "mock.parquet"
    Table(mock_rows(["bar", "nsd"])).write(path)
    assert count_catalogue(path).n_star == count_catalogue(str(path)).n_star == 2
    assert source_of(path).path == path


def test_missing_columns_are_named():
    table = Table(mock_rows(["bar"]))
    table.remove_columns(["vx", "a_ks"])
    with pytest.raises(InputError, match="it lacks a_ks, vx; give what gcmock build made"):
        check_columns(source_of(table))
    with pytest.raises(InputError, match="it lacks a_ks, vx"):
        count_catalogue(table)


def test_cells_are_joined_until_they_hold_enough():
    stars = np.ones((24, 24))
    assert [map_factor(stars, wanted) for wanted in (1, 4, 5, 16, 100, 1e6)] == [1, 2, 3, 4, 12, 12]
    # Empty cells do not count: the median is that of the cells with stars.
    sparse = np.zeros((24, 24))
    sparse[::12, ::12] = 10.0
    assert map_factor(sparse, 10.0) == 1
    assert map_factor(np.zeros((24, 24)), 1.0) == 12


@settings(max_examples=15)
@given(st.integers(1, 60), st.floats(1.0, 30.0))
def test_map_keeps_every_star(n, wanted):
    rng = np.random.default_rng(n)
    rows = mock_rows(["bar"] * n, l=0.02 * rng.random(n), b=0.02 * rng.random(n), a_ks=1.5)
    tally = tally_of(rows)
    axes, total, stars = sky_map(tally, "a_ks", wanted)
    assert stars.sum() == n
    np.testing.assert_allclose(total, 1.5 * stars)
    assert stars.shape == (axes[0].n, axes[1].n)
    factor = round(axes[0].step / tally.extent.sky[0].step)
    assert factor in (1, 2, 3, 4, 6, 12)
    assert np.median(stars[stars > 0]) >= wanted or factor == 12


def test_map_of_observed_stars():
    observed = ObservedTally(tally_of(mock_rows(["bar"])).extent)
    observed.sky[0, 0] = 9.0
    _, total, stars = sky_map(observed, "stars", 1.0)
    np.testing.assert_array_equal(total, stars)
    assert total.sum() == 9.0


def test_rectangle_with_stars():
    stars = np.zeros((6, 5))
    stars[2:4, 1:4] = 10.0
    assert crop(stars) == (slice(2, 4), slice(1, 4))
    # A single star in a border row is less than 2 % of what rows usually have.
    stars[2:4, 1:4] = 100.0
    stars[5, 2] = 1.0
    assert crop(stars) == (slice(2, 4), slice(1, 4))
    assert crop(np.zeros((3, 3))) == (slice(0, 1), slice(0, 1))
