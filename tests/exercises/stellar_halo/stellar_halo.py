"""The stellar halo: an exponential spheroid of old stars that does not rotate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.galaxy.component import Recipe
from gcmock.stars.mass_budget import mass_budget


def relative_density(
    x_pc: Floats, y_pc: Floats, z_pc: Floats, scale_pc: float, axis_ratio: float
) -> Floats:
    """Density exp(-a / scale) at model positions, a² = x² + y² + (z / q)², shape (n,)."""
    return np.exp(-np.sqrt(x_pc**2 + y_pc**2 + (z_pc / axis_ratio) ** 2) / scale_pc)


@dataclass(frozen=True)
class StellarHalo:
    """The stellar halo; satisfies `gcmock.galaxy.component.Component`.

    Parameters
    ----------
    name : str
    central_density : float
        Stars and remnants at the Galactic centre [Msun/pc3].
    scale_pc, axis_ratio : float
        Scale length [pc], and short axis over long axis.
    dispersion : float
        Standard deviation of the velocity in every direction [km/s].
    stars_per_mass, max_speed : float
        See `Component`.
    """

    name: str
    central_density: float
    scale_pc: float
    axis_ratio: float
    dispersion: float
    stars_per_mass: float
    max_speed: float

    def mass_density(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
        """See `Component.mass_density`."""
        shape = relative_density(x_pc, y_pc, z_pc, self.scale_pc, self.axis_ratio)
        return self.central_density * shape

    def velocity_moments(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """See `Component.velocity_moments`."""
        mean = np.zeros((*np.shape(x_pc), 3))
        return mean, np.broadcast_to(self.dispersion**2 * np.eye(3), (*np.shape(x_pc), 3, 3))

    def sample_velocity(self, x_pc: Floats, y_pc: Floats, z_pc: Floats, uniforms: Floats) -> Floats:
        """See `Component.sample_velocity`."""
        return self.dispersion * ndtri(uniforms)


def make(recipe: Recipe) -> StellarHalo:
    """Build the stellar halo (``stellar_halo.toml``)."""
    table = read_toml("stellar_halo.toml")
    budget = mass_budget(recipe.imf, "halo", table["age_gyr"])
    return StellarHalo(
        name=recipe.name,
        central_density=table["central_density"],
        scale_pc=table["scale_pc"],
        axis_ratio=table["axis_ratio"],
        dispersion=table["dispersion"],
        stars_per_mass=budget.stars_per_mass,
        max_speed=table["max_speed"],
    )
