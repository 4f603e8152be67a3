"""What a merge writes, where, and in which order."""

from __future__ import annotations

import shutil
from pathlib import Path

from gcmock.catalogue.learn.completeness import COMPLETENESS_FILE
from gcmock.catalogue.summary import SUMMARY_FILE, MergeSummary
from gcmock.io.disk import (
    check_new_file,
    check_new_folder,
    remove_dead,
    remove_folder,
    remove_partial,
    whole_file,
)
from gcmock.io.manifest import Manifest, check_folder, is_complete
from gcmock.io.ownership import MANIFEST, is_own_file
from gcmock.io.writers.writer import check_output, open_writer
from gcmock.words.columns import Column


def parts_folder(output: Path) -> Path:
    """Return the folder of the partitions: the output, or one beside a file, until it is made."""
    return output.with_name(f".{output.name}.parts") if output.suffix else output


def rejected_folder(output: Path) -> Path:
    """Return the folder for what was left out, beside an output."""
    return output.with_name(f"{output.stem if output.suffix else output.name}_rejected")


def beside(output: Path) -> tuple[Path, ...]:
    """Return the files that are written beside a file: summary and completeness."""
    names = (SUMMARY_FILE, COMPLETENESS_FILE) if output.suffix else ()
    return tuple(output.with_name(f"{output.stem}{name}") for name in names)


def outputs_of(output: Path, keep_rejected: bool) -> tuple[Path, ...]:
    """Return everything that a merge writes or replaces."""
    rejected = (rejected_folder(output),) if keep_rejected else ()
    return (output, *rejected, *beside(output))


def check_outputs(output: Path, *, keep_rejected: bool, overwrite: bool) -> None:
    """Check that all outputs may be written, before any work.

    What a killed run of the same command left may be replaced.

    Parameters
    ----------
    output : Path
    keep_rejected, overwrite : bool
        See `gcmock.catalogue.merge.merge`.

    Raises
    ------
    InputError
    """
    folder = parts_folder(output)
    remove_dead(folder)
    check_folder(folder, overwrite=overwrite)
    begun = (folder / MANIFEST).exists()
    if output.suffix:
        # The partitions go when the file is there: what is younger than they are is of their run.
        is_done = is_complete(folder)
        born = (folder / MANIFEST).stat().st_mtime if is_done else 0.0
        check_output(output, overwrite=overwrite or (is_done and _is_younger(output, born)))
        for path in beside(output):
            check_new_file(path, overwrite=overwrite or (is_done and _is_younger(path, born)))
    if keep_rejected:
        check_new_folder(rejected_folder(output), overwrite=overwrite or begun)


def _is_younger(path: Path, time: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= time - 1.0


def make_rejected(output: Path, manifest: Manifest) -> Path:
    """Return the folder for what was left out, without what it holds of other runs."""
    folder = rejected_folder(output)
    folder.mkdir(exist_ok=True)
    remove_partial(folder)
    for path in folder.glob("part-*.parquet"):
        if path.name not in manifest.entries and is_own_file(path):
            path.unlink()
    return folder


def write_file(
    folder: Path, output: Path, summary: MergeSummary, columns: tuple[Column, ...]
) -> None:
    """Turn the folder of partitions into one file, with summary and completeness beside it.

    The file gets its name last, and the folder goes then.
    """
    import pyarrow.parquet as pq

    from gcmock.io.metadata import read_metadata

    parts = sorted(folder.glob("part-*.parquet"))
    metadata = read_metadata(parts[0]) | {"summary": summary.to_json()}
    metadata.pop("manifest", None)
    with open_writer(output, columns, metadata, overwrite=True) as writer:
        for path in parts:
            table = pq.read_table(path, partitioning=None)
            if table.num_rows:
                names = table.column_names
                writer.write({name: table.column(name).to_numpy() for name in names})
        for path in beside(output):
            with whole_file(path) as partial:
                shutil.copyfile(folder / path.name.removeprefix(output.stem), partial)
    remove_folder(folder)
