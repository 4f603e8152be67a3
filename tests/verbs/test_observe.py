"""observe: options become settings of the mission; errors before anything is simulated."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import pytest
from astropy.table import Table

import gcmock
from gcmock.astrometry.observations import observe as module
from gcmock.errors import InputError


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Calls of what simulates the visits."""
    calls: list[dict] = []

    def stand_in(mock, output, mission, **options):
        calls.append({"mock": mock, "output": output, "mission": mission} | options)
        return "seen"

    monkeypatch.setattr(module, "observe", stand_in)
    return calls


def test_defaults_are_those_of_the_mission(simulated) -> None:
    assert gcmock.observe("m.fits", "out") == "seen"
    (call,) = simulated
    mission = call.pop("mission")
    assert (mission.name, mission.schedule.visits, mission.directions.aberration) == (
        "jasmine", 0, False,
    )  # fmt: skip
    assert call == {
        "mock": Path("m.fits"), "output": Path("out"), "seed": 1, "realisation": 0,
        "noise": True, "overwrite": False, "progress": None,
    }  # fmt: skip


def test_options_win_over_set_and_set_over_settings(simulated) -> None:
    gcmock.observe(
        "m.fits",
        "out",
        config={"schedule": {"visits": 1, "seasons": 1, "years": 2.0}},
        set=["schedule.visits=2", "schedule.seasons=2"],
        visits=3,
        faint=14 * u.mag,
        primaries_max=12,
        aberration=True,
        noise_free=True,
        seed=7,
    )
    (call,) = simulated
    schedule = call["mission"].schedule
    assert (schedule.visits, schedule.seasons, schedule.years) == (3, 2, 2.0)
    magnitudes = call["mission"].magnitudes
    assert (magnitudes.faint, magnitudes.primaries) == (14.0, 12.0)
    directions = call["mission"].directions
    assert (directions.aberration, directions.deflection) == (True, False)
    assert (call["noise"], call["seed"]) == (False, 7)


def test_tables_in_memory_are_written_for_the_time_of_the_run(simulated) -> None:
    gcmock.observe(Table({"ra": [1.0]}), "out")
    path = simulated[0]["mock"]
    assert path.name == "mock-in-memory.parquet"
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"faint": "all"}, "faint = 'all': expected one number in mag"),
        ({"primaries_max": 3 * u.m}, "primaries_max = .*: expected one number in mag"),
        ({"set": {"schedule.visit": 3}}, r"\[schedule\] visit: unknown key; did you mean 'visits'"),
        ({"visits": -1}, "visits = -1: expected greater than or equal to 0"),
        ({"mission": "jasmin"}, "unknown mission 'jasmin'.*did you mean 'jasmine'"),
    ],
)
def test_wrong_options(simulated, options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        gcmock.observe("m.fits", "out", **options)
    assert simulated == []


def test_a_mission_without_a_schedule_cannot_be_observed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mission gaianir cannot be observed"):
        gcmock.observe(Table({"ra": [1.0]}), tmp_path / "out", mission="gaianir")


def test_there_is_one_realisation_without_the_column(tmp_path: Path, truth) -> None:
    words = "has no column realisation, so there is only realisation 0"
    with pytest.raises(InputError, match=words):
        gcmock.observe(truth, tmp_path / "out", realisation=3)
