"""Settings as TOML text, with the descriptions of the keys as comments."""

from __future__ import annotations

import json
import textwrap
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gcmock.settings.name_or_path import NameOrPath

_COLUMNS_COMMENT: Final = (
    "# Names of columns in your file, where they differ from the names of gcmock:\n"
    '# phot_ks_mag = "Ks"'
)


def to_toml(config: BaseModel, *, comments: bool) -> str:
    """Return settings as TOML.

    Parameters
    ----------
    config : BaseModel
        Sections by name: models, or plain mappings of text to text.
    comments : bool
        Put the description and the choices of every key above it.
    """
    sections = []
    for name in type(config).model_fields:
        section = getattr(config, name)
        lines = [f"[{name}]"]
        if isinstance(section, BaseModel):
            for key, field in type(section).model_fields.items():
                if comments:
                    text = f"{field.description}{choices_of(field)}"
                    lines += textwrap.wrap(text, 95, initial_indent="# ", subsequent_indent="#   ")
                lines.append(f"{key} = {toml_value(getattr(section, key))}")
        else:
            if comments:
                lines.append(_COLUMNS_COMMENT)
            lines += [f"{key} = {toml_value(value)}" for key, value in section.items()]
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def choices_of(field: FieldInfo) -> str:
    """Return the choices of a key, for its comment; empty if it is not one of few."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    for mark in field.metadata:
        choices = mark.choices() if isinstance(mark, NameOrPath) else choices
    return ": " + " | ".join(json.dumps(choice) for choice in choices) if choices else ""


def toml_value(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, float):
        return repr(value)
    # JSON's text, numbers and booleans are valid TOML, DEL apart, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
