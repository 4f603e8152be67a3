"""The normal equations as an operator: products with their blocks, without the matrix.

With N_ss, N_si, N_ii the blocks of the normal matrix (stars, instrument), N_ss is block diagonal
and N_ii couples a visit with the distortion of its block only; both are kept. N_si is applied in
passes over the strips, which compute the partial derivatives again each time. What is applied is
the matrix at the start values; right-hand sides are those of the unknowns as they are.

Vectors of the instrument are matrices (n_instrument, k) with visits first, as in `Shift`; stars are
arrays (n_slot, 5, k) in the order of slots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.solver.iterative.lanes import (
    LANES,
    lanes_adjoint,
    lanes_forward,
    lanes_schur,
    sweep_arrow,
)
from gcmock.astrometry.solver.iterative.residuals import LARGEST, sweep_residuals
from gcmock.astrometry.solver.iterative.strips import Strips
from gcmock.astrometry.solver.iterative.sweeps import (
    sweep_adjoint,
    sweep_blocks,
    sweep_forward,
    sweep_schur,
)
from gcmock.astrometry.solver.iterative.tables import TILE, Pairs, tables
from gcmock.astrometry.solver.normal import Blocks
from gcmock.astrometry.solver.problem import (
    Distortion,
    Prior,
    Shift,
    Unknowns,
    VisitData,
    source_shift,
)
from gcmock.astrometry.solver.robust import ROBUST
from gcmock.errors import GcmockError
from gcmock.pool import in_order


@dataclass(frozen=True)
class Model:
    """What is known besides the observations; stars in the order of slots.

    Attributes
    ----------
    visits : VisitData
    distortion : Distortion
    prior : Prior
    radial_velocity : ndarray, shape (n_slot,)
    """

    visits: VisitData
    distortion: Distortion
    prior: Prior
    radial_velocity: Floats

    @property
    def n_attitude(self) -> int:
        """Unknowns of the attitude."""
        return 3 * len(self.visits)

    @property
    def n_instrument(self) -> int:
        """Unknowns of attitude and distortion."""
        return self.n_attitude + self.distortion.n_block * self.distortion.n_term


class Gradient(NamedTuple):
    """Right-hand side of the normal equations at some unknowns, and what was found on the way.

    Attributes
    ----------
    shift : Shift
        A'W r, with the prior; stars by slot.
    chi2 : ndarray, shape (n_slot,)
        Without robust weights and prior.
    chi2_prior : float
    """

    shift: Shift
    chi2: Floats
    chi2_prior: float


class Operator:
    """Products with the normal matrix at some unknowns.

    Parameters
    ----------
    model : Model
    strips : Strips
    unknowns : Unknowns
        Where the equations are linearised.
    workers : int
        Threads.
    """

    def __init__(self, model: Model, strips: Strips, unknowns: Unknowns, workers: int) -> None:
        self.model, self.strips, self.unknowns = model, strips, unknowns
        self.workers = workers
        self.pairs = Pairs.of(model.distortion)
        self.tables = tables(model.visits, model.distortion, unknowns, model.radial_velocity)
        self._ranges = _ranges(strips.first, workers)

    def _sweep(self, one: Callable[[int, int], Any]) -> list[Any]:
        return list(in_order(lambda rows: one(*rows), self._ranges, len(self._ranges)))

    # Vectors to and from the arrays of the kernels.

    def _split(self, vector: Floats) -> tuple[Floats, Floats]:
        n, d, tail = self.model.n_attitude, self.model.distortion, vector.shape[1:]
        terms = vector[n:].reshape(d.n_block, d.n_term, *tail)
        attitude = np.ascontiguousarray(vector[:n].reshape(-1, 3, *tail))
        return attitude, self.pairs.spread(terms)

    def _empty(self, *tail: int) -> tuple[Floats, Floats]:
        d = self.model.distortion
        pairs = np.zeros((d.n_block, 2, len(self.pairs.degrees), *tail))
        return np.zeros((len(self.model.visits), 3, *tail)), pairs

    def _joined(self, parts: list[tuple[Floats, Floats]]) -> Floats:
        attitude, pairs = (sum(p) for p in zip(*parts, strict=True))
        terms = self.pairs.gathered(pairs)
        tail = attitude.shape[2:]
        return np.concatenate([attitude.reshape(-1, *tail), terms.reshape(-1, *tail)])

    def blocks(self) -> Blocks:
        """Fill the blocks of the normal matrix, stars by slot; the gradient is left empty.

        Slots without a star have a unit matrix, so that they stay where they are.
        """
        d, n_tile = self.model.distortion, len(self.tables.star)
        a, n_pair = self.strips.arrays(), len(self.pairs.degrees)
        n = np.zeros((n_tile, 5, 5, TILE))

        def one(start: int, stop: int) -> tuple[Floats, Floats, Floats]:
            vv = np.zeros((len(self.model.visits), 3, 3))
            vt = np.zeros((len(self.model.visits), 3, 2, n_pair))
            tt = np.zeros((d.n_block, 2, n_pair, n_pair))
            sweep_blocks(self.tables, a, start, stop, n, vv, vt, tt)
            return vv, vt, tt

        vv, vt, tt = (sum(part) for part in zip(*self._sweep(one), strict=True))
        axis, pair = self.pairs.axis, self.pairs.pair
        visit_terms = np.ascontiguousarray(vt[:, :, axis, pair])
        tt = tt + np.tril(tt, -1).transpose(0, 1, 3, 2)
        same = axis[:, None] == axis
        terms = np.where(same, tt[:, axis[:, None], pair[:, None], pair], 0.0)
        sources = n.transpose(0, 3, 1, 2).reshape(-1, 5, 5) + self.model.prior.precision
        idle = self.strips.order < 0
        sources[idle] = np.eye(5)
        empty = np.zeros((0, 0))
        gradient = Shift(empty, empty, empty)
        chi2 = np.zeros(0)
        return Blocks(sources, vv, visit_terms, terms, gradient, self.model.visits.block, chi2)

    def forward(self, vector: Floats) -> Floats:
        """N_si x, shape (n_slot, 5, k), of x, shape (n_instrument, k)."""
        a, n_tile = self.strips.arrays(), len(self.tables.star)
        if vector.shape[1] == 1:
            v, c = self._split(vector[:, 0])
            g = np.zeros((n_tile, 5, TILE))
            self._sweep(lambda i, k: sweep_forward(self.tables, a, i, k, v, c, g))
            return g.transpose(0, 2, 1).reshape(-1, 5, 1)
        out = np.empty((n_tile * TILE, 5, vector.shape[1]))
        for lanes, part in _lanes(vector):
            v, c = self._split(part)
            g = np.zeros((n_tile, 5, TILE, LANES))
            self._sweep(lambda i, k: lanes_forward(self.tables, a, i, k, v, c, g))  # noqa: B023
            width = lanes.stop - lanes.start
            out[:, :, lanes] = g.transpose(0, 2, 1, 3).reshape(-1, 5, LANES)[:, :, :width]
        return out

    def adjoint(self, stars: Floats) -> Floats:
        """N_is z, shape (n_instrument, k), of z, shape (n_slot, 5, k)."""
        a = self.strips.arrays()
        if stars.shape[2] == 1:
            z = by_tile(stars[:, :, 0])

            def one(start: int, stop: int) -> tuple[Floats, Floats]:
                out = self._empty()
                sweep_adjoint(self.tables, a, start, stop, z, *out)
                return out

            return self._joined(self._sweep(one))[:, None]
        found = []
        for lanes, part in _lanes(stars):
            z = by_tile(part)

            def many(start: int, stop: int) -> tuple[Floats, Floats]:
                out = self._empty(LANES)
                lanes_adjoint(self.tables, a, start, stop, z, *out)  # noqa: B023
                return out

            found.append(self._joined(self._sweep(many))[:, : lanes.stop - lanes.start])
        return np.hstack(found)

    def through_stars(self, inverse: Floats, vector: Floats) -> Floats:
        """N_is N_ss^-1 N_si x, shape (n_instrument, k).

        Parameters
        ----------
        inverse : ndarray, shape (n_slot, 5, 5)
            N_ss^-1.
        vector : ndarray, shape (n_instrument, k)
        """
        a, inv = self.strips.arrays(), by_tile(inverse)
        found = []
        single = vector.shape[1] == 1
        sweep = sweep_schur if single else lanes_schur
        for lanes, part in _lanes(vector) if not single else [(slice(0, 1), vector[:, 0])]:
            v, c = self._split(part)

            def one(start: int, stop: int) -> tuple[Floats, Floats]:
                out = self._empty() if single else self._empty(LANES)
                sweep(self.tables, a, start, stop, inv, v, c, *out)  # noqa: B023
                return out

            sums = self._joined(self._sweep(one))
            sums = sums[:, None] if single else sums
            found.append(sums[:, : lanes.stop - lanes.start])
        return np.hstack(found)

    def through_arrow(self, visit_root: Floats, mixing: Floats, term_root: Floats) -> Floats:
        """N_si M N_is of every star, shape (n_slot, 5, 5), M the inverse of N_ii.

        Parameters
        ----------
        visit_root : ndarray, shape (n_visit, 3, 3)
        mixing : ndarray, shape (n_visit, 3, n_term)
        term_root : ndarray, shape (n_block, n_term, n_term)
            As in `gcmock.astrometry.solver.instrument_first.Arrow`.
        """
        n_pair = len(self.pairs.degrees)
        column = n_pair * self.pairs.axis + self.pairs.pair
        # Terms are sorted by axis and pair, so that lower factors stay lower.
        mixed = np.zeros((len(mixing), 3, 2 * n_pair))
        mixed[:, :, column] = mixing
        root = np.zeros((len(term_root), 2 * n_pair, 2 * n_pair))
        root[:, column[:, None], column] = term_root
        a, out = self.strips.arrays(), np.zeros((len(self.tables.star), 5, 5, TILE))
        self._sweep(lambda i, k: sweep_arrow(self.tables, a, i, k, visit_root, mixed, root, out))
        lower = out.transpose(0, 3, 1, 2).reshape(-1, 5, 5)
        return lower + np.tril(lower, -1).transpose(0, 2, 1)

    def gradient(
        self, before: Unknowns, unknowns: Unknowns, robust: str = "none", *, write: bool = False
    ) -> Gradient:
        """Return the right-hand side at some unknowns.

        Parameters
        ----------
        before, unknowns : Unknowns
            Where the stored residuals belong, and what is asked for.
        robust : str
            Weight function; the strips must have a place for the factors if it is not ``none``.
        write : bool
            Store the residuals at the unknowns. They are rounded to steps then, which they should
            be once only, not in every pass.

        Raises
        ------
        GcmockError
            If a residual has grown beyond what is stored.
        """
        m, a = self.model, self.strips.arrays()
        at = [tables(m.visits, m.distortion, u, m.radial_velocity) for u in (unknowns, before)]
        g, sums = np.zeros((len(self.tables.star), 5, TILE)), self._sums()
        kind = ROBUST.index(robust)

        def one(start: int, stop: int) -> tuple[Floats, Floats]:
            out = self._empty()
            sweep_residuals(*at, a, start, stop, kind, write, sums, (g, *out))
            return out

        instrument = self._joined(self._sweep(one))
        if sums[:, 1].max(initial=0.0) > 64.0 * LARGEST:
            raise GcmockError(
                "residuals have grown beyond all bounds: the solution runs away; check the start "
                "values of the pointing, or use --robust huber against outliers"
            )
        prior = m.prior
        rows = np.flatnonzero(prior.precision[:, 0, 0] > 0)
        offset = np.zeros_like(prior.mean)
        offset[rows] = source_shift(prior.mean[rows], unknowns.sources[rows])
        pull = np.einsum("nij,nj->ni", prior.precision, offset)
        d, n = m.distortion, m.n_attitude
        shift = Shift(
            g.transpose(0, 2, 1).reshape(-1, 5) + pull,
            instrument[:n].reshape(-1, 3),
            instrument[n:].reshape(d.n_block, d.n_term),
        )
        return Gradient(shift, sums[:, 0].ravel(), float(np.vdot(offset, pull)))

    def _sums(self) -> Floats:
        return np.zeros((len(self.tables.star), 2, TILE))


def by_tile(stars: Floats) -> Floats:
    """Numbers of slots (n_slot, a, ...) as kernels take them.

    The first axis is split into tiles, and its lanes go behind the axes of parameters: (n_slot, 5)
    becomes (n_tile, 5, 16), (n_slot, 5, 5) becomes (n_tile, 5, 5, 16), and lanes of right-hand
    sides stay last: (n_slot, 5, 8) becomes (n_tile, 5, 16, 8).
    """
    tiled = stars.reshape(-1, TILE, *stars.shape[1:])
    at = 3 if stars.ndim == 3 and stars.shape[2] == 5 else 2
    return np.ascontiguousarray(np.moveaxis(tiled, 1, at))


def _lanes(columns: Floats) -> list[tuple[slice, Floats]]:
    """Columns in groups of `LANES`, the last one filled up with zeros."""
    k = columns.shape[-1]
    found = []
    for start in range(0, k, LANES):
        part = columns[..., start : start + LANES]
        if part.shape[-1] < LANES:
            fill = np.zeros((*part.shape[:-1], LANES - part.shape[-1]))
            part = np.concatenate([part, fill], axis=-1)
        found.append((slice(start, min(start + LANES, k)), np.ascontiguousarray(part)))
    return found


def _ranges(first: Integers, workers: int) -> list[tuple[int, int]]:
    """Ranges of patches with about the same number of strips."""
    edges = np.searchsorted(first, np.linspace(0, first[-1], workers + 1)[1:-1])
    edges = np.unique([0, *edges, len(first) - 1])
    return [(int(a), int(b)) for a, b in pairwise(edges)] or [(0, 0)]
