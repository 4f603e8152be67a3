"""What users expect: tables of their library, reprs, completion, exit codes, colours, a log."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import QTable

import gcmock
from gcmock import cli
from gcmock.errors import InputError, ModelWarning
from gcmock.mock.build import build
from gcmock.settings.build import load_config
from gcmock.words.columns import OUTPUT_COLUMNS

RUN = {"run": {"seed": 3, "realisations": 2, "workers": 1}, "learn": {"use": False}}


@pytest.fixture(scope="module")
def stars(few_stars):
    return few_stars(12)


@pytest.fixture(scope="module")
def expected(stars):
    return gcmock.build(stars, **RUN)


def test_pandas_in_and_out(stars, expected):
    frame = stars.to_pandas()
    found = gcmock.build(frame, **RUN)
    assert isinstance(found, pd.DataFrame)
    assert list(found) == expected.colnames
    for name in expected.colnames:
        np.testing.assert_array_equal(found[name].to_numpy(), np.asarray(expected[name]))
    assert found.attrs["units"]["pmra"] == "mas/yr"
    assert found.attrs["gcmock"]["seed"] == "3"


def test_pandas_with_missing_values(stars):
    frame = stars.to_pandas()
    frame.loc[0, "phot_h_mag"] = None
    frame["source_id"] = [f"star {i}" for i in range(len(frame))]
    frame["notes"] = [{"a": 1}] * len(frame)
    found = gcmock.build(frame, **RUN)
    assert found["n_bands"].tolist()[:4] == [1, 1, 2, 2]
    assert found["source_id"][0] == "star 0"


def test_pyarrow_in_and_out(stars, expected):
    table = pa.Table.from_pandas(stars.to_pandas())
    field = table.schema.get_field_index("l")
    degrees = table["l"]
    radians = pa.array(np.radians(degrees.to_numpy()))
    with_unit = pa.field("l", pa.float64(), metadata={"unit": "rad"})
    table = table.set_column(field, with_unit, radians)
    found = gcmock.build(table, **RUN)
    assert isinstance(found, pa.Table)
    assert found.column_names == expected.colnames
    np.testing.assert_allclose(found["l"].to_numpy(), np.asarray(expected["l"]), rtol=1e-14)
    assert found.schema.field("pmra").metadata[b"unit"] == b"mas/yr"
    assert found.schema.field("pmra").metadata[b"ucd"] == b"pos.pm;pos.eq.ra"
    assert b'"seed": "3"' in found.schema.metadata[b"gcmock"]


def test_chunks_of_pyarrow_do_not_matter(stars, expected):
    whole = pa.Table.from_pandas(stars.to_pandas())
    pieces = pa.concat_tables([whole.slice(0, 5), whole.slice(5, 1), whole.slice(6)])
    found = gcmock.build(pieces, **RUN | {"run": RUN["run"] | {"chunk_size": 4}})
    np.testing.assert_array_equal(
        found["distance_pc"].to_numpy(), np.asarray(expected["distance_pc"])
    )


@pytest.mark.parametrize("empty", [pd.DataFrame({"l": []}), pa.table({"l": pa.array([], "f8")})])
def test_empty_tables(empty):
    with pytest.raises(InputError, match="no rows"):
        gcmock.build(empty)


def test_unreadable_column(stars):
    frame = stars.to_pandas()
    frame["mixed"] = [1, "a", *([None] * (len(frame) - 2))]
    with pytest.raises(InputError, match="cannot be read"):
        gcmock.build(frame)


def test_reprs_are_short_and_rich(tmp_path, stars):
    config = load_config(None, {"run.seed": 7, "columns.ra": "<RA>"})
    assert repr(config) == "Config(columns.ra='<RA>', run.seed=7)"
    assert repr(load_config()) == "Config(defaults)"
    assert "&lt;RA&gt;" in config._repr_html_()
    assert config._repr_html_().count("changed") == 2
    with pytest.warns(ModelWarning, match="nuclear star cluster"):
        model = gcmock.load_model(bar="G")
    assert "bar G" in repr(model)
    assert "computed with the gravity of the default model" in model._repr_html_()
    assert len(repr(model)) < 300
    assert "8160 pc from Sgr A*" in model._repr_html_()
    given = tmp_path / "stars.parquet"
    stars.write(given)
    summary = build(given, tmp_path / "mock.parquet", load_config(None, RUN))
    assert "12 rows read, 0 skipped, 24 written" in repr(summary)
    assert "stars of nsd" in summary._repr_html_()


@pytest.mark.slow
def test_topcat_finds_units_and_descriptions(tmp_path, stars):
    """TOPCAT reads TUNIT, TCOMM and TUCD of FITS, and unit, DESCRIPTION and ucd of VOTable."""
    given = tmp_path / "stars.fits"
    stars.write(given)
    for suffix in (".fits", ".vot"):
        build(given, tmp_path / f"mock{suffix}", load_config(None, RUN))
    with fits.open(tmp_path / "mock.fits") as hdus:
        header = hdus[1].header
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fields = {f.name: f for f in parse(tmp_path / "mock.vot").get_first_table().fields}
    for i, column in enumerate(OUTPUT_COLUMNS, 1):
        assert header[f"TTYPE{i}"] == column.name
        assert header[f"TCOMM{i}"] == column.description
        assert header[f"TUCD{i}"] == column.ucd
        assert fields[column.name].description == column.description
        assert fields[column.name].ucd == column.ucd
        # Neither FITS nor VOUnits know dex: the description names it.
        if column.unit == "dex":
            assert "dex" in header[f"TCOMM{i}"]
        elif column.unit:
            assert header[f"TUNIT{i}"]
            assert str(fields[column.name].unit) == str(
                QTable.read(tmp_path / "mock.fits")[column.name].unit
            )


def call(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "gcmock", *map(str, words)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["info"], 0),
        (["build", "nothing.fits", "-o", "mock.fits"], 2),
        (["build", "--no-such-option"], 2),
        (["info", "nothing"], 2),
        (["info", "--log"], 2),
        (["info", "--log=a", "--log", "b"], 2),
        (["info", "--log", "/no/such/folder/log.txt"], 2),
    ],
)
def test_exit_codes(words, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(words) == code
    error = capsys.readouterr().err
    assert ("gcmock: error:" in error) == (code != 0)


def test_exit_codes_are_documented():
    page = (Path(__file__).parents[1] / "docs" / "command_line.md").read_text(encoding="utf-8")
    for code in (0, 1, 2, 130):
        assert f"\n| {code} |" in page


@pytest.mark.long
def test_no_colour_is_respected(tmp_path):
    plain = call("build", "x.csv", "-o", "y.fits", NO_COLOR="1", FORCE_COLOR="1")
    assert "\x1b[" not in plain.stderr + plain.stdout
    code = (
        "from rich.console import Console\n"
        "from gcmock.reporting.terminal import print_summary\n"
        "from gcmock.mock.summary import BuildSummary\n"
        "print_summary(BuildSummary(None, 1))"
    )
    shown = {}
    for name, extra in (("colour", {}), ("none", {"NO_COLOR": "1"})):
        environment = os.environ | {"FORCE_COLOR": "1", "TERM": "xterm-256color"} | extra
        if not extra:
            environment.pop("NO_COLOR", None)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        shown[name] = done.stdout
    # Colours are codes 30 to 49 and 90 to 107; bold, which is none, may stay.
    colours = r"\x1b\[(?:\d+;)*(?:3\d|4\d|9\d|10\d)[;m]"
    import re

    assert "\x1b[" in shown["colour"]
    assert not re.search(colours, shown["none"])


def test_log(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["info", "laws", "--log", "run.log"]) == 0
    printed = capsys.readouterr().out
    assert cli.run(["--log=run.log", "build", "none.csv", "-o", "mock.fits"]) == 2
    text = (tmp_path / "run.log").read_text(encoding="utf-8")
    assert "$ gcmock info laws\n" in text
    assert printed in text
    assert "exit code 0" in text
    assert "gcmock: error: none.csv: no such file\nexit code 2" in text
    assert text.count("== ") == 2


def test_log_of_an_unexpected_error(tmp_path, monkeypatch, capsys):
    def broken(topic):
        raise RuntimeError("not foreseen")

    monkeypatch.setattr("gcmock.reporting.info.info", broken)
    assert cli.run(["info", "laws", "--log", str(tmp_path / "run.log")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("gcmock: error: a defect of gcmock: RuntimeError: not foreseen (")
    assert error.count("\n") == 1
    text = (tmp_path / "run.log").read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "RuntimeError: not foreseen" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    script = cli.app.generate_completion(shell=shell)
    for word in ("build", "report", "--realisations", "--figures"):
        assert word.lstrip("-") in script


def test_completion_is_offered(capsys):
    assert cli.run(["--help"]) == 0
    assert "--install-completion" in capsys.readouterr().out


def test_log_never_touches_other_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    (tmp_path / "stars.csv").write_text("ra,dec\n1,2\n", encoding="utf-8")
    assert cli.run(["info", "laws", "--log", "thesis.txt"]) == 2
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"
    assert cli.run(["build", "stars.csv", "-o", "new.fits", "--log", "stars.csv"]) == 2
    assert cli.run(["build", "stars.csv", "-o", "new.fits", "--log", "./new.fits"]) == 2
    assert cli.run(["build", "stars.csv", "--output=new.fits", "--log", "new.fits"]) == 2
    assert (tmp_path / "stars.csv").read_text(encoding="utf-8") == "ra,dec\n1,2\n"
    assert not (tmp_path / "new.fits").exists()
    assert "choose another file for --log" in capsys.readouterr().err
