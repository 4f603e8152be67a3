"""Whole numbers of the command line."""

from typing import get_args

import pytest

from gcmock import cli
from gcmock.astrometry.missions.mission import mission_names
from gcmock.cli.options import MissionName


@pytest.mark.parametrize("word", ["1.5", "1e9", "0x10", "nan", "", "--", "9" * 5000, "two"])
def test_what_is_no_whole_number_is_refused(called, capsys, word):
    calls = called("build")
    assert cli.run(["build", "a.fits", "-o", "b.fits", f"--realisations={word}"]) == 2
    error = capsys.readouterr().err
    assert "--realisations" in error
    assert len(error) < 700
    assert calls == []


@pytest.mark.parametrize(("word", "value"), [("7", 7), ("1_000", 1000), ("-3", -3), ("+2", 2)])
def test_whole_numbers_arrive(called, word, value):
    calls = called("build", Exception())
    with pytest.raises(AssertionError):
        assert cli.run(["build", "a.fits", "-o", "b.fits", f"--seed={word}"]) == 0
    assert calls[0]["seed"] == value


def test_missions_that_the_shell_completes_are_those_of_the_package() -> None:
    choices, path = get_args(MissionName)
    assert set(get_args(choices)) == set(mission_names())
    assert path is str


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_choices_are_completed(shell: str) -> None:
    script = cli.app.generate_completion(shell=shell)
    for choice in ("roman-gbtds-2025", "huber", "pilot2023"):
        assert choice in script
