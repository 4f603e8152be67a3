"""Read every survey once, and put its rows into cells of the sky on disk.

A row goes into its own cell and into all cells in whose margin it lies.
"""

from __future__ import annotations

import json
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.cell.sources import make_sources, numbers, stored_columns
from gcmock.catalogue.healpix import memberships, pixel_of
from gcmock.catalogue.learn.density import ORDER as SAMPLE_ORDER
from gcmock.catalogue.learn.density import Counter
from gcmock.catalogue.learn.offsets import bright_sources
from gcmock.frames import icrs_to_galactic
from gcmock.io.disk import flush_to_disk, write_text, writing_failed
from gcmock.settings.merge import MergeWindow
from gcmock.surveys.definition import SurveyDefinition

MARGIN_ARCSEC: Final = 30.0
"""Width of the margin of cells: wider than what a group of candidates or a bright star reaches."""

_OPEN_FILES: Final = 200
_DONE: Final = "done.json"
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_CORE: Final = "in the cell"


def in_window(
    ra: Floats, dec: Floats, window: MergeWindow, margin_deg: float = 0.0
) -> NDArray[np.bool_]:
    """Return whether positions lie in a window, or closer to it than a margin."""
    inside = np.isfinite(ra) & np.isfinite(dec)
    if window.l is None and window.b is None:
        return inside
    l_deg, b_deg = icrs_to_galactic(ra, dec)
    for value, limits in ((l_deg, window.l), (b_deg, window.b)):
        if limits is not None:
            middle = 0.5 * (limits[0] + limits[1])
            half = 0.5 * (limits[1] - limits[0]) + margin_deg
            away = value - middle
            if limits is window.l:
                away = (away + 180.0) % 360.0 - 180.0
            inside &= np.abs(away) <= half
    return inside


def in_sample(ra: Floats, dec: Floats, modulus: int) -> NDArray[np.bool_]:
    """Return whether positions lie in one of the pixels that are a sample of the sky."""
    pixel = pixel_of(ra, dec, SAMPLE_ORDER).astype(np.uint64)
    return np.asarray((pixel * _GOLDEN) >> np.uint64(40)) % modulus == 0


@dataclass(frozen=True)
class Partitioned:
    """A survey on disk.

    Attributes
    ----------
    survey : SurveyDefinition
    folder : Path
    account : dict of str to int
        Rows read, and rows that are in no cell, by reason.
    cells : ndarray of int64
        Pixels in which the survey has rows of their own.
    counter : Counter
    """

    survey: SurveyDefinition
    folder: Path
    account: dict[str, int]
    cells: NDArray[np.int64]
    counter: Counter

    def table(self, pixel: int) -> tuple[pa.Table, NDArray[np.bool_]]:
        """Return the rows of a cell and its margin, and which lie in the cell itself."""
        return _read(self.survey, sorted(self.folder.glob(f"cell-{pixel}-*.arrow")))

    def bright(self) -> pa.Table:
        """Return the bright sources."""
        return _read(self.survey, [self.folder / "bright.arrow"])[0]

    def sample(self) -> pa.Table:
        """Return the sources in the sample of the sky."""
        return _read(self.survey, [self.folder / "sample.arrow"])[0]


def _read(survey: SurveyDefinition, paths: Iterable[Path]) -> tuple[pa.Table, NDArray[np.bool_]]:
    tables = []
    for path in paths:
        with pa.OSFile(str(path)) as file:
            tables.append(pa.ipc.open_stream(file).read_all())
    if not tables:
        empty = _schema(survey).empty_table()
        return empty.drop_columns([_CORE]), np.empty(0, bool)
    table = pa.concat_tables(tables)
    core = table.column(_CORE).to_numpy()
    return table.drop_columns([_CORE]), core


def _schema(survey: SurveyDefinition) -> pa.Schema:
    kinds = {"source_id": pa.string(), "n_epochs": pa.int32(), "quality": pa.int32()}
    fields = [(name, kinds.get(name, pa.float64())) for name in stored_columns(survey)]
    return pa.schema([*fields, (_CORE, pa.bool_())])


