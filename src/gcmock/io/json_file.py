"""JSON objects that gcmock wrote beside tables, read as something that others may have changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gcmock.errors import InputError, shown

Kinds = type | tuple[type, ...]

_MOST_BYTES: Final = 64 * 2**20
_WORDS: Final = {dict: "an object", list: "a list", str: "text", bool: "true or false"}


def read_object(path: Path, keys: Mapping[str, Kinds]) -> dict[str, Any]:
    """Read a file with one JSON object.

    Parameters
    ----------
    path : Path
    keys : mapping of str to type
        Keys that the object must have, and what they hold.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If the file cannot be read, is no JSON object, lacks a key or holds something else there.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: is too large ({path.stat().st_size:,} bytes)")
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise InputError(f"{path}: damaged or not readable: {reason}") from error
    return checked_object(str(path), found, keys)


def checked_object(place: str, found: Any, keys: Mapping[str, Kinds]) -> dict[str, Any]:
    """Return an object after its keys were looked at.

    Parameters
    ----------
    place : str
        Where it stands, for messages.
    found : object
        A value of JSON.
    keys : mapping of str to type
        See `read_object`.

    Raises
    ------
    InputError
        If it is no object, lacks a key, or holds something else there.
    """
    if not isinstance(found, dict):
        raise InputError(f"{place}: damaged: expected an object of JSON, found {_kind(found)}")
    for key, kinds in keys.items():
        if key not in found:
            raise InputError(f"{place}: damaged: has no {key!r}")
        value = found[key]
        truth_value = isinstance(value, bool) and kinds is not bool
        if truth_value or not isinstance(value, kinds):
            raise InputError(f"{place}: damaged: {key} = {shown(value)} is {_kind(value)}")
    return found


def _kind(value: Any) -> str:
    return _WORDS.get(type(value), "nothing" if value is None else "a number")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
