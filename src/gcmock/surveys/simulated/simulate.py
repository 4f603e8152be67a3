"""A simulated sky with known truth, as the native tables of the surveys: one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.io.disk import whole_folder, write_text
from gcmock.io.provenance import creator, own_files
from gcmock.io.writers.writer import Writer, open_writer
from gcmock.mock.simulate import MAX_ROWS, check_number
from gcmock.mock.sky import Range, check_window
from gcmock.model import load_model
from gcmock.notebook import Outcome
from gcmock.pool import in_order
from gcmock.progress import Progress
from gcmock.settings.build import Config
from gcmock.surveys.definition import N_NAME, SurveyDefinition, load_survey, survey_names
from gcmock.surveys.read.interpret import identifiers
from gcmock.surveys.simulated.artefacts import ArtefactKind
from gcmock.surveys.simulated.blocks import (
    BLOCK_CELLS,
    Block,
    block_truth,
    is_inside,
    make_blocks,
    simulate_block,
    stars_of,
)
from gcmock.surveys.simulated.native import native_roles
from gcmock.surveys.simulated.native_files import (
    RowWriter,
    native_columns,
    native_values,
    open_native,
)
from gcmock.surveys.simulated.observe import instrument_of, observe
from gcmock.words.columns import TRUTH_COLUMNS, Column

TRUTH_FILE, LINKS_FILE, SURVEY_FILE = "truth.parquet", "truth_links.parquet", "survey.json"

LINK_COLUMNS: Final = (
    Column("survey", f"U{N_NAME}", "", "meta.code", "Name of the survey"),
    Column("source_id", "U32", "", "meta.id", "Identifier in the survey, as readers give it"),
    Column("true_source_id", "int64", "", "meta.id.assoc", "Brightest true star in it; -1: none"),
    Column("kind", "U5", "", "meta.code.class", "What it is: star, ghost or noise"),
    Column("blend_fraction", "float32", "", "stat.value", "Fraction of that star in its light"),
    Column("n_stars", "int32", "", "meta.number", "Stars in it"),
    Column("copy", "int16", "", "meta.number", "0, or the number of a duplicate of that star"),
)
"""The truth behind every row of every survey, in the order of the rows."""

_KINDS: Final = np.array([kind.name.lower() for kind in ArtefactKind])


class Seen(NamedTuple):
    """What a survey has of a block.

    Attributes
    ----------
    native : dict of str to ndarray, shape (n_row,)
        Rows of its table.
    roles : dict of str to ndarray, shape (n_row,)
        The same by role; for the identifiers.
    links : dict of str to ndarray, shape (n_row,)
        `LINK_COLUMNS`, without the identifiers.
    """

    native: Columns
    roles: Columns
    links: Columns


@dataclass(frozen=True, repr=False)
class SimulatedSkySummary(Outcome):
    """Account of a simulated sky.

    Attributes
    ----------
    n_stars : int
        True stars.
    n_rows : dict of str to int
        Rows by survey.
    output : Path
        The folder.
    """

    n_stars: int
    n_rows: dict[str, int]
    output: Path


def check_surveys(surveys: Sequence[str | Path | SurveyDefinition]) -> tuple[SurveyDefinition, ...]:
    """Return the definitions of surveys without repetition.

    Parameters
    ----------
    surveys : sequence of str, Path or SurveyDefinition
        Names, or paths of definitions.

    Raises
    ------
    InputError
        If there is none, one is unknown or cannot be simulated, or two have the same name.
    """
    if not surveys:
        known = ", ".join(survey_names())
        raise InputError(f"surveys: none given; expected some of {known}, or files that define one")
    found: dict[str, SurveyDefinition] = {}
    for survey in map(load_survey, surveys):
        instrument_of(survey)
        if found.setdefault(survey.name, survey).path != survey.path:
            raise InputError(
                f"surveys: two have the name {survey.name!r}: {found[survey.name].path or 'known'} "
                f"and {survey.path or 'known'}; rename a file"
            )
    return tuple(found.values())


def simulate_surveys(
    output: str | Path,
    surveys: Sequence[str | Path | SurveyDefinition],
    l_range: Range,
    b_range: Range,
    config: Config,
    *,
    ks_max: float = 17.5,
    seed: int = 1,
    workers: int = 1,
    max_rows: int = MAX_ROWS,
    overwrite: bool = False,
    block_cells: int = BLOCK_CELLS,
    progress: Progress | None = None,
) -> SimulatedSkySummary:
    """Simulate a window of the sky and what surveys see of it.

    Parameters
    ----------
    output : str or Path
        A folder: ``<survey>.<suffix>`` in native format for every survey that sees anything there,
        ``truth.parquet`` (every true star),
        ``truth_links.parquet`` (`LINK_COLUMNS`) and ``survey.json`` (how it was made).
    surveys : sequence of str, Path or SurveyDefinition
        Names of surveys, or paths of files that define one.
    l_range, b_range : tuple of 2 floats
        Window [deg]; see `gcmock.mock.simulate.simulate`.
    config : Config
        Settings of the model.
    ks_max : float
        Faintest true Ks [mag].
    seed : int
        Seed of the sky and of the surveys.
    workers : int
        Threads. The result does not depend on it.
    max_rows : int
        A window with more stars is refused.
    overwrite : bool
        Replace a folder that this function wrote.
    block_cells : int
        Side of the blocks that are computed at a time, in cells of the extinction map. Only the
        order of the rows depends on it.
    progress : callable, optional
        Called with the numbers of finished and of all blocks.

    Raises
    ------
    InputError
        If a survey is unknown, the window is not on the extinction map, `ks_max` is not a number,
        or the folder exists or cannot be written.
    """
    chosen = check_surveys(surveys)
    output = Path(output)
    model = load_model(config=config)
    window = check_window(model.extinction_map, l_range, b_range)
    check_number(model, window, ks_max, output, max_rows)
    blocks = make_blocks(model, window, block_cells)
    words = {
        "creator": creator(),
        "content": "simulated surveys of stars of the model",
        "seed": str(seed),
        "window_deg": f"{window.l_min:g} <= l < {window.l_max:g}, "
        f"{window.b_min:g} <= b < {window.b_max:g}",
        "ks_max": f"{ks_max:g}",
        "config": config.to_toml(),
        **own_files(config),
    }

    def work(block: Block) -> tuple[Columns, dict[str, Seen]]:
        truth = simulate_block(model, block, ks_max, seed, config.input.ref_epoch)
        stars = stars_of(truth)
        seen = {}
        for survey in chosen:
            seen[survey.name] = _seen(survey, stars, block, config, seed)
        return block_truth(truth, block), seen

    with (
        whole_folder(output, overwrite=overwrite) as partial,
        _Files(partial, words) as files,
    ):
        for done, (truth, seen) in enumerate(in_order(work, blocks, workers), 1):
            files.truth.write(truth)
            for survey in chosen:
                files.add(survey, seen[survey.name])
            if progress is not None:
                progress(done, len(blocks))
        summary = SimulatedSkySummary(files.truth.n_rows, dict(files.n_rows), output)
        files.finish()
        _write_account(partial / SURVEY_FILE, words, chosen, summary)
    return summary


def _seen(survey: SurveyDefinition, stars: Any, block: Block, config: Config, seed: int) -> Seen:
    """Let a survey see a block; keep the sources of which the brightest star lies in it."""
    sources = observe(stars, survey, seed, config.input.ref_epoch)
    sources = sources.take(is_inside(block.inner, sources.l, sources.b))
    roles = native_roles(sources, survey, config.parallax.zero_point_mas)
    links = {
        "survey": np.full(sources.key.size, survey.name),
        "true_source_id": np.where(sources.kind == ArtefactKind.STAR, sources.identity, -1),
        "kind": _KINDS[sources.kind],
        "blend_fraction": sources.fraction.astype(np.float32),
        "n_stars": sources.n_stars.astype(np.int32),
        "copy": sources.copy.astype(np.int16),
    }
    return Seen(native_values(survey, roles), roles, links)


def file_name(survey: SurveyDefinition) -> str:
    """Return the name of the simulated table of a survey."""
    return f"{survey.name}{survey.simulated_table.suffix}"


class _Files:
    """The files of a folder while they are written; a context manager."""

    def __init__(self, folder: Path, words: dict[str, str]) -> None:
        self._folder = folder
        self._words = words
        self._native: dict[str, RowWriter] = {}
        self.n_rows: dict[str, int] = {}
        self.truth: Writer = open_writer(folder / TRUTH_FILE, TRUTH_COLUMNS, words)
        self._links: Writer = open_writer(folder / LINKS_FILE, LINK_COLUMNS, words)

    def add(self, survey: SurveyDefinition, seen: Seen) -> None:
        """Append what a survey has of a block."""
        name = survey.name
        n = len(seen.links["survey"])
        # No file for a survey that has nothing here: an empty table is an error for readers.
        if n and name not in self._native:
            columns = native_columns(survey, seen.roles)
            words = self._words | {"survey": survey.title, "reference": survey.reference}
            path = self._folder / file_name(survey)
            self._native[name] = open_native(path, columns, words)
        self.n_rows.setdefault(name, 0)
        if not n:
            return
        self._native[name].write(seen.native)
        named = identifiers(survey, seen.roles, n, self.n_rows[name])
        ids = np.asarray(pa.array(named).to_numpy(zero_copy_only=False), dtype="U32")
        self._links.write(seen.links | {"source_id": ids})
        self.n_rows[name] += n

    def finish(self) -> None:
        """Finish all files."""
        for writer in self._native.values():
            writer.close()
        self.truth.__exit__(None, None, None)
        self._links.__exit__(None, None, None)

    def __enter__(self) -> _Files:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            for native in self._native.values():
                native.abandon()
            for writer in (self.truth, self._links):
                writer.__exit__(kind, error, traceback)


def _write_account(
    path: Path,
    words: dict[str, str],
    surveys: tuple[SurveyDefinition, ...],
    summary: SimulatedSkySummary,
) -> None:
    """Write how the folder was made, and how many rows it has."""
    tables = {
        one.name: {
            "file": file_name(one) if summary.n_rows[one.name] else None,
            "spelling": one.simulated_spelling.name,
            "rows": summary.n_rows[one.name],
            "instrument": {"name": one.name} | instrument_of(one).record(),
            **({"definition_sha256": one.sha256} if one.path else {}),
        }
        for one in surveys
    }
    account = words | {"true_stars": summary.n_stars, "surveys": tables}
    write_text(path, json.dumps(account, indent=1) + "\n")
