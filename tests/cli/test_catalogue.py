"""The command merge: its options arrive, its result is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcmock import cli


def test_options_arrive(called, printed) -> None:
    calls, told = (
        called("merge", "done"),
        printed("gcmock.reporting.merge_table:print_merge_summary"),
    )
    assert cli.run(["merge", "m.toml", "-o", "out"]) == 0
    words = (
        "merge m.toml -o out --rule pilot2023 --keep-rejected --workers 3 --scheduler local "
        "--overwrite"
    )
    assert cli.run(words.split()) == 0
    given = {"config": Path("m.toml"), "output": Path("out")}
    assert calls == [
        given,
        given
        | {
            "rule": "pilot2023",
            "keep_rejected": True,
            "workers": 3,
            "scheduler": "local",
            "overwrite": True,
        },
    ]
    assert told == [("done",)] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("merge -o out", "CONFIG"),
        ("merge m.toml", "--output"),
        ("merge m.toml -o out --rule nearest", '"nearest"'),
        ("merge m.toml -o out --workers many", "'many' is no whole number. See"),
        ("merge m.toml -o out --sheduler local", "--sheduler"),
    ],
)
def test_wrong_words(called, capsys, words: str, message: str) -> None:
    calls = called("merge")
    assert cli.run(words.split()) == 2
    assert message in capsys.readouterr().err
    assert calls == []
