"""Every verb, killed at calls of the system and by signals: the rerun is as if nothing was."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kills import calls_of, killed_at
from survey_tables import native_table, write
from tap_server import serve

import gcmock
from gcmock.errors import InterruptedRunError
from gcmock.frames import galactic_to_icrs
from gcmock.surveys.fetch.download import fetch
from gcmock.surveys.fetch.tap import Patience

# Long: every verb runs a dozen times.
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork"),
]

PLACE = {"l": (0.3, 0.32), "b": (-0.22, -0.2)}
OBSERVING = {
    "schedule.years": 1.0, "schedule.visits": 30, "magnitudes.faint": 15.0,
    "window.l_deg": [0.28, 0.34], "window.b_deg": [-0.24, -0.18],
    "magnitudes.primaries": 15.0, "magnitudes.bright": 5.0, "calibration.degree": 1,
    "reference.g_max": 26.0,
    "focal_plane.detectors": [1, 1], "calibration.true_degree": 1, "calibration.block_days": 400.0,
}  # fmt: skip
L, B = (0.0, 0.3), (0.0, 0.3)
QUICK = Patience(attempts=2, first_pause=0.01, longest_pause=0.05, first_poll=0.005)
OF_THE_MACHINE = re.compile(
    rb'"(memory_peak_gb|minutes_estimated)": [^,\n]+|"seconds": (\{[^}]*\}|[0-9.]+)'
)
N_KILLS = 4
"""Calls at which a verb is killed: the first, the last, and others between."""


@pytest.fixture(scope="module")
def made(tmp_path_factory, few_stars):
    """The inputs of all verbs."""
    folder = tmp_path_factory.mktemp("killed")
    few_stars(20).write(folder / "few.parquet")
    few_stars(60, seed=2).write(folder / "stars.parquet")
    gcmock.build(folder / "few.parquet", folder / "mock.parquet", no_learn=True, workers=1)
    for name, spelling in (("2mass", "irsa"), ("virac2", "eso")):
        write(native_table(name, spelling), folder / f"{name}.fits")
    return folder


@pytest.fixture(scope="module")
def archive():
    """A service with the sources of a window."""
    n, rng = 200, np.random.default_rng(5)
    table = native_table("virac2", "eso", n)
    table["ra"], table["de"] = galactic_to_icrs(rng.uniform(*L, n), rng.uniform(*B, n))
    with serve({"VVVX_VIRAC_V2_SOURCES": table}) as server:
        yield server.url


def observations(folder: Path) -> Path:
    """A season of the stars; made when it is first asked for."""
    path = folder / "observations"
    if not path.exists():
        gcmock.observe(folder / "mock.parquet", path, set=OBSERVING)
    return path


def solution(folder: Path) -> Path:
    """What the season says; made when it is first asked for."""
    path = folder / "solution"
    if not path.exists():
        gcmock.solve(observations(folder), path, workers=1)
    return path


def merge(folder: Path, output: Path, **options: Any) -> None:
    surveys = [{"name": n, "path": str(folder / f"{n}.fits")} for n in ("2mass", "virac2")]
    gcmock.merge({"survey": surveys}, output, **options)


Call = Callable[[Path, Path], object]
VERBS: dict[str, Call] = {
    "build": lambda d, o: gcmock.build(d / "few.parquet", o / "m.parquet", workers=1, seed=3),
    "build into a folder": lambda d, o: gcmock.build(
        d / "few.parquet", o / "m", no_learn=True, workers=1, run={"partition_size": 7}
    ),
    "merge": lambda d, o: merge(d, o / "c.parquet"),
    "merge into a folder": lambda d, o: merge(d, o / "c", keep_rejected=True),
    "simulate": lambda d, o: gcmock.simulate(
        **PLACE, ks_max=10.5, output=o / "s.parquet", survey=True, seed=3, workers=1
    ),
    "simulate into a folder": lambda d, o: gcmock.simulate(
        **PLACE, ks_max=10.5, output=o / "s", seed=3, workers=1
    ),
    "observe": lambda d, o: gcmock.observe(d / "mock.parquet", o / "o", set=OBSERVING),
    "solve": lambda d, o: gcmock.solve(observations(d), o / "s", workers=1),
    "compare": lambda d, o: gcmock.compare(solution(d), d / "mock.parquet", o / "c"),
    "calibrate": lambda d, o: gcmock.calibrate(d / "stars.parquet", o / "c.fits", law="none"),
    "report": lambda d, o: gcmock.report(d / "mock.parquet", o / "r.html", sample=3),
    "propagate": lambda d, o: gcmock.propagate(
        d / "mock.parquet", o / "p.parquet", epochs=[2030.0]
    ),
    "export": lambda d, o: gcmock.export(d / "mock.parquet", o / "e.fits", mission="jasmine"),
}


@pytest.fixture(autouse=True)
def without_a_clock(monkeypatch):
    """Equal runs give equal bytes but for their times."""
    monkeypatch.setattr("gcmock.io.provenance.now", lambda: "2026-01-01T00:00:00+00:00")


def contents(folder: Path) -> dict[str, str]:
    """Digests of the files in a folder, times of the machine left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            words = OF_THE_MACHINE.sub(b"", path.read_bytes())
            found[path.relative_to(folder).as_posix()] = sha256(words).hexdigest()
    return found


