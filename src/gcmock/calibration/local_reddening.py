"""Reddening from the nearest stars, inside a cell.

The stars j around star i, never i itself, are measurements of the reddening at its place:

    p_i(f) ∝ N(f; µ_cell, σ_cell) Π_j [(L_j ∗ N(0, σ_r))(f) / max + ε] / Λ(f),

with σ_r the difference of the reddening between neighbours. Their number and σ_r are chosen by the
leave-one-out score, mean ln Σ_f L_i(f) p_i(f) - ln Σ_f Λ(f) p_i(f): it needs no truth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gcmock.arrays import Floats, Integers
from gcmock.calibration.cells import OUTLIER, gaussian_weights
from gcmock.calibration.curves import FACTORS

N_NEIGHBOURS = (5, 10)
"""Numbers of neighbours that are tried; 0, the cell alone, always is. More reach into other clouds,
and the width of their product becomes too small."""

SCATTERS = (0.008, 0.012, 0.02, 0.03, 0.05)
"""Values of σ_r that are tried."""

VETO = 0.1
"""Fraction of its largest value that is added to the curve of a neighbour, which may lie behind
another cloud. Chosen so that the widths are right where dust has steps; with 1e-4 they are too
small by half."""

SAMPLE = 20_000
"""Most stars that the choice rests on."""

_AT_ONCE = 4096


class Local(NamedTuple):
    """Reddening at the places of stars.

    Attributes
    ----------
    n_neighbour : int
        Neighbours that were used; 0 if the cell alone is better.
    neighbour_scatter : float
        σ_r.
    score : dict of (int, float) to float
        Leave-one-out score of every choice.
    factor, scatter : ndarray, shape (n_star,)
        Of the star, from its neighbours without itself.
    factor_all, scatter_all : ndarray, shape (n_star,)
        At the place of the star, itself included: for stars next to it that were not used.
    radius_deg : ndarray, shape (n_star,)
        Distance of the furthest neighbour [deg].
    """

    n_neighbour: int
    neighbour_scatter: float
    score: dict[tuple[int, float], float]
    factor: Floats
    scatter: Floats
    factor_all: Floats
    scatter_all: Floats
    radius_deg: Floats


def plane(l_deg: Floats, b_deg: Floats) -> Floats:
    """Positions in a plane [deg], shape (n_star, 2): distances are right for neighbours."""
    return np.column_stack([l_deg * np.cos(np.radians(b_deg)), b_deg])


def refine(
    l_deg: Floats,
    b_deg: Floats,
    curves: NDArray[np.float32],
    cell: Integers,
    factor: Floats,
    scatter: Floats,
    density: Floats,
    *,
    n_neighbours: tuple[int, ...] = N_NEIGHBOURS,
    seed: int = 1,
) -> Local:
    """Refine the reddening of stars with their neighbours.

    Parameters
    ----------
    l_deg, b_deg : ndarray, shape (n_star,)
        Positions [deg].
    curves : ndarray of float32, shape (n_star, n_factor)
        Evidence curves over their largest value.
    cell : ndarray of int64, shape (n_star,)
        Cell of every star.
    factor, scatter : ndarray, shape (n_cell,)
        Mean factor and scatter of the cells.
    density : ndarray, shape (n_star, n_factor)
        Expected stars at the places of the stars.
    n_neighbours : tuple of int
        Numbers that are tried; none keeps the cells.
    seed : int
        Seed of the sample that the choice rests on.

    Returns
    -------
    Local
    """
    n = l_deg.size
    xy = plane(l_deg, b_deg)
    numbers = tuple(k for k in n_neighbours if k < n)
    chosen = np.arange(n)
    if n > SAMPLE:
        chosen = np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))
    of_cell = np.log(np.maximum(gaussian_weights(factor, scatter), 1e-30))
    log_density = np.log(density)
    score = {(0, 0.0): _score(curves, density, cell, chosen, factor[cell], scatter[cell])}
    tree = cKDTree(xy)
    most = max(numbers, default=0)
    radius, near = _neighbours(tree, xy, most)
    if numbers:
        for width in SCATTERS:
            smooth = _smoothed(curves, width)
            for k in numbers:
                found = _product(
                    near[chosen, 1 : k + 1], smooth, of_cell, log_density, cell, chosen
                )
                mean, sigma = found[0], np.hypot(found[1], width)
                score[k, width] = _score(curves, density, cell, chosen, mean, sigma)
    best = max(score, key=lambda choice: score[choice])
    k, width = best
    if k == 0:
        of_star = factor[cell], scatter[cell]
        return Local(0, 0.0, score, *of_star, *of_star, np.zeros(n))
    smooth, everyone = _smoothed(curves, width), np.arange(n)
    alone = _product(near[:, 1 : k + 1], smooth, of_cell, log_density, cell, everyone)
    whole = _product(near[:, :k], smooth, of_cell, log_density, cell, everyone)
    return Local(
        k, width, score, alone[0], np.hypot(alone[1], width), whole[0],
        np.hypot(whole[1], width), radius[:, k],
    )  # fmt: skip


def _neighbours(tree: cKDTree, xy: Floats, n: int) -> tuple[Floats, Integers]:
    """Distances and indices of a star (first) and its n nearest neighbours."""
    radius, near = tree.query(xy, k=np.arange(1, n + 2))
    # Stars at the same place may come in any order: the star itself is put first.
    own = near == np.arange(len(xy))[:, None]
    own[~own.any(axis=1), 0] = True
    order = np.argsort(~own, axis=1, kind="stable")
    return (
        np.take_along_axis(radius, order, axis=1),
        np.take_along_axis(near, order, axis=1),
    )


def _smoothed(curves: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Logarithm of the curves blurred by a Gaussian, over their largest value."""
    kernel = gaussian_weights(FACTORS, np.full(FACTORS.size, width)).astype(np.float32)
    blurred = curves @ kernel.T
    blurred /= np.maximum(blurred.max(axis=1, keepdims=True), np.float32(1e-30))
    return np.asarray(np.log(blurred + np.float32(VETO)))


def _product(
    near: Integers,
    smooth: NDArray[np.float32],
    of_cell: Floats,
    log_density: Floats,
    cell: Integers,
    rows: Integers,
) -> tuple[Floats, Floats]:
    """Mean and standard deviation of p_i(f) of some stars, `rows` of all."""
    mean, sigma = np.empty(len(near)), np.empty(len(near))
    for start in range(0, len(near), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        log = of_cell[cell[rows[part]]] - near.shape[1] * log_density[rows[part]]
        for j in near[part].T:
            log += smooth[j]
        p = np.exp(log - log.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        mean[part] = p @ FACTORS
        sigma[part] = np.sqrt(np.maximum(p @ FACTORS**2 - mean[part] ** 2, 0.0))
    return mean, sigma


def _score(
    curves: NDArray[np.float32],
    density: Floats,
    cell: Integers,
    chosen: Integers,
    mean: Floats,
    sigma: Floats,
) -> float:
    """Mean leave-one-out score of stars under Gaussians; `mean`, `sigma` of all or the chosen."""
    if mean.size != chosen.size:
        mean, sigma = mean[chosen], sigma[chosen]
    total = 0.0
    for start in range(0, chosen.size, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows = chosen[part]
        weights = gaussian_weights(mean[part], sigma[part])
        explained = np.log((curves[rows] * weights).sum(axis=1) + OUTLIER)
        total += float((explained - np.log((density[rows] * weights).sum(axis=1))).sum())
    return total / max(chosen.size, 1)
