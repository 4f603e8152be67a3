"""Files and folders that appear when they are complete, and leave nothing behind otherwise."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from gcmock.errors import DiskError, GcmockError, InputError
from gcmock.io.disk import (
    check_new_file,
    check_new_folder,
    partial_name,
    remove_partial,
    scratch_folder,
    sha256_of,
    sha256_of_input,
    whole_file,
    whole_folder,
    write_text,
    writing_failed,
)
from gcmock.io.ownership import ACCOUNT, write_account

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
    with whole_folder(path, overwrite=True) as folder:
        (folder / "b").write_text("2")
        assert names(path) == [ACCOUNT, "inner", "inner/a"]
    assert names(tmp_path) == ["catalogue", f"catalogue/{ACCOUNT}", "catalogue/b"]


@pytest.mark.parametrize("stop", STOPS)
def test_interrupted_folders_leave_what_was_there(tmp_path, stop) -> None:
    path = tmp_path / "catalogue"
    with pytest.raises(stop), whole_folder(path) as folder:
        fail(folder / "a", stop())
    assert names(tmp_path) == []
    old_result(path)
    with pytest.raises(stop), whole_folder(path, overwrite=True) as folder:
        fail(folder / "a", stop())
    assert names(path) == [ACCOUNT, "old"]
    assert names(tmp_path)[0] == "catalogue"


def old_result(path: Path) -> None:
    path.mkdir()
    (path / "old").write_text("1")
    write_account(path)


def test_the_old_folder_comes_back_when_the_new_one_gets_no_name(tmp_path, monkeypatch) -> None:
    path = tmp_path / "catalogue"
    old_result(path)
    replace = os.replace
    monkeypatch.setattr("gcmock.io.disk._exchange", lambda one, other: False)

    def fails_once(source, target):
        if (Path(source) / "new").exists():
            raise FULL
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_once)
    with (
        pytest.raises(DiskError, match="catalogue: writing failed: No space left"),
        whole_folder(path, overwrite=True) as folder,
    ):
        (folder / "new").write_text("1")
    assert names(tmp_path) == ["catalogue", f"catalogue/{ACCOUNT}", "catalogue/old"]


def test_only_own_folders_are_replaced(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    check_new_folder(photos, overwrite=False)  # an empty one is nobody's
    (photos / "me.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match=r"exists already.*--overwrite"):
        check_new_folder(photos, overwrite=False)
    with pytest.raises(InputError, match=r"gcmock did not write \(me\.png\)"):
        check_new_folder(photos, overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        check_new_folder(tmp_path / "no" / "photos", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        check_new_folder(tmp_path / "file", overwrite=True)
    (tmp_path / "link").symlink_to(photos)
    with pytest.raises(InputError, match="is a link"):
        check_new_folder(tmp_path / "link", overwrite=True)


def test_files_of_others_that_come_meanwhile_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    old_result(path)

    def write_both() -> None:
        with whole_folder(path, overwrite=True) as folder:
            (folder / "new").write_text("1")
            (path / "thesis.txt").write_text("years")

    with pytest.raises(InputError, match="did not write"):
        write_both()
    assert names(path) == [ACCOUNT, "old", "thesis.txt"]
    table = tmp_path / "table.json"

    def write_one() -> None:
        with whole_file(table) as partial:
            partial.write_text("{}")
            table.write_text("mine")

    with pytest.raises(InputError, match="since the run began"):
        write_one()
    assert table.read_text() == "mine"


def test_new_files_are_checked(tmp_path: Path) -> None:
    own = tmp_path / "a.json"
    own.write_text('{"creator": "gcmock 0"}')
    with pytest.raises(InputError, match="exists already"):
        check_new_file(own, overwrite=False)
    with pytest.raises(InputError, match="is a folder"):
        check_new_file(tmp_path, overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        check_new_file(tmp_path / "no" / "a.txt", overwrite=True)
    check_new_file(own, overwrite=True)
    with pytest.raises(InputError, match="name too long"):
        check_new_file(tmp_path / f"{'n' * 250}.txt", overwrite=False)


def test_folders_that_permit_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="does not permit"):
        check_new_file(tmp_path / "a.txt", overwrite=False)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, DiskError), (errno.EDQUOT, DiskError), (errno.EACCES, InputError)],
)
def test_a_full_disk_is_no_bad_input(number, kind) -> None:
    found = writing_failed(Path("t.fits"), OSError(number, os.strerror(number)))
    assert type(found) is kind
    assert DiskError.exit_code not in (GcmockError.exit_code, InputError.exit_code)


def test_names_that_are_not_text_are_written_with_escapes(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", json.dumps({"name": "\udce9"}, ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"name": "\udce9"}


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


def test_a_list_is_hashed_once_until_it_changes(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("one")
    first = sha256_of_input(path)
    assert first == sha256_of(path)
    with monkeypatch.context() as held:
        held.setattr("gcmock.io.disk.sha256_of", None)
        assert sha256_of_input(path) == first
    path.write_text("another")
    assert sha256_of_input(path) == sha256_of(path) != first
