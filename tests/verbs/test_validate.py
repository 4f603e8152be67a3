"""validate: tests that need nothing, files, errors."""

from __future__ import annotations

import pytest

import gcmock
from gcmock.errors import InputError


def test_validate(tmp_path, shown):
    output = tmp_path / "validation.json"
    done = gcmock.validate(only=["genstars", "counts"], output=output)
    shown(done, output)
    assert "skip: 2" in repr(done)
    assert done.files == (output,)
    assert not done.failed
    page = gcmock.validate(only="genstars", output=tmp_path / "table.md").files[0]
    assert page.read_text(encoding="utf-8").startswith("| test |")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"only": "sbk"}, "--only sbk: expected names of"),
        ({"output": "validation.txt"}, "written as JSON or Markdown"),
        ({"figure": "map.png"}, "--figure shows the counts by tile"),
        ({"l": 3}, "l = 3: expected two numbers in deg"),
        ({"stars": 3}, "--stars = 3: expected a whole number from 100"),
    ],
)
def test_errors(options, words):
    with pytest.raises(InputError, match=words):
        gcmock.validate(**options)


def test_both_tables_are_needed(mock):
    with pytest.raises(InputError, match="give both, MOCK and --input"):
        gcmock.validate(mock)
