"""The command report: its options arrive, its result is told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from gcmock import cli

RESULT = SimpleNamespace(
    output=Path("r.html"), size=2_500_000, n_row=8000, n_star=4000, seconds=2.0,
    figures=(Path("a.png"), Path("a.pdf")),
)  # fmt: skip


def test_options_arrive(called, capsys) -> None:
    calls = called("report", RESULT)
    assert cli.run(["report", "m.parquet", "-o", "r.html"]) == 0
    summary = "r.html: 2.5 MB, 4,000 stars, 2.0 s, 4,000 rows/s\n"
    assert capsys.readouterr().out == summary
    words = (
        "report m.parquet -o r.html --input s.fits --truth t.fits --figures figs --sample 0 "
        "--overwrite"
    )
    assert cli.run(words.split()) == 0
    assert capsys.readouterr().out == f"figs: 2 files\n{summary}"
    given = {"mock": Path("m.parquet"), "output": Path("r.html")}
    assert calls == [
        given,
        given
        | {
            "input": Path("s.fits"),
            "truth": Path("t.fits"),
            "figures": Path("figs"),
            "sample": 0,
            "overwrite": True,
        },
    ]


def test_the_page_must_be_named(called, capsys) -> None:
    calls = called("report", RESULT)
    assert cli.run(["report", "m.parquet"]) == 2
    assert "--output" in capsys.readouterr().err
    assert calls == []
