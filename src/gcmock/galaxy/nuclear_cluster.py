"""Nuclear star cluster: a flattened cusp that rotates around the central black hole.

The density is the spheroid of Chatzopoulos et al. (2015, MNRAS 447, 948). The velocities are those
of an isotropic rotator in the potential of black hole, cluster, nuclear disc and bar, read from a
table that ``tools/build_nuclear_cluster_moments.py`` computes with the Jeans equations.
Parameters and their sources: ``gcmock/data/nuclear_cluster.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.data import path, read_toml
from gcmock.errors import InputError
from gcmock.galaxy.component import Component, cylindrical_to_model, radial_direction
from gcmock.galaxy.moment_sources import check_parameters

Kinematics = Literal["jeans", "nuclear_disc"]
"""Whose velocities the cluster has: its own, or those of the nuclear disc."""


def spheroid_density(
    ellipsoidal_radius: Floats,
    mass: float,
    inner_slope: float,
    scale_radius_pc: float,
    axis_ratio: float,
) -> Floats:
    """Density of a flattened Dehnen spheroid.

    ``rho = (3 - g) M a0 / [4 pi q a^g (a + a0)^(4 - g)]`` (Chatzopoulos et al. 2015).

    Parameters
    ----------
    ellipsoidal_radius : ndarray, any shape
        ``a = sqrt(R^2 + z^2 / q^2)``, pc, positive.
    mass : float
        Mass M of the whole spheroid, Msun.
    inner_slope : float
        g, the slope of the cusp.
    scale_radius_pc : float
        a0, pc.
    axis_ratio : float
        q, short axis over long axis.

    Returns
    -------
    ndarray, the shape of `ellipsoidal_radius`
        Msun pc-3.
    """
    a = ellipsoidal_radius
    amplitude = (3.0 - inner_slope) * mass * scale_radius_pc / (4.0 * np.pi * axis_ratio)
    return amplitude / (a**inner_slope * (a + scale_radius_pc) ** (4.0 - inner_slope))


def mass_density(x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
    """Mass density of the nuclear star cluster.

    Constant inside an ellipsoidal radius of 0.001 pc, so that it is finite at the black hole, and
    zero beyond 200 pc; the star counts behind the profile end at 1000 arcsec (40 pc).

    Parameters
    ----------
    x_pc, y_pc, z_pc : ndarray, shape (n,)
        Position in the model frame, pc.

    Returns
    -------
    ndarray, shape (n,)
        Msun pc-3, remnants included.
    """
    shape = read_toml("nuclear_cluster.toml")["density"]
    a = np.sqrt(x_pc**2 + y_pc**2 + (z_pc / shape["axis_ratio"]) ** 2)
    density = spheroid_density(
        np.maximum(a, shape["floor_pc"]),
        shape["mass_msun"],
        shape["inner_slope"],
        shape["scale_radius_pc"],
        shape["axis_ratio"],
    )
    return np.where(a < shape["truncation_pc"], density, 0.0)


@dataclass(frozen=True)
class MomentTable:
    """Rotation and dispersion on a grid in (R, |z|).

    Both axes hold 0 and then the same nodes, equally spaced in the logarithm.

    Parameters
    ----------
    nodes_pc : ndarray, shape (n_node,)
        0, r_1, r_1 e^h, r_1 e^(2h), ..., pc.
    values : ndarray, shape (n_node, n_node, 2)
        Mean azimuthal velocity and one-dimensional dispersion, km/s; axes R, |z|.
    """

    nodes_pc: Floats
    values: Floats

    def _cell(self, coordinate_pc: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Lower node and fraction of the cell; linear in r below r_1, in log r above."""
        inner, outer = self.nodes_pc[1], self.nodes_pc[-1]
        n_step = self.nodes_pc.size - 2
        inverse_step = n_step / np.log(outer / inner)
        place = np.log(np.maximum(coordinate_pc, inner) / inner) * inverse_step
        lower = np.minimum(place.astype(np.intp), n_step - 1)
        fraction = np.minimum(place - lower, 1.0)
        inside = coordinate_pc < inner
        return (
            np.where(inside, 0, lower + 1),
            np.where(inside, coordinate_pc / inner, fraction),
        )

    def interpolate(self, radius_pc: Floats, height_pc: Floats) -> tuple[Floats, Floats]:
        """Bilinear interpolation; positions outside take the value at the edge.

        Parameters
        ----------
        radius_pc, height_pc : ndarray, shape (n,)
            Cylindrical radius and ``|z|``, pc.

        Returns
        -------
        v_phi, sigma : ndarray, shape (n,)
            km/s.
        """
        i, f = self._cell(radius_pc)
        k, g = self._cell(height_pc)
        # Rows of a flat table: one gather per corner is faster than two-axis indexing.
        flat = self.values.reshape(-1, 2)
        n_node = self.nodes_pc.size
        corner = i * n_node + k
        f, g = f[:, None], g[:, None]
        near = flat[corner] * (1.0 - g) + flat[corner + 1] * g
        far = flat[corner + n_node] * (1.0 - g) + flat[corner + n_node + 1] * g
        moments = near * (1.0 - f) + far * f
        return moments[:, 0], moments[:, 1]


