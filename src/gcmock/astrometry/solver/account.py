"""Tables and account of a solution, whichever solver found it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gcmock.arrays import Columns, Integers
from gcmock.astrometry.observations.folder import ObservationSet
from gcmock.astrometry.solver.assembly import Campaign
from gcmock.astrometry.solver.gauss_newton import Result
from gcmock.astrometry.solver.modes import (
    FAMILIES,
    FRAME_MODES,
    NEAR_NULL_EIGENVALUE,
    NULL_EIGENVALUE,
    WEAK_MODES,
)
from gcmock.astrometry.solver.plan import Plan
from gcmock.astrometry.solver.secondary import Secondaries
from gcmock.astrometry.solver.solution import parameter_columns
from gcmock.io.provenance import origin

if TYPE_CHECKING:
    from gcmock.astrometry.solver.iterative.campaign import StripCampaign


@dataclass(frozen=True)
class Solved:
    """What was solved, and what of it the tables need.

    Attributes
    ----------
    campaign : Campaign or StripCampaign
    source_id, n_visits : ndarray of int64, shape (n_source,)
    n_stars : ndarray of int64, shape (n_visit,)
        Primary stars of each visit.
    n_primary : int
    result : Result
    second : Secondaries, optional
    read, first : float
        When the observations had been read, and the primary stars solved.
    details : dict
        More for the account.
    """

    campaign: Campaign | StripCampaign
    source_id: Integers
    n_visits: Integers
    n_stars: Integers
    n_primary: int
    result: Result
    second: Secondaries | None
    read: float
    first: float
    details: dict[str, Any]


def solution_tables(solved: Solved) -> dict[str, Columns]:
    """Return the tables of a solution, see `gcmock.astrometry.solver.solution`."""
    campaign, result, second = solved.campaign, solved.result, solved.second
    values, covariance, chi2 = result.unknowns.sources, result.covariance.sources, result.chi2
    if second is not None:
        values = np.concatenate([values, second.values])
        covariance = np.concatenate([covariance, second.covariance])
        chi2 = np.concatenate([chi2, second.chi2])
    order = np.argsort(solved.source_id, kind="stable")
    sources = {
        "source_id": solved.source_id,
        **parameter_columns(values, covariance),
        "ref_epoch": np.full(len(values), campaign.epoch),
        "phot_hw_mag": campaign.hw,
        "n_visits": solved.n_visits.astype(np.int32),
        "chi2": chi2,
        "primary": np.arange(len(values)) < solved.n_primary,
        "used_reference": campaign.references.has(solved.source_id),
    }
    attitude, terms = result.unknowns.attitude, campaign.distortion.terms
    rotation = np.sqrt(np.einsum("nii->ni", result.covariance.attitude))
    error = np.sqrt(np.einsum("nii->ni", result.covariance.coefficients))
    n_block, n_term = error.shape
    return {
        "sources.parquet": {name: column[order] for name, column in sources.items()},
        "attitude.parquet": {
            "visit": campaign.visit_number.astype(np.int32),
            **dict(zip(("ra", "dec", "roll"), attitude.T, strict=True)),
            **{f"rotation_{a}_error": rotation[:, k] for k, a in enumerate("xyz")},
            "n_stars": solved.n_stars.astype(np.int32),
        },
        "calibration.parquet": {
            "block": np.repeat(campaign.block_number, n_term).astype(np.int32),
            "axis": np.tile([t.axis for t in terms], n_block),
            "degree_x": np.tile([t.degree_x for t in terms], n_block).astype(np.int16),
            "degree_y": np.tile([t.degree_y for t in terms], n_block).astype(np.int16),
            "coefficient": result.unknowns.coefficients.ravel(),
            "coefficient_error": error.ravel(),
        },
    }


def solution_account(
    folder: ObservationSet,
    reference: str,
    robust: str,
    solved: Solved,
    plan: Plan,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Return the account of a solution, for ``solution.json``."""
    campaign, result, second = solved.campaign, solved.result, solved.second
    n, n_all, n_visit = solved.n_primary, len(solved.source_id), len(solved.n_stars)
    chi2 = float(result.chi2.sum()) + result.chi2_prior
    has_prior = campaign.references.has(solved.source_id)
    account: dict[str, Any] = {
        **origin(),
        "observations": str(folder.path),
        "observations_provenance": folder.provenance,
        "reference": reference,
        "robust": robust,
        "solver": plan.solver,
        "order": result.order,
        "ref_epoch": campaign.epoch,
        "n_primary": n,
        "n_secondary": n_all - n,
        "n_reference_primary": int(has_prior[:n].sum()),
        "n_reference_secondary": int(has_prior[n:].sum()),
        "n_visit": n_visit,
        "n_block": campaign.distortion.n_block,
        "n_term": campaign.distortion.n_term,
        "n_unknown": 5 * n + 3 * n_visit + campaign.distortion.n_block * campaign.distortion.n_term,
        "n_reduced": plan.n_reduced,
        "n_observation_primary": int(solved.n_visits[:n].sum()),
        "n_observation_secondary": int(solved.n_visits[n:].sum()),
        "remarks": list(campaign.remarks),
        "passes": [
            {
                "chi2": p.chi2,
                "largest_shift_mas": p.largest_shift_mas,
                "largest_attitude_shift_mas": p.largest_attitude_mas,
                "factorised": p.factorised,
            }
            for p in result.passes
        ],
        "chi2": chi2,
        "n_freedom": result.n_freedom,
        "chi2_per_freedom": chi2 / max(result.n_freedom, 1),
        "variance_factor": result.variance_factor,
        "downweighted_fraction": result.downweighted,
        "condition": result.condition,
        "eigenvalues": [{"name": e.name, "value": e.value} for e in result.eigenvalues],
        "modes": _modes(result),
        **({"terms": result.border.account()} if result.border else {}),
        **({"iterative": solved.details} if solved.details else {}),
        "memory_estimated_gb": plan.memory_gb,
        "memory_peak_gb": peak_memory_gb(),
        "minutes_estimated": plan.minutes,
        "seconds": {key: round(value, 2) for key, value in seconds.items()},
    }
    if second is not None:
        freedom = 2 * account["n_observation_secondary"] - 5 * (n_all - n)
        account["chi2_secondary"] = float(second.chi2.sum())
        account["n_freedom_secondary"] = freedom
    json.dumps(account, allow_nan=False)
    return account


