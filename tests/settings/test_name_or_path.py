"""Values that are a known name or the path of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from gcmock.errors import InputError
from gcmock.settings.base import to_toml
from gcmock.settings.name_or_path import (
    NameOrPath,
    file_sha256,
    is_path,
    known_or_own,
    name_of,
    packaged_names,
    packaged_surveys,
    resolve_paths,
)


class Row(BaseModel, extra="forbid"):
    a: int


class Table(BaseModel, extra="forbid"):
    number: float
    text: str = ""
    rows: tuple[Row, ...] = Field(default=(), alias="row")


class Part(BaseModel):
    law: Annotated[str, NameOrPath("law", lambda: ("one", "two"))] = Field(
        default="one", description="Law"
    )
    file: str = ""


class Whole(BaseModel):
    part: Part = Part()
    parts: tuple[Part, ...] = ()


def test_text_that_ends_in_toml_is_a_path():
    assert not is_path("gaia")
    assert is_path("gaia.toml")
    assert is_path(Path("gaia"))
    assert name_of("folder/mine.toml") == "mine"
    assert name_of("mine") == "mine"


def test_a_setting_takes_known_names_and_paths():
    assert Part(law="two").law == "two"
    assert Part(law="x.toml").law == "x.toml"
    with pytest.raises(ValidationError, match=r"unknown law 'tvo': .* did you mean 'two'"):
        Part(law="tvo")


def test_only_paths_of_such_settings_are_resolved(tmp_path):
    values = {
        "part": {"law": "x.toml", "file": "y.toml"},
        "parts": [{"law": "one"}, {"law": "z.toml"}],
    }
    resolve_paths(values, Whole, tmp_path)
    assert values["part"] == {"law": str(tmp_path / "x.toml"), "file": "y.toml"}
    assert values["parts"] == [{"law": "one"}, {"law": str(tmp_path / "z.toml")}]
    # What is not as it should be is left to the check.
    resolve_paths({"part": 3, "parts": ["a"]}, Whole, tmp_path)


def test_names_of_the_package():
    assert "nishiyama_2009" in packaged_names("extinction_laws.toml")()
    assert packaged_surveys() == ("2mass", "gaia", "gnc", "sirius", "virac2", "vvv")


def test_a_name_or_a_file_gives_the_same(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("number = 2.0\n", encoding="utf-8")
    assert known_or_own("table", "a", {"a": {"number": 2.0}}, Table) == Table(number=2.0)
    assert known_or_own("table", str(path), {}, Table) == Table(number=2.0)
    assert len(file_sha256(path)) == 64
    assert file_sha256("a") == ""
    with pytest.raises(InputError, match="cannot be read"):
        file_sha256(tmp_path / "none.toml")
    with pytest.raises(InputError, match="unknown table 'b'"):
        known_or_own("table", "b", {"a": {}}, Table)


def test_problems_of_a_file_have_a_line_each(tmp_path):
    path = tmp_path / "f.toml"
    path.write_text("numbr = 1\ntext = 3\n[[row]]\nb = 1\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        known_or_own("table", str(path), {}, Table)
    assert str(error.value).splitlines() == [
        f"{path}: number: is missing",
        f"{path}: text = 3: expected a valid string",
        # A key has the name that it has in the file.
        f"{path}: [[row]] 1: a: is missing",
        f"{path}: [[row]] 1: b: unknown key; known: a",
        f"{path}: numbr: unknown key; did you mean 'number'?",
    ]


def test_the_comment_of_a_setting_lists_the_names():
    assert '# Law: "one" | "two"\n' in to_toml(Part(), comments=True)
