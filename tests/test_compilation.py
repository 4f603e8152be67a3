"""Compiled code is kept, in a folder that belongs to these sources."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from numba.core import config

from gcmock import compilation


def test_kept_in_the_folder_of_the_sources(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "compiled"
    folder.mkdir()
    monkeypatch.setattr(compilation, "cache_folder", lambda module: folder)
    before = config.CACHE_DIR
    double = compilation.compiled(nogil=True)(_double)
    assert before == config.CACHE_DIR
    np.testing.assert_array_equal(double(np.arange(3)), [0, 2, 4])
    assert list(folder.rglob("*.nbi"))


def test_fingerprint_follows_the_sources(tmp_path, monkeypatch) -> None:
    package = tmp_path / "gcmock"
    package.mkdir()
    monkeypatch.setattr(compilation, "__file__", str(package / "compilation.py"))
    (package / "kernel.py").write_text("from gcmock.a import (\n    x,\n)\n")
    (package / "a.py").write_text("from gcmock import b\nx = 1\n")
    (package / "b.py").write_text("y = 1\n")
    (package / "apart.py").write_text("z = 1\n")
    seen = set()
    for name in ("kernel", "a", "b"):
        with (package / f"{name}.py").open("a") as file:
            file.write("more = 1\n")
        seen.add(compilation.fingerprint.__wrapped__("gcmock.kernel"))
    assert len(seen) == 3
    (package / "apart.py").write_text("z = 2\n")
    assert compilation.fingerprint.__wrapped__("gcmock.kernel") in seen


def test_falls_back_when_the_cache_cannot_be_made(tmp_path, monkeypatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    folder = compilation.cache_folder.__wrapped__("gcmock.posterior.kernel.block")
    assert folder.is_dir()
    assert blocked not in folder.parents


def _double(x):
    return 2 * x


INFER = """
import os
import subprocess
import sys

import numpy as np
from gcmock.model import load_model
from gcmock.posterior.observations import Observations
n = 40
l, b = np.full(n, 0.31), np.full(n, -0.22)
ks = np.linspace(10.0, 15.0, n)
mag = np.column_stack([ks + 4.0, ks + 1.3, ks, np.full(n, np.nan)])
nan = np.full(n, np.nan)
data = Observations(l, b, mag, np.full((n, 4), 0.05), nan, nan, np.full(n, 2.0), np.full(n, 0.05))
summary, draws = load_model().posterior.infer(data, np.arange(n, dtype=np.uint64)[:, None])
for values in (*summary, *draws):
    print(values.tobytes().hex())
"""


@pytest.mark.long
def test_compiled_just_now_or_earlier_is_the_same(tmp_path) -> None:
    """Bit by bit: or else a run that is resumed would not equal one that was not interrupted."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    results = [
        subprocess.run(
            [sys.executable, "-c", INFER], env=environment, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert len(results[0]) > 1000
    assert results[0] == results[1]


def test_of_several_that_lack_a_function_one_compiles(tmp_path, monkeypatch) -> None:
    pytest.importorskip("fcntl")
    kept, compiled = {}, []

    def compile_slowly(function, signature):
        compiled.append(signature)
        time.sleep(0.1)
        kept[signature] = "code"
        return True

    monkeypatch.setattr(compilation, "cache_folder", lambda module: tmp_path)
    monkeypatch.setattr(compilation, "_compile_in_child", compile_slowly)
    cache = SimpleNamespace(load_overload=lambda signature, target: kept.get(signature))
    filled = compilation._Cache(cache, _double)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(filled.load_overload, ["float64"] * 3, [None] * 3))
    assert found == ["code"] * 3
    assert compiled == ["float64"]


def test_without_a_place_for_a_lock_it_is_compiled_all_the_same(tmp_path) -> None:
    with compilation._alone(tmp_path / "no such folder" / "double.lock"):
        pass


def test_a_process_without_home_and_name_has_a_folder(monkeypatch) -> None:
    """As in a container whose user has no passwd entry."""
    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "USERPROFILE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "pwd", None)
    (folder,) = compilation._cache_parents()
    assert folder.name.startswith("gcmock-")
    monkeypatch.setenv("XDG_CACHE_HOME", os.sep + "cache")
    assert compilation._cache_parents()[0].parts[-2:] == ("cache", "gcmock")
