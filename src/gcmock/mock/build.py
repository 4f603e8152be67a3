"""Observed stars in, true stars out: reads a table in parts and writes the mock catalogue."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.errors import InputError, ModelWarning
from gcmock.io.disk import sha256_of_input, size_of
from gcmock.io.manifest import check_folder
from gcmock.io.observed import ObservedCatalogue, RawRows
from gcmock.io.ownership import check_apart
from gcmock.io.readers.opening import SUFFIXES, open_table
from gcmock.io.sorted_rows import SortedRows, bucket_edges
from gcmock.io.space import BYTES_PER_TRUE_STAR, check_space
from gcmock.io.writers.writer import check_output, open_writer
from gcmock.learned import Learned
from gcmock.mock.census import InputCensus
from gcmock.mock.folder import without_means, write_folder
from gcmock.mock.pipeline import StarBatch, batch_size, cut, true_stars
from gcmock.mock.product import output_columns, record_of_mock
from gcmock.mock.reference_stars import evidence_table
from gcmock.mock.summary import BuildSummary
from gcmock.model import Model, load_model
from gcmock.pool import beside, in_order
from gcmock.progress import Progress
from gcmock.settings.build import Config, load_config

_SORT_ROWS: Final = 200_000
_WHOLE: Final = 2**62
"""Rows of the only partition of a file."""

SORTED_REMARK: Final = (
    "the rows of the output are sorted by position on the sky, because those of the input jump "
    'over it ([run] sort = "never" keeps their order)'
)


def build(
    input: str | Path,
    output: str | Path,
    config: Config | None = None,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> BuildSummary:
    """Turn a table of observed stars into a mock catalogue of true stars.

    The memory does not grow with the number of stars, except for 16 bytes per star while
    identifiers are checked, and for VOTable and ECSV input, which cannot be read in parts. The
    stars of the result depend neither on `workers` nor on the size of the chunks nor on the order
    of the rows.

    Parameters
    ----------
    input : str or Path
        Parquet, FITS, VOTable, ECSV or CSV, or a folder of Parquet files; see
        `gcmock.words.columns.INPUT_COLUMNS`.
    output : str or Path
        Parquet, FITS, VOTable or ECSV by its suffix; the file appears when it is complete. Without
        suffix: a folder of Parquet files; if the run is interrupted, the same call goes on with
        the partitions that are missing.
    config : Config, optional
        Settings; the defaults if not given.
    workers : int, optional
        Threads; ``[run] workers`` if not given.
    overwrite : bool
        Replace an existing output.
    progress : callable, optional
        Called with the numbers of finished and of all stars.

    Returns
    -------
    BuildSummary

    Raises
    ------
    InputError
        If the input, a setting or the output cannot be used; nothing is written then.
    InterruptedRunError
        After Ctrl-C, if the output is a folder: finished partitions are kept.

    Examples
    --------
    >>> config = load_config(None, {"run.seed": 7, "run.realisations": 2})
    >>> summary = build("stars.parquet", "mock.parquet", config)
    >>> summary.n_written == 2 * summary.n_star
    True
    """
    start = time.perf_counter()
    config = config or load_config()
    output = Path(output)
    check_before(Path(input), output, overwrite)
    source = open_table(input, config.columns)
    model = load_model(config=config)
    census = InputCensus(model.extinction_map, config.input)
    # The checksum is taken from the file while its rows are looked at.
    with beside(lambda: sha256_of_input(source.path)) as checksum:
        catalogue = ObservedCatalogue(source, config, census.visit)
        census.finish(catalogue.path)
        source_record = {"name": catalogue.path.name, "sha256": checksum.result()}
    catalogue.check_output(output)
    _check_room(output, catalogue, census, config)
    summary = BuildSummary(output, config.run.realisations, catalogue.summary, census.skipped)
    summary.remarks = list(catalogue.remarks)
    columns = output_columns(catalogue.source_id_column)
    is_sorted = config.run.sort == "always" or (config.run.sort == "auto" and census.jumps)
    if is_sorted:
        summary.remarks.append(SORTED_REMARK)
    threads = workers or config.run.n_workers
    evidences = evidence_table(catalogue, model, config.policy, threads)
    size = batch_size(summary.n_star, summary.n_realisation, threads)

    def work(part: tuple[int, RawRows]) -> tuple[int, StarBatch]:
        return part[0], true_stars(part[1], catalogue, model, config.policy, evidences)

    def products(partition: int, wanted: Callable[[int], bool]) -> Iterator[tuple[int, StarBatch]]:
        with _rows(catalogue, model, census, is_sorted, output) as raws:
            parts = (part for part in cut(raws, size, partition) if wanted(part[0]))
            yield from in_order(work, parts, threads)

    def report() -> None:
        if progress is not None:
            progress(summary.n_written // summary.n_realisation, summary.n_star)

    rows = {
        "read": summary.n_rows,
        "written": summary.n_star * summary.n_realisation,
        **summary.skipped,
    }
    if output.suffix:
        metadata = record_of_mock(config, source_record, rows)
        with open_writer(output, columns, metadata, overwrite=overwrite) as writer:
            for _, batch in products(_WHOLE, lambda _: True):
                if batch.columns:
                    writer.write(batch.columns)
                summary.account.add(batch.account)
                report()
    else:
        write_folder(
            output,
            columns,
            record_of_mock(without_means(config), source_record, rows, dated=False),
            source_record | {"bytes": size_of(source.path)},
            products,
            summary,
            config,
            report,
            is_sorted=is_sorted,
            overwrite=overwrite,
        )
    summary.seconds = time.perf_counter() - start
    return summary


def check_before(input: Path, output: Path, overwrite: bool) -> None:
    """Refuse outputs that cannot be written before the input is read.

    Raises
    ------
    InputError
        If the output is the input, lies in it, exists, or has an unknown type.
    """
    check_apart([output], [input])
    if output.suffix:
        check_output(output, overwrite=overwrite)
    elif output.is_file():
        raise InputError(
            f"{output}: is a file; a name without suffix stands for a folder of Parquet files, "
            f"other known types are {', '.join(SUFFIXES)}"
        )
    else:
        check_folder(output, overwrite=overwrite)


@contextmanager
def _rows(
    catalogue: ObservedCatalogue, model: Model, census: InputCensus, is_sorted: bool, output: Path
) -> Iterator[Iterator[RawRows]]:
    """Rows of the input in the order in which they are written."""
    if not is_sorted:
        yield catalogue.rows(catalogue.config.run.chunk_size)
        return

    def cell(raw: RawRows) -> NDArray[np.int64]:
        return np.maximum(model.extinction_map.cell_index(*catalogue.galactic(raw)), 0)

    edges = bucket_edges(census.stars_of_cell)
    with SortedRows(output, catalogue.rows(_SORT_ROWS), cell, edges) as sorted_rows:
        yield sorted_rows.rows(catalogue.config.run.chunk_size)


def _check_room(
    output: Path, catalogue: ObservedCatalogue, census: InputCensus, config: Config
) -> None:
    """Refuse a catalogue that has no room on its disk."""
    n_star = catalogue.n_rows - sum(census.skipped.values())
    advice = "fewer --realisations, or another disk"
    check_space(output, n_star * config.run.realisations, BYTES_PER_TRUE_STAR, advice)


def build_table(
    table: Any,
    config: Config | None = None,
    *,
    learned: Learned | None = None,
    progress: Progress | None = None,
) -> Any:
    """Turn a table of observed stars into one of true stars in memory.

    Parameters
    ----------
    table : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Observed stars, on disk or in memory, columns as in the files that `build` reads; units are
        converted where the table has them (a DataFrame has none).
    config : Config, optional
        Settings; the defaults if not given.
    learned : Learned, optional
        What was learned from the stars; nothing if not given and not in the settings.
    progress : callable, optional
        Called with the numbers of finished and of all stars.

    Returns
    -------
    astropy.table.QTable, pandas.DataFrame, pyarrow.Table or polars.DataFrame
        Of the library that `table` is of, a QTable for a file. Columns as in the files that `build`
        writes, rows in the order of `table`. How it was made is recorded in ``meta["gcmock"]``, in
        ``attrs["gcmock"]``, or in the metadata of the schema.

    Raises
    ------
    InputError
        If the table or a setting cannot be used.

    Warns
    -----
    ModelWarning
        What the summary of a run with an output says of the columns.
    """
    from gcmock.io.tables import Kind, in_memory, kind_of, to_kind

    config = config or load_config()
    is_file = isinstance(table, str | Path)
    kind: Kind = "astropy" if is_file else kind_of(table)
    source = open_table(table, config.columns) if is_file else in_memory(table)
    model = load_model(config=config)
    model = model if learned is None else model.with_learned(learned)
    census = InputCensus(model.extinction_map, config.input)
    catalogue = ObservedCatalogue(source, config, census.visit)
    census.finish(catalogue.path)
    for remark in catalogue.remarks:
        warnings.warn(remark, ModelWarning, stacklevel=2)
    summary = BuildSummary(None, config.run.realisations, catalogue.summary, census.skipped)
    workers = config.run.n_workers
    evidences = evidence_table(catalogue, model, config.policy, workers)
    size = batch_size(summary.n_star, summary.n_realisation, workers)
    batches = in_order(
        lambda part: true_stars(part[1], catalogue, model, config.policy, evidences),
        cut(catalogue.rows(config.run.chunk_size), size, _WHOLE),
        workers,
    )
    parts = []
    for batch in batches:
        if batch.columns:
            parts.append(batch.columns)
        summary.account.add(batch.account)
        if progress is not None:
            progress(summary.n_written // summary.n_realisation, summary.n_star)
    n_written = summary.n_star * summary.n_realisation
    rows = {"read": summary.n_rows, "written": n_written, **summary.skipped}
    origin = {
        "name": catalogue.path.name,
        "sha256": sha256_of_input(source.path) if is_file else "",
    }
    metadata = record_of_mock(config, origin, rows, learned=learned)
    return to_kind(kind, parts, output_columns(catalogue.source_id_column), metadata)
