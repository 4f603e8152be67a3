"""The command validate: its options arrive, failed checks are a failure."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gcmock import cli

PASSED = SimpleNamespace(files=(Path("v.json"),), failed=(), checks=(1, 2, 3))


@pytest.fixture
def told(printed) -> list:
    return printed("gcmock.reporting.validation:print_validation")


def test_options_arrive(called, told, capsys) -> None:
    calls = called("validate", PASSED)
    assert cli.run(["validate"]) == 0
    words = (
        "validate m.parquet --input s.fits --reference ref --counts hw.fits --completeness map "
        "--only sbc,truths --config c.toml --stars 100 --l -1 1 --b -0.5 0.5 --limits 10 14 "
        "-o v.json --figure v.png --seed 3 --workers 2 --overwrite"
    )
    assert cli.run(words.split()) == 0
    assert calls == [
        {},
        {
            "mock": Path("m.parquet"),
            "input": Path("s.fits"),
            "reference": Path("ref"),
            "counts": Path("hw.fits"),
            "completeness": Path("map"),
            "only": "sbc,truths",
            "config": Path("c.toml"),
            "stars": 100,
            "l": (-1.0, 1.0),
            "b": (-0.5, 0.5),
            "limits": (10.0, 14.0),
            "output": Path("v.json"),
            "figure": Path("v.png"),
            "seed": 3,
            "workers": 2,
            "overwrite": True,
        },
    ]
    assert told == [(PASSED,)] * 2
    assert capsys.readouterr().out.splitlines() == ["v.json"] * 2


def test_failed_checks_are_counted_and_their_tests_named_once(called, told, capsys) -> None:
    failed = [SimpleNamespace(test=name) for name in ("sbc", "sbc", "truths")]
    result = SimpleNamespace(files=(), failed=failed, checks=[*failed, 4, 5])
    called("validate", result)
    assert cli.run(["validate"]) == 1
    assert capsys.readouterr().err == "gcmock: error: 3 of 5 checks failed (sbc, truths)\n"
    assert told == [(result,)]


def test_wrong_words(called, capsys) -> None:
    calls = called("validate", PASSED)
    assert cli.run(["validate", "--limits", "10"]) == 2
    assert "--limits" in capsys.readouterr().err
    assert calls == []
