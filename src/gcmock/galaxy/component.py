"""What every component of the Galaxy offers, and the algebra they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from gcmock.arrays import Floats
from gcmock.galaxy.sun import Sun
from gcmock.stars.imf import BrokenPowerLaw


class Component(Protocol):
    """One component of the Galactic model: its density and its velocity distribution.

    Attributes
    ----------
    name : str
        A name of `gcmock.words.components.COMPONENTS`.
    stars_per_mass : float
        Living stars (brown dwarfs included) per Msun of stars and remnants.
    max_speed : float
        Galactocentric speed in km/s above which a drawn velocity is drawn again.
    """

    @property
    def name(self) -> str:
        """Name of the component."""

    @property
    def stars_per_mass(self) -> float:
        """Living stars per Msun."""

    @property
    def max_speed(self) -> float:
        """Largest speed, km/s."""

    def mass_density(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
        """Msun/pc3 of stars and remnants at model positions (n,); returns (n,)."""

    def velocity_moments(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """Mean (n, 3) in km/s and covariance (n, 3, 3) in km2/s2 of (vx, vy, vz).

        Of single draws: the cut at `max_speed`, which narrows the bar's centre by 3 %, is left out.
        """

    def sample_velocity(self, x_pc: Floats, y_pc: Floats, z_pc: Floats, uniforms: Floats) -> Floats:
        """One draw of (vx, vy, vz) in km/s per position, (n, 3).

        A function of `uniforms` (n, 3) in (0, 1) alone; `max_speed` is not applied.
        """


@dataclass(frozen=True)
class Choices:
    """Variants of the Galactic model; see `gcmock.galaxy.galactic_model.load_galactic_model`."""

    bar: str = "E+E_X"
    disc: str = "flat"
    inner_disc: str = "break"
    nsc_kinematics: Literal["jeans", "nuclear_disc"] = "jeans"
    bar_angle_deg: float | None = None
    bar_tilted_ellipsoid: bool = False
    nsd_symmetric_tilt: bool = False


@dataclass(frozen=True)
class Recipe:
    """What a component is made from: the argument of every factory that the registry names.

    Attributes
    ----------
    name : str
        Of the component that is made.
    imf : BrokenPowerLaw
        Initial mass function of every component.
    sun : Sun
        Distance of the Galactic centre, position and velocity of the Sun.
    choices : Choices
        Variants of the model.
    made : mapping of str to Component
        The components above it in the registry.
    """

    name: str
    imf: BrokenPowerLaw
    sun: Sun
    choices: Choices = Choices()
    made: Mapping[str, Component] = field(default_factory=dict)


def radial_direction(x_pc: Floats, y_pc: Floats) -> tuple[Floats, Floats, Floats]:
    """Cylindrical radius and unit vector e_R = (cos, sin); the x axis where R = 0.

    Returns
    -------
    radius_pc, cos, sin : ndarray, shape (n,)
    """
    radius = np.hypot(x_pc, y_pc)
    on_axis = radius == 0.0
    safe = np.where(on_axis, 1.0, radius)
    return radius, np.where(on_axis, 1.0, x_pc / safe), y_pc / safe


def cylindrical_to_model(
    velocity: tuple[Floats, Floats, Floats], cos: Floats, sin: Floats
) -> Floats:
    """(vx, vy, vz) of (v_R, v_phi, v_z); the Galaxy turns towards +y at the Sun, (n, 3)."""
    v_r, v_phi, v_z = velocity
    return np.stack((v_r * cos - v_phi * sin, v_r * sin + v_phi * cos, v_z), axis=-1)


def cylindrical_moments_to_model(
    mean_vphi: Floats,
    variance: tuple[Floats, Floats, Floats],
    covariance_rz: Floats | float,
    cos: Floats,
    sin: Floats,
) -> tuple[Floats, Floats]:
    """Mean and covariance along the model axes.

    Parameters
    ----------
    mean_vphi : ndarray, shape (n,)
        Mean rotation, km/s; the means of v_R and v_z are zero.
    variance : three ndarray, shape (n,)
        Of v_R, v_phi, v_z, km2/s2.
    covariance_rz : ndarray, shape (n,) or 0
        Of v_R and v_z, km2/s2.
    cos, sin : ndarray, shape (n,)
        Of e_R, see `radial_direction`.

    Returns
    -------
    mean : ndarray, shape (n, 3)
    covariance : ndarray, shape (n, 3, 3)
    """
    zero = np.zeros_like(mean_vphi)
    mean = cylindrical_to_model((zero, mean_vphi, zero), cos, sin)
    var_r, var_phi, var_z = variance
    covariance = np.empty((*mean_vphi.shape, 3, 3))
    covariance[..., 0, 0] = var_r * cos**2 + var_phi * sin**2
    covariance[..., 1, 1] = var_r * sin**2 + var_phi * cos**2
    covariance[..., 0, 1] = covariance[..., 1, 0] = (var_r - var_phi) * sin * cos
    covariance[..., 2, 2] = var_z
    covariance[..., 0, 2] = covariance[..., 2, 0] = covariance_rz * cos
    covariance[..., 1, 2] = covariance[..., 2, 1] = covariance_rz * sin
    return mean, covariance
