"""Components are made by the factories that the registry names."""

from __future__ import annotations

import dataclasses

import pytest

from gcmock.errors import InputError
from gcmock.galaxy.assemble import make_component
from gcmock.galaxy.component import Choices, Recipe
from gcmock.galaxy.galactic_model import load_galactic_model
from gcmock.galaxy.sun import load_sun
from gcmock.stars.imf import load_imf
from gcmock.words.components import COMPONENT_TABLE

THIN = COMPONENT_TABLE[0]


@pytest.fixture
def recipe() -> Recipe:
    return Recipe("thin1", load_imf(), load_sun("koshimoto2021"))


def test_factories_make_what_the_rows_name(recipe: Recipe) -> None:
    made = make_component(THIN, recipe)
    assert made.name == "thin1"
    assert made == load_galactic_model().components["thin1"]


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("halo:make", "cannot be loaded.*module of gcmock/galaxy"),
        ("assemble:make_halo", "cannot be loaded"),
        ("assemble", "cannot be loaded"),
        ("assemble:make_bar", "makes 'thin1 bar'"),
        ("sun:load_sun", "without name, stars_per_mass"),
    ],
)
def test_wrong_factories_are_explained(
    factory: str, words: str, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    if factory == "sun:load_sun":
        monkeypatch.setattr("gcmock.galaxy.sun.load_sun", lambda recipe: recipe.sun)
    given = dataclasses.replace(recipe, name="thin1 bar") if "bar" in factory else recipe
    with pytest.raises(InputError, match=words):
        make_component(dataclasses.replace(THIN, factory=factory), given)


def test_the_bar_makes_room_for_the_discs_above_it(recipe: Recipe) -> None:
    galaxy = load_galactic_model()
    row = next(row for row in COMPONENT_TABLE if row.name == "bar")
    alone = make_component(row, dataclasses.replace(recipe, name="bar"))
    beside = make_component(row, dataclasses.replace(recipe, name="bar", made=galaxy.components))
    assert beside == galaxy.components["bar"]
    assert alone.central_scale > beside.central_scale


def test_choices_reach_the_components(recipe: Recipe) -> None:
    row = next(row for row in COMPONENT_TABLE if row.name == "bar")
    choices = Choices(bar_tilted_ellipsoid=True, bar_angle_deg=20.0)
    bar = make_component(row, dataclasses.replace(recipe, name="bar", choices=choices))
    assert bar.tilted_ellipsoid
    assert bar.angle_deg == 20.0
