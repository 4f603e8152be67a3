"""Whatever is given, a verb ends in an error of gcmock: every input of every verb, broken in
generic ways."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gcmock
from gcmock.errors import GcmockError

# Slow: a sky, its mock catalogue, a season and its solution are made first.
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The inputs of all verbs: a survey, its truth, a mock, observations and a solution."""
    folder = tmp_path_factory.mktemp("hostile")
    place = {"l": (0.1, 0.14), "b": (-0.22, -0.18)}
    gcmock.simulate(**place, output=folder / "stars.parquet", ks_max=11.5, survey=True, seed=3)
    gcmock.build(folder / "stars.parquet", folder / "mock.parquet", seed=3)
    settings = {"schedule.years": 1.0, "schedule.visits": 40, "magnitudes.faint": 15.0}
    window = {"window.l_deg": [0.05, 0.19], "window.b_deg": [-0.27, -0.13]}
    bright = {"magnitudes.primaries": 15.0, "magnitudes.bright": 5.0, "calibration.degree": 1}
    few = {
        "focal_plane.detectors": [1, 1],
        "calibration.true_degree": 1,
        "calibration.block_days": 400.0,
    }
    gcmock.observe(
        folder / "mock.parquet", folder / "observations", set=settings | window | bright | few
    )
    gcmock.solve(folder / "observations", folder / "solution", workers=1)
    return folder


