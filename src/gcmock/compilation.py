"""Compiled functions that are kept on disk, and forgotten when any source that they use changes.

Numba looks only at the file of the function that it keeps: after an upgrade, or an edit, of a file
that this function calls it would run the old code. Here the name of the folder tells the sources.

A process that compiles a function does not run quite the same machine code as one that finds it on
disk: functions inside it may be linked from their own compilation, optimised in another way, which
changes the order of sums, and a result in its seventh digit. Functions are therefore compiled in a
process of their own, so that every process runs what is on disk.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba
from numba.core import config

_IN_CHILD = "GCMOCK_COMPILES"
_IMPORT = re.compile(
    r"^\s*(?:from|import) (gcmock[\w.]*)(?: import (\([^)]*\)|[^\n]*))?", re.MULTILINE
)
_WORD = re.compile(r"\w+")
_CHILD = """
import pickle, sys
from importlib import import_module
module, name, signature = pickle.load(sys.stdin.buffer)
getattr(import_module(module), name).compile(signature)
"""


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
        config.CACHE_DIR = str(cache_folder(function.__module__))
        try:
            dispatcher = numba.njit(cache=True, **options)(function)
        except (RuntimeError, OSError):
            # No folder can be written: every process compiles for itself.
            return numba.njit(**options)(function)
        finally:
            config.CACHE_DIR = before
        in_child = function.__module__.startswith("gcmock.") and _IN_CHILD not in os.environ
        dispatcher._cache = _Cache(dispatcher._cache, function if in_child else None)
        return dispatcher

    return decorate


class _Cache:
    """A cache of Numba that is done without where the disk fails.

    Parameters
    ----------
    cache : numba.core.caching.FunctionCache
    function : callable, optional
        Another process compiles it if the cache lacks it.
    """

    def __init__(self, cache: Any, function: Callable[..., Any] | None) -> None:
        self._cache = cache
        self._function = function

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled function, or None if it must be compiled here after all."""
        found = self._load(signature, target)
        if found is not None or not self._function:
            return found
        # Of several processes that lack it one compiles, and the others wait for what it finds.
        with _alone(cache_folder(self._function.__module__) / f"{self._function.__name__}.lock"):
            found = self._load(signature, target)
            if found is None and _compile_in_child(self._function, signature):
                found = self._load(signature, target)
        return found

    def _load(self, signature: Any, target: Any) -> Any:
        # A file may be cut short by a power failure, or not be readable for this user.
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            return self._cache.load_overload(signature, target)
        return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep a compiled function, if the disk takes it."""
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            self._cache.save_overload(signature, data)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process holds a lock; without one where files cannot be locked."""
    with ExitStack() as stack:
        try:
            import fcntl

            file = stack.enter_context(lock.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)
        except (ImportError, OSError):
            pass  # at worst it is compiled twice
        yield


def _compile_in_child(function: Callable[..., Any], signature: Any) -> bool:
    """Compile a function in a new process; return whether that went well."""
    work = pickle.dumps((function.__module__, function.__name__, signature))
    environment = {**os.environ, _IN_CHILD: "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _CHILD], input=work, env=environment, capture_output=True
        )
    except OSError:
        return False
    if done.returncode == -signal.SIGINT:
        # Ctrl-C reaches both processes; without this the caller would now begin to compile.
        raise KeyboardInterrupt
    return done.returncode == 0


@cache
def cache_folder(module: str) -> Path:
    """Folder of the compiled functions of a module, as its sources are now.

    In ``NUMBA_CACHE_DIR`` if that is set, else in ``gcmock`` in the user's cache folder, or in the
    temporary folder if that cannot be written. Folders of other versions may be deleted any time.

    Parameters
    ----------
    module : str
        Full name of a module.
    """
    for parent in [Path(config.CACHE_DIR)] if config.CACHE_DIR else _cache_parents():
        folder = parent / f"compiled-{fingerprint(module)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return folder


def _cache_parents() -> list[Path]:
    """Folders for the folders of compiled functions, the best first."""
    temporary = Path(tempfile.gettempdir())
    parents = [temporary / f"gcmock-{_user()}"]
    # A process in a container may have neither a home nor a name.
    with suppress(RuntimeError):
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        parents.insert(0, cache / "gcmock")
    return parents


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (ImportError, KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "user"


@cache
def fingerprint(module: str) -> str:
    """Digest of the version of Numba and of the sources of a module: its own and all it imports."""
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for path in sorted(_sources(module)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(module: str) -> set[Path]:
    """Files of the package that a module imports, directly or not, and its own."""
    found: set[Path] = set()
    path = _file_of(module)
    waiting = {path} if path else set()
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= _imported(path) - found
    return found


# Dozens of modules are compiled, and most of them import the same ones.
@cache
def _imported(path: Path) -> frozenset[Path]:
    """Files of the package that a file names in its imports."""
    modules = set()
    for package, names in _IMPORT.findall(path.read_text(encoding="utf-8")):
        modules |= {package, *(f"{package}.{name}" for name in _WORD.findall(names))}
    return frozenset(file for file in map(_file_of, modules) if file)


@cache
def _file_of(module: str) -> Path | None:
    path = Path(__file__).parent.parent.joinpath(*module.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)
