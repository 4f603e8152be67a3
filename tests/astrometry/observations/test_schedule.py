"""Seasons, visits, calibration blocks, pointings, true attitude."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord, get_sun
from astropy.time import Time

from gcmock.astrometry.directions.ephemeris import CircularOrbit
from gcmock.astrometry.directions.geometry import field_coordinates, triad
from gcmock.astrometry.missions.focal_plane import detector_at, detector_grid
from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations import schedule
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.settings.mission import MissionWindow

JASMINE = load_mission("jasmine")
GRID = detector_grid(JASMINE.focal_plane)


def test_blocks_begin_anew_with_every_season():
    time = np.array([2032.0, 2032.0 + 9.9 / 365.25, 2032.0 + 10.1 / 365.25, 2032.5, 2032.505])
    season = np.array([0, 0, 0, 2, 2])
    assert schedule.blocks(time, season, 10.0).tolist() == [0, 0, 1, 2, 2]
    # Intervals without visits have no number.
    assert schedule.blocks(time, season, 3.0).tolist() == [0, 1, 1, 2, 2]
    assert schedule.blocks(time, season, 1e4).tolist() == [0, 0, 0, 1, 1]


def test_cells_cover_the_window():
    window = MissionWindow(l_deg=(-1.0, 0.0), b_deg=(0.0, 0.3))
    l_deg, b_deg = schedule._cells(window, 0.1)
    assert len(l_deg) == 30
    np.testing.assert_allclose(np.unique(l_deg.round(9)), -0.95 + 0.1 * np.arange(10))
    np.testing.assert_allclose(np.unique(b_deg.round(9)), [0.05, 0.15, 0.25])


def test_margins_are_at_most_half_of_the_range():
    assert schedule._shrunk((-1.0, 1.0), 0.25) == (-0.75, 0.75)
    assert schedule._shrunk((-1.0, 1.0), 5.0) == (0.0, 0.0)


def test_places_are_moved_into_the_rectangle():
    ra, dec = galactic_to_icrs(np.array([0.5, -3.0]), np.array([0.2, 9.0]))
    found = [schedule._inside(a, d, (-1.0, 1.0), (-0.5, 0.5)) for a, d in zip(ra, dec, strict=True)]
    expected = galactic_to_icrs(np.array([0.5, -1.0]), np.array([0.2, 0.5]))
    np.testing.assert_allclose(np.array(found).T, expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore:ERFA function")
def test_seasons_follow_from_the_angle_of_the_sun():
    spans = schedule.seasons(JASMINE.schedule)
    assert len(spans) == 6
    dates = [[t.strftime("%d %b") for t in Time(row, format="jyear")] for row in spans[:2]]
    assert dates == [["01 Feb", "02 May"], ["03 Aug", "04 Nov"]]
    target = SkyCoord(-0.35, 0.0, frame="galactic", unit="deg").icrs
    for time in (spans[0, 0], spans[0, 1], spans[3, 0], spans[3, 1]):
        # Geocentric axes are parallel to those of the ICRS.
        sun = get_sun(Time(time, format="jyear", scale="tcb")).cartesian.xyz.value
        cosine = sun @ target.cartesian.xyz.value / np.sqrt((sun**2).sum())
        angle = np.degrees(np.arccos(cosine))
        assert min(abs(angle - 45.0), abs(angle - 135.0)) < 0.1
    assert len(schedule.seasons(JASMINE.schedule.model_copy(update={"seasons": 2}))) == 2
    never = load_mission(overrides={"schedule.sun_angle_deg": [178.0, 179.0]})
    with pytest.raises(InputError, match="never 178 to 179 deg"):
        schedule.visit_times(never)


def test_visits_lie_in_the_observing_half_of_the_orbit():
    time, season = schedule.visit_times(JASMINE)
    # 183 d in 3 yr, 14.9 orbits a day, 4 fields: 32,700 visits.
    assert len(time) == pytest.approx(32_700, rel=0.01)
    assert (np.diff(time) > 0).all()
    assert set(season) == set(range(6))
    spans = schedule.seasons(JASMINE.schedule)
    assert ((time >= spans[season, 0]) & (time <= spans[season, 1])).all()
    position, _ = CircularOrbit(600.0, 6.0)(time)
    target = np.array(triad(*galactic_to_icrs(-0.35, 0.0))[6:]).ravel()
    assert (position @ target > 0).all()


def test_fewer_visits_cover_the_same_time():
    few, season = schedule.visit_times(load_mission(overrides={"schedule.visits": 120}))
    assert len(few) == 120
    assert np.bincount(season).tolist() == pytest.approx([20] * 6, abs=1)
    with pytest.raises(InputError, match="room for"):
        schedule.visit_times(load_mission(overrides={"schedule.visits": 100_000}))


@pytest.fixture(scope="module")
def plan():
    mission = load_mission(overrides={"schedule.visits": 600, "calibration.block_days": 10.0})
    return mission, schedule.plan_visits(mission, 1)


def test_pointings_cover_the_window_evenly(plan):
    mission, visits = plan
    l_deg, b_deg = schedule._cells(mission.window, 0.05)
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    seen = np.zeros(len(ra))
    for attitude in zip(visits.ra, visits.dec, visits.roll, strict=True):
        x, y, *_ = field_coordinates(ra, dec, 0.0, 0.0, 0.0, *attitude)
        seen += detector_at(x, y, *GRID[:4]) >= 0
    # 0.26 of 2.52 square degrees if no field reached beyond the window.
    assert 0.75 < seen.mean() / 600 / (0.26 / 2.52) < 1.0
    assert seen.min() > 0.3 * seen.mean()
    assert seen.std() < 0.3 * seen.mean()


def test_every_second_visit_is_shifted_by_half_a_field(plan):
    _, visits = plan
    for i in (1, 3, 5, 7):
        x, y, *_ = field_coordinates(
            visits.ra[i], visits.dec[i], 0, 0, 0, visits.ra[i - 1], visits.dec[i - 1],
            visits.roll[i],
        )  # fmt: skip
        shift = sorted(np.abs([x, y]) / GRID.half_field)
        assert shift[0] < 0.01 or shift[1] < 1.0  # unless cut at the border of the window
        assert shift[1] <= 1.01


def test_the_sun_is_on_the_side_of_x(plan):
    _, visits = plan
    sun = schedule.sun_position_angle(visits.time, *galactic_to_icrs(-0.35, 0.0))
    off = (visits.roll + 90.0 - sun + 180.0) % 360.0 - 180.0
    assert np.abs(off).max() <= np.degrees(0.17) + 1e-9
    assert np.abs(off).max() > 0.9 * np.degrees(0.17)


def test_blocks_are_spans_of_days(plan):
    _, visits = plan
    assert (np.diff(visits.block) >= 0).all()
    assert set(visits.block) == set(range(visits.block.max() + 1))
    for block in np.unique(visits.block):
        inside = visits.block == block
        assert np.ptp(visits.time[inside]) * 365.25 <= 10.0
        assert len(set(visits.season[inside])) == 1


@pytest.mark.slow
def test_plans_depend_on_the_seed_alone(plan):
    mission, visits = plan
    again = schedule.plan_visits(mission, 1)
    assert all((a == b).all() for a, b in zip(visits, again, strict=True))
    assert (schedule.plan_visits(mission, 2).ra != visits.ra).any()


def test_true_attitude_scatters_as_stated(plan):
    mission, visits = plan
    ra, dec, roll = schedule.true_attitude(visits, mission.attitude, 1)
    assert (dec - visits.dec).std() * 3.6e6 == pytest.approx(100.0, rel=0.1)
    east = (ra - visits.ra) * np.cos(np.radians(dec))
    assert east.std() * 3.6e6 == pytest.approx(100.0, rel=0.1)
    # The meridians turn by d(ra) sin(dec) as well: 0.05 arcsec.
    turn = (roll - visits.roll + 180.0) % 360.0 - 180.0
    assert turn.std() * 3600 == pytest.approx(10.0, rel=0.1)
