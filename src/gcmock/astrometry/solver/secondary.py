"""Secondary stars: each solved for itself with the instrument of the primary solution.

As in the Gaia solution (Lindegren et al. 2012, A&A 538, A78, section 3), where the error of the
instrument is left out; here it is propagated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcmock.astrometry.solver.bordered import Border
from gcmock.astrometry.solver.elimination import GROUP_SIZE, inverse_root, star_covariance, times
from gcmock.astrometry.solver.gauss_newton import (
    CONVERGED_ERRORS,
    CONVERGED_MAS,
    MAX_PASSES,
    ROBUST_CONVERGED_ERRORS,
    Result,
)
from gcmock.astrometry.solver.grouping import sky_groups
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Floats, Problem, Unknowns, shifted_sources
from gcmock.astrometry.solver.robust import weights
from gcmock.astrometry.solver.with_terms import corrected, secondary_covariance
from gcmock.errors import GcmockError
from gcmock.progress import Stage, silent


@dataclass(frozen=True)
class Secondaries:
    """Solutions of secondary stars.

    Attributes
    ----------
    values : ndarray, shape (n_source, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr].
    covariance : ndarray, shape (n_source, 5, 5)
    chi2 : ndarray, shape (n_source,)
        Without robust weights and prior.
    """

    values: Floats
    covariance: Floats
    chi2: Floats


class Settling:
    """Passes over stars that are solved one by one: their robust weights, and when to stop.

    As for the primary stars, weights that fall to zero wait until residuals are nearly final.

    Parameters
    ----------
    robust : str
        See `gcmock.astrometry.solver.robust`.
    """

    def __init__(self, robust: str) -> None:
        self.robust = robust
        self.number = 0
        self._descending = False

    def next_weights(self) -> str:
        """Begin a pass; the robust weights that are computed for it."""
        self.number += 1
        if self.robust == "none" or self.number == 1:
            return "none"
        return self.robust if self._descending else "huber"

    def is_over(self, shift: Floats, error: Floats) -> bool:
        """End a pass with the shifts of its stars and their errors, each (n_source, 5).

        Raises
        ------
        GcmockError
            If it was the last that is allowed.
        """
        limit = CONVERGED_ERRORS if self.robust == "none" else ROBUST_CONVERGED_ERRORS
        still = (np.abs(shift) > np.maximum(CONVERGED_MAS, limit * error)).any(axis=1)
        if not still.any() and (self.robust == "none" or self._descending):
            return True
        if self.number == MAX_PASSES:
            raise GcmockError(
                f"{still.sum():,} secondary stars did not converge in {MAX_PASSES} passes; "
                "check their start positions, or use --robust huber against outliers"
            )
        settled = self.number > 1 and bool((np.abs(shift) < error).all())
        self._descending = self._descending or settled
        return False


def solve_secondaries(
    problem: Problem,
    start: Floats,
    primary: Result,
    *,
    robust: str = "none",
    workers: int = 1,
    stage: Stage = silent,
    border: Border | None = None,
) -> Secondaries:
    """Solve stars one by one, with the covariance of the instrument in theirs.

    Parameters
    ----------
    problem : Problem
        Of the secondary stars.
    start : ndarray, shape (n_source, 5)
    primary : Result
        With the covariance of the whole instrument.
    robust : str
        See `gcmock.astrometry.solver.robust`.
    workers : int
    stage : Stage
    border : Border, optional
        Terms that were solved for; they know these stars.

    Raises
    ------
    GcmockError
        If stars do not converge.
    """
    instrument = primary.covariance.instrument
    if border is not None:
        problem = corrected(problem, border)
    values, weighted = start, problem
    instrument_values = (primary.unknowns.attitude, primary.unknowns.coefficients)
    passes, is_over = Settling(robust), False
    while not is_over:
        kind = passes.next_weights()
        stage(f"secondary stars, pass {passes.number}")
        unknowns = Unknowns(values, *instrument_values)
        if kind != "none":
            size = np.hypot(*Linearisation(problem, unknowns, workers).residuals().T)
            weighted = problem.reweighted(weights(size, kind))
        matrix, right, _ = Linearisation(weighted, unknowns, workers).source_blocks()
        root = inverse_root(matrix)
        shift = times(root, right)
        values = shifted_sources(values, shift)
        is_over = passes.is_over(shift, np.sqrt(np.einsum("nki,nki->ni", root, root)))
    unknowns = Unknowns(values, *instrument_values)
    last = Linearisation(weighted, unknowns, workers)
    groups = sky_groups(values[:, 0], values[:, 1], GROUP_SIZE)
    update = stage("secondary stars, covariances")
    covariance = star_covariance(last, root, groups, instrument, update)
    if primary.variance_factor != 1.0:
        own = np.einsum("nki,nkj->nij", root, root)
        covariance += (primary.variance_factor - 1.0) * own
    if border is not None:
        covariance += secondary_covariance(weighted, unknowns, root, border)
    chi2 = Linearisation(problem, unknowns, workers).source_blocks()[2]
    return Secondaries(values, covariance, chi2)
