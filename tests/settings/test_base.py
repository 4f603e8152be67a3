"""Sections, values that win, TOML and explained errors, whatever the settings are."""

from __future__ import annotations

import tomllib
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from gcmock.errors import InputError
from gcmock.settings.base import Parsec, Section, override, to_toml, validated


class Lamp(Section):
    name: str = Field(description="Name")
    height_pc: Parsec | None = Field(default=None, description="Height [pc]", examples=[3.5])
    at: tuple[float, float] = Field(default=(0.0, 1.0), description="Place")


class Door(Section):
    width: float = Field(default=1.0, gt=0, description="Width")
    height: float = Field(default=2.0, description="Height")

    @model_validator(mode="after")
    def _upright(self) -> Door:
        if self.height < self.width:
            raise ValueError("height must not be smaller than width")
        return self


class House(Section):
    street: str = Field(default="", description="Street")
    lamp: tuple[Lamp, ...] = Field(description="Lamps", min_length=1)
    door: Door = Field(default_factory=Door)
    back_door: Door | None = None
    words: dict[str, str] = Field(default_factory=dict, description="Words", examples=[{"a": "b"}])


LAMP = {"name": "red"}

WRONG = {
    "nothing of the list": ({"lamp": [{}], "door": {}}, "[[lamp]] 1: name: is missing"),
    "nothing": ({}, "[[lamp]]: is missing; expected at least one [[lamp]] with name = ..."),
    "no key": ({"lamp": [{}]}, "[[lamp]] 1: name: is missing"),
    "no list": ({"lamp": LAMP}, "[[lamp]]: expected sections in two brackets, [[lamp]]"),
    "empty": ({"lamp": []}, "[[lamp]] = []: expected"),
    "second": ({"lamp": [LAMP, LAMP | {"nam": 1}]}, "[[lamp]] 2: nam: unknown key; did you mean"),
    "unit": (
        {"lamp": [LAMP | {"height_pc": "3 mas"}]},
        "height_pc = '3 mas': expected a number",
    ),
    "short": ({"lamp": [LAMP | {"at": [1.0]}]}, "[[lamp]] 1: at.2"),
    "range": ({"lamp": [LAMP], "door": {"width": -1}}, "[door] width = -1: expected greater than"),
    "key": ({"lamp": [LAMP], "door": {"widht": 1}}, "[door] widht: unknown key; did you mean 'wid"),
    "optional": ({"lamp": [LAMP], "back_door": {"hight": 1}}, "[back_door] hight: unknown key"),
    "rule": ({"lamp": [LAMP], "door": {"width": 3}}, "[door]: height must not be smaller"),
    "number": ({"lamp": [LAMP], "door": 3}, "[door] = 3: expected a section with keys"),
    "section": ({"lamp": [LAMP], "dor": {}}, "[dor]: unknown section; did you mean 'door'"),
    "plain": ({"lamp": [LAMP], "streeet": "x"}, "streeet: unknown key; did you mean 'street'"),
    "kind": ({"lamp": [LAMP], "street": 1}, "street = 1: expected a valid string"),
    "far": ({"lamp": [LAMP], "qqq": 1}, "known: street, lamp, door, back_door, words"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_say_where_what_and_what_is_expected(case: str) -> None:
    values, words = WRONG[case]
    with pytest.raises(InputError) as caught:
        validated(House, values, "house.toml")
    assert str(caught.value).startswith("house.toml: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_win_in_both_spellings() -> None:
    values = {"door": {"width": 1.5}, "lamp": [LAMP]}
    override(values, {"door.height": 3.0, "back_door": {"width": 0.5}, "street": None})
    override(values, {"words.a.b": "c", "door": {"width": None}})
    assert values == {
        "door": {"width": 1.5, "height": 3.0},
        "lamp": [LAMP],
        "back_door": {"width": 0.5},
        "words": {"a": {"b": "c"}},
    }
    override(values, None)
    broken = {"door": 3}
    override(broken, {"door.width": 2.0})
    assert broken == {"door": 3}, "left for the check, which explains it"


def test_comments_show_what_is_not_set() -> None:
    text = to_toml(House(lamp=(Lamp(name="red"),)), comments=True)
    assert "# Height [pc]\n# height_pc = 3.5\n" in text
    assert '# Words:\n# a = "b"' in text
    assert "back_door" not in text
    assert validated(House, tomllib.loads(text), "text") == House(lamp=(Lamp(name="red"),))


@pytest.mark.slow
@given(
    street=st.text(),
    words=st.dictionaries(st.sampled_from(["a", "b"]), st.text()),
    width=st.floats(1e-3, 1.9),
    names=st.lists(st.text(), min_size=1, max_size=3),
    comments=st.booleans(),
)
def test_settings_survive_toml(street, words, width, names, comments) -> None:
    house = House(
        street=street,
        lamp=tuple(Lamp(name=name, at=(width, -width)) for name in names),
        door=Door(width=width),
        words=words,
    )
    text = to_toml(house, comments=comments)
    assert validated(House, tomllib.loads(text), "text") == house


def test_former_names_are_read_with_a_warning():
    class Old(Section):
        former_names: ClassVar = {"outlier_share": "outlier_fraction"}
        outlier_fraction: float = 0.01

    with pytest.warns(FutureWarning, match="outlier_share is now outlier_fraction"):
        assert validated(Old, {"outlier_share": 0.02}, "a.toml").outlier_fraction == 0.02
    with pytest.raises(InputError, match="is the former name of outlier_fraction"):
        validated(Old, {"outlier_share": 0.02, "outlier_fraction": 0.03}, "a.toml")
    assert validated(Old, {"outlier_fraction": 0.03}, "a.toml").outlier_fraction == 0.03


def test_settings_that_were_renamed():
    from gcmock.settings.build import load_config
    from gcmock.settings.merge import MatchConfig

    with pytest.warns(FutureWarning):
        config = load_config(None, {"motion": {"outlier_share": 0.02}})
    assert config.motion.outlier_fraction == 0.02
    with pytest.warns(FutureWarning):
        assert MatchConfig(least_share=0.5).least_fraction == 0.5
