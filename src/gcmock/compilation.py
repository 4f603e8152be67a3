"""Compiled functions that are kept on disk, and forgotten when any source of the package changes.

Numba looks only at the file of the function that it keeps: after an upgrade, or an edit, of a file
that this function calls it would run the old code. Here the name of the folder tells the sources.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from getpass import getuser
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba
from numba.core import config


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator: `numba.njit` with `options`, kept in `cache_folder`.

    Parameters
    ----------
    **options
        Of `numba.njit`, without ``cache``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        # Numba reads the setting when it decorates; it stays as it was for everybody else.
        before = config.CACHE_DIR
        config.CACHE_DIR = str(cache_folder())
        try:
            return numba.njit(cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return decorate


@cache
def cache_folder() -> Path:
    """Folder of the compiled functions of these sources.

    In ``NUMBA_CACHE_DIR`` if that is set, else in ``gcmock`` in the user's cache folder, or in the
    temporary folder if that cannot be written. Folders of other versions may be deleted any time.
    """
    if config.CACHE_DIR:
        parents = [Path(config.CACHE_DIR)]
    else:
        user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        parents = [user / "gcmock", Path(tempfile.gettempdir()) / f"gcmock-{getuser()}"]
    for parent in parents:
        folder = parent / f"compiled-{fingerprint()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return folder


@cache
def fingerprint() -> str:
    """Digest of the version of Numba and of all Python files of the package."""
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
