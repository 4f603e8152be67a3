"""Which stars calibrate, and what is said of a catalogue that cannot."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.calibration import calibrators as module
from gcmock.calibration.calibrators import LEAST_STARS, faint_limit, read_calibrators
from gcmock.errors import InputError
from gcmock.io.read_summary import ReadSummary
from gcmock.settings.build import load_config
from gcmock.words.bands import BANDS, KS, H


def observations(ks, with_h=None):
    mag = np.full((len(ks), len(BANDS)), np.nan)
    mag[:, KS] = ks
    mag[:, H] = np.asarray(ks) + 1.0
    if with_h is not None:
        mag[~np.asarray(with_h), H] = np.nan
    return SimpleNamespace(mag=mag)


RISING = np.repeat(np.arange(10.125, 15.0, 0.25), np.arange(1, 21) * 20)
"""Magnitudes whose counts rise by twenty in every quarter of a magnitude, up to 15 mag."""


FALLING = np.concatenate([RISING, np.repeat([15.125, 15.375, 15.625], [300, 100, 20])])
"""The same, and then the counts of a survey that loses its stars."""


def test_faint_limit_is_half_a_magnitude_before_the_peak():
    assert faint_limit(observations(FALLING), np.ones(FALLING.size, bool)) == 14.5


def test_a_list_that_was_cut_while_its_counts_rise_ends_at_the_cut():
    # Spread, so that the last tenth of a magnitude has its stars.
    ks = RISING + np.random.default_rng(1).uniform(-0.125, 0.125, RISING.size)
    found = faint_limit(observations(ks), np.ones(ks.size, bool))
    assert found == pytest.approx(ks.max(), abs=0.011)


def test_faint_limit_is_where_colours_are_lost():
    with_colour = (FALLING < 13.0) | (np.arange(FALLING.size) % 2 == 0)
    assert faint_limit(observations(FALLING), with_colour) == 13.0


def test_few_stars_without_a_colour_set_no_limit():
    with_colour = FALLING > 10.3
    # The first bins hold fewer stars than say something.
    assert faint_limit(observations(FALLING), with_colour) == 14.5


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=60), st.integers(1, 6))
def test_at_most_so_many_of_a_cell_with_the_smallest_keys(stars, most):
    cell = np.array([c for c, _ in stars], np.int64)
    usable = np.array([u for _, u in stars], bool)
    key = np.random.default_rng(1).permutation(len(stars)).astype(np.uint64)
    chosen, first = module._cap(cell, key, usable, most)
    # The others follow: there are far fewer than are kept at most.
    assert set(chosen) == set(np.flatnonzero(usable))
    assert (np.diff(chosen) > 0).all()
    for c in range(5):
        members = np.flatnonzero((cell == c) & usable)
        expected = members[np.argsort(key[members])][:most]
        assert set(chosen[(cell[chosen] == c) & first]) == set(expected)


def test_others_follow_by_their_keys(monkeypatch):
    monkeypatch.setattr(module, "MOST_STARS", 13)
    cell = np.repeat([0, 1], [30, 5])
    key = np.random.default_rng(2).permutation(35).astype(np.uint64)
    chosen, first = module._cap(cell, key, np.ones(35, bool), 4)
    assert (first.sum(), chosen.size) == (8, 13)
    left = np.setdiff1d(np.arange(35), chosen[first])
    assert set(chosen[~first]) == set(left[np.argsort(key[left])][:5])
    # Never fewer than the first of every cell.
    monkeypatch.setattr(module, "MOST_STARS", 3)
    chosen, first = module._cap(cell, key, np.ones(35, bool), 4)
    assert chosen.size == first.sum() == 8


class Catalogue:
    """A catalogue of one chunk, as the reader gives it."""

    path = Path("stars.fits")
    summary = ReadSummary(n_parallax=10, n_zero_point_removed=10)

    def __init__(self, l_deg, mag, bands=("h", "ks")):
        self.n_rows = len(l_deg)
        self.matches = {f"phot_{band}_mag": None for band in bands}
        self.l, self.mag = np.asarray(l_deg, float), mag
        self.ids = np.arange(self.n_rows)

    def __call__(self, *_):
        return self

    def chunks(self):
        rows = np.arange(self.n_rows)
        stars = SimpleNamespace(row=rows)
        stars.take = lambda keep: SimpleNamespace(source_id=self.ids[keep])
        yield stars


@pytest.fixture
def read(monkeypatch):
    """Read a catalogue of which rows 0 and 1 lie outside the map."""
    from gcmock.posterior.observations import Observations

    monkeypatch.setattr(module, "open_table", lambda *_: None)

    def call(catalogue, **options):
        monkeypatch.setattr(module, "ObservedCatalogue", catalogue)
        keep = np.arange(catalogue.n_rows) > 1
        zero = np.zeros(keep.sum())
        data = Observations(
            catalogue.l[keep], zero, catalogue.mag[keep], 0.1 + 0 * catalogue.mag[keep],
            zero + np.nan, zero + np.nan, zero + 2.0, zero,
        )  # fmt: skip
        monkeypatch.setattr(module, "prepare", lambda *_: SimpleNamespace(keep=keep, data=data))
        sky = SimpleNamespace(cell_index=lambda l_deg, b_deg: np.floor(l_deg).astype(np.int64))
        model = SimpleNamespace(extinction_map=sky)
        return read_calibrators("stars.fits", model, load_config(), **options)

    return call


def catalogue(n=200):
    """Stars of two cells, 10 to 15 mag; every tenth without H, the last three without Ks."""
    # More and more stars towards the faint end.
    ks = 10.0 + 5.0 * np.sqrt(np.linspace(0.0, 1.0, n))
    data = observations(ks, np.arange(n) % 10 > 0)
    data.mag[-3:, KS] = np.nan
    data.mag[:, BANDS.index("hw")] = 12.0
    return Catalogue(np.where(np.arange(n) % 4 == 0, 5.5, 7.5), data.mag)


def test_every_row_is_accounted_for(read):
    found = read(catalogue(), limits=(11.0, 14.0), stars_per_cell=40)
    account = found.account
    assert account["rows"] == 200
    assert account["outside the extinction map or without a magnitude"] == 2
    assert account["without Ks"] == 3
    assert account["calibrate"] == found.cell.size == found.data.l_deg.size
    left = sum(n for name, n in account.items() if name != "rows")
    assert left == 200
    assert found.limits == (11.0, 14.0)
    assert found.zero_point_removed
    ks = found.data.mag[:, KS]
    assert ((ks >= 11.0) & (ks < 14.0)).all()
    assert np.isfinite(found.data.mag[:, H]).all()
    # Hw adds nothing to J and H.
    assert np.isnan(found.data.mag[:, BANDS.index("hw")]).all()
    assert np.isnan(found.data.mag_error[:, BANDS.index("hw")]).all()
    # Cells count stars with or without a colour.
    assert found.cells.tolist() == [5, 7]
    assert (
        found.n_observed.sum()
        == account["calibrate"]
        + account["without a colour"]
        + account["more than enough in their cell"]
    )
    assert np.bincount(found.cell[found.first]).max() <= 40
    assert found.first.size == found.cell.size


def test_rows_in_another_order_are_the_same_stars_in_the_same_order(read):
    """What is drawn from them later does not depend on the order of the rows."""
    given = catalogue()
    one = read(given, limits=(11.0, 14.0), stars_per_cell=20)
    rows = np.concatenate([[0, 1], 2 + np.random.default_rng(1).permutation(198)])
    given.l, given.mag, given.ids = given.l[rows], given.mag[rows], rows
    other = read(given, limits=(11.0, 14.0), stars_per_cell=20)
    for name in ("cell", "first", "cells", "n_observed"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.data.mag, other.data.mag)
    assert one.account == other.account


def test_progress_and_limits(read):
    told = []
    found = read(catalogue(), progress=lambda *n: told.append(n))
    assert told == [(200, 200)]
    assert found.limits[0] == -np.inf
    with pytest.raises(InputError, match="limits 14 11: expected the bright limit first"):
        read(catalogue(), limits=(14.0, 11.0))
    with pytest.raises(InputError, match=r"limits 11 17: the faintest .* not complete to 17 mag"):
        read(catalogue(), limits=(11.0, 17.0))
    with pytest.raises(InputError, match=r"stars with a colour and 11 <= Ks < 11\.2: expected at "):
        read(catalogue(), limits=(11.0, 11.2))
    with pytest.raises(InputError, match="stars per cell = 0: expected at least 1"):
        read(catalogue(), stars_per_cell=0)


def test_one_band_cannot_calibrate(read):
    mag = observations(np.linspace(10.0, 15.0, 100), np.zeros(100, bool)).mag
    with pytest.raises(InputError, match="has ks; calibrating extinction takes Ks and at least"):
        read(Catalogue(np.full(100, 5.5), mag, ("ks",)))
    few = observations(np.linspace(10.0, 15.0, 100), np.arange(100) < 20).mag
    with pytest.raises(InputError, match=f"18 stars have Ks and J or H: .* least {LEAST_STARS}"):
        read(Catalogue(np.full(100, 5.5), few))


def test_many_cells_have_fewer_stars_each(read, monkeypatch):
    """What learning costs has a limit, which is a part of the list where the list is large."""
    monkeypatch.setattr(module, "MOST_FIRST", 40)
    found = read(catalogue(400), stars_per_cell=100)
    assert np.bincount(found.cell[found.first]).max() == 20
    monkeypatch.setattr(module, "LEAST_PART", 4)
    more = read(catalogue(400), stars_per_cell=100)
    assert np.bincount(more.cell[more.first]).max() > 30
