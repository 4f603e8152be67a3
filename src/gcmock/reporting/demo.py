"""The demonstration: a survey of known stars, its mock catalogue, and how well the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcmock.arrays import Columns
from gcmock.io.disk import check_new_file, writing_failed
from gcmock.io.ownership import check_no_link
from gcmock.io.readers.opening import open_table
from gcmock.io.writers.writer import open_writer
from gcmock.mock.build import build
from gcmock.mock.simulate import simulate
from gcmock.mock.summary import BuildSummary
from gcmock.mock.survey import SURVEY_COLUMNS, survey
from gcmock.model import load_model
from gcmock.notebook import Outcome, listing_of
from gcmock.progress import Progress
from gcmock.settings.build import Config
from gcmock.validation.recovery import Recovery, compare_with_truth
from gcmock.words.columns import TRUTH_COLUMNS

L_RANGE, B_RANGE, KS_MAX = (-0.075, 0.0), (-0.55, -0.075), 11.8
"""A strip of the JASMINE window, from Sgr A* to 75 pc below it [deg, deg, mag]."""


@dataclass(frozen=True, repr=False)
class DemoResult(Outcome):
    """Files and numbers of a demonstration.

    Attributes
    ----------
    files : tuple of Path
        Input, truth, catalogue and picture.
    summary : BuildSummary
        Account of the catalogue.
    calibration : Recovery
        How well catalogue and truth agree.
    """

    files: tuple[Path, ...]
    summary: BuildSummary
    calibration: Recovery

    def listing(self) -> list[tuple[str, str]]:
        """Return the numbers of stars, how well they were recovered, and the files."""
        found = self.calibration
        return listing_of(
            [
                ("n_star", self.summary.n_star),
                ("68 % interval of the distance covers", float(found.coverage)),
                ("Brier score of P(nuclear)", float(found.brier)),
                ("files", self.files),
                ("seconds", self.summary.seconds),
            ]
        )


def run_demo(folder: str | Path, config: Config, progress: Progress | None = None) -> DemoResult:
    """Simulate a small survey, build its mock catalogue, compare, and draw a picture.

    Parameters
    ----------
    folder : str or Path
        Gets ``survey.parquet`` (the input), ``truth.parquet``, ``mock.parquet`` and ``demo.png``.
        Made if it does not exist; files of these names are replaced if gcmock wrote them.
    config : Config
        Settings.
    progress : callable, optional
        Called with the numbers of finished and of all stars.

    Returns
    -------
    DemoResult

    Raises
    ------
    InputError
        If the folder cannot be made or written to, or holds files of these names that gcmock did
        not write.
    """
    # Before the work: a matplotlib that cannot draw says so at once.
    from gcmock.reporting.demo_picture import draw_demo

    folder = Path(folder)
    check_no_link(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        kind = type(writing_failed(folder, error))
        raise kind(f"{folder}: cannot be made: {error.strerror or error}") from error
    names = ("survey.parquet", "truth.parquet", "mock.parquet", "demo.png")
    files = tuple(folder / name for name in names)
    for path in files:
        check_new_file(path, overwrite=True)
    model = load_model(config=config)
    seed, workers = config.run.seed, config.run.n_workers
    truth = simulate(
        model, L_RANGE, B_RANGE, ks_max=KS_MAX, seed=seed, workers=workers,
        ref_epoch=config.input.ref_epoch,
    )  # fmt: skip
    observed = survey(truth, seed, zero_point_mas=config.parallax.zero_point_mas)
    for path, columns, table in (
        (files[0], SURVEY_COLUMNS, observed),
        (files[1], TRUTH_COLUMNS, truth),
    ):
        with open_writer(path, columns, {"content": path.stem}, overwrite=True) as writer:
            writer.write(table)
    summary = build(files[0], files[2], config, overwrite=True, progress=progress)
    mock = read_columns(files[2])
    seen = np.isin(truth["source_id"], observed["source_id"])
    seen_truth = {name: values[seen] for name, values in truth.items()}
    result = compare_with_truth(seen_truth, observed, mock)
    draw_demo(files[3], seen_truth, observed, mock, result)
    return DemoResult(files, summary, result)


def read_columns(path: Path) -> Columns:
    """Read a whole table as arrays."""
    source = open_table(path)
    chunks = list(source.chunks(source.n_rows or 1))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in source.columns}
