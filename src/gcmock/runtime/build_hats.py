"""HATS catalogue in, HATS catalogue out, partition by partition on a Dask cluster.

Every partition is a task that writes its file by itself, atomically, and returns its checksum; the
process that started the run keeps the manifest. A task that is done twice, because a worker died,
gives the same bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gcmock.errors import GcmockError, InputError, InterruptedRunError
from gcmock.io.disk import remove_partial
from gcmock.io.manifest import Manifest, check_folder
from gcmock.io.observed import ObservedCatalogue
from gcmock.io.ownership import check_apart
from gcmock.io.read_summary import ReadSummary
from gcmock.io.readers.folder import is_hats
from gcmock.io.readers.opening import open_table
from gcmock.mock.account import Account
from gcmock.mock.folder import partition_record, without_means
from gcmock.mock.product import output_columns, record_of_mock
from gcmock.mock.reference_stars import evidence_table
from gcmock.mock.summary import BuildSummary
from gcmock.posterior.evidence import EvidenceTable
from gcmock.progress import Progress
from gcmock.runtime.cluster import check_installed, connect
from gcmock.settings.build import Config
from gcmock.words.columns import SOURCE_ID, Column

if TYPE_CHECKING:
    from distributed import Client

    from gcmock.runtime.hats_catalogue import HatsInput
    from gcmock.runtime.pixels import PixelCount


_N_SHOWN: Final = 3


def build_hats(
    input: str | Path,
    output: str | Path,
    config: Config,
    scheduler: str,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> BuildSummary:
    """Turn a HATS catalogue of observed stars into one of true stars.

    Partitions are those of the input. The stars depend neither on them nor on the cluster: they
    are those that `gcmock.mock.build.build` makes of the same rows. An interrupted run goes on
    when it is started again, on any cluster.

    Parameters
    ----------
    input : str or Path
        HATS catalogue with `source_id`, ``ra`` and ``dec``, on a disk that all workers see.
    output : str or Path
        Folder for the catalogue, on such a disk.
    config : Config
        ``[run] workers`` is the number of processes if they are started here.
    scheduler : str
        See `gcmock.runtime.cluster.connect`.
    overwrite : bool
        Delete an earlier output.
    progress : callable, optional
        Called with the numbers of finished and of all stars.

    Returns
    -------
    BuildSummary

    Raises
    ------
    InputError
        If the input, a setting, the output or the scheduler cannot be used.
    InterruptedRunError
        After Ctrl-C; finished partitions are kept.
    """
    start = time.perf_counter()
    check_before(Path(input), Path(output), overwrite=overwrite)
    from gcmock.runtime.hats_catalogue import describe_hats, open_hats
    from gcmock.runtime.pixels import HEALPIX

    # Workers may run in other folders.
    input, output = Path(input).resolve(), Path(output).absolute()
    catalogue = open_hats(input)
    n_workers = config.run.n_workers
    config = without_means(config)
    columns_of_input = catalogue.columns | config.columns
    settings = config.model_copy(update={"columns": columns_of_input}).model_dump_json()
    with connect(scheduler, n_workers) as client:
        counts = _count(client, catalogue, settings)
        read, skipped, source_id = _add_up(catalogue, counts)
        summary = BuildSummary(output, config.run.realisations, read, skipped)
        summary.remarks = list(counts[0].remarks)
        source: dict[str, Any] = {
            "name": catalogue.path.name,
            "sha256": _checksum(catalogue, counts),
        }
        n_rows = summary.n_star * summary.n_realisation
        rows = {"read": summary.n_rows, "written": n_rows, **skipped}
        metadata = record_of_mock(config, source, rows, dated=False)
        kept = [
            pixel
            for pixel, count in zip(catalogue.pixels, counts, strict=True)
            if count.read.n_rows > count.skipped.total()
        ]
        if not kept:
            raise InputError(f"{input}: every star is left out: {dict(skipped)}")
        columns = (HEALPIX, *output_columns(source_id))
        size = sum(count.bytes for count in counts)
        record = partition_record(config, source | {"bytes": size}, partitions="HATS")
        with Manifest(output, record, overwrite=overwrite, or_nothing=True) as manifest:
            evidences = _evidences(catalogue.path, settings, n_workers)
            for entry in manifest.entries.values():
                summary.account.add(Account.from_dict(entry.account))
            summary.n_kept, summary.n_partition = summary.n_written, len(kept)
            works = _works(kept, output, source_id, metadata, evidences, set(manifest.entries))
            try:
                _build(client, works, settings, manifest, summary, progress)
                remove_partial(output)
                describe_hats(output, kept, columns, metadata, config, n_rows)
                manifest.finish([pixel.name for pixel in kept])
            except KeyboardInterrupt as error:
                raise InterruptedRunError(
                    f"interrupted; {len(manifest.entries)} of {len(kept)} partitions are kept in "
                    f"{output}: run the same command again to go on"
                ) from error
    summary.seconds = time.perf_counter() - start
    return summary


def check_before(input: Path, output: Path, *, overwrite: bool) -> None:
    """Refuse what cannot be used before anything is read.

    Raises
    ------
    InputError
        If a library is missing, the input is no HATS catalogue, or the output no folder of its own.
    """
    check_installed("hats", "distributed")
    input, output = input.resolve(), output.absolute()
    if not input.exists():
        raise InputError(f"{input}: no such file")
    if not input.is_dir() or not (is_hats(input) or (input / "collection.properties").exists()):
        raise InputError(
            f"{input}: not a HATS catalogue, which --scheduler needs; gcmock import-hats turns a "
            "table into one"
        )
    if output.suffix:
        raise InputError(
            f"{output}: a HATS catalogue is a folder, whose name has no suffix such as "
            f"{output.suffix!r}"
        )
    check_apart([output], [input])
    check_folder(output, overwrite=overwrite)


def _results(client: Client, futures: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the results as they come, with the numbers of their tasks."""
    from distributed import KilledWorker, as_completed

    number = {future.key: i for i, future in enumerate(futures)}
    try:
        for future in as_completed(futures):
            yield number[future.key], future.result()
            future.release()
    except KilledWorker as error:
        raise GcmockError(
            "several workers died one after the other at the same partition, for want of memory "
            "perhaps; run the same command again to go on"
        ) from error
    finally:
        client.cancel(list(futures), force=True)


