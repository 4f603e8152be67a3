"""Settings: defaults, TOML in and out, and errors that help."""

import subprocess
import sys
import tomllib
from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic import ValidationError as PydanticError

from gcmock.errors import InputError
from gcmock.settings.build import CaseName, Config, default_config_toml, load_config
from gcmock.words.cases import CASE_COLUMNS


def test_printed_defaults_are_the_defaults(tmp_path):
    file = tmp_path / "defaults.toml"
    file.write_text(default_config_toml())
    assert load_config(file) == Config() == load_config()


def test_every_key_is_printed_with_a_comment():
    lines = default_config_toml().splitlines()
    for name, field in Config.model_fields.items():
        begin = lines.index(f"[{name}]")
        end = next((i for i in range(begin + 1, len(lines)) if lines[i][:1] == "["), len(lines))
        section = getattr(Config(), name)
        if isinstance(section, BaseModel):
            for key, inner in type(section).model_fields.items():
                assert inner.description
                # What has no default is shown with an example.
                shown = f"{key} = ", f"# {key} = "
                (i,) = [i for i in range(begin, end) if lines[i].startswith(shown)]
                assert lines[i - 1].startswith("#")
        assert field.default_factory is not None
    assert '"flat" | "linear"' in default_config_toml()
    assert max(map(len, lines)) <= 100


def test_resolved_settings_round_trip(tmp_path):
    config = load_config(
        None,
        {
            "model": {"bar": "G", "r0_pc": 8122.123456789012},
            "run.seed": 2**62,
            "parallax.use": False,
            "columns": {"phot_ks_mag": 'K "s" \\ é', "ra": "RAdeg"},
        },
    )
    file = tmp_path / "resolved.toml"
    file.write_text(config.to_toml(), encoding="utf-8")
    assert load_config(file) == config
    assert Config.model_validate_json(config.to_json()) == config


def test_file_and_overrides(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('[model]\nbar = "G"\nz_sun_pc = 20\n[run]\nseed = 5\n')
    config = load_config(file, {"run": {"seed": 6, "workers": None}, "run.realisations": 3})
    assert (config.model.bar, config.model.z_sun_pc) == ("G", 20.0)
    assert (config.run.seed, config.run.realisations) == (6, 3)
    assert config.run.n_workers >= 1
    assert load_config(None, {"run.workers": 3}).run.n_workers == 3


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("model.r0_pc", "8.16 kpc", 8160.0),
        ("model.bar_angle_deg", "0.5 rad", 28.64788975654116),
        ("parallax.zero_point_mas", "-17 uas", -0.017),
        ("extinction.residual_scatter_mag", "50 mmag", 0.05),
    ],
)
def test_quantities_are_converted(key, text, value):
    section, name = key.split(".")
    config = load_config(None, {key: text})
    assert getattr(getattr(config, section), name) == pytest.approx(value, rel=1e-14)


def test_velocity_components_may_be_quantities():
    config = load_config(None, {"model.sun_velocity_kms": ["-10000 m/s", 243, 7.0]})
    assert config.model.sun_velocity_kms == (-10.0, 243.0, 7.0)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"distance.maxx_pc": 3}, ["[distance] maxx_pc", "did you mean 'max_pc'"]),
        ({"colums.ra": "x"}, ["[colums]", "did you mean 'columns'"]),
        ({"columns.phot_k_mag": "K"}, ["phot_k_mag", "did you mean 'phot_ks_mag'"]),
        ({"model.bar": "X"}, ["[model] bar = 'X'", "'G+G_X', 'sormani2022' or 'huston2025'"]),
        ({"model.r0_pc": "8 mas"}, ["'8 mas'", "pc"]),
        ({"model.r0_pc": "eight"}, ["'eight'", "pc"]),
        ({"model.sun_velocity_kms": [1, 2]}, ["sun_velocity_kms"]),
        ({"distance.max_pc": 10}, ["[distance] max_pc = 10", "larger than min_pc"]),
        ({"run.seed": -1}, ["[run] seed = -1", "greater than or equal to 0"]),
        ({"run.realisations": 1.5}, ["[run] realisations = 1.5", "integer"]),
        ({"photometry.error_floor_mag": float("nan")}, ["[photometry] error_floor_mag"]),
        ({"distance": 3}, ["[distance] = 3", "section"]),
    ],
)
def test_wrong_settings_are_explained(overrides, words):
    with pytest.raises(InputError) as caught:
        load_config(None, overrides)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_one_line_per_problem(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('[run]\nsed = 1\n[model]\nbar = "X"\n')
    with pytest.raises(InputError) as caught:
        load_config(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(str(file)) for line in lines)


@pytest.mark.parametrize("content", [b"[run\n", b"\xff\xfe", None])
def test_unreadable_files(tmp_path, content):
    file = tmp_path / "c.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"c\.toml"):
        load_config(file)


def test_settings_are_frozen():
    with pytest.raises(PydanticError, match="frozen"):
        Config().run.seed = 3
    assert tomllib.loads(default_config_toml())["run"]["seed"] == 1


def test_import_stays_light():
    code = (
        "import sys, gcmock.settings.build, gcmock.words\n"
        "heavy = {'numpy', 'astropy', 'pyarrow', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_calibration_of_old_settings_is_what_was_learned(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text('[extinction]\nlaw = "nishiyama_2009"\ncalibration = "c.fits"\n')
    found = load_config(path)
    assert found.learn.file == "c.fits"
    assert found.extinction.law == "nishiyama_2009"
    # What the new section says wins; nothing given is nothing.
    both = {"extinction": {"calibration": "old.fits"}, "learn": {"file": "new.fits"}}
    assert load_config(None, both).learn.file == "new.fits"
    assert load_config(None, {"extinction": {"calibration": ""}}) == load_config()
    assert load_config(None, tomllib.loads(found.to_toml())) == found


def test_cases_of_measurements_are_those_of_the_table():
    assert load_config().learn.cases == tuple(CASE_COLUMNS)
    assert set(get_args(CaseName)) == set(CASE_COLUMNS)
    assert load_config(None, {"learn.cases": []}).learn.cases == ()
    with pytest.raises(InputError, match=r"\[learn\] cases"):
        load_config(None, {"learn.cases": ["binary"]})


@pytest.mark.parametrize("angle", [-91, 90.5, "2 rad", "nan"])
def test_angles_of_the_bar_have_a_range(angle):
    with pytest.raises(InputError, match="bar_angle_deg"):
        load_config(None, {"model.bar_angle_deg": angle})
