"""The log file of a run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcmock import __version__, cli
from gcmock.cli.log import RunLog, split_log
from gcmock.errors import InputError

word = st.text("abc-=. ", max_size=5).filter(lambda text: text != "--")


@pytest.mark.parametrize(
    ("words", "rest", "path"),
    [
        ("build a -o b", "build a -o b", None),
        ("build --log r.log a", "build a", "r.log"),
        ("build a --log=r.log", "build a", "r.log"),
        ("build -- --log r.log", "build -- --log r.log", None),
        ("build --logs r.log", "build --logs r.log", None),
    ],
)
def test_the_option_is_taken_out(words: str, rest: str, path: str | None) -> None:
    assert split_log(words.split()) == (rest.split(), path and Path(path))


@settings(max_examples=30, deadline=None)
@given(st.lists(word, max_size=4), st.lists(word, max_size=4))
def test_all_other_words_stay(before: list[str], after: list[str]) -> None:
    assert split_log([*before, "--log", "r.log", *after]) == ([*before, *after], Path("r.log"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "--log"], "--log needs the name of a file"),
        (["build", "--log", "-o", "b"], "--log needs the name of a file"),
        (["build", "--log="], "--log needs the name of a file"),
        (["build", "--log", "a", "--log=b"], "--log is given 2 times; give it once"),
    ],
)
def test_wrong_options(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_log(words)


def test_a_run_is_told_from_its_call_to_its_end(tmp_path: Path, capsys) -> None:
    path = tmp_path / "r.log"
    with RunLog(path, ["build", "my stars.fits"]) as log:
        print("rows \x1b[1;31mread\x1b[0m 3")
        log.ended(0)
    head, call, row, end = path.read_text().splitlines()
    assert re.fullmatch(rf"== \d{{4}}-.*\+00:00 gcmock {re.escape(__version__)}, Python .*", head)
    assert call == "$ gcmock build 'my stars.fits'"
    assert row == "rows read 3"
    assert re.fullmatch(r"exit code 0, \d+\.\d s", end)
    assert capsys.readouterr().out == "rows \x1b[1;31mread\x1b[0m 3\n"


def test_runs_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "r.log"
    for code in (0, 2):
        with RunLog(path, ["info"]) as log:
            log.ended(code)
    codes = re.findall(r"^exit code (\d)", path.read_text(), re.MULTILINE)
    assert codes == ["0", "2"]


def test_the_terminal_is_given_back_and_unexpected_errors_are_logged(tmp_path: Path) -> None:
    before = sys.stdout

    def fail() -> None:
        with RunLog(tmp_path / "r.log", ["info"]):
            assert sys.stdout is not before
            assert sys.stdout.encoding == before.encoding
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sys.stdout is before
    assert "ZeroDivisionError: division by zero" in (tmp_path / "r.log").read_text()


def test_a_normal_exit_is_no_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), RunLog(tmp_path / "r.log", ["info"]):
        sys.exit(0)
    assert "SystemExit" not in (tmp_path / "r.log").read_text()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine\n")
    with pytest.raises(InputError, match="exists and is no log of gcmock, so nothing is appended"):
        RunLog(other, ["info"])
    assert other.read_text() == "mine\n"


@pytest.mark.parametrize("words", [["build", "{}"], ["build", "a", "--output={}"]])
def test_files_of_the_command_are_no_logs(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "r.log"
    with pytest.raises(InputError, match=r"r\.log: is named by the command as well"):
        RunLog(path, [word.format(path) for word in words])
    assert not path.exists()


def test_links_to_nothing_and_folders_that_are_missing(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nothing")
    with pytest.raises(InputError, match="is a link to something that does not exist"):
        RunLog(link, ["info"])
    with pytest.raises(InputError, match="the log cannot be written: No such file"):
        RunLog(tmp_path / "none" / "r.log", ["info"])
    with pytest.raises(InputError, match="the log cannot be written: Is a directory"):
        RunLog(tmp_path, ["info"])


def test_empty_files_become_logs(tmp_path: Path) -> None:
    path = tmp_path / "r.log"
    path.touch()
    with RunLog(path, ["info"]):
        pass
    assert path.read_text().startswith("== ")


def test_errors_and_exit_code_of_a_command(tmp_path: Path, capsys) -> None:
    path = tmp_path / "r.log"
    assert cli.run(["merge", "-o", "out", "--log", str(path)]) == 2
    printed = capsys.readouterr().err.splitlines()
    lines = path.read_text().splitlines()
    assert lines[1] == "$ gcmock merge -o out"
    assert lines[2:-1] == printed
    assert lines[-1].startswith("exit code 2, ")
