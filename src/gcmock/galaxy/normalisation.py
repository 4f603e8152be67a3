"""How much mass and how many living stars each component holds.

The local density of the discs comes from their star formation history, the mass of the bar from
the stellar mass in the VVV box (Koshimoto+2021, sections 3.1 and 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.galaxy.bar import Shape, box_integral
from gcmock.galaxy.disc import DiscShape, scale_height, surface_density
from gcmock.stars.imf import BrokenPowerLaw
from gcmock.stars.mass_budget import MassBudget, dying_mass_table, mass_budget


@dataclass(frozen=True)
class LocalDensity:
    """A disc in the plane at the Sun.

    Attributes
    ----------
    living, total : float
        Living stars; stars and remnants, Msun/pc3.
    stars_per_mass : float
        Living stars per Msun of `total`.
    """

    living: float
    total: float
    stars_per_mass: float


def _local_density(living: float, budget: MassBudget) -> LocalDensity:
    """Add the remnants to a density of living stars."""
    return LocalDensity(living, living / budget.living_mass_fraction, budget.stars_per_mass)


def thin_disc_history(youngest_gyr: float, oldest_gyr: float) -> tuple[Floats, Floats]:
    """Ages (n,) in Gyr of a thin disc and stars born at each of them (n,), relative.

    Star formation ~ exp[-(10 Gyr - age) / 7 Gyr]: there were more births in the past.
    """
    local = read_toml("disc.toml")["local"]
    step = local["age_step_gyr"]
    first, last = round(youngest_gyr / step) + 1, round(oldest_gyr / step)
    age = step * np.arange(first, last + 1)
    since_start = local["disc_age_gyr"] - age
    return age, np.exp(-since_start / local["star_formation_timescale_gyr"])


@cache
def disc_local_densities(imf: BrokenPowerLaw, r0_pc: float) -> dict[str, LocalDensity]:
    """Local density of each disc.

    The living thin disc (Bovy 2017) is divided among the age bins by star formation history and
    by how far each bin spreads: its fraction of stars over R_d z_d exp(R0/R_d).

    Parameters
    ----------
    imf : BrokenPowerLaw
    r0_pc : float

    Returns
    -------
    dict of LocalDensity
        thin1 ... thin7, thick.
    """
    table = read_toml("disc.toml")
    thin_total = table["local"]["thin_living_density"]
    fraction: dict[str, float] = {}
    budgets: dict[str, MassBudget] = {}
    for name, row in table["components"].items():
        if not name.startswith("thin"):
            continue
        youngest, oldest, _ = row["age_gyr"]
        age, born = thin_disc_history(youngest, oldest)
        budgets[name] = mass_budget(imf, "thin", age, born)
        length, height = row["scale_length_pc"], row["scale_height_pc"]
        spread = length * height * np.exp(r0_pc / length)
        fraction[name] = budgets[name].living_mass * float(born.sum()) / spread
    norm = thin_total / sum(fraction.values())
    densities = {name: _local_density(norm * fraction[name], budgets[name]) for name in fraction}
    thick_age = table["components"]["thick"]["age_gyr"][2]
    densities["thick"] = _local_density(
        table["local"]["thick_to_thin"] * thin_total, mass_budget(imf, "thick", thick_age)
    )
    return densities


def gaussian_age_budget(
    imf: BrokenPowerLaw, family: str, mean_gyr: float, sigma_gyr: float
) -> MassBudget:
    """Mass budget of a Gaussian mix of the tabulated ages of a family (bar, nsd)."""
    age, _ = dying_mass_table(family)
    return mass_budget(imf, family, age, np.exp(-0.5 * ((age - mean_gyr) / sigma_gyr) ** 2))


def disc_mass_in_box(shape: DiscShape, half_size_pc: tuple[float, float, float]) -> float:
    """Integral of a disc's relative density over a box around the centre, pc3.

    The vertical integral is exact for the scale height at each R; horizontally Gauss-Legendre.
    """
    node, weight = np.polynomial.legendre.leggauss(24)
    x, y = (half * 0.5 * (node + 1.0) for half in half_size_pc[:2])
    radius = np.hypot(x[:, None], y[None, :])
    height = scale_height(radius, shape)
    top = half_size_pc[2] / height
    # the factor z_d / h of the density cancels the h of the integral
    column = np.tanh(top) if shape.vertical == "sech2" else -np.expm1(-top)
    column = 2.0 * shape.scale_height_pc * column * surface_density(radius, shape)
    return float(half_size_pc[0] * half_size_pc[1] * (weight @ column @ weight))


def bar_central_scale(bar: Shape, mass_fraction: float, disc_mass: float) -> float:
    """Density scale of the bar, Msun/pc3.

    Parameters
    ----------
    bar : BarShape or PeanutBar
    mass_fraction : float
        Fitted factor of the stellar mass in the VVV box (Portail+2017), f_rho0b.
    disc_mass : float
        Mass of the discs in the same box, Msun.
    """
    box = read_toml("bar.toml")["vvv_box"]
    half_x, half_y, half_z = box["half_size_pc"]
    mass = mass_fraction * box["mass_msun"] - disc_mass
    return mass / box_integral(bar, (half_x, half_y, half_z))
