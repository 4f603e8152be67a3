"""How much a command says: --quiet, --verbose, and neither."""

from __future__ import annotations

import sys

import pytest

from gcmock import cli
from gcmock.cli.loudness import said, split_loudness
from gcmock.errors import InputError
from gcmock.progress import LOUDNESS
from gcmock.reporting.terminal import progress


@pytest.mark.parametrize(
    ("given", "rest", "loudness"),
    [
        ("build a", "build a", "usual"),
        ("build --quiet a", "build a", "quiet"),
        ("--verbose build a", "build a", "verbose"),
        ("build --quiet --quiet a", "build a", "quiet"),
        ("build -- --quiet", "build -- --quiet", "usual"),
        ("build --quietly", "build --quietly", "usual"),
    ],
)
def test_words_of_a_command(given: str, rest: str, loudness: str) -> None:
    assert split_loudness(given.split()) == (rest.split(), loudness)


def test_both_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="give one of them"):
        split_loudness(["info", "--quiet", "--verbose"])
    assert cli.run(["info", "--quiet", "--verbose"]) == 2
    assert "contradict" in capsys.readouterr().err


def test_quiet_prints_errors_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["info", "laws", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert cli.run(["info", "laws"]) == 0
    assert "nishiyama_2009" in capsys.readouterr().out
    assert cli.run(["build", "none.fits", "-o", "a.fits", "--quiet"]) == 2
    assert "none.fits: no such file" in capsys.readouterr().err


def test_a_log_has_what_quiet_does_not_print(tmp_path, capsys) -> None:
    assert cli.run(["info", "laws", "--quiet", "--log", str(tmp_path / "run.log")]) == 0
    assert capsys.readouterr().out == ""
    assert "nishiyama_2009" in (tmp_path / "run.log").read_text()


def test_verbose_prints_lines_where_there_is_no_terminal(capsys) -> None:
    with said("verbose"), progress("build", "stars") as update:
        assert "build: loading" in capsys.readouterr().err
        update(5, 20)
        update(6, 20)
        update(20, 20)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("gcmock: build: 5 of 20 stars, ")
    assert lines[1].startswith("gcmock: build: 20 of 20 stars, ")


def test_usually_nothing_is_said_where_there_is_no_terminal(capsys) -> None:
    with progress("build", "stars") as update:
        assert update is None
    assert capsys.readouterr() == ("", "")


def test_quiet_shows_no_bar_on_a_terminal(monkeypatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with said("quiet"), progress("build", "stars") as update:
        assert update is None


def test_it_ends_with_the_command() -> None:
    with pytest.raises(ValueError, match="x"), said("quiet"):
        raise ValueError("x")
    assert LOUDNESS.get() == "usual"
    assert sys.stdout is not None