def broken_columns(table: pa.Table, name: str) -> dict[str, pa.Table]:
    """A table with one column broken in every generic way."""
    n, i = table.num_rows, table.column_names.index(name)

    def with_values(values: pa.Array) -> pa.Table:
        return table.set_column(i, name, values)

    first = np.zeros(n, bool)
    first[: max(n // 2, 1)] = True
    number = {"nan": np.nan, "huge": 1e300, "largest": 1e308, "infinite": np.inf, "nought": 0.0}
    found = {
        kind: with_values(pa.array(np.where(first, value, 1.0))) for kind, value in number.items()
    }
    return found | {
        "negative": with_values(pa.array(np.full(n, -7))),
        "text": with_values(pa.array(["junk"] * n)),
        "empty": with_values(pa.nulls(n)),
        "list": with_values(pa.array([[1.0, 2.0]] * n)),
        "truth": with_values(pa.array([True] * n)),
        "gone": table.remove_column(i),
    }


def broken_files(path: Path) -> dict[str, bytes]:
    """A file whose bytes are broken in every generic way."""
    whole = path.read_bytes()
    middle = len(whole) // 2
    return {
        "empty": b"",
        "cut": whole[:middle],
        "tail": whole[middle:],
        "noise": whole[:middle] + b"\xff\x00\xfe" * 20 + whole[middle + 60 :],
        "text": b"this is no table\n",
        "list": b"[]",
        "nul": b"\0" * 100,
    }


JSON_VALUES = ["[]", "{}", "null", "3", '"text"', "", "{", "[" * 4000, '{"a": NaN}', "\udcff"]
TOML_VALUES = [
    "[",
    "x = 1",
    "run = 3",
    "[run]\nseed = 1e308",
    f"[run]\nseed = {'1' * 5000}",
    "[run]\nseed = true",
    "[run]\nrealisations = [1]",
    f"x = {'[' * 5000}",
    "[model]\nr0_pc = nan",
    "[model]\nr0_pc = '1e400 pc'",
    "[distance]\nmax_pc = 1e308",
    "[columns]\nra = 3",
    "[extinction]\ncalibration = 'a\\u0000b'",
    "[extinction]\nlaw = 'missing.toml'",
]


def ends_well(call, *given, **named):
    """Call a verb: it works, or ends in an error of gcmock of bounded length."""
    try:
        call(*given, **named)
    except GcmockError as error:
        return bool(str(error))
    return False


def clear(folder: Path, kept: Path) -> None:
    """Delete what a verb wrote."""
    for left in folder.iterdir():
        if left != kept:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def calls(folder: Path, out: Path):
    """Verbs that read a table, by the role of the table."""
    mock, stars = folder / "mock.parquet", folder / "stars.parquet"
    truth = folder / "stars_truth.parquet"
    return {
        "build": lambda path: gcmock.build(path, out / "m.parquet", learn={"use": False}),
        "export": lambda path: gcmock.export(path, out / "e.parquet", mission="roman-gbtds"),
        "propagate": lambda path: gcmock.propagate(path, out / "p.parquet", epochs=[2030.0]),
        "observe": lambda path: gcmock.observe(path, out / "o", visits=2),
        "report": lambda path: gcmock.report(path, out / "r.html", sample=5),
        "report input": lambda path: gcmock.report(mock, out / "r.html", input=path, sample=5),
        "report truth": lambda path: gcmock.report(mock, out / "r.html", truth=path, sample=0),
        "compare": lambda path: gcmock.compare(folder / "solution", path),
        "validate": lambda path: gcmock.validate(path, input=stars, only="offshelf", stars=200),
        "times": lambda path: gcmock.propagate(truth, out / "p.parquet", times=path),
        "orbit": lambda path: gcmock.propagate(
            truth, out / "p.parquet", epochs=[2030.0], orbit=path
        ),
        "reference": lambda path: gcmock.solve(
            folder / "observations", out / "s", reference=path, workers=1
        ),
        "calibration": lambda path: gcmock.build(stars, out / "m.parquet", calibration=path),
        "completeness": lambda path: gcmock.simulate(
            l=(0.1, 0.11), b=(0.1, 0.11), ks_max=9.0, survey=True, completeness=path
        ),
        "merge": lambda path: gcmock.merge(survey={"virac2": path}),
        "calibrate": lambda path: gcmock.calibrate(path),
    }


TABLES = {
    "build": "stars.parquet",
    "export": "mock.parquet",
    "propagate": "mock.parquet",
    "observe": "mock.parquet",
    "report": "mock.parquet",
    "report input": "stars.parquet",
    "report truth": "stars_truth.parquet",
    "compare": "mock.parquet",
    "validate": "mock.parquet",
    "reference": "observations/reference_gaia_like.parquet",
    "calibrate": "stars.parquet",
}
"""The table that a verb reads in each role."""


LONG = ("build", "report", "report input", "report truth", "validate", "calibrate")
"""Roles whose verbs take seconds where a file is whole by chance."""


@pytest.mark.parametrize(
    "role",
    [
        pytest.param(role, marks=pytest.mark.long if role in LONG else ())
        for role in (*TABLES, "times", "orbit", "calibration", "completeness", "merge")
    ],
)
def test_broken_files(made, tmp_path, role):
    path = tmp_path / "given.parquet"
    for kind, content in broken_files(made / TABLES.get(role, "mock.parquet")).items():
        path.write_bytes(content)
        refused = ends_well(calls(made, tmp_path)[role], path)
        # Parquet has no checksum: noise in the middle may be other numbers.
        assert refused or kind == "noise"
        clear(tmp_path, path)
    for name in ("missing.parquet", "n" * 300 + ".parquet", "given.unknown", "nul\0.parquet"):
        assert ends_well(calls(made, tmp_path)[role], tmp_path / name)


@pytest.mark.long
@pytest.mark.parametrize("role", TABLES)
def test_broken_columns(made, tmp_path, role):
    table = pq.read_table(made / TABLES[role])
    call = calls(made, tmp_path)[role]
    path = tmp_path / "given.parquet"
    for i, name in enumerate(table.column_names):
        broken = list(broken_columns(table, name).values())
        # Where a call takes seconds, every column is broken in one way, and the ways take turns.
        for one in [broken[i % len(broken)]] if role in LONG else broken:
            pq.write_table(one, path)
            ends_well(call, path)
            clear(tmp_path, path)


@pytest.mark.parametrize("words", [b"junk", b"[]", b'{"config": 3}', b'{"config": "["}', b"\xff"])
@pytest.mark.parametrize("key", [b"gcmock", b"table_meta_yaml"])
def test_broken_metadata(made, tmp_path, key, words):
    path = tmp_path / "given.parquet"
    pq.write_table(pq.read_table(made / "mock.parquet").replace_schema_metadata({key: words}), path)
    for role in ("export", "propagate", "report", "compare", "validate"):
        ends_well(calls(made, tmp_path)[role], path)


@pytest.mark.parametrize("text", TOML_VALUES, ids=range(len(TOML_VALUES)))
def test_broken_settings(made, tmp_path, text):
    config = tmp_path / "given.toml"
    config.write_text(text, encoding="utf-8")
    out = tmp_path / "out.parquet"
    assert ends_well(gcmock.build, made / "stars.parquet", out, config)
    assert ends_well(gcmock.merge, config, out)
    assert ends_well(gcmock.observe, made / "mock.parquet", tmp_path / "o", config=config)
    assert ends_well(gcmock.export, made / "mock.parquet", out, mission=config)
    assert ends_well(gcmock.fetch, config, (0, 1), (0, 1), tmp_path / "f")
    assert not out.exists()


@pytest.mark.parametrize(
    ("verb", "name"), [("solve", "provenance.json"), ("compare", "solution.json")]
)
@pytest.mark.parametrize("text", JSON_VALUES, ids=range(len(JSON_VALUES)))
def test_broken_records(made, tmp_path, verb, name, text):
    folder = "observations" if verb == "solve" else "solution"
    given = shutil.copytree(made / folder, tmp_path / "given")
    (given / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    if verb == "solve":
        assert ends_well(gcmock.solve, given, tmp_path / "s", workers=1)
    else:
        assert ends_well(gcmock.compare, given, made / "mock.parquet")


@pytest.mark.long
@pytest.mark.parametrize("verb", ["solve", "compare"])
def test_broken_values_of_records(made, tmp_path, verb):
    folder, name = {
        "solve": ("observations", "provenance.json"),
        "compare": ("solution", "solution.json"),
    }[verb]
    record = json.loads((made / folder / name).read_text(encoding="utf-8"))
    given = shutil.copytree(made / folder, tmp_path / "given")
    for key in record:
        for value in ("junk", [], {}, None, -1, 1e308, True):
            (given / name).write_text(json.dumps(record | {key: value}), encoding="utf-8")
            if verb == "solve":
                ends_well(gcmock.solve, given, tmp_path / "s", workers=1, overwrite=True)
            else:
                ends_well(gcmock.compare, given, made / "mock.parquet")


OBSERVED = (
    "visits.parquet",
    "sources.parquet",
    "reference_gaia_like.parquet",
    "observations/part-00000.parquet",
)


@pytest.mark.long
@pytest.mark.parametrize("name", OBSERVED)
def test_broken_observations(made, tmp_path, name):
    given = shutil.copytree(made / "observations", tmp_path / "given")
    table = pq.read_table(given / name)
    for column in table.column_names:
        for broken in broken_columns(table, column).values():
            pq.write_table(broken, given / name)
            ends_well(gcmock.solve, given, tmp_path / "s", workers=1, overwrite=True)


@pytest.mark.long
@pytest.mark.parametrize("name", ["sources.parquet", "attitude.parquet", "calibration.parquet"])
def test_broken_solutions(made, tmp_path, name):
    given = shutil.copytree(made / "solution", tmp_path / "given")
    table = pq.read_table(given / name)
    for column in table.column_names:
        for broken in broken_columns(table, column).values():
            pq.write_table(broken, given / name)
            ends_well(gcmock.compare, given, made / "mock.parquet")
    pq.write_table(table[:0], given / name)
    assert ends_well(gcmock.compare, given, made / "mock.parquet")
