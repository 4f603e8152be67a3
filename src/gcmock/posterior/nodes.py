"""Population nodes arranged for fast summation: merged, and sorted along a window.

Which magnitudes matter and along which combination of them the nodes are sorted depends on the
bands that a star has. With two bands out of J, H, Ks the nodes are sorted by a reddening-free
magnitude W = Σ_b u_b M_b with Σ u_b = 1 and Σ u_b κ_b = 0: at a given distance only the nodes in a
narrow range of W can explain the star, whatever its reddening.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.stars.bands import HwRelation
from gcmock.stars.populations import PopulationSet

J, H, KS, HW = 1, 2, 4, 8
"""Bits of the bands in a band mask."""

LEVELS_MAG = (0.0, 0.01, 0.02, 0.04, 0.08)
"""Voxel sizes to which nodes are merged [mag]; the first keeps every node."""

LEVEL_PER_SIGMA = 0.4
"""Largest voxel as a fraction of the smallest magnitude error of a star."""

INDEX_STEP_MAG = 0.02
"""Step of the look-up from the sort key to the first node."""


class Arrangement(NamedTuple):
    """How the nodes are used for a band mask.

    Attributes
    ----------
    bands : tuple of int
        Indices (0, 1, 2 for J, H, Ks) of the absolute magnitudes that matter.
    key : tuple of int
        One index: sorted by that band. Two: sorted by their reddening-free magnitude. Empty: by Hw.
    """

    bands: tuple[int, ...]
    key: tuple[int, ...]


ARRANGEMENTS: dict[int, Arrangement] = {
    J: Arrangement((0,), (0,)),
    H: Arrangement((1,), (1,)),
    KS: Arrangement((2,), (2,)),
    J | H: Arrangement((0, 1), (0, 1)),
    J | KS: Arrangement((0, 2), (0, 2)),
    H | KS: Arrangement((1, 2), (1, 2)),
    J | H | KS: Arrangement((0, 1, 2), (0, 2)),
    HW: Arrangement((0, 1), ()),
    HW | J: Arrangement((0, 1), (0,)),
    HW | H: Arrangement((0, 1), (1,)),
    HW | KS: Arrangement((0, 1, 2), (2,)),
    HW | J | H: Arrangement((0, 1), (0, 1)),
    HW | J | KS: Arrangement((0, 1, 2), (0, 2)),
    HW | H | KS: Arrangement((0, 1, 2), (1, 2)),
    HW | J | H | KS: Arrangement((0, 1, 2), (0, 2)),
}


class NodeTable(NamedTuple):
    """Nodes of all populations, sorted by the key within each.

    Attributes
    ----------
    mag : ndarray of float32, shape (3, n_node)
        M_J, M_H, M_Ks [mag]; means over the merged nodes.
    weight : ndarray of float32, shape (n_node,)
        Stars per living star of the component.
    start : ndarray of int64, shape (n_population + 1,)
        Where each population begins.
    first_of_key : ndarray of int64, shape (n_population, n_step)
        First node whose key is at least ``key_min + i INDEX_STEP_MAG``.
    key_min : float
        Least key [mag].
    key_weight : ndarray of float64, shape (4,)
        u_b of J, H, Ks, Hw.
    key_kappa : float
        Σ u_b κ_b: change of the key per unit of E(J-Ks); 0 where the key is free of reddening, NaN
        for Hw.
    jh_range : ndarray of float64, shape (2,)
        Range of J-H of the nodes [mag]: bounds the reddening of Hw. The reddest 0.05 % of the
        giants (dusty carbon stars) are left out: they would treble every window.
    colour_range : ndarray of float64, shape (2,)
        1st and 99th percentile of the colour that is free of reddening and distance.
    raw_first : ndarray of int64, shape (n_node + 1,)
        Where the original nodes of each merged node begin in `raw`.
    raw : ndarray of int64, shape (n_original,)
        Original nodes (index into the concatenated populations), grouped by merged node.
    """

    mag: NDArray[np.float32]
    weight: NDArray[np.float32]
    start: NDArray[np.int64]
    first_of_key: NDArray[np.int64]
    key_min: float
    key_weight: NDArray[np.float64]
    key_kappa: float
    jh_range: NDArray[np.float64]
    colour_range: NDArray[np.float64]
    raw_first: NDArray[np.int64]
    raw: NDArray[np.int64]


class OriginalNodes(NamedTuple):
    """All populations one after the other: what draws are made from.

    Attributes
    ----------
    weight : ndarray of float64, shape (n_original,)
    mag : ndarray of float64, shape (3, n_original)
    mass_init, age_gyr, metallicity : ndarray of float64, shape (n_original,)
    start : ndarray of int64, shape (n_population + 1,)
    """

    weight: NDArray[np.float64]
    mag: NDArray[np.float64]
    mass_init: NDArray[np.float64]
    age_gyr: NDArray[np.float64]
    metallicity: NDArray[np.float64]
    start: NDArray[np.int64]


def original_nodes(populations: PopulationSet) -> OriginalNodes:
    """Concatenate the populations of a set."""
    parts = populations.populations
    sizes = [p.weight.size for p in parts]
    return OriginalNodes(
        np.concatenate([p.weight for p in parts]),
        np.ascontiguousarray(np.concatenate([p.absolute_mag for p in parts]).T),
        np.concatenate([p.mass_init for p in parts]),
        np.concatenate([p.age_gyr for p in parts]),
        np.concatenate([p.metallicity for p in parts]),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


def level_for(smallest_error_mag: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index into `LEVELS_MAG` for the smallest magnitude error of each star [mag]."""
    sizes = np.array(LEVELS_MAG[1:])
    return np.searchsorted(sizes, LEVEL_PER_SIGMA * smallest_error_mag * (1 + 1e-9), side="right")


