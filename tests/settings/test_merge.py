"""Settings of a merge: defaults, surveys and their paths, wrong values."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gcmock.errors import InputError
from gcmock.settings.base import to_toml
from gcmock.settings.merge import MergeConfig, default_merge_toml, load_merge_config

ONE = {"survey": [{"name": "virac2", "path": "virac2.fits"}]}


def test_printed_defaults_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "merge.toml"
    file.write_text(default_merge_toml())
    given = {"survey": [{"name": "virac2", "path": str(tmp_path / "virac2.fits")}]}
    assert load_merge_config(file) == MergeConfig.model_validate(given)


def test_every_key_is_printed() -> None:
    text = default_merge_toml()
    for name, field in MergeConfig.model_fields.items():
        section = field.annotation if name != "survey" else field.annotation.__args__[0]
        assert f"[{name}]" in text
        for key in section.model_fields:
            assert f"\n{key} = " in text or f"\n# {key} = " in text, key


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "merge.toml"
    file.write_text(
        '[[survey]]\nname = "vvv"\npath = "data/vvv"\nmargin = "vvv_margin"\n'
        '[[survey]]\nname = "gaia"\npath = "/archive/gaia.fits"\n'
    )
    vvv, gaia = load_merge_config(file).survey
    assert (vvv.path, vvv.margin) == (str(tmp_path / "data/vvv"), str(tmp_path / "vvv_margin"))
    assert (gaia.path, gaia.margin) == ("/archive/gaia.fits", None)


def test_mappings_are_relative_to_the_working_folder_and_stay_as_they_are() -> None:
    given = {"survey": [dict(ONE["survey"][0])]}
    found = load_merge_config(given, {"run.workers": 3, "match.tail_mag": None})
    assert found.survey[0].path == "virac2.fits"
    assert found.run.n_workers == 3
    assert found.match.tail_mag == 0.5
    assert given == ONE


def test_no_number_of_workers_is_one_per_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcmock.settings.merge.available_cores", lambda: 17)
    assert load_merge_config(ONE).run.n_workers == 17


def test_settings_survive_toml() -> None:
    config = load_merge_config(
        ONE, {"window": {"l": [-1.4, 0.7]}, "cleaning.least_real_probability": 0.0}
    )
    assert load_merge_config(tomllib.loads(to_toml(config, comments=False))) == config


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"survey": []}, r"config: survey|\[\[survey\]\]"),
        ({"survey": [*ONE["survey"], *ONE["survey"]]}, r"'virac2'\] is given more than once"),
        (
            {"survey": [{"name": "ukidss", "path": "a"}]},
            r"name = 'ukidss': unknown survey .*expected one of 2mass, gaia",
        ),
        ({"survey": [{"name": "vvv"}]}, r"\[\[survey\]\] 1: path: is missing"),
        ({"window": {"l": [0.7, -1.4]}}, "l needs the smaller value first"),
        ({"window": {"b": [0.1, 0.1]}}, "b needs the smaller value first"),
        ({"match": {"rule": "nearest"}}, "rule = 'nearest': expected 'probabilistic' or"),
        ({"match": {"search_radius_arcsec": 6}}, "less than or equal to 5"),
        ({"match": {"serch_radius_arcsec": 1}}, "did you mean 'search_radius_arcsec'"),
        ({"completeness": {"order": 12}}, "order = 12: expected less than or equal to 11"),
        ({"run": {"chunk_size": 0}}, "chunk_size = 0: expected greater than or equal to 1"),
        ({"cleaning": {"bright_ks_mag": float("nan")}}, "bright_ks_mag = nan: expected a finite"),
    ],
)
def test_wrong_settings_are_explained(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_merge_config(ONE | change)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"merge.toml: cannot be read: No such file"):
        load_merge_config(tmp_path / "merge.toml")
