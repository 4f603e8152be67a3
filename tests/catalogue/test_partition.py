"""Rows of a survey in cells on disk."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from survey_sources import survey_table

from gcmock.catalogue.healpix import pixel_of
from gcmock.catalogue.partition import MARGIN_ARCSEC, SourceCensus, in_sample, in_window, partition
from gcmock.errors import GcmockError
from gcmock.frames import galactic_to_icrs
from gcmock.settings.merge import MergeWindow
from gcmock.surveys.definition import load_survey

CELL_ORDER = 10


def test_windows_have_borders_and_go_over_the_centre():
    ra, dec = galactic_to_icrs(np.array([359.5, 0.5, 0.8, 0.5]), np.array([0.0, 0.0, 0.0, 0.7]))
    window = MergeWindow(l=(-1.4, 0.7), b=(-0.6, 0.6))
    np.testing.assert_array_equal(in_window(ra, dec, window), [True, True, False, False])
    np.testing.assert_array_equal(in_window(ra, dec, window, 0.15), True)
    np.testing.assert_array_equal(in_window(ra, dec, MergeWindow(b=(0.5, 90.0)))[2:], [False, True])
    nowhere = in_window(np.array([np.nan, 10.0]), np.array([0.0, 0.0]), MergeWindow())
    np.testing.assert_array_equal(nowhere, [False, True])


def test_the_sample_is_whole_pixels_and_as_large_as_asked_for():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(260, 272, 20_000), rng.uniform(-35, -23, 20_000)
    assert in_sample(ra, dec, 1).all()
    some = in_sample(ra, dec, 8)
    assert some.mean() == pytest.approx(1 / 8, abs=0.015)
    pixel = pixel_of(ra, dec, 10)
    assert not set(pixel[some].tolist()) & set(pixel[~some].tolist())


@pytest.fixture
def rows():
    """A line of sources across cells, and three rows that are in no cell."""
    x = np.append(np.arange(0.0, 600.0, 2.0), [700.0, 710.0, 720.0])
    table = survey_table("2mass", x, phot_ks_mag=12.0)
    dec = table.column("dec").to_numpy().copy()
    dec[-3:] = np.nan, 95.0, 20.0
    place = table.column_names.index("dec")
    return table.set_column(place, table.schema.field("dec"), pa.array(dec))


WINDOW = MergeWindow(b=(-10.0, 10.0))


def test_every_row_is_in_one_cell_and_in_the_margins_of_others(rows, tmp_path):
    survey, seen = load_survey("2mass"), []
    chunks = iter([rows.slice(0, 100), rows.slice(100)])
    found = partition(survey, chunks, tmp_path, WINDOW, CELL_ORDER, 1, seen.append)
    assert seen == [100, 203]
    assert found.account == {"read": 303, "no_position": 2, "outside_window": 1}
    ids = rows.column("source_id").to_pylist()[:300]
    own = pixel_of(*(rows.column(axis).to_numpy()[:300] for axis in ("ra", "dec")), CELL_ORDER)
    np.testing.assert_array_equal(found.cells, np.unique(own))
    assert len(found.cells) > 1
    for cell in found.cells.tolist():
        table, core = found.table(cell)
        here = np.array(table.column("source_id").to_pylist())
        assert sorted(here[core]) == sorted(np.array(ids)[own == cell])
        # Sources are 2 arcsec apart.
        assert 0 < (~core).sum() <= 2 * MARGIN_ARCSEC
    assert found.table(0)[0].num_rows == 0
    assert found.bright().num_rows == found.sample().num_rows == 300
    assert found.counter.state()["counts"].sum() == 300
    # What an earlier run has put there is not read again.
    again = partition(survey, iter(()), tmp_path, WINDOW, CELL_ORDER, 1)
    assert again.account == found.account
    np.testing.assert_array_equal(again.cells, found.cells)


def test_what_is_half_done_is_done_again(rows, tmp_path):
    (tmp_path / "cell-1-0000.arrow").write_bytes(b"half")
    found = partition(load_survey("2mass"), iter([rows]), tmp_path, WINDOW, CELL_ORDER, 1)
    assert found.account["read"] == 303
    assert found.table(1)[0].num_rows == 0


def test_a_folder_that_cannot_be_written(rows, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GcmockError, match="file: cannot be written: File exists"):
        partition(load_survey("2mass"), iter([rows]), tmp_path / "file", WINDOW, CELL_ORDER, 1)


def test_a_census_keeps_what_is_close_to_the_window(rows):
    census = SourceCensus(load_survey("2mass"), MergeWindow(b=(89.0, 90.0)), 1)
    assert census.add(rows).num_rows == 0
    assert census.account == {"read": 303, "no_position": 2, "outside_window": 301}
    assert census.bright == []
