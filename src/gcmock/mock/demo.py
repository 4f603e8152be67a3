"""The demonstration: a survey of known stars, its mock catalogue, and how well the two agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.config import Config
from gcmock.errors import InputError
from gcmock.io.readers import open_table
from gcmock.io.writers import open_writer
from gcmock.mock.build import Progress, build
from gcmock.mock.simulate import simulate
from gcmock.mock.summary import BuildSummary
from gcmock.mock.survey import SURVEY_BANDS, SURVEY_COLUMNS, survey
from gcmock.model import load_model
from gcmock.schema import TRUTH_COLUMNS, magnitude_error_name, magnitude_name

Table = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]

L_RANGE, B_RANGE, KS_MAX = (-0.075, 0.0), (-0.55, -0.075), 11.8
"""A strip of the JASMINE window, from Sgr A* to 75 pc below it [deg, deg, mag]."""

GROUPS: Final = {
    "disc": (*(f"thin{i}" for i in range(1, 8)), "thick"),
    "bar": ("bar",),
    "nsd": ("nsd",),
    "nsc": ("nsc",),
}
"""Components that are shown together."""

NOMINAL: Final = (0.05, 0.16, 0.50, 0.84, 0.95)
N_RELIABILITY_BINS: Final = 10


@dataclass(frozen=True)
class Calibration:
    """How the catalogue compares with the truth.

    Attributes
    ----------
    true_share, inferred_share, share_error : dict of str to float
        Shares of `GROUPS`; the error is that of the inferred share (sum of p (1 - p)).
    coverage : float
        Share of stars whose true distance lies between the 16 and 84 % quantiles: 0.68 is right.
    below_quantile : tuple of float
        Share of stars whose true distance lies below the quantiles `NOMINAL`.
    brier, base_brier : float
        Brier score of P(nsd + nsc), and that of giving every star the mean share.
    ece : float
        Expected calibration error of P(nsd + nsc).
    pull : dict of str to float
        Standard deviation of (observed - true) / error by band, for the drawn stars: 1 is right.
    """

    true_share: dict[str, float]
    inferred_share: dict[str, float]
    share_error: dict[str, float]
    coverage: float
    below_quantile: tuple[float, ...]
    brier: float
    base_brier: float
    ece: float
    pull: dict[str, float]


@dataclass(frozen=True)
class DemoResult:
    """Files and numbers of a demonstration."""

    files: tuple[Path, ...]
    summary: BuildSummary
    calibration: Calibration


def run_demo(folder: str | Path, config: Config, progress: Progress | None = None) -> DemoResult:
    """Simulate a small survey, build its mock catalogue, compare, and draw a picture.

    Parameters
    ----------
    folder : str or Path
        Gets ``survey.parquet`` (the input), ``truth.parquet``, ``mock.parquet`` and ``demo.png``.
        Made if it does not exist; files of these names are replaced.
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
        If the folder cannot be made or written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror}") from error
    names = ("survey.parquet", "truth.parquet", "mock.parquet", "demo.png")
    files = tuple(folder / name for name in names)
    model = load_model(config=config)
    seed, workers = config.run.seed, config.run.n_workers
    truth = simulate(model, L_RANGE, B_RANGE, ks_max=KS_MAX, seed=seed, workers=workers)
    observed = survey(truth, model, seed)
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
    result = calibrate(seen_truth, observed, mock)
    # Imported here: matplotlib is slow to import and needed for nothing else.
    from gcmock.mock.picture import draw

    draw(files[3], seen_truth, observed, mock, result)
    return DemoResult(files, summary, result)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read a whole table as arrays."""
    source = open_table(path)
    chunks = list(source.chunks(source.n_rows or 1))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in source.columns}


def group_probability(mock: Table, group: str) -> Floats:
    """Probability (n_star,) of belonging to a group of components."""
    return np.sum([mock[f"p_{name}"] for name in GROUPS[group]], axis=0, dtype=np.float64)


def calibrate(truth: Table, observed: Table, mock: Table) -> Calibration:
    """Compare a catalogue of one realisation with the truth, row by row.

    Parameters
    ----------
    truth, observed, mock : mapping of str to array (n_star,)
        The same stars in the same order.

    Returns
    -------
    Calibration
    """
    true_share, share, error = {}, {}, {}
    for group, names in GROUPS.items():
        p = group_probability(mock, group)
        true_share[group] = float(np.isin(truth["component"], names).mean())
        share[group] = float(p.mean())
        error[group] = float(np.sqrt((p * (1.0 - p)).sum()) / p.size)
    p = group_probability(mock, "nsd") + group_probability(mock, "nsc")
    nuclear = np.isin(truth["component"], ("nsd", "nsc"))
    mean_p, fraction, count = reliability(p, nuclear)
    distance = truth["distance_pc"]
    below = [float((distance < mock[f"distance_q{q * 100:02.0f}_pc"]).mean()) for q in NOMINAL]
    pull = {}
    for band in SURVEY_BANDS:
        name, sigma = magnitude_name(band), observed[magnitude_error_name(band)]
        pull[band] = float(np.nanstd((observed[name] - mock[name]) / sigma))
    return Calibration(
        true_share,
        share,
        error,
        coverage=below[3] - below[1],
        below_quantile=tuple(below),
        brier=float(((p - nuclear) ** 2).mean()),
        base_brier=float(nuclear.mean() * (1.0 - nuclear.mean())),
        ece=float((np.abs(mean_p - fraction) * count).sum() / p.size),
        pull=pull,
    )


def reliability(p: Floats, is_true: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Mean probability, true fraction and number of stars in bins of the probability.

    Parameters
    ----------
    p : ndarray (n_star,)
    is_true : bool ndarray (n_star,)

    Returns
    -------
    mean_p, fraction, count : ndarray (n_bin,)
        Bins that hold stars.
    """
    index = np.minimum((p * N_RELIABILITY_BINS).astype(int), N_RELIABILITY_BINS - 1)
    count = np.bincount(index, minlength=N_RELIABILITY_BINS).astype(float)
    filled = count > 0
    mean_p = np.bincount(index, p, N_RELIABILITY_BINS)[filled] / count[filled]
    fraction = np.bincount(index, is_true, N_RELIABILITY_BINS)[filled] / count[filled]
    return mean_p, fraction, count[filled]
