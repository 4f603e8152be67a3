"""What is left of a born population at an age: living stars, remnants, and their masses."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.data import path
from gcmock.errors import InputError
from gcmock.stars.imf import BrokenPowerLaw

# Initial-final mass relation: Lam+2020 (ApJ 889, 31) after Raithel+2018 (ApJ 856, 35), in Msun.
WHITE_DWARF_LIMIT = 9.0
_NEUTRON_STAR_EDGES = np.array([9.0, 15.0, 17.8, 18.5, 21.7, 25.2, 27.5, 60.0])
_NEUTRON_STAR_FRACTION = np.array([1.0, 0.679, 0.833, 0.5, 0.0, 0.652, 0.0, 0.4])
# borders where the relation has a kink: the quadrature goes piece by piece
_RELATION_EDGES = np.array([9.0, 13.0, 15.0, 17.8, 18.5, 21.7, 25.2, 27.5, 42.21, 60.0])
_QUADRATURE = np.polynomial.legendre.leggauss(16)


@cache
def _dying_mass_rows() -> dict[str, tuple[Floats, Floats]]:
    """Ages (Gyr) and dying masses (Msun) of every family of ``dying_mass.csv``."""
    with path("dying_mass.csv").open() as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    families: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        pair = (float(row["age_gyr"]), float(row["dying_mass"]))
        families.setdefault(row["family"], []).append(pair)
    tables = {name: np.array(pairs).T for name, pairs in families.items()}
    return {name: (table[0], table[1]) for name, table in tables.items()}


def dying_mass_table(family: str) -> tuple[Floats, Floats]:
    """Tabulated ages (n,) in Gyr and largest living initial masses (n,) in Msun.

    Parameters
    ----------
    family : {"thin", "thick", "halo", "bar", "nsd"}
        PARSEC isochrones of that population (Minidie.dat of genulens 2.0.0a4).

    Raises
    ------
    InputError
        Unknown family.
    """
    tables = _dying_mass_rows()
    if family not in tables:
        raise InputError(f"no dying masses for {family!r}; valid: {', '.join(tables)}")
    return tables[family]


def dying_mass(family: str, age_gyr: ArrayLike) -> Floats:
    """Largest initial mass (n,) still alive at an age, Msun.

    The row at or below the age is taken, the first one for younger stars: the steps of
    0.05 Gyr are part of the published normalisation of the disc.

    Parameters
    ----------
    family : str
        See `dying_mass_table`.
    age_gyr : array_like, shape (n,)
    """
    ages, masses = dying_mass_table(family)
    # ages are multiples of 0.01 Gyr in floating point: 0.15 must find the row 0.15
    row = np.searchsorted(ages, np.asarray(age_gyr, dtype=np.float64) + 1e-6, side="right") - 1
    return masses[np.clip(row, 0, len(ages) - 1)]


def white_dwarf_mass(mass_init: Floats) -> Floats:
    """White dwarf mass (n,) of an initial mass below 9 Msun, Msun (Kalirai+2008, eq. 1)."""
    return 0.109 * mass_init + 0.394


def neutron_star_mass(mass_init: Floats) -> Floats:
    """Mean neutron star mass (n,) of an initial mass above 9 Msun, Msun (Raithel+2018, eq. 11)."""
    m = mass_init
    u, w = m - 14.75, m - 2.619
    return np.select(
        [m < 13.0, m < 15.0, m < 17.8, m < 18.5, m < 21.7, m < 27.5],
        [
            2.24 + 0.508 * u + 0.125 * u**2 + 0.011 * u**3,
            0.123 + 0.112 * m,
            0.996 + 0.0384 * m,
            -0.02 + 0.1 * m,
            1.60,
            3232.29 - 409.429 * w + 17.2867 * w**2 - 0.24315 * w**3,
        ],
        1.78,
    )


def black_hole_mass(mass_init: Floats) -> Floats:
    """Mean black hole mass (n,) of an initial mass above 9 Msun, Msun (Raithel+2018, eqs. 1-7)."""
    m = mass_init
    t = m - 25.97
    core = np.where(m < 42.21, -2.049 + 0.414 * m, 5.697 + 7.8598e8 * m**-4.858)
    whole = 15.52 - 0.3294 * t - 0.02121 * t**2 + 0.00312 * t**3
    ejected = np.where(m < 42.21, 0.9, 1.0)
    return ejected * core + (1.0 - ejected) * whole


def remnant_mass(mass_init: ArrayLike) -> Floats:
    """Compute the expected mass (n,) of the remnant of a star, Msun.

    Above 9 Msun a mean over neutron stars and black holes with the probabilities of Raithel+2018
    (as tabulated by Lam+2020).
    """
    m = np.asarray(mass_init, dtype=np.float64)
    bin_of = np.clip(np.searchsorted(_NEUTRON_STAR_EDGES, m, side="right") - 1, 0, None)
    fraction = _NEUTRON_STAR_FRACTION[bin_of]
    heavy = fraction * neutron_star_mass(m) + (1.0 - fraction) * black_hole_mass(m)
    return np.where(m < WHITE_DWARF_LIMIT, white_dwarf_mass(m), heavy)


def remnant_mass_per_star(imf: BrokenPowerLaw, mass_low: float) -> float:
    """Remnant mass of all stars born above `mass_low`, Msun per born star of any mass."""
    top = imf.edges_msun[-1]
    borders = np.concatenate((_RELATION_EDGES, imf.edges_msun))
    borders = np.unique(np.concatenate(([mass_low], borders[borders > mass_low], [top])))
    node, weight = _QUADRATURE
    log_low, log_high = np.log(borders[:-1, None]), np.log(borders[1:, None])
    mass = np.exp(0.5 * (log_high + log_low) + 0.5 * (log_high - log_low) * node)
    step = 0.5 * (log_high - log_low) * weight
    return float(np.sum(step * mass * imf.density(mass) * remnant_mass(mass)))


@dataclass(frozen=True)
class MassBudget:
    """Living stars and remnants per star ever born.

    Attributes
    ----------
    living_number, remnant_number : float
        Fractions of the born stars; their sum is 1.
    living_mass, remnant_mass : float
        Msun per born star. The mass loss of living stars is ignored.
    """

    living_number: float
    remnant_number: float
    living_mass: float
    remnant_mass: float

    @property
    def stars_per_mass(self) -> float:
        """Living stars per Msun of living stars and remnants."""
        return self.living_number / (self.living_mass + self.remnant_mass)

    @property
    def living_mass_fraction(self) -> float:
        """Fraction of the living stars in the present mass."""
        return self.living_mass / (self.living_mass + self.remnant_mass)

    @property
    def mean_living_mass(self) -> float:
        """Mean initial mass of the living stars, Msun."""
        return self.living_mass / self.living_number


def mass_budget(
    imf: BrokenPowerLaw, family: str, age_gyr: ArrayLike, weight: ArrayLike = 1.0
) -> MassBudget:
    """Mass budget of a mixture of ages.

    Parameters
    ----------
    imf : BrokenPowerLaw
    family : str
        See `dying_mass_table`.
    age_gyr : array_like, shape (n_age,)
    weight : array_like, shape (n_age,) or scalar
        Stars born at each age, any normalisation.

    Returns
    -------
    MassBudget
    """
    limit = np.atleast_1d(dying_mass(family, age_gyr))
    fraction = np.broadcast_to(np.asarray(weight, dtype=np.float64), limit.shape)
    fraction = fraction / fraction.sum()
    low = imf.edges_msun[0]
    # many ages share a row of the table: integrate the remnants once per row
    rows, index = np.unique(limit, return_inverse=True)
    per_row = np.bincount(index, weights=fraction)
    living_number = float(per_row @ imf.number(low, rows))
    return MassBudget(
        living_number=living_number,
        remnant_number=1.0 - living_number,
        living_mass=float(per_row @ imf.mass(low, rows)),
        remnant_mass=float(per_row @ [remnant_mass_per_star(imf, row) for row in rows]),
    )
