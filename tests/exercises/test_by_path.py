"""An extinction law, an Hw relation and a mission of one's own: files beside the settings."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from gcmock.astrometry.missions.mission import load_mission, mission_names, mission_path
from gcmock.astrometry.missions.passbands import law_of
from gcmock.cli.app import run
from gcmock.dust.laws import load_law
from gcmock.errors import InputError
from gcmock.mock.folder import partition_record
from gcmock.mock.product import record_of_mock
from gcmock.model import load_model
from gcmock.settings.build import load_config
from gcmock.settings.merge import load_merge_config
from gcmock.stars.bands import load_relation

LAW = """\
rows = [[1.50, 0.84, 0.47]]
source = "an example"
"""

RELATION = """\
coefficients = [0.80, -0.03, 0.0]
scatter_mag = 0.05
valid_j_minus_h = [-0.3, 5.0]
source = "an example"
status = "an example"
"""

SETTINGS = """\
[extinction]
law = "my_law.toml"

[photometry]
hw_relation = "my_relation.toml"
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in (("my_law", LAW), ("my_relation", RELATION), ("settings", SETTINGS)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_paths_are_relative_to_the_settings(folder):
    config = load_config(folder / "settings.toml")
    model = load_model(config=config)
    np.testing.assert_array_equal(model.law.rows, [[1.50, 0.84, 0.47]])
    assert model.law.name == "my_law"
    relation = load_relation("hw", config.photometry.hw_relation)
    assert (relation.name, relation.coefficients) == ("my_relation", (0.80, -0.03, 0.0))


def test_provenance_and_the_record_of_a_run_hold_what_the_files_say(folder):
    config = load_config(folder / "settings.toml")
    words = record_of_mock(config, {"name": "stars", "sha256": ""}, {})
    assert words["extinction_law"] == "my_law: an example"
    assert words["extinction_law_sha256"] == digest(folder / "my_law.toml")
    assert words["hw_relation_sha256"] == digest(folder / "my_relation.toml")
    assert law_of(words) == str(folder / "my_law.toml")
    before = partition_record(config, {})
    (folder / "my_law.toml").write_text(LAW.replace("1.50", "1.51"), encoding="utf-8")
    assert partition_record(config, {}) != before
    with pytest.raises(InputError, match="not the one that the mock catalogue was built with"):
        law_of(words)
    assert "extinction_law_sha256" not in record_of_mock(
        load_config(), {"name": "", "sha256": ""}, {}
    )


def test_a_merge_takes_a_relation_and_a_survey_by_path(folder):
    text = '[[survey]]\nname = "my_survey.toml"\npath = "my.fits"\n' + SETTINGS.split("\n\n")[1]
    (folder / "merge.toml").write_text(text, encoding="utf-8")
    config = load_merge_config(folder / "merge.toml")
    assert config.photometry.hw_relation == str(folder / "my_relation.toml")
    assert config.survey[0].name == str(folder / "my_survey.toml")
    assert config.survey[0].survey == "my_survey"


def test_a_mission_is_a_file(folder, capsys):
    text = mission_path("gaianir").read_text(encoding="utf-8")
    path = folder / "my_mission.toml"
    path.write_text(text.replace('name = "gaianir"', 'name = "mine"'), encoding="utf-8")
    assert load_mission(path).name == load_mission(str(path)).name == "mine"
    assert "jasmine" in mission_names()
    with pytest.raises(InputError, match=r"unknown mission 'jasmin'.*did you mean 'jasmine'"):
        load_mission("jasmin")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("my_law", "source", "sauce", "sauce: unknown key; did you mean 'source'?"),
        (
            "my_law",
            "[[1.50",
            "[[1.5, 0.8, 0.5], [1.50",
            "rows = [[1.5, 0.8, 0.5], [1.5, 0.84, 0.47]]: has 2 rows",
        ),
        ("my_law", "0.47", "-0.47", "rows.1.3 = -0.47: expected greater than 0"),
        ("my_relation", "0.05", '"big"', "scatter_mag = 'big': expected a valid number"),
    ],
)
def test_errors_name_the_file_and_the_key(folder, file, old, new, message):
    path = folder / f"{file}.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_model(config=load_config(folder / "settings.toml"))
    assert f"{path}: {message}" in str(error.value)


def test_unknown_names_and_missing_files_are_reported(folder, capsys):
    with pytest.raises(InputError, match="did you mean 'nishiyama_2009'"):
        load_config(None, {"extinction.law": "nishiyama2009"})
    with pytest.raises(InputError, match="did you mean 'kawata2024'"):
        load_config(None, {"photometry.hw_relation": "kawata"})
    with pytest.raises(InputError, match=r"none\.toml: cannot be read: No such file"):
        load_law(str(folder / "none.toml"))
    assert run(["simulate", "--surveys", "virac", "-o", str(folder / "s"), *WINDOW]) == 2
    assert "unknown survey 'virac'" in capsys.readouterr().err


WINDOW = ("--l", "0", "0.05", "--b", "0", "0.05")
