"""The settings of a verb: a file, a mapping or an object, changed by sections and options."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gcmock.errors import InputError
from gcmock.settings.build import Config, load_config
from gcmock.verbs.given import Location, is_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcmock.astrometry.missions.mission import Mission

Settings: TypeAlias = Location | Mapping[str, Any] | Config | None


def settings_of(
    verb: Callable[..., Any],
    config: Settings,
    sections: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
) -> Config:
    """Return the settings of a run.

    Parameters
    ----------
    verb : callable
        The verb, for messages.
    config : str, Path, mapping or Config, optional
        A TOML file, or its content; the defaults if not given.
    sections : mapping of str to mapping
        Sections that win over `config`: ``{"run": {"seed": 2}}``. Values may be Quantities.
    options : mapping of str to object, optional
        Keys with dots that win over both: ``{"run.seed": 3}``. None means "not given".

    Returns
    -------
    Config

    Raises
    ------
    InputError
        If the file cannot be read, or a section or a setting is unknown or wrong.
    """
    check_sections(verb, sections, Config.model_fields)
    changes: dict[str, Any] = {}
    for section, values in sections.items():
        changes |= {f"{section}.{key}": _plain(value) for key, value in values.items()}
    changes |= {key: value for key, value in (options or {}).items() if value is not None}
    if isinstance(config, Config):
        if not any(value is not None for value in changes.values()):
            return config
        return load_config(None, {**config.model_dump(), **changes})
    if isinstance(config, Mapping):
        return load_config(None, {**_plain(config), **changes})
    return load_config(path_of_settings(config), changes)


def path_of_settings(config: Any) -> Path | None:
    """Return the path of a file with settings.

    Raises
    ------
    InputError
        If it is something else.
    """
    if config is None or is_path(config):
        return None if config is None else Path(config)
    raise InputError(
        f"config: expected a TOML file, a mapping of sections or settings of gcmock, got "
        f"{type(config).__name__}"
    )


def check_sections(
    verb: Callable[..., Any], sections: Mapping[str, Any], known: Mapping[str, Any]
) -> None:
    """Raise an `InputError` for keywords that are neither options nor sections of settings."""
    options = [
        name
        for name, parameter in signature(verb).parameters.items()
        if parameter.kind is not Parameter.VAR_KEYWORD
    ]
    for name, values in sections.items():
        if name not in known:
            close = difflib.get_close_matches(name, [*options, *known], n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"options: {', '.join(options)}"
            raise InputError(
                f"gcmock.{verb.__name__} has no option {name!r}; {hint} Sections of settings: "
                f"{', '.join(known)}"
            )
        if not isinstance(values, Mapping):
            raise InputError(
                f"{name} = {values!r}: expected the keys of the section [{name}], such as "
                f"{name}={{...}}"
            )


def _plain(value: Any) -> Any:
    """Return settings in which Quantities are texts with a unit, as in a file."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if hasattr(value, "unit") and hasattr(value, "to_value"):
        return f"{float(value.value)!r} {value.unit}"
    return str(value) if isinstance(value, Path) else value


def mission_of(
    mission: Location | Mission,
    config: Location | Mapping[str, Any] | None,
    set: Mapping[str, Any] | Sequence[str] | None,
    options: Mapping[str, Any] | None = None,
) -> Mission:
    """Return a mission with its settings.

    Parameters
    ----------
    mission : str, Path or Mission
        A name, a file, or a mission that is loaded.
    config : str, Path or mapping, optional
        Settings that differ.
    set : mapping or sequence of str, optional
        Settings with dots, ``{"schedule.visits": 400}`` or ``["schedule.visits=400"]``.
    options : mapping, optional
        The same, of options that have a name; None means "not given".

    Returns
    -------
    Mission

    Raises
    ------
    InputError
        If the mission or a setting is unknown or wrong.
    """
    from gcmock.astrometry.missions.mission import Mission, load_mission, parse_settings

    given = dict(set) if isinstance(set, Mapping) else parse_settings(set or [])
    given |= {key: value for key, value in (options or {}).items() if value is not None}
    if isinstance(config, Mapping):
        given = {**config, **given}
        config = None
    given = _plain(given)
    if not isinstance(mission, Mission):
        return load_mission(mission, path_of_settings(config), given)
    if config is None and not given:
        return mission
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="gcmock-") as folder:
        path = Path(folder) / "mission.toml"
        path.write_text(mission.to_toml(), encoding="utf-8")
        return load_mission(path, path_of_settings(config), given)
