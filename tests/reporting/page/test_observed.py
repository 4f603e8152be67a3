"""The observed stars of a catalogue: cleaned as a build does, counted like the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from mock_rows import Rows, extent_of, mock_rows

from gcmock.reporting.page import observed as module
from gcmock.reporting.page.observed import ObservedTally, observed_stars
from gcmock.reporting.page.tally import BRIGHTNESS, COLOUR, DIAGRAMS, MAGNITUDE
from gcmock.settings.build import load_config
from gcmock.words.bands import BANDS


@pytest.fixture
def table():
    return {
        "l": np.array([359.99, 0.01, 0.02, 0.3]),
        "b": np.array([-0.01, 0.01, 0.02, 0.2]),
        "phot_h_mag": np.array([13.27, 14.25, np.nan, 15.25]),
        "phot_ks_mag": np.array([12.05, 12.05, 12.65, 12.65]),
        "phot_ks_mag_error": np.array([0.03, 0.03, 0.03, 0.03]),
    }


def test_counts_by_hand(table):
    catalogue = mock_rows(["bar", "bar"], l=[359.98, 0.03], b=[-0.03, 0.03])
    tally = ObservedTally(extent_of(catalogue))
    for stars in observed_stars(Rows(table), load_config()):
        tally.add(stars)
    assert tally.n_star == 4
    assert tally.bands == {"j": 0, "h": 3, "ks": 4, "hw": 0}
    # The fourth star lies beyond the maps of the catalogue, and is counted all the same.
    assert tally.sky.sum() == 3
    l_axis, b_axis = tally.extent.sky
    place = l_axis.place([-0.01])[0], b_axis.place([-0.01])[0]
    assert tally.sky[place] == 1
    ks = tally.magnitudes[BANDS.index("ks")]
    assert ks[MAGNITUDE.place(12.05)] == 2
    assert ks[MAGNITUDE.place(12.65)] == 2
    diagram = tally.diagrams[DIAGRAMS.index(("h", "ks", "ks"))]
    assert diagram.sum() == 3
    assert diagram[COLOUR.place(1.22), BRIGHTNESS.place(12.05)] == 1
    assert tally.colours.sum() == 0


def test_rows_without_names_are_numbered_across_chunks(table, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 3)
    told = []
    parts = list(observed_stars(Rows(table), load_config(), lambda *n: told.append(n)))
    assert [part.n_star for part in parts] == [3, 1]
    assert np.concatenate([part.source_id for part in parts]).tolist() == [0, 1, 2, 3]
    assert told == [(3, 4), (4, 4)]


def test_own_names_are_kept(table, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    named = {"source_id": np.array([40, 30, 20, 10]), **table}
    parts = list(observed_stars(Rows(named), load_config()))
    assert np.concatenate([part.source_id for part in parts]).tolist() == [40, 30, 20, 10]
