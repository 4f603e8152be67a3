"""Missions as data: settings, windows, detectors, errors, seasons, pointings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord, get_sun
from astropy.time import Time

from gcmock.astrometry.directions.ephemeris import CircularOrbit
from gcmock.astrometry.directions.geometry import field_coordinates, triad
from gcmock.astrometry.missions.field import field_of, in_window
from gcmock.astrometry.missions.focal_plane import (
    detector_at,
    detector_grid,
    exposure_error,
    visit_error,
)
from gcmock.astrometry.missions.mission import (
    load_mission,
    mission_names,
    mission_path,
    parse_settings,
)
from gcmock.astrometry.observations import schedule
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.settings.mission import MissionWindow

JASMINE = load_mission("jasmine")
GRID = detector_grid(JASMINE.focal_plane)


@pytest.mark.parametrize("name", mission_names())
def test_missions_round_trip_through_toml(tmp_path, name):
    mission = load_mission(name)
    (tmp_path / "mission.toml").write_text(mission.to_toml())
    assert load_mission(tmp_path / "mission.toml") == mission


@pytest.mark.parametrize("name", mission_names())
def test_every_value_has_a_source_or_is_called_assumed(name):
    for number, line in enumerate(mission_path(name).read_text().splitlines(), 1):
        if " = " in line.partition("#")[0] and not line.startswith(("name", "title", " ", "[")):
            key = line.partition(" = ")[0]
            documented = "#" in line or key in {"band", "fraction", "mag_ref", "correlations"}
            assert documented, f"{name}.toml:{number}: {line}"


BAD_SETTINGS = {
    "key": ({"schedule.visit": 3}, r"\[schedule\] visit: unknown key; did you mean 'visits'"),
    "section": ({"shedule.visits": 3}, r"\[shedule\]: unknown section; did you mean 'schedule'"),
    "range": ({"schedule.years": -1}, r"\[schedule\] years = -1: expected greater than 0"),
    "kind": ({"schedule.years": "long"}, r"\[schedule\] years = 'long': expected a valid number"),
    "order": ({"window.l_deg": [1.0, 0.0]}, "smaller value first"),
    "magnitudes": ({"magnitudes.bright": 15.0}, "bright must be smaller than faint"),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_bad_settings_are_named(case):
    settings, words = BAD_SETTINGS[case]
    with pytest.raises(InputError, match=words):
        load_mission("jasmine", overrides=settings)


def test_config_files_and_overrides(tmp_path):
    config = tmp_path / "m.toml"
    config.write_text("[schedule]\nvisits = 12\n[calibration]\ndegree = 2\n")
    mission = load_mission("jasmine", config, {"schedule.visits": 13, "schedule.seasons": None})
    assert (mission.schedule.visits, mission.calibration.degree) == (13, 2)
    assert mission.schedule.years == JASMINE.schedule.years
    config.write_text("[schedule\n")
    with pytest.raises(InputError, match="not valid TOML"):
        load_mission("jasmine", config)
    with pytest.raises(InputError, match="cannot be read"):
        load_mission("jasmine", Path("missing.toml"))
    assert parse_settings(["a.b=3", "c.d=text", "e=[1, 2]"]) == {
        "a.b": 3,
        "c.d": "text",
        "e": [1, 2],
    }
    with pytest.raises(InputError, match=r"write section\.key=value"):
        parse_settings(["visits"])


def test_a_file_is_a_mission(tmp_path):
    (tmp_path / "own.toml").write_text(JASMINE.to_toml().replace('"jasmine"', '"own"'))
    assert load_mission(str(tmp_path / "own.toml")).name == "own"
    (tmp_path / "empty.toml").write_text('name = "x"\n')
    with pytest.raises(InputError, match=r"\[window\]: is missing"):
        load_mission(tmp_path / "empty.toml")


def test_unknown_missions_are_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"one of gaianir, jasmine.*did you mean 'jasmine'"):
        load_mission("jasmin")


# jasmine-etc get_sigexp, evaluated independently.
@pytest.mark.parametrize(
    ("hw", "sigma"),
    [(9.5, 2.25), (11.0, 2.61), (12.5, 3.84), (13.5, 5.97), (14.5, 10.80), (15.0, 15.3)],
)
def test_centroid_error_of_one_exposure(hw, sigma):
    flat, photon = exposure_error(hw, JASMINE.centroid, JASMINE.exposures.exposure_s)
    assert flat == pytest.approx(2.126, abs=1e-3)
    assert np.hypot(flat, photon) == pytest.approx(sigma, rel=3e-3)


def test_the_floor_of_the_flat_field_is_a_choice():
    flat, photon = exposure_error(12.5, JASMINE.centroid, 12.5)
    assert visit_error(12.5, JASMINE.centroid, 12.5, 44) == pytest.approx(
        np.sqrt(flat**2 + photon**2 / 44)
    )
    averaged = load_mission(overrides={"centroid.flat_floor": "per_exposure"}).centroid
    assert visit_error(12.5, averaged, 12.5, 44) == pytest.approx(3.84 / np.sqrt(44), rel=1e-3)
    further = load_mission(overrides={"centroid.floor_mas": 3.0}).centroid
    assert visit_error(9.5, further, 12.5, 44) == pytest.approx(np.hypot(2.129, 3.0), rel=1e-3)


def test_detectors():
    assert np.degrees(2 * GRID.half_field) == pytest.approx(0.555, abs=1e-3)
    # The gap between the active parts, and the whole active area.
    pixel = 10e-6 / 4.3704
    gap = GRID.separation - 1952 * pixel
    assert np.degrees(gap) == pytest.approx(0.043, abs=1e-3)
    assert 4 * np.degrees(1952 * pixel) ** 2 == pytest.approx(0.262, abs=1e-3)
    edge = 0.5 * GRID.separation + GRID.half_size
    inner = 0.5 * GRID.separation - GRID.half_size
    x = np.array([inner + 1e-9, inner - 1e-9, edge - 1e-9, edge + 1e-9, 0.0, 5 * edge])
    assert detector_at(x, np.full(6, edge - 1e-6), *GRID[:4]).tolist() == [3, -1, 3, -1, -1, -1]
    corners = [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    centre = 0.5 * GRID.separation
    assert [detector_at(i * centre, j * centre, *GRID[:4]) for i, j in corners] == [0, 1, 2, 3]


def test_borders_of_the_window_are_inside():
    l_deg = np.array([-1.4, 0.7, -1.4001, 0.7001, 0.0, 0.0, 0.0, 180.0])
    b_deg = np.array([0.6, -0.6, 0.0, 0.0, 0.6001, -0.6001, 0.0, 0.0])
    found = in_window(JASMINE.window, *galactic_to_icrs(l_deg, b_deg))
    assert found.tolist() == [True, True, False, False, False, False, True, False]
    assert in_window(MissionWindow(), *galactic_to_icrs(l_deg, b_deg)).all()


def test_fields_of_roman():
    window = load_mission("roman-gbtds").window
    assert len(window.fields) == 7
    l0, b0 = window.fields[3]
    l_deg, b_deg = np.array([l0, l0 + 0.2, l0 + 0.3, 0.0]), np.array([b0, b0 + 0.39, b0, 0.3])
    found = field_of(window, l_deg, b_deg)
    assert found[:2].tolist() == [3, 3]
    assert found[3] == -1
    recommended = load_mission("roman-gbtds-2025").window
    assert field_of(recommended, np.zeros(1), np.full(1, -0.125)).tolist() == [5]


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


def test_missions_that_can_be_observed_lack_nothing():
    found = JASMINE.observable()
    assert found.to_toml() == JASMINE.to_toml()
    assert found.schedule == JASMINE.schedule
    assert JASMINE.can_observe
    for mission in (
        load_mission("roman-gbtds"),
        JASMINE.model_copy(update={"schedule": None}),
        load_mission(overrides={"magnitudes.band": "f146"}),
    ):
        assert not mission.can_observe
        with pytest.raises(InputError, match="cannot be observed: that needs an instrument"):
            mission.observable()
