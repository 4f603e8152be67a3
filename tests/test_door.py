"""Rooms with a door: names that are imported when they are first used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gcmock.door import attach


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package of two modules behind a door, one of which cannot be imported."""
    package = tmp_path / "house_of_tests"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from gcmock.door import attach\n"
        "inside = 1\n"
        "__getattr__, __dir__, __all__ = attach(\n"
        "    __name__, {'light': ['walk', 'Run'], 'broken': ['fall']}\n"
        ")\n"
    )
    (package / "light.py").write_text("def walk(): return 'walks'\nclass Run: ...\n")
    (package / "broken.py").write_text("raise RuntimeError('fell')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__(package.name)
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


def test_modules_are_imported_when_a_name_is_asked_for(room) -> None:
    assert "house_of_tests.light" not in sys.modules
    assert room.walk() == "walks"
    assert room.Run is sys.modules["house_of_tests.light"].Run
    assert "house_of_tests.broken" not in sys.modules


def test_public_names_are_sorted_and_listed(room) -> None:
    assert room.__all__ == ["Run", "fall", "walk"]
    assert {*room.__all__, "inside", "__name__"} <= set(dir(room))
    assert dir(room) == sorted(dir(room))


def test_unknown_names_are_attribute_errors_of_the_room(room) -> None:
    with pytest.raises(AttributeError, match="module 'house_of_tests' has no attribute 'fly'"):
        room.fly  # noqa: B018
    assert not hasattr(room, "broken")


def test_errors_of_a_module_are_not_hidden(room) -> None:
    with pytest.raises(RuntimeError, match="fell"):
        room.fall  # noqa: B018


def test_a_name_that_the_module_lacks_is_an_error() -> None:
    getter, _, _ = attach("gcmock", {"errors": ["OutputError"]})
    with pytest.raises(AttributeError, match=r"'gcmock\.errors' has no attribute 'OutputError'"):
        getter("OutputError")
