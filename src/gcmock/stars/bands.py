"""The JASMINE Hw band: relations that give Hw from J and H.

Hw (1.0-1.6 um) is so broad that its extinction depends on the star and on the extinction itself:
apply a relation to apparent, reddened magnitudes, never an extinction ratio to an intrinsic Hw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.settings.name_or_path import is_path, known_or_own, name_of
from gcmock.stars.relation_table import RelationTable


@dataclass(frozen=True)
class HwRelation:
    """Hw = H + p1 x + p2 x² + p3 x³ with x = J - H.

    Parameters
    ----------
    name : str
        Name in ``data/hw_relations.toml``.
    coefficients : tuple of 3 floats
        p1, p2, p3 [mag^(1 - power)].
    scatter_mag : float
        Standard deviation of stars about the relation [mag].
    valid_j_minus_h : tuple of 2 floats
        Range of J - H in which the relation was compared with synthetic photometry [mag].
    source, status : str
        Where it comes from and how far to trust that.
    """

    name: str
    coefficients: tuple[float, float, float]
    scatter_mag: float
    valid_j_minus_h: tuple[float, float]
    source: str
    status: str

    def hw_mag(self, j_mag: ArrayLike, h_mag: ArrayLike) -> Floats:
        """Return Hw [mag] of apparent J and H [mag]; shapes broadcast, NaN stays NaN."""
        h = np.asarray(h_mag, dtype=np.float64)
        x = np.asarray(j_mag, dtype=np.float64) - h
        p1, p2, p3 = self.coefficients
        return np.asarray(h + x * (p1 + x * (p2 + x * p3)))

    def derivatives(self, j_mag: ArrayLike, h_mag: ArrayLike) -> tuple[Floats, Floats]:
        """Return dHw/dJ and dHw/dH at apparent J and H [mag]; their sum is 1."""
        x = np.asarray(j_mag, dtype=np.float64) - np.asarray(h_mag, dtype=np.float64)
        p1, p2, p3 = self.coefficients
        d_j = np.asarray(p1 + x * (2.0 * p2 + x * 3.0 * p3))
        return d_j, 1.0 - d_j

    def curvature(self, j_mag: ArrayLike, h_mag: ArrayLike) -> Floats:
        """Return the second derivative of Hw with J - H at apparent J and H [1 / mag]."""
        x = np.asarray(j_mag, dtype=np.float64) - np.asarray(h_mag, dtype=np.float64)
        _, p2, p3 = self.coefficients
        return np.asarray(2.0 * p2 + 6.0 * p3 * x)

    def is_valid(self, j_mag: ArrayLike, h_mag: ArrayLike) -> NDArray[np.bool_]:
        """Return whether J - H lies in the valid range; NaN does not."""
        x = np.asarray(j_mag, dtype=np.float64) - np.asarray(h_mag, dtype=np.float64)
        low, high = self.valid_j_minus_h
        return np.asarray((x >= low) & (x <= high))


def hw_relation_names() -> tuple[str, ...]:
    """Return the names of the known relations."""
    return tuple(read_toml("hw_relations.toml"))


def load_hw_relation(name: str) -> HwRelation:
    """Load a relation.

    Parameters
    ----------
    name : str
        One of `hw_relation_names`, or the path of a TOML file with the keys of
        `gcmock.stars.relation_table.RelationTable`.

    Returns
    -------
    HwRelation

    Raises
    ------
    InputError
        If the name is unknown, the file cannot be read, or a key is wrong.
    """
    return _load(name) if is_path(name) else _packaged(name)


@cache
def _packaged(name: str) -> HwRelation:
    return _load(name)


def _load(name: str) -> HwRelation:
    known = read_toml("hw_relations.toml")
    table: RelationTable = known_or_own("Hw relation", name, known, RelationTable)
    return HwRelation(name=name_of(name), **dict(table))
