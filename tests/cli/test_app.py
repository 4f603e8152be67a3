"""The command line: what it prints, the codes it exits with, and that it answers at once."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.table import QTable, Table

import gcmock
from gcmock import cli
from gcmock.io.metadata import read_metadata
from gcmock.settings.build import load_config
from gcmock.words.columns import INPUT_COLUMNS, OUTPUT_COLUMNS
from gcmock.words.components import COMPONENTS
from gcmock.words.flags import Flag


def gcmock_call(*arguments):
    command = [sys.executable, "-m", "gcmock", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def stars(tmp_path):
    path = tmp_path / "stars.csv"
    table = Table({"source_id": [1, 2, 3], "ra": [266.4, 266.5, 266.6], "dec": [-29.0] * 3})
    table["phot_h_mag"], table["phot_ks_mag"] = [13.1, 12.5, 14.0], [11.6, 11.5, -999.0]
    table["Jmag"] = [16.0, 14.5, 15.0]
    table.write(path)
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["build", "simulate", "demo", "info", "Start with: gcmock demo"]),
        (
            ["build", "--help"],
            [
                "Example: gcmock build",
                "--realisations",
                "--config",
                "--scheduler",
                "--learned",
                "--no-learn",
            ],
        ),
        (["import-hats", "--help"], ["Example: gcmock import-hats", "--pixel-threshold"]),
        (["simulate", "--help"], ["Example: gcmock simulate", "--ks-max", "--survey"]),
        (["demo", "--help"], ["Example: gcmock demo", "--output"]),
        (["info", "--help"], ["Example: gcmock info", "schema", "missions"]),
        (["propagate", "--help"], ["Example: gcmock propagate", "--epochs", "--aberration"]),
        (["observe", "--help"], ["Example: gcmock observe", "--visits", "--noise-free"]),
        (["export", "--help"], ["Example: gcmock export", "--mission", "roman-gbtds"]),
        (["report", "--help"], ["Example: gcmock report", "--input", "--truth", "--figures"]),
        (["--version"], [gcmock.__version__]),
        (["info"], ["gcmock info laws"]),
    ],
)
def test_help(capsys, arguments, words):
    assert cli.run(arguments) == 0
    printed = capsys.readouterr().out
    assert [word for word in words if word not in printed] == []


def test_help_groups_the_commands(capsys):
    assert cli.run(["--help"]) == 0
    printed = capsys.readouterr().out
    heads = ("Begin", "Catalogues of true stars", "Surveys", "Missions", "Results")
    places = [printed.index(f" {head} ") for head in heads]
    assert places == sorted(places)
    names = [name for name in cli.app if not name.startswith("-")]
    assert all(printed.index(f"│ {name} ") > places[0] for name in names)


@pytest.mark.parametrize("name", [name for name in cli.app if not name.startswith("-")])
def test_every_help_has_what_all_commands_take(capsys, name):
    assert cli.run([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert [word for word in ("--log FILE", "--quiet", "--verbose") if word not in printed] == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["build", "--outpt", "x"], "Did you mean --output? See gcmock build --help"),
        (["solve", "a", "-o", "b", "--robust", "agi"], 'Did you mean "agis"? See gcmock solve'),
        (["expor"], 'Did you mean "export"'),
        (["expor"], "See gcmock --help"),
        (["export", "m.fits", "-o", "x.fits", "--mission", "jasmin"], "did you mean 'jasmine'?"),
        (["build", "none", "-o", "x.fits"], "none: no such file"),
        (["build", "none.xyz", "-o", "x.fits"], "none.xyz: no such file"),
    ],
)
def test_errors_say_what_was_meant(capsys, monkeypatch, tmp_path, words, error):
    monkeypatch.chdir(tmp_path)
    assert cli.run(words) == 2
    assert error in capsys.readouterr().err


def test_unknown_laws_are_told_from_known_ones(capsys, tmp_path, stars):
    settings = tmp_path / "settings.toml"
    settings.write_text('[extinction]\nlaw = "nishiyama2009"\n', encoding="utf-8")
    words = ["build", str(stars), "-o", str(tmp_path / "m.fits"), "--config", str(settings)]
    assert cli.run(words) == 2
    assert "did you mean 'nishiyama_2009'?" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "most"), [(["-m", "gcmock", "--help"], 0.8), (["-c", "import gcmock"], 0.2)]
)
def test_help_and_import_take_little_processor_time(words, most):
    resource = pytest.importorskip("resource")

    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Time of the processor, because other tests may be running on the same cores; on a quiet
    # machine half of these.
    assert min(seconds() for _ in range(3)) < most


def test_import_is_light():
    code = "import gcmock, sys; print(sorted({'numpy', 'numba', 'astropy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names():
    assert set(gcmock.__all__) <= set(dir(gcmock))
    assert callable(gcmock.build)
    assert gcmock.load_model().components.keys() == dict.fromkeys(COMPONENTS).keys()
    with pytest.raises(AttributeError, match="no attribute 'bild'"):
        gcmock.bild  # noqa: B018


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("model", ["koshimoto2021", "bar_angle_deg"]),
        ("components", COMPONENTS),
        ("laws", ["wang_chen_2019 (default)", "nogueras_lara_2020", "ApJ 877, 116"]),
        ("hw", ["yano2021_2mass (default)", "kawata2024", "Yano 2021"]),
        ("schema", [column.name for column in INPUT_COLUMNS + OUTPUT_COLUMNS]),
        ("schema", [flag.description for flag in Flag]),
        ("missions", ["jasmine", "roman-gbtds", "gaianir", "sun_angle_deg", "jasmine_toolkit"]),
        ("data", ["extinction_map.npz", "genulens"]),
    ],
)
def test_info(capsys, topic, words):
    assert cli.run(["info", topic]) == 0
    printed = capsys.readouterr().out
    assert [word for word in words if word not in printed] == []


def test_info_config_is_a_config(capsys, tmp_path):
    assert cli.run(["info", "config"]) == 0
    file = tmp_path / "config.toml"
    file.write_text(capsys.readouterr().out)
    assert load_config(file) == load_config()


@pytest.mark.slow
def test_build(capsys, tmp_path, stars):
    output = tmp_path / "mock.fits"
    config = tmp_path / "config.toml"
    config.write_text('[extinction]\nlaw = "nishiyama_2009"\n[run]\nseed = 3\n')
    options = ["--config", config, "--no-learn", "--seed", 9, "--realisations", 2, "--workers", 1]
    assert cli.run(list(map(str, ["build", stars, "-o", output, *options]))) == 0
    printed, error = capsys.readouterr()
    assert error == ""
    for words in ("rows read", "rows written", "phot_ks_mag", "h+ks", "nsc", "stars/s", output):
        assert str(words) in printed
    assert "column 'Jmag' is not used; if it is phot_j_mag" in printed
    assert len(QTable.read(output)) == 6
    made_with = tmp_path / "made_with.toml"
    made_with.write_text(read_metadata(output)["config"])
    found = load_config(made_with)
    assert (found.run.seed, found.run.realisations) == (9, 2)
    assert found.extinction.law == "nishiyama_2009"
    again = cli.run(["build", str(stars), "-o", str(output)])
    assert again == 2
    assert "exists already" in capsys.readouterr().err
    assert cli.run(["build", str(stars), "-o", str(output), "--no-learn", "--overwrite"]) == 0


@pytest.mark.slow
def test_simulate_and_build(capsys, tmp_path):
    window = ["--l", "-0.75", "-0.73", "--b", "-0.2", "-0.18", "--ks-max", "13"]
    output = tmp_path / "survey.parquet"
    assert cli.run(["simulate", "-o", str(output), *window, "--survey", "--seed", "2"]) == 0
    n_star = len(QTable.read(output))
    assert n_star > 10
    assert f"{output}: {n_star:,} stars" in capsys.readouterr().out
    truth = QTable.read(tmp_path / "survey_truth.parquet")
    assert np.isin(QTable.read(output)["source_id"], truth["source_id"]).all()
    assert cli.run(["build", str(output), "-o", str(tmp_path / "mock.parquet"), "--no-learn"]) == 0


@pytest.mark.long
def test_no_progress_bar_without_a_terminal(tmp_path, stars):
    done = gcmock_call("build", stars, "-o", tmp_path / "mock.parquet")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


@pytest.mark.slow
def test_progress_bar_in_a_terminal(capsys, monkeypatch, tmp_path, stars):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert cli.run(["build", str(stars), "-o", str(tmp_path / "mock.parquet"), "--no-learn"]) == 0
    assert "3/3" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m gcmock info schema | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
def test_demo(capsys, monkeypatch, tmp_path):
    # A smaller window than that of the command.
    monkeypatch.setattr("gcmock.reporting.demo.L_RANGE", (-0.025, 0.0))
    monkeypatch.setattr("gcmock.reporting.demo.B_RANGE", (-0.25, -0.2))
    folder = tmp_path / "new" / "demo"
    for _ in range(2):
        assert cli.run(["demo", "-o", str(folder), "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    for words in ("nsd", "68 %", "Brier", "std of (observed - true) / error, Ks"):
        assert words in printed
    assert {file.name for file in folder.iterdir()} == {
        "survey.parquet",
        "truth.parquet",
        "mock.parquet",
        "demo.png",
    }
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")
