"""Files and folders that appear when they are complete, and leave nothing behind otherwise."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import (
    check_new_file,
    check_new_folder,
    partial_name,
    remove_partial,
    scratch_folder,
    whole_file,
    whole_folder,
    write_text,
)

STOPS = [RuntimeError, KeyboardInterrupt, GeneratorExit]
FULL = OSError(errno.ENOSPC, "No space left on device")


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def fail(path: Path, error: BaseException) -> None:
    path.write_text("half")
    raise error


def test_files_appear_when_they_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("old")
    with whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.parent == tmp_path
    assert path.read_text() == "new"
    assert names(tmp_path) == ["table.txt"]
    write_text(path, "µ")
    assert path.read_bytes() == "µ".encode()


@pytest.mark.parametrize("stop", STOPS)
def test_interrupted_files_leave_nothing(tmp_path: Path, stop: type[BaseException]) -> None:
    path = tmp_path / "table.txt"
    path.write_text("old")
    with pytest.raises(stop), whole_file(path) as partial:
        fail(partial, stop())
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.txt"]


def test_failing_disks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    with (
        pytest.raises(GcmockError, match=r"table\.txt: writing failed: No space left on device$"),
        whole_file(path) as partial,
    ):
        fail(partial, FULL)
    with (
        pytest.raises(GcmockError, match=r"table\.txt: writing failed: Input.*: stars\.fits$"),
        whole_file(path) as partial,
    ):
        fail(partial, OSError(errno.EIO, "Input/output error", "stars.fits"))
    with pytest.raises(InputError, match="cannot be written: No such file"):
        write_text(tmp_path / "no" / "table.txt", "")
    assert names(tmp_path) == []


def test_the_disk_has_a_file_before_it_has_its_name(tmp_path, monkeypatch) -> None:
    path, order = tmp_path / "table.txt", []
    replace = os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: order.append(os.readlink(f"/proc/self/fd/{fd}")))
    monkeypatch.setattr(os, "replace", lambda a, b: order.append("replace") or replace(a, b))
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs the names of open files")
    write_text(path, "x")
    assert [Path(name).name.partition(".partial")[0] for name in order] == [
        "table.txt",
        "replace",
        tmp_path.name,
    ]


def test_folders_appear_when_they_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    with whole_folder(path) as folder:
        assert folder.name == path.name
        (folder / "inner").mkdir()
        (folder / "inner" / "a").write_text("1")
        assert not path.exists()
    with whole_folder(path, overwrite=True, marker="inner/a") as folder:
        (folder / "b").write_text("2")
        assert names(path) == ["inner", "inner/a"]
    assert names(tmp_path) == ["catalogue", "catalogue/b"]


@pytest.mark.parametrize("stop", STOPS)
def test_interrupted_folders_leave_what_was_there(tmp_path, stop) -> None:
    path = tmp_path / "catalogue"
    with pytest.raises(stop), whole_folder(path) as folder:
        fail(folder / "a", stop())
    assert names(tmp_path) == []
    path.mkdir()
    (path / "old").write_text("1")
    with pytest.raises(stop), whole_folder(path, overwrite=True) as folder:
        fail(folder / "a", stop())
    assert names(tmp_path) == ["catalogue", "catalogue/old"]


def test_the_old_folder_comes_back_when_the_new_one_gets_no_name(tmp_path, monkeypatch) -> None:
    path = tmp_path / "catalogue"
    path.mkdir()
    (path / "old").write_text("1")
    replace = os.replace

    def fails_once(source, target):
        if (Path(source) / "new").exists():
            raise FULL
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_once)
    with (
        pytest.raises(GcmockError, match="catalogue: writing failed: No space left"),
        whole_folder(path, overwrite=True) as folder,
    ):
        (folder / "new").write_text("1")
    assert names(tmp_path) == ["catalogue", "catalogue/old"]


def test_only_own_folders_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match="exists already"):
        check_new_folder(tmp_path / "photos", overwrite=False)
    with pytest.raises(InputError, match="has no _manifest, so gcmock did not write it"):
        check_new_folder(tmp_path / "photos", overwrite=True, marker="_manifest")
    with pytest.raises(InputError, match="does not exist"):
        check_new_folder(tmp_path / "no" / "photos", overwrite=True)
    check_new_folder(tmp_path / "photos", overwrite=True)


def test_new_files_are_checked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InputError, match="exists already"):
        check_new_file(tmp_path / "a.txt", overwrite=False)
    with pytest.raises(InputError, match="is a folder"):
        check_new_file(tmp_path, overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        check_new_file(tmp_path / "no" / "a.txt", overwrite=True)
    check_new_file(tmp_path / "a.txt", overwrite=True)


def test_temporary_files_are_deleted(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch_folder(tmp_path / "out") as folder:
        fail(folder / "a", KeyboardInterrupt())
    with pytest.raises(InputError, match="cannot be written"), scratch_folder(tmp_path / "a" / "b"):
        pass
    partial_name(tmp_path / "killed").mkdir()
    (partial_name(tmp_path / "killed.parquet")).write_text("half")
    (tmp_path / "whole.parquet").write_text("whole")
    remove_partial(tmp_path)
    assert names(tmp_path) == ["whole.parquet"]
