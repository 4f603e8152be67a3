"""Small astrometric problems with a known truth, made from the reference geometry."""

from __future__ import annotations

import numpy as np

from gcmock.astrometry.directions.displacement import displacement
from gcmock.astrometry.directions.geometry import (
    MAS,
    distortion_basis,
    distortion_terms,
    field_coordinates,
    offset_direction,
    triad,
    turned,
)
from gcmock.astrometry.solver.problem import (
    Distortion,
    Prior,
    Problem,
    Unknowns,
    VisitData,
    shifted_sources,
)

HALF_FIELD = np.radians(0.277)


def circular_orbit(time):
    longitude, obliquity = 2.0 * np.pi * time, np.radians(23.44)
    sin = np.sin(longitude)
    return np.column_stack([np.cos(longitude), sin * np.cos(obliquity), sin * np.sin(obliquity)])


def make(
    n_source=200,
    n_visit=60,
    n_block=6,
    seed=0,
    noise=True,
    references=0.2,
    reference_errors=(1.0, 1.0, 0.1, 0.08, 0.08),
    size_deg=(0.8, 0.8),
    min_degree=1,
    coefficients_mas=50.0,
    attitude_mas=100.0,
    start_mas=50.0,
):
    """Problem, truth and start values; noise-free problems have exact references."""
    rng = np.random.default_rng(seed)

    def scattered(n, fraction):
        a, d = (np.radians(rng.uniform(-0.5, 0.5, n) * fraction * s) for s in size_deg)
        return offset_direction(266.4, -28.9, a, d)

    ra, dec = scattered(n_source, 1.0)
    stars = np.column_stack(
        [ra, dec, rng.lognormal(-2.0, 0.3, n_source), *rng.normal(-4.0, 3.0, (2, n_source))]
    )
    time = np.sort(rng.integers(0, 6, n_visit) * 0.5 + rng.uniform(0.0, 0.25, n_visit))
    tau, observer = time - time.mean(), circular_orbit(time)
    roll = (rng.uniform(-10.0, 10.0, n_visit) + 180.0 * (np.floor(2.0 * time) % 2)) % 360.0
    attitude = np.column_stack([*scattered(n_visit, 0.95), roll])
    block = np.arange(n_visit) * n_block // n_visit
    terms = distortion_terms(3, min_degree)
    coefficients = rng.normal(0.0, coefficients_mas, (n_block, len(terms)))
    error = 0.3 * 10.0 ** (0.2 * rng.uniform(0.0, 5.0, n_source))
    axes = np.array(triad(stars[:, 0], stars[:, 1])).reshape(3, 3, -1)
    rows = []
    for j in range(n_visit):
        b = [axis.T @ observer[j] for axis in axes]
        shift = displacement(*stars[:, 2:].T, 0.0, tau[j], *b)
        x, y, *_ = field_coordinates(*stars[:, :2].T, *shift, *attitude[j])
        seen = np.flatnonzero((np.abs(x) < HALF_FIELD) & (np.abs(y) < HALF_FIELD))
        basis = distortion_basis(x[seen], y[seen], HALF_FIELD, terms)
        xy = np.column_stack([x[seen], y[seen]]) / MAS
        xy += np.column_stack([part @ coefficients[block[j]] for part in basis])
        if noise:
            xy += error[seen, None] * rng.standard_normal(xy.shape)
        rows.append((seen, np.full(len(seen), j), xy))
    source, visit, measured = (np.concatenate(part) for part in zip(*rows, strict=True))
    kept = np.bincount(source, minlength=n_source) >= 6
    number = np.cumsum(kept) - 1
    use = kept[source]
    source, visit, measured = number[source[use]], visit[use], measured[use]
    stars, error = stars[kept], error[kept]
    order = np.lexsort((visit, source))
    source, visit, measured = source[order], visit[order], measured[order]
    n = len(stars)
    first = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))])
    known = rng.uniform(size=n) < references
    errors = np.array(reference_errors) if noise else np.full(5, 1e-4)
    precision, mean = np.zeros((n, 5, 5)), stars.copy()
    precision[known] = np.diag(1.0 / errors**2)
    if noise:
        mean[known] = shifted_sources(
            stars[known], errors * rng.standard_normal((int(known.sum()), 5))
        )
    zero = np.zeros_like(observer)
    problem = Problem(
        first.astype(np.int64),
        visit.astype(np.int32),
        measured,
        np.repeat(1.0 / error[source][:, None], 2, axis=1),
        VisitData(block.astype(np.int64), tau, observer, zero, zero, False, False),
        Distortion(terms, HALF_FIELD, n_block),
        Prior(mean, precision),
        np.zeros(n),
    )
    start_sources = shifted_sources(
        np.column_stack([stars[:, :2], np.zeros((n, 3))]),
        np.column_stack([rng.normal(0.0, start_mas, (n, 2)), np.zeros((n, 3))]),
    )
    wrong = rng.normal(0.0, attitude_mas * MAS, (3, n_visit))
    start = Unknowns(
        start_sources, np.stack(turned(*attitude.T, *wrong), axis=1), 0.0 * coefficients
    )
    return problem, Unknowns(stars, attitude, coefficients), start
