"""Names of what is being written, and who writes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gcmock.errors import InputError
from gcmock.io import partial as module
from gcmock.io.disk import remove_dead, whole_file, whole_folder
from gcmock.io.partial import check_alone, is_left_behind, is_partial, partial_name, partials_of

OWN = '{"creator": "gcmock 0"}'


def dead_number() -> int:
    """Return the number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def of(path: Path, pid: int, machine: str | None = None) -> Path:
    """Return the name that another process would give."""
    name = partial_name(path).name
    found = next(p for p in [module._NAME.match(name)] if p)
    changed = name.replace(f"-{found['pid']}-", f"-{pid}-", 1)
    if machine:
        changed = changed.replace(found["machine"], machine)
    return path.with_name(changed)


def test_names(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    first, second = partial_name(path), partial_name(path)
    assert first != second
    assert is_partial(first.name)
    for name in ("a.partial-12", "a.partial-12-ab34cd56", "result.partial-votable"):
        assert is_partial(name)
    for name in ("a.partial-draft.txt", "a.partial", "partial-solutions"):
        assert not is_partial(name)
    first.touch()
    of(tmp_path / "a.fits.gz", 1).touch()
    (found,) = partials_of(path)
    assert (found.path, found.pid) == (first, os.getpid())
    assert not found.is_dead
    assert not found.is_of_another
    assert not list(partials_of(tmp_path / "no" / "a"))


def test_the_dead_and_the_living(tmp_path: Path) -> None:
    path = tmp_path / "a"
    of(path, dead_number()).touch()
    assert [(one.is_dead, one.is_of_another) for one in partials_of(path)] == [(True, False)]
    check_alone(path)
    remove_dead(path)
    assert not list(tmp_path.iterdir())
    of(path, os.getppid()).mkdir()
    assert [(one.is_dead, one.is_of_another) for one in partials_of(path)] == [(False, True)]
    with pytest.raises(InputError, match=rf"process {os.getppid()}\) is writing here"):
        check_alone(path)
    remove_dead(path)
    assert len(list(tmp_path.iterdir())) == 1


def test_our_number_was_that_of_another(tmp_path: Path) -> None:
    # Containers give small numbers again and again.
    theirs = of(tmp_path / "a", os.getpid())
    module._ours.discard(theirs.name)
    theirs.touch()
    assert [one.is_dead for one in partials_of(tmp_path / "a")] == [True]


def test_other_machines_are_left_alone(tmp_path: Path) -> None:
    of(tmp_path / "a", dead_number(), machine="0f0f0f").touch()
    check_alone(tmp_path / "a")
    remove_dead(tmp_path / "a")
    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_dead_run_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    path, folder = tmp_path / "a.json", tmp_path / "b"
    for output in (path, folder):
        left = of(output, dead_number())
        left.mkdir()
        (left / "half").touch()
    with whole_file(path) as partial:
        partial.write_text(OWN)
    with whole_folder(folder):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b"]


def test_a_folder_that_was_put_aside_comes_back(tmp_path: Path) -> None:
    left = of(tmp_path / "a", dead_number())
    (left / "replaced").mkdir(parents=True)
    (left / "replaced" / "data").touch()
    remove_dead(tmp_path / "a")
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == ["a", "a/data"]


def test_half_of_a_result_is_taken(tmp_path: Path) -> None:
    main, beside = tmp_path / "a.json", tmp_path / "a_truth.json"
    beside.write_text(OWN)
    assert not is_left_behind(beside, main)
    of(main, dead_number()).touch()
    # Older than the run that was killed: of another one, whose main output was moved away.
    os.utime(beside, (1.0, 1.0))
    assert not is_left_behind(beside, main)
    beside.write_text(OWN)
    assert is_left_behind(beside, main)
    main.write_text(OWN)
    assert not is_left_behind(beside, main)
    main.unlink()
