"""From a folder of observations to strips in memory, without what cannot be solved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.observations.folder import ObservationSet
from gcmock.astrometry.solver.assembly import (
    MIN_STARS,
    MIN_VISITS,
    UNDETERMINED,
    Material,
    check_numbers,
    remarks_of_few,
    remarks_of_undetermined,
    smallest_eigenvalues,
    undetermined_instrument,
)
from gcmock.astrometry.solver.iterative.operator import Model, Operator
from gcmock.astrometry.solver.iterative.packing import Packer, by_slot
from gcmock.astrometry.solver.iterative.strips import SLOTS, Strips, tile_order
from gcmock.astrometry.solver.iterative.tables import tables
from gcmock.astrometry.solver.priors import References, source_priors
from gcmock.astrometry.solver.problem import Distortion, Prior, Unknowns
from gcmock.astrometry.solver.store import check_chunk, primary_of
from gcmock.errors import InputError
from gcmock.progress import Progress

ROUNDS: Final = 20
"""Rounds of leaving out, after which nothing that can be solved is expected."""


@dataclass(frozen=True)
class Part:
    """The primary or the secondary stars, by slot.

    Attributes
    ----------
    model : Model
    strips : Strips
    start : Unknowns
        Start values, those of the instrument as well.
    """

    model: Model
    strips: Strips
    start: Unknowns


@dataclass(frozen=True)
class StripCampaign:
    """Everything that a solution with conjugate gradients starts from.

    Attributes
    ----------
    primary : Part
    secondary : Part, optional
        None if there are no secondary stars, or if they are not wanted.
    source_id : ndarray of int64, shape (n_source,)
        Of the stars, primary stars first, in the order of their slots.
    hw : ndarray, shape (n_source,)
        [mag].
    n_visits : ndarray of int64, shape (n_source,)
        Observations of each star.
    n_primary : int
    distortion : Distortion
    visit_number, block_number : ndarray of int64
        Numbers in the folder of the visits and blocks that are used.
    epoch : float
        Reference epoch of the solution [yr].
    references : References
    remarks : tuple of str
        What was left out, and why.
    """

    primary: Part
    secondary: Part | None
    source_id: Integers
    hw: Floats
    n_visits: Integers
    n_primary: int
    distortion: Distortion
    visit_number: Integers
    block_number: Integers
    epoch: float
    references: References
    remarks: tuple[str, ...]


def read_strips(
    folder: ObservationSet,
    references: Callable[[float], References],
    *,
    primary_limit: float | None = None,
    secondaries: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
) -> StripCampaign:
    """Read a folder of observations into strips and leave out what cannot be solved.

    Parameters and errors are those of `gcmock.astrometry.solver.assembly.read_campaign`.
    """
    visits, catalogue = folder.table("visits.parquet"), folder.table("sources.parquet")
    check_numbers(folder, visits, catalogue)
    primary = primary_of(catalogue, primary_limit)
    if not primary.any():
        raise InputError(f"{folder.path}: has no primary stars; raise --primary-limit")
    known = references(float(np.mean(visits["time"])))
    material = Material.of(folder, visits, catalogue, known)
    orders = [_tiled(material, np.flatnonzero(primary))]
    orders.append(_tiled(material, np.flatnonzero(~primary) if secondaries else np.zeros(0, int)))
    strips = _read(folder, material, np.concatenate(orders), catalogue["source_id"], progress)
    n = len(orders[0]) // SLOTS
    selection = _Selection(material, catalogue["source_id"], strips, n)
    for _ in range(ROUNDS):
        selection.drop_few()
        if not selection.has_something():
            break
        # What is left out is remarked, and asks for another round.
        campaign = selection.campaign()
        if not selection.drop_undetermined(campaign, workers):
            return campaign
    reasons = "; ".join(selection.remarks)
    raise InputError(f"{folder.path}: nothing that can be solved is left: {reasons}")


def _tiled(material: Material, stars: Integers) -> Integers:
    """Stars of the catalogue by slot."""
    order = tile_order(material.start[stars, 0], material.start[stars, 1])
    return np.where(order >= 0, stars[np.maximum(order, 0)], -1) if len(stars) else order


def _read(
    folder: ObservationSet,
    material: Material,
    order: Integers,
    source_id: NDArray[np.int64],
    progress: Progress | None,
) -> Strips:
    """Read the observations twice: to count them, and to put each at its place."""
    number = np.arange(len(material.visits["visit"]))
    data, block_number = material.visit_data(number)
    distortion = Distortion(material.terms, material.half_field, len(block_number))
    slot_of = np.full(len(source_id), -1, dtype=np.int64)
    slot_of[order[order >= 0]] = np.flatnonzero(order >= 0)
    by_id = np.argsort(source_id, kind="stable")
    sorted_id = source_id[by_id]
    attitude = np.column_stack([material.visits[n] for n in ("ra", "dec", "roll")])
    none = np.zeros((distortion.n_block, distortion.n_term))
    start = Unknowns(by_slot(material.start, order), attitude, none)
    expected = tables(data, distortion, start, by_slot(material.radial_velocity, order))
    packer = Packer(order, data.block)
    done = 0
    for second in (False, True):
        for chunk in folder.observations():
            if not second:
                check_chunk(folder, chunk, sorted_id, len(number))
            at = np.minimum(np.searchsorted(sorted_id, chunk["source_id"]), len(sorted_id) - 1)
            slot = slot_of[by_id[at]]
            visit = np.asarray(chunk["visit"]).astype(np.int32)
            if second:
                root = 1.0 / np.column_stack([chunk["x_error"], chunk["y_error"]])
                measured = np.column_stack([chunk["x"], chunk["y"]])
                twice = packer.put(expected, slot, visit, measured, root)
                if twice >= 0:
                    raise InputError(
                        f"{folder.path}: star {chunk['source_id'][twice]} is observed more than "
                        "once in one visit; every observation counts once"
                    )
            else:
                packer.count(slot, visit)
            done += len(slot)
            if progress:
                progress(done, 2 * folder.n_observation)
    return packer.strips()


class _Selection:
    """Stars and visits that are still in."""

    def __init__(
        self, material: Material, source_id: Integers, strips: Strips, n_primary_patch: int
    ) -> None:
        self.material, self.source_id, self.strips = material, source_id, strips
        self.n_primary_patch = n_primary_patch
        self.order = strips.order.copy()
        self.used = np.ones(len(material.visits["visit"]), bool)
        self.remarks: list[str] = []
        self.known = np.zeros(len(self.order), bool)
        held = self.order >= 0
        self.known[held] = material.known.has(source_id[self.order[held]])

    def _part(self, primary: bool) -> slice:
        n = SLOTS * self.n_primary_patch
        return slice(0, n) if primary else slice(n, None)

    def has_something(self) -> bool:
        """Whether a primary star and a visit are left."""
        return bool((self.order[self._part(True)] >= 0).any() and self.used.any())

    def _leave_out(self, slots: NDArray[np.bool_], visits: NDArray[np.bool_]) -> None:
        self.strips.leave_out(slots, visits)
        self.order[slots] = -1
        self.used &= ~visits

    def drop_few(self) -> None:
        """Leave out stars with few visits and visits with few primary stars, until none is left."""
        for _ in range(1000):
            counts = self.strips.visits_per_star()
            few = (self.order >= 0) & (counts < np.where(self.known, 1, MIN_VISITS))
            primary = self.strips.part(0, self.n_primary_patch)
            seen = primary.stars_per_visit(len(self.used), few[self._part(True)])
            empty = self.used & (seen < MIN_STARS)
            self.remarks += remarks_of_few(self.source_id[self.order[few]], empty)
            if not (few.any() or empty.any()):
                return
            self._leave_out(few, empty)

    def drop_undetermined(self, campaign: StripCampaign, workers: int) -> bool:
        """Leave out what is singular by itself; say whether there was any."""
        singular = np.zeros(len(self.order), bool)
        for primary, part in ((True, campaign.primary), (False, campaign.secondary)):
            if part is None:
                continue
            blocks = Operator(part.model, part.strips, part.start, workers).blocks()
            singular[self._part(primary)] = smallest_eigenvalues(blocks.sources) < UNDETERMINED
            if primary:
                visit, block = undetermined_instrument(blocks)
        out = visit | block[campaign.primary.model.visits.block]
        self.remarks += remarks_of_undetermined(
            self.source_id[self.order[singular]],
            campaign.block_number[block],
            campaign.distortion.n_term,
            campaign.visit_number[visit],
        )
        gone = np.zeros(len(self.used), bool)
        gone[campaign.visit_number[out]] = True
        if singular.any() or gone.any():
            self._leave_out(singular, gone)
        return bool(singular.any() or gone.any())

    def campaign(self) -> StripCampaign:
        """Count the visits and blocks that are used, without gaps."""
        m = self.material
        number = np.flatnonzero(self.used)
        data, block_number = m.visit_data(number)
        distortion = Distortion(m.terms, m.half_field, len(block_number))
        strips = self.strips.renumbered(self._new_numbers())
        strips = replace(strips, order=self.order)
        attitude = np.column_stack([m.visits[name][number] for name in ("ra", "dec", "roll")])
        none = np.zeros((distortion.n_block, distortion.n_term))
        parts: list[Part | None] = []
        for start, stop in ((0, self.n_primary_patch), (self.n_primary_patch, strips.n_patch)):
            if start == stop:
                parts.append(None)
                continue
            part = strips.part(start, stop)
            model = Model(
                data,
                distortion,
                self._prior(part.order),
                by_slot(m.radial_velocity, part.order),
            )
            sources = by_slot(m.start, part.order)
            parts.append(Part(model, part, Unknowns(sources, attitude, none)))
        primary, secondary = parts
        assert primary is not None
        held = self.order >= 0
        stars = self.order[held]
        return StripCampaign(
            primary,
            secondary,
            self.source_id[stars],
            m.hw[stars],
            strips.visits_per_star()[held],
            int((primary.strips.order >= 0).sum()),
            distortion,
            number,
            block_number,
            m.epoch,
            m.known,
            tuple(self.remarks),
        )

    def _prior(self, order: Integers) -> Prior:
        stars = by_slot(self.source_id, order)
        prior = source_priors(self.material.known, stars)
        prior.precision[order < 0] = 0.0
        return prior

    def _new_numbers(self) -> Integers:
        """Give the visits new numbers; one that is left out gets that of a neighbour in its block.

        Its observations have no weight, and blocks stay neighbours in the strips.
        """
        rank = np.argsort(self.material.visits["block"], kind="stable")
        new: NDArray[Any] = np.cumsum(self.used) - 1
        ranked = np.where(self.used[rank], np.arange(len(rank)), -1)
        before = np.maximum.accumulate(ranked)
        first = int(np.flatnonzero(self.used[rank])[0])
        out = np.empty_like(new)
        out[rank] = new[rank[np.where(before >= 0, before, first)]]
        return out
