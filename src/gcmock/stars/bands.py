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
from gcmock.errors import InputError


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


@cache
def load_hw_relation(name: str) -> HwRelation:
    """Load a relation by name.

    Parameters
    ----------
    name : str
        One of `hw_relation_names`.

    Returns
    -------
    HwRelation

    Raises
    ------
    InputError
        If the name is unknown.
    """
    relations = read_toml("hw_relations.toml")
    if name not in relations:
        raise InputError(f"unknown Hw relation {name!r}: expected one of {sorted(relations)}")
    entry = relations[name]
    p1, p2, p3 = entry["coefficients"]
    low, high = entry["valid_j_minus_h"]
    return HwRelation(
        name=name,
        coefficients=(p1, p2, p3),
        scatter_mag=entry["scatter_mag"],
        valid_j_minus_h=(low, high),
        source=entry["source"],
        status=entry["status"],
    )
