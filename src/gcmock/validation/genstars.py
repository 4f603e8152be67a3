"""Calibration on stars that another program, genstars, drew with known component and distance."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.dust.laws import load_law
from gcmock.errors import InputError
from gcmock.model import Model, load_model
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.random import star_key
from gcmock.settings.build import load_config
from gcmock.validation import scores
from gcmock.validation.result import LIMITATIONS, Check, above, below, likely, within
from gcmock.words.bands import BANDS, KS, SURVEY_BANDS, J, magnitude_name
from gcmock.words.components import COMPONENTS, NUCLEAR

N_DRAWS: Final = 64
"""Draws per star, among which the true distance is ranked."""

NUCLEAR_PLACES: Final = [COMPONENTS.index(name) for name in NUCLEAR]
"""Their places: genstars counts stars of the nuclear cluster as nuclear disc."""

LAW: Final = "wang_chen_2019"
"""Extinction law of the star lists."""

NOISE_MAG: Final = 0.05

_COLUMNS: Final = ("field", "l", "b", "a_ks", "distance_pc", "component")


class Truth(NamedTuple):
    """True stars: position [deg], J, H, Ks, A_Ks [mag], distance [pc], nuclear or not."""

    l_deg: Floats
    b_deg: Floats
    mag: Floats
    a_ks: Floats
    distance_pc: Floats
    nuclear: NDArray[np.bool_]


class Scores(NamedTuple):
    """Scores of P(NSD + NSC) and of the distance; `base_brier` is that of the mean fraction."""

    n: int
    base_brier: float
    brier: float
    ece: float
    coverage: float
    ks: float


def load_truth(
    folder: Path, stars: str, n_per_field: int | None = None, true_law: str = ""
) -> Truth:
    """Read a star list.

    Parameters
    ----------
    folder : Path
        Holds ``stars_cellmean.parquet`` and ``stars_subcell.parquet``.
    stars : {"cellmean", "subcell"}
        Extinction of the stars: mean of the cell of the map, or that of the sub-cell.
    n_per_field : int, optional
        Random stars of each field, the same ones for the same number; all by default.
    true_law : str
        Another law than that of the list: it is put on by the reddening of the stars.

    Raises
    ------
    InputError
        If the list is missing or has not the columns.
    """
    import pyarrow.parquet as pq

    path = folder / f"stars_{stars}.parquet"
    if not path.is_file():
        raise InputError(f"{path}: no such file; --reference takes a folder with star lists")
    table = pq.read_table(path)
    needed = (*_COLUMNS, *map(magnitude_name, SURVEY_BANDS))
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise InputError(f"{path}: not a star list of genstars, lacks {', '.join(missing)}")
    field = table["field"].to_numpy(zero_copy_only=False).astype(str)
    rng = np.random.default_rng(11)
    chosen = [
        rng.permutation(np.flatnonzero(field == name))[:n_per_field] for name in np.unique(field)
    ]
    rows = np.sort(np.concatenate(chosen))

    def column(name: str) -> Floats:
        return np.asarray(table[name].to_numpy().astype(np.float64)[rows])

    l_deg, b_deg, a_ks = column("l"), column("b"), column("a_ks")
    mag = np.column_stack([column(magnitude_name(band)) for band in SURVEY_BANDS])
    if true_law:
        kappa = load_law(LAW).kappa(l_deg, b_deg)
        reddening = (a_ks / kappa[:, KS])[:, None]
        other = load_law(true_law).kappa(l_deg, b_deg)
        mag = mag + (other - kappa) * reddening
        a_ks = other[:, KS] * reddening[:, 0]
    component = table["component"].to_numpy(zero_copy_only=False).astype(str)[rows]
    nuclear = np.isin(component, NUCLEAR)
    return Truth(l_deg, b_deg, mag, a_ks, column("distance_pc"), nuclear)


def make_model(map_value: str, residual_scatter_mag: float) -> Model:
    """Load the model with the populations and the extinction law of the star lists."""
    settings = {
        "populations.name": "koshimoto2021",
        "extinction.law": LAW,
        "extinction.map_value": map_value,
        "extinction.residual_scatter_mag": residual_scatter_mag,
        # The noise is known exactly and the isochrones are those of the truth.
        "photometry.error_floor_mag": 0.0,
    }
    return load_model(config=load_config(None, settings))


def observed(
    truth: Truth, model: Model, noise_mag: float = NOISE_MAG, *, without_j: bool = False
) -> Observations:
    """Add noise to true stars."""
    n = truth.l_deg.size
    noise = np.random.default_rng(12).normal(0.0, noise_mag, truth.mag.shape)
    mag = np.full((n, len(BANDS)), np.nan)
    mag[:, : len(SURVEY_BANDS)] = truth.mag + noise
    if without_j:
        mag[:, J] = np.nan
    missing = np.full(n, np.nan)
    error = np.where(np.isfinite(mag), noise_mag, np.nan)
    e_jks_rc, tau = model.reddening(truth.l_deg, truth.b_deg)
    return Observations(truth.l_deg, truth.b_deg, mag, error, missing, missing, e_jks_rc, tau)


def draw_keys(n_star: int, n_draws: int = N_DRAWS) -> NDArray[np.uint64]:
    """Keys of the random streams of the stars of a list, (n_star, n_draws)."""
    return np.column_stack([star_key(1, np.arange(n_star), r) for r in range(n_draws)])


def nuclear_of_summary(summary: PosteriorSummary) -> Floats:
    """P(NSD) + P(NSC), (n_star,)."""
    p = summary.probability[:, NUCLEAR_PLACES].sum(axis=1).astype(np.float64)
    return np.asarray(np.clip(p, 0.0, 1.0))


def score(truth: Truth, summary: PosteriorSummary, draws: Draws) -> Scores:
    """Compare posteriors with the truth."""
    p = nuclear_of_summary(summary)
    quantile, rate = summary.distance_quantile_pc, truth.nuclear.mean()
    return Scores(
        p.size,
        float(rate * (1.0 - rate)),
        scores.brier(p, truth.nuclear),
        scores.expected_calibration_error(p, truth.nuclear),
        scores.coverage(truth.distance_pc, quantile[:, 1], quantile[:, 3]),
        scores.ks_uniform(scores.ranks(draws.distance_pc, truth.distance_pc)),
    )


ROWS: Final = (
    ("mean of the cell", "cellmean", "cell_mean"),
    ("own sub-cell", "subcell", "subcell"),
)
"""Extinction that is used, star list, value of the map."""


def genstars_checks(folder: Path, n_star: int, workers: int = 1) -> list[Check]:
    """Calibrate on stars of genstars, and without the scatter of the reddening as a control.

    Parameters
    ----------
    folder : Path
        See `load_truth`.
    n_star : int
        Stars of all fields together.
    workers : int

    Returns
    -------
    list of Check

    Raises
    ------
    InputError
        If the lists cannot be used.
    """
    checks = []
    per_field = max(n_star // 5, 1)
    for words, stars, map_value in ROWS:
        truth = load_truth(folder, stars, per_field)
        summary, draws = _infer(truth, make_model(map_value, 0.0), workers)
        checks += _compare(words, truth, summary, draws)
    truth = load_truth(folder, "subcell", per_field)
    summary, draws = _infer(truth, make_model("cell_mean", 0.0), workers)
    found = score(truth, summary, draws)
    words = "control: KS distance of the ranks of D, sub-cells inferred with the mean of the cell"
    limit = scores.ks_limit(found.n)
    return [*checks, above("genstars", words, found.ks, limit, "must be found out", n=found.n)]


def _infer(truth: Truth, model: Model, workers: int) -> tuple[PosteriorSummary, Draws]:
    data = observed(truth, model)
    return model.posterior.infer(data, draw_keys(truth.l_deg.size), workers)


def _compare(words: str, truth: Truth, summary: PosteriorSummary, draws: Draws) -> list[Check]:
    """Return the checks of one list."""
    found, p = score(truth, summary, draws), nuclear_of_summary(summary)
    more = {"limitation": LIMITATIONS["genstars"], "n": found.n}
    true = int(truth.nuclear.sum())
    number = f"{words}: nuclear stars {true}, expected {p.sum():.1f}"
    return [
        below("genstars", f"{words}: KS distance of the ranks of D", found.ks,
              scores.ks_limit(found.n), "Kolmogorov-Smirnov", **more),
        within("genstars", f"{words}: fraction of D inside the 68% interval", found.coverage, 0.68,
               scores.coverage_limits(0.68, found.n), "binomial", **more),
        below("genstars", f"{words}: calibration error of P(nuclear)", found.ece,
              scores.calibration_error_limit(p), "simulated truths", **more),
        below("genstars", f"{words}: Brier score of P(nuclear)", found.brier, found.base_brier,
              "P = fraction of nuclear stars", **more),
        likely("genstars", number, scores.number_p_value(p, true), "Poisson-binomial", **more),
    ]  # fmt: skip
