"""The registry of components: what is derived from it, and whether colours can be told apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gcmock.words import components as words

# Machado, Oliveira & Fernandes 2009 (IEEE TVCG 15, 1291), full severity, linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """Return L*, a*, b* of a hexadecimal sRGB colour as somebody sees it."""
    srgb = np.array([int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(seen @ linear, 0.0, 1.0) / (0.9505, 1.0, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16.0 / 116.0)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


def test_every_component_has_one_group_and_one_population() -> None:
    assert len(set(words.COMPONENTS)) == len(words.COMPONENTS)
    assert [name for names in words.GROUPS.values() for name in names] == list(words.COMPONENTS)
    assert len({group.name for group in words.GROUP_TABLE}) == len(words.GROUP_TABLE)
    assert words.N_POPULATION == len(words.POPULATIONS) == 10
    for component, place in zip(words.COMPONENT_TABLE, words.GROUP_OF, strict=True):
        assert words.GROUP_TABLE[place] is component.group
        assert component.colour == words.COLOURS[component.group.name]
        assert component.marker == component.group.marker
        assert component.population in words.POPULATIONS


def test_names_are_those_of_the_files() -> None:
    assert words.COMPONENTS[:8] == (*(f"thin{i}" for i in range(1, 8)), "thick")
    assert words.COMPONENTS[8:] == ("bar", "nsd", "nsc")
    assert tuple(words.GROUPS) == ("disc", "bar", "nsd", "nsc")
    assert words.NAME_DTYPE == "U5"
    assert words.PROBABILITIES[-1] == "p_nsc"


def test_nuclear_is_what_the_rows_say() -> None:
    assert words.NUCLEAR == ("nsd", "nsc")
    assert {
        "disc": words.COMPONENTS[:8],
        "bar": ("bar",),
        "nuclear": ("nsd", "nsc"),
    } == words.MERGED_GROUPS


def test_parts_are_the_components_and_then_what_is_younger() -> None:
    n = len(words.COMPONENTS)
    assert tuple(part.name for part in words.PARTS[:n]) == words.COMPONENTS
    assert [part.component for part in words.PARTS[:n]] == list(range(n))
    younger = [(part.name, part.population) for part in words.PARTS[n:]]
    assert younger == [("nsd_thin3", "thin3"), ("nsd_thin2", "thin2"), ("nsd_thin1", "thin1")]
    nsd = words.COMPONENTS.index("nsd")
    assert (*range(n), nsd, nsd, nsd) == words.PART_COMPONENT
    assert {part.population for part in words.PARTS} == set(words.POPULATIONS)


def test_numbers_of_stars_are_learned_by_merged_group_and_younger_part() -> None:
    assert words.LEARNED_GROUPS == (
        "disc", "bar", "nuclear", "nsd_thin3", "nsd_thin2", "nsd_thin1",
    )  # fmt: skip
    assert len(words.LEARNED_GROUP_OF_PART) == len(words.PARTS)
    of_part = dict(zip(words.PARTS, words.LEARNED_GROUP_OF_PART, strict=True))
    for part, group in of_part.items():
        name = words.LEARNED_GROUPS[group]
        if part.name in words.COMPONENTS:
            assert part.name in words.MERGED_GROUPS[name]
        else:
            assert part.name == name
    assert set(of_part.values()) == set(range(len(words.LEARNED_GROUPS)))


@pytest.mark.parametrize("seen", BLINDNESS)
def test_colours_can_be_told_apart(seen: str) -> None:
    """20 in CIE 1976 is some ten times the least difference that is noticed side by side."""
    for one, other in combinations(words.GROUP_TABLE, 2):
        difference = lab(one.colour, BLINDNESS[seen]) - lab(other.colour, BLINDNESS[seen])
        assert np.linalg.norm(difference) >= 20.0, (one.name, other.name)


def test_there_is_a_second_cue() -> None:
    for cue in ("marker", "dash", "label", "colour"):
        assert len({getattr(group, cue) for group in words.GROUP_TABLE}) == len(words.GROUP_TABLE)
