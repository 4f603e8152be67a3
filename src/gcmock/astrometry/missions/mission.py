"""Missions as data: windows, instruments, seasons and error models, validated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

import gcmock.data
from gcmock.errors import InputError
from gcmock.settings.base import Section, override, to_toml, validated
from gcmock.settings.mission import (
    Attitude,
    Centroid,
    EpochError,
    Exposures,
    FocalPlane,
    InputCatalogue,
    InstrumentEffects,
    MissionCalibration,
    MissionDirections,
    MissionMagnitudes,
    MissionWindow,
    Outliers,
    Reference,
    Schedule,
    SolvedTerms,
)
from gcmock.settings.name_or_path import is_path, unknown_name
from gcmock.settings.toml_file import parse_toml, read_toml


def mission_names() -> tuple[str, ...]:
    """Return the names of the missions that come with the package: the files of its folder.

    Returns
    -------
    tuple of str
        In the order of the alphabet.
    """
    folder = files(gcmock.data).joinpath("missions")
    names = (Path(one.name) for one in folder.iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".toml"))


class Mission(Section):
    """All settings of a mission.

    The sections up to `centroid` exist for every mission whose observations can be simulated; the
    others have a window, a band and an error of one epoch.
    """

    name: str = Field(description="Name")
    title: str = Field(default="", description="What it is")
    window: MissionWindow
    magnitudes: MissionMagnitudes
    directions: MissionDirections = Field(default_factory=MissionDirections)
    focal_plane: FocalPlane | None = None
    exposures: Exposures | None = None
    schedule: Schedule | None = None
    centroid: Centroid | None = None
    attitude: Attitude | None = None
    calibration: MissionCalibration | None = None
    outliers: Outliers = Field(default_factory=Outliers)
    effects: InstrumentEffects = Field(default_factory=InstrumentEffects)
    terms: SolvedTerms = Field(default_factory=SolvedTerms)
    reference: Reference | None = None
    input_catalogue: InputCatalogue | None = None
    epoch_error: EpochError | None = None

    @property
    def can_observe(self) -> bool:
        """Whether observations of this mission can be simulated."""
        try:
            self.observable()
        except InputError:
            return False
        return True

    def observable(self) -> ObservableMission:
        """Return the same mission, with everything that its observations need.

        Raises
        ------
        InputError
            If it lacks an instrument, a schedule, a rectangular window, or limits in Hw.
        """
        try:
            return ObservableMission.model_validate(self.model_dump())
        except ValidationError as error:
            raise InputError(
                f"mission {self.name} cannot be observed: that needs an instrument and a schedule, "
                "as jasmine has them, a rectangular window and limits in Hw; gcmock export "
                f"--mission {self.name} writes its catalogue"
            ) from error

    def to_toml(self) -> str:
        """Return all settings as TOML that `load_mission` reads back to the same settings."""
        return to_toml(self, comments=False)


class _Rectangle(MissionWindow):
    """A rectangle in Galactic coordinates."""

    l_deg: tuple[float, float]
    b_deg: tuple[float, float]


class _LimitsInHw(MissionMagnitudes):
    """Limits of a mission that observes in Hw."""

    band: Literal["hw"]


class ObservableMission(Mission):
    """A mission with an instrument and a schedule, whose observations can be simulated."""

    window: _Rectangle
    magnitudes: _LimitsInHw
    focal_plane: FocalPlane
    exposures: Exposures
    schedule: Schedule
    centroid: Centroid
    attitude: Attitude
    calibration: MissionCalibration
    reference: Reference
    input_catalogue: InputCatalogue


def mission_path(name: str) -> Path:
    """Path of the file of a mission that comes with the package.

    Raises
    ------
    InputError
        If there is no such mission; the known ones are listed.
    """
    if name not in mission_names():
        raise InputError(unknown_name("mission", name, mission_names()))
    return Path(str(files(gcmock.data).joinpath("missions", f"{name}.toml")))


def load_mission(
    name: str | Path = "jasmine",
    config: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Mission:
    """Load a mission.

    Parameters
    ----------
    name : str or Path
        One of `mission_names`, or a complete mission file (a Path, or text that ends in ``.toml``).
    config : str or Path, optional
        A TOML file with keys that differ from those of the mission.
    overrides : mapping of str to value, optional
        Keys that win over both, with dots: ``{"schedule.visits": 400}``. None means "not given".

    Returns
    -------
    Mission

    Raises
    ------
    InputError
        If the mission is unknown, a file cannot be read, or a key is unknown or out of range.
    """
    own = is_path(name)
    path = Path(name) if own else mission_path(str(name))
    source = str(path) if own else f"mission {name}"
    values = read_toml(path)
    if config is not None:
        source = str(config)
        override(values, read_toml(Path(config)))
    override(values, overrides)
    return validated(Mission, values, source)


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Return settings given as ``section.key=value``; a value is TOML, or text.

    Raises
    ------
    InputError
        If there is no key or no value.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(f"--set {text}: write section.key=value, such as schedule.visits=400")
        try:
            settings[key.strip()] = parse_toml(f"value = {value}")["value"]
        except (ValueError, KeyError):
            settings[key.strip()] = value.strip()
    return settings
