"""Isochrones: absolute magnitudes of stars of one age and metallicity along their initial mass."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gcmock.data import path
from gcmock.errors import InputError
from gcmock.words.bands import LINEAR_BANDS, ROMAN_BANDS, magnitude_name

TABLES = {"parsec": "isochrones_parsec.parquet", "genstars": "isochrones_genstars.parquet"}
"""Names of the isochrone tables and their data files (provenance: ``data/README.md``)."""


class IsochroneTable(NamedTuple):
    """Points of all isochrones of a table, one isochrone after the other.

    Attributes
    ----------
    isochrone : ndarray of int, shape (n_point,)
        Number of the isochrone, from 0; the points of one are contiguous.
    age_gyr, metallicity : ndarray, shape (n_point,)
        Age [Gyr] and [M/H] [dex] of the isochrone.
    mass_init : ndarray, shape (n_point,)
        Initial mass [Msun], increasing along an isochrone.
    absolute_mag : ndarray, shape (n_point, n_linear)
        M_J, M_H, M_Ks [mag], Vega, 2MASS system: the linear bands in their order.
    roman_mag : ndarray, shape (n_point, 3)
        Absolute magnitudes in Roman F087, F146, F213 [mag], Vega; NaN where the table has none.
    """

    isochrone: NDArray[np.int64]
    age_gyr: NDArray[np.float64]
    metallicity: NDArray[np.float64]
    mass_init: NDArray[np.float64]
    absolute_mag: NDArray[np.float64]
    roman_mag: NDArray[np.float64]


@cache
def load_isochrones(name: str) -> IsochroneTable:
    """Load a table of isochrones.

    The giants of an old population live within 0.05 to 0.1 Msun of initial mass: integrate the
    initial mass function between neighbouring points, never on a regular grid of masses. Magnitudes
    are not monotonic in mass (red-giant branch, clump, thermal pulses), so they cannot be inverted,
    and no column tells the evolutionary phase. Dead stars are not in the tables: the last point
    of an isochrone is its last living star. Where the source jumps at constant mass (thermal
    pulses) only the first of the two points is kept.

    Parameters
    ----------
    name : {"parsec", "genstars"}
        ``parsec``: 77 isochrones of PARSEC v1.2S + COLIBRI (CMD 3.9), ages 0.05 to 12 Gyr.
        ``genstars``: the ten of genstars, one per component (the nuclear cluster has that of the
        nuclear disc), PARSEC above 0.55 Msun and mostly an empirical relation below.

    Returns
    -------
    IsochroneTable
        Read-only arrays, shared between callers.

    Raises
    ------
    InputError
        If there is no such table.
    """
    if name not in TABLES:
        raise InputError(f"unknown isochrones {name!r}: expected one of {sorted(TABLES)}")
    table = pq.read_table(path(TABLES[name]))
    roman = tuple(map(magnitude_name, ROMAN_BANDS))
    has_roman = set(roman) <= set(table.column_names)

    def column(key: str) -> NDArray[np.float64]:
        return table[key].to_numpy().astype(np.float64)

    def bands(keys: tuple[str, ...]) -> NDArray[np.float64]:
        # The tables have three decimals: undo the rounding of single precision.
        return np.column_stack([column(key) for key in keys]).round(3)

    mag = bands(tuple(map(magnitude_name, LINEAR_BANDS)))
    loaded = IsochroneTable(
        isochrone=table["isochrone"].to_numpy().astype(np.int64),
        age_gyr=column("age_gyr"),
        metallicity=column("metallicity"),
        mass_init=column("mass_init"),
        absolute_mag=mag,
        roman_mag=bands(roman) if has_roman else np.full((len(mag), len(roman)), np.nan),
    )
    for array in loaded:
        array.flags.writeable = False
    return loaded
