"""Whole numbers of the command line."""

import pytest

from gcmock import cli


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
