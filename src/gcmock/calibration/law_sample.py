"""The stars behind a fit of the law, and the evidence that they give for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.calibration.calibrators import Calibrators
from gcmock.calibration.cells import fit_cells
from gcmock.calibration.curves import evidence_curves
from gcmock.calibration.law import LawFit, fit_law
from gcmock.calibration.selection import expected_density
from gcmock.dust.extinction_map import MapValue
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw
from gcmock.errors import InputError
from gcmock.model import Model
from gcmock.pool import in_order
from gcmock.posterior.engine import Posterior
from gcmock.progress import StagedProgress
from gcmock.words.bands import KS, LINEAR_BANDS

LEAST_OF_REGION: Final = 80
"""Fewer stars with J, H and Ks do not calibrate a law."""

STARS_PER_GROUP, MOST_GROUPS, LEAST_OF_GROUP = 40, 5, 10
"""Stars of a cell, and cells of a region, that a law is fitted to."""

LEAST_ERROR_MAG: Final = 0.04
"""Least error of a magnitude in a fit of the law [mag]: the lattices stay small."""

UNEXPLAINED: Final = -6.0
"""ln of the evidence that a star has at least; that of most stars is near 8."""


def fit_laws(
    stars: Calibrators,
    model: Model,
    regions: str,
    with_offset: bool,
    workers: int,
    tell: StagedProgress,
) -> tuple[ExtinctionLaw, dict[int, LawFit]]:
    """Fit the law of every region that has enough stars.

    Parameters
    ----------
    stars : Calibrators
    model : Model
        Its law is where the fits start, and what regions with few stars keep.
    regions : {"quadrants", "one", "none"}
    with_offset : bool
        Fit the offset in H as well.
    workers : int
        Threads.
    tell : callable
        Told the progress.

    Returns
    -------
    law : ExtinctionLaw
    fits : dict of int to LawFit
        By row of the law.

    Raises
    ------
    InputError
        If `regions` is unknown.
    """
    if regions not in ("quadrants", "one", "none"):
        raise InputError(f"law regions {regions!r}: expected quadrants, one or none")
    if regions == "none":
        return model.law, {}
    data = stars.data
    row = np.zeros(data.l_deg.size, np.int64)
    if regions == "quadrants":
        quadrants = ExtinctionLaw("", np.zeros((len(QUADRANTS), len(LINEAR_BANDS))), "")
        row = quadrants.row(data.l_deg, data.b_deg)
    base = np.array(model.law.rows)
    if regions == "quadrants" and len(base) == 1:
        base = np.repeat(base, len(QUADRANTS), axis=0)
    elif regions == "one" and len(base) > 1:
        base = base[-1:]
    rows = base.copy()
    fits: dict[int, LawFit] = {}
    full = np.isfinite(data.mag[:, : len(LINEAR_BANDS)]).all(axis=1)
    wanted = [r for r in range(len(base)) if (full & (row == r)).sum() >= LEAST_OF_REGION]
    samples = {r: choose(stars, np.flatnonzero(full & (row == r))) for r in wanted}
    samples = {r: chosen for r, chosen in samples.items() if chosen.size >= LEAST_OF_REGION}

    def fit(r: int) -> LawFit:
        evidence_near = law_evidence(stars, samples[r], model)
        return fit_law(evidence_near, base[r], samples[r].size, with_offset=with_offset)

    # The regions side by side: the stars of one are too few to share.
    for r, found in zip(samples, in_order(fit, samples, workers), strict=True):
        fits[r] = found
        rows[r] = found.kappa
        tell("law", len(fits), len(samples))
    if not fits:
        return model.law, {}
    if regions == "quadrants" and len(QUADRANTS) - 1 not in fits:
        # On the axes: the mean of the quadrants that were fitted.
        rows[-1] = rows[list(fits)].mean(axis=0)
    rows.flags.writeable = False
    name = f"fitted from {model.law.name}"
    return ExtinctionLaw(name, rows, f"stars of a catalogue; start {model.law.source}"), fits


def choose(stars: Calibrators, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stars of the fullest cells, the same number of each."""
    cells, index, counts = np.unique(stars.cell[rows], return_inverse=True, return_counts=True)
    # Among equally full cells those that lie apart.
    rank = np.minimum(counts, STARS_PER_GROUP) + np.random.default_rng(2).random(cells.size)
    fullest = np.argsort(-rank, kind="stable")[:MOST_GROUPS]
    fullest = fullest[counts[fullest] >= LEAST_OF_GROUP]
    parts = [rows[index == c][:STARS_PER_GROUP] for c in fullest]
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)


def law_evidence(
    stars: Calibrators, chosen: NDArray[np.int64], model: Model
) -> Callable[[Floats], Callable[[Floats], float]]:
    """Evidence of laws: every cell with its own factor and scatter, integrated out.

    Parameters
    ----------
    stars : Calibrators
    chosen : ndarray of int64
        Rows of the stars.
    model : Model

    Returns
    -------
    callable
        Given a law, shape (3,), returns the evidence as a function of the law. It moves stars
        through the lattices of the given law, and is exact close to it.
    """
    sample = stars.data.take(chosen)
    error = np.where(np.isfinite(sample.mag), np.maximum(sample.mag_error, LEAST_ERROR_MAG), np.nan)
    sample = sample._replace(mag_error=error)
    cells, of_star = np.unique(stars.cell[chosen], return_inverse=True)
    l_deg, b_deg = model.extinction_map.cell_centre(cells)
    by_cell = model.config.extinction.map_value == "cell_mean"
    kind: MapValue = "cell_mean" if by_cell else "subcell_mean"
    e_map = model.extinction_map.value(l_deg, b_deg, kind)[0]

    def near(anchor: Floats) -> Callable[[Floats], float]:
        law = ExtinctionLaw("trial", np.array(anchor)[None], "")
        posterior = Posterior(
            model.sightlines, model.grid, model.populations, law, model.relations,
            model.config.photometry.error_floor_mag,
        )  # fmt: skip

        def evidence(kappa: Floats) -> float:
            curves = evidence_curves(posterior, sample, one_lattice=True, kappa=kappa)
            good = curves.explained
            density = expected_density(
                model, l_deg, b_deg, e_map, stars.limits, kappa_ks=np.full(cells.size, kappa[KS])
            ).sum(axis=1)
            fit = fit_cells(curves.take(good).total(), of_star[good], density)
            # Outliers, which no law explains, must not decide between laws.
            scale = np.logaddexp(curves.log_scale, UNEXPLAINED).sum()
            return float(fit.log_evidence.sum() + scale)

        return evidence

    return near