@cache
def jeans_moments() -> MomentTable:
    """Table of ``gcmock/data/nuclear_cluster_moments.npz``, read once.

    Raises
    ------
    InputError
        If it was computed with other parameters than those of ``nuclear_cluster.toml``.
    """
    file = read_toml("nuclear_cluster.toml")["kinematics"]["file"]
    with np.load(path(file)) as stored:
        check_parameters(stored, file)
        return MomentTable(
            stored["R_pc"].astype(float),
            np.stack([stored["v_phi"], stored["sigma"]], axis=-1).astype(float),
        )


@dataclass(frozen=True)
class NuclearCluster:
    """The nuclear star cluster as a component of the model.

    Parameters
    ----------
    stars_per_mass : float
        Living stars per Msun of the component.
    kinematics : {"jeans", "nuclear_disc"}
        ``"jeans"``: the cluster's own isotropic rotator. ``"nuclear_disc"``: the velocities of
        `nuclear_disc`, as genstars does.
    nuclear_disc : Component, optional
        Needed if `kinematics` is ``"nuclear_disc"``.
    remark : str
        What a user should know about the velocities; empty if there is nothing.

    Raises
    ------
    InputError
        `kinematics` is unknown, or `nuclear_disc` is missing.

    Notes
    -----
    `max_speed` is 1100 km/s, not the 600 km/s of the other components, because the dispersion grows
    as r^(-1/2) towards the black hole: a cut at 600 km/s would take 2 % of the Gaussian at 0.27 pc
    (0.1 % of the cluster's mass lies inside) and 30 % at 0.1 pc, from stars that are bound. The
    escape speed at 0.05 pc, the innermost node of the table, is the root of the sum of the squares
    of 860 (black hole), 260 (cluster) and 600 km/s (everything else, as for the other components).
    There the cut takes 10 % of the draws. Inside 0.05 pc (2e-5 of the mass) the moments stay as at
    0.05 pc, so the fastest S stars are not reproduced.
    """

    stars_per_mass: float
    kinematics: Kinematics = "jeans"
    nuclear_disc: Component | None = None
    remark: str = ""

    def __post_init__(self) -> None:
        if self.kinematics not in get_args(Kinematics):
            raise InputError(
                f"nuclear cluster kinematics {self.kinematics!r}: use 'jeans' or 'nuclear_disc'"
            )
        if self.kinematics == "nuclear_disc" and self.nuclear_disc is None:
            raise InputError(
                "nuclear cluster kinematics 'nuclear_disc' needs the nuclear_disc component"
            )

    @property
    def name(self) -> str:
        """Name of the component, ``"nsc"``."""
        return "nsc"

    @property
    def max_speed(self) -> float:
        """Galactocentric speed above which a draw is repeated, km/s (see Notes of the class)."""
        if self._borrowed is not None:
            return self._borrowed.max_speed
        return float(read_toml("nuclear_cluster.toml")["kinematics"]["max_speed"])

    @property
    def _borrowed(self) -> Component | None:
        """The component whose velocities are used, if not the cluster's own."""
        return self.nuclear_disc if self.kinematics == "nuclear_disc" else None

    def mass_density(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
        """Mass density; see `gcmock.galaxy.nuclear_cluster.mass_density`.

        Parameters
        ----------
        x_pc, y_pc, z_pc : ndarray, shape (n,)
            Position in the model frame, pc.

        Returns
        -------
        ndarray, shape (n,)
            Msun pc-3.
        """
        return mass_density(x_pc, y_pc, z_pc)

    def velocity_moments(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """Mean and covariance of (vx, vy, vz).

        The mean is ``v_phi (-y/R, x/R, 0)``, zero on the axis; the covariance is ``sigma^2`` times
        the unit matrix (isotropic rotator, as Chatzopoulos et al. 2015 find).

        Parameters
        ----------
        x_pc, y_pc, z_pc : ndarray, shape (n,)
            Position in the model frame, pc.

        Returns
        -------
        mean : ndarray, shape (n, 3)
            km/s.
        covariance : ndarray, shape (n, 3, 3)
            km2 s-2.
        """
        if self._borrowed is not None:
            return self._borrowed.velocity_moments(x_pc, y_pc, z_pc)
        mean, sigma = self._rotator(x_pc, y_pc, z_pc)
        return mean, sigma[:, None, None] ** 2 * np.eye(3)

    def sample_velocity(self, x_pc: Floats, y_pc: Floats, z_pc: Floats, uniforms: Floats) -> Floats:
        """One Gaussian draw of (vx, vy, vz) per star, without the cut at `max_speed`.

        Parameters
        ----------
        x_pc, y_pc, z_pc : ndarray, shape (n,)
            Position in the model frame, pc.
        uniforms : ndarray, shape (n, 3)
            In the open interval (0, 1).

        Returns
        -------
        ndarray, shape (n, 3)
            km/s.
        """
        if self._borrowed is not None:
            return self._borrowed.sample_velocity(x_pc, y_pc, z_pc, uniforms)
        mean, sigma = self._rotator(x_pc, y_pc, z_pc)
        return mean + sigma[:, None] * ndtri(uniforms)

    @staticmethod
    def _rotator(x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """Mean velocity (n, 3) and dispersion (n,), km/s."""
        radius, cos, sin = radial_direction(x_pc, y_pc)
        v_phi, sigma = jeans_moments().interpolate(radius, np.abs(z_pc))
        still = np.zeros_like(v_phi)
        return cylindrical_to_model((still, v_phi, still), cos, sin), sigma
