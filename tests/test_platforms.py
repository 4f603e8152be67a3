"""Every module can be imported where the modules of Unix are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gcmock

UNIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")

EXTRAS = ("dask", "distributed", "hats", "hats_import", "lsdb", "zero_point")
"""Packages of extras, which need not be installed."""

CODE = """
import sys
for name in {blocked}:
    sys.modules[name] = None
import importlib, os
for name in ("sched_getaffinity", "getuid", "sysconf"):
    if hasattr(os, name):
        delattr(os, name)
for module in {modules}:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {extras}:
            raise
from gcmock.compilation import _cache_parents
from gcmock.pool import available_cores
from gcmock.astrometry.solver.plan import available_gb
from gcmock.astrometry.solver.account import peak_memory_gb
print(available_cores() >= 1, available_gb() > 0, peak_memory_gb() is None, len(_cache_parents()))
"""


def modules() -> list[str]:
    root = Path(gcmock.__file__).parent
    names = [path.relative_to(root.parent).with_suffix("") for path in sorted(root.rglob("*.py"))]
    return [".".join(n.parts).removesuffix(".__init__") for n in names if n.name != "__main__"]


@pytest.mark.slow
def test_every_module_is_imported_without_unix_and_without_a_name(tmp_path: Path) -> None:
    """No modules of Unix, no passwd entry, and neither USER nor LOGNAME."""
    code = CODE.format(blocked=UNIX_ONLY, modules=modules(), extras=EXTRAS)
    # astropy, not gcmock, needs a home.
    environment = {"PYTHONPATH": str(Path(gcmock.__file__).parent.parent), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True", "True", "2"]
