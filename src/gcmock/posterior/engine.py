"""From observed magnitudes to summaries and draws: groups the stars for the kernel and runs it in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.dust.laws import ExtinctionLaw
from gcmock.posterior.block import Draws, Summary, empty_draws, empty_summary, run
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.kernel import Law, Scratch, Sightlines, Stars, make_bins, make_scratch
from gcmock.posterior.nodes import (
    KS,
    LEVELS_MAG,
    NodeTable,
    level_for,
    node_table,
    original_nodes,
)
from gcmock.posterior.sightline import SightlineCache
from gcmock.stars.bands import HwRelation
from gcmock.stars.populations import PopulationSet

Floats = NDArray[np.float64]

BLOCK = 512
"""Stars per call of the kernel: small enough to share among threads, large enough to cost nothing."""


class Data(NamedTuple):
    """What the posterior is computed from; NaN where a star has no such measurement.

    Attributes
    ----------
    l_deg, b_deg : ndarray, shape (n_star,)
        Position [deg].
    mag, mag_error : ndarray, shape (n_star, 4)
        J, H, Ks, Hw and their standard errors [mag], without the error floor. A NaN magnitude is not used.
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
        sightlines, sightline = self._sightlines.get(data.l_deg, data.b_deg)
        summary = empty_summary(n, self._groups.size)
        draws = empty_draws(n, keys.shape[1])
        variance = data.mag_error**2 + self.model_variance
        jobs = [
            (kind, part)
            for kind, members in self._kinds(data, variance)
            for part in np.split(members, range(BLOCK, members.size, BLOCK))
        ]

        def work(job: tuple[tuple[int, int, int], NDArray[np.int64]]) -> None:
            kind, part = job
            stars = Stars(
                data.mag[part],
                variance[part],
                data.parallax[part],
                data.parallax_error[part],
                data.e_jks[part],
                data.tau[part],
                sightline[part],
            )
            self._run_block(kind, stars, keys[part], sightlines, part, summary, draws)

        for kind in {kind for kind, _ in jobs}:
            self._table(kind)
        if workers == 1 or len(jobs) == 1:
            for job in jobs:
                work(job)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, jobs))
        return summary, draws

    def _kinds(
        self, data: Data, variance: Floats
    ) -> list[tuple[tuple[int, int, int], NDArray[np.int64]]]:
        """Group stars by (band mask, row of the law, level of node merging)."""
        used = np.isfinite(data.mag)
        mask = used @ (1 << np.arange(4))
        row = self.law.row(data.l_deg, data.b_deg)
        smallest = np.sqrt(np.where(used, variance, np.inf).min(axis=1))
        level = np.where(mask > 0, level_for(np.minimum(smallest, 9.0)), 0)
        code = (mask * 64 + row) * 16 + level
        groups = []
        for value in np.unique(code):
            members = np.flatnonzero(code == value)
            # Neighbours in the sky share cached priors.
            members = members[np.lexsort((data.b_deg[members], data.l_deg[members]))]
            groups.append(((int(value) // 1024, int(value) // 16 % 64, int(value) % 16), members))
        return groups

    def _table(self, kind: tuple[int, int, int]) -> NodeTable:
        """Node table of a kind of star, built on first use."""
        mask, row, level = kind
        if mask == 0:
            kind = (KS, row, len(LEVELS_MAG) - 1)
        if kind not in self._tables:
            mask, row, level = kind
            self._tables[kind] = node_table(self.nodes, mask, level, self.law.rows[row], self.hw)
        return self._tables[kind]

    def _run_block(
        self,
        kind: tuple[int, int, int],
        stars: Stars,
        keys: NDArray[np.uint64],
        sightlines: Sightlines,
        part: NDArray[np.int64],
        summary: Summary,
        draws: Draws,
    ) -> None:
        """Run the kernel on a block and put the results where they belong."""
        mask, row, _ = kind
        table = self._table(kind)
        block_summary = empty_summary(part.size, self._groups.size)
        block_draws = empty_draws(part.size, keys.shape[1])
        run(
            stars, keys, mask, table, self.nodes, self.model_variance,
            Law(self.law.rows[row], np.array(self.hw.coefficients)), self._bins, sightlines,
            self._groups, self._scratch(table), block_summary, block_draws,
        )  # fmt: skip
        for whole, block in (*zip(summary, block_summary), *zip(draws, block_draws)):
            whole[part] = block

    def _scratch(self, table: NodeTable) -> Scratch:
        """Work space for one call."""
        return make_scratch(
            table.weight.size, self.nodes.start.size - 1, self._groups.size, self._bins
        )
