"""The list of finished partitions."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from gcmock.errors import InputError
from gcmock.io.manifest import MANIFEST, Manifest, check_complete, check_folder, entry_of

RECORD = {"input": {"sha256": "ab"}, "config": {"run": {"seed": 1}, "columns": {}}}


def add(manifest: Manifest, name: str, text: str) -> None:
    path = manifest.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    manifest.append(entry_of(manifest.folder, name, len(text), {"n": len(text)}))


def test_begun_and_finished(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with Manifest(folder, RECORD) as manifest:
        assert not manifest.entries
        add(manifest, "b/2", "two")
        add(manifest, "a/1", "one")
        with pytest.raises(InputError, match="not complete; run the command"):
            check_complete(folder)
    with Manifest(folder, RECORD) as manifest:
        assert list(manifest.entries) == ["b/2", "a/1"]
        assert manifest.entries["a/1"].account == {"n": 3}
        assert not manifest.complete
        manifest.finish(["a/1", "b/2"])
    check_complete(folder)
    with Manifest(folder, RECORD) as manifest:
        assert manifest.complete
        assert list(manifest.entries) == ["a/1", "b/2"]
    lines = [json.loads(line) for line in (folder / MANIFEST).read_text().splitlines()]
    assert lines[-1] == {"complete": True, "partitions": 2, "rows": 6}


def test_a_lost_partition_makes_it_incomplete(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with Manifest(folder, RECORD) as manifest:
        add(manifest, "1", "one")
        manifest.finish(["1"])
    (folder / "1").unlink()
    with Manifest(folder, RECORD) as manifest:
        assert not manifest.complete
        assert not manifest.entries
    with pytest.raises(InputError, match="not complete"):
        check_complete(folder)


def test_changes_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    Manifest(folder, RECORD).close()
    other = {"input": {"sha256": "cd"}, "config": {"run": {"seed": 2}, "columns": {"l": "glon"}}}
    with pytest.raises(InputError) as error:
        Manifest(folder, other)
    for words in (
        "input.sha256 = 'ab', now 'cd'",
        "config.run.seed = 1, now 2",
        "config.columns.l = None, now 'glon'",
        "--overwrite",
    ):
        assert words in str(error.value)
    with Manifest(folder, other, overwrite=True) as manifest:
        assert not manifest.entries


def test_many_changes_are_cut_short(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    Manifest(folder, {f"k{i}": i for i in range(20)}).close()
    with pytest.raises(InputError, match="and 14 more"):
        Manifest(folder, {f"k{i}": -1 - i for i in range(20)})


@pytest.mark.parametrize("text", ["", "nonsense\n", '{"format": 99, "record": {}}\n', "[1]\n"])
def test_damaged_manifests(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / MANIFEST).write_text(text)
    with pytest.raises(InputError, match="damaged, or of another version"):
        Manifest(folder, RECORD)
    Manifest(folder, RECORD, overwrite=True).close()


def test_files_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        Manifest(tmp_path / "file", RECORD)
    with pytest.raises(InputError, match="does not exist"):
        Manifest(tmp_path / "no" / "out", RECORD)


def test_lock_is_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with Manifest(folder, RECORD), pytest.raises(InputError, match="another run is writing"):
        Manifest(folder, RECORD)
    Manifest(folder, RECORD).close()


def test_only_what_gcmock_wrote_is_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with Manifest(folder, RECORD) as manifest:
        add(manifest, "1", "one")
        manifest.finish(["1"])
    thesis = folder / "figures" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years")
    for check in (Manifest, lambda f, r, overwrite: check_folder(f, overwrite=overwrite)):
        with pytest.raises(InputError, match=r"did not write \(figures/thesis\.txt\)"):
            check(folder, RECORD, overwrite=True)
    check_complete(folder)
    thesis.unlink()
    (folder / "figures" / "data").symlink_to(tmp_path)
    with pytest.raises(InputError, match=r"figures/data"):
        Manifest(folder, RECORD, overwrite=True)
    check_complete(folder)


def test_links_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("link", "dangling"):
        with pytest.raises(InputError, match="is a link"):
            Manifest(tmp_path / name, RECORD)
        with pytest.raises(InputError, match="is a link"):
            check_folder(tmp_path / name, overwrite=False)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", [f"{MANIFEST}.partial-123", f"{MANIFEST}.partial-7-ab12cd34"])
def test_a_manifest_that_never_got_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_text("{")
    check_folder(folder, overwrite=False)
    Manifest(folder, RECORD).close()
    assert [path.name for path in folder.iterdir()] == [MANIFEST]


def test_bad_input_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"

    def fail(finished: bool) -> None:
        with Manifest(folder, RECORD, or_nothing=True) as manifest:
            (folder / "_cells" / "gaia").mkdir(parents=True)
            (folder / "_cells" / "gaia" / "cell-1-0000.arrow").write_bytes(b"x")
            if finished:
                add(manifest, "1", "one")
            raise InputError("bad")

    with pytest.raises(InputError, match="bad"):
        fail(False)
    assert not folder.exists()
    with pytest.raises(InputError, match="bad"):
        fail(True)
    assert (folder / "1").exists()


def test_equal_runs_touch_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with Manifest(folder, RECORD) as manifest:
        add(manifest, "1", "one")
        manifest.finish(["1"])
    before = (folder / MANIFEST).stat()
    Manifest(folder, RECORD).close()
    after = (folder / MANIFEST).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_disks_without_locks(tmp_path: Path, monkeypatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    folder = tmp_path / "out"
    with Manifest(folder, RECORD) as manifest:
        with pytest.raises(InputError, match="another run is writing here"):
            Manifest(folder, RECORD)
        add(manifest, "1", "one")
        manifest.finish(["1"])
    check_complete(folder)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1", MANIFEST, "out"]


def test_names_that_are_not_text(tmp_path: Path) -> None:
    record = {"input": {"name": "bad_\udce9.parquet"}}
    Manifest(tmp_path / "out", record).close()
    Manifest(tmp_path / "out", record).close()
