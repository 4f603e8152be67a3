"""The verb build: observed stars to a mock catalogue of true stars."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gcmock.errors import InputError, ModelWarning
from gcmock.progress import StagedProgress
from gcmock.settings.build import Config
from gcmock.verbs.given import (
    Location,
    Progress,
    Table,
    check_apart,
    check_names,
    check_system,
    is_path,
    native_tables_explained,
    on_disk,
)
from gcmock.verbs.settings import Settings, settings_of


def build(
    input: Location | Table,
    /,
    output: Location | None = None,
    config: Settings = None,
    *,
    seed: int | None = None,
    realisations: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    learned: Location | None = None,
    no_learn: bool = False,
    no_pm: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    stages: StagedProgress | None = None,
    **sections: Mapping[str, Any],
) -> Any:
    """Turn observed stars into a mock catalogue of true stars.

    Parameters
    ----------
    input : str, Path, astropy Table, pandas or polars DataFrame, or pyarrow Table
        Observed stars: a Parquet, FITS, VOTable, ECSV or CSV file, a folder of Parquet files, or a
        table in memory, with the columns `gcmock.words.INPUT_COLUMNS`. Units are converted where
        the table has them (a DataFrame has none); a SkyCoord column is a position.
    output : str or Path, optional
        Parquet, FITS, VOTable or ECSV file, by its suffix. Without suffix a folder of Parquet
        files; an interrupted run then goes on where it stopped when it is started again. If not
        given, the catalogue is returned. A `Config` in this place is taken for `config`.
    config : str, Path, mapping or Config, optional
        TOML file with settings, or its content; the defaults if not given.
    seed : int, optional
        Seed of the random numbers.
    realisations : int, optional
        True stars drawn for every observed star.
    workers : int, optional
        Number of threads; 0 for one per core. The result does not depend on it.
    scheduler : str, optional
        For a HATS catalogue as input, which becomes one: ``"local"`` starts worker processes here,
        an address such as ``"tcp://10.0.0.1:8786"`` is that of a running Dask cluster.
    learned : str or Path, optional
        FITS file of an earlier run, or of `gcmock.calibrate`: what it says of extinction, law,
        numbers of stars and errors is used, and nothing is learned from this list.
    no_learn : bool
        Learn nothing: take the map, the law, the errors and the model as they are.
    no_pm : bool
        Leave measured proper motions and radial velocities out of the posterior.
    overwrite : bool
        Replace an existing output; start afresh.
    progress : callable, optional
        Called with the numbers of finished and of all stars.
    stages : callable, optional
        Called with the stage of learning and the numbers done and in total.
    **sections : mapping
        Sections of settings that win over `config`, with Quantities where a setting has a unit:
        ``model={"r0_pc": 8.2 * u.kpc}``.

    Returns
    -------
    astropy.table.QTable, pandas.DataFrame, pyarrow.Table, polars.DataFrame or BuildSummary
        Without `output` the catalogue, of the library of the input (a QTable for a file), rows in
        their order; how it was made is in ``meta["gcmock"]``, ``attrs["gcmock"]`` or the metadata
        of the schema. With `output` the account of the run. A table in memory is written to a
        temporary Parquet file then, and is read from there in chunks.

    Raises
    ------
    InputError
        If the input, a setting or the output cannot be used; nothing is written then.
    InterruptedRunError
        After Ctrl-C, if the output is a folder: finished partitions are kept.

    Warns
    -----
    ModelWarning
        Without `output`: what the account of a run with an output says of columns that are not
        used, and that nothing could be learned from the list.

    Examples
    --------
    >>> import gcmock
    >>> mock = gcmock.build(stars, seed=7, realisations=10)
    >>> mock["distance_pc"].unit
    Unit("pc")
    >>> type(gcmock.build(stars.to_pandas(), run={"chunk_size": 1000}))
    <class 'pandas.DataFrame'>
    >>> gcmock.build("stars.parquet", "mock.parquet", seed=7).n_written
    20
    """
    if isinstance(output, Config | Mapping):
        if config is not None:
            raise InputError("build: settings are given twice, as output and as config")
        output, config = None, output
    check_names([output], [input, learned, config])
    options = {
        "run.seed": seed,
        "run.realisations": realisations,
        "run.workers": workers,
        # Workers of a cluster may run in other folders.
        "learn.file": None if learned is None else str(Path(learned).resolve()),
        "learn.use": False if no_learn else None,
        "motion.use": False if no_pm else None,
    }
    settings = settings_of(build, config, sections, options)
    if settings.learn.file and not settings.learn.use:
        raise InputError(
            f"[learn] file = {settings.learn.file!r} says what was learned, but nothing is to be "
            "learned ([learn] use = false, --no-learn): give one of the two"
        )
    check_apart([output], [input, learned, config], [settings])
    remark = check_system(input, settings)
    if output is None:
        if scheduler is not None:
            raise InputError(
                f"scheduler = {scheduler!r}: a HATS catalogue needs an output, a folder"
            )
        if remark:
            warnings.warn(remark, ModelWarning, stacklevel=2)
        with native_tables_explained(input):
            return _in_memory(input, settings, progress, stages)
    if scheduler is not None:
        if not is_path(input):
            raise InputError(
                f"scheduler = {scheduler!r}: expected a HATS catalogue on disk as input; "
                "gcmock.import_hats makes one of a table"
            )
        from gcmock.runtime.build_hats import build_hats
        from gcmock.runtime.build_hats import check_before as check_hats

        check_hats(Path(input), Path(output), overwrite=overwrite)
        with _learned(Path(input), Path(output), settings, overwrite, stages) as (settings, words):
            summary = build_hats(
                input, output, settings, scheduler, overwrite=overwrite, progress=progress
            )
        summary.remarks[:0] = words
        return summary
    from gcmock.mock.build import build as build_file
    from gcmock.mock.build import check_before

    with on_disk(input, "table") as path:
        check_before(path, Path(output), overwrite)
        with _learned(path, Path(output), settings, overwrite, stages) as (settings, words):
            summary = build_file(path, output, settings, overwrite=overwrite, progress=progress)
        summary.remarks[:0] = [*words, *([remark] if remark else [])]
        return summary


@contextmanager
def _learned(
    path: Path, output: Path, settings: Config, overwrite: bool, stages: StagedProgress | None
) -> Iterator[tuple[Config, list[str]]]:
    """Learn, unless that is not wanted; the settings that follow, and what there is to say.

    The file is kept for an interrupted run that can go on; beside nothing else that is not made.
    """
    if not settings.learn.use or settings.learn.file:
        yield settings, []
        return
    from gcmock.calibration.learn import learn, name_beside

    file = name_beside(output)
    was_there = file.exists()
    try:
        settings, remark = learn(path, output, settings, overwrite=overwrite, progress=stages)
        yield settings, [remark]
    except BaseException as error:
        goes_on = not output.suffix and not isinstance(error, InputError)
        if not (was_there or goes_on):
            file.unlink(missing_ok=True)
        raise


def _in_memory(
    input: Any, settings: Config, progress: Progress | None, stages: StagedProgress | None
) -> Any:
    """Build a table; what was learned is nowhere but in its stars."""
    from gcmock.mock.build import build_table

    learned = None
    if settings.learn.use and not settings.learn.file:
        from gcmock.calibration.learn import learn_table

        with on_disk(input, "table") as path:
            learned, words = learn_table(path, settings, progress=stages)
        if not learned.cell.size:
            warnings.warn(words, ModelWarning, stacklevel=3)
    return build_table(input, settings, learned=learned, progress=progress)
