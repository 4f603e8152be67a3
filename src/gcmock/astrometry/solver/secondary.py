"""Secondary stars: each solved for itself with the instrument of the primary solution.

As in the Gaia solution (Lindegren et al. 2012, A&A 538, A78, section 3), where the error of the
instrument is left out; here it is propagated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def solve_secondaries(
    problem: Problem,
    start: Floats,
    primary: Result,
    *,
    robust: str = "none",
    workers: int = 1,
    stage: Stage = silent,
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

    Raises
    ------
    GcmockError
        If stars do not converge.
    """
    instrument = primary.covariance.instrument
    values, weighted = start, problem
    instrument_values = (primary.unknowns.attitude, primary.unknowns.coefficients)
    descending = False
    for number in range(1, MAX_PASSES + 1):
        stage(f"secondary stars, pass {number}")
        unknowns = Unknowns(values, *instrument_values)
        if robust != "none" and number > 1:
            size = np.hypot(*Linearisation(problem, unknowns, workers).residuals().T)
            weighted = problem.reweighted(weights(size, robust if descending else "huber"))
        matrix, right, _ = Linearisation(weighted, unknowns, workers).source_blocks()
        root = inverse_root(matrix)
        shift = times(root, right)
        values = shifted_sources(values, shift)
        error = np.sqrt(np.einsum("nki,nki->ni", root, root))
        limit = CONVERGED_ERRORS if robust == "none" else ROBUST_CONVERGED_ERRORS
        still = (np.abs(shift) > np.maximum(CONVERGED_MAS, limit * error)).any(axis=1)
        if not still.any() and (robust == "none" or descending):
            break
        # As for the primary stars, weights that fall to zero wait until residuals are nearly final.
        descending = descending or (number > 1 and bool((np.abs(shift) < error).all()))
    else:
        raise GcmockError(
            f"{still.sum():,} secondary stars did not converge in {MAX_PASSES} passes; "
            "check their start positions, or use --robust huber against outliers"
        )
    unknowns = Unknowns(values, *instrument_values)
    last = Linearisation(weighted, unknowns, workers)
    groups = sky_groups(values[:, 0], values[:, 1], GROUP_SIZE)
    update = stage("secondary stars, covariances")
    covariance = star_covariance(last, root, groups, instrument, update)
    if primary.variance_factor != 1.0:
        own = np.einsum("nki,nkj->nij", root, root)
        covariance += (primary.variance_factor - 1.0) * own
    chi2 = Linearisation(problem, unknowns, workers).source_blocks()[2]
    return Secondaries(values, covariance, chi2)
