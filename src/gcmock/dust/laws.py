"""Extinction laws: A_J, A_H, A_Ks per magnitude of the map's E(J-Ks)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.data import read_toml
from gcmock.dust.profile import signed_longitude
from gcmock.errors import InputError

QUADRANTS = ("north-east", "north-west", "south-east", "south-west", "axis")
"""Rows of a law by quadrant: north is b > 0, east is l > 0; the last is for l = 0 or b = 0."""


@dataclass(frozen=True, eq=False)
class ExtinctionLaw:
    """An extinction law as a few distinct vectors.

    Parameters
    ----------
    name : str
        Name in ``data/extinction_laws.toml``.
    rows : ndarray, shape (n_row, 3)
        A_J, A_H, A_Ks over E(J-Ks): one row, or one per entry of `QUADRANTS`. The excess is that
        of the map, in the VVV bands, the magnitudes are in 2MASS-like bands: A_J - A_Ks need not
        be 1 (1.031 for Nishiyama+2009, see the data file).
    source : str
        Publication and how the numbers follow from it.
    """

    name: str
    rows: NDArray[np.float64]
    source: str

    def row(self, l_deg: ArrayLike, b_deg: ArrayLike) -> NDArray[np.int64]:
        """Return the row of the law that holds at a position.

        Parameters
        ----------
        l_deg, b_deg : array_like, broadcastable
            Galactic coordinates [deg]; longitudes of any turn.

        Returns
        -------
        ndarray of int, shape of the inputs
            Index into `rows`; 0 everywhere for a law of one row.
        """
        east, north = np.broadcast_arrays(signed_longitude(l_deg), np.asarray(b_deg, float))
        if len(self.rows) == 1:
            return np.zeros(east.shape, dtype=np.int64)
        quadrant = 2 * (north < 0.0) + (east < 0.0)
        return np.where((east == 0.0) | (north == 0.0), len(QUADRANTS) - 1, quadrant)

    def kappa(self, l_deg: ArrayLike, b_deg: ArrayLike) -> NDArray[np.float64]:
        """Return A_J, A_H, A_Ks over E(J-Ks) at positions [deg], shape (..., 3)."""
        return self.rows[self.row(l_deg, b_deg)]


def law_names() -> tuple[str, ...]:
    """Return the names of the known laws."""
    return tuple(read_toml("extinction_laws.toml"))


@cache
def load_law(name: str) -> ExtinctionLaw:
    """Load a law by name.

    Parameters
    ----------
    name : str
        One of `law_names`.

    Returns
    -------
    ExtinctionLaw
        Its array is read-only.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    laws = read_toml("extinction_laws.toml")
    if name not in laws:
        raise InputError(f"unknown extinction law {name!r}: expected one of {sorted(laws)}")
    rows = np.array(laws[name]["rows"], dtype=np.float64)
    rows.flags.writeable = False
    return ExtinctionLaw(name, rows, laws[name]["source"])
