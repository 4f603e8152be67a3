"""From observed magnitudes to summaries and draws.

Groups the stars for the kernel and runs it in threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.dust.laws import ExtinctionLaw
from gcmock.posterior.block import Draws, Summary, empty_draws, empty_summary, evaluate, run
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.lattice import (
    LATTICE_MASKS,
    STEPS_C,
    STEPS_Q,
    STEPS_W,
    Lattice,
    build_lattice,
    lattice_steps,
    no_lattice,
    node_places,
)
from gcmock.posterior.nodes import (
    KS,
    NodeTable,
    level_for,
    node_table,
    original_nodes,
)
from gcmock.posterior.sightline import SightlineCache
from gcmock.posterior.structures import Law, Scratch, Sightlines, Stars, make_bins, make_scratch
from gcmock.stars.bands import HwRelation
from gcmock.stars.populations import PopulationSet

Floats = NDArray[np.float64]

BLOCK = 512
"""Stars per call of the kernel.

Small enough to share among threads, large enough to cost nothing.
"""


class Data(NamedTuple):
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
    """

    l_deg: Floats
    b_deg: Floats
    mag: Floats
    mag_error: Floats
    parallax: Floats
    parallax_error: Floats
    e_jks: Floats
    tau: Floats


class Kind(NamedTuple):
    """What the stars of a block have in common.

    Attributes
    ----------
    mask, row, level : int
        Band mask, row of the extinction law, level of node merging.
    step_w, step_c, step_q : int
        Steps of the lattice; -1 for a sum over nodes.
    """

    mask: int
    row: int
    level: int
    step_w: int
    step_c: int
    step_q: int

    @property
    def on_lattice(self) -> bool:
        """Whether the stars are summed over a lattice."""
        return self.step_w >= 0


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
    """

    def __init__(
        self,
        sightlines: SightlineCache,
        grid: DistanceGrid,
        populations: PopulationSet,
        law: ExtinctionLaw,
        hw: HwRelation,
        error_floor_mag: float,
    ) -> None:
        self.grid = grid
        self.nodes = original_nodes(populations)
        self.hw = hw
        self.law = law
        self.model_variance = np.full(4, error_floor_mag**2)
        self.model_variance[3] += hw.scatter_mag**2
        self._sightlines = sightlines
        self._bins = make_bins(grid.edges_pc)
        self._groups = np.array(populations.of_component, np.int64)
        self._tables: dict[tuple[int, int, int], NodeTable] = {}
        self._lattices: dict[tuple[int, ...], Lattice] = {}

    def infer(
        self, data: Data, keys: NDArray[np.uint64], workers: int = 1
    ) -> tuple[Summary, Draws]:
        """Posterior summaries and draws of stars.

        Parameters
        ----------
        data : Data
            Observations.
        keys : ndarray of uint64, shape (n_star, n_realisation)
            Keys of the random streams (`gcmock.random.star_key`).
        workers : int
            Threads. The result does not depend on it.

        Returns
        -------
        summary : Summary
        draws : Draws
        """
        n = data.l_deg.size
        summary = empty_summary(n, self._groups.size)
        draws = empty_draws(n, keys.shape[1])
        results: tuple[NDArray[Any], ...] = (*summary, *draws)
        for part in self._sightlines.batches(data.l_deg, data.b_deg):
            found = self._infer_batch(Data(*(x[part] for x in data)), keys[part], workers)
            for target, values in zip(results, found, strict=True):
                target[part] = values
        return summary, draws

    def _infer_batch(
        self, data: Data, keys: NDArray[np.uint64], workers: int
    ) -> tuple[NDArray[Any], ...]:
        """Do the same for stars whose lines of sight fit in memory; arrays of both results."""
        n = data.l_deg.size
        sightlines, sightline = self._sightlines.get(data.l_deg, data.b_deg)
        summary = empty_summary(n, self._groups.size)
        draws = empty_draws(n, keys.shape[1])
        variance = data.mag_error**2 + self.model_variance
        jobs = [
            (kind, part)
            for kind, members in self.kinds(data, variance)
            for part in np.split(members, range(BLOCK, members.size, BLOCK))
        ]

        def work(job: tuple[Kind, NDArray[np.int64]]) -> None:
            kind, part = job
            stars = self._stars(data, variance, sightline, part)
            self._run_block(kind, stars, keys[part], sightlines, part, summary, draws)

        for kind in {kind for kind, _ in jobs}:
            self._node_table(kind)
            self._lattice(kind)
        if workers == 1 or len(jobs) == 1:
            for job in jobs:
                work(job)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, jobs))
        return (*summary, *draws)

    def joint(self, data: Data, exact: bool = False) -> tuple[Floats, Floats]:
        """Full posteriors, for a look at single stars: 80 kB each.

        Parameters
        ----------
        data : Data
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
        sightlines, sightline = self._sightlines.get(data.l_deg, data.b_deg)
        variance = data.mag_error**2 + self.model_variance
        probability = np.zeros((data.l_deg.size, self._groups.size, len(self.grid)))
        evidence = np.zeros(data.l_deg.size)
        for kind, members in self.kinds(data, variance):
            if exact:
                kind = kind._replace(level=0, step_w=-1, step_c=-1, step_q=-1)
            table, lattice, work = self._node_table(kind), self._lattice(kind), self._scratch(kind)
            stars = self._stars(data, variance, sightline, members)
            for i, star in enumerate(members):
                evidence[star] = evaluate(
                    stars, i, kind.mask, 0, table, lattice, self._law(kind), self._bins,
                    sightlines, self._groups, work,
                )[0]  # fmt: skip
                first, last = work.support
                if evidence[star] > 0.0:
                    probability[star, :, first:last] = work.post[:, first:last] / evidence[star]
        with np.errstate(divide="ignore"):
            return probability, np.log(evidence)

    def _stars(
        self, data: Data, variance: Floats, sightline: NDArray[np.int64], part: NDArray[np.int64]
    ) -> Stars:
        """Gather the stars of a block."""
        return Stars(
            data.mag[part],
            variance[part],
            data.parallax[part],
            data.parallax_error[part],
            data.e_jks[part],
            data.tau[part],
            sightline[part],
        )

    def _law(self, kind: Kind) -> Law:
        """Extinction and Hw relation of a kind of star."""
        return Law(self.law.rows[kind.row], np.array(self.hw.coefficients))

    def _scratch(self, kind: Kind) -> Scratch:
        """Work space of one call of the kernel."""
        table, lattice = self._node_table(kind), self._lattice(kind)
        return make_scratch(
            max(table.weight.size, lattice.w.size), lattice.first.size, self.nodes.start.size - 1,
            self._groups.size, self._bins,
        )  # fmt: skip

    def kinds(self, data: Data, variance: Floats) -> list[tuple[Kind, NDArray[np.int64]]]:
        """Group stars that share a band mask, a row of the law and their tables.

        Parameters
        ----------
        data : Data
            Observations.
        variance : ndarray, shape (n_star, 4)
            Variances of the magnitudes with the model's own [mag²].

        Returns
        -------
        list of (Kind, ndarray of int64)
            Kinds and the indices of their stars.
        """
        used = np.isfinite(data.mag)
        mask = used @ (1 << np.arange(4))
        row = self.law.row(data.l_deg, data.b_deg)
        smallest = np.sqrt(np.where(used, variance, np.inf).min(axis=1))
        level = np.where(mask > 0, level_for(np.minimum(smallest, 9.0)), 0)
        steps = np.full((mask.size, 3), -1)
        for m in LATTICE_MASKS:
            for r in range(len(self.law.rows)):
                of_kind = np.flatnonzero((mask == m) & (row == r))
                if of_kind.size:
                    steps[of_kind] = lattice_steps(
                        m, self.law.rows[r], data.mag[of_kind], variance[of_kind],
                        data.e_jks[of_kind], data.tau[of_kind],
                    )  # fmt: skip
        codes = np.column_stack([mask, row, level, steps])
        kinds, of_star = np.unique(codes, axis=0, return_inverse=True)
        groups = []
        for i, kind in enumerate(kinds):
            members = np.flatnonzero(of_star == i)
            # Neighbours in the sky share cached priors.
            members = members[np.lexsort((data.b_deg[members], data.l_deg[members]))]
            groups.append((Kind(*(int(x) for x in kind)), members))
        return groups

    def _node_table(self, kind: Kind) -> NodeTable:
        """Node table of a kind of star, built on first use."""
        key = (kind.mask or KS, kind.row, kind.level)
        if key not in self._tables:
            self._tables[key] = node_table(
                self.nodes, key[0], kind.level, self.law.rows[kind.row], self.hw
            )
        return self._tables[key]

    def _lattice(self, kind: Kind) -> Lattice:
        """Lattice of a kind of star, built on first use.

        Empty for stars that are summed over nodes.
        """
        if not kind.on_lattice:
            return no_lattice()
        key = (kind.mask, kind.row, kind.step_w, kind.step_c, kind.step_q)
        if key not in self._lattices:
            self._lattices[key] = build_lattice(
                self.nodes,
                node_places(kind.mask, self.nodes, self.law.rows[kind.row], self.hw),
                *(steps[i] for steps, i in zip((STEPS_W, STEPS_C, STEPS_Q), key[2:], strict=True)),
            )
        return self._lattices[key]

    def _run_block(
        self,
        kind: Kind,
        stars: Stars,
        keys: NDArray[np.uint64],
        sightlines: Sightlines,
        part: NDArray[np.int64],
        summary: Summary,
        draws: Draws,
    ) -> None:
        """Run the kernel on a block and put the results where they belong."""
        table, lattice = self._node_table(kind), self._lattice(kind)
        block_summary = empty_summary(part.size, self._groups.size)
        block_draws = empty_draws(part.size, keys.shape[1])
        run(
            stars, keys, kind.mask, table, lattice, self.nodes, self.model_variance,
            self._law(kind), self._bins, sightlines, self._groups, self._scratch(kind),
            block_summary, block_draws,
        )  # fmt: skip
        whole: tuple[NDArray[Any], ...] = (*summary, *draws)
        of_block: tuple[NDArray[Any], ...] = (*block_summary, *block_draws)
        for target, values in zip(whole, of_block, strict=True):
            target[part] = values
