"""Secondary stars in strips: each solved for itself with the instrument of the primary stars."""

from __future__ import annotations

import numpy as np

from gcmock.arrays import Floats
from gcmock.astrometry.solver.bordered import Border
from gcmock.astrometry.solver.gauss_newton import Result
from gcmock.astrometry.solver.iterative.campaign import Part
from gcmock.astrometry.solver.iterative.covariance import InstrumentCovariance
from gcmock.astrometry.solver.iterative.operator import Operator
from gcmock.astrometry.solver.iterative.with_terms import secondary_covariance, subtract_terms
from gcmock.astrometry.solver.problem import Unknowns, shifted_sources
from gcmock.astrometry.solver.secondary import Secondaries, Settling
from gcmock.progress import Stage, silent


def solve_secondaries(
    part: Part,
    primary: Result,
    instrument: InstrumentCovariance,
    *,
    robust: str = "none",
    workers: int = 1,
    stage: Stage = silent,
    border: Border | None = None,
) -> Secondaries:
    """Solve stars one by one, with the covariance of the instrument in theirs.

    Parameters
    ----------
    part : Part
        The secondary stars; its strips are used up.
    primary : Result
        Of the primary stars.
    instrument : InstrumentCovariance
        With the factor for robust weights.
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
    strips = part.strips if robust == "none" else part.strips.with_robust_factors()
    solved = (primary.unknowns.attitude, primary.unknowns.coefficients)
    unknowns = Unknowns(part.start.sources, *solved)
    if border is not None:
        subtract_terms(strips, unknowns, border)
    operator = Operator(part.model, strips, unknowns, workers)
    used = strips.order >= 0
    inverse: Floats = np.zeros((0, 5, 5))
    passes, is_over = Settling(robust), False
    while not is_over:
        kind = passes.next_weights()
        stage(f"secondary stars, pass {passes.number}")
        found = operator.gradient(part.start, unknowns, kind)
        if passes.number == 1 or kind != "none":
            inverse = np.linalg.inv(operator.blocks().sources).astype(np.float64, copy=False)
        shift = np.einsum("nij,nj->ni", inverse, found.shift.sources)
        shift[~used] = 0.0
        unknowns = Unknowns(shifted_sources(unknowns.sources, shift), *solved)
        error = np.sqrt(np.einsum("nii->ni", inverse))
        is_over = passes.is_over(shift[used], error[used])
    chi2: Floats = operator.gradient(part.start, unknowns, write=True).chi2
    update = stage("secondary stars, covariances")
    covariance = instrument.of_stars(operator, inverse, update)
    covariance += primary.variance_factor * inverse
    if border is not None:
        covariance += secondary_covariance(operator, unknowns, inverse, border)
    return Secondaries(unknowns.sources[used], covariance[used], chi2[used])
