"""Extinction laws: A_J, A_H, A_Ks per magnitude of the map's E(J-Ks)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from gcmock.data import read_toml
from gcmock.dust.profile import signed_longitude
from gcmock.settings.base import Section
from gcmock.settings.name_or_path import is_path, known_or_own, name_of

QUADRANTS = ("north-east", "north-west", "south-east", "south-west", "axis")
"""Rows of a law by quadrant: north is b > 0, east is l > 0; the last is for l = 0 or b = 0."""

# Published laws reach from 0.4 in Ks to 1.9 in J.
Extinction = Annotated[float, Field(gt=0.0, le=20.0)]


class LawTable(Section):
    """A law as a table of TOML: of ``data/extinction_laws.toml``, or a file of one's own."""

    rows: tuple[tuple[Extinction, Extinction, Extinction], ...] = Field(
        description="A_J, A_H, A_Ks per E(J-Ks) of the map: one row, or one for each quadrant"
    )
    source: str = Field(description="Publication and how the numbers follow from it")

    @field_validator("rows")
    @classmethod
    def _one_or_quadrants(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(value) not in (1, len(QUADRANTS)):
            raise ValueError(
                f"has {len(value)} rows; expected 1, or {len(QUADRANTS)}: {', '.join(QUADRANTS)}"
            )
        return value


@dataclass(frozen=True, eq=False)
class ExtinctionLaw:
    """An extinction law as a few distinct vectors.

    Parameters
    ----------
    name : str
        Name in ``data/extinction_laws.toml``, or that of its own file.
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


def load_law(name: str) -> ExtinctionLaw:
    """Load a law.

    Parameters
    ----------
    name : str
        One of `law_names`, or the path of a TOML file with the keys of `LawTable`.

    Returns
    -------
    ExtinctionLaw
        Its array is read-only.

    Raises
    ------
    InputError
        If the name is unknown, the file cannot be read, or a key is wrong.
    """
    return _load(name) if is_path(name) else _packaged(name)


@cache
def _packaged(name: str) -> ExtinctionLaw:
    return _load(name)


def _load(name: str) -> ExtinctionLaw:
    known = read_toml("extinction_laws.toml")
    table: LawTable = known_or_own("extinction law", name, known, LawTable)
    rows = np.array(table.rows, dtype=np.float64)
    rows.flags.writeable = False
    return ExtinctionLaw(name_of(name), rows, table.source)
