"""Populations: what the components name, and stars as nodes along isochrones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.stars import populations
from gcmock.stars.imf import BrokenPowerLaw, load_imf
from gcmock.stars.isochrones import IsochroneTable
from gcmock.stars.populations import (
    PIECE_MAG,
    check_populations,
    isochrone_nodes,
    load_populations,
    mix_nodes,
)
from gcmock.words.components import COMPONENTS, N_POPULATION, PARTS, POPULATIONS


@pytest.mark.parametrize("name", ["parsec", "koshimoto2021"])
def test_every_component_has_a_population(name: str) -> None:
    found = load_populations(name, load_imf())
    assert len(found.populations) == N_POPULATION
    assert len(found.of_part) == len(PARTS)
    assert found.of_component == found.of_part[: len(COMPONENTS)]
    for part, index in zip(PARTS, found.of_part, strict=True):
        assert POPULATIONS[index] == part.population
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


IMF = BrokenPowerLaw((0.1, 100.0), (2.0,))
LINE = np.array([0.2, 0.5, 1.0])
MAG = np.array([[9.0, 8.5, 8.0], [6.0, 5.6, 5.0], [3.0, 2.5, 2.0]])


def test_nodes_lie_on_the_isochrone_and_are_close() -> None:
    nodes = isochrone_nodes(LINE, MAG, IMF, 5.0, -0.3)
    for band in range(3):
        expected = np.interp(nodes.mass_init, LINE, MAG[:, band])
        np.testing.assert_allclose(nodes.absolute_mag[:, band], expected)
    steps = np.abs(np.diff(nodes.absolute_mag, axis=0)).max(axis=1)
    assert steps.max() <= PIECE_MAG * (1.0 + 1e-9)
    # 3.0 and 3.1 mag between the points, in the band that changes most
    assert nodes.weight.size == 100 + 104
    assert set(nodes.age_gyr) == {5.0}
    assert set(nodes.metallicity) == {-0.3}


def test_weights_are_the_stars_of_the_imf_between_the_nodes() -> None:
    """N(< m) of slope 2 is proportional to 1/0.1 - 1/m: per living star, from 0.2 to 1 of 0.1."""
    nodes = isochrone_nodes(LINE, MAG, IMF, 5.0, 0.0)
    assert nodes.weight.sum() == pytest.approx((1 / 0.2 - 1 / 1.0) / (1 / 0.1 - 1 / 1.0))
    heavy = nodes.mass_init > 0.5
    assert nodes.weight[heavy].sum() == pytest.approx((1 / 0.5 - 1.0) / (1 / 0.1 - 1.0))


def test_points_of_equal_mass_hold_no_stars() -> None:
    mass = np.array([0.2, 0.5, 0.5, 1.0])
    mag = np.array([MAG[0], MAG[1], MAG[1] - 5.0, MAG[2] - 5.0])
    nodes = isochrone_nodes(mass, mag, IMF, 5.0, 0.0)
    assert nodes.weight.sum() == pytest.approx((1 / 0.2 - 1.0) / (1 / 0.1 - 1.0))
    ks = nodes.absolute_mag[:, 2]
    assert not ((ks < 5.0 - 1e-9) & (ks > 0.0 + 1e-9)).any()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 10.0))
def test_a_mix_is_the_weighted_sum_of_its_isochrones(weight: float) -> None:
    """The weights need not be normalised."""
    table = IsochroneTable(
        isochrone=np.repeat([3, 7], 3),
        age_gyr=np.repeat([1.0, 9.0], 3),
        metallicity=np.repeat([0.0, 0.2], 3),
        mass_init=np.concatenate([LINE, 0.9 * LINE]),
        absolute_mag=np.concatenate([MAG, MAG - 0.1]),
        roman_mag=np.full((6, 3), np.nan),
    )
    nodes = mix_nodes(table, {"isochrone": [7, 3], "weight": [weight, 3.0 * weight]}, IMF)
    first = isochrone_nodes(0.9 * LINE, MAG - 0.1, IMF, 9.0, 0.2)
    second = isochrone_nodes(LINE, MAG, IMF, 1.0, 0.0)
    n = first.weight.size
    np.testing.assert_allclose(nodes.weight[:n], 0.25 * first.weight)
    np.testing.assert_allclose(nodes.weight[n:], 0.75 * second.weight)
    np.testing.assert_array_equal(nodes.age_gyr[[0, -1]], [9.0, 1.0])
    np.testing.assert_array_equal(nodes.metallicity[[0, -1]], [0.2, 0.0])


def test_unknown_sets_list_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown population set 'mine'.*'koshimoto2021'"):
        load_populations("mine", load_imf())
