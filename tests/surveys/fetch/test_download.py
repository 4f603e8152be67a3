"""Windows of surveys, fetched from a TAP service on this machine that fails in every way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from survey_tables import native_table
from tap_server import Fault, TapServer, serve

from gcmock.cli.app import run
from gcmock.errors import GcmockError, InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic
from gcmock.surveys.definition import load_survey, survey_names
from gcmock.surveys.fetch.download import FetchSummary, fetch
from gcmock.surveys.fetch.tap import Patience, TapService
from gcmock.surveys.fetch.window import SurveyWindow, tiles
from gcmock.surveys.read.open_survey import open_survey

L, B = (-0.35, 0.4), (-0.3, 0.25)
WINDOW = SurveyWindow(L, B)
QUICK = Patience(attempts=3, first_pause=0.01, longest_pause=0.05, first_poll=0.005)
ARCHIVES = [
    pytest.param(name, archive.name, id=f"{name}-{archive.name}")
    for name in survey_names()
    for archive in load_survey(name).archives
]


def sky_table(survey: str, archive: str, n: int = 600, seed: int = 3) -> Table:
    """Sources in the window and around it, some of them exactly on edges of tiles."""
    where = load_survey(survey).archive(archive)
    spelling = load_survey(survey).spelling(where.spelling)
    table = native_table(survey, where.spelling, n, seed)
    by_role = spelling.by_role
    rng = np.random.default_rng(seed)
    ra, dec = galactic_to_icrs(
        rng.uniform(L[0] - 0.4, L[1] + 0.4, n), rng.uniform(B[0] - 0.4, B[1] + 0.4, n)
    )
    edges = list(tiles(WINDOW, where.frame, where.rounding_deg, 0.5))
    for i, tile in enumerate(edges):
        lon, lat = np.array([tile.lon[1]]), np.array([sum(tile.lat) / 2])
        place = (lon, lat) if where.frame == "icrs" else galactic_to_icrs(lon, lat)
        ra[i], dec[i] = place[0][0], place[1][0]
    table[by_role["ra"].name][:], table[by_role["dec"].name][:] = ra, dec
    if "l" in by_role:
        l_deg, b_deg = icrs_to_galactic(ra, dec)
        l_deg = np.where(l_deg < 0, l_deg + 360.0, l_deg)
        digits = 3 if where.rounding_deg else 12
        table[by_role["l"].name][:] = np.round(l_deg, digits)
        table[by_role["b"].name][:] = np.round(b_deg, digits)
    return table


def expected(table: Table, survey: str, archive: str) -> Table:
    by_role = load_survey(survey).spelling(load_survey(survey).archive(archive).spelling).by_role
    inside = WINDOW.contains(
        np.asarray(table[by_role["ra"].name]), np.asarray(table[by_role["dec"].name])
    )
    return table[inside]


def rows_of(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.read_table(part) for part in sorted(folder.glob("*.parquet")))


def entries(folder: Path) -> list[dict]:
    lines = (folder / "_manifest.jsonl").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if "name" in entry]


def get(server: TapServer, out: Path, **options) -> FetchSummary:
    """Fetch the window of VIRAC2."""
    return fetch("virac2", L, B, out, service=server.url, patience=QUICK, **options)


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.suffix not in (".parquet", ".jsonl")]


@pytest.fixture
def virac2() -> Table:
    return sky_table("virac2", "eso")


def check(table: Table, folder: Path, survey: str = "virac2", archive: str = "eso") -> None:
    """The rows of a folder are exactly those of the table in the window, value by value."""
    wanted = expected(table, survey, archive)
    assert 0.2 * len(table) < len(wanted) < len(table)
    found = rows_of(folder)
    spelling = load_survey(survey).spelling(load_survey(survey).archive(archive).spelling)
    role = "source_id" if "source_id" in spelling.by_role else "ra"
    key = spelling.by_role[role].name
    order, want = np.argsort(found[key].to_numpy()), np.argsort(wanted[key])
    assert len(found) == len(wanted)
    for name in found.column_names:
        values = found[name].to_numpy()[order]
        np.testing.assert_array_equal(values, np.asarray(wanted[name])[want], err_msg=name)
    assert leftovers(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(("survey", "archive"), ARCHIVES)
def test_every_archive_gives_the_window(tmp_path, survey, archive):
    where = load_survey(survey).archive(archive)
    table = sky_table(survey, archive)
    # GALACTICNUCLEUS has seven tables: a part of the sources in each.
    n = len(where.tables)
    parts = {name: table[i::n] for i, name in enumerate(where.tables)}
    with serve(parts) as server:
        done = fetch(
            survey, L, B, tmp_path / "out", archive=archive, service=server.url, patience=QUICK
        )
        assert server.jobs == {}, "jobs are deleted"
        assert not any("DISTANCE" in query for query in server.queries)
    check(table, tmp_path / "out", survey, archive)
    source = open_survey(tmp_path / "out")
    assert (source.survey.name, source.spelling.name) == (survey, where.spelling)
    assert source.n_rows == done.n_rows == len(expected(table, survey, archive))
    assert sum(chunk.num_rows for chunk in source.chunks()) == done.n_rows
    manifest = entries(tmp_path / "out")
    assert sum(entry["rows"] for entry in manifest) == done.n_rows
    for entry in manifest:
        assert {"adql", "service", "table", "date", "rows_received"} <= entry["account"].keys()
        assert len(entry["sha256"]) == 64
    units = {
        field.name: (field.metadata or {}).get(b"unit")
        for field in rows_of(tmp_path / "out").schema
    }
    ra = load_survey(survey).spelling(where.spelling).by_role["ra"].name
    assert units[ra] == b"deg"


@pytest.mark.slow
def test_masked_values_and_text_survive(tmp_path):
    table = sky_table("2mass", "irsa")
    table["j_m"] = np.ma.MaskedArray(table["j_m"], mask=np.arange(len(table)) % 3 == 0)
    with serve({"fp_psc": table}) as server:
        fetch("2mass", L, B, tmp_path / "out", service=server.url, patience=QUICK)
    wanted = expected(table, "2mass", "irsa")
    found = rows_of(tmp_path / "out")
    assert found["j_m"].null_count == np.ma.getmaskarray(wanted["j_m"]).sum() > 0
    assert sorted(found["designation"].to_pylist()) == sorted(wanted["designation"].tolist())


@pytest.mark.slow
def test_tiles_are_divided_by_their_counts(tmp_path, virac2):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        done = get(server, tmp_path / "out", tile_rows=25)
        assert max(entry["account"]["rows_received"] for entry in entries(tmp_path / "out")) <= 25
        assert done.n_tile > 12
        # No rows were fetched in vain.
        assert len(server.row_queries) == len(set(server.row_queries)) <= done.n_tile
    check(virac2, tmp_path / "out")


@pytest.mark.slow
def test_tiles_are_divided_when_the_service_overflows(tmp_path, virac2):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}, row_limit=30) as server:
        # A service that can count shows at once how to divide; this one cannot.
        server.faults = [Fault("error", "job", times=10_000, query="COUNT")]
        get(server, tmp_path / "out")
        assert len(server.row_queries) > len(entries(tmp_path / "out"))
    check(virac2, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("query", ["COUNT", "sourceid"])
def test_tiles_are_divided_when_the_service_is_too_slow(tmp_path, virac2, query):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        get(server, tmp_path / "whole")
        server.faults = [Fault("slow", "job", times=3, query=query)]
        done = get(server, tmp_path / "out")
        assert server.faults[0].times == 0
        assert done.n_tile == len(entries(tmp_path / "whole")) + 3 * 3
    check(virac2, tmp_path / "out")


@pytest.mark.slow
def test_a_limit_that_no_tile_meets_is_reported(tmp_path, virac2):
    virac2 = virac2[:5]
    virac2["ra"][:], virac2["de"][:] = 266.4, -29.0
    with (
        serve({"VVVX_VIRAC_V2_SOURCES": virac2}, row_limit=3) as server,
        pytest.raises(GcmockError, match=r"more than 3 rows within .* raise --tile-rows"),
    ):
        get(server, tmp_path / "out", tile_rows=3)
    assert leftovers(tmp_path / "out") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("drop", "result"),
        ("cut", "result"),
        ("503", "result"),
        ("503", "create"),
        ("502", "phase"),
        ("429", "create"),
        ("503", "sync"),
        ("html", "phase"),
        ("html", "sync"),
        ("abort", "job"),
        ("short", "job"),
    ],
)
def test_passing_failures_are_tried_again(tmp_path, virac2, kind, where):
    query = "sourceid" if where in ("result", "job") else ""
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        fault = Fault(kind, where, times=2, query=query)
        server.faults = [fault]
        get(server, tmp_path / "out")
        assert fault.times == 0, "the failures took place"
        assert server.jobs == {}
    check(virac2, tmp_path / "out")


@pytest.mark.slow
def test_the_service_says_how_long_to_wait(tmp_path, virac2):
    patient = Patience(attempts=3, first_pause=0.01, longest_pause=5.0, first_poll=0.005)
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        server.faults = [Fault("503", "sync", headers={"Retry-After": "1"})]
        began = time.monotonic()
        fetch(
            "virac2", (0.0, 0.1), (0.0, 0.1), tmp_path / "out", service=server.url, patience=patient
        )
        assert time.monotonic() - began >= 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (Fault("400", "create", 99), InputError, r"rejects the query: Cannot parse <query>"),
        (Fault("404", "create", 99), GcmockError, r"HTTP 404"),
        (Fault("error", "job", 99), InputError, r"rejects the query: .*Permission denied for <"),
        (Fault("slow", "job", 99), InputError, r"rejects the query: .*exceeded the time limit"),
        (Fault("html", "phase", 99), GcmockError, r"failed 3 times, at last with"),
        (Fault("503", "create", 99), GcmockError, r"failed 3 times, at last with: .*503"),
        (Fault("drop", "result", 99), GcmockError, r"failed 3 times, at last with"),
        (Fault("abort", "job", 99), GcmockError, r"failed 3 times.*the service aborted the job"),
        (Fault("short", "job", 99, "sourceid"), GcmockError, r"counts \d+ rows but sends \d+"),
    ],
    ids=lambda x: f"{x.kind}-{x.where}" if isinstance(x, Fault) else None,
)
def test_lasting_failures_are_reported(tmp_path, virac2, fault, error, message):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        server.faults = [Fault(fault.kind, fault.where, fault.times, fault.query)]
        with pytest.raises(error, match=message) as caught:
            get(server, tmp_path / "out")
        assert "query: SELECT" in str(caught.value)
        assert server.jobs == {}
        assert leftovers(tmp_path / "out") == []
        # What was finished is kept, and the folder is not taken for a whole one.
        with pytest.raises(InputError, match="is not complete"):
            open_survey(tmp_path / "out")
        server.faults = []
        get(server, tmp_path / "out")
    check(virac2, tmp_path / "out")


def test_a_changed_table_is_reported(tmp_path, virac2):
    virac2.rename_column("pmde", "pmdec_new")
    with (
        serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server,
        pytest.raises(InputError) as caught,
    ):
        get(server, tmp_path / "out")
    assert "found the columns: sourceid, ra, de" in str(caught.value)
    assert "also needs: pmde" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fails_is_nothing_to_wait_for(tmp_path, virac2):
    name = "VVVX_VIRAC_V2_SOURCES"
    with serve({name: virac2}) as server, TapService(server.url, QUICK) as service:
        with pytest.raises(GcmockError, match=r"writing failed: No such file"):
            service.ask(f"SELECT ra FROM {name}", 1000, tmp_path / "missing")
        assert len(server.queries) == 1
        assert server.jobs == {}
        if not Path("/dev/full").exists():
            pytest.skip("no device here that plays a full disk")
        (tmp_path / "result.partial-votable").symlink_to("/dev/full")
        with pytest.raises(GcmockError, match=r"writing failed: No space left"):
            service.ask(f"SELECT ra FROM {name}", 1000, tmp_path)


def test_a_service_that_is_not_there(tmp_path):
    with pytest.raises(GcmockError, match="failed 3 times"):
        fetch("virac2", L, B, tmp_path / "out", service="http://127.0.0.1:9/tap", patience=QUICK)
    with pytest.raises(InputError, match="is not the address of a TAP service"):
        fetch("virac2", L, B, tmp_path / "out", service="archive.eso.org", patience=QUICK)


@pytest.mark.slow
def test_a_damaged_tile_is_fetched_again_and_no_other(tmp_path, virac2):
    out = tmp_path / "out"
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        get(server, out, tile_rows=60)
        before = {p.name: p.read_bytes() for p in out.glob("*.parquet")}
        victims = sorted(entries(out), key=lambda entry: -entry["rows"])[:2]
        damaged = bytearray(before[victims[0]["name"]])
        damaged[len(damaged) // 2] ^= 1
        (out / victims[0]["name"]).write_bytes(damaged)
        (out / victims[1]["name"]).unlink()
        server.queries.clear()
        done = get(server, out, tile_rows=60)
        assert sorted(server.row_queries) == sorted(v["account"]["adql"] for v in victims)
        assert done.n_kept == len(before) - 2
    check(virac2, out)


@pytest.mark.slow
def test_a_folder_of_another_window_is_not_continued(tmp_path, virac2):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        get(server, tmp_path / "out")
        with pytest.raises(InputError, match=r"was begun with window.l"):
            fetch("virac2", (0.0, 0.1), B, tmp_path / "out", service=server.url, patience=QUICK)
        get(server, tmp_path / "out", overwrite=True)
    check(virac2, tmp_path / "out")


def test_a_window_without_sources(tmp_path, virac2, capsys):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        arguments = ["fetch", "virac2", "--l", "5", "5.2", "--b", "2", "2.2"]
        assert run([*arguments, "-o", str(tmp_path / "out"), "--service", server.url]) == 0
    assert "0 rows in the window" in capsys.readouterr().out
    with pytest.raises(InputError, match="no rows"):
        open_survey(tmp_path / "out")


def start(server: TapServer, out: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "gcmock", "fetch", "virac2", "--l", str(L[0]), str(L[1])]
    command += ["--b", str(B[0]), str(B[1]), "-o", str(out), "--service", server.url, *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on(tmp_path, virac2, how):
    out = tmp_path / "out"
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        get(server, tmp_path / "whole", tile_rows=60)
        whole = [
            entry["account"]["adql"]
            for entry in entries(tmp_path / "whole")
            if entry["account"]["rows_received"]
        ]
        server.queries.clear()
        # The job of a tile in the middle never ends.
        stop = Fault("hang", "job", query=whole[len(whole) // 2])
        server.faults = [stop]
        process = start(server, out, "--tile-rows", "60")
        wait_for(lambda: stop.times == 0)
        process.send_signal(how)
        _, stderr = process.communicate(timeout=60)
        finished = entries(out)
        assert 0 < len(finished) < len(whole)
        if how == signal.SIGINT:
            assert process.returncode == 130
            assert f"interrupted; {len(finished)} finished tiles are kept" in stderr
            assert "Traceback" not in stderr
            assert leftovers(out) == []
            assert server.jobs == {}, "the job at the service is deleted"
        with pytest.raises(InputError, match="is not complete"):
            open_survey(out)
        first = list(server.row_queries)
        server.queries.clear()
        get(server, out, tile_rows=60)
        assert not set(server.row_queries) & {entry["account"]["adql"] for entry in finished}
        assert set(first) | set(server.row_queries) == set(whole)
    check(virac2, out)


@pytest.mark.slow
def test_command_line(tmp_path, virac2, capsys):
    with serve({"VVVX_VIRAC_V2_SOURCES": virac2}) as server:
        arguments = ["fetch", "virac2", "--l", str(L[0]), str(L[1]), "--b", str(B[0]), str(B[1])]
        arguments += ["-o", str(tmp_path / "out"), "--service", server.url]
        assert run(arguments) == 0
        n = len(expected(virac2, "virac2", "eso"))
        assert f"{n:,} rows in the window" in capsys.readouterr().out
        assert run(arguments) == 0
        assert "were there" in capsys.readouterr().out
    check(virac2, tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sirius", "--l", "0", "1", "--b", "0", "1"], "not public: ask its authors"),
        (["gaia", "--l", "0", "1", "--b", "0", "1", "--archive", "eso"], "no archive 'eso'"),
        (["gaia", "--l", "1", "0", "--b", "0", "1"], "must go up and lie within"),
        (
            ["gaia", "--l", "0", "1", "--b", "0", "1", "--tile-rows", "0"],
            "--tile-rows = 0: expected",
        ),
        (["ukidss", "--l", "0", "1", "--b", "0", "1"], "ukidss"),
    ],
)
def test_bad_arguments(tmp_path, capsys, arguments, message):
    assert run(["fetch", *arguments, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_pyvo(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyvo", None)
    monkeypatch.setitem(sys.modules, "pyvo.dal", None)
    arguments = ["fetch", "gaia", "--l", "0", "1", "--b", "0", "1", "-o", str(tmp_path / "out")]
    assert run(arguments) == 1
    assert "pip install 'gcmock[fetch]'" in capsys.readouterr().err


@pytest.mark.slow
def test_tables_of_several_archives_join(tmp_path):
    """The readers take a table in the spelling of any archive; the sources are the same."""
    ids = []
    for archive in ("gaia", "vizier"):
        where = load_survey("gaia").archive(archive)
        table = sky_table("gaia", archive)
        with serve({where.tables[0]: table}) as server:
            fetch(
                "gaia",
                L,
                B,
                tmp_path / archive,
                archive=archive,
                service=server.url,
                patience=QUICK,
            )
        chunks = pa.concat_tables(open_survey(tmp_path / archive).chunks())
        assert np.isfinite(chunks["phot_g_mag_error"].to_numpy()).all()
        ids.append(chunks.num_rows)
    assert min(ids) > 100


def lying(server, change):
    """Let a server change the table of every result that holds sources."""
    honest = server.database.run

    def run_query(query, max_rows):
        result = honest(query, max_rows)
        if "COUNT" not in query and "TOP 1" not in query:
            change(result)
        return result

    server.database.run = run_query


def test_rows_outside_of_the_tile_are_an_error(tmp_path):
    table = sky_table("2mass", "irsa")
    with serve({"fp_psc": table}) as server:

        def moved(result):
            place = result.names.index("ra")
            result.rows = [
                (*row[:place], row[place] + 3.0, *row[place + 1 :]) for row in result.rows
            ]

        lying(server, moved)
        with pytest.raises(GcmockError, match=r"rows outside of what was asked for \(first: "):
            fetch("2mass", L, B, tmp_path / "out", service=server.url, patience=QUICK)
    assert rows_of_nothing(tmp_path / "out")


def rows_of_nothing(folder):
    return not list(folder.glob("*.parquet"))


@pytest.mark.slow
def test_identifiers_that_every_tile_repeats_are_an_error(tmp_path):
    table = sky_table("2mass", "irsa")
    with serve({"fp_psc": table}) as server:

        def repeated(result):
            place = result.names.index("designation")
            rows = [list(row) for row in result.rows]
            for row in rows[:1]:
                row[place] = "17450000-2900000"
            result.rows = [tuple(row) for row in rows]

        lying(server, repeated)
        with pytest.raises(GcmockError, match="sources more than once"):
            fetch("2mass", L, B, tmp_path / "out", service=server.url, patience=QUICK)
    with pytest.raises(InputError, match="is not complete"):
        open_survey(tmp_path / "out", "2mass")
