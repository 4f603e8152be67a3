"""The texts of `gcmock info`: they follow the tables of the package."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from gcmock.data import read_toml
from gcmock.reporting import info as module
from gcmock.reporting.info import TOPICS, info
from gcmock.settings.build import Config
from gcmock.words.columns import INPUT_COLUMNS, OUTPUT_COLUMNS
from gcmock.words.components import COMPONENT_TABLE
from gcmock.words.flags import Flag


def test_overview_names_every_topic():
    lines = info("").splitlines()
    assert [line.split()[2] for line in lines[1:]] == [name for name in TOPICS if name]
    assert all(len(line.split()) > 3 for line in lines[1:])


def test_config_is_toml_with_the_defaults():
    values = tomllib.loads(info("config"))
    assert values["extinction"]["law"] == Config().extinction.law
    assert values["distance"]["max_pc"] == Config().distance.max_pc


def test_model_shows_its_section_alone():
    text = info("model")
    assert "\n[model]" in text
    assert "[populations]" not in text


def test_laws_mark_the_default():
    text = info("laws")
    laws = read_toml("extinction_laws.toml")
    heads = [line for line in text.splitlines() if not line.startswith(" ")]
    assert heads == [
        name + (" (default)" if name == Config().extinction.law else "") for name in laws
    ]
    for law in laws.values():
        assert f"{law['rows'][0][0]:.5f}" in text


def test_relations_state_their_range():
    text = info("hw")
    assert text.startswith("Hw = H + p1 x + p2 x^2 + p3 x^3, x = J - H")
    assert text.count("(default)") == 1
    assert text.count("< J-H <") == text.count("; scatter ")


def test_schema_lists_columns_and_flags():
    lines = info("schema").splitlines()
    middle = lines.index("OUTPUT")
    end = next(i for i, line in enumerate(lines) if line.startswith("FLAGS"))
    assert [line.split()[0] for line in lines[1 : middle - 1]] == [c.name for c in INPUT_COLUMNS]
    assert [line.split()[0] for line in lines[middle + 1 : end - 1]] == [
        c.name for c in OUTPUT_COLUMNS
    ]
    assert [line.split()[:2] for line in lines[end + 1 :]] == [
        [str(flag.value), flag.name] for flag in Flag
    ]


def test_missions_are_separated():
    text = info("missions")
    names = text.splitlines()[0].removeprefix("# Missions: ").split(", ")
    assert text.count("#" * 96) == len(names) - 1
    assert len(names) > 1


def test_components_towards_one_field(monkeypatch):
    class Nodes:
        age_gyr = np.array([1.0, 3.0])
        metallicity = np.array([0.0, -0.4])
        weight = np.array([3.0, 1.0])

    class Model:
        galaxy = grid = None
        populations = type("Set", (), {"nodes": staticmethod(lambda name: Nodes)})

    n = len(COMPONENT_TABLE)
    monkeypatch.setattr("gcmock.model.load_model", Model)
    monkeypatch.setattr(
        "gcmock.posterior.sightline.prior_counts", lambda *_: np.ones((1, n, 5)) * 1000.0
    )
    lines = info("components").splitlines()
    assert len(lines) == n + 2
    for row, line in zip(COMPONENT_TABLE, lines[1:], strict=False):
        assert line.startswith(row.name)
        assert row.label in line
        # Means weighted by the stars of the nodes.
        assert line.split()[-4:] == ["5e+03", "1.50", "Gyr", "-0.10"]


def test_entries_are_folded():
    text = module._entry("name", "word " * 60)
    assert text.startswith("name\n  word")
    assert max(map(len, text.splitlines())) <= 96


def test_unknown_topic():
    with pytest.raises(KeyError):
        info("law")
