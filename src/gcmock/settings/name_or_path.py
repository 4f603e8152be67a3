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
from gcmock.settings.base import Settings, section_in, validated
from gcmock.settings.toml_file import read_toml


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
        from pydantic import AfterValidator

        return AfterValidator(self._checked).__get_pydantic_core_schema__(source, handler)

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
        section = section_in(field.annotation)
        for one in value if isinstance(value, list) else [value]:
            if section is not None and isinstance(one, dict):
                resolve_paths(one, section, folder)


def known_or_own(
    kind: str, value: str, known: Mapping[str, Any], model: type[Settings]
) -> Settings:
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
        return validated(model, read_toml(Path(value)), value)
    if value not in known:
        raise InputError(unknown_name(kind, value, known))
    return validated(model, known[value], f"{kind} {value}")
