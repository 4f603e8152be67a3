"""Small astrometric problems in strips, and their solutions as campaigns."""

from __future__ import annotations

import numpy as np
from synthetic import make

from gcmock.astrometry.solver.iterative.campaign import Part, StripCampaign
from gcmock.astrometry.solver.iterative.operator import Model, Operator
from gcmock.astrometry.solver.iterative.packing import Packer, by_slot
from gcmock.astrometry.solver.iterative.reduced import ReducedEquations, smooth_changes
from gcmock.astrometry.solver.iterative.strips import tile_order
from gcmock.astrometry.solver.iterative.tables import tables
from gcmock.astrometry.solver.priors import References
from gcmock.astrometry.solver.problem import Prior, Unknowns


def packed(problem, start):
    """Return the part of a problem in memory: model, strips, start values by slot."""
    order = tile_order(start.sources[:, 0], start.sources[:, 1])
    place = np.zeros(problem.n_source, dtype=np.int64)
    place[order[order >= 0]] = np.flatnonzero(order >= 0)
    slot = place[np.repeat(np.arange(problem.n_source), np.diff(problem.first))]
    precision = by_slot(problem.prior.precision, order).copy()
    precision[order < 0] = 0.0
    model = Model(
        problem.visits,
        problem.distortion,
        Prior(by_slot(problem.prior.mean, order), precision),
        by_slot(problem.radial_velocity, order),
    )
    unknowns = Unknowns(by_slot(start.sources, order), start.attitude, start.coefficients)
    packer = Packer(order, problem.visits.block)
    packer.count(slot, problem.visit)
    expected = tables(model.visits, model.distortion, unknowns, model.radial_velocity)
    twice = packer.put(expected, slot, problem.visit, problem.measured, problem.root_weight)
    assert twice == -1
    return Part(model, packer.strips(), unknowns)


def campaign(primary, secondary=None):
    """Return a campaign of parts; the identifier of a star is its number, the secondaries' on top.

    Stars are in the order of the slots.
    """
    parts = [p for p in (primary, secondary) if p is not None]
    held = [p.strips.order[p.strips.order >= 0] for p in parts]
    ids = np.concatenate([h + (0 if k == 0 else len(held[0])) for k, h in enumerate(held)])
    counts = [p.strips.visits_per_star()[p.strips.order >= 0] for p in parts]
    d, n_visit = primary.model.distortion, len(primary.model.visits)
    none = References("none", np.zeros(0, int), np.zeros((0, 5)), np.zeros((0, 5, 5)), np.zeros(0))
    return StripCampaign(
        primary,
        secondary,
        ids,
        np.full(len(ids), 12.0),
        np.concatenate(counts),
        len(held[0]),
        d,
        np.arange(n_visit),
        np.arange(d.n_block),
        2033.0,
        none,
        (),
    )


def reduced(**options):
    """Return the reduced equations of a small problem, without a coarse space."""
    problem, _, start = make(n_source=150, n_visit=20, n_block=4, **options)
    part = packed(problem, start)
    operator = Operator(part.model, part.strips, part.start, 1)
    return ReducedEquations(operator, operator.blocks())


def coarse(equations, degree):
    """Give equations a coarse space of smooth modes up to a degree."""
    operator = equations.operator
    used = operator.strips.order >= 0
    changes = smooth_changes(operator.unknowns.sources, used, degree)
    equations.take_coarse_space(equations.arrowhead.solve(operator.adjoint(changes)))
