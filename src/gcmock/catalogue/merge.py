"""Merge surveys into a catalogue: read once, cell by cell, from where an earlier run stopped."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from gcmock.catalogue.cell.reasons import REAL_LOOKING, REASONS
from gcmock.catalogue.columns import Product, merged_columns, rejected_columns
from gcmock.catalogue.learn.completeness import COMPLETENESS_FILE, measure_completeness
from gcmock.catalogue.learn.learning import LearnedSurvey, learn, merge_tables
from gcmock.catalogue.learn.offsets import Offsets
from gcmock.catalogue.order import linking_order, names_of
from gcmock.catalogue.outputs import check_outputs, make_rejected, parts_folder, write_file
from gcmock.catalogue.partition import MARGIN_ARCSEC, Partitioned, partition
from gcmock.catalogue.summary import SUMMARY_FILE, MergeSummary, summarise
from gcmock.compilation import fingerprint
from gcmock.errors import InputError, InterruptedRunError
from gcmock.gaia_zero_point import has_zero_point
from gcmock.io.disk import files_of, remove_folder, sha256_of, size_of, write_text
from gcmock.io.manifest import Entry, Manifest, entry_of
from gcmock.io.ownership import MANIFEST
from gcmock.io.provenance import creator, library_versions
from gcmock.io.writers.writer import open_writer
from gcmock.pool import in_order
from gcmock.progress import Progress
from gcmock.settings.merge import MergeConfig
from gcmock.settings.name_or_path import file_sha256
from gcmock.words.flags import MatchFlag

WORK: Final = "_cells"
"""Folder in the output for the rows by cells, while the merge is not complete."""

SAMPLE_ROWS: Final = 800_000
"""Sources, about, from which the rates are learned."""


class Input(Protocol):
    """A survey that can be read in chunks (`gcmock.surveys.read.open_survey.SurveySource`)."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        ...

    def chunks(self, n_rows: int) -> Iterator[pa.Table]:
        """Yield tables in the common columns."""
        ...


