"""The folder of observations: written, read, refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gcmock.astrometry.missions.mission import load_mission
from gcmock.astrometry.observations.folder import (
    ATTITUDE_COLUMNS,
    MISSION,
    OBSERVATION_COLUMNS,
    OBSERVATION_TABLES,
    OBSERVATIONS,
    PROVENANCE,
    REFERENCE_COLUMNS,
    SOURCE_COLUMNS,
    VISIT_COLUMNS,
    PartWriter,
    correlation_names,
    open_observations,
    read_folder_table,
)
from gcmock.errors import InputError
from gcmock.io.writers.writer import open_writer

RECORD = {"seed": 4, "aberration": False, "deflection": False, "realisation": 0}


def rows(columns, n, start=0):
    found = {c.name: (start + np.arange(n)).astype(c.dtype) for c in columns}
    for name in {"time", "ref_epoch"} & found.keys():
        found[name] += 2000.0
    return found


def write(path, columns, n=3):
    with open_writer(path, columns) as writer:
        writer.write(rows(columns, n))


@pytest.fixture
def folder(tmp_path):
    """A folder of numbers that mean nothing."""
    (tmp_path / MISSION).write_text(load_mission("jasmine").to_toml())
    (tmp_path / PROVENANCE).write_text(json.dumps(RECORD))
    with PartWriter(tmp_path, {"seed": "4"}, rows_per_part=5) as writer:
        for start in range(0, 12, 3):
            writer.write(rows(OBSERVATION_COLUMNS, 3, start))
    assert writer.n_rows == 12
    write(tmp_path / "visits.parquet", VISIT_COLUMNS)
    write(tmp_path / "sources.parquet", SOURCE_COLUMNS)
    return tmp_path


def test_ten_correlations_of_five_parameters():
    names = correlation_names()
    assert [(i, j) for i, j, _ in names] == [(i, j) for i in range(5) for j in range(i + 1, 5)]
    assert names[0][2] == "ra_dec_corr"
    assert names[-1][2] == "pmra_pmdec_corr"
    assert {name for *_, name in names} < {column.name for column in REFERENCE_COLUMNS}


def test_observations_are_read_as_they_were_written(folder):
    found = open_observations(folder)
    assert found.provenance == RECORD
    assert found.mission == load_mission("jasmine").observable()
    assert found.n_observation == 12
    # A part ends when it has its rows: 3 + 3, 3 + 3.
    parts = sorted(path.name for path in (folder / OBSERVATIONS).iterdir())
    assert parts == ["part-00000.parquet", "part-00001.parquet"]
    chunks = list(found.observations(4))
    assert max(len(chunk["visit"]) for chunk in chunks) <= 4
    expected = rows(OBSERVATION_COLUMNS, 12)
    for name, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([c[name] for c in chunks]), values)
    sources = found.table("sources.parquet")
    assert list(sources) == [column.name for column in OBSERVATION_TABLES["sources.parquet"]]
    assert sources["primary"].tolist() == [False, True, True]


def test_a_part_that_fails_does_not_get_its_name(tmp_path):
    def interrupted():
        with PartWriter(tmp_path, {}) as writer:
            writer.write(rows(OBSERVATION_COLUMNS, 3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list((tmp_path / OBSERVATIONS).glob("part*.parquet"))


def test_empty_tables_have_empty_columns(tmp_path):
    write(tmp_path / "empty.parquet", ATTITUDE_COLUMNS, 0)
    found = read_folder_table(tmp_path / "empty.parquet", ATTITUDE_COLUMNS)
    for column in ATTITUDE_COLUMNS:
        assert found[column.name].shape == (0,)
        assert found[column.name].dtype == column.dtype


def test_tables_without_columns_are_refused(tmp_path):
    write(tmp_path / "some.parquet", ATTITUDE_COLUMNS[:2])
    with pytest.raises(InputError, match=r"some\.parquet: lacks the columns dec, roll"):
        read_folder_table(tmp_path / "some.parquet", ATTITUDE_COLUMNS)
    with pytest.raises(InputError):
        read_folder_table(tmp_path / "none.parquet", ATTITUDE_COLUMNS)


def test_other_folders_are_refused(folder, tmp_path):
    for name in (MISSION, "visits.parquet"):
        aside = tmp_path.parent / f"aside-{name}"
        (folder / name).rename(aside)
        with pytest.raises(InputError, match=rf"not a folder of observations \(no {name}\); give"):
            open_observations(folder)
        aside.rename(folder / name)
    (folder / PROVENANCE).write_text("{")
    with pytest.raises(InputError, match=r"provenance\.json: damaged or not readable"):
        open_observations(folder)


def test_observations_without_columns_are_refused(folder):
    for part in (folder / OBSERVATIONS).iterdir():
        part.unlink()
        write(part, OBSERVATION_COLUMNS[:-2])
    with pytest.raises(InputError, match="lacks the columns y_error, n_exposure"):
        open_observations(folder)


@pytest.mark.parametrize(
    "record", ["[]", "null", "3", '"text"', "{}", "", '{"seed": NaN}', "[" * 5000, '{"a": ' * 3000]
)
def test_a_record_of_another_form_is_refused(folder, record):
    (folder / PROVENANCE).write_text(record)
    with pytest.raises(InputError, match=r"provenance\.json: damaged"):
        open_observations(folder)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("x", 1e300, r"x = 1e\+300 in row 1"),
        ("time", np.nan, "time is missing in row 1"),
        ("x", np.array(["a", "b", "c"]), "holds values of the type <U1"),
        ("visit", -1, "visit = -1"),
    ],
)
def test_junk_in_observations_is_named(folder, column, value, message):
    columns = [
        c.with_dtype("U1") if c.name == column and isinstance(value, np.ndarray) else c
        for c in OBSERVATION_COLUMNS
    ]
    table = rows(OBSERVATION_COLUMNS, 3)
    if isinstance(value, np.ndarray):
        table[column] = value
    else:
        table[column][1] = value
    for part in (folder / OBSERVATIONS).iterdir():
        part.unlink()
    with open_writer(folder / OBSERVATIONS / "part-00000.parquet", columns) as writer:
        writer.write(table)
    with pytest.raises(InputError, match=message):
        list(open_observations(folder).observations())