class _Streams:
    """Files of a folder, of which few are open at a time."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self._open: OrderedDict[str, pa.ipc.RecordBatchStreamWriter] = OrderedDict()
        self._segments: Tally[str] = Tally()
        self._options = pa.ipc.IpcWriteOptions(compression="lz4")

    def write(self, name: str, table: pa.Table) -> None:
        if name not in self._open:
            if len(self._open) >= _OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            path = self._folder / f"{name}-{self._segments[name]:04d}.arrow"
            self._segments[name] += 1
            self._open[name] = pa.ipc.new_stream(str(path), self._schema, options=self._options)
        self._open.move_to_end(name)
        self._open[name].write_table(table)

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


def partition(
    survey: SurveyDefinition,
    chunks: Iterator[pa.Table],
    folder: Path,
    window: MergeWindow,
    order: int,
    modulus: int,
    progress: Callable[[int], None] | None = None,
) -> Partitioned:
    """Put the rows of a survey into cells, or find those that an earlier run has put there.

    Parameters
    ----------
    survey : SurveyDefinition
    chunks : iterator of pyarrow.Table
        Rows in the common columns.
    folder : Path
        Its content is replaced if it is not complete.
    window : MergeWindow
    order : int
        HEALPix order of the cells.
    modulus : int
        One in so many pixels is in the sample.
    progress : callable, optional
        Called with the rows of every chunk.

    Raises
    ------
    DiskError
        If the disk is full or fails.
    """
    done = folder / _DONE
    if not done.exists():
        try:
            _write(survey, chunks, folder, window, order, modulus, progress)
        except OSError as error:
            raise writing_failed(folder, error) from error
    words = json.loads(done.read_text(encoding="utf-8"))
    with np.load(folder / "counts.npz") as state:
        counter = Counter.from_state(dict(state))
    cells = np.array(words["cells"], dtype=np.int64)
    return Partitioned(survey, folder, words["account"], cells, counter)


class SourceCensus:
    """What is learned of a survey while its rows are read, chunk by chunk in any order.

    Parameters
    ----------
    survey : SurveyDefinition
    window : MergeWindow
    modulus : int
        One in so many pixels is in the sample.

    Attributes
    ----------
    account : dict of str to int
        Rows read, and rows that are in no cell, by reason.
    counter : Counter
    bright, sample : list of pyarrow.Table
        Bright sources, and those in the sample of the sky.
    """

    def __init__(self, survey: SurveyDefinition, window: MergeWindow, modulus: int) -> None:
        self.account = {"read": 0, "no_position": 0, "outside_window": 0}
        self.counter = Counter()
        self.bright: list[pa.Table] = []
        self.sample: list[pa.Table] = []
        self._survey, self._window, self._modulus = survey, window, modulus
        self._schema = plain_schema(survey)

    def add(self, chunk: pa.Table) -> pa.Table:
        """Look at rows; return those in the window and closely around it, with their columns."""
        self.account["read"] += chunk.num_rows
        table = chunk.select(self._schema.names).cast(self._schema)
        ra, dec = numbers(table, "ra"), numbers(table, "dec")
        placed = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90.0)
        near = in_window(ra, dec, self._window, MARGIN_ARCSEC / 3600.0) & placed
        self.account["no_position"] += int((~placed).sum())
        self.account["outside_window"] += int((placed & ~near).sum())
        table = table.filter(pa.array(near))
        if table.num_rows:
            sources = make_sources(self._survey, table, np.ones(table.num_rows, bool))
            side = sources.side
            self.counter.add(side.ra, side.dec, side.mag, side.g_mag)
            self.bright.append(bright_sources(sources).table)
            some = in_sample(side.ra, side.dec, self._modulus)
            self.sample.append(sources.table.filter(pa.array(some)))
        return table


def plain_schema(survey: SurveyDefinition) -> pa.Schema:
    """Return the columns of a survey that a merge needs, with their types."""
    return pa.schema([field for field in _schema(survey) if field.name != _CORE])


def _write(
    survey: SurveyDefinition,
    chunks: Iterator[pa.Table],
    folder: Path,
    window: MergeWindow,
    order: int,
    modulus: int,
    progress: Callable[[int], None] | None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    streams = _Streams(folder, _schema(survey))
    census = SourceCensus(survey, window, modulus)
    cells: set[int] = set()
    try:
        for chunk in chunks:
            table = census.add(chunk)
            if table.num_rows:
                cells |= _write_chunk(streams, table, order)
            if progress is not None:
                progress(chunk.num_rows)
    finally:
        streams.close()
    for name, tables in (("bright", census.bright), ("sample", census.sample)):
        whole = pa.concat_tables([plain_schema(survey).empty_table(), *tables])
        whole = whole.append_column(_CORE, pa.array(np.ones(whole.num_rows, bool)))
        with pa.ipc.new_stream(str(folder / f"{name}.arrow"), whole.schema) as writer:
            writer.write_table(whole)
    state: dict[str, Any] = census.counter.state()
    np.savez(folder / "counts.npz", **state)
    for path in folder.iterdir():
        flush_to_disk(path)
    words = {"account": census.account, "cells": sorted(cells)}
    write_text(folder / _DONE, json.dumps(words))


def _write_chunk(streams: _Streams, table: pa.Table, order: int) -> set[int]:
    """Write rows into the files of their cells; return the cells that they lie in."""
    ra, dec = numbers(table, "ra"), numbers(table, "dec")
    row, pixel, core = memberships(ra, dec, order, MARGIN_ARCSEC)
    by_cell = np.argsort(pixel, kind="stable")
    row, pixel, core = row[by_cell], pixel[by_cell], core[by_cell]
    sorted_rows = table.take(pa.array(row)).append_column(_CORE, pa.array(core)).combine_chunks()
    cells, start = np.unique(pixel, return_index=True)
    stop = np.append(start[1:], len(pixel))
    for cell, first, last in zip(cells.tolist(), start.tolist(), stop.tolist(), strict=True):
        streams.write(f"cell-{cell}", sorted_rows.slice(first, last - first))
    return set(pixel[core].tolist())