def prepared(folder: Path) -> Path:
    """An empty folder but for a file of the user."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "thesis.txt").write_text("work of years")
    return folder


def whole(call: Callable[[Path], object], folder: Path) -> dict[str, str]:
    """What the verb leaves if nothing happens."""
    call(prepared(folder))
    return contents(folder)


def again(call: Callable[[Path], object], out: Path, expected: dict[str, str]) -> None:
    """Run once more, unless the killed run had finished but for its end."""
    if {k: v for k, v in contents(out).items() if ".partial-" not in k} != expected:
        call(out)
        return
    for path in out.glob("*.partial-*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def spread(n: int) -> list[int]:
    """Some of the calls from 1 to n, the first and the last among them."""
    return sorted({1 + round(i * (n - 1) / (N_KILLS - 1)) for i in range(N_KILLS)})


def check_kills(call: Callable[[Path], object], folder: Path) -> None:
    """Kill at chosen calls, and run again: nothing is lost, nothing half is left."""
    # At the same place: settings hold the paths of files.
    out = folder / "out"
    expected = whole(call, out)
    prepared(out)
    for number in spread(calls_of(lambda: call(out))):
        prepared(out)
        assert killed_at(number, lambda: call(out))
        again(call, out, expected)
        assert contents(out) == expected, f"killed at call {number}"


def signalled(call: Callable[[Path], object], out: Path, number: int, after: float) -> int:
    """Run in a child that gets a signal; return its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            call(out)
            code = 0
        except (KeyboardInterrupt, InterruptedRunError):
            code = 130
        finally:
            os._exit(code)
    time.sleep(after)
    os.kill(child, number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check_signals(call: Callable[[Path], object], folder: Path) -> None:
    """Stop by every signal in the middle of a run, and run again."""
    begin = time.monotonic()
    out = folder / "out"
    expected = whole(call, out)
    seconds = time.monotonic() - begin
    for number, part in ((signal.SIGINT, 0.4), (signal.SIGTERM, 0.6), (signal.SIGKILL, 0.8)):
        code = signalled(call, prepared(out), number, part * seconds)
        assert code in (0, 130, -number)
        if code == 130:
            assert not [p.name for p in out.iterdir() if ".partial-" in p.name]
        again(call, out, expected)
        assert contents(out) == expected, f"signal {number}"


@pytest.mark.parametrize("name", VERBS)
def test_killed_at_calls(made, tmp_path, name) -> None:
    check_kills(lambda out: VERBS[name](made, out), tmp_path)


@pytest.mark.parametrize("name", VERBS)
def test_signals(made, tmp_path, name) -> None:
    check_signals(lambda out: VERBS[name](made, out), tmp_path)


@pytest.mark.parametrize("check", [check_kills, check_signals])
def test_fetch(archive, tmp_path, check) -> None:
    def call(out: Path) -> None:
        fetch("virac2", L, B, out / "f", service=archive, patience=QUICK, tile_rows=40)

    check(call, tmp_path)
