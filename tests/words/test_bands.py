"""The table of bands: places, bits and names; and that nothing else in the package lists bands."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gcmock
from gcmock.settings.build import PhotometryConfig
from gcmock.stars.bands import relation_names
from gcmock.words import bands
from gcmock.words.bands import ALL_LINEAR, BANDS, LINEAR_BANDS, N_LINEAR, SYNTHETIC

PACKAGE = Path(gcmock.__file__).parent


@cache
def modules() -> list[tuple[str, list[ast.AST]]]:
    """Names of all other modules that quote a band, and the nodes of what they say."""
    names = "|".join(sorted(set().union(*LISTED)))
    quoted = re.compile(rf"""(["'])({names})\1""")
    others = (path for path in sorted(PACKAGE.rglob("*.py")) if path != Path(bands.__file__))
    texts = ((str(path.relative_to(PACKAGE)), path.read_text("utf-8")) for path in others)
    return [(name, list(ast.walk(ast.parse(text)))) for name, text in texts if quoted.search(text)]


LISTED = tuple(
    {spelling for name in names for spelling in (name, name.title(), name.upper())}
    for names in (bands.BANDS, bands.GAIA_BANDS, bands.ROMAN_BANDS)
)
"""Spellings of the bands of one kind, of which no module may list two."""


def test_the_place_of_a_band_is_the_same_on_all_axes():
    assert (*bands.LINEAR_BANDS, *bands.SYNTHETIC_BANDS) == bands.BANDS
    assert bands.LINEAR_BANDS[: len(bands.SURVEY_BANDS)] == bands.SURVEY_BANDS
    for place, name in ((bands.J, "j"), (bands.H, "h"), (bands.KS, "ks")):
        assert bands.SURVEY_BANDS[place] == bands.LINEAR_BANDS[place] == bands.BANDS[place] == name
    assert bands.BANDS[bands.HW] == "hw"


def test_names_and_bits_are_unique():
    assert len(set(bands.BANDS)) == len(bands.BAND_TABLE)
    assert [band.bit for band in bands.BAND_TABLE] == [1 << i for i in range(len(bands.BANDS))]
    assert bands.mask_of() == 0
    assert bands.mask_of("h", "j", "h") == bands.band("j").bit | bands.band("h").bit
    assert bands.mask_of(*bands.BANDS) == (1 << len(bands.BANDS)) - 1


def test_every_band_has_what_its_kind_needs():
    for band in bands.BAND_TABLE:
        synthetic = band.kind == "synthetic"
        assert bool(band.relation) == synthetic
        assert (band.wavelength_um > 0) != synthetic
        assert not synthetic or band.relation in relation_names(band.name)
    assert PhotometryConfig().hw_relation == bands.band("hw").relation


def test_unknown_band_names_those_that_are_known():
    with pytest.raises(KeyError, match=r"'y' is no band; known: j, h, ks, hw"):
        bands.band("y")


def test_colours():
    assert bands.COLOUR_INDICES == (("h", "ks"), ("j", "ks"), ("j", "h"))
    assert bands.NEIGHBOUR_COLOURS == (("h", "ks"), ("j", "h"))
    assert bands.colour_label("h", "ks") == "H − Ks"


def test_names_of_columns_and_labels():
    assert bands.magnitude_name("ks") == "phot_ks_mag"
    assert bands.magnitude_error_name("hw") == "phot_hw_mag_error"
    assert [bands.band_label(name) for name in bands.BANDS] == ["J", "H", "Ks", "Hw"]


def test_bands_go_from_blue_to_red():
    wavelengths = [bands.band(name).wavelength_um for name in bands.LINEAR_BANDS]
    assert wavelengths == sorted(wavelengths)
    for blue, red in (*bands.COLOUR_INDICES, *bands.NEIGHBOUR_COLOURS):
        assert bands.band(blue).wavelength_um < bands.band(red).wavelength_um


def test_axes_of_other_missions():
    assert bands.GAIA_BANDS[bands.G] == "g"
    assert (bands.GAIA_BANDS[bands.BP], bands.GAIA_BANDS[bands.RP]) == ("bp", "rp")
    assert set(bands.PREDICTED_BANDS) > set(bands.ROMAN_BANDS)
    assert not set(bands.PREDICTED_BANDS) & set(bands.BANDS)


def _texts(nodes: list[ast.expr | None]) -> list[str]:
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _lists(nodes: list[ast.AST]) -> list[tuple[int, list[str]]]:
    """Lines and texts of the tuples, lists, sets and keys of mappings that a module writes out."""
    found = []
    for node in nodes:
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            found.append((node.lineno, _texts(list(node.elts))))
        elif isinstance(node, ast.Dict):
            found.append((node.lineno, _texts(list(node.keys))))
    return found


@pytest.mark.slow
def test_no_other_module_lists_bands():
    found = []
    for name, nodes in modules():
        for line, texts in _lists(nodes):
            if any(len(set(texts) & kind) > 1 for kind in LISTED):
                found.append(f"{name}:{line}: {texts}")
    assert not found, "ask gcmock.words.bands instead"


def test_no_other_module_looks_up_the_place_of_a_band():
    found = [
        f"{name}:{node.lineno}"
        for name, nodes in modules()
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "index"
        and set(_texts(list(node.args))) & set(bands.BANDS)
    ]
    assert not found, "take J, H, KS or HW of gcmock.words.bands instead"


masks = st.integers(0, 2 * ALL_LINEAR + 1)


def names(mask: int) -> set[str]:
    return {LINEAR_BANDS[i] for i in range(N_LINEAR) if mask >> i & 1}


def test_bits_are_places() -> None:
    assert [bands.band(name).bit for name in BANDS] == [1 << i for i in range(len(BANDS))]
    assert BANDS[:N_LINEAR] == LINEAR_BANDS


def test_unknown_band() -> None:
    with pytest.raises(KeyError, match="'k' is no band; known: j, h"):
        bands.band("k")


@given(masks)
def test_questions_about_a_set(mask: int) -> None:
    linear, synthetic = names(mask), bool(mask & SYNTHETIC)
    assert names(bands.linear_part(mask)) == linear
    assert bands.linear_part(mask) <= ALL_LINEAR
    assert bands.has_synthetic(mask) == synthetic
    assert bands.by_colour(mask) == (synthetic and len(linear) < 2)
    assert bands.is_single(mask) == (len(linear) == 1 and not synthetic)
    assert bands.first_band(mask) == min((LINEAR_BANDS.index(n) for n in linear), default=0)


@given(masks)
def test_a_synthetic_band_beside_two_others_says_what_j_and_h_say(mask: int) -> None:
    found = bands.equivalent(mask)
    if mask & SYNTHETIC and len(names(mask)) > 1:
        assert names(found) == names(mask) | {"j", "h"}
        assert found <= ALL_LINEAR
    else:
        assert found == mask
