"""Tables that the kernels read: population nodes and lattices, made when a kind of star first asks.

They depend on the bands, on the extinction law and on the steps, not on a direction or a star.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import lru_cache
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from gcmock.arrays import Floats
from gcmock.dust.laws import ExtinctionLaw
from gcmock.pool import in_order
from gcmock.posterior.kernel.arrangement import Rows, coordinates, no_rows
from gcmock.posterior.kernel.lattice import TILTS, Steps, build_lattice, sort_nodes
from gcmock.posterior.kernel.nodes import NodeTable, node_table, original_nodes
from gcmock.posterior.kernel.structures import Law
from gcmock.posterior.kinds import StarKind
from gcmock.stars.bands import SyntheticRelation
from gcmock.stars.populations import PopulationSet
from gcmock.words.bands import N_LINEAR

Key = tuple[int, int, int]
"""`StarKind.tables`."""


_SHARED: WeakValueDictionary[Any, Tables] = WeakValueDictionary()


def shared_tables(
    populations: PopulationSet, law: ExtinctionLaw, relations: Sequence[SyntheticRelation]
) -> Tables:
    """Return the tables of populations under a law: one object for all who ask while it is used."""
    names = tuple(relation.name for relation in relations)
    coefficients = tuple(tuple(relation.coefficients) for relation in relations)
    key = (id(populations.populations), law.rows.tobytes(), names, coefficients)
    tables = _SHARED.get(key)
    if tables is None:
        tables = _SHARED[key] = Tables(populations, law, relations)
    return tables


class Tables:
    """Node tables and lattices of kinds of stars, shared by all threads.

    Parameters
    ----------
    populations : PopulationSet
        Stellar populations.
    law : ExtinctionLaw
        Extinction law.
    relations : sequence of SyntheticRelation
        Relations of the synthetic bands to J and H.
    """

    def __init__(
        self, populations: PopulationSet, law: ExtinctionLaw, relations: Sequence[SyntheticRelation]
    ) -> None:
        self.nodes = original_nodes(populations)
        # Kept, so that its identity is not given to another set while this lives.
        self._populations = populations
        self._law = law
        self._relations = relations
        self._tables: dict[Key, NodeTable] = {}
        self._lattices: dict[tuple[Key, Steps], Future[Rows]] = {}
        # Neighbouring kinds differ in the tilt.
        self._sorted = lru_cache(maxsize=TILTS.size)(
            lambda key, tilt: sort_nodes(self.nodes, self._place(*key), tilt)
        )
        self._lock = Lock()

    def law(self, kind: StarKind) -> Law:
        """Return the extinction and the synthetic band of a kind of star."""
        coefficients = np.array(self._relations[kind.synthetic].coefficients)
        # A copy: compiled functions know read-only arrays as another type.
        return Law(np.array(self._law.rows[kind.row]), coefficients, N_LINEAR + kind.synthetic)

    def node_table(self, kind: StarKind) -> NodeTable:
        """Return the node table of a kind of star."""
        key = kind.tables
        if key not in self._tables:
            place = self._place(*key)
            self._tables[key] = node_table(self.nodes, kind.bands, place, self._law.rows[kind.row])
        return self._tables[key]

    def lattice(self, kind: StarKind) -> Rows:
        """Return the lattice of a kind of star; empty for stars that are summed over nodes."""
        if not kind.on_lattice:
            return no_rows()
        self._build(kind)
        return self._lattices[kind.tables, kind.steps].result()

    def build(self, kinds: Iterable[StarKind], workers: int = 1) -> None:
        """Make what kinds of stars need and no other thread is at, without waiting for those."""
        kinds = set(kinds)
        for kind in kinds:
            self.node_table(kind)
        fresh = sorted(
            kind for kind in kinds
            if kind.on_lattice and (kind.tables, kind.steps) not in self._lattices
        )  # fmt: skip
        sorts = sorted({(kind.tables, kind.steps.tilt) for kind in fresh})
        for _ in in_order(lambda one: self._sorted(*one), sorts, min(workers, len(sorts) or 1)):
            pass
        for _ in in_order(self._build, fresh, min(workers, len(fresh) or 1)):
            pass

    def _place(self, bands: int, row: int, synthetic: int) -> Floats:
        """Coordinates of the nodes for a set of bands and a row of the law."""
        relation = self._relations[synthetic]
        return coordinates(bands, self.nodes.mag, self._law.rows[row], relation)

    def _build(self, kind: StarKind) -> None:
        """Build the lattice of a kind of star, unless it exists or another thread is at it."""
        key = (kind.tables, kind.steps)
        with self._lock:
            if key in self._lattices:
                return
            future = self._lattices[key] = Future()
        try:
            nodes = self._sorted(kind.tables, kind.steps.tilt)
            future.set_result(build_lattice(nodes, kind.bands, kind.steps))
        except BaseException as error:
            future.set_exception(error)
            raise
