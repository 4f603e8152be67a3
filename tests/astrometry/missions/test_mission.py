"""Missions as data: settings, files, what can be observed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcmock.astrometry.missions.focal_plane import (
    detector_grid,
)
from gcmock.astrometry.missions.mission import (
    load_mission,
    mission_names,
    mission_path,
    parse_settings,
)
from gcmock.errors import InputError

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
