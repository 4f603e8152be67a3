"""The nuclear stellar disc: tabulated moments of a self-consistent distribution function.

Sormani et al. 2022 (MNRAS 512, 1857); the 5 pc grid is NSD_moments.dat of genulens 2.0.0a4.
Density and dispersions are interpolated in their logarithm, the rest linearly, as there.

The table is for z >= 0. Below the plane the correlation of v_R and v_z changes sign, as the
symmetry of the distribution function demands. The published programs do not flip it; where the
correlation is large (R > 500 pc, hardly any stars) this changes sigma(mu_b) by up to 5 %.
``symmetric_tilt=False`` gives their behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.data import path, read_toml
from gcmock.galaxy.component import (
    cylindrical_moments_to_model,
    cylindrical_to_model,
    radial_direction,
)


@cache
def _tables() -> tuple[float, Floats, Floats]:
    """Grid step (pc), log10 density (201, 81), and moments (201, 81, 5).

    The moments are mean v_phi, log10 of sigma_phi, sigma_R, sigma_z, and the correlation.
    """
    with np.load(path(read_toml("nuclear_disc.toml")["table"]["file"])) as data:
        moments = np.stack(
            (
                data["mean_vphi"],
                np.log10(data["sigma_phi"]),
                np.log10(data["sigma_r"]),
                np.log10(data["sigma_z"]),
                data["correlation_rz"],
            ),
            axis=-1,
        )
        return float(data["step_pc"]), np.log10(data["density"]), moments


def _interpolate(radius_pc: Floats, z_pc: Floats, table: Floats) -> Floats:
    """Bilinear value at (R, |z|) (n,) of a table (201, 81, ...), clamped at its edge."""
    step = _tables()[0]
    u = np.clip(radius_pc / step, 0.0, table.shape[0] - 1)
    v = np.clip(np.abs(z_pc) / step, 0.0, table.shape[1] - 1)
    i = np.minimum(u.astype(np.int64), table.shape[0] - 2)
    j = np.minimum(v.astype(np.int64), table.shape[1] - 2)
    trailing = (...,) + (None,) * (table.ndim - 2)
    p, q = (u - i)[trailing], (v - j)[trailing]
    near = table[i, j] * (1.0 - q) + table[i, j + 1] * q
    far = table[i + 1, j] * (1.0 - q) + table[i + 1, j + 1] * q
    return near * (1.0 - p) + far * p


def density(radius_pc: Floats, z_pc: Floats, max_radius_pc: float, max_height_pc: float) -> Floats:
    """Density (n,) of stars and remnants at (R, z) (n,), Msun/pc3; 0 outside the limits."""
    inside = (radius_pc <= max_radius_pc) & (np.abs(z_pc) <= max_height_pc)
    result = np.zeros(np.shape(radius_pc))
    # most of a line of sight is outside: look up only what is inside
    result[inside] = 10.0 ** _interpolate(radius_pc[inside], z_pc[inside], _tables()[1])
    return result


def moments(
    radius_pc: Floats, z_pc: Floats, symmetric_tilt: bool = True
) -> tuple[Floats, tuple[Floats, Floats, Floats], Floats]:
    """Velocity moments at (R, z), clamped at the edge of the table (1000 pc, 400 pc).

    Returns
    -------
    mean_vphi : ndarray, shape (n,)
        km/s.
    sigma : three ndarray, shape (n,)
        Of v_R, v_phi, v_z, km/s.
    correlation_rz : ndarray, shape (n,)
        Of v_R and v_z, with the sign of z if `symmetric_tilt`.
    """
    value = np.moveaxis(_interpolate(radius_pc, z_pc, _tables()[2]), -1, 0)
    sigma_phi, sigma_r, sigma_z = 10.0 ** value[1:4]
    correlation = value[4] * np.sign(z_pc) if symmetric_tilt else value[4]
    return value[0], (sigma_r, sigma_phi, sigma_z), correlation


@dataclass(frozen=True)
class NuclearDisc:
    """The nuclear stellar disc; satisfies `gcmock.galaxy.component.Component`.

    Attributes
    ----------
    name : str
    stars_per_mass, max_speed : float
        See `Component`.
    max_radius_pc, max_height_pc : float
        The density is zero beyond.
    symmetric_tilt : bool
        The velocity ellipsoid below the plane mirrors the one above.
    """

    name: str
    stars_per_mass: float
    max_speed: float
    max_radius_pc: float
    max_height_pc: float
    symmetric_tilt: bool = True

    def mass_density(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
        """See `Component.mass_density`."""
        return density(np.hypot(x_pc, y_pc), z_pc, self.max_radius_pc, self.max_height_pc)

    def velocity_moments(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """See `Component.velocity_moments`."""
        radius, cos, sin = radial_direction(x_pc, y_pc)
        mean, (sigma_r, sigma_phi, sigma_z), correlation = moments(
            radius, z_pc, self.symmetric_tilt
        )
        return cylindrical_moments_to_model(
            mean,
            (sigma_r**2, sigma_phi**2, sigma_z**2),
            correlation * sigma_r * sigma_z,
            cos,
            sin,
        )

    def sample_velocity(self, x_pc: Floats, y_pc: Floats, z_pc: Floats, uniforms: Floats) -> Floats:
        """See `Component.sample_velocity`; uniforms of v_R, v_phi, v_z in this order."""
        radius, cos, sin = radial_direction(x_pc, y_pc)
        mean, (sigma_r, sigma_phi, sigma_z), correlation = moments(
            radius, z_pc, self.symmetric_tilt
        )
        normal = ndtri(uniforms)
        tilted = correlation * normal[:, 0] + np.sqrt(1.0 - correlation**2) * normal[:, 2]
        return cylindrical_to_model(
            (sigma_r * normal[:, 0], mean + sigma_phi * normal[:, 1], sigma_z * tilted), cos, sin
        )
