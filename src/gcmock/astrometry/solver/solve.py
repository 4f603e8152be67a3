"""An astrometric solution from a folder of observations to a folder of results."""

from __future__ import annotations

import json
import sys
import time as clock
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcmock.arrays import Columns
from gcmock.astrometry.directions.geometry import distortion_terms
from gcmock.astrometry.observations.folder import ObservationSet, open_observations
from gcmock.astrometry.solver.assembly import Campaign, read_campaign
from gcmock.astrometry.solver.gauss_newton import Order, Result, iterate
from gcmock.astrometry.solver.modes import (
    FAMILIES,
    FRAME_MODES,
    NEAR_NULL_EIGENVALUE,
    NULL_EIGENVALUE,
    WEAK_MODES,
)
from gcmock.astrometry.solver.plan import Plan, Size, check
from gcmock.astrometry.solver.priors import References, load_references
from gcmock.astrometry.solver.secondary import Secondaries, solve_secondaries
from gcmock.astrometry.solver.solution import parameter_columns, write_tables
from gcmock.errors import InputError
from gcmock.io.disk import whole_folder
from gcmock.io.provenance import origin
from gcmock.notebook import Outcome, listing_of
from gcmock.progress import Stage, silent


@dataclass(frozen=True, repr=False)
class SolveSummary(Outcome):
    """What was solved.

    Attributes
    ----------
    output : Path
    account : dict
        Content of ``solution.json``.
    """

    output: Path
    account: dict[str, Any]

    def listing(self) -> list[tuple[str, str]]:
        """Return what was solved, how well, and how long it took."""
        names = ("n_primary", "n_secondary", "n_visit", "n_block", "chi2_per_freedom", "remarks")
        found = [(name, self.account[name]) for name in names]
        seconds = float(sum(self.account["seconds"].values()))
        return listing_of([("output", self.output), *found, ("seconds", seconds)])


def solve(
    observations: str | Path,
    output: str | Path,
    *,
    reference: str = "gaia-like",
    order: Order = "auto",
    robust: str = "none",
    primary_limit: float | None = None,
    secondaries: bool = True,
    memory_limit_gb: float | None = None,
    workers: int = 2,
    overwrite: bool = False,
    stage: Stage = silent,
) -> SolveSummary:
    """Solve observations for stars, attitude and distortion.

    Parameters
    ----------
    observations : str or Path
        Folder, see `gcmock.astrometry.observations.folder`.
    output : str or Path
        Folder of the solution, see `gcmock.astrometry.solver.solution`.
    reference : str
        ``gaia-like``, ``exact``, ``none`` or the name of a file, see
        `gcmock.astrometry.solver.priors.load_references`.
    order : str
        What is eliminated first: ``sources``, ``instrument`` or ``auto``.
    robust : str
        ``none``, ``huber`` or ``agis``, see `gcmock.astrometry.solver.robust`.
    primary_limit : float, optional
        Faintest Hw of primary stars [mag].
    secondaries : bool
        Whether to solve the other stars, with the instrument of the primaries.
    memory_limit_gb : float, optional
        Memory that may be used; nine tenths of what is free if not given.
    workers : int
        Threads of the sweeps over the observations.
    overwrite : bool
        Replace an existing solution.
    stage : Stage
        Told what is being done.

    Returns
    -------
    SolveSummary

    Raises
    ------
    InputError
        If the input cannot be used, the output exists, or memory does not suffice.
    GcmockError
        If the iteration does not converge.
    """
    begin = clock.perf_counter()
    folder = open_observations(observations)
    with whole_folder(Path(output), overwrite=overwrite) as partial:
        plan = check(_size(folder, primary_limit, secondaries), order, memory_limit_gb)
        campaign = read_campaign(
            folder,
            lambda epoch: _references(reference, folder, epoch),
            primary_limit=primary_limit,
            secondaries=secondaries,
            workers=workers,
            progress=stage("read"),
        )
        read = clock.perf_counter()
        problem = campaign.problem(primary=True)
        if reference != "none" and not problem.prior.precision[:, 0, 0].any():
            raise InputError(
                f"no primary star of {folder.path} is in the references ({reference}); give others,"
                " raise --primary-limit, or use --reference none"
            )
        more = campaign.store.n_primary < len(campaign.store.source_id)
        result = iterate(
            problem,
            campaign.unknowns(primary=True),
            order=plan.order,  # type: ignore[arg-type]
            robust=robust,
            workers=workers,
            stage=stage,
            instrument=more,
        )
        solved = clock.perf_counter()
        second = None
        if more:
            second = solve_secondaries(
                campaign.problem(primary=False),
                campaign.unknowns(primary=False).sources,
                result,
                robust=robust,
                workers=workers,
                stage=stage,
            )
        end = clock.perf_counter()
        seconds = {"read": read - begin, "primaries": solved - read, "secondaries": end - solved}
        account = _account(folder, reference, robust, campaign, plan, result, second, seconds)
        account["primary_limit"] = primary_limit
        stage("write")
        write_tables(partial, _tables(campaign, result, second), account)
    return SolveSummary(Path(output), account)


