"""The first look at a catalogue: its window, and the usual evidence of its stars."""

from __future__ import annotations

import numpy as np
import pytest
from mock_rows import Rows, extent_of, mock_rows

from gcmock.errors import InputError
from gcmock.reporting.page import extent as module
from gcmock.reporting.page.extent import BLOCK, MOST_CELLS, STEPS, evidence_place, look


@pytest.mark.parametrize("width", [0.0, 0.02, 0.7, 3.0, 40.0])
def test_cells_cover_the_window_on_the_raster(width):
    l_deg = np.array([359.9, 359.9 + width])
    extent = extent_of(mock_rows(["bar", "nsd"], l=l_deg, b=[-0.13, 0.011]))
    for axis, values in zip(extent.sky, ([-0.1, -0.1 + width], [-0.13, 0.011]), strict=True):
        assert axis.step in STEPS
        assert axis.n % BLOCK == 0
        assert axis.n <= MOST_CELLS + BLOCK
        assert axis.low / axis.step == pytest.approx(round(axis.low / axis.step), abs=1e-6)
        assert (axis.place(np.array(values)) < axis.n).all()


def test_usual_evidence_is_the_mean_of_similar_stars():
    rows = mock_rows(
        ["bar"] * 6,
        realisation=[0, 0, 1, 0, 0, 0],
        n_bands=[3, 3, 3, 2, 3, 3],
        phot_ks_mag=[12.1, 12.4, 12.2, 12.1, 12.6, 12.3],
        log_evidence=[4.0, 6.0, 100.0, 9.0, 1.0, np.nan],
    )
    extent = extent_of(rows)
    usual = extent.usual_evidence
    # The second realisation repeats a star; what is not finite says nothing.
    assert usual[3, 24] == 5.0
    assert usual[2, 24] == 9.0
    assert usual[3, 25] == 1.0
    assert np.isfinite(usual).sum() == 3
    assert (extent.n_row, extent.n_realisation) == (6, 2)


def test_stars_outside_the_magnitudes_have_no_bin():
    n_bands, mag = np.array([3, 3, 7]), np.array([29.9, 30.0, 12.0])
    np.testing.assert_array_equal(evidence_place(n_bands, mag), [3 * 60 + 59, 360, 360])


def test_progress_counts_rows():
    told = []
    look(Rows(mock_rows(["bar"] * 5)), lambda done, total: told.append((done, total)))
    assert told == [(5, 5)]


def test_chunk_without_positions_is_passed_over(monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    extent = extent_of(mock_rows(["bar"] * 4, l=[np.nan, np.nan, 0.1, 0.2], b=0.0))
    assert (extent.sky[0].place([0.1, 0.2]) < extent.sky[0].n).all()
    assert extent.n_row == 4


def test_other_tables_are_refused():
    with pytest.raises(InputError, match="rows: no mock catalogue: it lacks b, realisation"):
        look(Rows({name: [0.0] for name in ("l", "phot_ks_mag", "log_evidence", "n_bands")}))
    with pytest.raises(InputError, match="rows: the table has no rows with a position"):
        look(Rows(mock_rows(["bar"], l=np.nan)))
    with pytest.raises(InputError, match="no rows with a position"):
        look(Rows(mock_rows(np.zeros(0, "U3"))))