def node_table(
    nodes: OriginalNodes, mask: int, level: int, kappa: NDArray[np.float64], hw: HwRelation
) -> NodeTable:
    """Arrange the nodes for a band mask.

    Parameters
    ----------
    nodes : OriginalNodes
        All nodes.
    mask : int
        Sum of the bits of the bands that the stars have.
    level : int
        Index into `LEVELS_MAG`.
    kappa : ndarray, shape (3,)
        Extinction law.
    hw : HwRelation
        Relation of Hw to J and H.

    Returns
    -------
    NodeTable
    """
    arrangement = ARRANGEMENTS[mask]
    n_population = nodes.start.size - 1
    population = np.repeat(np.arange(n_population), np.diff(nodes.start))
    voxel, n_voxel = _voxels(nodes.mag[list(arrangement.bands)], population, LEVELS_MAG[level])
    weight = np.bincount(voxel, nodes.weight, n_voxel)
    mag = np.stack([np.bincount(voxel, nodes.weight * m, n_voxel) / weight for m in nodes.mag])
    of_voxel = np.empty(n_voxel, np.int64)
    of_voxel[voxel] = population

    key_weight = _key_weight(arrangement.key, kappa)
    key = key_weight[:3] @ mag if arrangement.key else hw.hw_mag(mag[0], mag[1])
    order = np.lexsort((key, of_voxel))
    rank = np.empty(n_voxel, np.int64)
    rank[order] = np.arange(n_voxel)
    by_rank = np.argsort(rank[voxel], kind="stable")
    start = np.searchsorted(of_voxel[order], np.arange(n_population + 1))
    key_min = float(key.min())
    steps = key_min + INDEX_STEP_MAG * np.arange(int(np.ptp(key) / INDEX_STEP_MAG) + 3)
    index = np.stack(
        [a + np.searchsorted(key[order[a:b]], steps) for a, b in pairwise(start.tolist())]
    )
    return NodeTable(
        np.ascontiguousarray(mag[:, order], dtype=np.float32),
        weight[order].astype(np.float32),
        start.astype(np.int64),
        index.astype(np.int64),
        key_min,
        key_weight,
        float(key_weight[:3] @ kappa) if arrangement.key else np.nan,
        _jh_range(mag, weight),
        np.percentile(free_colour(kappa) @ mag, [1, 99]),
        np.searchsorted(rank[voxel][by_rank], np.arange(n_voxel + 1)).astype(np.int64),
        by_rank.astype(np.int64),
    )


def free_colour(kappa: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients q_b of the colour that depends neither on distance nor on reddening, (3,).

    H minus what J and Ks predict: q·1 = 0 and q·κ = 0, with q_H = 1.
    """
    f = (kappa[1] - kappa[2]) / (kappa[0] - kappa[2])
    return np.array([-f, 1.0, f - 1.0])


def _voxels(
    mag: NDArray[np.float64], population: NDArray[np.int64], size: float
) -> tuple[NDArray[np.int64], int]:
    """Voxel of every node, populations apart, and the number of voxels."""
    if size == 0.0:
        return np.arange(population.size), population.size
    label = population.astype(np.int64)
    for m in mag:
        cell = np.floor(m / size).astype(np.int64)
        cell -= cell.min()
        label = np.unique(label * (cell.max() + 1) + cell, return_inverse=True)[1]
    return label, int(label.max()) + 1


def _key_weight(bands: tuple[int, ...], kappa: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients u_b of the sort key, shape (4,)."""
    u = np.zeros(4)
    if len(bands) == 2:
        a, b = bands
        u[a] = -kappa[b] / (kappa[a] - kappa[b])
        u[b] = kappa[a] / (kappa[a] - kappa[b])
    else:
        u[bands[0] if bands else 3] = 1.0
    return u


def _jh_range(mag: NDArray[np.float64], weight: NDArray[Any]) -> NDArray[np.float64]:
    """Least J-H of all nodes, and the one that 99.95 % of the giants do not exceed."""
    colour = mag[0] - mag[1]
    giants = np.flatnonzero(mag[2] < 0.0)
    order = giants[np.argsort(colour[giants])]
    share = np.cumsum(weight[order]) / weight[order].sum()
    return np.array([colour.min(), colour[order[np.searchsorted(share, 0.9995)]]])
