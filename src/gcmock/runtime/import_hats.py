"""Turn a table of observed stars into a HATS catalogue; hats-import does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.errors import InputError
from gcmock.io.disk import check_new_folder, scratch_folder, whole_folder
from gcmock.io.observed import ObservedCatalogue
from gcmock.io.readers.opening import open_table
from gcmock.runtime.cluster import check_installed, connect
from gcmock.settings.build import Config
from gcmock.words.columns import INPUT_COLUMNS, Column, columns_by_name

HIGHEST_ORDER: Final = 10
"""Smallest pixels (3.4 arcmin): a few thousand stars where there are most."""

_FILE_ROWS: Final = 1_000_000
_READ_ROWS: Final = 200_000


def import_table(
    input: str | Path,
    output: str | Path,
    config: Config,
    scheduler: str,
    *,
    pixel_threshold: int = 250_000,
    overwrite: bool = False,
) -> int:
    """Turn a table of observed stars into a HATS catalogue.

    Parameters
    ----------
    input : str or Path
        Any table that ``gcmock build`` reads. Columns that it does not use are left out.
    output : str or Path
        Folder for the catalogue; it appears when it is complete.
    config : Config
        ``[columns]`` and ``[run] workers`` are used.
    scheduler : str
        See `gcmock.runtime.cluster.connect`.
    pixel_threshold : int
        Most rows of a partition.
    overwrite : bool
        Replace a HATS catalogue that gcmock wrote.

    Returns
    -------
    int
        Rows of the catalogue.

    Raises
    ------
    InputError
        If the table, the output or the scheduler cannot be used.
    """
    check_installed("hats_import", "distributed")
    from hats_import.catalog.arguments import ImportArguments
    from hats_import.pipeline import pipeline_with_client

    output = Path(output).absolute()
    _check_output(output, pixel_threshold, overwrite)
    catalogue = ObservedCatalogue(open_table(input, config.columns), config)
    if "source_id" not in catalogue.matches:
        raise InputError(
            f"{input}: no column source_id; a partitioned catalogue needs identifiers, because it "
            "has no row numbers"
        )
    with scratch_folder(output) as folder, whole_folder(output, overwrite=overwrite) as whole:
        files = _write_parts(catalogue, folder)
        with connect(scheduler, config.run.n_workers) as client:
            arguments = ImportArguments(
                output_path=whole.parent,
                output_artifact_name=whole.name,
                input_file_list=list(files),
                file_reader="parquet",
                ra_column="ra",
                dec_column="dec",
                sort_columns="source_id",
                pixel_threshold=pixel_threshold,
                highest_healpix_order=HIGHEST_ORDER,
                expected_total_rows=catalogue.n_rows,
                tmp_dir=folder,
                resume=False,
                progress_bar=False,
            )
            _run(pipeline_with_client, arguments, client)
    return catalogue.n_rows


def _run(pipeline: Callable[..., None], arguments: Any, client: Any) -> None:
    """Run hats-import, which complains of too many rows in one pixel with a ValueError."""
    try:
        pipeline(arguments, client)
    except ValueError as error:
        if "threshold" not in str(error):
            raise
        raise InputError(
            f"--pixel-threshold {arguments.pixel_threshold}: {error} (pixels of order "
            f"{HIGHEST_ORDER}, 3.4 arcmin); allow more rows"
        ) from error


def _check_output(output: Path, pixel_threshold: int, overwrite: bool) -> None:
    if pixel_threshold < 1:
        raise InputError(f"--pixel-threshold {pixel_threshold}: expected a number of rows above 0")
    if output.suffix:
        raise InputError(f"{output}: a HATS catalogue is a folder, whose name has no suffix")
    check_new_folder(output, overwrite=overwrite)


def _write_parts(catalogue: ObservedCatalogue, folder: Path) -> Iterator[Path]:
    """Write the columns that are used, with their names and units in gcmock, as Parquet files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = columns_by_name(INPUT_COLUMNS)
    writer: pq.ParquetWriter | None = None
    n_rows = n_files = 0
    for raw in catalogue.rows(_READ_ROWS):
        values = catalogue.plain_columns(raw)
        table = pa.table({name: _array(values[name], columns[name]) for name in values})
        if writer is None or n_rows >= _FILE_ROWS:
            if writer is not None:
                writer.close()
            path = folder / f"stars-{n_files:05d}.parquet"
            writer, n_rows, n_files = pq.ParquetWriter(path, table.schema), 0, n_files + 1
        writer.write_table(table)
        n_rows += len(raw.row)
    if writer is not None:
        writer.close()
    yield from sorted(folder.glob("stars-*.parquet"))


def _array(values: NDArray[Any], column: Column) -> Any:
    import pyarrow as pa

    kind = pa.string() if values.dtype.kind == "U" else pa.from_numpy_dtype(np.dtype(column.dtype))
    return pa.array(values, type=kind)
