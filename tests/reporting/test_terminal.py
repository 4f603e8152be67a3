"""Accounts of runs in the terminal."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gcmock.mock.account import Account
from gcmock.mock.summary import BuildSummary
from gcmock.reporting import terminal as module
from gcmock.reporting.terminal import print_demo, print_summary, progress
from gcmock.validation.recovery import Recovery
from gcmock.words.components import COMPONENTS, GROUPS


@pytest.fixture
def summary():
    found = BuildSummary(Path("mock.fits"), 2, seconds=2.0)
    found.read.n_rows = 1012
    found.read.missing = Counter({"phot_j_mag": 3, "phot_h_mag": 0})
    found.read.error_assumed = Counter({"phot_ks_mag": 5})
    found.read.band_sets = Counter({"h ks": 1000})
    found.skipped = Counter({"outside the map": 10, "no position": 2})
    found.account = Account()
    found.account.n_written = 2000
    place = COMPONENTS.index("bar")
    found.account.component_units[place] = 250 << 30
    found.account.variance_units[place] = 16 << 30
    found.account.flags = Counter({"UNEXPLAINED": 4})
    found.remarks = ["a column [x] looks unused"]
    return found


def lines_of(capsys):
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_account_of_a_build(summary, capsys):
    print_summary(summary)
    lines = lines_of(capsys)
    for line in (
        "rows read 1,012",
        "rows skipped 10 outside the map",
        # The label of a group stands on its first line only.
        "2 no position",
        "rows written 2,000 1,000 stars x 2 realisations",
        "missing values 3 phot_j_mag",
        "default error 5 phot_ks_mag",
        "stars by bands 1,000 h ks",
        "flagged rows 4 unexplained",
        "bar 250.0 4.0 25.00%",
        "note: a column [x] looks unused",
        "mock.fits: 2.0 s, 500 stars/s",
    ):
        assert line in lines
    assert not any("phot_h_mag" in line for line in lines)
    assert not any(line.startswith(("partitions", "rows kept")) for line in lines)


def test_parts_of_a_folder_and_of_an_earlier_run(summary, capsys):
    summary.n_partition, summary.n_kept = 7, 1500
    print_summary(summary)
    lines = lines_of(capsys)
    assert "partitions 7 files of the output" in lines
    assert "rows kept 1,500 written by an earlier run" in lines
    # 750 stars were there already.
    assert "mock.fits: 2.0 s, 125 stars/s" in lines


def test_no_bar_where_stderr_is_no_terminal():
    with progress("stars", "stars") as update:
        assert update is None


def test_bar_of_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("building", "stars") as update:
        update(30, 40)
    text = terminal.getvalue()
    assert "building" in text
    assert "30/40" in text


def test_numbers_of_a_demonstration(summary, capsys):
    fractions = {name: 0.25 for name in GROUPS}
    found = Recovery(
        fractions, {**fractions, "bar": 0.2}, {name: 0.01 for name in GROUPS}, 0.683, (0.1,) * 5,
        0.12, 0.19, 0.015, {"j": 1.02, "ks": 0.98},
    )  # fmt: skip
    files = (Path("survey.parquet"), Path("demo.png"))
    print_demo(SimpleNamespace(calibration=found, summary=summary, files=files))
    lines = lines_of(capsys)
    for line in (
        "1,000 stars simulated and inferred (2.0 s, 500 stars/s)",
        "bar 25.00% 20.00% 1.00%",
        "disc (thin1 to thick) 25.00% 25.00% 1.00%",
        "68 % interval of the distance covers 0.683 0.68",
        "Brier score of P(nuclear) 0.120 < 0.190",
        "std of (observed - true) / error, Ks 0.98 1",
        "survey.parquet",
        "demo.png",
    ):
        assert line in lines


def test_stages_follow_one_another(monkeypatch):
    told = []

    @contextmanager
    def progress(name, unit):
        told.append(f"open {name} {unit}")
        yield lambda done, total: told.append((done, total))
        told.append(f"close {name}")

    monkeypatch.setattr(module, "progress", progress)
    with module.stages() as tell:
        tell("read", 1, 2)
        tell("read", 2, 2)
        tell("law", 1, 1)
    assert told == [
        "open read rows", (1, 2), (2, 2), "close read", "open law ", (1, 1), "close law",
    ]  # fmt: skip


def test_a_bar_says_that_the_work_begins_before_it_can_count(monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(module.sys, "stderr", stream)
    with progress("build", "stars") as update:
        pass
    assert "loading" in stream.getvalue()
    assert "/?" not in stream.getvalue()
    with progress("build", "stars") as update:
        update(3, 10)
    assert "3/10" in stream.getvalue()
    assert "/?" not in stream.getvalue()
