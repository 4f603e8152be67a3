"""How the package finds its data files."""

from __future__ import annotations

from pathlib import Path

import pytest

import gcmock
from gcmock.data import path, read_toml


def test_files_lie_in_the_package() -> None:
    found = path("disc.toml")
    assert found == Path(gcmock.__file__).parent / "data" / "disc.toml"
    assert found.is_file()


@pytest.mark.parametrize("name", ["halo.toml", "../model.toml"])
def test_missing_files_are_named_with_the_folder(name: str) -> None:
    with pytest.raises(FileNotFoundError, match=f"ships no data file '{name}' .looked in .*data"):
        path(name)


def test_toml_is_read_once() -> None:
    table = read_toml("sun.toml")
    assert table["koshimoto2021"]["r0_pc"]["value"] == 8160.0
    assert read_toml("sun.toml") is table


def test_a_missing_toml_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"ships no data file 'moon.toml'"):
        read_toml("moon.toml")
