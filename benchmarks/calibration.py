"""Calibration of the posterior on stars of an independent program, genstars.

Every row takes stars with known component and distance, adds noise to their magnitudes, infers, and
compares. Run ``python benchmarks/calibration.py --help``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcmock.dust.extinction_map import SUBCELLS_PER_SIDE
from gcmock.model import Model
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import Draws, PosteriorSummary
from gcmock.validation.genstars import (
    N_DRAWS,
    Scores,
    Truth,
    draw_keys,
    load_truth,
    make_model,
    observed,
    score,
)
from printed import head, part, row


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    truth: str
    extinction: str
    stars: str
    map_value: str
    noise_mag: float = 0.05
    residual_scatter_mag: float = 0.0
    without_j: bool = False
    true_law: str = ""
    all_subcells: bool = False


ROWS = (
    Row("mean of the cell", "mean of the cell", "cellmean", "cell_mean"),
    Row("the same, noise 0.02 mag", "mean of the cell", "cellmean", "cell_mean", noise_mag=0.02),
    Row("the same, J missing", "mean of the cell", "cellmean", "cell_mean", without_j=True),
    Row("sub-cells", "mean of the cell, no scatter (control)", "subcell", "cell_mean"),
    Row("sub-cells", "mean and scatter of the sub-cells", "subcell", "subcell_mean"),
    Row("sub-cells", "average over the 25 sub-cells", "subcell", "subcell", all_subcells=True),
    Row("sub-cells", "own sub-cell", "subcell", "subcell"),
    Row("mean of the cell, Nishiyama law", "mean of the cell, Wang & Chen law", "cellmean",
        "cell_mean", true_law="nishiyama_2009_quadrants"),
)  # fmt: skip

README_ROWS = (0, 6, 4, 3)
"""Those of the README, in its order."""

SCATTERS_MAG = (0.0, 0.02, 0.05, 0.1)


def infer(
    row: Row, truth: Truth, workers: int = 1, n_draws: int = N_DRAWS
) -> tuple[PosteriorSummary, Draws]:
    """Add noise to true stars and infer."""
    model = make_model(row.map_value, row.residual_scatter_mag)
    data = observed(truth, model, row.noise_mag, without_j=row.without_j)
    keys = draw_keys(truth.l_deg.size, n_draws)
    if row.all_subcells:
        return _average_over_subcells(model, data, keys, workers)
    return model.posterior.infer(data, keys, workers)


def _average_over_subcells(
    model: Model, data: Observations, keys: NDArray[np.uint64], workers: int
) -> tuple[PosteriorSummary, Draws]:
    """Mixture of the posteriors under each sub-cell of the star's cell, weighted by evidence."""
    sky = model.extinction_map
    l_cell, b_cell = sky.cell_centre(sky.cell_index(data.l_deg, data.b_deg))
    half = SUBCELLS_PER_SIDE // 2
    results = []
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            step = sky.step_deg / SUBCELLS_PER_SIDE
            e_jks, _ = sky.value(l_cell + i * step, b_cell + j * step, "subcell")
            results.append(model.posterior.infer(data._replace(e_jks_rc=e_jks), keys, workers))
    log_z = np.stack([summary.log_evidence for summary, _ in results])
    weight = np.exp(log_z - log_z.max(axis=0))
    weight /= weight.sum(axis=0)
    chance = np.random.default_rng(13).random(keys.shape)
    chosen = (np.cumsum(weight, axis=0)[..., None] < chance).sum(axis=0)
    chosen = np.minimum(chosen, len(results) - 1)
    distance = np.stack([draws.distance_pc for _, draws in results])
    distance = np.take_along_axis(distance, chosen[None], axis=0)[0]
    probability = sum(w[:, None] * s.probability for w, (s, _) in zip(weight, results, strict=True))
    summary = results[0][0]._replace(
        probability=probability,
        distance_quantile_pc=np.quantile(distance, (0.05, 0.16, 0.5, 0.84, 0.95), axis=1).T,
    )
    return summary, results[0][1]._replace(distance_pc=distance)


def measure(row: Row, shared: Path, n_per_field: int | None, workers: int = 1) -> Scores:
    """Scores of one row."""
    truth = load_truth(shared / "reference", row.stars, n_per_field, row.true_law)
    return score(truth, *infer(row, truth, workers))


HEAD = ("extinction of the stars", "extinction used", "Brier", "ECE", "68 %", "KS")


def print_table(run: Callable[[Row], Scores]) -> None:
    """Print the table row by row, as the results come, and what README and text say of it."""
    part("table")
    head(HEAD)
    scores = []
    for case in ROWS:
        scores.append(run(case))
        row([case.truth, case.extinction, *(f"{x:.3f}" for x in scores[-1][2:])])
    part("readme")
    head([HEAD[0], HEAD[1], "Brier score of P(nuclear)", "calibration error",
          "68 % interval covers"])  # fmt: skip
    for i in README_ROWS:
        row([ROWS[i].truth, ROWS[i].extinction, *(f"{x:.3f}" for x in scores[i][2:5])])
    n, base = scores[6].n, scores[6].base_brier
    part("stars")
    print(
        f"{n:,} stars with sub-cells; the fraction of nuclear stars for every star: "
        f"Brier {base:.3f}"
    )


def print_scatter(run: Callable[[Row], Scores]) -> None:
    """Print the table of the residual scatter, on stars with sub-cells."""
    head(("residual scatter [mag]", "Brier", "ECE", "68 %", "KS"))
    for scatter in SCATTERS_MAG:
        scores = run(replace(ROWS[6], residual_scatter_mag=scatter))
        row([f"{scatter:g}", *(f"{x:.3f}" for x in scores[2:])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), metavar="DIR")
    parser.add_argument("--n", type=int, default=None, help="stars per field (default: all)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--scatter", action="store_true", help="only: own sub-cell, by scatter")
    options = parser.parse_args()
    if not (options.shared / "reference").is_dir():
        sys.exit(f"no star lists in {options.shared}: give their folder with --shared")
    show = print_scatter if options.scatter else print_table
    show(lambda case: measure(case, options.shared, options.n, options.workers))


if __name__ == "__main__":
    main()
