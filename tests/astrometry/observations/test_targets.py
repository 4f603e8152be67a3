"""The true stars that a mission observes."""

from __future__ import annotations

import numpy as np
import pytest
from catalogues import true_stars, write_catalogue

from gcmock.astrometry.missions.field import in_mission_window
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations import targets
from gcmock.astrometry.observations.targets import read_targets
from gcmock.errors import InputError
from gcmock.stars.gaia import gaia_g_mag

MISSION = load_mission("jasmine")


def read(tmp_path, realisation=0, mission=MISSION, **columns):
    stars = true_stars(40, **columns)
    path = write_catalogue(tmp_path / "mock.parquet", stars)
    return stars, read_targets(path, mission, realisation)


@pytest.mark.parametrize("rows", [7, 1000])
def test_stars_of_the_window_and_the_limits(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(targets, "_READ_ROWS", rows)
    hw = np.linspace(9.0, 15.0, 40)
    stars, found = read(tmp_path, phot_hw_mag=hw, ra=true_stars(40)["ra"] + np.arange(40) % 3)
    keep = in_mission_window(MISSION.window, stars["ra"], stars["dec"]) & (hw >= 9.5) & (hw <= 14.5)
    assert 0 < keep.sum() < 40
    rows = np.flatnonzero(keep)[np.argsort(stars["source_id"][keep])]
    np.testing.assert_array_equal(found.source_id, stars["source_id"][rows])
    np.testing.assert_array_equal(found.hw, hw[rows])
    for name in found.stars._fields:
        np.testing.assert_array_equal(getattr(found.stars, name), stars[name][rows])
    g_mag = gaia_g_mag(stars["phot_j_mag"], stars["phot_ks_mag"])[rows]
    np.testing.assert_array_equal(found.g_mag, g_mag)


def test_some_of_them(tmp_path):
    _, found = read(tmp_path)
    some = found.take(np.array([3, 1]))
    assert some.source_id.tolist() == found.source_id[[3, 1]].tolist()
    assert some.stars.parallax.tolist() == found.stars.parallax[[3, 1]].tolist()
    assert some.hw.tolist() == found.hw[[3, 1]].tolist()


def test_reasons_why_nothing_is_observed(tmp_path):
    with pytest.raises(InputError, match="nothing to observe: it has no star of realisation 5"):
        read(tmp_path, 5)
    (tmp_path / "mock.parquet").unlink()
    with pytest.raises(InputError, match="none of its 40 stars is in the window of jasmine"):
        read(tmp_path, ra=np.full(40, 10.0))
    (tmp_path / "mock.parquet").unlink()
    with pytest.raises(InputError, match=r"in the window of jasmine has Hw between 9\.5 and 14\.5"):
        read(tmp_path, phot_hw_mag=np.full(40, 20.0))


def test_identifiers_occur_once(tmp_path):
    with pytest.raises(InputError, match="a source_id occurs more than once in realisation 0"):
        read(tmp_path, source_id=np.zeros(40, np.int64))
