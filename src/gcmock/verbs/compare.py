"""The verb compare: a solution against the mock catalogue that was observed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gcmock.verbs.given import Location, Table, check_apart, on_disk

if TYPE_CHECKING:
    from gcmock.astrometry.comparison.compare import Comparison


def compare(
    solution: Location,
    mock: Location | Table,
    output: Location | None = None,
    *,
    observations: Location | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Compare a solution with the mock catalogue that was observed.

    Parameters
    ----------
    solution : str or Path
        Folder that `gcmock.solve` wrote.
    mock : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Mock catalogue. A table in memory is written to a temporary Parquet file, and is read from
        there in chunks.
    output : str or Path, optional
        Folder for tables and figures.
    observations : str or Path, optional
        Folder that was solved, for the joint chi-square; the one that the solution names if it is
        still there.
    overwrite : bool
        Replace an existing comparison.

    Returns
    -------
    Comparison
        Numbers, errors of every star, tables, and the `files` that were written.

    Raises
    ------
    InputError
        If the files do not fit together or lack columns, or the output cannot be written.
    """
    from gcmock.astrometry.comparison.compare import compare as run
    from gcmock.astrometry.solver.singular import invertible

    check_apart([output], [solution, mock, observations])
    if output is not None:
        from gcmock.io.disk import check_new_folder
        from gcmock.reporting.comparison import write

        check_new_folder(Path(output), overwrite=overwrite)
    with on_disk(mock, "mock") as path, invertible(solution):
        done = run(solution, path, observations)
    if output is None:
        return done
    return replace(done, files=write(done, Path(output), overwrite=overwrite))
