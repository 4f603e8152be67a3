"""Outputs that are written before the main one; `test_kills` kills between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcmock.io import beside as module
from gcmock.io.beside import announced, take_left_behind
from gcmock.io.partial import partials_of

OWN = '{"creator": "gcmock 0"}'


def test_the_trace_goes(tmp_path: Path) -> None:
    main = tmp_path / "a.json"
    with announced(main):
        assert len(list(partials_of(main))) == 1
    with pytest.raises(KeyboardInterrupt), announced(main):
        raise KeyboardInterrupt
    with announced(None):
        assert not list(tmp_path.iterdir())


def test_half_of_a_result_goes_if_it_is_ours(tmp_path: Path, monkeypatch) -> None:
    main, beside = tmp_path / "a.json", tmp_path / "a_truth.json"
    beside.write_text(OWN)
    take_left_behind(beside, main)
    assert beside.exists()
    monkeypatch.setattr(module, "is_left_behind", lambda *_: True)
    take_left_behind(beside, main)
    assert not beside.exists()
    beside.write_text("mine")
    take_left_behind(beside, main)
    assert beside.read_text() == "mine"
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "mine").write_text("x")
    take_left_behind(folder, main)
    assert (folder / "mine").exists()
    (folder / "mine").write_text(OWN)
    take_left_behind(folder, main)
    assert not folder.exists()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "a_truth.json")
    take_left_behind(link, main)
    assert link.is_symlink()
