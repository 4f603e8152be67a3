"""A folder of partitions: the same bytes whatever interrupts the run, and nothing mixed up."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from gcmock import cli
from gcmock.errors import InputError, InterruptedRunError
from gcmock.io.metadata import read_metadata
from gcmock.io.readers.opening import open_table
from gcmock.mock.build import SORTED_REMARK, build
from gcmock.settings.build import load_config

pytestmark = pytest.mark.slow

N, PER_PARTITION = 120, 10
SETTINGS = {
    "run": {"partition_size": 2 * PER_PARTITION, "realisations": 2, "seed": 5},
    "learn": {"use": False},
}
MANIFEST = "_manifest.jsonl"


@pytest.fixture(scope="module")
def stars(few_stars, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "stars.parquet"
    few_stars(N).write(path)
    return path


@pytest.fixture(scope="module")
def whole(stars: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "mock"
    build(stars, folder, load_config(None, SETTINGS), workers=1)
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def stopping_after(n_star: int):
    def progress(done: int, total: int) -> None:
        if done >= n_star:
            raise KeyboardInterrupt

    return progress


def test_partitions_hold_what_a_file_holds(stars: Path, whole: Path, tmp_path: Path) -> None:
    parts = sorted(path.name for path in whole.iterdir())
    assert parts == [MANIFEST, *(f"part-{i:05d}.parquet" for i in range(N // PER_PARTITION))]
    single = tmp_path / "mock.parquet"
    summary = build(stars, single, load_config(None, SETTINGS), workers=2)
    assert summary.n_partition == 0
    expected = pq.read_table(single)
    found = pq.read_table(whole)
    assert found.num_rows == 2 * N
    for name in expected.column_names:
        np.testing.assert_array_equal(found[name].to_numpy(), expected[name].to_numpy(), name)
    metadata = read_metadata(whole / "part-00003.parquet")
    assert metadata["partition"] == "3 of 0 ... 11"
    assert "date" not in metadata
    assert json.loads(metadata["rows"]) == {"read": N, "written": 2 * N}


def test_manifest_accounts_for_every_row(whole: Path) -> None:
    lines = [json.loads(line) for line in (whole / MANIFEST).read_text().splitlines()]
    entries = lines[1:-1]
    assert lines[-1] == {"complete": True, "partitions": 12, "rows": 2 * N}
    assert [entry["rows"] for entry in entries] == [2 * PER_PARTITION] * 12
    for entry in entries:
        data = (whole / entry["name"]).read_bytes()
        assert entry["bytes"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert lines[0]["record"]["config"]["run"]["seed"] == 5
    assert len(lines[0]["record"]["input"]["sha256"]) == 64


@pytest.mark.parametrize(("workers", "n_star"), [(1, 0), (1, 35), (2, 61), (2, 119)])
def test_resume_after_ctrl_c(stars, whole, tmp_path, workers, n_star) -> None:
    folder = tmp_path / "mock"
    config = load_config(None, SETTINGS)
    with pytest.raises(InterruptedRunError, match="run the same command again"):
        build(stars, folder, config, workers=workers, progress=stopping_after(n_star))
    kept = [name for name in contents(folder) if name != MANIFEST]
    assert len(kept) < N // PER_PARTITION
    assert not [name for name in kept if "partial" in name]
    with pytest.raises(InputError, match="is not complete"):
        open_table(folder) if kept else build(folder, tmp_path / "no.fits", config)
    summary = build(stars, folder, config, workers=3 - workers)
    assert summary.n_kept == 2 * PER_PARTITION * len(kept)
    assert summary.n_written == 2 * N
    assert contents(folder) == contents(whole)


def test_account_of_a_resumed_run_is_that_of_the_whole(stars, tmp_path) -> None:
    config = load_config(None, SETTINGS)
    expected = build(stars, tmp_path / "whole", config, workers=1)
    with pytest.raises(InterruptedRunError):
        build(stars, tmp_path / "mock", config, workers=1, progress=stopping_after(50))
    found = build(stars, tmp_path / "mock", config, workers=2)
    assert found.flags == expected.flags
    np.testing.assert_array_equal(found.component_sum, expected.component_sum)
    np.testing.assert_array_equal(found.component_variance, expected.component_variance)
    assert found.component_sum.sum() == pytest.approx(N, abs=1e-4)


def test_complete_folder_stays_as_it_is(stars, whole) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.glob("part*")}
    summary = build(stars, whole, load_config(None, SETTINGS))
    assert summary.n_kept == summary.n_written == 2 * N
    assert {path: path.stat().st_mtime_ns for path in whole.glob("part*")} == before


@pytest.mark.long
def test_killed_at_any_moment(stars, whole, tmp_path) -> None:
    """SIGKILL leaves no chance to tidy up; the same command then gives the same bytes."""
    folder = tmp_path / "mock"
    config = tmp_path / "config.toml"
    config.write_text(
        f"[run]\npartition_size = {2 * PER_PARTITION}\nrealisations = 2\nseed = 5\n"
        "[learn]\nuse = false\n"
    )
    command = [sys.executable, "-m", "gcmock", "build", str(stars), "-o", str(folder)]
    command += ["--config", str(config), "--workers", "1"]
    rng = np.random.default_rng(3)
    killed = []
    for n_files in (0, 2, 6):
        # Wait for progress rather than for time, then a little longer: any moment, on any machine.
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
        while run.poll() is None and len(list(folder.glob("part*.parquet"))) < n_files:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.05) if n_files else rng.uniform(0.5, 2.0))
        run.send_signal(signal.SIGKILL)
        killed.append(run.wait() == -signal.SIGKILL)
    assert any(killed)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "rows written" in done.stdout
    assert contents(folder) == contents(whole)


def test_kill_in_the_middle_of_a_file(stars, whole, tmp_path, monkeypatch) -> None:
    """What a killed run was writing is neither kept nor in the way."""
    folder = tmp_path / "mock"
    config = load_config(None, SETTINGS)
    with pytest.raises(InterruptedRunError):
        build(stars, folder, config, workers=1, progress=stopping_after(30))
    (folder / "part-00005.parquet.partial-123-abc").write_bytes(b"PAR1 half a file")
    with (folder / MANIFEST).open("a") as file:
        file.write('{"name": "part-00005.parquet", "ro')
    build(stars, folder, config)
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize("damage", ["lost", "cut", "changed"])
def test_damaged_partitions_are_made_again(stars, whole, tmp_path, damage) -> None:
    folder = tmp_path / "mock"
    config = load_config(None, SETTINGS)
    with pytest.raises(InterruptedRunError):
        build(stars, folder, config, workers=1, progress=stopping_after(50))
    part = folder / "part-00001.parquet"
    data = part.read_bytes()
    if damage == "lost":
        part.unlink()
    else:
        part.write_bytes(data[:-100] if damage == "cut" else b"X" + data[1:])
    build(stars, folder, config)
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": {**SETTINGS["run"], "seed": 6}}, "config.run.seed = 5, now 6"),
        ({**SETTINGS, "extinction": {"law": "nishiyama_2009"}}, "config.extinction.law = "),
        ({"run": {**SETTINGS["run"], "partition_size": 30}}, "config.run.partition_size = 20"),
    ],
)
def test_other_settings_do_not_mix(stars, whole, change, message) -> None:
    before = contents(whole)
    with pytest.raises(InputError, match=message) as error:
        build(stars, whole, load_config(None, change))
    assert "--overwrite" in str(error.value)
    assert contents(whole) == before


def test_other_input_does_not_mix(few_stars, whole, tmp_path) -> None:
    path = tmp_path / "stars.parquet"
    few_stars(N, seed=2).write(path)
    with pytest.raises(InputError, match=r"input\.sha256 = .*, now "):
        build(path, whole, load_config(None, SETTINGS))


def test_other_version_does_not_mix(stars, whole, monkeypatch) -> None:
    monkeypatch.setattr("gcmock.mock.folder.__version__", "9.9.9")
    with pytest.raises(InputError, match=r"gcmock = '.*', now '9.9.9'"):
        build(stars, whole, load_config(None, SETTINGS))


def test_means_may_differ(stars, whole) -> None:
    run = {**SETTINGS["run"], "chunk_size": 7, "workers": 2}
    assert build(stars, whole, load_config(None, SETTINGS | {"run": run})).n_kept == 2 * N


def test_overwrite_starts_afresh(stars, tmp_path) -> None:
    folder = tmp_path / "mock"
    config = load_config(None, SETTINGS)
    with pytest.raises(InterruptedRunError):
        build(stars, folder, config, workers=1, progress=stopping_after(50))
    other = load_config(None, {"run": {**SETTINGS["run"], "seed": 6}})
    assert build(stars, folder, other, overwrite=True).n_kept == 0
    metadata = read_metadata(folder / "part-00000.parquet")
    assert metadata["seed"] == "6"


def test_foreign_folders_are_left_alone(stars, tmp_path) -> None:
    folder = tmp_path / "mock"
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="choose another"):
            build(stars, folder, load_config(None, SETTINGS), overwrite=overwrite)
    assert (folder / "thesis.tex").read_text() == "precious"


def test_one_run_at_a_time(stars, tmp_path) -> None:
    folder = tmp_path / "mock"
    config = load_config(None, SETTINGS)
    refused = []

    def progress(done: int, total: int) -> None:
        if done and not refused:
            with pytest.raises(InputError, match="another run is writing") as error:
                build(stars, folder, config)
            refused.append(error)

    build(stars, folder, config, workers=1, progress=progress)
    assert refused


def test_a_folder_is_a_table(whole) -> None:
    source = open_table(whole)
    assert source.n_rows == 2 * N
    chunks = list(source.chunks(1000, ["source_id"]))
    assert [len(chunk["source_id"]) for chunk in chunks] == [2 * PER_PARTITION] * 12


def test_command_line(stars, tmp_path, capsys) -> None:
    folder = tmp_path / "mock"
    assert cli.run(["build", str(stars), "-o", str(folder), "--no-learn", "--seed", "5"]) == 0
    assert "partitions" in capsys.readouterr().out
    assert cli.run(["build", str(stars), "-o", str(folder), "--no-learn", "--seed", "6"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "was begun with config.run.seed = 5, now 6" in error


def shuffled_sky(n: int) -> Table:
    """Bright stars all over the map in random order, without magnitudes: drawn from the prior."""
    rng = np.random.default_rng(7)
    table = Table({"source_id": np.arange(n)})
    table["l"], table["b"] = rng.uniform(-1, 1, n), rng.uniform(-0.5, 0.5, n)
    table["phot_ks_mag"] = np.full(n, np.nan)
    return table


@pytest.mark.parametrize("to_folder", [False, True], ids=["file", "folder"])
def test_rows_that_jump_over_the_sky_are_sorted(tmp_path, monkeypatch, to_folder) -> None:
    monkeypatch.setattr("gcmock.mock.census.BLOCK_ROWS", 50)
    monkeypatch.setattr("gcmock.mock.census.FEW_CELLS", 10)
    monkeypatch.setattr("gcmock.io.sorted_rows.BUCKET_ROWS", 64)
    table = shuffled_sky(600)
    # Few cells, so that every block visits all of them.
    table["l"], table["b"] = np.round(table["l"] * 2) / 2 + 0.01, np.round(table["b"] * 2) / 2
    table.write(tmp_path / "stars.parquet")
    output = tmp_path / ("mock" if to_folder else "mock.parquet")
    config = load_config(None, {"run": {"partition_size": 100}})
    summary = build(tmp_path / "stars.parquet", output, config, workers=2)
    assert SORTED_REMARK in summary.remarks
    found = pq.read_table(output)
    l_deg, b_deg = found["l"].to_numpy(), found["b"].to_numpy()
    cell = np.floor((l_deg + 9.5) / 0.025) * 1000 + np.floor((b_deg + 4.5) / 0.025)
    assert (np.diff(cell) >= 0).all()
    same = np.diff(cell) == 0
    assert (np.diff(found["source_id"].to_numpy())[same] > 0).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, "stars.parquet"]
    never = load_config(None, {"run": {"sort": "never"}})
    kept = tmp_path / "kept.parquet"
    assert SORTED_REMARK not in build(tmp_path / "stars.parquet", kept, never).remarks
    expected = pq.read_table(kept)
    np.testing.assert_array_equal(expected["source_id"].to_numpy(), np.arange(600))
    order = found["source_id"].to_numpy()
    for name in expected.column_names:
        np.testing.assert_array_equal(
            found[name].to_numpy(), expected[name].to_numpy()[order], err_msg=name
        )


def test_rows_in_the_order_of_the_sky_stay(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gcmock.mock.census.BLOCK_ROWS", 50)
    monkeypatch.setattr("gcmock.mock.census.FEW_CELLS", 10)
    table = shuffled_sky(600)
    table["l"], table["b"] = np.round(table["l"] * 2) / 2 + 0.01, np.round(table["b"] * 2) / 2
    table.sort(["b", "l"])
    table.write(tmp_path / "stars.parquet")
    summary = build(tmp_path / "stars.parquet", tmp_path / "mock.parquet", load_config())
    assert summary.remarks == []
    found = pq.read_table(tmp_path / "mock.parquet")["source_id"].to_numpy()
    np.testing.assert_array_equal(found, np.asarray(table["source_id"]))


def test_row_numbers_survive_sorting(tmp_path) -> None:
    """Without identifiers the row number of the input names a star, and its random stream."""
    table = shuffled_sky(200)
    table.remove_column("source_id")
    table.write(tmp_path / "stars.fits")
    config = load_config(None, {"run": {"sort": "always"}})
    build(tmp_path / "stars.fits", tmp_path / "sorted.parquet", config)
    build(tmp_path / "stars.fits", tmp_path / "plain.parquet", load_config())
    found, plain = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("sorted", "plain"))
    order = found["source_id"].to_numpy()
    assert not np.array_equal(order, np.arange(200))
    for name in ("l", "distance_pc"):
        np.testing.assert_array_equal(found[name].to_numpy(), plain[name].to_numpy()[order])


def test_ctrl_c_while_sorting_leaves_nothing(tmp_path, monkeypatch) -> None:
    shuffled_sky(50).write(tmp_path / "stars.parquet")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gcmock.io.sorted_rows._to_arrow", stop)
    config = load_config(None, {"run": {"sort": "always"}})
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "stars.parquet", tmp_path / "mock.parquet", config)
    assert [path.name for path in tmp_path.iterdir()] == ["stars.parquet"]