def _modes(result: Result) -> list[dict[str, Any]]:
    """List common modes with their eigenvalues and errors, and how free they are."""
    sigma = np.sqrt(np.maximum(result.mode_covariance.diagonal(), 0.0))
    words = FRAME_MODES | WEAK_MODES
    # Free directions that were found by inverse iteration have the name of a family of modes.
    families = {
        family
        for e in result.eigenvalues
        if e.value < NULL_EIGENVALUE
        for family in e.name.split(" + ")
    }
    free_names = {
        name for family, names in FAMILIES.items() if family in families for name in names
    }
    out = []
    for mode, error in zip(result.modes, sigma, strict=True):
        free = mode.eigenvalue < NULL_EIGENVALUE or mode.name in free_names
        state = "references"
        if free:
            state = "start values"
        elif mode.eigenvalue < NEAR_NULL_EIGENVALUE:
            state = "hardly anything"
        elif mode.observed > NEAR_NULL_EIGENVALUE:
            state = "observations"
        out.append(
            {
                "name": mode.name,
                "description": words[mode.name],
                "eigenvalue": mode.eigenvalue,
                "eigenvalue_observations": mode.observed,
                "error": None if free else float(error),
                "determined_by": state,
            }
        )
    return out


def peak_memory_gb() -> float | None:
    """Largest memory of this process so far [GB]; None on Windows, which does not say."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9
