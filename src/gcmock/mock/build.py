"""Observed stars in, true stars out: reads a table in chunks and writes the mock catalogue."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gcmock.config import Config, load_config
from gcmock.errors import InputError, OutsideModelError
from gcmock.io.observed import ObservedCatalogue, ReadSummary, read_observed
from gcmock.io.writers import open_writer, sha256_of
from gcmock.mock.infer import infer, kept, outside_map_error, prepare, star_keys
from gcmock.mock.product import assemble, output_columns, provenance
from gcmock.mock.summary import BuildSummary
from gcmock.model import Model, load_model
from gcmock.posterior.engine import Data

if TYPE_CHECKING:
    from astropy.table import QTable, Table

Columns = dict[str, NDArray[Any]]
Progress = Callable[[int, int], None]

OUTSIDE_MAP, NO_PHOTOMETRY = "outside the extinction map", "no magnitude"
"""Reasons for which a star is left out."""

_CENSUS_ROWS = 200_000
_STEP_STARS = 2048  # per worker, between two calls of `progress`


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

    The memory does not grow with the number of stars, except for 8 bytes per star while
    identifiers are checked, and for VOTable and ECSV input, which cannot be read in parts. The
    result depends neither on `workers` nor on the size of the chunks nor on the order of the rows.

    Parameters
    ----------
    input : str or Path
        Parquet, FITS, VOTable, ECSV or CSV; see `gcmock.schema.INPUT_COLUMNS`.
    output : str or Path
        Parquet, FITS, VOTable or ECSV by its suffix. It appears when it is complete.
    config : Config, optional
        Settings; the defaults if not given.
    workers : int, optional
        Threads; ``[run] workers`` if not given.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the numbers of finished and of all stars.

    Returns
    -------
    BuildSummary

    Raises
    ------
    InputError
        If the input, a setting or the output cannot be used; nothing is written then.

    Examples
    --------
    >>> summary = build("stars.parquet", "mock.parquet", load_config(None, {"run.seed": 7}))
    >>> summary.n_written
    76964
    """
    start = time.perf_counter()
    config = config or load_config()
    output = Path(output)
    catalogue = read_observed(input, config)
    if output.exists() and output.samefile(input):
        raise InputError(f"{output}: is the input itself; choose another name for the output")
    model = load_model(config=config)
    read, skipped = census(catalogue, model)
    summary = BuildSummary(output, config.run.realisations, read, skipped)
    n_star = summary.n_star
    source = {"name": catalogue.path.name, "sha256": sha256_of(catalogue.path)}
    rows = {"read": read.n_rows, "written": n_star * summary.n_realisation, **skipped}
    metadata = provenance(config, source, rows)
    columns = output_columns(catalogue.source_id_column)
    with open_writer(output, columns, metadata, overwrite=overwrite) as writer:
        for part in _products(catalogue, model, workers or config.run.n_workers, summary, progress):
            writer.write(part)
    summary.remarks = catalogue.remarks
    summary.seconds = time.perf_counter() - start
    return summary


def census(catalogue: ObservedCatalogue, model: Model) -> tuple[ReadSummary, Counter[str]]:
    """Count all rows before the first star is computed.

    Returns
    -------
    read : ReadSummary
    skipped : Counter of str
        Stars that will be left out, by reason.

    Raises
    ------
    OutsideModelError
        If stars lie outside the extinction map and ``[input] outside_map`` is ``"error"``.
    """
    skipped: Counter[str] = Counter()
    first: tuple[int, float, float] | None = None
    for stars in catalogue.chunks(_CENSUS_ROWS):
        inside, keep = kept(stars, model)
        outside = np.flatnonzero(~inside)
        if outside.size:
            skipped[OUTSIDE_MAP] += outside.size
            i = outside[0]
            first = first or (int(stars.row[i]), float(stars.l[i]), float(stars.b[i]))
        if dark := int((inside & ~keep).sum()):
            skipped[NO_PHOTOMETRY] += dark
    if first is not None and model.config.input.outside_map == "error":
        message = str(outside_map_error(skipped[OUTSIDE_MAP], *first))
        raise OutsideModelError(f"{catalogue.path}: {message}")
    return catalogue.summary, skipped


def _products(
    catalogue: ObservedCatalogue,
    model: Model,
    workers: int,
    summary: BuildSummary,
    progress: Progress | None = None,
) -> Iterator[Columns]:
    """Yield the columns of the true stars, chunk by chunk, and count them in `summary`."""
    run = model.config.run
    # All realisations of a chunk are in memory at a time.
    for chunk in catalogue.chunks(max(1, run.chunk_size // run.realisations)):
        prepared = prepare(chunk, model)
        stars, keys = chunk.take(prepared.keep), star_keys(chunk, model)[prepared.keep]
        parts = []
        for start in range(0, stars.n_star, _STEP_STARS * workers):
            rows = np.arange(start, min(start + _STEP_STARS * workers, stars.n_star))
            data = Data(*(values[rows] for values in prepared.data))
            inferred = infer(data, prepared.flags[rows], keys[rows], model, workers)
            summary.add(inferred)
            parts.append(assemble(stars.take(rows), inferred, model))
            if progress is not None:
                progress(summary.n_written // summary.n_realisation, summary.n_star)
        if parts:
            yield {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def build_table(table: Table, config: Config | None = None, **overrides: Any) -> QTable:
    """Turn a table of observed stars in memory into one of true stars.

    Parameters
    ----------
    table : astropy.table.Table
        Observed stars, columns as in the files that `build` reads; units are converted.
    config : Config, optional
        Settings; the defaults if not given.
    **overrides
        Sections of settings that win over `config`: ``run={"realisations": 10}``.

    Returns
    -------
    astropy.table.QTable
        Columns as in the files that `build` writes; ``meta["gcmock"]`` records how it was made.

    Raises
    ------
    InputError
        If the table or a setting cannot be used.

    Examples
    --------
    >>> import gcmock
    >>> mock = gcmock.build(stars, run={"seed": 7, "realisations": 10})
    >>> mock["distance_pc"].unit
    Unit("pc")
    """
    from gcmock.mock.tables import TableInMemory, to_qtable

    if overrides or config is None:
        settings = config.model_dump() if config is not None else {}
        for section, values in overrides.items():
            inside = isinstance(values, Mapping)
            settings[section] = {**settings.get(section, {}), **values} if inside else values
        config = load_config(None, settings)
    source = TableInMemory(table)
    catalogue = ObservedCatalogue(source, config)
    model = load_model(config=config)
    read, skipped = census(catalogue, model)
    summary = BuildSummary(None, config.run.realisations, read, skipped)
    parts = list(_products(catalogue, model, config.run.n_workers, summary))
    rows = {"read": read.n_rows, "written": summary.n_written, **skipped}
    metadata = provenance(config, {"name": source.path, "sha256": ""}, rows)
    return to_qtable(parts, output_columns(catalogue.source_id_column), metadata)
