"""The verb import_hats: a table of observed stars as a HATS catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcmock.notebook import Outcome
from gcmock.verbs.given import Location, Table, check_apart, on_disk, whole
from gcmock.verbs.settings import Settings, settings_of


@dataclass(frozen=True, repr=False)
class ImportSummary(Outcome):
    """Account of an import.

    Attributes
    ----------
    output : Path
        The HATS catalogue.
    n_rows : int
        Its rows.
    """

    output: Path
    n_rows: int


def import_hats(
    input: Location | Table,
    output: Location,
    *,
    pixel_threshold: int = 250_000,
    config: Settings = None,
    scheduler: str = "local",
    workers: int | None = None,
    overwrite: bool = False,
    **sections: Mapping[str, Any],
) -> ImportSummary:
    """Turn a table of observed stars into a HATS catalogue, for `gcmock.build` with a scheduler.

    Parameters
    ----------
    input : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Table of stars, as for `gcmock.build`. A table in memory is written to a temporary Parquet
        file, and is read from there in chunks.
    output : str or Path
        Folder for the catalogue.
    pixel_threshold : int
        Most rows of a partition.
    config : str, Path, mapping or Config, optional
        TOML file, or its content; its section ``[columns]`` is used.
    scheduler : str
        ``"local"``, or the address of a running Dask cluster.
    workers : int, optional
        Number of processes, if they are started here; 0 for one per core.
    overwrite : bool
        Replace an existing HATS catalogue.
    **sections : mapping
        Sections of settings that win over `config`.

    Returns
    -------
    ImportSummary
        Where the catalogue is, and its rows.

    Raises
    ------
    InputError
        If the table, the output or the scheduler cannot be used.
    """
    from gcmock.runtime.import_hats import import_table

    settings = settings_of(import_hats, config, sections, {"run.workers": workers})
    check_apart([output], [input, config], [settings])
    whole(pixel_threshold, "--pixel-threshold", 1, 100_000_000)
    with on_disk(input, "table") as path:
        n_rows = import_table(
            path,
            output,
            settings,
            scheduler,
            pixel_threshold=pixel_threshold,
            overwrite=overwrite,
        )
    return ImportSummary(Path(output), n_rows)
