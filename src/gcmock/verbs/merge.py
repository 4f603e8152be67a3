"""The verb merge: surveys to one clean catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from gcmock.errors import InputError
from gcmock.settings.merge import MergeConfig, load_merge_config
from gcmock.settings.name_or_path import name_of
from gcmock.verbs.given import (
    Location,
    Progress,
    check_apart,
    is_path,
    made_in_memory,
    on_disk,
    pair,
)
from gcmock.verbs.settings import check_sections


def merge(
    config: Location | Mapping[str, Any] | MergeConfig | None = None,
    output: Location | None = None,
    *,
    rule: Literal["probabilistic", "pilot2023"] | None = None,
    keep_rejected: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    **sections: Any,
) -> Any:
    """Merge surveys into one clean catalogue, the input of `gcmock.build`.

    Parameters
    ----------
    config : str, Path, mapping or MergeConfig, optional
        TOML file: the surveys with their files, the window, and what differs from the defaults; or
        its content. The native table of one survey, by its path, is cleaned and written in the
        columns that `gcmock.build` reads.
    output : str or Path, optional
        Without suffix a folder of Parquet files; an interrupted run then goes on where it stopped
        when it is started again. Else a Parquet, FITS, VOTable or ECSV file, by its suffix. If not
        given, the catalogue is returned.
    rule : {"probabilistic", "pilot2023"}, optional
        Likelihood ratios, or the simple rule of the pilot catalogue of 2023.
    keep_rejected : bool
        Write the rows that were left out, each with its reason, beside the output.
    workers : int, optional
        Number of threads; 0 for one per core. The result does not depend on it.
    scheduler : str, optional
        For surveys that are HATS catalogues with margins: ``"local"`` starts worker processes here,
        an address such as ``"tcp://10.0.0.1:8786"`` is that of a running Dask cluster.
    overwrite : bool
        Replace an existing output; start afresh.
    progress : callable, optional
        Called with numbers of sources that are done and that there are; every source is read, and
        merged.
    **sections : mapping
        Sections of settings that win over `config`. ``survey`` is a mapping of names to the tables
        of the surveys, on disk or in memory, in the columns of an archive:
        ``survey={"virac2": table, "gaia": "gaia.fits"}``.

    Returns
    -------
    astropy.table.QTable or MergeSummary
        Without `output` the catalogue, with units; the account of the run is in
        ``meta["gcmock"]["summary"]``. With `output` the account. Tables in memory are written to
        temporary Parquet files, and are read from there in chunks.

    Raises
    ------
    InputError
        If a survey, a setting or the output cannot be used.
    InterruptedRunError
        After Ctrl-C; finished cells are kept if there is an `output`.

    Examples
    --------
    >>> import gcmock
    >>> gcmock.merge(survey={"sirius": "no_such_file.fits"})
    Traceback (most recent call last):
        ...
    gcmock.errors.InputError: no_such_file.fits: no such file
    """
    surveys = sections.pop("survey", None)
    check_sections(merge, sections, MergeConfig.model_fields)
    if output is None and (scheduler is not None or keep_rejected):
        raise InputError("merge: scheduler and keep_rejected need an output")
    given = {"match.rule": rule, "run.workers": workers}
    overrides = _overrides(sections) | {k: v for k, v in given.items() if v is not None}
    with _surveys_on_disk(config, surveys) as files:
        settings = load_merge_config(files, overrides)
        from gcmock.catalogue.outputs import outputs_of

        outputs = () if output is None else outputs_of(Path(output), keep_rejected)
        check_apart(outputs, [config, *(one.path for one in settings.survey)], [settings])

        def run(path: Location) -> Any:
            options = {"keep_rejected": keep_rejected, "overwrite": overwrite}
            if scheduler is not None:
                from gcmock.runtime.merge_hats import merge_hats

                return merge_hats(settings, path, scheduler, progress=progress, **options)
            from gcmock.catalogue.merge import merge as merge_files

            return merge_files(settings, path, progress=progress, **options)

        return made_in_memory(run, "astropy") if output is None else run(output)


def _overrides(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return sections as values by ``section.key``; the ranges of the window may be Quantities."""
    found = {f"{name}.{key}": x for name, values in sections.items() for key, x in values.items()}
    for key in ("window.l", "window.b"):
        if found.get(key) is not None:
            found[key] = pair(found[key], "deg", key)
    return found


def _is_table(path: Path) -> bool:
    """Whether a path is that of a table, not of settings."""
    from gcmock.io.readers.opening import SUFFIXES, TEXT_SUFFIXES

    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    return path.is_dir() or suffix.lower() in (*SUFFIXES, *TEXT_SUFFIXES)


def _one_survey(path: Path) -> dict[str, Any]:
    """Return the settings of a merge of one survey alone."""
    from gcmock.surveys.read.open_survey import open_survey

    return {"survey": [{"name": open_survey(path).survey.name, "path": str(path.resolve())}]}


@contextmanager
def _surveys_on_disk(config: Any, surveys: Any) -> Iterator[Any]:
    """Give settings in which every survey is a file."""
    if config is not None and not (is_path(config) or isinstance(config, Mapping | MergeConfig)):
        raise InputError(
            f"config: expected a TOML file, a mapping or a MergeConfig, got {type(config).__name__}"
        )
    if is_path(config) and surveys is None:
        yield _one_survey(Path(config)) if _is_table(Path(config)) else config
        return
    if isinstance(config, MergeConfig):
        content = config.model_dump()
    elif is_path(config):
        from gcmock.settings.name_or_path import resolve_paths
        from gcmock.settings.toml_file import read_toml

        content = read_toml(Path(config))
        resolve_paths(content, MergeConfig, Path(config).parent)
    else:
        content = dict(config or {})
    if isinstance(surveys, Mapping):
        surveys = [{"name": name, "path": table} for name, table in surveys.items()]
    listed = content.get("survey", ()) if surveys is None else surveys
    if not listed:
        raise InputError(
            "merge: no survey is given; give a file with settings, or "
            'survey={"virac2": table, "gaia": "gaia.fits"}'
        )
    with ExitStack() as stack:
        found = []
        for one in listed:
            name = name_of(str(one.get("name", "survey")))
            path = stack.enter_context(on_disk(one.get("path", ""), name))
            found.append({**one, "path": str(path)})
        yield {**content, "survey": found}
