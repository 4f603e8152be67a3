"""From observed magnitudes to summaries and draws.

Groups the stars for the kernels and runs them in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.dust.laws import ExtinctionLaw
from gcmock.pool import in_order
from gcmock.posterior.blocks import bands_of, blocks_of, stars_of
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.kernel.block import evaluate, evidences, run
from gcmock.posterior.kernel.lattice import TILTS, Steps
from gcmock.posterior.kernel.limits import limits_of
from gcmock.posterior.kernel.nodes import OriginalNodes
from gcmock.posterior.kernel.scratch import Scratch, ScratchPool
from gcmock.posterior.kernel.steps import choose_steps
from gcmock.posterior.kernel.structures import (
    N_LANE,
    MotionModel,
    Shared,
    Sightlines,
    StarBlock,
    make_bins,
)
from gcmock.posterior.kernel.vector import N_POPULATION
from gcmock.posterior.kinds import (
    Kinds,
    Lattices,
    StarKind,
    different_rows,
    for_limits,
    group_by_kind,
    sharing,
    synthetic_of,
)
from gcmock.posterior.mixture import Inferences, Mixture, mixed
from gcmock.posterior.observations import Observations
from gcmock.posterior.results import (
    Draws,
    PosteriorSummary,
    empty_draws,
    empty_summary,
    of_components,
)
from gcmock.posterior.sightline import SightlineCache
from gcmock.posterior.tables import shared_tables
from gcmock.stars.bands import SyntheticRelation
from gcmock.stars.populations import PopulationSet
from gcmock.words.bands import N_LINEAR, SYNTHETIC, band
from gcmock.words.components import PART_COMPONENT
from gcmock.words.limits import Limit

J, H = band("j").index, band("h").index

Kernel = Callable[[StarKind, NDArray[np.int64], StarBlock, Shared, Scratch], None]
"""Works on a block of stars of one kind: takes the kind, the places of the stars in the
observations, the stars, what they share, and work space of its own."""


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
    relations : mapping of str to SyntheticRelation
        How every synthetic band follows from J and H, in the order of the axis of bands, on which
        they stand behind the linear ones.
    error_floor_mag : float
        The model's own error in every band [mag], added in quadrature.
    motion : MotionModel, optional
        What is allowed for errors of measured motions.
    limits : sequence of Limit
        What the list of stars was cut at.
    profile_scatter : float
        Of the dust in front (`gcmock.dust.profile.scatter_at`).
    """

    def __init__(
        self,
        sightlines: SightlineCache,
        grid: DistanceGrid,
        populations: PopulationSet,
        law: ExtinctionLaw,
        relations: Mapping[str, SyntheticRelation],
        error_floor_mag: float,
        motion: MotionModel | None = None,
        limits: Sequence[Limit] = (),
        profile_scatter: float = 0.0,
    ) -> None:
        self.grid = grid
        self.law = law
        self._relations = tuple(relations.values())
        scatter = [relation.scatter_mag for relation in self._relations]
        self.model_variance = error_floor_mag**2 + np.square([0.0] * N_LINEAR + scatter)
        self.motion = MotionModel() if motion is None else MotionModel(*map(float, motion))
        self.limits, self._profile_scatter = tuple(limits), profile_scatter
        self._tables = shared_tables(populations, law, self._relations)
        self._sightlines = sightlines
        nodes = sightlines.nodes
        self._bins = make_bins(grid.edges_pc, (nodes.before, nodes.fraction, self.motion))
        self._pool = ScratchPool(self._bins)
        self._groups = np.array(populations.of_part, np.int64)
        # Lanes without a part read a sum that is always zero.
        padding = np.full(N_LANE - self._groups.size, N_POPULATION)
        self._lane_groups = np.concatenate([self._groups, padding])

    @property
    def edges_pc(self) -> Floats:
        """Edges of the distance bins [pc]."""
        return self.grid.edges_pc

    @property
    def nodes(self) -> OriginalNodes:
        """Nodes of all populations, those that draws are made from."""
        return self._tables.nodes

    def infer(
        self,
        data: Observations,
        keys: NDArray[np.uint64],
        workers: int = 1,
        mixture: Mixture | None = None,
    ) -> tuple[PosteriorSummary, Draws]:
        """Posterior summaries and draws of stars.

        Parameters
        ----------
        data : Observations
        keys : ndarray of uint64, shape (n_star, n_realisation)
            Keys of the random streams (`gcmock.random.star_key`).
        workers : int
            Threads. The result does not depend on it.
        mixture : Mixture, optional
            Fractions of the cases that a measurement may be; all are clean if not given.

        Returns
        -------
        PosteriorSummary, Draws
        """
        clean = self.infer_case(data, keys, workers)
        return self.mix(clean, data, keys, workers, mixture)

    def mix(
        self,
        clean: Inferences,
        data: Observations,
        keys: NDArray[np.uint64],
        workers: int = 1,
        mixture: Mixture | None = None,
    ) -> tuple[PosteriorSummary, Draws]:
        """Mix posteriors of `infer_case`, which are written over, with those of other cases."""
        if mixture is None:
            return clean.summary, clean.draws
        return mixed(clean, data, keys, self, mixture, workers)

    def infer_case(
        self,
        data: Observations,
        keys: NDArray[np.uint64],
        workers: int = 1,
        *,
        with_mass: bool = False,
        lattices: Lattices = "own",
    ) -> Inferences:
        """Posteriors of stars whose errors are what they are said to be; see `infer`.

        Parameters
        ----------
        data, keys, workers
            See `infer`.
        with_mass : bool
            Keep the probabilities of all distance bins: 4 kB a star.
        lattices : {"own", "few", "one"}
            See `gcmock.posterior.kinds.Lattices`.

        Returns
        -------
        Inferences
        """
        summary = empty_summary(data.n_star, self._groups.size)
        draws = empty_draws(data.n_star, keys.shape[1], self.model_variance.size)
        mass = np.zeros((data.n_star if with_mass else 0, len(self.grid)), np.float32)

        def kernel(
            kind: StarKind,
            rows: NDArray[np.int64],
            stars: StarBlock,
            shared: Shared,
            scratch: Scratch,
        ) -> None:
            run(stars, rows, kind.mask, shared, scratch, keys, summary, draws, mass)
            for other, relation in enumerate(self._relations):
                if other != kind.synthetic:
                    j, h = draws.mag[rows, :, J], draws.mag[rows, :, H]
                    draws.mag[rows, :, N_LINEAR + other] = relation.mag(j, h)

        self.over_blocks(kernel, data, workers, lattices=lattices)
        draws.component[:] = np.array(PART_COMPONENT)[draws.component]
        summary = summary._replace(probability=of_components(summary.probability, axis=1))
        return Inferences(summary, draws, mass)

    def log_evidence(
        self, data: Observations, workers: int = 1, *, lattices: Lattices = "own"
    ) -> Floats:
        """Evidences of stars alone: faster than `infer`.

        Parameters
        ----------
        data, workers, lattices
            See `over_blocks`.

        Returns
        -------
        ndarray, shape (n_star,)
            ln of the number density of such stars; -inf for a star that nothing explains with the
            errors that it has.
        """
        parts = self.part_evidence(data, workers, lattices=lattices)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(parts.sum(axis=1)))

    def part_evidence(
        self, data: Observations, workers: int = 1, *, lattices: Lattices = "own"
    ) -> Floats:
        """Evidences of stars by part; arguments as those of `log_evidence`.

        Returns
        -------
        ndarray, shape (n_star, n_part)
            Number density of such stars in every part.
        """
        out = np.zeros((data.n_star, self._groups.size))

        def kernel(
            kind: StarKind,
            rows: NDArray[np.int64],
            stars: StarBlock,
            shared: Shared,
            scratch: Scratch,
        ) -> None:
            evidences(stars, rows, kind.mask, shared, scratch, out)

        self.over_blocks(kernel, data, workers, lattices=lattices)
        return out

    def joint(self, data: Observations, exact: bool = False) -> tuple[Floats, Floats]:
        """Full posteriors, for a look at single stars: 80 kB each.

        Parameters
        ----------
        data : Observations
        exact : bool
            Sum over all original nodes: no lattice, no merging.

        Returns
        -------
        probability : ndarray, shape (n_star, n_component, n_distance)
            P(c, D | data) per bin of `grid`; zero for a star that nothing explains.
        log_evidence : ndarray, shape (n_star,)
            -inf for such a star.
        """
        parts = np.zeros((data.n_star, self._groups.size, len(self.grid)))
        evidence = np.zeros(data.n_star)

        def kernel(
            kind: StarKind,
            rows: NDArray[np.int64],
            stars: StarBlock,
            shared: Shared,
            scratch: Scratch,
        ) -> None:
            for i, row in enumerate(rows):
                evidence[row] = evaluate(stars, i, kind.mask, 0, exact, shared, scratch)[0]
                first, last = scratch.support
                if evidence[row] > 0.0:
                    post = scratch.post[first:last, : self._groups.size].T
                    parts[row, :, first:last] = post / evidence[row]

        self.over_blocks(kernel, data)
        with np.errstate(divide="ignore"):
            return of_components(parts, axis=1), np.log(evidence)

    def variance(self, data: Observations) -> Floats:
        """Variances of the magnitudes with the model's own [mag²], shape (n_star, n_band)."""
        return np.asarray(data.mag_error**2 + self.model_variance)

    def over_blocks(
        self,
        kernel: Kernel,
        data: Observations,
        workers: int = 1,
        *,
        variance: Floats | None = None,
        lattices: Lattices = "own",
        coarser: float = 1.0,
    ) -> None:
        """Run a kernel over all stars, block by block, in threads.

        Parameters
        ----------
        kernel : callable
            See `Kernel`; it writes its results where the stars of the block belong.
        data : Observations
        workers : int
            Threads.
        variance : ndarray, shape (n_star, n_band), optional
            Variances of the magnitudes [mag²]; those of `variance` if not given.
        lattices : {"own", "few", "one"}
            See `gcmock.posterior.kinds.Lattices`.
        coarser : float
            Choose the steps of the lattices as if errors were so many times larger.
        """
        variance = self.variance(data) if variance is None else variance
        kinds = sharing(self._kinds(data, variance * coarser**2), lattices)
        for batch in self._sightlines.batches(data.l_deg, data.b_deg):
            self._over_batch(kernel, data, variance, kinds, batch, workers)

    def _over_batch(
        self,
        kernel: Kernel,
        data: Observations,
        variance: Floats,
        kinds: Kinds,
        batch: NDArray[np.int64],
        workers: int,
    ) -> None:
        """Run a kernel over stars that are few enough for their lines of sight to fit in memory."""
        here, scatter = data.take(batch), self._profile_scatter
        sightlines, index = self._sightlines.get(
            here.l_deg, here.b_deg, scatter, with_moments=here.with_motion
        )
        sightline = np.full(data.n_star, -1)
        sightline[batch] = index
        jobs = [
            (kind, rows)
            for kind, members in kinds
            for rows in blocks_of(members[sightline[members] >= 0])
        ]

        def work(job: tuple[StarKind, NDArray[np.int64]]) -> None:
            kind, rows = job
            scratch = self._pool.take(self._tables.node_table(kind).node.size)
            stars = stars_of(data, variance, sightline, rows, kind)
            kernel(kind, rows, stars, self._shared(kind, sightlines), scratch)
            self._pool.give(scratch)

        self._tables.build((kind for kind, _ in jobs), workers)
        for _ in in_order(work, jobs, 1 if len(jobs) == 1 else workers):
            pass

    def _shared(self, kind: StarKind, sightlines: Sightlines) -> Shared:
        """Gather what the kernels need besides the stars."""
        return Shared(
            self._tables.node_table(kind),
            self._tables.lattice(kind),
            TILTS[max(kind.steps.tilt, 0)],
            self._tables.law(kind),
            self._bins,
            sightlines,
            self._lane_groups,
            self._tables.nodes,
            self.model_variance[bands_of(kind)],
            limits_of(self.limits, kind.mask, kind.synthetic),
        )

    def _kinds(self, data: Observations, variance: Floats) -> Kinds:
        """Group stars that share a band mask, a row of the law and their tables."""
        given = np.isfinite(data.mag)
        mask = given[:, :N_LINEAR] @ (1 << np.arange(N_LINEAR))
        mask += SYNTHETIC * given[:, N_LINEAR:].any(axis=1)
        row = self.law.row(data.l_deg, data.b_deg)
        codes = np.column_stack([mask, row, synthetic_of(data.mag, variance)])
        steps = np.full((mask.size, len(Steps._fields)), -1)
        different, of_star = different_rows(codes)
        for number, code in enumerate(different):
            members = np.flatnonzero(of_star == number)
            m, r, synthetic = (int(x) for x in code)
            kind = StarKind(m, r, Steps(-1, -1, -1, 0), synthetic)
            found = np.empty((members.size, len(Steps._fields)), np.int64)
            stars = stars_of(data, variance, np.zeros(mask.size, np.int64), members, kind)
            choose_steps(m, self._tables.node_table(kind), stars, self._tables.law(kind), found)
            if (limits := limits_of(self.limits, m, synthetic)).value.size:
                for_limits(m, limits, stars.variance[:, N_LINEAR], found)
            steps[members] = found
        return group_by_kind(np.column_stack([codes, steps]), data.l_deg, data.b_deg)
