"""An astrometric solution from a folder of observations to a folder of results."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import distortion_terms
from gcmock.astrometry.observations.folder import ObservationSet, open_observations
from gcmock.astrometry.solver.account import Solved, solution_account, solution_tables
from gcmock.astrometry.solver.assembly import read_campaign
from gcmock.astrometry.solver.bordered import of_secondaries
from gcmock.astrometry.solver.gauss_newton import Order, iterate
from gcmock.astrometry.solver.plan import Plan, Size, check
from gcmock.astrometry.solver.priors import References, load_references
from gcmock.astrometry.solver.secondary import solve_secondaries
from gcmock.astrometry.solver.solution import write_tables
from gcmock.astrometry.solver.store import primary_of
from gcmock.astrometry.solver.terms import InstrumentTerms, mission_terms
from gcmock.errors import InputError
from gcmock.io.disk import whole_folder
from gcmock.notebook import Outcome, listing_of
from gcmock.progress import Stage, silent

TESTED_OBSERVATIONS: Final = 1_000_000
"""Observations of primary stars up to which terms are tested that nobody solves for."""


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
    solver: str = "auto",
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
    solver : str
        ``direct``, ``iterative`` or ``auto``, see `gcmock.astrometry.solver.plan.check`.
    order : str
        What the direct solver eliminates first: ``sources``, ``instrument`` or ``auto``.
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
        plan = check(
            _size(folder, primary_limit, secondaries),
            order,
            memory_limit_gb,
            solver=solver,
            robust=robust != "none",
            workers=workers,
        )
        stage(f"{plan.solver}, about {60 * plan.minutes:.0f} s and {plan.memory_gb:.1f} GB")
        job = _Job(folder, reference, robust, primary_limit, secondaries, workers, stage)
        solved = job.directly(plan) if plan.solver == "direct" else job.iteratively()
        end = clock.perf_counter()
        read, first = solved.read, solved.first
        seconds = {"read": read - begin, "primaries": first - read, "secondaries": end - first}
        account = solution_account(folder, reference, robust, solved, plan, seconds)
        account["primary_limit"] = primary_limit
        stage("write")
        write_tables(partial, solution_tables(solved), account)
    return SolveSummary(Path(output), account)


@dataclass(frozen=True)
class _Job:
    """What is to be solved, as `solve` was told."""

    folder: ObservationSet
    reference: str
    robust: str
    primary_limit: float | None
    secondaries: bool
    workers: int
    stage: Stage

    def _references(self, epoch: float) -> References:
        return load_references(self.reference, self.folder, epoch)

    def _check_references(self, precision: Floats) -> None:
        if self.reference != "none" and not precision[:, 0, 0].any():
            raise InputError(
                f"no primary star of {self.folder.path} is in the references ({self.reference}); "
                "give others, raise --primary-limit, or use --reference none"
            )

    def _terms(self, source_id: Integers, hw: Floats, n: int) -> InstrumentTerms | None:
        """Return terms of the whole mission, unless nobody asks and it would take long."""
        terms = mission_terms(self.folder, source_id, hw)
        return terms if len(terms.solved) or n <= TESTED_OBSERVATIONS else None

    def directly(self, plan: Plan) -> Solved:
        """Solve with the reduced matrix."""
        campaign = read_campaign(
            self.folder,
            self._references,
            primary_limit=self.primary_limit,
            secondaries=self.secondaries,
            workers=self.workers,
            progress=self.stage("read"),
        )
        read = clock.perf_counter()
        problem, store = campaign.problem(primary=True), campaign.store
        self._check_references(problem.prior.precision)
        more = store.n_primary < len(store.source_id)
        terms = self._terms(store.source_id, campaign.hw, store.first[store.n_primary])
        result = iterate(
            problem,
            campaign.unknowns(primary=True),
            order=plan.order,  # type: ignore[arg-type]
            robust=self.robust,
            workers=self.workers,
            stage=self.stage,
            instrument=more,
            terms=None if terms is None else terms.of(slice(store.n_primary)),
        )
        first = clock.perf_counter()
        second = None
        if more:
            second = solve_secondaries(
                campaign.problem(primary=False),
                campaign.unknowns(primary=False).sources,
                result,
                robust=self.robust,
                workers=self.workers,
                stage=self.stage,
                border=of_secondaries(result.border, terms, store.n_primary),
            )
        rows = slice(0, store.first[store.n_primary])
        seen = np.bincount(store.visit[rows], minlength=len(campaign.visits))
        counts, n = np.diff(store.first), store.n_primary
        return Solved(campaign, store.source_id, counts, seen, n, result, second, read, first, {})

    def iteratively(self) -> Solved:
        """Solve with conjugate gradients."""
        from gcmock.astrometry.solver.iterative.campaign import read_strips
        from gcmock.astrometry.solver.iterative.solution import solve_strips

        campaign = read_strips(
            self.folder,
            self._references,
            primary_limit=self.primary_limit,
            secondaries=self.secondaries,
            workers=self.workers,
            progress=self.stage("read"),
        )
        read = clock.perf_counter()
        self._check_references(campaign.primary.model.prior.precision)
        n = campaign.n_visits[: campaign.n_primary].sum()
        terms = self._terms(campaign.source_id, campaign.hw, n)
        done = solve_strips(
            campaign, robust=self.robust, workers=self.workers, stage=self.stage, terms=terms
        )
        return Solved(
            campaign,
            campaign.source_id,
            campaign.n_visits,
            campaign.primary.strips.stars_per_visit(len(campaign.visit_number)),
            campaign.n_primary,
            done.result,
            done.secondaries,
            read,
            done.primaries_end,
            done.details,
        )


def _size(folder: ObservationSet, primary_limit: float | None, secondaries: bool) -> Size:
    visits, sources = folder.table("visits.parquet"), folder.table("sources.parquet")
    primary = primary_of(sources, primary_limit)
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
