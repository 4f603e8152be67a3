"""Standard streams that are closed, full, or of an encoding that lacks characters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A command that prints all that gcmock prints, and loads nothing that is slow.
PRINT = (
    "import sys; import gcmock.cli as app;"
    "app.app.command(name='say')(lambda: print('Â µ ☃ ' + 'x' * {n}));"
    "app.main(['say', *sys.argv[1:]])"
)


def say(*words: str, n: int = 10, shell: str = "", **environment: str) -> tuple[int, bytes, bytes]:
    """Run the command with streams as the shell makes them."""
    command = [sys.executable, "-c", PRINT.format(n=n), *words]
    if shell:
        command = ["bash", "-c", f'"$@" {shell}', "bash", *command]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932", "utf-8"])
def test_encodings_of_terminals(encoding: str) -> None:
    code, out, err = say(PYTHONIOENCODING=encoding)
    assert (code, err) == (0, b"")
    assert out.decode(encoding, "strict").endswith("xxxxxxxxxx" + os.linesep)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("n", [10, 100_000])
def test_a_full_output(n: int) -> None:
    code, _, err = say(n=n, shell="> /dev/full")
    assert code == 3
    assert err.startswith(b"gcmock: error: ")
    assert b"No space left on device" in err
    assert err.count(b"\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a shell of Unix")
@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&- >&- 2>&-", "| true", "| head -c 3"])
@pytest.mark.parametrize("n", [10, 1_000_000])
def test_closed_streams_and_pipes(shell: str, n: int) -> None:
    code, _, err = say(shell=shell, n=n)
    assert (code, err) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="needs names that are not text")
def test_names_that_are_not_text_in_the_log(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad_\xe9.parquet")
    log = tmp_path / "log.txt"
    code, _, err = say(name, "--log", str(log))
    assert code == 2
    assert b"bad_" in err
    assert "bad_\\udce9.parquet" in log.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_on_a_full_disk_stops_nothing() -> None:
    code, out, err = say("--log", "/dev/full")
    assert code == 0
    assert out.endswith(b"x\n")
    assert err.count(b"\n") == 1
    assert b"the log cannot be written: No space left on device" in err


def test_matplotlib_draws_without_a_window() -> None:
    code = (
        "import os; import gcmock.cli as app; app.app.command(name='see')"
        "(lambda: print(os.environ['MPLBACKEND'])); app.main(['see'])"
    )
    environment = {**os.environ, "MPLBACKEND": "module://not.installed"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.stdout.split() == [b"agg"]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ("MemoryError('Unable to allocate 8 GiB')", 1, "not enough memory: Unable"),
        ("MemoryError()", 1, "not enough memory; fewer"),
        ("OSError(24, 'Too many open files', 'a.fits')", 1, "a.fits: Too many open files"),
        ("OSError(122, 'Disk quota exceeded')", 3, "Disk quota exceeded"),
        ('RuntimeError("can\'t start new thread")', 1, "no more threads"),
    ],
)
def test_what_the_system_refuses_is_one_line(error: str, code: int, words: str) -> None:
    program = (
        f"import gcmock.cli as app\ndef fail():\n    raise {error}\n"
        "app.app.command(name='fails')(fail)\napp.main(['fails'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
