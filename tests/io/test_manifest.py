"""The list of finished partitions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gcmock.errors import InputError
from gcmock.io.manifest import MANIFEST, Manifest, check_complete, entry_of

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
