"""Synthetic bands: relations that give their magnitudes from J and H.

A band such as JASMINE Hw (1.0-1.6 um) is so broad that its extinction depends on the star and on
the extinction itself: apply a relation to apparent, reddened magnitudes, never an extinction
ratio to an intrinsic magnitude.

Every synthetic band of `gcmock.words.bands.BAND_TABLE` has its relations in the data file
``<band>_relations.toml``, and names the one that it has by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.settings.name_or_path import is_path, known_or_own, name_of
from gcmock.stars.relation_table import RelationTable
from gcmock.words.bands import SYNTHETIC_BANDS, H, J, band


@dataclass(frozen=True)
class SyntheticRelation:
    """The magnitude H + p1 x + p2 x² + p3 x³ with x = J - H.

    Parameters
    ----------
    band : str
        Name of the synthetic band.
    name : str
        Name in the data file of the band.
    coefficients : tuple of 3 floats
        p1, p2, p3 [mag^(1 - power)].
    scatter_mag : float
        Standard deviation of stars about the relation [mag].
    valid_j_minus_h : tuple of 2 floats
        Range of J - H in which the relation was compared with synthetic photometry [mag].
    source, status : str
        Where it comes from and how far to trust that.
    """

    band: str
    name: str
    coefficients: tuple[float, float, float]
    scatter_mag: float
    valid_j_minus_h: tuple[float, float]
    source: str
    status: str

    def mag(self, j_mag: ArrayLike, h_mag: ArrayLike) -> Floats:
        """Return the magnitude [mag] at apparent J and H [mag]; shapes broadcast, NaN stays NaN."""
        h = np.asarray(h_mag, dtype=np.float64)
        x = np.asarray(j_mag, dtype=np.float64) - h
        p1, p2, p3 = self.coefficients
        return np.asarray(h + x * (p1 + x * (p2 + x * p3)))

    def derivatives(self, j_mag: ArrayLike, h_mag: ArrayLike) -> tuple[Floats, Floats]:
        """Return the derivatives with J and with H at apparent J and H [mag]; their sum is 1."""
        x = np.asarray(j_mag, dtype=np.float64) - np.asarray(h_mag, dtype=np.float64)
        p1, p2, p3 = self.coefficients
        d_j = np.asarray(p1 + x * (2.0 * p2 + x * 3.0 * p3))
        return d_j, 1.0 - d_j

    def curvature(self, j_mag: ArrayLike, h_mag: ArrayLike) -> Floats:
        """Return the second derivative with J - H at apparent J and H [1 / mag]."""
        x = np.asarray(j_mag, dtype=np.float64) - np.asarray(h_mag, dtype=np.float64)
        _, p2, p3 = self.coefficients
        return np.asarray(2.0 * p2 + 6.0 * p3 * x)

    def is_valid(self, j_mag: ArrayLike, h_mag: ArrayLike) -> NDArray[np.bool_]:
        """Return whether J - H lies in the valid range; NaN does not."""
        x = np.asarray(j_mag, dtype=np.float64) - np.asarray(h_mag, dtype=np.float64)
        low, high = self.valid_j_minus_h
        return np.asarray((x >= low) & (x <= high))


Relations = Mapping[str, SyntheticRelation]
"""The relation of every synthetic band by its name, in the order of the table of bands."""


def with_synthetic(linear_mag: Floats, relations: Relations) -> Floats:
    """Return magnitudes in all bands.

    Parameters
    ----------
    linear_mag : ndarray, shape (..., n_linear)
        Apparent, reddened magnitudes in the linear bands [mag].
    relations : mapping of str to SyntheticRelation
        Relation of every synthetic band.

    Returns
    -------
    ndarray, shape (..., n_band)
        [mag]
    """
    j, h = linear_mag[..., J], linear_mag[..., H]
    synthetic = [relations[name].mag(j, h) for name in SYNTHETIC_BANDS]
    return np.concatenate([linear_mag, np.stack(synthetic, axis=-1)], axis=-1)


def relation_names(band_name: str) -> tuple[str, ...]:
    """Return the names of the known relations of a synthetic band."""
    return tuple(read_toml(_file_of(band_name)))


def load_relation(band_name: str, name: str = "") -> SyntheticRelation:
    """Load a relation.

    Parameters
    ----------
    band_name : str
        A synthetic band.
    name : str
        One of `relation_names`, or the path of a TOML file with the keys of
        `gcmock.stars.relation_table.RelationTable`; the default of the band if empty.

    Returns
    -------
    SyntheticRelation

    Raises
    ------
    InputError
        If the name is unknown, the file cannot be read, or a key is wrong.
    """
    name = name or band(band_name).relation
    return _load(band_name, name) if is_path(name) else _packaged(band_name, name)


@cache
def _packaged(band_name: str, name: str) -> SyntheticRelation:
    return _load(band_name, name)


def _load(band_name: str, name: str) -> SyntheticRelation:
    known = read_toml(_file_of(band_name))
    table = known_or_own(f"{band(band_name).label} relation", name, known, RelationTable)
    return SyntheticRelation(band=band_name, name=name_of(name), **dict(table))


def load_relations(hw_relation: str = "") -> dict[str, SyntheticRelation]:
    """Load a relation for every synthetic band.

    Parameters
    ----------
    hw_relation : str
        Relation of Hw, a name or a path as in ``[photometry] hw_relation``; its default if
        empty. All other bands have the relation that the table of bands names.

    Returns
    -------
    dict of str to SyntheticRelation
        By band, in the order of the table.
    """
    chosen = {"hw": hw_relation}
    return {name: load_relation(name, chosen.get(name, "")) for name in SYNTHETIC_BANDS}


def _file_of(band_name: str) -> str:
    """Name of the data file with the relations of a band."""
    return f"{band_name}_relations.toml"
