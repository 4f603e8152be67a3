"""The solution of a campaign in strips: unknowns, covariances, and how good these are."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.solver.bordered import of_secondaries
from gcmock.astrometry.solver.gauss_newton import Result
from gcmock.astrometry.solver.iterative.campaign import StripCampaign
from gcmock.astrometry.solver.iterative.covariance import (
    Accuracy,
    InstrumentCovariance,
    along,
    exact_variances,
    functional_covariance,
)
from gcmock.astrometry.solver.iterative.newton import State, iterate, prepared
from gcmock.astrometry.solver.iterative.reduced import smooth_changes
from gcmock.astrometry.solver.iterative.secondaries import solve_secondaries
from gcmock.astrometry.solver.iterative.strips import Strips
from gcmock.astrometry.solver.iterative.with_terms import add_terms, result_with_terms
from gcmock.astrometry.solver.modes import patterns
from gcmock.astrometry.solver.problem import Unknowns
from gcmock.astrometry.solver.reduced import Covariance
from gcmock.astrometry.solver.robust import robust_fraction, variance_factor
from gcmock.astrometry.solver.secondary import Secondaries
from gcmock.astrometry.solver.terms import InstrumentTerms
from gcmock.progress import Stage, silent

MANY: Final = 2_000_000
"""Observations from which fewer stars are checked."""

LARGE: Final = 50_000_000
"""Observations from which fewer smooth modes are taken at first."""

N_EIGENVALUE: Final = 12
"""Smallest eigenvalues that are reported."""

GOOD: Final = 1e-3
"""Largest relative error of a checked variance with which nothing more is tried."""

DEGREES: Final = (3, 5, 7, 9)
"""Degrees of the smooth modes over the sky that are tried."""


@dataclass(frozen=True)
class StripSolution:
    """What was found.

    Attributes
    ----------
    result : Result
        Primary stars in the order of the campaign, instrument; without the robust weights.
    secondaries : Secondaries, optional
    details : dict
        Of the iterative solution, for its account.
    primaries_end : float
        When the primary stars were done, by `time.perf_counter` [s].
    """

    result: Result
    secondaries: Secondaries | None
    details: dict[str, Any]
    primaries_end: float


def solve_strips(
    campaign: StripCampaign,
    *,
    robust: str = "none",
    workers: int = 1,
    stage: Stage = silent,
    terms: InstrumentTerms | None = None,
) -> StripSolution:
    """Solve a campaign.

    Parameters
    ----------
    campaign : StripCampaign
        Its strips are used up: residuals become those of the solution.
    robust : str
        One of `gcmock.astrometry.solver.robust.ROBUST`.
    workers : int
        Threads.
    stage : Stage
    terms : InstrumentTerms, optional
        Terms of the whole mission that are tested or solved for; they know the stars.

    Raises
    ------
    GcmockError
        If the iteration does not converge.
    """
    part = campaign.primary
    strips = part.strips if robust == "none" else part.strips.with_robust_factors()
    n = int(campaign.n_visits[: campaign.n_primary].sum())
    state = prepared(part.model, strips, part.start, 3 if n > LARGE else 5, workers, stage)
    iterate(state, robust, stage)
    used = strips.order >= 0
    n_prior = 5 * int((part.model.prior.precision[used, 0, 0] > 0).sum())
    n_unknown = 5 * int(used.sum()) + part.model.n_instrument - state.null.shape[2]
    n_freedom = 2 * n + n_prior - n_unknown
    factor, fraction = 1.0, 0.0
    if robust != "none":
        factor = variance_factor(_sizes(strips), robust, n_freedom)
        fraction = robust_fraction(strips.robust, strips.root_x)
    border = None
    if terms is not None:
        stage("terms of the instrument")
        border = add_terms(state, terms.of(slice(campaign.n_primary)), factor)
    own, accuracy, degree = _covariances(state, 3 if n > MANY else 8, stage)
    instrument = InstrumentCovariance(state.equations, *_frame(state)[2:], factor)
    attitude, coefficients = instrument.blocks()
    gradient, coarse = state.gradient, state.equations.coarse
    assert gradient is not None
    assert coarse is not None
    eigenvalues = state.eigenvalues(N_EIGENVALUE)
    result = Result(
        Unknowns(
            state.unknowns.sources[used], state.unknowns.attitude, state.unknowns.coefficients
        ),
        Covariance(factor * own[used], attitude, coefficients, np.zeros((0, 0))),
        "sources",
        tuple(state.passes),
        gradient.chi2[used],
        gradient.chi2_prior,
        n_freedom,
        factor,
        np.ones(0),
        fraction,
        state.modes,
        factor * _mode_covariance(state),
        eigenvalues,
        len(coarse.modes) / float(coarse.values[coarse.null.shape[1] :].min(initial=1.0)),
    )
    if border is not None:
        result = result_with_terms(result, border, used)
    details = _details(campaign, state, accuracy, degree, strips)
    end, second = perf_counter(), None
    if campaign.secondary is not None:
        second = solve_secondaries(
            campaign.secondary,
            result,
            instrument,
            robust=robust,
            workers=workers,
            stage=stage,
            border=of_secondaries(border, terms, campaign.n_primary),
        )
    return StripSolution(result, second, details, end)


def _details(
    campaign: StripCampaign, state: State, accuracy: Accuracy, degree: int, strips: Strips
) -> dict[str, Any]:
    used = np.flatnonzero(strips.order >= 0)
    number = np.searchsorted(used, accuracy.slots)
    ratio = accuracy.approximate / accuracy.exact - 1.0
    coarse = state.equations.coarse
    assert coarse is not None
    return {
        "iterations": state.iterations,
        "smooth_modes": coarse.modes.shape[1],
        "smooth_degree": degree,
        "step_mas": strips.step,
        "covariance_accuracy": {
            "largest": accuracy.worst,
            "rms": float(np.sqrt((ratio**2).mean())),
            "iterations": accuracy.iterations,
            "stars": [
                {
                    "source_id": int(campaign.source_id[i]),
                    "relative_error": [float(v) for v in row],
                    "instrument_fraction": [float(v) for v in fraction],
                }
                for i, row, fraction in zip(
                    number, ratio, 1.0 - accuracy.known / accuracy.exact, strict=True
                )
            ],
        },
    }


def _covariances(state: State, n_check: int, stage: Stage) -> tuple[Floats, Accuracy, int]:
    """Covariances of stars by slot, compared with exact ones; more smooth modes if they are bad."""
    strips = state.equations.operator.strips
    slots = _checked(state, n_check)
    exact: tuple[Floats, Floats, int] | None = None
    used, best = strips.order >= 0, None
    coarse = state.equations.coarse
    assert coarse is not None
    for degree in DEGREES:
        if smooth_count(degree) + 9 < coarse.modes.shape[1]:
            continue
        if best is not None:
            stage(f"coarse space of degree {degree}")
            operator = state.equations.operator
            changes = smooth_changes(operator.unknowns.sources, used, degree)
            start = -state.equations.arrowhead.solve(operator.adjoint(changes))
            state.equations.take_coarse_space(np.hstack([coarse.null, start]))
        update = stage("covariances")
        x, y, _, _ = _frame(state)
        none = np.zeros((state.equations.operator.model.n_instrument, 0))
        part = InstrumentCovariance(state.equations, none, none)
        own = state.equations.stars
        covariance = own + part.of_stars(state.equations.operator, own, update)
        product = np.matmul(x, y.transpose(0, 2, 1))
        covariance = covariance - product - product.transpose(0, 2, 1)
        if exact is None:
            stage("exact variances of a few stars")
            exact = exact_variances(state.equations, slots, state.null)
        approximate = np.einsum("nii->ni", covariance[slots])
        accuracy = Accuracy(slots, exact[0], approximate, exact[1], exact[2])
        best = (covariance, accuracy, degree)
        full = smooth_count(degree) > min(5 * int(used.sum()), len(none)) // 2
        if accuracy.worst < GOOD or full:
            break
    assert best is not None
    return best


def smooth_count(degree: int) -> int:
    """Count the polynomials of a degree in two coordinates, times five parameters."""
    return 5 * (degree + 1) * (degree + 2) // 2


def _checked(state: State, n: int) -> Integers:
    """Slots of a few stars, from those with the smallest errors to those with the largest."""
    used = np.flatnonzero(state.equations.operator.strips.order >= 0)
    order = used[np.argsort(state.equations.stars[used, 2, 2], kind="stable")]
    at = ((np.arange(n) + 0.5) / n * len(order)).astype(np.int64)
    return np.unique(order[at])


def _frame(state: State) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what fixing the frame takes off covariances, x y' + y x': of stars, of instrument.

    With null modes Z, their stars M and K the covariance times M, C becomes P C P', with
    P = 1 - Z (M'M)^-1 [M' 0] (S-transformation, Baarda 1973; Teunissen 1985).
    """
    e, n0 = state.equations, state.null.shape[2]
    z, m = state.null_instrument, state.null
    if not n0:
        return m, m, z, z
    first = np.matmul(e.stars, m)
    back = e.inverse(-e.operator.adjoint(first))
    spread = first - np.matmul(e.stars, e.operator.forward(back))
    flat = m.reshape(-1, n0)
    inverse = np.linalg.inv(flat.T @ flat)
    middle = inverse @ (flat.T @ spread.reshape(-1, n0)) @ inverse
    return (
        m,
        spread @ inverse - 0.5 * m @ middle,
        z,
        back @ inverse - 0.5 * z @ middle,
    )


def _mode_covariance(state: State) -> Floats:
    """Covariance of the amplitudes of the common modes, fitted together to all stars."""
    operator = state.equations.operator
    used = operator.strips.order >= 0
    found = list(patterns(operator.unknowns.sources[used]).values())
    stars = np.zeros((len(used), 5, len(found)))
    stars[used] = np.stack(found, axis=-1)
    m = stars.reshape(-1, len(found))
    inverse = np.linalg.inv(m.T @ m)
    covariance = functional_covariance(state.equations, along(state.null, stars))
    return np.asarray(inverse @ covariance @ inverse, dtype=np.float64)


def _sizes(strips: Strips) -> Any:
    """Yield the lengths of the whitened residuals of the observations, some strips at a time."""
    for start in range(0, len(strips.visit), 50_000):
        rows = slice(start, start + 50_000)
        x = strips.residual[rows, :16] * strips.step * strips.root_x[rows]
        y = strips.residual[rows, 16:] * strips.step * strips.root_y[rows]
        yield np.hypot(x, y)[strips.root_x[rows] > 0.0]
