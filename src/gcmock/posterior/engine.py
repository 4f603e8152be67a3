"""From observed magnitudes to summaries and draws.

Groups the stars for the kernel and runs it in threads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.dust.laws import ExtinctionLaw
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.kernel.arrangement import Rows, coordinates, no_rows
from gcmock.posterior.kernel.block import (
    Draws,
    PosteriorSummary,
    empty_draws,
    empty_summary,
    evaluate,
    run,
)
from gcmock.posterior.kernel.lattice import TILTS, Steps, build_lattice, choose_steps, sort_nodes
from gcmock.posterior.kernel.motion import N_MEASURED, MotionModel
from gcmock.posterior.kernel.nodes import NodeTable, node_table, original_nodes
from gcmock.posterior.kernel.structures import (
    N_LANE,
    Law,
    Scratch,
    ScratchPool,
    Sightlines,
    StarBlock,
    make_bins,
)
from gcmock.posterior.kernel.vector import N_POPULATION
from gcmock.posterior.kinds import StarKind, group_by_kind, one_lattice_each
from gcmock.posterior.sightline import SightlineCache
from gcmock.stars.bands import HwRelation
from gcmock.stars.populations import PopulationSet

BLOCK = 512
"""Stars per call of the kernel: few enough to share among threads, enough to cost nothing."""


class Observations(NamedTuple):
    """What the posterior is computed from; NaN where a star has no such measurement.

    Attributes
    ----------
    l_deg, b_deg : ndarray, shape (n_star,)
        Position [deg].
    mag, mag_error : ndarray, shape (n_star, 4)
        J, H, Ks, Hw and their standard errors [mag], without the error floor. A NaN magnitude is
        not used.
    parallax, parallax_error : ndarray, shape (n_star,)
        Parallax corrected for its zero point, and error [mas].
    e_jks, tau : ndarray, shape (n_star,)
        Mean and standard deviation of E(J-Ks) at the red-clump distance [mag].
    motion : ndarray, shape (n_star, 7), optional
        pm_l cos b, pm_b [mas/yr], their covariances ll, lb, bb [mas²/yr²], radial velocity [km/s]
        and its variance [km²/s²], without the floors; NaN where there is no proper motion, or no
        radial velocity. None: no star has any.
    """

    l_deg: Floats
    b_deg: Floats
    mag: Floats
    mag_error: Floats
    parallax: Floats
    parallax_error: Floats
    e_jks: Floats
    tau: Floats
    motion: Floats | None = None

    def take(self, part: NDArray[Any] | slice) -> Observations:
        """Return some of the stars."""
        return Observations._make(None if x is None else x[part] for x in self)

    @property
    def with_motion(self) -> bool:
        """Whether any star has a measured motion."""
        return self.motion is not None and bool(np.isfinite(self.motion).any())


class Posterior:
    """Computes posteriors and draws under one model.

    Parameters
    ----------
    sightlines : SightlineCache
        Prior along lines of sight.
    grid : DistanceGrid
        Distance bins.
    populations : PopulationSet
        Stellar populations.
    law : ExtinctionLaw
        Extinction law.
    hw : HwRelation
        Relation of Hw to J and H.
    error_floor_mag : float
        The model's own error in every band [mag], added in quadrature.
    motion : MotionModel, optional
        What is allowed for errors of measured motions.
    """

    def __init__(
        self,
        sightlines: SightlineCache,
        grid: DistanceGrid,
        populations: PopulationSet,
        law: ExtinctionLaw,
        hw: HwRelation,
        error_floor_mag: float,
        motion: MotionModel | None = None,
    ) -> None:
        self.grid = grid
        self.nodes = original_nodes(populations)
        self.hw = hw
        self.law = law
        self.model_variance = np.full(4, error_floor_mag**2)
        self.model_variance[3] += hw.scatter_mag**2
        self._sightlines = sightlines
        self.motion = MotionModel() if motion is None else motion
        nodes = sightlines.nodes
        self._bins = make_bins(grid.edges_pc, (nodes.before, nodes.share, np.array(self.motion)))
        self._pool = ScratchPool(self._bins)
        self._groups = np.array(populations.of_component, np.int64)
        # Lanes without a component read a sum that is always zero.
        padding = np.full(N_LANE - self._groups.size, N_POPULATION)
        self._lane_groups = np.concatenate([self._groups, padding])
        self._tables: dict[tuple[int, int], NodeTable] = {}
        self._lattices: dict[tuple[int, int, Steps], Future[Rows]] = {}
        # Neighbouring kinds differ in the tilt.
        self._sorted = lru_cache(maxsize=TILTS.size)(
            lambda bands, row, tilt: sort_nodes(self.nodes, self._place(bands, row), tilt)
        )
        self._lock = Lock()

    def infer(
        self, data: Observations, keys: NDArray[np.uint64], workers: int = 1
    ) -> tuple[PosteriorSummary, Draws]:
        """Posterior summaries and draws of stars.

        Parameters
        ----------
        data : Observations
            Observations.
        keys : ndarray of uint64, shape (n_star, n_realisation)
            Keys of the random streams (`gcmock.random.star_key`).
        workers : int
            Threads. The result does not depend on it.

        Returns
        -------
        summary : PosteriorSummary
        draws : Draws
        """
        n = data.l_deg.size
        summary = empty_summary(n, self._groups.size)
        draws = empty_draws(n, keys.shape[1])
        results: tuple[NDArray[Any], ...] = (*summary, *draws)
        for part in self._sightlines.batches(data.l_deg, data.b_deg):
            found = self._infer_batch(data.take(part), keys[part], workers)
            for target, values in zip(results, found, strict=True):
                target[part] = values
        return summary, draws

    def _infer_batch(
        self, data: Observations, keys: NDArray[np.uint64], workers: int
    ) -> tuple[NDArray[Any], ...]:
        """Do the same for stars whose lines of sight fit in memory; arrays of both results."""
        n = data.l_deg.size
        sightlines, sightline = self._lines_of(data)
        summary = empty_summary(n, self._groups.size)
        draws = empty_draws(n, keys.shape[1])
        variance = data.mag_error**2 + self.model_variance
        jobs = [
            (kind, part)
            for kind, members in self.kinds(data, variance)
            for part in np.split(members, range(BLOCK, members.size, BLOCK))
        ]

        def work(job: tuple[StarKind, NDArray[np.int64]]) -> None:
            kind, part = job
            stars = self._stars(data, variance, sightline, part)
            self._run_block(kind, stars, keys[part], sightlines, part, summary, draws)

        # All that no other thread is at, before waiting for those that one is at.
        for kind in {kind for kind, _ in jobs}:
            self._node_table(kind)
            if kind.on_lattice:
                self._build_lattice(kind)
        if workers == 1 or len(jobs) == 1:
            for job in jobs:
                work(job)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, jobs))
        return (*summary, *draws)

    def joint(self, data: Observations, exact: bool = False) -> tuple[Floats, Floats]:
        """Full posteriors, for a look at single stars: 80 kB each.

        Parameters
        ----------
        data : Observations
            Observations.
        exact : bool
            Sum over all original nodes: no lattice, no merging.

        Returns
        -------
        probability : ndarray, shape (n_star, n_component, n_distance)
            P(c, D | data) per bin of `grid`; zero for a star that nothing explains.
        log_evidence : ndarray, shape (n_star,)
            -inf for such a star.
        """
        sightlines, sightline = self._lines_of(data)
        variance = data.mag_error**2 + self.model_variance
        probability = np.zeros((data.l_deg.size, self._groups.size, len(self.grid)))
        evidence = np.zeros(data.l_deg.size)
        for kind, members in self.kinds(data, variance):
            shared, work = self._shared(kind, sightlines), self._scratch(kind)
            stars = self._stars(data, variance, sightline, members)
            for i, star in enumerate(members):
                evidence[star] = evaluate(stars, i, kind.mask, 0, exact, shared, work)[0]
                first, last = work.support
                if evidence[star] > 0.0:
                    post = work.post[first:last, : self._groups.size].T
                    probability[star, :, first:last] = post / evidence[star]
        with np.errstate(divide="ignore"):
            return probability, np.log(evidence)

    def blocks(
        self,
        data: Observations,
        variance: Floats,
        *,
        one_lattice: bool = False,
        coarser: float = 1.0,
    ) -> list[
        tuple[StarKind, NDArray[np.int64], Callable[[], tuple[StarBlock, tuple[Any, ...], Scratch]]]
    ]:
        """Stars grouped as the kernels take them.

        Parameters
        ----------
        data : Observations
            Observations, few enough for their lines of sight to fit in memory.
        variance : ndarray, shape (n_star, 4)
            Variances of the magnitudes [mag²], the model's own included.
        one_lattice : bool
            Use the finest lattice that any of the stars with the same bands needs for all of them.
        coarser : float
            Choose the steps of the lattices as if errors were so many times larger.

        Returns
        -------
        list of (Kind, ndarray of int64, callable)
            Kind and indices of the stars of a block, and a function that gathers what a kernel
            needs: the stars, what they share, and a work space.
        """
        sightlines, sightline = self._lines_of(data)

        def gather(
            kind: StarKind, part: NDArray[np.int64]
        ) -> Callable[[], tuple[StarBlock, tuple[Any, ...], Scratch]]:
            return lambda: (
                self._stars(data, variance, sightline, part),
                self._shared(kind, sightlines),
                self._scratch(kind),
            )

        kinds = self.kinds(data, variance * coarser**2)
        return [
            (kind, part, gather(kind, part))
            for kind, members in (one_lattice_each(kinds) if one_lattice else kinds)
            for part in np.split(members, range(BLOCK, members.size, BLOCK))
        ]

    def _lines_of(self, data: Observations) -> tuple[Sightlines, NDArray[np.int64]]:
        """Lines of sight of stars, with motions if they have any, and the index of each star's."""
        return self._sightlines.get(data.l_deg, data.b_deg, with_moments=data.with_motion)

    def _stars(
        self,
        data: Observations,
        variance: Floats,
        sightline: NDArray[np.int64],
        part: NDArray[np.int64],
    ) -> StarBlock:
        """Gather the stars of a block."""
        return StarBlock(
            data.mag[part],
            variance[part],
            data.parallax[part],
            data.parallax_error[part],
            data.e_jks[part],
            data.tau[part],
            sightline[part],
            np.full((part.size, N_MEASURED), np.nan) if data.motion is None else data.motion[part],
        )

    def _law(self, kind: StarKind) -> Law:
        """Extinction and Hw relation of a kind of star."""
        return Law(self.law.rows[kind.row], np.array(self.hw.coefficients))

    def _scratch(self, kind: StarKind) -> Scratch:
        """Work space that no thread uses."""
        return self._pool.take(self._node_table(kind).node.size)

    def _shared(self, kind: StarKind, sightlines: Sightlines) -> tuple[Any, ...]:
        """Gather what the kernel needs besides the stars."""
        return (
            self._node_table(kind), self._lattice(kind), TILTS[max(kind.steps.tilt, 0)],
            self._law(kind), self._bins, sightlines, self._lane_groups,
        )  # fmt: skip

    def kinds(
        self, data: Observations, variance: Floats
    ) -> list[tuple[StarKind, NDArray[np.int64]]]:
        """Group stars that share a band mask, a row of the law and their tables.

        Parameters
        ----------
        data : Observations
            Observations.
        variance : ndarray, shape (n_star, 4)
            Variances of the magnitudes with the model's own [mag²].

        Returns
        -------
        list of (Kind, ndarray of int64)
            Kinds and the indices of their stars.
        """
        mask = np.isfinite(data.mag) @ (1 << np.arange(4))
        row = self.law.row(data.l_deg, data.b_deg)
        steps = np.full((mask.size, 4), -1)
        everywhere = np.zeros(mask.size, np.int64)
        for m, r in {(int(m), int(r)) for m, r in zip(mask, row)}:
            of_kind = np.flatnonzero((mask == m) & (row == r))
            kind = StarKind(m, r, Steps(-1, -1, -1, 0))
            found = np.empty((of_kind.size, 4), np.int64)
            choose_steps(
                m, self._node_table(kind),
                self._stars(data, variance, everywhere, of_kind), self._law(kind), found,
            )  # fmt: skip
            steps[of_kind] = found
        return group_by_kind(np.column_stack([mask, row, steps]), data.l_deg, data.b_deg)

    def _place(self, bands: int, row: int) -> Floats:
        """Coordinates of the nodes for a set of bands and a row of the law."""
        return coordinates(bands, self.nodes.mag, self.law.rows[row], self.hw)

    def _node_table(self, kind: StarKind) -> NodeTable:
        """Node table of a kind of star, built on first use."""
        key = (kind.bands, kind.row)
        if key not in self._tables:
            place = self._place(*key)
            self._tables[key] = node_table(self.nodes, kind.bands, place, self.law.rows[kind.row])
        return self._tables[key]

    def _lattice(self, kind: StarKind) -> Rows:
        """Lattice of a kind of star, built on first use.

        Empty for stars that are summed over nodes.
        """
        if not kind.on_lattice:
            return no_rows()
        self._build_lattice(kind)
        return self._lattices[kind.bands, kind.row, kind.steps].result()

    def _build_lattice(self, kind: StarKind) -> None:
        """Build the lattice of a kind of star, unless it exists or another thread is at it."""
        key = (kind.bands, kind.row, kind.steps)
        with self._lock:
            if key in self._lattices:
                return
            future = self._lattices[key] = Future()
        try:
            nodes = self._sorted(kind.bands, kind.row, kind.steps.tilt)
            future.set_result(build_lattice(nodes, kind.bands, kind.steps))
        except BaseException as error:
            future.set_exception(error)
            raise

    def _run_block(
        self,
        kind: StarKind,
        stars: StarBlock,
        keys: NDArray[np.uint64],
        sightlines: Sightlines,
        part: NDArray[np.int64],
        summary: PosteriorSummary,
        draws: Draws,
    ) -> None:
        """Run the kernel on a block and put the results where they belong."""
        block_summary = empty_summary(part.size, self._groups.size)
        block_draws = empty_draws(part.size, keys.shape[1])
        scratch = self._scratch(kind)
        run(
            stars, keys, kind.mask, self._shared(kind, sightlines), self.nodes,
            self.model_variance, scratch, block_summary, block_draws,
        )  # fmt: skip
        self._pool.give(scratch)
        whole: tuple[NDArray[Any], ...] = (*summary, *draws)
        of_block: tuple[NDArray[Any], ...] = (*block_summary, *block_draws)
        for target, values in zip(whole, of_block, strict=True):
            target[part] = values