def _count(client: Client, catalogue: HatsInput, settings: str) -> list[PixelCount]:
    """Look at all partitions of the input."""
    from gcmock.runtime.pixels import count_pixel

    futures = [
        client.submit(count_pixel, str(pixel.path), pixel.order, pixel.pixel, settings, pure=False)
        for pixel in catalogue.pixels
    ]
    counts = dict(_results(client, futures))
    return [counts[i] for i in range(len(futures))]


def _add_up(
    catalogue: HatsInput, counts: Sequence[PixelCount]
) -> tuple[ReadSummary, Counter[str], Column]:
    """Summary of the whole input, and the type of its identifiers.

    Raises
    ------
    InputError
        If identifiers occur in more than one partition.
    """
    read, skipped = ReadSummary(), Counter[str]()
    for count in counts:
        read.add(count.read)
        skipped.update(count.skipped)
    bits = np.sort(np.concatenate([count.identifiers for count in counts]))
    repeated = np.unique(bits[1:][bits[1:] == bits[:-1]])
    if repeated.size:
        where = [
            pixel.path.name
            for pixel, count in zip(catalogue.pixels, counts, strict=True)
            if np.isin(repeated[0], count.identifiers)
        ]
        raise InputError(
            f"{catalogue.path}: {repeated.size} source_id occur more than once, one of them in "
            f"{', '.join(where[:_N_SHOWN])}; every star needs its own"
        )
    dtypes = [np.dtype(count.dtype) for count in counts]
    texts = [dtype.itemsize // 4 for dtype in dtypes if dtype.kind == "U"]
    if texts and len(texts) < len(dtypes):
        # Numbers beyond the range of int64 in some of the partitions only.
        texts.append(20)
    return read, skipped, SOURCE_ID.with_dtype(f"U{max(texts)}") if texts else SOURCE_ID


def _checksum(catalogue: HatsInput, counts: Sequence[PixelCount]) -> str:
    """Checksum of the checksums of the partitions, in their order."""
    lines = [
        f"{pixel.order} {pixel.pixel} {count.sha256}\n"
        for pixel, count in zip(catalogue.pixels, counts, strict=True)
    ]
    return sha256("".join(lines).encode()).hexdigest()


def _evidences(path: Path, settings: str, workers: int) -> EvidenceTable:
    """Tabulate the evidences of the whole list; see `gcmock.mock.reference_stars`."""
    from gcmock.runtime.pixels import config_of, model_of

    config = config_of(settings)
    catalogue = ObservedCatalogue(open_table(path, config.columns), config)
    return evidence_table(catalogue, model_of(settings), config.policy, workers)


def _works(
    kept: Sequence[Any],
    output: Path,
    source_id: Column,
    metadata: dict[str, str],
    evidences: EvidenceTable,
    done: set[str],
) -> list[Any]:
    """Tasks of the partitions that are not there yet."""
    from gcmock.runtime.pixels import PixelWork

    return [
        PixelWork(str(pixel.path), str(output), pixel.name, source_id, metadata, evidences)
        for pixel in kept
        if pixel.name not in done
    ]


def _build(
    client: Client,
    works: Sequence[Any],
    settings: str,
    manifest: Manifest,
    summary: BuildSummary,
    progress: Progress | None,
) -> None:
    """Have the partitions written, and keep account of them."""
    from gcmock.runtime.pixels import build_pixel

    def report() -> None:
        if progress is not None:
            progress(summary.n_written // summary.n_realisation, summary.n_star)

    report()
    futures = [client.submit(build_pixel, work, settings, pure=False) for work in works]
    for _, entry in _results(client, futures):
        manifest.append(entry)
        summary.account.add(Account.from_dict(entry.account))
        report()
