"""The verb export: the true catalogue of a mission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcmock.verbs.given import (
    Location,
    Progress,
    Table,
    check_apart,
    check_names,
    check_table,
    kind_of_result,
    made_in_memory,
    on_disk,
    whole_if_given,
)
from gcmock.verbs.settings import mission_of

if TYPE_CHECKING:
    from gcmock.astrometry.missions.mission import Mission


def export(
    mock: Location | Table,
    output: Location | None = None,
    *,
    mission: Location | Mission = "jasmine",
    config: Location | Mapping[str, Any] | None = None,
    set: Mapping[str, Any] | Sequence[str] | None = None,
    realisation: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Any:
    """Make the true catalogue of a mission: magnitudes in its bands, errors of one epoch.

    Parameters
    ----------
    mock : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Mock catalogue, with the metadata that `gcmock.build` gave it (a DataFrame of polars has
        none: its Roman magnitudes cannot be computed). A table in memory is written to a temporary
        Parquet file, and is read from there in chunks.
    output : str or Path, optional
        Parquet, FITS, VOTable or ECSV file, by its suffix. If not given, the table is returned.
    mission : str, Path or Mission
        jasmine, roman-gbtds, roman-gbtds-2025, gaianir, a file with all settings of a mission, or a
        `Mission`.
    config : str, Path or mapping, optional
        TOML file with settings of the mission that differ, or its content.
    set : mapping or sequence of str, optional
        Settings of the mission, ``{"magnitudes.faint": 14}`` or ``["magnitudes.faint=14"]``.
    realisation : int, optional
        Only this realisation of the catalogue; all of them by default.
    overwrite : bool
        Replace an existing output.
    progress : callable, optional
        Called with the numbers of finished and of all rows of the catalogue.

    Returns
    -------
    astropy.table.QTable, pandas.DataFrame, pyarrow.Table, polars.DataFrame or ExportSummary
        Without `output` the table, of the library of the input (a QTable for a file); with `output`
        the account of what was written.

    Raises
    ------
    InputError
        If the catalogue lacks a column or has no star in the window, the mission is unknown, or the
        output cannot be written.

    Examples
    --------
    >>> import gcmock
    >>> catalogue = gcmock.export(gcmock.build(stars, seed=7), mission="gaianir")
    >>> catalogue["epoch_error"].unit
    Unit("mas")
    """
    from gcmock.astrometry.missions.export import export as write

    check_names([output], [mock, config, mission])
    whole_if_given(realisation, "--realisation", 0)
    chosen = mission_of(mission, config, set)
    check_apart([output], [mock, config], [mission, chosen])
    check_table(output, overwrite=overwrite)
    with on_disk(mock, "mock") as path:

        def run(target: Path) -> Any:
            return write(
                path,
                target,
                chosen,
                realisation=realisation,
                overwrite=overwrite,
                progress=progress,
            )

        return made_in_memory(run, kind_of_result(mock)) if output is None else run(Path(output))
