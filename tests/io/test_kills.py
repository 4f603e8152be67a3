"""Killed at every call that changes names on the disk: nothing half, and the rerun is the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kills import at_every_call

from gcmock.errors import InputError
from gcmock.io.beside import announced, take_left_behind
from gcmock.io.disk import check_new_file, whole_folder, write_text
from gcmock.io.manifest import Manifest, check_folder, entry_of
from gcmock.io.readers.opening import open_table
from gcmock.io.writers.folder import open_output
from gcmock.io.writers.writer import open_writer
from gcmock.words.columns import Column

COLUMNS = (Column("id", "int64", "", "meta.id", "Number"),)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def partitions(folder: Path, n: int, first: int = 0, *, overwrite: bool = False) -> None:
    """Do what build and merge do."""
    check_folder(folder, overwrite=overwrite)
    with Manifest(folder, {"n": n, "first": first}, overwrite=overwrite) as manifest:
        names = [f"part-{i:05d}.parquet" for i in range(n)]
        for i, name in enumerate(names):
            if name not in manifest.entries:
                with open_writer(folder / name, COLUMNS, {"manifest": "m"}, overwrite=True) as one:
                    one.write({"id": np.array([first + i])})
                manifest.append(entry_of(folder, name, 1, {}))
        manifest.finish(names)


def rows(path: Path) -> list[int] | None:
    """Rows of a table; None if it is refused."""
    try:
        source = open_table(path)
    except InputError:
        return None
    return [int(x) for chunk in source.chunks(100) for x in chunk["id"]]


@pytest.mark.slow
def test_partitions_go_on(tmp_path: Path) -> None:
    partitions(tmp_path / "whole", 2)
    expected = content(tmp_path / "whole")
    folder = tmp_path / "out"
    kills = 0
    for _ in at_every_call(
        lambda: partitions(folder, 2), lambda: shutil.rmtree(folder, ignore_errors=True)
    ):
        kills += 1
        assert rows(folder) in (None, [0, 1])
        partitions(folder, 2)
        assert content(folder) == expected
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "whole"]
    assert kills > 8


@pytest.mark.slow
def test_partitions_that_replace_others(tmp_path: Path) -> None:
    partitions(tmp_path / "whole", 1, 7)
    expected = content(tmp_path / "whole")
    folder = tmp_path / "out"

    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        partitions(folder, 3)

    for number in at_every_call(lambda: partitions(folder, 1, 7, overwrite=True), prepare):
        assert rows(folder) in (None, [0, 1, 2], [7])
        # With and without the option: what is left of the old ones goes.
        again = bool(number % 2) or rows(folder) == [0, 1, 2]
        partitions(folder, 1, 7, overwrite=again)
        assert content(folder) == expected
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "whole"]


@pytest.mark.long
@pytest.mark.parametrize("exchange", [True, False], ids=["exchanged", "in two steps"])
def test_folders_are_old_or_new(tmp_path: Path, monkeypatch, exchange: bool) -> None:
    if not exchange:
        monkeypatch.setattr("gcmock.io.disk._exchange", lambda one, other: False)

    def write(folder: Path, first: int, n: int) -> None:
        with open_output(folder, COLUMNS, {"a": "b"}, 2, overwrite=True) as writer:
            writer.write({"id": np.arange(first, first + n)})

    write(tmp_path / "whole", 10, 3)
    expected = content(tmp_path / "whole")
    folder = tmp_path / "out"

    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        write(folder, 0, 5)

    for _ in at_every_call(lambda: write(folder, 10, 3), prepare):
        states = [[0, 1, 2, 3, 4], [10, 11, 12]] + ([] if exchange else [None])
        assert rows(folder) in states
        write(folder, 10, 3)
        assert content(folder) == expected
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "whole"]


@pytest.mark.slow
def test_two_outputs(tmp_path: Path) -> None:
    """The main output comes last, and the rerun takes what its dead predecessor left beside it."""
    main, beside, folder = (tmp_path / name for name in ("a.json", "b.json", "c"))

    def command() -> None:
        for path in (beside, folder):
            take_left_behind(path, main)
        check_new_file(main, overwrite=False)
        check_new_file(beside, overwrite=False)
        with announced(main):
            with whole_folder(folder) as inside:
                write_text(inside / "d.json", "{}")
            write_text(beside, '{"creator": "gcmock 0"}')
            write_text(main, '{"creator": "gcmock 1"}')

    def prepare() -> None:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()

    command()
    expected = content(tmp_path)
    for _ in at_every_call(command, prepare):
        if not main.exists():
            command()
        assert {k: v for k, v in content(tmp_path).items() if ".partial-" not in k} == expected
    prepare()
    write_text(beside, '{"creator": "gcmock 0"}')
    with pytest.raises(InputError, match=r"b\.json: exists already"):
        command()
