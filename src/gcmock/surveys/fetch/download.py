"""Fetch a window of a survey from an archive, tile by tile, into a folder of Parquet files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.errors import GcmockError, InputError, InterruptedRunError
from gcmock.io import provenance
from gcmock.io.manifest import Manifest, check_folder, entry_of
from gcmock.notebook import Outcome
from gcmock.progress import Progress
from gcmock.surveys.definition import Archive, SurveyDefinition, load_survey
from gcmock.surveys.fetch import adql
from gcmock.surveys.fetch.repeats import Repeats
from gcmock.surveys.fetch.tap import Patience, ServiceLimitError, TapService
from gcmock.surveys.fetch.tile_file import write_tile
from gcmock.surveys.fetch.window import SMALLEST_DEG, SurveyWindow, Tile, separation_deg, tiles
from gcmock.surveys.read.recognise import recognise

if TYPE_CHECKING:
    from astropy.table import Table


TILE_ROWS: Final = 250_000
"""Most rows of a tile by default: a result of this size is read in a minute."""

TILE_DEG: Final = 0.5
"""Side of the tiles before any is divided [deg]."""

_PAD_DEG: Final = 1e-6
"""Archives may compare more digits of a coordinate than they show [deg]."""


@dataclass(repr=False)
class FetchSummary(Outcome):
    """What was fetched.

    Attributes
    ----------
    survey, archive, url : str
    output : Path
    n_rows : int
        Rows of all tiles, in the window.
    n_tile : int
        Tiles of the window.
    n_kept : int
        Tiles that were there already.
    n_bytes : int
        Size of the files.
    seconds : float
    """

    survey: str
    archive: str
    url: str
    output: Path
    n_rows: int = 0
    n_tile: int = 0
    n_kept: int = 0
    n_bytes: int = 0
    seconds: float = 0.0


@dataclass
class _Run:
    """The state of a run."""

    service: TapService
    survey: SurveyDefinition
    window: SurveyWindow
    manifest: Manifest
    max_rows: int
    update: Progress | None
    summary: FetchSummary
    repeats: Repeats = field(default_factory=Repeats)
    names: list[str] = field(default_factory=list)
    n_todo: int = 0

    def show(self) -> None:
        if self.update:
            self.update(len(self.names), len(self.names) + self.n_todo)


def fetch(
    survey: str | Path,
    l: tuple[float, float],
    b: tuple[float, float],
    output: str | Path,
    *,
    archive: str = "",
    service: str = "",
    tile_rows: int = TILE_ROWS,
    overwrite: bool = False,
    progress: Progress | None = None,
    patience: Patience | None = None,
    notice: Callable[[str], None] | None = None,
) -> FetchSummary:
    """Fetch all rows of a survey in a window.

    Every tile is counted first and divided while it has too many rows; a tile whose result has not
    the rows that were counted is fetched again. Finished tiles stay when the run is interrupted;
    the next run checks their checksums and goes on.

    Parameters
    ----------
    survey : str or Path
        Name of the survey, or the path of its definition.
    l, b : tuple of float
        Ranges of Galactic longitude and latitude [deg].
    output : str or Path
        Folder for the tiles: Parquet files with native columns, and a manifest.
    archive : str
        Name of an archive of the survey; its first one by default.
    service : str
        Address of another TAP service with the same table, such as a mirror.
    tile_rows : int
        Most rows of a tile.
    overwrite : bool
        Delete what an earlier run left.
    progress : callable, optional
        Gets the tiles done and the tiles known.
    patience : Patience, optional
        How long to wait for the service.
    notice : callable, optional
        Told in a sentence what is waited for.

    Returns
    -------
    FetchSummary

    Raises
    ------
    InputError
        If the survey is not public, the window is impossible, the folder holds something else, the
        table of the archive has other columns than expected, or the service rejects a query.
    GcmockError
        If the service fails for good, or pyvo is missing.
    InterruptedRunError
        After Ctrl-C.
    """
    began = time.monotonic()
    chosen = load_survey(survey)
    where = chosen.archive(archive)
    window = SurveyWindow((float(l[0]), float(l[1])), (float(b[0]), float(b[1])))
    if tile_rows < 1:
        raise InputError(f"--tile-rows {tile_rows}: must be at least 1")
    check_folder(Path(output), overwrite=overwrite)
    with TapService(service or where.url, patience, notice) as tap:
        summary = _fetch(tap, chosen, where, window, Path(output), tile_rows, overwrite, progress)
    summary.seconds = time.monotonic() - began
    return summary


def _fetch(
    tap: TapService,
    survey: SurveyDefinition,
    archive: Archive,
    window: SurveyWindow,
    output: Path,
    tile_rows: int,
    overwrite: bool,
    progress: Progress | None,
) -> FetchSummary:
    selections, samples = zip(
        *(_selection(tap, survey, archive, table) for table in archive.tables), strict=True
    )
    record: dict[str, Any] = {
        "survey": survey.name,
        "service": tap.url,
        "tables": list(archive.tables),
        "window": {"l": list(window.l), "b": list(window.b)},
        "columns": list(selections[0].columns),
    }
    if survey.path:
        record["definition_sha256"] = survey.sha256
    limit = min(tile_rows, archive.max_rows or tile_rows)
    summary = FetchSummary(survey.name, archive.name, tap.url, output)
    with Manifest(output, record, overwrite=overwrite) as manifest:
        run = _Run(tap, survey, window, manifest, limit, progress, summary)
        try:
            _fetch_all(run, archive, list(zip(selections, samples, strict=True)))
        except KeyboardInterrupt as error:
            raise InterruptedRunError(
                f"interrupted; {len(manifest.entries)} finished tiles are kept in {output}: run "
                "the same command to go on"
            ) from error
        run.repeats.check(tap.url)
        manifest.finish(run.names)
        entries = manifest.entries.values()
        summary.n_rows = sum(entry.rows for entry in entries)
        summary.n_bytes = sum(entry.bytes for entry in entries)
        summary.n_tile = len(entries)
    return summary


def _selection(
    tap: TapService, survey: SurveyDefinition, archive: Archive, table: str
) -> tuple[adql.Selection, Table]:
    """Look at the table of the archive and choose its columns; return also a table without rows."""
    sample = tap.ask_at_once(adql.first_row(table), 1).table
    names = tuple(sample.colnames)
    found = recognise(f"{tap.url}, table {table}", names, survey=survey)
    by_role = {role: match.name for role, match in found.matches.items()}
    folded = {name.lower(): name for name in names}
    edges = []
    for name in (archive.longitude, archive.latitude):
        if name.lower() not in folded:
            raise InputError(
                f"{tap.url}, table {table}: no column {name!r}, by which it is cut into tiles; "
                f"found: {', '.join(names)}"
            )
        edges.append(folded[name.lower()])
    columns = tuple(dict.fromkeys([*by_role.values(), *edges]))
    selection = adql.Selection(
        table=table,
        columns=columns,
        longitude=edges[0],
        latitude=edges[1],
        ra=by_role["ra"],
        dec=by_role["dec"],
        identifier=by_role.get("source_id", ""),
        frame=archive.frame,
        pad_deg=max(archive.rounding_deg, _PAD_DEG),
    )
    return selection, sample[list(columns)][:0]


def _fetch_all(run: _Run, archive: Archive, tables: list[tuple[adql.Selection, Table]]) -> None:
    work = [
        (selection, empty, tile)
        for number, (selection, empty) in enumerate(tables)
        for tile in tiles(
            run.window, archive.frame, archive.rounding_deg, TILE_DEG, f"tile-{number:02d}-"
        )
    ]
    run.n_todo = len(work)
    run.show()
    for selection, empty, tile in work:
        run.n_todo -= 1
        for name in _fetch_tile(run, selection, empty, tile):
            run.names.append(name)
            run.show()


def _fetch_tile(run: _Run, selection: adql.Selection, empty: Table, tile: Tile) -> Iterator[str]:
    """Fetch a tile or its parts, and yield the names of their files."""
    name = f"{tile.name}.parquet"
    if name in run.manifest.entries:
        run.repeats.add_file(run.manifest.folder / name, selection)
        run.summary.n_kept += 1
        yield name
        return
    # A tile of which an earlier run has a part was divided then.
    divide = any(tile.holds(Path(entry).stem) for entry in run.manifest.entries)
    if not divide:
        query = adql.rows(selection, tile)
        try:
            table = _rows(run, selection, empty, tile, query)
        except ServiceLimitError:
            if tile.size_deg < SMALLEST_DEG:
                raise
            table = None
        if table is not None:
            _store(run, selection, tile, query, table)
            yield name
            return
    if tile.size_deg < SMALLEST_DEG:
        raise GcmockError(
            f"{run.service.url}: more than {run.max_rows:,} rows within {tile.size_deg:g} degrees, "
            "or the service has a smaller limit; raise --tile-rows, if the service permits"
        )
    parts = tile.parts()
    run.n_todo += len(parts)
    for part in parts:
        run.n_todo -= 1
        yield from _fetch_tile(run, selection, empty, part)


def _rows(
    run: _Run, selection: adql.Selection, empty: Table, tile: Tile, query: str
) -> Table | None:
    """Return the rows of a tile; None if they are too many for one file or for the service."""
    n_expected = _count(run, selection, tile)
    if n_expected == 0:
        # The file then says that the tile was looked at.
        return empty
    if n_expected is not None and n_expected > run.max_rows:
        return None
    return _complete(run, query, n_expected)


def _count(run: _Run, selection: adql.Selection, tile: Tile) -> int | None:
    """Return the rows of a tile at the archive; None if it cannot count."""
    query = adql.count_query(selection, tile)
    try:
        answer = run.service.ask(query, 10, run.manifest.folder)
    except ServiceLimitError:
        raise
    except InputError:
        # The query for the rows tells more, or works.
        return None
    try:
        return int(answer.table[answer.table.colnames[0]][0])
    except (IndexError, ValueError, TypeError, np.ma.MaskError) as error:
        raise GcmockError(
            f"{run.service.url}: sends no number where it was asked to count\nquery: {query}"
        ) from error


def _store(run: _Run, selection: adql.Selection, tile: Tile, query: str, table: Table) -> None:
    """Write the rows that belong to a tile and to the window."""
    name = f"{tile.name}.parquet"
    lon, lat, ra, dec = (
        _numbers(run.service.url, table, column)
        for column in (selection.longitude, selection.latitude, selection.ra, selection.dec)
    )
    ra_0, dec_0, radius = tile.circle(selection.frame, selection.pad_deg)
    near = separation_deg(ra, dec, ra_0, dec_0) <= radius + 2.0 * selection.pad_deg
    _check_place(run.service.url, selection, tile, lon, lat, near)
    inside = tile.owns(lon, lat) & run.window.contains(ra, dec)
    words = {
        "adql": query,
        "service": run.service.url,
        "table": selection.table,
        "date": provenance.now(),
        "rows_received": len(table),
    }
    named = {f"gcmock_{key}": str(value) for key, value in words.items()}
    write_tile(run.manifest.folder / name, table[inside], {**named, "survey": run.survey.name})
    run.repeats.add_file(run.manifest.folder / name, selection)
    run.manifest.append(entry_of(run.manifest.folder, name, int(inside.sum()), words))


def _numbers(url: str, table: Table, column: str) -> Floats:
    """Return a column as numbers, NaN where there is none."""
    try:
        return np.asarray(np.ma.filled(np.ma.asarray(table[column], dtype=np.float64), np.nan))
    except (KeyError, ValueError, TypeError) as error:
        raise GcmockError(f"{url}: sends no numbers in the column {column!r}") from error


def _check_place(
    url: str,
    selection: adql.Selection,
    tile: Tile,
    lon: Floats,
    lat: Floats,
    near: NDArray[np.bool_],
) -> None:
    """Refuse rows that lie outside of the box that was asked for: the service answers wrongly."""
    # The archive compares all digits, and shows them rounded.
    pad = 2.0 * selection.pad_deg + _PAD_DEG
    middle, half = 0.5 * sum(tile.lon), 0.5 * (tile.lon[1] - tile.lon[0]) + pad
    apart = np.abs((lon - middle + 180.0) % 360.0 - 180.0) <= half
    here = near & apart & (lat >= tile.lat[0] - pad) & (lat <= tile.lat[1] + pad)
    if not here.all():
        i = int(np.argmin(here))
        raise GcmockError(
            f"{url}: sends {int((~here).sum()):,} rows outside of what was asked for (first: "
            f"{selection.longitude} = {lon[i]:g}, {selection.latitude} = {lat[i]:g}; asked for "
            f"{tile.lon[0]:g} to {tile.lon[1]:g}, {tile.lat[0]:g} to {tile.lat[1]:g}): nothing of "
            "it is kept; use another --archive or --service"
        )


def _complete(run: _Run, query: str, n_expected: int | None) -> Table | None:
    """Return all rows of a query; None if the service has a limit that is too small."""
    patience = run.service.patience
    pause = patience.first_pause
    n_received = 0
    for _ in range(patience.attempts):
        answer = run.service.ask(query, run.max_rows + 1, run.manifest.folder)
        n_received = len(answer.table)
        if answer.overflow or n_received > run.max_rows:
            return None
        if n_expected is None or n_received == n_expected:
            return answer.table
        time.sleep(pause)
        pause = min(2.0 * pause, patience.longest_pause)
    raise GcmockError(
        f"{run.service.url}: counts {n_expected:,} rows but sends {n_received:,}\nquery: {query}"
    )
