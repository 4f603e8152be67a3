"""Thin and thick discs: exponential in radius, sech2 or exponential in height, Shu rotation.

Koshimoto, Baba & Bennett 2021 (ApJ 917, 78), section 3.1; parameters in ``disc.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.galaxy.component import (
    cylindrical_moments_to_model,
    cylindrical_to_model,
    radial_direction,
)
from gcmock.galaxy.shu import (
    ShuParameters,
    ShuTable,
    rotation_moments,
    rotation_speed,
    sample_ratio,
    shu_table,
)

SCALE_HEIGHT_MODELS: Final = ("flat", "linear")
INNER_DISCS: Final = ("break", "hole", "exponential")


@dataclass(frozen=True)
class DiscShape:
    """Geometry of one disc.

    Attributes
    ----------
    scale_length_pc : float
    scale_height_pc, inner_scale_height_pc : float
        At the Sun, and inside `flare_radius_pc` (used by "linear" only), pc.
    vertical : {"sech2", "exponential"}
    scale_height_model : {"flat", "linear"}
        Scale height constant, or linear in R between `flare_radius_pc` and the Sun and beyond.
    inner : {"break", "hole", "exponential"}
        Surface density constant inside `break_radius_pc`; with a central hole
        exp(-R/Rd - hole/R); or exponential to the centre.
    r0_pc, break_radius_pc, hole_radius_pc, flare_radius_pc : float
    """

    scale_length_pc: float
    scale_height_pc: float
    inner_scale_height_pc: float
    vertical: str
    scale_height_model: str
    inner: str
    r0_pc: float
    break_radius_pc: float
    hole_radius_pc: float
    flare_radius_pc: float


def surface_density(radius_pc: Floats, shape: DiscShape) -> Floats:
    """Surface density at R (n,) relative to the Sun's, (n,)."""
    r0, scale = shape.r0_pc, shape.scale_length_pc
    if shape.inner == "break":
        return np.exp((r0 - np.maximum(radius_pc, shape.break_radius_pc)) / scale)
    exponent = (r0 - radius_pc) / scale
    if shape.inner == "hole":
        exponent += shape.hole_radius_pc * (1.0 / r0 - 1.0 / np.maximum(radius_pc, 1.0))
    return np.exp(exponent)


def scale_height(radius_pc: Floats, shape: DiscShape) -> Floats | float:
    """Scale height at R (n,), pc; a scalar where it is constant."""
    if shape.scale_height_model == "flat":
        return shape.scale_height_pc
    slope = (shape.scale_height_pc - shape.inner_scale_height_pc) / (
        shape.r0_pc - shape.flare_radius_pc
    )
    outer = shape.scale_height_pc + (radius_pc - shape.r0_pc) * slope
    return np.where(radius_pc > shape.flare_radius_pc, outer, shape.inner_scale_height_pc)


def vertical_profile(z_pc: Floats, height_pc: Floats | float, vertical: str) -> Floats:
    """sech2(z/h) or exp(-|z|/h) at z (n,), 1 in the plane."""
    decay = np.exp(-np.abs(z_pc) / height_pc)
    if vertical == "exponential":
        return decay
    return (2.0 * decay / (1.0 + decay * decay)) ** 2


def relative_density(radius_pc: Floats, z_pc: Floats, shape: DiscShape) -> Floats:
    """Density at (R, z) (n,) relative to the plane at the Sun, (n,)."""
    height = scale_height(radius_pc, shape)
    # dividing by the height keeps the surface density exponential where the disc flares
    return (
        surface_density(radius_pc, shape)
        * (shape.scale_height_pc / height)
        * vertical_profile(z_pc, height, shape.vertical)
    )


@dataclass(frozen=True)
class Disc:
    """One disc component; satisfies `gcmock.galaxy.component.Component`.

    Attributes
    ----------
    name : str
    shape : DiscShape
    local_density : float
        Stars and remnants in the plane at the Sun, Msun/pc3.
    stars_per_mass, max_speed : float
        See `Component`.
    sigma_r, sigma_z : float
        Velocity dispersions at the Sun, km/s.
    sigma_r_scale_pc, sigma_z_scale_pc : float
        Their exponential scale lengths, pc.
    """

    name: str
    shape: DiscShape
    local_density: float
    stars_per_mass: float
    max_speed: float
    sigma_r: float
    sigma_z: float
    sigma_r_scale_pc: float
    sigma_z_scale_pc: float

    @property
    def shu(self) -> ShuTable:
        """Table of the rotation, built on first use."""
        return shu_table(
            ShuParameters(
                self.shape.scale_length_pc, self.sigma_r, self.sigma_r_scale_pc, self.shape.r0_pc
            )
        )

    def mass_density(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
        """See `Component.mass_density`."""
        return self.local_density * relative_density(np.hypot(x_pc, y_pc), z_pc, self.shape)

    def dispersions(self, radius_pc: Floats) -> tuple[Floats, Floats]:
        """sigma_R and sigma_z at R (n,), km/s."""
        outward = radius_pc - self.shape.r0_pc
        return (
            self.sigma_r * np.exp(-outward / self.sigma_r_scale_pc),
            self.sigma_z * np.exp(-outward / self.sigma_z_scale_pc),
        )

    def velocity_moments(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """See `Component.velocity_moments`; v_phi by the moments of the Shu distribution."""
        radius, cos, sin = radial_direction(x_pc, y_pc)
        sigma_r, sigma_z = self.dispersions(radius)
        mean, variance = rotation_moments(self.shu, radius, z_pc)
        return cylindrical_moments_to_model(mean, (sigma_r**2, variance, sigma_z**2), 0.0, cos, sin)

    def sample_velocity(self, x_pc: Floats, y_pc: Floats, z_pc: Floats, uniforms: Floats) -> Floats:
        """See `Component.sample_velocity`; uniforms of v_R, v_phi, v_z in this order."""
        radius, cos, sin = radial_direction(x_pc, y_pc)
        sigma_r, sigma_z = self.dispersions(radius)
        normal = ndtri(uniforms)
        ratio = sample_ratio(self.shu, radius, z_pc, normal[:, 1])
        v_phi = rotation_speed(ratio, radius, z_pc)
        return cylindrical_to_model(
            (sigma_r * normal[:, 0], v_phi, sigma_z * normal[:, 2]), cos, sin
        )
