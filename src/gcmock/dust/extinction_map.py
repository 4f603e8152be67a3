"""The map of E(J-Ks) towards the red clump of the bulge (Surot+2020, Gonzalez+2012)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats, Integers
from gcmock.data import path
from gcmock.dust.profile import signed_longitude
from gcmock.errors import InputError

MapValue = Literal["subcell", "subcell_mean", "cell_mean"]

MAP_VALUES: Final[tuple[MapValue, ...]] = ("subcell", "subcell_mean", "cell_mean")

SUBCELLS_PER_SIDE = 5
"""A cell of 0.025 deg may be divided into 5 x 5 sub-cells of 0.005 deg."""


@dataclass(frozen=True, eq=False)
class ExtinctionMap:
    """Cells of E(J-Ks), some with 25 sub-cells; read-only.

    A position on the border of two cells belongs to the one of larger longitude (latitude).

    Parameters
    ----------
    mean : ndarray, shape (n_l, n_b)
        Value of the cell given by the map [mag]. It is not the mean of the sub-cells: theirs is
        higher by 1.8 % on average.
    subcell : ndarray of int, shape (n_sub, 25)
        Values of the sub-cells [mag / subcell_per_mag], index 5 il + ib with il, ib growing with
        longitude and latitude.
    subcell_cell : ndarray of int, shape (n_sub,)
        Flat index (see `cell_index`) of the cells that have sub-cells.
    l_min_deg, b_min_deg, step_deg : float
        Lower borders of the map and width of a cell [deg].
    subcell_per_mag : int
        Units of `subcell` in a magnitude.
    """

    mean: Floats
    subcell: NDArray[np.uint16]
    subcell_cell: Integers
    l_min_deg: float
    b_min_deg: float
    step_deg: float
    subcell_per_mag: int
    _place: Integers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        place = np.full(self.mean.size, -1, dtype=np.int64)
        place[self.subcell_cell] = np.arange(len(self.subcell_cell))
        object.__setattr__(self, "_place", place)
        for array in (self.mean, self.subcell, self.subcell_cell, self._place):
            array.flags.writeable = False

    @staticmethod
    @cache
    def load() -> ExtinctionMap:
        """Load the map that ships with the package: -9.5 <= l < 9.5, -4.5 <= b < 4.5 deg."""
        with np.load(path("extinction_map.npz")) as file:
            return ExtinctionMap(
                mean=file["mean"] / int(file["mean_per_mag"]),
                subcell=file["subcell"],
                subcell_cell=file["subcell_cell"].astype(np.int64),
                l_min_deg=float(file["l_min_deg"]),
                b_min_deg=float(file["b_min_deg"]),
                step_deg=float(file["step_deg"]),
                subcell_per_mag=int(file["subcell_per_mag"]),
            )

    def inside(self, l_deg: ArrayLike, b_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether positions [deg] lie on the map; NaN does not."""
        return self.cell_index(l_deg, b_deg) >= 0

    def cell_index(self, l_deg: ArrayLike, b_deg: ArrayLike) -> Integers:
        """Return the flat index il * n_b + ib of the cells of positions.

        Parameters
        ----------
        l_deg, b_deg : array_like, broadcastable
            Galactic coordinates [deg]; longitudes of any turn.

        Returns
        -------
        ndarray of int, shape of the inputs
            -1 outside the map.
        """
        return self._indices(l_deg, b_deg)[0]

    def cell_centre(self, cell: ArrayLike) -> tuple[Floats, Floats]:
        """Return l (-180 to 180) and b [deg] of the centres of cells; NaN for an index of -1."""
        index = np.asarray(cell, dtype=np.int64)
        il, ib = np.divmod(index, self.mean.shape[1])
        on_map = index >= 0
        return (
            np.where(on_map, self.l_min_deg + (il + 0.5) * self.step_deg, np.nan),
            np.where(on_map, self.b_min_deg + (ib + 0.5) * self.step_deg, np.nan),
        )

    def has_subcells(self, cell: ArrayLike) -> NDArray[np.bool_]:
        """Return whether cells (flat index) have sub-cells; -1 has none."""
        index = np.asarray(cell, dtype=np.int64)
        return (index >= 0) & (self._place[index] >= 0)

    def value(
        self, l_deg: ArrayLike, b_deg: ArrayLike, kind: MapValue = "subcell"
    ) -> tuple[Floats, Floats]:
        """Reddening at the red-clump distance.

        Parameters
        ----------
        l_deg, b_deg : array_like, broadcastable
            Galactic coordinates [deg]; longitudes of any turn.
        kind : {"subcell", "subcell_mean", "cell_mean"}
            ``subcell``: the value of the own sub-cell, or of the cell where it has none.
            ``subcell_mean``: the mean of the cell's 25 sub-cells, or the value of the cell.
            ``cell_mean``: the value that the map gives for the cell.

        Returns
        -------
        e_jks, scatter : ndarray, shape of the inputs
            E(J-Ks) and its standard deviation inside the resolution element [mag]: that of the 25
            sub-cells for ``subcell_mean``, 0 where nothing is known of it. NaN outside the map.

        Raises
        ------
        InputError
            If `kind` is unknown.
        """
        if kind not in MAP_VALUES:
            raise InputError(
                f"map value {kind!r}: expected 'subcell', 'subcell_mean' or 'cell_mean'"
            )
        cell, subcell = self._indices(l_deg, b_deg)
        e_jks = np.where(cell >= 0, self.mean.ravel()[cell], np.nan)
        scatter = np.where(cell >= 0, 0.0, np.nan)
        divided = self.has_subcells(cell)
        if kind != "cell_mean" and divided.any():
            place = self._place[cell[divided]]
            if kind == "subcell":
                e_jks[divided] = self.subcell[place, subcell[divided]] / self.subcell_per_mag
            else:
                cells, inverse = np.unique(place, return_inverse=True)
                parts = self.subcell[cells] / self.subcell_per_mag
                e_jks[divided] = parts.mean(axis=1)[inverse]
                scatter[divided] = parts.std(axis=1)[inverse]
        return e_jks, scatter

    def _indices(self, l_deg: ArrayLike, b_deg: ArrayLike) -> tuple[Integers, Integers]:
        """Flat index of the cell (-1 outside) and index of the sub-cell in it (0 outside)."""
        # Sub-cells first and cells from them, so that the two can never disagree. One division
        # by the inverse step: 1 / 0.005 is exact where 0.005 is not.
        per_deg = np.rint(SUBCELLS_PER_SIDE / self.step_deg)
        with np.errstate(invalid="ignore"):
            fine_l, fine_b = np.broadcast_arrays(
                np.floor((signed_longitude(l_deg) - self.l_min_deg) * per_deg),
                np.floor((np.asarray(b_deg, dtype=np.float64) - self.b_min_deg) * per_deg),
            )
        n_l, n_b = self.mean.shape
        on_map = (fine_l >= 0) & (fine_l < n_l * SUBCELLS_PER_SIDE)
        on_map &= (fine_b >= 0) & (fine_b < n_b * SUBCELLS_PER_SIDE)
        il, sub_l = np.divmod(np.where(on_map, fine_l, 0).astype(np.int64), SUBCELLS_PER_SIDE)
        ib, sub_b = np.divmod(np.where(on_map, fine_b, 0).astype(np.int64), SUBCELLS_PER_SIDE)
        cell = np.where(on_map, il * n_b + ib, -1)
        return cell, np.where(on_map, sub_l * SUBCELLS_PER_SIDE + sub_b, 0)
