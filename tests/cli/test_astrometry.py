"""Commands of the closed loop: their options arrive, their results are told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gcmock import cli
from gcmock.errors import InputError

PROPAGATED = SimpleNamespace(n_star=1000, n_epoch=3, n_rows=3000, seconds=2.0, defaults={})
OBSERVED = SimpleNamespace(
    n_visit=400, n_block=12, n_source=5000, n_primary=300, n_reference=40, n_observation=20_000,
    n_outlier=0, seconds=4.0,
)  # fmt: skip
EXPORTED = SimpleNamespace(n_rows=1500, n_read=2000, n_saturated=7)


@pytest.mark.parametrize(
    ("verb", "words", "result"),
    [
        ("propagate", ["m.fits", "-o", "out"], PROPAGATED),
        ("observe", ["m.fits", "-o", "out"], OBSERVED),
        ("export", ["m.fits", "-o", "out"], EXPORTED),
    ],
)
def test_defaults_are_those_of_the_verb(called, verb: str, words: list[str], result) -> None:
    calls = called(verb, result)
    assert cli.run([verb, *words]) == 0
    first = "catalogue" if verb == "propagate" else "mock"
    assert calls == [{first: Path("m.fits"), "output": Path("out")}]


def test_propagate(called, capsys) -> None:
    result = SimpleNamespace(**vars(PROPAGATED) | {"defaults": {"radial_velocity": 0.0}})
    calls = called("propagate", result)
    words = (
        "propagate m.fits -o d.parquet --epochs 2032 2034.5 --times t.txt --product sources "
        "--seen-from barycentre --orbit o.ecsv --aberration --deflection --realisation 2 "
        "--overwrite"
    )
    assert cli.run(words.split()) == 0
    assert calls == [
        {
            "catalogue": Path("m.fits"),
            "output": Path("d.parquet"),
            "epochs": [2032.0, 2034.5],
            "times": Path("t.txt"),
            "product": "sources",
            "seen_from": "barycentre",
            "orbit": Path("o.ecsv"),
            "aberration": True,
            "deflection": True,
            "realisation": 2,
            "overwrite": True,
        }
    ]
    assert capsys.readouterr().out.splitlines() == [
        "note: m.fits has no column radial_velocity; taken as 0",
        "d.parquet: 1,000 stars x 3 epochs, 2.0 s, 1,500 star-epochs/s",
    ]


def test_observe(called, capsys) -> None:
    calls = called("observe", SimpleNamespace(**vars(OBSERVED) | {"n_outlier": 20}))
    words = (
        "observe m.fits -o obs --mission roman-gbtds --config c.toml --visits 400 --seasons 2 "
        "--faint 14.5 --primaries-max 12 --set schedule.years=2 outliers.fraction=0.1 --seed 5 "
        "--realisation 1 --noise-free --aberration --deflection --overwrite"
    )
    assert cli.run(words.split()) == 0
    assert calls == [
        {
            "mock": Path("m.fits"),
            "output": Path("obs"),
            "mission": "roman-gbtds",
            "config": Path("c.toml"),
            "visits": 400,
            "seasons": 2,
            "faint": 14.5,
            "primaries_max": 12.0,
            "set": ["schedule.years=2", "outliers.fraction=0.1"],
            "seed": 5,
            "realisation": 1,
            "noise_free": True,
            "aberration": True,
            "deflection": True,
            "overwrite": True,
        }
    ]
    out = capsys.readouterr().out
    assert "visits 400 in 12 calibration blocks" in out
    assert "stars 5,000: 300 primary, 40 seen by Gaia" in out
    assert "observations 20,000, 20 outliers" in out
    assert "obs: 4.0 s, 5,000 observations/s" in out


def test_export(called, capsys) -> None:
    calls = called("export", EXPORTED)
    words = (
        "export m.fits -o r.parquet --mission gaianir --config c.toml --set magnitudes.faint=15 "
        "--realisation 3 --overwrite"
    )
    assert cli.run(words.split()) == 0
    assert calls == [
        {
            "mock": Path("m.fits"),
            "output": Path("r.parquet"),
            "mission": "gaianir",
            "config": Path("c.toml"),
            "set": ["magnitudes.faint=15"],
            "realisation": 3,
            "overwrite": True,
        }
    ]
    expected = "r.parquet: 1,500 of 2,000 stars, 7 of them brighter than the bright limit\n"
    assert capsys.readouterr().out == expected


def test_solve(called, printed) -> None:
    result = SimpleNamespace(output=Path("s"), account={"n": 1, "solver": "direct"})
    calls, told = called("solve", result), printed("gcmock.reporting.closed_loop:print_solution")
    assert cli.run(["solve", "obs", "-o", "s"]) == 0
    words = (
        "solve obs -o s --reference g.fits --order instrument --robust agis --primary-limit 12.5 "
        "--no-secondaries --memory-limit 4 --workers 3 --overwrite"
    )
    assert cli.run(words.split()) == 0
    where = {"observations": Path("obs"), "output": Path("s")}
    assert calls == [
        where,
        where
        | {
            "reference": "g.fits",
            "order": "instrument",
            "robust": "agis",
            "primary_limit": 12.5,
            "no_secondaries": True,
            "memory_limit": 4.0,
            "workers": 3,
            "overwrite": True,
        },
    ]
    assert told == [(Path("s"), result.account)] * 2


def test_compare(called, printed, capsys) -> None:
    calls = called("compare", SimpleNamespace(account={"n": 1}, tables={"t": 2}))
    told = printed("gcmock.reporting.closed_loop:print_comparison")
    assert cli.run(["compare", "s", "m.fits"]) == 0
    assert capsys.readouterr().out == ""
    words = "compare s m.fits -o c --observations obs --overwrite"
    assert cli.run(words.split()) == 0
    given = {"solution": Path("s"), "mock": Path("m.fits")}
    more = {"output": Path("c"), "observations": Path("obs"), "overwrite": True}
    assert calls == [given, given | more]
    assert told == [({"n": 1}, {"t": 2})] * 2
    assert capsys.readouterr().out == "c\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("propagate m.fits", "--output"),
        ("propagate -o out", "CATALOGUE"),
        ("propagate m.fits -o out --epochs soon", '"soon"'),
        ("propagate m.fits -o out --product stars", '"stars"'),
        ("observe m.fits -o out --visits few", "'few' is no whole number. See"),
        ("solve obs -o s --robust very", '"very"'),
        ("solve obs -o s --no-overwrite", "--no-overwrite"),
        ("compare s", "MOCK"),
    ],
)
def test_wrong_words_stop_before_the_verb(called, capsys, words: str, message: str) -> None:
    calls = called(words.split()[0])
    assert cli.run(words.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("gcmock: error: ")
    assert error.endswith("--help\n")
    assert message in error
    assert calls == []


def test_errors_of_a_verb_are_told_line_by_line(called, capsys) -> None:
    called("export", InputError("m.fits: no column ra\nm.fits: no column dec"))
    assert cli.run(["export", "m.fits", "-o", "out"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "gcmock: error: m.fits: no column ra",
        "gcmock: error: m.fits: no column dec",
    ]
