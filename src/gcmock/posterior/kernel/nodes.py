"""Population nodes, all of them: what draws are made from, and what exact sums go over."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.posterior.kernel.arrangement import RowLayout, Rows, arrange, coordinate_rows
from gcmock.posterior.kernel.limits import neutral_colours
from gcmock.posterior.kernel.vector import LANES
from gcmock.stars.populations import PopulationSet
from gcmock.words.bands import by_colour

ROW_MAG, BIN_MAG = 0.06, 0.06
"""Height of a row and width of a bin [mag]."""

THIN = 0.8
"""Factor on all steps for populations of one isochrone."""

COLOUR_ROW_MAG = 0.12
"""Height of a row in J - H for stars with a synthetic band [mag]."""


class OriginalNodes(NamedTuple):
    """All populations one after the other.

    Attributes
    ----------
    weight : ndarray of float64, shape (n_node,)
        Stars per living star of the component.
    mag : ndarray of float64, shape (3, n_node)
        M_J, M_H, M_Ks [mag].
    mass_init, age_gyr, metallicity : ndarray of float64, shape (n_node,)
    start : ndarray of int64, shape (n_population + 1,)
        Where each population begins.
    """

    weight: Floats
    mag: Floats
    mass_init: Floats
    age_gyr: Floats
    metallicity: Floats
    start: NDArray[np.int64]


class NodeTable(NamedTuple):
    """Nodes arranged for a set of bands, every population for itself.

    Attributes
    ----------
    rows : Rows
        One group per population.
    node : ndarray of int64, shape (n_place,)
        Original node at each place; -1 for padding.
    coordinates : ndarray, shape (3, 3)
        What turns J, H, Ks into W, c, Q (`gcmock.posterior.kernel.arrangement.coordinate_rows`).
    fineness : float
        Factor on the steps of lattices and of the coarse grid: `THIN` if every population is one
        isochrone, whose thin line does not smooth the likelihood as a distribution of [M/H] does.
    mag : ndarray of float32, shape (3, n_place)
        M_J, M_H, M_Ks of the node at each place [mag].
    h_ks : ndarray, shape (n_colour,)
        H - Ks by J - H, see `gcmock.posterior.kernel.limits.neutral_colours` [mag].
    """

    rows: Rows
    node: NDArray[np.int64]
    coordinates: Floats
    fineness: float
    mag: NDArray[np.float32]
    h_ks: Floats


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


def node_table(nodes: OriginalNodes, mask: int, place: Floats, kappa: Floats) -> NodeTable:
    """Arrange the nodes for a set of bands.

    Parameters
    ----------
    nodes : OriginalNodes
        All nodes.
    mask : int
        Bands: J, H, Ks in any combination; or a synthetic band, alone or with one of them.
    place : ndarray, shape (3, n_node)
        Their coordinates (`gcmock.posterior.kernel.arrangement.coordinates`).
    kappa : ndarray, shape (3,)
        Extinction law.

    Returns
    -------
    NodeTable
    """
    n_population = nodes.start.size - 1
    population = np.repeat(np.arange(n_population), np.diff(nodes.start))
    axes, row_step = ((2, 0), COLOUR_ROW_MAG) if by_colour(mask) else ((0, 1), ROW_MAG)
    low, high = place.min(axis=1), place.max(axis=1)
    n_row = int((high[axes[0]] - low[axes[0]]) / row_step) + 1
    n_bin = int((high[axes[1]] - low[axes[1]]) / BIN_MAG) + 1
    layout = RowLayout(
        *axes, float(low[axes[0]]), row_step, row_step, float(low[axes[1]]), BIN_MAG, n_row, n_bin
    )
    rows, position = arrange(
        place, nodes.weight[None].astype(np.float32), population, n_population, layout
    )
    node = np.full(rows.block.shape[0] * LANES, -1)
    node[position] = np.arange(position.size)
    one_isochrone = all(
        np.ptp(nodes.metallicity[a:b]) == 0.0 for a, b in pairwise(nodes.start.tolist())
    )
    fineness = THIN if one_isochrone else 1.0
    h_ks = neutral_colours(nodes.mag, nodes.weight)
    mag = np.zeros((len(nodes.mag), node.size), np.float32)
    mag[:, position] = nodes.mag
    return NodeTable(rows, node, coordinate_rows(mask, kappa), fineness, mag, h_ks)
