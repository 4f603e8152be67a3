"""Sets of populations have what the components name."""

from __future__ import annotations

import pytest

from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.stars import populations
from gcmock.stars.imf import load_imf
from gcmock.stars.populations import check_populations, load_populations
from gcmock.words.components import COMPONENTS, N_POPULATION, POPULATIONS


@pytest.mark.parametrize("name", ["parsec", "koshimoto2021"])
def test_every_component_has_a_population(name: str) -> None:
    found = load_populations(name, load_imf())
    assert len(found.populations) == N_POPULATION
    assert len(found.of_component) == len(COMPONENTS)
    assert found.nodes("nsc") is found.nodes("nsd")
    assert found.nodes("thin1") is found.populations[0]


def test_a_set_that_lacks_one_is_refused() -> None:
    with pytest.raises(InputError, match=r"'mine': lacks bar; expected the 10.*got 9: thin1"):
        check_populations("mine", [name for name in POPULATIONS if name != "bar"])


def test_a_population_that_nobody_has_is_refused() -> None:
    with pytest.raises(InputError, match=r"'mine': has halo, which no component names"):
        check_populations("mine", [*POPULATIONS, "halo"])
    with pytest.raises(InputError, match=r"lacks bar and has halo"):
        check_populations("mine", [*(name for name in POPULATIONS if name != "bar"), "halo"])


def test_sets_are_checked_when_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_toml("populations.toml")
    of_set = dict(table["sets"]["parsec"]["populations"])
    del of_set["thick"]
    fewer = {"sets": {"parsec": table["sets"]["parsec"] | {"populations": of_set}}}
    monkeypatch.setattr(populations, "read_toml", lambda name: fewer)
    load_populations.cache_clear()
    with pytest.raises(InputError, match="population set 'parsec': lacks thick"):
        load_populations("parsec", load_imf())
    load_populations.cache_clear()
