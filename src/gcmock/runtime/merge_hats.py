"""Surveys as HATS catalogues, merged partition by partition on a Dask cluster.

A cell is a pixel that lies in one partition of every survey. Its sources, and those in its margin,
are in these partitions and in their margin caches: without one, sources at the borders of
partitions would lose their partners, so that a survey without a margin is refused.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from gcmock.catalogue.cell.sources import numbers
from gcmock.catalogue.healpix import memberships
from gcmock.catalogue.learn.density import Counter
from gcmock.catalogue.learn.learning import learn, merge_tables
from gcmock.catalogue.learn.offsets import Offsets
from gcmock.catalogue.merge import (
    SAMPLE_ROWS,
    finish,
    is_done,
    metadata_of,
    record_of,
    write_cell,
)
from gcmock.catalogue.order import linking_order
from gcmock.catalogue.outputs import check_outputs, make_rejected
from gcmock.catalogue.partition import MARGIN_ARCSEC, SourceCensus, plain_schema
from gcmock.catalogue.summary import SUMMARY_FILE, MergeSummary
from gcmock.errors import InputError, InterruptedRunError
from gcmock.io.disk import remove_partial, sha256_of
from gcmock.io.manifest import Entry, Manifest
from gcmock.progress import Progress
from gcmock.runtime.cluster import check_installed, connect
from gcmock.settings.merge import MergeConfig, SurveyInput
from gcmock.surveys.definition import SurveyDefinition
from gcmock.surveys.read.open_survey import open_survey

if TYPE_CHECKING:
    from distributed import Client


class HatsSurvey(NamedTuple):
    """A survey on disk.

    Attributes
    ----------
    definition : SurveyDefinition
    partitions : dict of (int, int) to str
        Files by HEALPix order and pixel.
    margins : dict of (int, int) to str
        Files of the margins of these partitions, where they have a source.
    """

    definition: SurveyDefinition
    partitions: dict[tuple[int, int], str]
    margins: dict[tuple[int, int], str]

    @property
    def name(self) -> str:
        """Name of the survey."""
        return self.definition.name


class MergeCell(NamedTuple):
    """A pixel, and the files of every survey that cover it and its margin."""

    order: int
    pixel: int
    files: dict[str, tuple[SurveyDefinition, list[str]]]

    @property
    def name(self) -> str:
        """Name of its partition in the output."""
        return f"part-{self.order:02d}-{self.pixel:010d}.parquet"


class ReadSurvey(NamedTuple):
    """What was learned of a survey; see `gcmock.catalogue.learn.learning.LearnedSurvey`."""

    account: dict[str, int]
    counter: Counter
    tables: dict[str, pa.Table]

    def bright(self) -> pa.Table:
        """Return the bright sources."""
        return self.tables["bright"]

    def sample(self) -> pa.Table:
        """Return the sources in the sample of the sky."""
        return self.tables["sample"]


def merge_hats(
    config: MergeConfig,
    output: str | Path,
    scheduler: str,
    *,
    keep_rejected: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> MergeSummary:
    """Merge surveys that are HATS catalogues.

    The stars are those that `gcmock.catalogue.merge.merge` makes of the same rows.

    Parameters
    ----------
    config : MergeConfig
        Paths are HATS collections, or catalogues with ``margin``, on a disk that all workers see.
    output : str or Path
        Folder of Parquet files.
    scheduler : str
        See `gcmock.runtime.cluster.connect`.
    keep_rejected, overwrite
        See `gcmock.catalogue.merge.merge`.
    progress : callable, optional
        Called with the numbers of finished and of all cells.

    Raises
    ------
    InputError
        If a survey is no HATS catalogue, or has no margin or too narrow a one.
    InterruptedRunError
        After Ctrl-C; finished cells are kept.
    """
    start = time.perf_counter()
    check_installed("hats", "lsdb", "distributed")
    output = Path(output).absolute()
    if output.suffix:
        raise InputError(f"{output}: with --scheduler the output is a folder, without a suffix")
    check_outputs(output, keep_rejected=keep_rejected, overwrite=overwrite)
    given = {one.survey: one for one in config.survey}
    surveys = [
        open_hats_survey(given[survey.name], survey)
        for survey in linking_order(config)
        if survey.name in given
    ]
    with connect(scheduler, config.run.n_workers) as client:
        records, parts = _read_all(client, surveys, config)
        record = record_of(config, records, keep_rejected) | {"partitions": "HATS"}
        with Manifest(output, record, overwrite=overwrite, or_nothing=True) as manifest:
            try:
                if not manifest.complete:
                    _merge(client, surveys, parts, manifest, config, keep_rejected, progress)
            except KeyboardInterrupt as error:
                raise InterruptedRunError(
                    f"interrupted; {len(manifest.entries)} cells are kept in {output}: run the "
                    "same command again to go on"
                ) from error
            summary = MergeSummary.from_json((output / SUMMARY_FILE).read_text(encoding="utf-8"))
    summary.seconds, summary.output = time.perf_counter() - start, str(output)
    return summary


def open_hats_survey(survey: SurveyInput, definition: SurveyDefinition) -> HatsSurvey:
    """Open a survey with LSDB, and check its margin.

    Raises
    ------
    InputError
        If it is no HATS catalogue, or if its margin is missing or narrower than `MARGIN_ARCSEC`.
    """
    import lsdb

    try:
        catalogue = lsdb.open_catalog(survey.path, margin_cache=survey.margin)
    # Libraries raise almost anything on damaged files.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(
            f"{survey.path}: not a HATS catalogue, which --scheduler needs, or damaged: {reason}"
        ) from error
    margin = catalogue.margin
    width = margin.hc_structure.catalog_info.margin_threshold if margin is not None else 0.0
    if margin is None or width < MARGIN_ARCSEC:
        found = f"a margin of {width:g} arcsec" if margin is not None else "no margin"
        raise InputError(
            f"{survey.path}: has {found}, but sources at the borders of partitions need one of "
            f"{MARGIN_ARCSEC:g} arcsec: write the catalogue as a collection with it "
            f"(lsdb.from_dataframe(..., margin_threshold={MARGIN_ARCSEC:g}), or hats-import's "
            'margin cache), or name its margin: [[survey]] margin = "..."'
        )
    return HatsSurvey(definition, _files(catalogue.hc_structure), _files(margin.hc_structure))


def _files(structure: Any) -> dict[tuple[int, int], str]:
    """Files of the partitions of a catalogue that are there."""
    from hats.io.paths import pixel_catalog_file

    suffix = structure.catalog_info.npix_suffix
    files = {}
    for pixel in structure.get_healpix_pixels():
        path = pixel_catalog_file(structure.catalog_base_dir, pixel, npix_suffix=suffix)
        files[int(pixel.order), int(pixel.pixel)] = str(path)
    return files


def _read_all(
    client: Client, surveys: Sequence[HatsSurvey], config: MergeConfig
) -> tuple[dict[str, Any], dict[str, ReadSurvey]]:
    """Look at all rows of all surveys once."""
    counted = {
        one.name: client.map(
            _count_rows, list(one.partitions.values()), survey=one.definition, pure=False
        )
        for one in surveys
    }
    numbers_of = {name: client.gather(futures) for name, futures in counted.items()}
    total = sum(n for counts in numbers_of.values() for n, _, _ in counts)
    modulus = max(1, total // SAMPLE_ROWS)
    records, parts = {}, {}
    for one in surveys:
        paths = list(one.partitions.values())
        futures = client.map(
            read_partition, paths, survey=one.definition, config=config, modulus=modulus, pure=False
        )
        parts[one.name] = _added_up(client.gather(futures))
        counts = numbers_of[one.name]
        records[one.name] = {
            "name": one.name,
            "sha256": [digest for _, digest, _ in counts],
            "bytes": sum(size for _, _, size in counts),
        }
    return records, parts


def _count_rows(path: str, survey: SurveyDefinition) -> tuple[int, str, int]:
    """Rows, checksum and size of a partition; it must have identifiers."""
    source = open_survey(path, survey)
    if "source_id" not in source.matches:
        raise InputError(
            f"{path}: no column of identifiers; a row number would depend on the partitions"
        )
    return source.n_rows, sha256_of(path), Path(path).stat().st_size


def read_partition(
    path: str, *, survey: SurveyDefinition, config: MergeConfig, modulus: int
) -> dict[str, Any]:
    """Return what a partition adds to the knowledge of its survey."""
    census = SourceCensus(survey, config.window, modulus)
    for chunk in open_survey(path, survey).chunks(config.run.chunk_size):
        census.add(chunk)
    empty = plain_schema(survey).empty_table()
    return {
        "account": census.account,
        "state": census.counter.state(),
        "bright": pa.concat_tables([empty, *census.bright]),
        "sample": pa.concat_tables([empty, *census.sample]),
    }


def _added_up(results: Sequence[dict[str, Any]]) -> ReadSurvey:
    account: dict[str, int] = {}
    counter = Counter()
    for one in results:
        for word, n in one["account"].items():
            account[word] = account.get(word, 0) + n
        counter.add_state(one["state"])
    tables = {
        name: pa.concat_tables([one[name] for one in results]) for name in ("bright", "sample")
    }
    return ReadSurvey(account, counter, tables)


def cells_of(surveys: Sequence[HatsSurvey]) -> list[MergeCell]:
    """Return the pixels that lie in one partition of every survey, or in none of it.

    Where partitions of surveys differ in size, the smallest decide.
    """
    from hats.pixel_math import HealpixPixel
    from hats.pixel_tree import PixelAlignmentType, align_trees
    from hats.pixel_tree.pixel_tree import PixelTree

    tree = None
    for one in surveys:
        own = PixelTree.from_healpix([HealpixPixel(*pixel) for pixel in one.partitions])
        outer = PixelAlignmentType.OUTER
        tree = own if tree is None else align_trees(tree, own, outer).pixel_tree
    cells = []
    for pixel in tree.get_healpix_pixels() if tree is not None else []:
        order, number = int(pixel.order), int(pixel.pixel)
        files = {one.name: (one.definition, _covering(one, order, number)) for one in surveys}
        cells.append(MergeCell(order, number, files))
    return cells


def _covering(survey: HatsSurvey, order: int, pixel: int) -> list[str]:
    """Files of the partition in which a pixel lies, and of its margin."""
    for higher in range(order, -1, -1):
        key = higher, pixel >> (2 * (order - higher))
        if key in survey.partitions or key in survey.margins:
            return [files[key] for files in (survey.partitions, survey.margins) if key in files]
    return []


def read_cell(cell: MergeCell, config: MergeConfig) -> dict[str, tuple[pa.Table, Any]]:
    """Return the rows of a cell and its margin by survey, and which lie in the cell itself."""
    tables = {}
    for name, (survey, files) in cell.files.items():
        census = SourceCensus(survey, config.window, 2**31)
        chunks = [
            census.add(chunk)
            for file in files
            for chunk in open_survey(file, survey).chunks(config.run.chunk_size)
        ]
        table = pa.concat_tables([plain_schema(survey).empty_table(), *chunks])
        ra, dec = numbers(table, "ra"), numbers(table, "dec")
        row, pixel, core = memberships(ra, dec, cell.order, MARGIN_ARCSEC)
        mine = pixel == cell.pixel
        tables[name] = table.take(pa.array(row[mine])), core[mine]
    return tables


def _merge_one(
    cell: MergeCell, folder: str, rejected: str | None, knowledge: Any, words: Any
) -> Entry:
    """Merge a cell and write its partition; doing it twice gives the same file."""
    offsets, metadata, config = words
    product = merge_tables(read_cell(cell, config), offsets, knowledge, config)
    beside = None if rejected is None else Path(rejected)
    return write_cell(Path(folder), beside, cell.name, product, metadata)


def _merge(
    client: Client,
    surveys: Sequence[HatsSurvey],
    parts: Mapping[str, ReadSurvey],
    manifest: Manifest,
    config: MergeConfig,
    keep_rejected: bool,
    progress: Progress | None,
) -> None:
    """Merge the cells that are not there yet."""
    from distributed import as_completed

    if not sum(part.account["read"] - part.account["outside_window"] for part in parts.values()):
        raise InputError("no source lies in the window; check [window] and the surveys")
    knowledge, offsets = learn(parts, config)
    metadata = metadata_of(config, offsets, manifest)
    rejected = make_rejected(manifest.folder, manifest) if keep_rejected else None
    cells = cells_of(surveys)
    missing = [cell for cell in cells if not is_done(manifest, cell.name, rejected)]
    common: tuple[dict[str, Offsets], dict[str, str], MergeConfig] = (offsets, metadata, config)
    shared = client.scatter([knowledge, common], broadcast=True)
    beside = None if rejected is None else str(rejected)
    futures = [
        client.submit(_merge_one, cell, str(manifest.folder), beside, *shared, pure=False)
        for cell in missing
    ]
    done = len(cells) - len(missing)
    try:
        for future in as_completed(futures):
            manifest.append(future.result())
            future.release()
            done += 1
            if progress is not None:
                progress(done, len(cells))
    finally:
        client.cancel(futures, force=True)
    remove_partial(manifest.folder)
    finish(manifest, [cell.name for cell in cells], parts, offsets, metadata, config)
