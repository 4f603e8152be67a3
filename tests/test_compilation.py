"""Compiled code is kept, in a folder that belongs to these sources."""

from __future__ import annotations

import numpy as np
from numba.core import config

from gcmock import compilation


def test_kept_in_the_folder_of_the_sources(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "compiled"
    folder.mkdir()
    monkeypatch.setattr(compilation, "cache_folder", lambda: folder)
    before = config.CACHE_DIR
    double = compilation.compiled(nogil=True)(_double)
    assert before == config.CACHE_DIR
    np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])
    assert list(folder.rglob("*.nbi"))


def test_fingerprint_follows_the_sources(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(compilation, "__file__", str(tmp_path / "compilation.py"))
    (tmp_path / "a.py").write_text("x = 1\n")
    first = compilation.fingerprint.__wrapped__()
    (tmp_path / "a.py").write_text("x = 2\n")
    assert compilation.fingerprint.__wrapped__() != first


def test_falls_back_when_the_cache_cannot_be_made(tmp_path, monkeypatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    folder = compilation.cache_folder.__wrapped__()
    assert folder.is_dir()
    assert blocked not in folder.parents


def _double(x):
    return 2 * x