def _references(kind: str, folder: ObservationSet, epoch: float) -> References:
    return load_references(kind, folder, epoch)


def _size(folder: ObservationSet, primary_limit: float | None, secondaries: bool) -> Size:
    visits, sources = folder.table("visits.parquet"), folder.table("sources.parquet")
    primary = sources["primary"]
    if primary_limit is not None:
        primary = sources["phot_hw_mag"] <= primary_limit
    n_primary = int(primary.sum())
    n_secondary = len(primary) - n_primary if secondaries else 0
    calibration = folder.mission.calibration
    n_term = len(distortion_terms(calibration.degree, calibration.min_degree))
    fraction = (n_primary + n_secondary) / max(len(primary), 1)
    return Size(
        n_primary,
        n_secondary,
        len(visits["visit"]),
        len(np.unique(visits["block"])),
        n_term,
        int(folder.n_observation * fraction),
    )


def _tables(campaign: Campaign, result: Result, second: Secondaries | None) -> dict[str, Columns]:
    store, n = campaign.store, campaign.store.n_primary
    values, covariance, chi2 = result.unknowns.sources, result.covariance.sources, result.chi2
    if second is not None:
        values = np.concatenate([values, second.values])
        covariance = np.concatenate([covariance, second.covariance])
        chi2 = np.concatenate([chi2, second.chi2])
    order = np.argsort(store.source_id, kind="stable")
    sources = {
        "source_id": store.source_id,
        **parameter_columns(values, covariance),
        "ref_epoch": np.full(len(values), campaign.epoch),
        "phot_hw_mag": campaign.hw,
        "n_visits": np.diff(store.first).astype(np.int32),
        "chi2": chi2,
        "primary": np.arange(len(values)) < n,
        "used_reference": campaign.references.has(store.source_id),
    }
    attitude, terms = result.unknowns.attitude, campaign.distortion.terms
    rotation = np.sqrt(np.einsum("nii->ni", result.covariance.attitude))
    seen = np.bincount(store.visit[: store.first[n]], minlength=len(campaign.visits))
    error = np.sqrt(np.einsum("nii->ni", result.covariance.coefficients))
    n_block, n_term = error.shape
    return {
        "sources.parquet": {name: column[order] for name, column in sources.items()},
        "attitude.parquet": {
            "visit": campaign.visit_number.astype(np.int32),
            **dict(zip(("ra", "dec", "roll"), attitude.T, strict=True)),
            **{f"rotation_{a}_error": rotation[:, k] for k, a in enumerate("xyz")},
            "n_stars": seen.astype(np.int32),
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


def _account(
    folder: ObservationSet,
    reference: str,
    robust: str,
    campaign: Campaign,
    plan: Plan,
    result: Result,
    second: Secondaries | None,
    seconds: dict[str, float],
) -> dict[str, Any]:
    n, store = campaign.store.n_primary, campaign.store
    n_all = len(store.source_id)
    chi2 = float(result.chi2.sum()) + result.chi2_prior
    has_prior = campaign.references.has(store.source_id)
    account: dict[str, Any] = {
        **origin(),
        "observations": str(folder.path),
        "observations_provenance": folder.provenance,
        "reference": reference,
        "robust": robust,
        "order": result.order,
        "ref_epoch": campaign.epoch,
        "n_primary": n,
        "n_secondary": n_all - n,
        "n_reference_primary": int(has_prior[:n].sum()),
        "n_reference_secondary": int(has_prior[n:].sum()),
        "n_visit": len(campaign.visits),
        "n_block": campaign.distortion.n_block,
        "n_term": campaign.distortion.n_term,
        "n_unknown": 5 * n
        + 3 * len(campaign.visits)
        + campaign.distortion.n_block * campaign.distortion.n_term,
        "n_reduced": plan.n_reduced,
        "n_observation_primary": int(store.first[n]),
        "n_observation_secondary": int(store.first[-1] - store.first[n]),
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
        "downweighted_fraction": float((result.weight < 1.0).mean()),
        "condition": result.condition,
        "eigenvalues": [{"name": e.name, "value": e.value} for e in result.eigenvalues],
        "modes": _modes(result),
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
