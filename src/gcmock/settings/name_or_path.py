"""Values that are a name the package knows, or the path of a TOML file of one's own.

Text that ends in ``.toml`` is a path. In a file of settings it is relative to the folder of that
file; on the command line and in Python to the working directory.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gcmock.errors import InputError


def is_path(value: str | Path) -> bool:
    """Return whether a value is the path of a file, not a name."""
    return isinstance(value, Path) or value.endswith(".toml")


def name_of(value: str | Path) -> str:
    """Return the name of a thing: the name itself, or that of its file without the suffix."""
    return Path(value).stem if is_path(value) else str(value)


def file_sha256(value: str | Path) -> str:
    """Return the checksum of the file that a value names; empty for a name.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if not is_path(value):
        return ""
    try:
        return sha256(Path(value).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{value}: cannot be read: {error.strerror}") from error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence about a name that is neither known nor a path."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return (
        f"unknown {kind} {name!r}: expected one of {', '.join(names)}, or the path of a file "
        f"that ends in .toml{hint}"
    )


def packaged_names(table: str) -> Callable[[], tuple[str, ...]]:
    """Return a function that lists the tables of a TOML file in `gcmock.data`."""

    def names() -> tuple[str, ...]:
        text = files("gcmock.data").joinpath(table).read_text(encoding="utf-8")
        return tuple(tomllib.loads(text))

    return names


def packaged_surveys() -> tuple[str, ...]:
    """List the surveys of the package: the files of a folder."""
    folder = files("gcmock.surveys").joinpath("definitions")
    names = (Path(one.name) for one in folder.iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".toml"))


@dataclass(frozen=True)
class NameOrPath:
    """Annotation of a setting: ``Annotated[str, NameOrPath(...)]``.

    Parameters
    ----------
    kind : str
        What it names, for the errors.
    known : callable
        Returns the names that there are; called when a value is checked.
    also : tuple of str
        Further values that are allowed.
    """

    kind: str
    known: Callable[[], tuple[str, ...]]
    also: tuple[str, ...] = ()

    def choices(self) -> tuple[str, ...]:
        """Return the values that are no path."""
        return (*self.also, *self.known())

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Check the value after it was found to be text."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: str) -> str:
        if not is_path(value) and value not in self.choices():
            raise ValueError(unknown_name(self.kind, value, self.choices()))
        return value


def resolve_paths(values: dict[str, Any], model: type[BaseModel], folder: Path) -> None:
    """Make the relative paths among the values of a file relative to its folder, in place.

    Parameters
    ----------
    values : dict
        Nested values, as TOML gives them, before they are checked.
    model : type
        The settings: fields that are `NameOrPath`, or sections with such fields.
    folder : Path
    """
    for name, field in model.model_fields.items():
        value = values.get(name)
        if any(isinstance(mark, NameOrPath) for mark in field.metadata):
            if isinstance(value, str) and is_path(value):
                values[name] = str(folder / Path(value).expanduser())
            continue
        section = next((a for a in _types(field.annotation) if issubclass(a, BaseModel)), None)
        for one in value if isinstance(value, list) else [value]:
            if section is not None and isinstance(one, dict):
                resolve_paths(one, section, folder)


def _types(annotation: Any) -> list[type]:
    """Return the classes in an annotation such as ``Section``, ``tuple[Section, ...]``."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        return [annotation]
    return [one for part in getattr(annotation, "__args__", ()) for one in _types(part)]


def checked_file(
    path: Path, model: type[BaseModel], values: Mapping[str, Any], where: str = ""
) -> Any:
    """Return the validated content of a file of one's own or of the package.

    Parameters
    ----------
    path : Path
        For the errors.
    model : type
        Subclass of `pydantic.BaseModel`.
    values : mapping
        As TOML gives them.
    where : str
        Name of the table in the file, if it is not the whole.

    Raises
    ------
    InputError
        One line per problem: file, key, what was given, what is expected.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as error:
        source = f"{path}{f' [{where}]' if where else ''}"
        lines = [f"{source}: {_explain(problem, model)}" for problem in error.errors()]
        raise InputError("\n".join(lines)) from error


def known_or_own(kind: str, value: str, known: Mapping[str, Any], model: type[BaseModel]) -> Any:
    """Return what a name or a path stands for, validated.

    Parameters
    ----------
    kind : str
        What it names, for the errors.
    value : str
        A key of `known`, or the path of a file with the same keys as one of its tables.
    known : mapping of str to mapping
        Tables by name.
    model : type
        Subclass of `pydantic.BaseModel`: the keys of a table.

    Raises
    ------
    InputError
        If the name is unknown, the file cannot be read, or a key is wrong.
    """
    if is_path(value):
        return checked_file(Path(value), model, read_toml(Path(value)))
    if value not in known:
        raise InputError(unknown_name(kind, value, known))
    return checked_file(Path("gcmock"), model, known[value], where=value)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error


def _explain(problem: Any, model: type[BaseModel]) -> str:
    """Turn one error of pydantic into: which key, what was given, what is expected."""
    loc = [str(p + 1) if isinstance(p, int) else str(p) for p in problem["loc"]]
    place = ".".join(loc) or "settings"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    match problem["type"]:
        case "extra_forbidden":
            names = _keys(model, problem["loc"][:-1])
            close = difflib.get_close_matches(loc[-1], names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
            return f"{place}: unknown key; {hint}"
        case "missing":
            return f"{place}: is missing"
        case "value_error":
            return f"{place}: {message}"
    return f"{place} = {problem['input']!r}: expected {message}"


def _keys(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """Return the keys of the section at a place."""
    for key in place:
        if isinstance(key, int) or key not in _names(model):
            continue
        field = _names(model)[key]
        model = next((a for a in _types(field.annotation) if issubclass(a, BaseModel)), model)
    return list(_names(model))


def _names(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
