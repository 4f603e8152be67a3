"""The small tables and parameter files that ship with the package."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

__all__ = ["path", "read_toml"]


@cache
def path(name: str) -> Path:
    """Path of a packaged data file.

    Parameters
    ----------
    name : str
        File name, for example ``"disc.toml"``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        The package holds no such file.
    """
    found = Path(str(files(__name__).joinpath(name)))
    if not found.is_file():
        raise FileNotFoundError(f"gcmock ships no data file {name!r} (looked in {found.parent})")
    return found


@cache
def read_toml(name: str) -> dict[str, Any]:
    """Content of a packaged TOML file, read once; treat it as read-only.

    Parameters
    ----------
    name : str
        File name, for example ``"disc.toml"``.

    Returns
    -------
    dict
    """
    with path(name).open("rb") as stream:
        return tomllib.load(stream)
