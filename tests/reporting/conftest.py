"""A small catalogue with its input and a truth, shared by the tests of the report."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from gcmock import cli
from gcmock.io.writers.writer import open_writer
from gcmock.mock.build import build
from gcmock.reporting.demo import read_columns
from gcmock.settings.build import load_config
from gcmock.words.columns import TRUTH_COLUMNS


class ReportFiles(NamedTuple):
    """Paths of a catalogue with two realisations, its input and a truth."""

    stars: Path
    mock: Path
    truth: Path
    n_star: int


@pytest.fixture(scope="session")
def report_files(tmp_path_factory, few_stars) -> ReportFiles:
    """Return files of 400 stars; the truth is the second realisation of the catalogue itself."""
    folder = tmp_path_factory.mktemp("report")
    stars, mock, truth = (folder / f"{name}.parquet" for name in ("stars", "mock", "truth"))
    few_stars(400, size_deg=0.05).write(stars)
    settings = {"run": {"seed": 5, "realisations": 2, "workers": 1}}
    build(stars, mock, load_config(None, settings))
    table = read_columns(mock)
    second = table["realisation"] == 1
    rows = {column.name: table[column.name][second] for column in TRUTH_COLUMNS}
    with open_writer(truth, TRUTH_COLUMNS, {"content": "truth"}) as writer:
        writer.write(rows)
    return ReportFiles(stars, mock, truth, 400)


@pytest.fixture(scope="session")
def report_page(report_files, tmp_path_factory) -> Path:
    """Return a page with everything, made by the command, beside a folder with its figures."""
    folder = tmp_path_factory.mktemp("page")
    output = folder / "report.html"
    arguments = ["report", report_files.mock, "--input", report_files.stars]
    arguments += ["--truth", report_files.truth, "-o", output, "--figures", folder / "figures"]
    assert cli.run([*map(str, arguments), "--sample", "60"]) == 0
    return output
