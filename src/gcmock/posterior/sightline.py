"""The prior along lines of sight.

How many stars of each component the model puts in every distance bin.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.dust.profile import (
    DUST_SCALE_HEIGHT_PC,
    dust_profile,
)
from gcmock.errors import InputError
from gcmock.galaxy.galactic_model import GalacticModel
from gcmock.posterior.grid import DistanceGrid
from gcmock.posterior.kernel.motion import moment_table, motion_nodes, no_moments
from gcmock.posterior.kernel.structures import N_LANE, Sightlines
from gcmock.words.components import PART_COMPONENT, PARTS

Weights = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

SQUARE_DEGREE_SR = (np.pi / 180.0) ** 2

CELL_DEG, FINE_CELL_DEG = 0.025, 0.005
"""Stars in one cell share a line of sight. The fine cells (0.7 pc) resolve the nuclear cluster."""

MOMENTS_PER_PRIOR = 4
"""So many times fewer lines of sight are kept of the motions: each takes 0.13 MB."""

SIGHTLINES_AT_ONCE = 2048
"""Lines of sight that a kernel works on at a time: 84 MB."""

FINE_RADIUS_DEG = 0.1
"""Half side of the square around Sgr A* in which the fine cells are used."""


class SightlineCell(NamedTuple):
    """Cells of the sky.

    Attributes
    ----------
    identity : ndarray of int64, shape (n_star,)
        Unique number of the cell.
    l_deg, b_deg : ndarray, shape (n_star,)
        Its centre [deg].
    """

    identity: NDArray[np.int64]
    l_deg: NDArray[np.float64]
    b_deg: NDArray[np.float64]


def cell_of(l_deg: ArrayLike, b_deg: ArrayLike, centre: tuple[float, float]) -> SightlineCell:
    """Return the cell of every position.

    Parameters
    ----------
    l_deg, b_deg : array_like, shape (n_star,)
        Galactic coordinates, l in (-180, 180] [deg].
    centre : tuple of float
        l, b of Sgr A* [deg].

    Returns
    -------
    SightlineCell
    """
    lon, lat = np.asarray(l_deg, dtype=np.float64), np.asarray(b_deg, dtype=np.float64)
    near = np.maximum(np.abs(lon - centre[0]), np.abs(lat - centre[1])) < FINE_RADIUS_DEG
    # 1 / 0.025 and 1 / 0.005 are exact, the steps are not.
    per_deg = np.where(near, round(1 / FINE_CELL_DEG), round(1 / CELL_DEG))
    il = np.floor(lon * per_deg).astype(np.int64)
    ib = np.floor(lat * per_deg).astype(np.int64)
    identity = ((il + 2**20) << 24) + ((ib + 2**20) << 1) + near
    return SightlineCell(identity, (il + 0.5) / per_deg, (ib + 0.5) / per_deg)


def prior_counts(
    galaxy: GalacticModel, l_deg: ArrayLike, b_deg: ArrayLike, grid: DistanceGrid
) -> NDArray[np.float64]:
    """Living stars per square degree in every bin: n(D) D² ΔD.

    Parameters
    ----------
    galaxy : GalacticModel
        Densities.
    l_deg, b_deg : array_like, shape (n_sightline,)
        Directions [deg].
    grid : DistanceGrid
        Bins; the density is taken at their centres.

    Returns
    -------
    ndarray, shape (n_sightline, n_component, n_distance)
    """
    lon, lat, distance = np.broadcast_arrays(
        np.asarray(l_deg, dtype=np.float64)[:, None],
        np.asarray(b_deg, dtype=np.float64)[:, None],
        grid.centre_pc[None, :],
    )
    density = galaxy.number_density(lon.ravel(), lat.ravel(), distance.ravel())
    volume = SQUARE_DEGREE_SR * grid.centre_pc**2 * grid.width_pc
    shaped = density.reshape(*distance.shape, -1)
    return np.moveaxis(shaped, -1, 1) * volume


class SightlineCache:
    """Lines of sight computed on demand and kept while there is room; shared by all threads.

    Parameters
    ----------
    galaxy : GalacticModel
        Densities.
    grid : DistanceGrid
        Distance bins.
    dust_scale_height_pc : float
        Scale height of the dust [pc].
    capacity : int
        Number of lines of sight that are kept (41 kB each).
    part_weights : callable, optional
        Takes l, b [deg], each (n_sightline,), and returns factors on the number of stars of the
        component of every part (n_sightline, n_part); see `gcmock.words.components.PARTS`. Without
        it there are no younger parts.

    Raises
    ------
    InputError
        If the galaxy has more components than the kernel has lanes.
    """

    def __init__(
        self,
        galaxy: GalacticModel,
        grid: DistanceGrid,
        dust_scale_height_pc: float = DUST_SCALE_HEIGHT_PC,
        capacity: int = 12_000,
        part_weights: Weights | None = None,
    ) -> None:
        if len(PARTS) > N_LANE:
            raise InputError(
                f"the model has {len(PARTS)} components and younger parts "
                f"({', '.join(part.name for part in PARTS)}), but the kernel computes at most "
                f"{N_LANE} at a time: take rows out of gcmock.words.components.COMPONENT_TABLE"
            )
        self.nodes = motion_nodes(grid, galaxy.sun.r0_pc)
        self._moments: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._weights = part_weights
        self._galaxy = galaxy
        self._grid = grid
        self._height = dust_scale_height_pc
        self._capacity = capacity
        self._priors: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def get(
        self,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        dust_scatter: float = 0.0,
        *,
        with_moments: bool = False,
    ) -> tuple[Sightlines, NDArray[np.int64]]:
        """Lines of sight of stars and the index of each star's.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (n_star,)
            Positions [deg].
        dust_scatter : float
            Scatter of the dust in front of stars, as a fraction (`DustProfile.scatter`).
        with_moments : bool
            Fill `Sightlines.moments`, for stars with a measured motion.

        Returns
        -------
        sightlines : Sightlines
        index : ndarray of int64, shape (n_star,)
        """
        sgr_a = (self._galaxy.sun.sgr_a_l_deg, self._galaxy.sun.sgr_a_b_deg)
        cells = cell_of(l_deg, b_deg, sgr_a)
        identity, first, index = np.unique(cells.identity, return_index=True, return_inverse=True)
        lon, lat = cells.l_deg[first], cells.b_deg[first]
        keys = identity.tolist()
        found = self._known(keys)
        fresh = {}
        missing = [i for i, key in enumerate(keys) if key not in found]
        # A few lines of sight at a time: the arrays of one hold 11 x 900 numbers several times
        # over. Other threads need not wait; at worst two compute the same line.
        for start in range(0, len(missing), 16):
            part = missing[start : start + 16]
            counts = prior_counts(self._galaxy, lon[part], lat[part], self._grid)
            if self._weights is not None:
                weights = self._weights(lon[part], lat[part])
                counts = counts[:, PART_COMPONENT] * weights[:, :, None]
            for i, prior in zip(part, counts, strict=True):
                found[keys[i]] = fresh[keys[i]] = prior.astype(np.float32)
        self._keep(fresh)
        priors = np.zeros((identity.size, len(self._grid), N_LANE), np.float32)
        for lanes, key in zip(priors, keys, strict=True):
            lanes[:, : len(found[key])] = found[key].T
        dust = dust_profile(lon, lat, self._height, dust_scatter)
        moments = self._moments_of(identity, lon, lat) if with_moments else no_moments(lon.size)
        return Sightlines(priors, dust, moments), index.astype(np.int64)

    def _moments_of(
        self, identity: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Moments of the motions along lines of sight, kept like the priors."""
        keys = identity.tolist()
        with self._lock:
            found = {k: self._moments[k] for k in keys if k in self._moments}
            for k in found:
                self._moments.move_to_end(k)
        missing = [i for i, k in enumerate(keys) if k not in found]
        for start in range(0, len(missing), 16):
            part = missing[start : start + 16]
            tables = moment_table(self._galaxy, lon[part], lat[part], self._grid, self.nodes)
            found.update({keys[i]: table for i, table in zip(part, tables, strict=True)})
        with self._lock:
            self._moments.update(found)
            while len(self._moments) > self._capacity // MOMENTS_PER_PRIOR:
                self._moments.popitem(last=False)
        return np.stack([found[k] for k in keys])

    def _known(self, identity: list[int]) -> dict[int, NDArray[np.float32]]:
        """Priors of those cells that need not be computed."""
        with self._lock:
            found = {k: self._priors[k] for k in identity if k in self._priors}
            for k in found:
                self._priors.move_to_end(k)
        return found

    def _keep(self, priors: dict[int, NDArray[np.float32]]) -> None:
        """Keep priors, and drop those that were not used for the longest time."""
        with self._lock:
            self._priors.update(priors)
            while len(self._priors) > self._capacity:
                self._priors.popitem(last=False)

    def batches(self, l_deg: ArrayLike, b_deg: ArrayLike) -> Iterator[NDArray[np.int64]]:
        """Split stars into groups with a bounded number of lines of sight.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (n_star,)
            Positions [deg].

        Yields
        ------
        ndarray of int64
            Indices of the stars of a group, neighbours in the sky together.
        """
        sun = self._galaxy.sun
        cells = cell_of(l_deg, b_deg, (sun.sgr_a_l_deg, sun.sgr_a_b_deg))
        _, index = np.unique(cells.identity, return_inverse=True)
        order = np.argsort(index, kind="stable")
        batch = index[order] // SIGHTLINES_AT_ONCE
        if order.size:
            yield from np.split(order, np.flatnonzero(np.diff(batch)) + 1)
