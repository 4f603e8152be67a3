"""Settings of a verb: file, mapping, object, sections, options."""

from __future__ import annotations

import astropy.units as u
import pytest

import gcmock
from gcmock.errors import InputError
from gcmock.settings.build import load_config
from gcmock.verbs.settings import mission_of, settings_of


def verb(*, seed=None, **sections):
    """Stand for a verb."""


def test_the_same_settings_in_all_forms(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[run]\nseed = 5\n")
    expected = load_config(None, {"run.seed": 5})
    for config in (path, str(path), {"run": {"seed": 5}}, {"run.seed": 5}, expected):
        assert settings_of(verb, config, {}) == expected
    assert settings_of(verb, None, {"run": {"seed": 5}}) == expected
    assert settings_of(verb, None, {}, {"run.seed": 5, "run.workers": None}) == expected
    # An option that is not given leaves its section alone.
    assert settings_of(verb, None, {"run": {"seed": 5}}, {"run.seed": None}) == expected


def test_options_win_over_sections_and_these_over_the_file():
    config = {"run": {"seed": 1, "realisations": 2, "chunk_size": 3}}
    sections = {"run": {"seed": 4, "realisations": 5}}
    found = settings_of(verb, config, sections, {"run.seed": 6}).run
    assert (found.seed, found.realisations, found.chunk_size) == (6, 5, 3)
    found = settings_of(verb, load_config(None, config), sections, {"run.seed": 6}).run
    assert (found.seed, found.realisations, found.chunk_size) == (6, 5, 3)


def test_quantities():
    found = settings_of(verb, None, {"model": {"r0_pc": 8.2 * u.kpc}})
    assert found.model.r0_pc == pytest.approx(8200.0)
    with pytest.raises(InputError, match=r"expected a quantity|expected a number in pc"):
        settings_of(verb, {"model": {"r0_pc": 8.2 * u.deg}}, {})


@pytest.mark.parametrize(
    ("config", "sections", "words"),
    [
        (None, {"sed": 3}, "gcmock.verb has no option 'sed'; did you mean 'seed'"),
        (None, {"modle": {}}, "did you mean 'model'"),
        (None, {"zzzz": {}}, "options: seed Sections of settings: model"),
        (None, {"run": 3}, r"run = 3: expected the keys of the section \[run\]"),
        (3, {}, "config: expected a TOML file, a mapping of sections"),
        (None, {"run": {"sed": 3}}, "unknown key; did you mean 'seed'"),
        ("no_such.toml", {}, "no_such.toml: cannot be read"),
    ],
)
def test_errors(config, sections, words):
    with pytest.raises(InputError, match=words):
        settings_of(verb, config, sections)


def test_missions(tmp_path):
    path = tmp_path / "changes.toml"
    path.write_text("[magnitudes]\nfaint = 13.5\n")
    expected = mission_of("jasmine", path, None)
    assert expected.magnitudes.faint == 13.5
    assert mission_of("jasmine", {"magnitudes": {"faint": 13.5}}, None) == expected
    assert mission_of("jasmine", None, ["magnitudes.faint=13.5"]) == expected
    assert mission_of("jasmine", None, {"magnitudes.faint": 13.5}) == expected
    assert mission_of(expected, None, None) is expected
    plain = mission_of("jasmine", None, None)
    assert mission_of(plain, None, {"magnitudes.faint": 13.5}) == expected
    assert mission_of("jasmine", path, None, {"magnitudes.faint": 12.0}).magnitudes.faint == 12.0


def test_load_model_takes_settings_in_all_forms(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('[extinction]\nlaw = "nishiyama_2009"\n')
    content = {"extinction": {"law": "nishiyama_2009"}}
    names = {gcmock.load_model(config=c).law.name for c in (path, content, load_config(path))}
    assert names == {"nishiyama_2009"}
