"""Files of settings: TOML that is read, and what cannot be settings."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from gcmock.errors import InputError

# Settings that are larger, or nested deeper, are something else.
_MOST_BYTES: Final = 4 * 2**20
_DEEPEST: Final = 20


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read, or is not TOML, or is far too large or too deep for settings.
    """
    try:
        # Opening a pipe would wait for somebody to write; a device may have no end.
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is no file; settings are a TOML file")
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: is too large for settings ({path.stat().st_size:,} bytes)")
        return parse_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a text in TOML says.

    Raises
    ------
    ValueError
        If it is not TOML, or nothing that can be a setting: nested too deeply, or a number of
        thousands of digits.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        raise ValueError("a number has thousands of digits") from None
    if _is_deeper(values, _DEEPEST):
        raise ValueError("nested too deeply")
    return values


def _is_deeper(value: Any, most: int) -> bool:
    """Whether containers are nested more than `most` times."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_is_deeper(one, most - 1) for one in inner)
