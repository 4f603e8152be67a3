"""The command fetch: its options arrive, its result is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gcmock import cli

RESULT = {
    "survey": "virac2", "url": "https://tap.example", "n_tile": 1200, "n_kept": 0,
    "n_bytes": 3_000_000, "n_rows": 50_000, "seconds": 9.0, "output": Path("virac2"),
}  # fmt: skip


def test_options_arrive(called, capsys) -> None:
    calls = called("fetch", SimpleNamespace(**RESULT))
    words = "fetch virac2 --l -1.4 0.7 --b -0.6 0.6 -o virac2"
    assert cli.run(words.split()) == 0
    words += " --archive eso --service https://mirror.example --tile-rows 1000 --overwrite"
    assert cli.run(words.split()) == 0
    given = {"survey": "virac2", "l": (-1.4, 0.7), "b": (-0.6, 0.6), "output": Path("virac2")}
    assert calls == [
        given,
        given
        | {
            "archive": "eso",
            "service": "https://mirror.example",
            "tile_rows": 1000,
            "overwrite": True,
        },
    ]
    assert capsys.readouterr().out.splitlines()[:3] == [
        "virac2 from https://tap.example",
        "1,200 tiles, 3.0 MB",
        "virac2: 50,000 rows in the window, 9.0 s",
    ]


def test_tiles_that_were_there_and_empty_windows_are_told(called, capsys) -> None:
    called("fetch", SimpleNamespace(**RESULT | {"n_kept": 1100, "n_rows": 0}))
    assert cli.run(["fetch", "2mass", "--l", "0", "0.1", "--b", "0", "0.1", "-o", "t"]) == 0
    out = capsys.readouterr().out
    assert "1,200 tiles (1,100 were there), 3.0 MB" in out
    assert out.endswith("note: the survey has no source in this window\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("fetch gaia --l 0 1 -o t", "--b"),
        ("fetch gaia --l 0 --b 0 1 -o t", "--l"),
        ("fetch gaia --l 0 1 --b 0 1", "--output"),
    ],
)
def test_wrong_words(called, capsys, words: str, message: str) -> None:
    calls = called("fetch")
    assert cli.run(words.split()) == 2
    assert message in capsys.readouterr().err
    assert calls == []
