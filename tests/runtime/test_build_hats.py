"""HATS catalogues on Dask: the same stars whatever the partitions, the workers and their deaths."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gcmock import cli
from gcmock.errors import InputError, InterruptedRunError
from gcmock.io.metadata import read_metadata
from gcmock.learned import load_learned
from gcmock.mock.build import build
from gcmock.runtime.build_hats import build_hats
from gcmock.runtime.import_hats import import_table
from gcmock.settings.build import Config, load_config

pytestmark = pytest.mark.long

pytest.importorskip("lsdb", reason="the extra [hats] is not installed")
pytest.importorskip("hats_import", reason="the extra [hats] is not installed")

N = 150
THRESHOLDS = {"coarse": 90, "fine": 25}
RUN = {"realisations": 2, "seed": 5, "workers": 2}
CONFIG = load_config(None, {"run": RUN, "learn": {"use": False}})


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Address of a scheduler with two worker processes, as on a cluster of machines."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=0
    ) as found:
        yield found.scheduler_address


@pytest.fixture(scope="module")
def stars(few_stars, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "stars.fits"
    few_stars(N, size_deg=0.3).write(path)
    return path


@pytest.fixture(scope="module")
def inputs(stars: Path, cluster: str) -> dict[str, Path]:
    """The same stars in catalogues of different partitions."""
    found = {}
    for name, threshold in THRESHOLDS.items():
        found[name] = stars.with_name(name)
        assert import_table(stars, found[name], CONFIG, cluster, pixel_threshold=threshold) == N
    return found


@pytest.fixture(scope="module")
def reference(stars: Path) -> pa.Table:
    """What a single process makes of the file."""
    output = stars.with_name("reference.parquet")
    build(stars, output, CONFIG, workers=1)
    return in_order(pq.read_table(output))


@pytest.fixture(scope="module")
def whole(inputs: dict[str, Path], cluster: str) -> Path:
    """The catalogue of a run that nothing disturbed."""
    output = inputs["fine"].with_name("whole")
    build_hats(inputs["fine"], output, CONFIG, cluster)
    return output


def in_order(table: pa.Table) -> pa.Table:
    return table.sort_by([("source_id", "ascending"), ("realisation", "ascending")])


def rows(folder: Path) -> pa.Table:
    parts = sorted(folder.rglob("Npix=*.parquet"))
    return in_order(pa.concat_tables([pq.ParquetFile(part).read() for part in parts]))


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    for name in expected.column_names:
        np.testing.assert_array_equal(found[name].to_numpy(), expected[name].to_numpy(), name)


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "properties"]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        # The libraries write the date into the comment of the properties.
        if path.name != "hats.properties"
    }


@pytest.mark.parametrize(("partitions", "workers"), [("coarse", 1), ("fine", 2)])
def test_partitions_and_workers_do_not_matter(
    inputs, reference, tmp_path, partitions: str, workers: int
) -> None:
    n_partition = len(list(inputs[partitions].rglob("Npix=*.parquet")))
    config = load_config(None, {"run": {**CONFIG.run.model_dump(), "workers": workers}})
    summary = build_hats(inputs[partitions], tmp_path / "mock", config, "local")
    assert summary.n_partition == n_partition > 1
    assert summary.n_rows == N
    assert summary.n_written == 2 * N
    assert summary.component_sum.sum() == pytest.approx(N, abs=1e-4)
    assert_same(rows(tmp_path / "mock"), reference)


def test_a_cluster_does_not_matter(whole, reference) -> None:
    assert_same(rows(whole), reference)


def test_a_catalogue_is_learned_from_once(stars, inputs, cluster, tmp_path, capsys) -> None:
    """By the process that starts the run; workers read the file, as a build of one table does."""
    output = tmp_path / "mock"
    command = ["build", str(inputs["coarse"]), "-o", str(output), "--scheduler", cluster]
    assert cli.run(command) == 0
    assert f"note: learned from {N} stars: reddening" in " ".join(capsys.readouterr().out.split())
    learned = tmp_path / "mock_learned.fits"
    settings = {"learn": {"file": str(learned)}}
    build(stars, tmp_path / "single.parquet", load_config(None, settings), workers=1)
    assert_same(rows(output), in_order(pq.read_table(tmp_path / "single.parquet")))
    # Other partitions teach the same, but for the last digits.
    again = ["build", str(inputs["fine"]), "-o", str(tmp_path / "again"), "--scheduler", cluster]
    assert cli.run(again) == 0
    first, second = (load_learned(tmp_path / f"{name}_learned.fits") for name in ("mock", "again"))
    np.testing.assert_array_equal(first.cell, second.cell)
    np.testing.assert_allclose(first.factor, second.factor, rtol=1e-5)
    np.testing.assert_allclose(first.case_fraction, second.case_fraction, rtol=1e-4)


def test_thresholds_give_different_partitions(inputs) -> None:
    coarse, fine = (
        {path.relative_to(inputs[name]) for path in inputs[name].rglob("Npix=*.parquet")}
        for name in THRESHOLDS
    )
    assert len(fine) >= 2 * len(coarse)


def test_lsdb_reads_it(whole, reference) -> None:
    import lsdb
    from hats.io.validation import is_valid_catalog

    assert is_valid_catalog(whole, strict=True)
    catalogue = lsdb.open_catalog(whole)
    assert len(catalogue) == 2 * N
    found = catalogue.cone_search(
        *(float(reference[name][0].as_py()) for name in ("ra", "dec")), 1.0
    )
    nearby = found.compute(progress_bar=False)
    assert reference["source_id"][0].as_py() in set(nearby["source_id"])
    assert nearby.index.name == "_healpix_29"


def test_provenance(whole) -> None:
    from hats.catalog import TableProperties

    words = TableProperties.read_from_dir(whole)
    assert words.total_rows == 2 * N
    assert words.gcmock_seed == "5"
    settings = json.loads(words.gcmock_config)
    assert Config.model_validate(settings).run.realisations == 2
    schema = pq.read_schema(whole / "dataset" / "_common_metadata")
    assert schema.field("pmra").metadata[b"unit"] == b"mas/yr"
    metadata = json.loads(schema.metadata[b"gcmock"])
    assert metadata["input"] == "fine"
    assert len(metadata["input_sha256"]) == 64
    part = next(whole.rglob("Npix=*.parquet"))
    assert read_metadata(part) == metadata


def test_rows_lie_in_their_pixels_in_order(whole) -> None:
    for part in whole.rglob("Npix=*.parquet"):
        index = pq.ParquetFile(part).read()["_healpix_29"].to_numpy()
        order = int(part.parent.parent.name.split("=")[1])
        assert (index >> (2 * (29 - order)) == int(part.stem.split("=")[1])).all()
        assert (np.diff(index) >= 0).all()


@pytest.mark.parametrize("n_star", [0, 40])
def test_resume(inputs, whole, cluster, tmp_path, n_star) -> None:
    def stop(done: int, total: int) -> None:
        if done >= n_star:
            raise KeyboardInterrupt

    output = tmp_path / "whole"
    with pytest.raises(InterruptedRunError, match="run the same command again"):
        build_hats(inputs["fine"], output, CONFIG, cluster, progress=stop)
    kept = len(list(output.rglob("Npix=*.parquet")))
    summary = build_hats(inputs["fine"], output, CONFIG, cluster)
    assert (summary.n_kept > 0) == (n_star > 0)
    assert kept < summary.n_partition
    assert summary.n_written == 2 * N
    assert contents(output) == contents(whole)


def test_other_settings_do_not_mix(inputs, whole, cluster) -> None:
    other = load_config(None, {"run": {"realisations": 2, "seed": 6}, "learn": {"use": False}})
    with pytest.raises(InputError, match=r"config\.run\.seed = 5, now 6"):
        build_hats(inputs["fine"], whole, other, cluster)
    with pytest.raises(InputError, match="input"):
        build_hats(inputs["coarse"], whole, CONFIG, cluster)


def test_a_worker_dies(inputs, whole, tmp_path) -> None:
    """SIGKILL of a worker process in the middle: no star is lost, none occurs twice."""
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done and not killed:
            from distributed import default_client

            pids = default_client().run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    output = tmp_path / "whole"
    summary = build_hats(inputs["fine"], output, CONFIG, "local", progress=kill_one)
    assert killed
    assert summary.n_written == 2 * N
    assert contents(output) == contents(whole)


def test_ctrl_c_in_a_terminal(inputs, whole, cluster, tmp_path) -> None:
    """It reaches all processes at once; one line says what happened, and the run can go on."""
    output = tmp_path / "whole"
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.to_toml())
    command = [sys.executable, "-m", "gcmock", "build", str(inputs["fine"]), "-o", str(output)]
    command += ["--scheduler", "local", "--config", str(config)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while run.poll() is None and not list(output.rglob("Npix=*.parquet")):
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)
    _, error = run.communicate(timeout=120)
    assert run.returncode == 130
    assert error.count("\n") == 1
    assert "partitions are kept" in error
    assert build_hats(inputs["fine"], output, CONFIG, cluster).n_written == 2 * N
    assert contents(output) == contents(whole)


def test_stars_are_left_out_by_choice(few_stars, cluster, tmp_path) -> None:
    """A partition without any star that is kept is no partition of the output."""
    table = few_stars(40)
    table["l"][:20], table["b"][:20] = 120.0, 40.0
    table.write(tmp_path / "stars.fits")
    import_table(tmp_path / "stars.fits", tmp_path / "hats", CONFIG, cluster, pixel_threshold=30)
    with pytest.raises(InputError, match="20 stars lie outside the extinction map"):
        build_hats(tmp_path / "hats", tmp_path / "mock", CONFIG, cluster)
    config = load_config(None, {"input": {"outside_map": "skip"}})
    summary = build_hats(tmp_path / "hats", tmp_path / "mock", config, cluster)
    assert summary.skipped.total() == 20
    assert summary.n_partition == len(list((tmp_path / "mock").rglob("Npix=*.parquet")))
    assert rows(tmp_path / "mock").num_rows == 20


def changed_partition(inputs: dict[str, Path], tmp_path: Path, change) -> Path:
    broken = tmp_path / "broken"
    shutil.copytree(inputs["fine"], broken)
    first, second = sorted(broken.rglob("Npix=*.parquet"))[:2]
    table = change(pq.ParquetFile(first).read(), pq.ParquetFile(second).read())
    pq.write_table(table, second)
    return broken


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def test_identifiers_of_other_partitions(inputs, cluster, tmp_path) -> None:
    def change(first: pa.Table, second: pa.Table) -> pa.Table:
        ids = second["source_id"].to_numpy().copy()
        ids[0] = first["source_id"][0].as_py()
        return with_column(second, "source_id", pa.array(ids))

    broken = changed_partition(inputs, tmp_path, change)
    with pytest.raises(InputError, match=r"1 source_id occur more than once.*Npix="):
        build_hats(broken, tmp_path / "mock", CONFIG, cluster)


def test_stars_of_other_pixels(inputs, cluster, tmp_path) -> None:
    def change(first: pa.Table, second: pa.Table) -> pa.Table:
        moved = second["dec"].to_numpy() + 0.2
        table = with_column(second, "dec", pa.array(moved))
        return table.drop_columns(["l", "b"])

    broken = changed_partition(inputs, tmp_path, change)
    for part in broken.rglob("Npix=*.parquet"):
        table = pq.ParquetFile(part).read()
        pq.write_table(table.drop_columns({"l", "b"} & set(table.column_names)), part)
    with pytest.raises(InputError, match="do not lie in the pixel of their partition"):
        build_hats(broken, tmp_path / "mock", CONFIG, cluster)
    assert not (tmp_path / "mock").exists()


def test_identifiers_are_needed(inputs, cluster, tmp_path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(inputs["coarse"], broken)
    for part in broken.rglob("Npix=*.parquet"):
        pq.write_table(pq.ParquetFile(part).read().drop_columns("source_id"), part)
    with pytest.raises(InputError, match="no column source_id"):
        build_hats(broken, tmp_path / "mock", CONFIG, cluster)


def test_lost_partitions(inputs, cluster, tmp_path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(inputs["coarse"], broken)
    next(broken.rglob("Npix=*.parquet")).unlink()
    with pytest.raises(InputError, match="1 partitions are missing"):
        build_hats(broken, tmp_path / "mock", CONFIG, cluster)


def test_a_catalogue_is_a_folder_of_parquet(inputs, reference, tmp_path) -> None:
    """The single process reads HATS as well, and leaves its extra files alone."""
    broken = tmp_path / "hats"
    shutil.copytree(inputs["fine"], broken)
    part = next(broken.rglob("Npix=*.parquet"))
    pq.write_table(pq.ParquetFile(part).read().slice(0, 1), broken / "data_thumbnail.parquet")
    summary = build(broken, tmp_path / "mock.parquet", CONFIG)
    assert summary.n_rows == N
    assert_same(in_order(pq.read_table(tmp_path / "mock.parquet")), reference)


def test_command_line(stars, cluster, reference, tmp_path, capsys) -> None:
    catalogue, output = str(tmp_path / "hats"), str(tmp_path / "mock")
    where = ["--scheduler", cluster]
    command = ["import-hats", str(stars), "-o", catalogue, "--pixel-threshold", "90", *where]
    assert cli.run(command) == 0
    assert f"{N} stars" in capsys.readouterr().out
    command = ["build", catalogue, "-o", output, *where, "--realisations", "2", "--no-learn"]
    assert cli.run([*command, "--seed", "5"]) == 0
    assert "rows written" in capsys.readouterr().out
    assert_same(rows(Path(output)), reference)
    assert cli.run([*command, "--seed", "6"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "config.run.seed = 5, now 6" in error


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["build", "{stars}", "-o", "{new}", "--scheduler", "local"], "gcmock import-hats"),
        (["build", "{fine}", "-o", "{new}.fits", "--scheduler", "local"], "has no suffix"),
        (
            ["build", "{fine}", "-o", "{fine}/x", "--scheduler", "local"],
            "which is read by this command",
        ),
        (["build", "{new}", "-o", "{new}2", "--scheduler", "local"], "no such file"),
        (["build", "{fine}", "-o", "{new}", "--scheduler", "tcp://127.0.0.1:9"], "no Dask sched"),
        (["build", "{fine}", "-o", "{new}", "--scheduler", "loca"], "expected 'local' or"),
        (["import-hats", "{stars}", "-o", "{new}", "--pixel-threshold", "0"], "--pixel-threshold"),
        (["import-hats", "{stars}", "-o", "{fine}"], "exists already"),
        (["import-hats", "{stars}", "-o", "{new}/sub"], "does not exist"),
    ],
)
def test_bad_commands(stars, inputs, tmp_path, capsys, monkeypatch, command, message) -> None:
    monkeypatch.setattr("gcmock.runtime.cluster._SECONDS_TO_CONNECT", 1)
    words = {"stars": stars, "fine": inputs["fine"], "new": tmp_path / "new"}
    assert cli.run([part.format(**words) for part in command]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert list(tmp_path.iterdir()) == []


def test_libraries_are_optional(inputs, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("gcmock.runtime.cluster.find_spec", lambda name: None)
    command = ["build", str(inputs["fine"]), "-o", str(tmp_path / "mock"), "--scheduler", "local"]
    assert cli.run(command) == 2
    assert "pip install 'gcmock[hats]'" in capsys.readouterr().err
