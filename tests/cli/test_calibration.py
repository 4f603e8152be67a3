"""The command calibrate: its options arrive, its result is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gcmock import cli

RESULT = SimpleNamespace(files=(Path("c.fits"), Path("c.png")))


def test_options_arrive(called, printed, capsys) -> None:
    calls, told = (
        called("calibrate", RESULT),
        printed("gcmock.reporting.calibration:print_calibration"),
    )
    assert cli.run(["calibrate", "s.fits", "-o", "c.fits"]) == 0
    words = (
        "calibrate s.fits -o c.fits --config c.toml --limits 10 15.5 --stars-per-cell 50 "
        "--law one --no-law-offset --no-local --no-extinction --no-fractions --no-errors "
        "--figure c.png --hats h --seed 4 --workers 2 --overwrite"
    )
    assert cli.run(words.split()) == 0
    given = {"catalogue": Path("s.fits"), "output": Path("c.fits")}
    assert calls == [
        given,
        given
        | {
            "config": Path("c.toml"),
            "limits": (10.0, 15.5),
            "stars_per_cell": 50,
            "law": "one",
            "no_law_offset": True,
            "no_local": True,
            "no_extinction": True,
            "no_fractions": True,
            "no_errors": True,
            "figure": Path("c.png"),
            "hats": Path("h"),
            "seed": 4,
            "workers": 2,
            "overwrite": True,
        },
    ]
    assert told == [(RESULT,)] * 2
    assert capsys.readouterr().out.splitlines() == ["c.fits", "c.png"] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("calibrate s.fits", "--output"),
        ("calibrate s.fits -o c.fits --limits 10", "--limits"),
        ("calibrate s.fits -o c.fits --law two", '"two"'),
        ("calibrate s.fits -o c.fits --fractions", "--fractions"),
    ],
)
def test_wrong_words(called, capsys, words: str, message: str) -> None:
    calls = called("calibrate", RESULT)
    assert cli.run(words.split()) == 2
    assert message in capsys.readouterr().err
    assert calls == []