def merge(
    config: MergeConfig,
    output: str | Path,
    *,
    keep_rejected: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> MergeSummary:
    """Merge surveys into one catalogue.

    The stars depend neither on the size of the chunks nor on the number of threads; other cells
    give the same stars in another order. An interrupted run goes on when it is started again.

    Parameters
    ----------
    config : MergeConfig
    output : str or Path
        Without suffix a folder of Parquet files, with the summary and the completeness in it; else
        one file, with both beside it.
    keep_rejected : bool
        Write what was left out as well, beside the output.
    overwrite : bool
        Replace an earlier output.
    progress : callable, optional
        Called with numbers of sources that are done and that there are; every source is read, and
        merged.

    Returns
    -------
    MergeSummary

    Raises
    ------
    InputError
        If a survey, a setting or the output cannot be used.
    InterruptedRunError
        After Ctrl-C; finished cells are kept.
    """
    start = time.perf_counter()
    output = Path(output)
    check_outputs(output, keep_rejected=keep_rejected, overwrite=overwrite)
    sources, records = _open(config)
    record = record_of(config, records, keep_rejected)
    folder = parts_folder(output)
    with Manifest(folder, record, overwrite=overwrite, or_nothing=True) as manifest:
        try:
            if not manifest.complete:
                report = _Reporter(progress, 2 * sum(one.n_rows for one in sources.values()))
                _run(config, sources, manifest, output, keep_rejected, report)
        except KeyboardInterrupt as error:
            raise InterruptedRunError(
                f"interrupted; what is finished is kept in {folder}: run the same command again "
                "to go on"
            ) from error
        summary = MergeSummary.from_json((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    if output.suffix:
        write_file(folder, output, summary, merged_columns(linking_order(config)))
    summary.seconds = time.perf_counter() - start
    summary.output = str(output)
    return summary


def _open(config: MergeConfig) -> tuple[dict[str, Input], dict[str, Any]]:
    from gcmock.surveys.read.open_survey import open_survey

    sources: dict[str, Input] = {}
    records: dict[str, Any] = {}
    given = {one.survey: one for one in config.survey}
    chosen = [survey for survey in linking_order(config) if survey.name in given]
    for survey in chosen:
        path = Path(given[survey.name].path)
        sources[survey.name] = open_survey(path, survey)
        checksums = [sha256_of(file) for file in files_of(path)]
        records[survey.name] = {"name": path.name, "sha256": checksums, "bytes": size_of(path)}
    if not any(survey.is_infrared for survey in chosen):
        names = ", ".join(names_of(tuple(chosen)))
        raise InputError(f"a merge needs at least one near-infrared survey besides {names}")
    return sources, records


def record_of(
    config: MergeConfig, inputs: Mapping[str, Any], keep_rejected: bool
) -> dict[str, Any]:
    """Return everything that the bytes of a partition depend on."""
    versions = library_versions("cdshealpix")
    settings = config.model_dump(mode="json")
    settings["run"] = {"cell_order": config.run.cell_order}
    # Paths say where the surveys are, the checksums what they are; their order changes nothing.
    surveys = {
        one.survey: values | {"name": one.survey}
        for one, values in zip(config.survey, settings["survey"], strict=True)
    }
    for values in surveys.values():
        del values["path"], values["margin"]
    settings["survey"] = {name: surveys[name] for name in sorted(surveys)}
    return {
        "gcmock": versions.pop("gcmock"),
        "source code": fingerprint("gcmock.catalogue.merge"),
        "libraries": versions,
        "config": settings,
        "surveys": dict(inputs),
        "definitions": {one.name: one.sha256 for one in linking_order(config)},
        "hw_relation_sha256": file_sha256(config.photometry.hw_relation),
        "parallax zero point": has_zero_point(),
        "rejected": keep_rejected,
    }


class _Reporter:
    """Adds up what several threads have done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._lock = threading.Lock()

    def __call__(self, n: int) -> None:
        if self._progress is not None:
            with self._lock:
                self._done += n
                self._progress(min(self._done, self._total), self._total)


def _run(
    config: MergeConfig,
    inputs: Mapping[str, Input],
    manifest: Manifest,
    output: Path,
    keep_rejected: bool,
    report: _Reporter,
) -> None:
    """Do all that an earlier run has not done."""
    work = manifest.folder / WORK
    parts = read_surveys(config, inputs, work, report)
    knowledge, offsets = learn(parts, config)
    cells = sorted(set(np.concatenate([part.cells for part in parts.values()]).tolist()))
    metadata = metadata_of(config, offsets, manifest)
    rejected = make_rejected(output, manifest) if keep_rejected else None
    names = {cell: f"part-{cell:07d}.parquet" for cell in cells}

    def work_on(cell: int) -> Entry:
        tables = {name: part.table(cell) for name, part in parts.items()}
        product = merge_tables(tables, offsets, knowledge, config)
        report(sum(int(core.sum()) for _, core in tables.values()))
        return write_cell(manifest.folder, rejected, names[cell], product, metadata)

    missing = [c for c in cells if not is_done(manifest, names[c], rejected)]
    for entry in in_order(work_on, missing, config.run.n_workers):
        manifest.append(entry)
    remove_folder(work)
    finish(manifest, list(names.values()), parts, offsets, metadata, config)


def finish(
    manifest: Manifest,
    names: Sequence[str],
    parts: Mapping[str, LearnedSurvey],
    offsets: Mapping[str, Offsets],
    metadata: dict[str, str],
    config: MergeConfig,
) -> None:
    """Write completeness and summary of a folder whose partitions are all there."""
    account = _account(parts, manifest)
    ids = {one.id_column for one in linking_order(config)}
    columns = [c.name for c in merged_columns(linking_order(config)) if c.name not in ids]
    completeness = measure_completeness(_chunks(manifest.folder, columns), config)
    completeness.write(manifest.folder / COMPLETENESS_FILE, metadata)
    summary = summarise(_chunks(manifest.folder, columns), account, config, offsets)
    write_text(manifest.folder / SUMMARY_FILE, summary.to_json())
    manifest.finish(names)


def read_surveys(
    config: MergeConfig, inputs: Mapping[str, Input], work: Path, report: Callable[[int], None]
) -> dict[str, Partitioned]:
    """Put the rows of all surveys into cells on disk, several surveys at a time."""
    work.mkdir(exist_ok=True)
    total = sum(one.n_rows for one in inputs.values())
    modulus = max(1, total // SAMPLE_ROWS)
    surveys = {one.name: one for one in linking_order(config)}

    def read(name: str) -> Partitioned:
        chunks = inputs[name].chunks(config.run.chunk_size)
        window, cell_order = config.window, config.run.cell_order
        return partition(surveys[name], chunks, work / name, window, cell_order, modulus, report)

    # The largest first, so that the last one to end is not a large one.
    names = sorted(inputs, key=lambda name: -inputs[name].n_rows)
    done: dict[str, Partitioned] = dict(
        in_order(lambda name: (name, read(name)), names, config.run.n_workers)
    )
    parts: dict[str, Partitioned] = {name: done[name] for name in surveys if name in done}
    if not any(len(part.cells) for part in parts.values()):
        raise InputError(
            f"no source lies in the window l = {config.window.l}, b = {config.window.b}; check "
            "[window] and the surveys"
        )
    return parts


def metadata_of(
    config: MergeConfig, offsets: Mapping[str, Offsets], manifest: Manifest
) -> dict[str, str]:
    """Return the record of how the catalogue was made, for the metadata of its files."""
    words = manifest.record
    return {
        "creator": creator(),
        "content": "stars merged from surveys",
        "versions": json.dumps(words["libraries"]),
        "config": json.dumps(words["config"]),
        "surveys": json.dumps(words["surveys"]),
        "offsets": json.dumps({name: one.record for name, one in offsets.items()}),
        "survey_order": json.dumps(names_of(linking_order(config))),
        "definitions": json.dumps(words["definitions"]),
        "match_flags": json.dumps({str(int(f)): f"{f.name}: {f.description}" for f in MatchFlag}),
        "rejected": json.dumps(REASONS),
        "margin_arcsec": str(MARGIN_ARCSEC),
        "manifest": MANIFEST,
    }


def write_cell(
    folder: Path, rejected: Path | None, name: str, product: Product, metadata: dict[str, str]
) -> Entry:
    """Write the partition of a cell, what was left out first: its entry stands for both."""
    # A scheduler may have two processes write the same cell, with the same bytes.
    if rejected is not None:
        columns = rejected_columns(product.order)
        with open_writer(rejected / name, columns, metadata, overwrite=True, alone=False) as writer:
            writer.write(product.rejected)
    columns = merged_columns(product.order)
    with open_writer(folder / name, columns, metadata, overwrite=True, alone=False) as writer:
        writer.write(product.kept)
    return entry_of(folder, name, writer.n_rows, product.account)


def is_done(manifest: Manifest, name: str, rejected: Path | None) -> bool:
    """Whether a partition, and what was left out of it, are there."""
    return name in manifest.entries and (rejected is None or (rejected / name).is_file())


def _account(parts: Mapping[str, LearnedSurvey], manifest: Manifest) -> dict[str, dict[str, int]]:
    """Count what became of all sources, by survey."""
    account = {name: Counter(part.account) for name, part in parts.items()}
    account["stars"], account[REAL_LOOKING] = Counter(), Counter()
    for _, entry in sorted(manifest.entries.items()):
        for name, tally in entry.account.items():
            account[name].update(tally)
    # Cells end in any order; equal runs give equal bytes.
    words = ("read", "linked", *REASONS)
    suspects = dict(sorted(account.pop(REAL_LOOKING).items()))
    ordered = {name: {w: tally[w] for w in words if w in tally} for name, tally in account.items()}
    return ordered | {REAL_LOOKING: suspects}


def _chunks(folder: Path, columns: list[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the partitions that are there."""
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("part-*.parquet")):
        table = pq.read_table(path, columns=columns, partitioning=None)
        if table.num_rows:
            yield {name: table.column(name).to_numpy() for name in columns}
