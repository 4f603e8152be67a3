"""Missions as data: windows, instruments, seasons and error models, validated."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

import gcmock.data
from gcmock.errors import InputError
from gcmock.settings.mission import (
    Attitude,
    Centroid,
    EpochError,
    Exposures,
    FocalPlane,
    InputCatalogue,
    MissionCalibration,
    MissionDirections,
    MissionMagnitudes,
    MissionWindow,
    Outliers,
    Reference,
    Schedule,
    Section,
)
from gcmock.settings.name_or_path import is_path, read_toml, unknown_name


def mission_names() -> tuple[str, ...]:
    """Return the names of the missions that come with the package: the files of its folder."""
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
    reference: Reference | None = None
    input_catalogue: InputCatalogue | None = None
    epoch_error: EpochError | None = None

    @property
    def can_observe(self) -> bool:
        """Whether observations of this mission can be simulated."""
        needed = (
            self.focal_plane,
            self.exposures,
            self.schedule,
            self.centroid,
            self.attitude,
            self.calibration,
            self.reference,
            self.input_catalogue,
        )
        rectangle = self.window.l_deg is not None
        return (
            rectangle and self.magnitudes.band == "hw" and all(part is not None for part in needed)
        )

    def to_toml(self) -> str:
        """Return all settings as TOML that `load_mission` reads back to the same settings."""
        values = self.model_dump(exclude_none=True)
        top = [f"{key} = {_toml(value)}" for key, value in values.items() if not _is_table(value)]
        parts = ["\n".join(top)]
        for key, value in values.items():
            if _is_table(value):
                lines = [f"{name} = {_toml(inner)}" for name, inner in value.items()]
                parts.append("\n".join([f"[{key}]", *lines]))
        return "\n\n".join(parts) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


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
        for key, value in read_toml(Path(config)).items():
            _merge(values, key, value)
    for key, value in (overrides or {}).items():
        if value is not None:
            _merge(values, key, value)
    try:
        return Mission.model_validate(values)
    except ValidationError as error:
        raise InputError("\n".join(f"{source}: {_explain(p)}" for p in error.errors())) from error


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
            settings[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = value.strip()
    return settings


def _merge(values: dict[str, Any], key: str, value: Any) -> None:
    head, _, rest = key.partition(".")
    if rest:
        section = values.setdefault(head, {})
        if isinstance(section, dict):
            _merge(section, rest, value)
        else:
            values[head] = {rest: value}
    elif isinstance(value, Mapping) and isinstance(values.get(head), dict):
        for name, inner in value.items():
            _merge(values[head], name, inner)
    else:
        values[head] = value


def _explain(problem: Any) -> str:
    """Turn one pydantic error into: where, what was given, what is allowed."""
    where = [str(part) for part in problem["loc"]]
    place = ".".join(where)
    if problem["type"] == "extra_forbidden":
        names = _keys_at(where[:-1])
        close = difflib.get_close_matches(where[-1], names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
        return f"{place}: unknown key; {hint}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if problem["type"] == "missing":
        return f"{place}: is missing"
    if problem["type"] == "value_error":
        return f"{place}: {message}"
    return f"{place} = {problem['input']!r}: expected {message}"


def _keys_at(where: list[str]) -> list[str]:
    model: Any = Mission
    for name in where:
        annotation = model.model_fields[name].annotation
        options = [a for a in getattr(annotation, "__args__", (annotation,)) if a is not type(None)]
        model = options[0]
    return list(getattr(model, "model_fields", {}))
