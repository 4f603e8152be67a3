"""Real commands where a machine permits little: memory, files, sizes, homes, packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gcmock
from gcmock.compilation import cache_folder

# Long: every command is a process of its own.
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name == "nt", reason="needs a shell of Unix"),
]

BUILD = ("build", "few.parquet", "-o", "mock.parquet", "--no-learn", "--workers", "1")
LEARN = ("build", "few.parquet", "-o", "mock", "--workers", "1")


def run(folder: Path, *words: str, limit: str = "", **environment: str) -> tuple[int, str, str]:
    """Run a command under a limit of the shell; return its exit code, output and errors."""
    shell = f'{f"ulimit {limit} && " if limit else ""}exec "$@"'
    command = ["bash", "-c", shell, "bash", sys.executable, "-m", "gcmock", *words]
    paths = {"PYTHONPATH": str(Path(gcmock.__file__).parents[1])}
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **paths, **environment},
    )
    return done.returncode, done.stdout, done.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(few_stars, tmp_path) -> Path:
    few_stars(8).write(tmp_path / "few.parquet")
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory")
@pytest.mark.parametrize("megabytes", [1200, 1800])
def test_memory(folder, megabytes) -> None:
    """Where it ends depends on the machine: never in a traceback, or in half a file."""
    code, _, error = run(folder, *BUILD, limit=f"-v {1024 * megabytes}")
    assert code in (0, 1), error
    assert "Traceback" not in error
    assert "defect" not in error
    assert names(folder) == ["few.parquet"] if code else ["few.parquet", "mock.parquet"]
    if code:
        assert "memory" in error


@pytest.mark.parametrize("n_file", [16])
@pytest.mark.parametrize("words", [BUILD, LEARN], ids=["file", "folder"])
def test_open_files(folder, words, n_file) -> None:
    code, _, error = run(folder, *words, limit=f"-n {n_file}")
    assert code in (0, 1), error
    assert "Traceback" not in error
    assert "defect" not in error


@pytest.mark.parametrize("words", [BUILD, LEARN], ids=["file", "folder"])
def test_sizes_of_files(folder, words) -> None:
    """A quota that stops the output stops the run in one line, and leaves nothing half."""
    code, _, error = run(folder, *words, limit="-f 8")
    assert code == 3
    assert error.startswith("gcmock: error: ")
    assert "File too large" in error
    assert error.count("\n") == 1
    assert not [p for p in folder.rglob("*") if ".partial-" in p.name or p.suffix == ".fits"]
    assert not (folder / "mock.parquet").exists()
    code, _, error = run(folder, *words)
    assert code == 0, error


def test_neither_home_nor_name_nor_a_package_to_write_to(folder) -> None:
    """Compiled functions lie in the temporary folder then; nothing else is written but outputs."""
    package = Path(gcmock.__file__).parent
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*")}
    temporary = folder / "tmp"
    temporary.mkdir()
    # Those of this user: compiling them takes minutes.
    (temporary / f"gcmock-{os.getuid()}").symlink_to(cache_folder("gcmock.random").parent)
    environment = {
        "HOME": "/nonexistent",
        "XDG_CACHE_HOME": "/dev/null/cache",
        "XDG_CONFIG_HOME": "/dev/null/config",
        "NUMBA_CACHE_DIR": "",
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",
        # A name of no passwd entry.
        "LOGNAME": str(os.getuid()),
    }
    for words in (BUILD, ("report", "mock.parquet", "-o", "report.html", "--sample", "2")):
        code, _, error = run(folder, *words, **environment)
        assert (code, error) == (0, "")
    assert names(folder) == ["few.parquet", "mock.parquet", "report.html", "tmp"]
    assert {path: path.stat().st_mtime_ns for path in package.rglob("*")} == before


@pytest.mark.parametrize("encoding", ["ascii", "cp932"])
def test_encodings_of_terminals(folder, encoding) -> None:
    (folder / "few.parquet").rename(folder / "Stérne_µ.parquet")
    words = ["Stérne_µ.parquet" if word == "few.parquet" else word for word in BUILD]
    environment = {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    code, _, error = run(folder, *words, **environment)
    assert (code, error) == (0, "")
