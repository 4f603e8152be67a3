"""A mock catalogue as a folder of partitions, from which an interrupted run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from gcmock import __version__
from gcmock.compilation import fingerprint
from gcmock.errors import InterruptedRunError
from gcmock.io.manifest import Manifest, entry_of
from gcmock.io.provenance import data_sha256, library_versions, own_files
from gcmock.io.writers.writer import open_writer
from gcmock.learned import load_learned
from gcmock.mock.account import Account
from gcmock.mock.pipeline import StarBatch
from gcmock.mock.summary import BuildSummary
from gcmock.settings.build import Config, RunConfig
from gcmock.words.columns import Column

Products = Callable[[int, Callable[[int], bool]], Iterator[tuple[int, StarBatch]]]
"""Takes the rows of the input per partition and which partitions are wanted; yields batches."""


def stars_per_partition(config: Config) -> int:
    """Return the rows of the input per partition; those of the output are more if it has draws."""
    return max(1, config.run.partition_size // config.run.realisations)


def without_means(config: Config) -> Config:
    """Return the settings with the defaults where they say how the work is done, not what.

    Partitions of runs that differ in these alone are the same, byte by byte.
    """
    default = RunConfig()
    means = {name: getattr(default, name) for name in ("workers", "chunk_size", "sort")}
    return config.model_copy(update={"run": config.run.model_copy(update=means)})


def partition_record(config: Config, source: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return everything that the bytes of a partition depend on.

    Parameters
    ----------
    config : Config
        Settings; the number of workers and of stars read at a time do not count.
    source : mapping
        The input: name, checksum, size.
    **more
        Anything else, as JSON values.
    """
    settings = without_means(config).model_dump(mode="json")
    if config.learn.file:
        # What it says, not where it is.
        more["learned"] = load_learned(config.learn.file).sha256
    return {
        "gcmock": __version__,
        "source code": fingerprint("gcmock.mock.build"),
        "libraries": library_versions(),
        "data_sha256": data_sha256(),
        "config": settings,
        "input": dict(source),
        **own_files(config),
        **more,
    }


def write_folder(
    folder: Path,
    columns: Sequence[Column],
    metadata: Mapping[str, str],
    source: Mapping[str, Any],
    products: Products,
    summary: BuildSummary,
    config: Config,
    report: Callable[[], None],
    *,
    is_sorted: bool,
    overwrite: bool,
) -> None:
    """Write the partitions that are not there yet.

    Parameters
    ----------
    folder : Path
    columns : sequence of Column
    metadata : mapping of str to str
        For every partition.
    source : mapping
        See `partition_record`.
    products : callable
        See `Products`.
    summary : BuildSummary
        Its account is filled.
    config : Config
    report : callable
        Called after every batch.
    is_sorted : bool
        Whether the rows are sorted by position.
    overwrite : bool
        Start afresh.

    Raises
    ------
    InputError
        See `gcmock.io.manifest.Manifest`.
    InterruptedRunError
        After Ctrl-C.
    """
    per_partition = stars_per_partition(config)
    n_partition = -(-summary.n_rows // per_partition)
    names = [f"part-{i:05d}.parquet" for i in range(n_partition)]
    record = partition_record(config, source, sorted=is_sorted)
    with Manifest(folder, record, overwrite=overwrite, or_nothing=True) as manifest:
        for entry in manifest.entries.values():
            summary.account.add(Account.from_dict(entry.account))
        summary.n_kept, summary.n_partition = summary.n_written, n_partition
        try:
            report()
            if len(manifest.entries) < n_partition:
                done = set(manifest.entries)
                batches = products(per_partition, lambda i: names[i] not in done)
                for i, group in groupby(batches, key=lambda batch: batch[0]):
                    words = dict(metadata) | {"partition": f"{i} of 0 ... {n_partition - 1}"}
                    written = Account()
                    with open_writer(folder / names[i], columns, words, overwrite=True) as writer:
                        for _, batch in group:
                            if batch.columns:
                                writer.write(batch.columns)
                            written.add(batch.account)
                            summary.account.add(batch.account)
                            report()
                    account = written.to_dict()
                    manifest.append(entry_of(folder, names[i], writer.n_rows, account))
            manifest.finish(names)
        except KeyboardInterrupt as error:
            raise InterruptedRunError(
                f"interrupted; {len(manifest.entries)} of {n_partition} partitions are kept in "
                f"{folder}: run the same command again to go on"
            ) from error
