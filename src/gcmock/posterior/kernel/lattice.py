"""All populations on one lattice: each exponential is computed once for ten of them.

Each node is spread over its neighbours in a lattice in (W, c, Q) with Lagrange weights: four points
in W and c, which keep three moments, and three in Q. The sum over the lattice then equals the sum
over the nodes as long as the Gaussian of the star is not much narrower than the step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.compilation import compiled
from gcmock.posterior.kernel.arrangement import RowLayout, Rows, arrange
from gcmock.posterior.kernel.fastmath import INNER
from gcmock.posterior.kernel.nodes import OriginalNodes
from gcmock.posterior.kernel.vector import N_POPULATION
from gcmock.words.bands import by_colour

STEPS_W = np.array([0.007, 0.013, 0.02, 0.036, 0.07, 0.13])
STEPS_C = np.array([0.008, 0.016, 0.027, 0.045, 0.075, 0.135])
STEPS_Q = np.array([0.006, 0.012, 0.0205, 0.04, 0.09])
"""Steps of the lattices [mag]. With twice as many, stars would have 4 % fewer places to look at,
and 100,000 stars three times as many lattices, which take longer to make than the stars."""

TILTS = np.array([0.0, 0.3, 0.6, 0.9, 1.2, 1.5])
"""Tilts of the lattices of two or three bands: W + tilt c takes the place of W."""

STEPS_COLOUR = np.array([0.02, 0.05, 0.15])
"""Steps in J - H of the lattices with a synthetic band [mag], which changes its extinction alone,
and smoothly: the last for a synthetic band alone."""

Q_ORIGIN = -0.11
"""The place in Q around which nearly all nodes lie, which is a place of the lattice [mag]."""

ROW_SLABS = {1: 16, 2: 4, 3: 2}
"""Steps in W that make a row, by the number of bands: a range of bins then fills whole blocks."""

NEGLIGIBLE = 1e-3
"""Places below this fraction of their slab's largest weight, in every population, are dropped."""

CAPACITY = 3_000_000
"""Most places of a lattice; an error is raised where more would be needed."""


class Steps(NamedTuple):
    """Indices of the steps of a lattice and of its tilt; -1 for a sum over nodes."""

    w: int
    c: int
    q: int
    tilt: int


class SortedNodes(NamedTuple):
    """Nodes of all populations in the order of W.

    Attributes
    ----------
    place : ndarray, shape (3, n_node)
        Coordinates, with the tilt [mag].
    weight : ndarray, shape (n_node,)
    population : ndarray of int64, shape (n_node,)
    low, high : ndarray, shape (3,)
        Extremes of the coordinates; both are zero for one that is not used.
    """

    place: Floats
    weight: Floats
    population: NDArray[np.int64]
    low: Floats
    high: Floats


def sort_nodes(nodes: OriginalNodes, place: Floats, tilt: int) -> SortedNodes:
    """Tilt the coordinates of all nodes and sort them.

    Parameters
    ----------
    nodes : OriginalNodes
        All populations.
    place : ndarray, shape (3, n_node)
        Their coordinates (`gcmock.posterior.kernel.arrangement.coordinates`).
    tilt : int
        Index in `TILTS`.
    """
    population = np.repeat(np.arange(N_POPULATION), np.diff(nodes.start))
    place = place + np.outer([TILTS[tilt], 0.0, 0.0], place[1])
    order = np.argsort(place[0], kind="stable")
    return SortedNodes(
        place[:, order], nodes.weight[order], population[order], place.min(axis=1),
        place.max(axis=1),
    )  # fmt: skip


