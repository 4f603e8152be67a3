"""Merge 20 million sources of four surveys: time, memory, rate; kill it and let it go on.

    python benchmarks/merge_scale.py [--sources 20e6] [--folder FOLDER] [--workers 2] [--no-kill]

With `--folder` the surveys are written once and kept: another run with the same number of sources
takes them from there.

Writes four surveys of a sky of independent stars (1.1 million per square degree and survey at the
most), as Parquet files with the names of the archives; merges them in a process of its own whose
memory is watched; then starts again, kills the process with SIGKILL in the middle, starts it once
more, and compares the catalogues byte by byte. Prints the cost table of docs/catalogue.md.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gcmock.frames import galactic_to_icrs
from printed import part

DENSITY = 1.5e6
PER_STAR = 2.6
STRIP = 250_000
WINDOW_B = 1.0


def sky_columns(rng: np.random.Generator, l0: float, l1: float, n: int) -> dict[str, np.ndarray]:
    """Return true stars of a strip in longitude."""
    ra, dec = galactic_to_icrs(rng.uniform(l0, l1, n), rng.uniform(-WINDOW_B, WINDOW_B, n))
    ks = 17.0 + np.log10(rng.uniform(1e-4, 1.0, n)) / 0.38
    hk = np.where(rng.random(n) < 0.15, rng.normal(0.3, 0.1, n), rng.normal(1.4, 0.3, n))
    jh = 0.5 + 1.7 * hk
    motion = rng.normal((-3.0, -5.5), 3.0, (n, 2))
    return {"ra": ra, "dec": dec, "j": ks + hk + jh, "h": ks + hk, "ks": ks, "motion": motion}


def seen_by(survey: str, sky: dict[str, np.ndarray], rng, first: int) -> pa.Table:
    """Return what a survey sees of the stars of a strip, in its native columns."""
    depth = {"virac2": 16.9, "gnc": 16.6, "vvv": 16.5, "2mass": 15.7}[survey]
    epoch = {"virac2": 2014.0, "gnc": 2015.5, "vvv": 2010.6, "2mass": 1999.5}[survey]
    mas = {"virac2": 5.0, "gnc": 20.0, "vvv": 40.0, "2mass": 90.0}[survey]
    here = np.flatnonzero(sky["ks"] + rng.normal(0, 0.2, len(sky["ks"])) < depth)
    n = len(here)
    years = epoch - 2016.0
    step = sky["motion"][here] * years + rng.normal(0, mas, (n, 2))
    dec = sky["dec"][here] + step[:, 1] / 3.6e6
    ra = sky["ra"][here] + step[:, 0] / 3.6e6 / np.cos(np.radians(dec))
    error = np.full(n, 0.04, np.float32)
    mag = {
        band: (sky[band][here] + rng.normal(0, 0.04, n)).astype(np.float32)
        for band in ("j", "h", "ks")
    }
    limits = {"j": depth + 2.5, "h": depth + 0.8, "ks": depth}
    mag = {
        band: np.where(m < limits[band], m, np.nan).astype(np.float32) for band, m in mag.items()
    }
    ids = np.arange(first, first + n)
    return NATIVE[survey](ids, ra, dec, mag, error, mas, sky["motion"][here], rng)


def _virac2(ids, ra, dec, mag, error, mas, motion, rng) -> pa.Table:
    n = len(ids)
    columns = {"sourceid": ids, "ra": ra, "de": dec}
    columns |= {name: np.full(n, mas, np.float32) for name in ("ra_error", "de_error")}
    columns |= {"parallax": rng.normal(0.12, 1.0, n).astype(np.float32)}
    columns |= {"parallax_error": np.full(n, 1.0, np.float32)}
    for k, axis in enumerate(("pmra", "pmde")):
        columns[axis] = (motion[:, k] + rng.normal(0, 0.7, n)).astype(np.float32)
        columns[f"{axis}_error"] = np.full(n, 0.7, np.float32)
    columns |= {"uwe": np.ones(n, np.float32), "duplicate": np.zeros(n, np.int16)}
    columns |= {"astfit_params": np.full(n, 5, np.int16)}
    for band, values in mag.items():
        columns[f"phot_{band}_mean_mag"] = values
        columns[f"phot_{band}_std_mag"] = np.where(np.isfinite(values), error * 7, np.nan)
        columns[f"phot_{band}_n_epochs"] = np.where(np.isfinite(values), 50, 0).astype(np.int32)
    return pa.table(columns)


def _gnc(ids, ra, dec, mag, error, mas, motion, rng) -> pa.Table:
    columns = {"ID": ids, "RAdeg": ra, "DEdeg": dec}
    columns |= {name: np.full(len(ids), mas / 1000.0) for name in ("e_RAdeg", "e_DEdeg")}
    return pa.table(columns | _plain(mag, error, {"j": "Jmag", "h": "Hmag", "ks": "Ksmag"}))


def _vvv(ids, ra, dec, mag, error, mas, motion, rng) -> pa.Table:
    columns = {"srcid": ids, "RAJ2000": ra, "DEJ2000": dec}
    columns |= _plain(mag, error, {"j": "Jmag3", "h": "Hmag3", "ks": "Ksmag3"})
    columns |= {f"{band}perrbits": np.zeros(len(ids), np.int32) for band in ("J", "H", "Ks")}
    return pa.table(columns)


def _tmass(ids, ra, dec, mag, error, mas, motion, rng) -> pa.Table:
    n = len(ids)
    columns = {"designation": np.char.add("s", ids.astype(str)), "ra": ra, "dec": dec}
    columns |= {"err_maj": np.full(n, mas / 1000, np.float32)}
    columns |= {"err_min": np.full(n, mas / 1000, np.float32), "err_ang": np.zeros(n, np.int16)}
    for band, name in (("j", "j"), ("h", "h"), ("ks", "k")):
        columns[f"{name}_m"] = mag[band]
        columns[f"{name}_msigcom"] = np.where(np.isfinite(mag[band]), error, np.nan)
    quality = np.char.add(np.char.add(*(_letter(mag[b]) for b in ("j", "h"))), _letter(mag["ks"]))
    columns |= {"ph_qual": quality, "rd_flg": np.full(n, "222"), "cc_flg": np.full(n, "000")}
    return pa.table(columns)


def _letter(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), "A", "U")


def _plain(mag, error, names) -> dict[str, np.ndarray]:
    columns = {}
    for band, name in names.items():
        columns[name] = mag[band]
        columns[f"e_{name}"] = np.where(np.isfinite(mag[band]), error, np.nan)
    return columns


NATIVE = {"virac2": _virac2, "gnc": _gnc, "vvv": _vvv, "2mass": _tmass}


def write_surveys(folder: Path, n_sources: float) -> float:
    """Write the surveys strip by strip; return the width of the window in longitude [deg]."""
    n_stars = int(n_sources / PER_STAR)
    width = n_stars / DENSITY / (2.0 * WINDOW_B)
    done = folder / "width.txt"
    if done.exists():
        if float(done.read_text()) != width:
            raise SystemExit(f"{folder} has surveys of another number of sources")
        return width
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    counts = dict.fromkeys(NATIVE, 0)
    n_strips = max(1, round(n_stars / STRIP))
    edges = np.linspace(-width / 2, width / 2, n_strips + 1)
    for k in range(n_strips):
        rng = np.random.default_rng(k)
        sky = sky_columns(rng, edges[k], edges[k + 1], n_stars // n_strips)
        for survey in NATIVE:
            table = seen_by(survey, sky, rng, 10**9 + counts[survey])
            counts[survey] += table.num_rows
            if survey not in writers:
                writers[survey] = pq.ParquetWriter(folder / f"{survey}.parquet", table.schema)
            writers[survey].write_table(table)
    for writer in writers.values():
        writer.close()
    print(", ".join(f"{name} {n:,}" for name, n in counts.items()), f"= {sum(counts.values()):,}")
    lines = [f"[window]\nl = [{-width / 2}, {width / 2}]\nb = [{-WINDOW_B}, {WINDOW_B}]"]
    lines += [f'[[survey]]\nname = "{name}"\npath = "{name}.parquet"' for name in NATIVE]
    (folder / "merge.toml").write_text("\n".join(lines), encoding="utf-8")
    done.write_text(str(width))
    return width


def command(folder: Path, output: Path, workers: int) -> list[str]:
    """Return the command that merges."""
    words = [sys.executable, "-m", "gcmock", "merge", str(folder / "merge.toml")]
    return [*words, "-o", str(output), "--workers", str(workers)]


class Watched(NamedTuple):
    """What a run took: time by the clock and of processors [s], largest memory [GB], its output."""

    seconds: float
    processor: float
    peak: float
    text: str


def watched(words: list[str], kill_after: float | None = None) -> Watched:
    """Run a command, and kill it after some seconds."""
    start, peak = time.perf_counter(), 0.0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    page = os.sysconf("SC_PAGE_SIZE")
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, text=True)
        while process.poll() is None:
            try:
                resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                peak = max(peak, resident * page / 1e9)
            except (OSError, IndexError, ValueError):
                pass
            if kill_after is not None and time.perf_counter() - start > kill_after:
                process.send_signal(signal.SIGKILL)
            time.sleep(0.2)
        seconds = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if process.returncode and kill_after is None:
        raise SystemExit(f"the merge failed:\n{text}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Watched(seconds, used, peak, text)


def digest(folder: Path) -> str:
    """Return a checksum of all files of a catalogue."""
    words = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        words.update(path.name.encode() + path.read_bytes())
    return words.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sources", type=float, default=20e6)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "surveys"
        write_surveys(folder, options.sources)
        n = sum(pq.read_metadata(folder / f"{name}.parquet").num_rows for name in NATIVE)
        output = folder / "catalogue"
        words = command(folder, output, options.workers)
        whole = watched([*words, "--overwrite"])
        print(whole.text)
        size = sum(path.stat().st_size for path in output.iterdir()) / 1e9
        cells = (
            f"{n / 1e6:.1f} million",
            f"{options.workers}",
            f"{whole.seconds / 60:.1f} min",
            f"{n / whole.seconds:,.0f}",
            f"{1e6 * whole.processor / n:.0f} µs",
            f"{whole.peak:.1f} GB",
            f"{size:.2f} GB",
        )
        part("cost")
        print(
            "| sources | threads | time | sources/s | processor time per source | memory | output |"
        )
        print("|---|---|---|---|---|---|---|\n| " + " | ".join(cells) + " |", flush=True)
        if not options.no_kill:
            before = digest(output)
            killed = watched([*words, "--overwrite"], kill_after=0.6 * whole.seconds)
            rest = watched(words)
            same = "the same bytes" if digest(output) == before else "OTHER BYTES"
            times = f"killed after {killed.seconds:.0f} s, finished in {rest.seconds:.0f} s more"
            print(f"\n{times}: {same}")


if __name__ == "__main__":
    main()