def build_lattice(nodes: SortedNodes, mask: int, steps: Steps) -> Rows:
    """Spread all nodes over a lattice.

    Parameters
    ----------
    nodes : SortedNodes
        All populations. A coordinate that is zero throughout has one layer.
    mask : int
        Bands: J, H, Ks in any combination; or a synthetic band, alone or with one of them.
    steps : Steps
        Their tilt is that of the nodes.

    Returns
    -------
    Rows

    Raises
    ------
    MemoryError
        If the lattice would have more than `CAPACITY` places.
    """
    step_q = float((STEPS_COLOUR if by_colour(mask) else STEPS_Q)[steps.q])
    step = np.array([STEPS_W[steps.w], STEPS_C[steps.c], step_q])
    unused = (nodes.low == 0.0) & (nodes.high == 0.0)
    origin = np.where(unused, 0.0, [0.0, 0.0, Q_ORIGIN])
    low = np.floor((nodes.low - origin) / step).astype(np.int64) - 2
    size = np.floor((nodes.high - origin) / step).astype(np.int64) + 4 - low
    low[unused], size[unused] = 0, 1
    scaled = (nodes.place - origin[:, None]) / step[:, None] - low[:, None]
    index, weight = _deposit(scaled, nodes.weight, nodes.population, size)
    if index.shape[1] >= CAPACITY:
        raise MemoryError(f"a lattice with steps of {step} mag has more than {CAPACITY} places")
    found = origin[:, None] + (index + low[:, None]) * step[:, None]
    corner = origin + low * step
    if by_colour(mask):
        axes, per_row, extent = (2, 0), step[2], 0.0
        corner[2] -= 0.5 * step[2]
        n_row = size[2]
    else:
        slabs = ROW_SLABS[bin(mask).count("1")]
        axes, per_row, extent = (0, 1), slabs * step[0], (slabs - 1) * step[0]
        n_row = -(-size[0] // slabs)
    layout = RowLayout(
        *axes, float(corner[axes[0]]), float(per_row), float(extent),
        float(corner[axes[1]] - 0.5 * step[axes[1]]), float(step[axes[1]]),
        int(n_row), int(size[axes[1]]),
    )  # fmt: skip
    return arrange(found, weight, np.zeros(found.shape[1], np.int64), 1, layout)[0]


@compiled(nogil=True, error_model="numpy")
def _deposit(place, weight, population, size):
    """Occupied places of the lattice, in the order of (W, c, Q), and their weights.

    `place` (3, n_node) is in units of the steps and from the lowest slab. The nodes come in the
    order of W: four slabs are open at a time, each a dense table (c, population, Q) that is
    searched and emptied when no later node can reach it; `reached` holds the range of Q at every c.
    """
    n_c, n_q = size[1], size[2]
    table = np.zeros((4, n_c, N_POPULATION, n_q))
    reached = np.empty((4, n_c, 2), np.int64)
    reached[:, :, 0], reached[:, :, 1] = n_q, 0
    capacity = min(4 * 4 * 3 * weight.size, CAPACITY)
    where = np.empty((3, capacity), np.int64)
    value = np.empty((N_POPULATION, capacity), np.float32)
    count = 0
    w4 = np.empty(4)
    c4 = np.empty(4)
    q3 = np.empty(3)
    open_slab = 0
    for node in range(weight.size + 1):
        i_w = int(np.floor(place[0, node])) if node < weight.size else size[0] + 4
        while open_slab < min(i_w - 1, size[0]):
            count = _close(
                table[open_slab % 4], reached[open_slab % 4], open_slab, where, value, count
            )
            open_slab += 1
        if node == weight.size:
            break
        _lagrange_4(place[0, node], 4, w4)
        i_c = _lagrange_4(place[1, node], n_c, c4)
        i_q = _lagrange_3(place[2, node], n_q, q3)
        p = population[node]
        for a in range(4):
            slab = (i_w - 1 + a) % 4
            for b in range(min(n_c, 4)):
                reach = reached[slab, i_c + b]
                reach[0], reach[1] = min(reach[0], i_q), max(reach[1], i_q + min(n_q, 3))
                fraction = weight[node] * w4[a] * c4[b]
                for d in range(min(n_q, 3)):
                    table[slab, i_c + b, p, i_q + d] += fraction * q3[d]
    return where[:, :count].copy(), value[:, :count].copy()


@njit(**INNER)
def _lagrange_4(x, n, out):
    """Fill the weights of the four points around x and return the first; one point if n is 1."""
    if n == 1:
        out[0] = 1.0
        return 0
    i = int(np.floor(x))
    f = x - i
    out[0] = -f * (f - 1.0) * (f - 2.0) / 6.0
    out[1] = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
    out[2] = -(f + 1.0) * f * (f - 2.0) / 2.0
    out[3] = (f + 1.0) * f * (f - 1.0) / 6.0
    return i - 1


@njit(**INNER)
def _lagrange_3(x, n, out):
    """Do the same with the three points around x."""
    if n == 1:
        out[0] = 1.0
        return 0
    i = int(np.rint(x))
    f = x - i
    out[0] = f * (f - 1.0) / 2.0
    out[1] = 1.0 - f * f
    out[2] = f * (f + 1.0) / 2.0
    return i - 1


@njit(**INNER)
def _close(table, reached, slab, where, value, count):
    """Move the places of a slab to the output, empty the slab, and return the new count."""
    n_c, n_population, n_q = table.shape
    least = np.zeros(n_population)
    for i in range(n_c):
        for p in range(n_population):
            for j in range(reached[i, 0], reached[i, 1]):
                least[p] = max(least[p], abs(table[i, p, j]))
    least *= NEGLIGIBLE
    for i in range(n_c):
        for j in range(reached[i, 0], reached[i, 1]):
            keep = False
            for p in range(n_population):
                keep = keep or abs(table[i, p, j]) > least[p]
            if keep and count < where.shape[1]:
                where[0, count] = slab
                where[1, count] = i
                where[2, count] = j
                for p in range(n_population):
                    value[p, count] = table[i, p, j]
                count += 1
        for p in range(n_population):
            for j in range(reached[i, 0], reached[i, 1]):
                table[i, p, j] = 0.0
        reached[i, 0], reached[i, 1] = n_q, 0
    return count
