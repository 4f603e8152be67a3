"""The bar, with an X-shaped (boxy/peanut) part in some of its published forms.

Koshimoto, Baba & Bennett 2021 (ApJ 917, 78), sections 3.2 and 4, in four forms; that of Sormani et
al. 2022 is in `gcmock.galaxy.peanut_bar`, that of Huston et al. 2025 is E3 of Dwek et al. 1995 (ApJ
445, 716), which has the same radius s. Parameters in ``bar.toml``.

The published velocity model draws vx, vy and vz independently: the dispersions along the bar axes
are projected on x and y, but their covariance (the vertex deviation) is dropped. That is the
default here as well, because the parameters were fitted in that form; ``tilted_ellipsoid=True``
keeps the covariance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import k0, ndtri

from gcmock.arrays import Floats
from gcmock.galaxy import peanut_bar
from gcmock.galaxy.peanut_bar import PeanutBar

LEAST_RADIUS = 1e-3
"""Least radius s of the form "bessel", which would be infinite at the centre: 0.3 to 0.7 pc, where
the cluster is a thousand times as dense."""


@dataclass(frozen=True)
class BoxyShape:
    """Scale lengths (x0, y0, z0) in pc and exponents (C_perp, C_par) of the radius s."""

    scale_pc: tuple[float, float, float]
    exponents: tuple[float, float]


@dataclass(frozen=True)
class XShape:
    """The X part: its shape, the slope dx/dz of its arms, its weight, and where it ends (pc)."""

    shape: BoxyShape
    slope: float
    weight: float
    cutoff_radius_pc: float


@dataclass(frozen=True)
class BarShape:
    """Density of the bar up to its normalisation.

    Attributes
    ----------
    form : {"exponential", "gaussian", "bessel"}
        exp(-s), exp(-s^2/2), or the modified Bessel function K0(s).
    shape : BoxyShape
    cutoff_radius_pc, cutoff_width_pc : float
        Beyond this cylindrical radius the density falls as a Gaussian of this width.
    x_shape : XShape or None
    """

    form: str
    shape: BoxyShape
    cutoff_radius_pc: float
    cutoff_width_pc: float
    x_shape: XShape | None


Shape = BarShape | PeanutBar
"""Density of a bar up to its normalisation, in any of its forms."""


@dataclass(frozen=True)
class BarKinematics:
    """Rotation, streaming and dispersions of the bar.

    Attributes
    ----------
    pattern_speed : float
        km/s/kpc.
    streaming_speed, streaming_scale_pc : float
        Motion along the bar: km/s, and the distance from the long axis where it sets in.
    sigma_peak, sigma_floor : tuple of float (3,)
        Dispersions along the bar's x, y and z: floor + peak * exp(-s), km/s.
    plane, vertical : BoxyShape
        Of s for the two horizontal dispersions and for the vertical one.
    """

    pattern_speed: float
    streaming_speed: float
    streaming_scale_pc: float
    sigma_peak: tuple[float, float, float]
    sigma_floor: tuple[float, float, float]
    plane: BoxyShape
    vertical: BoxyShape


def boxy_radius(xb_pc: Floats, yb_pc: Floats, zb_pc: Floats, shape: BoxyShape) -> Floats:
    """Dimensionless radius s (n,) of bar coordinates (Koshimoto+2021, eq. 5)."""
    x0, y0, z0 = shape.scale_pc
    c_perp, c_par = shape.exponents
    plane = np.abs(xb_pc / x0) ** c_perp + np.abs(yb_pc / y0) ** c_perp
    return (plane ** (c_par / c_perp) + np.abs(zb_pc / z0) ** c_par) ** (1.0 / c_par)


def _profile(radius: Floats, form: str) -> Floats:
    """exp(-s), exp(-s^2/2) or K0(s), (n,)."""
    if form == "bessel":
        return k0(np.maximum(radius, LEAST_RADIUS))
    return np.exp(-radius if form == "exponential" else -0.5 * radius**2)


def _cutoff(radius_pc: Floats, limit_pc: float, width_pc: float) -> Floats:
    """1 inside the limit, a Gaussian fall outside, (n,)."""
    return np.exp(-0.5 * (np.maximum(radius_pc - limit_pc, 0.0) / width_pc) ** 2)


def relative_density(xb_pc: Floats, yb_pc: Floats, zb_pc: Floats, bar: Shape) -> Floats:
    """Density (n,) at bar coordinates, up to the normalisation (Koshimoto+2021, eqs. 4-9)."""
    if isinstance(bar, PeanutBar):
        return peanut_bar.density(xb_pc, yb_pc, zb_pc, bar)
    radius = np.hypot(xb_pc, yb_pc)
    width = bar.cutoff_width_pc
    density = _profile(boxy_radius(xb_pc, yb_pc, zb_pc, bar.shape), bar.form)
    density *= _cutoff(radius, bar.cutoff_radius_pc, width)
    if bar.x_shape is not None:
        x = bar.x_shape
        arms = _profile(boxy_radius(xb_pc - x.slope * zb_pc, yb_pc, zb_pc, x.shape), bar.form)
        arms += _profile(boxy_radius(xb_pc + x.slope * zb_pc, yb_pc, zb_pc, x.shape), bar.form)
        density += x.weight * _cutoff(radius, x.cutoff_radius_pc, width) * arms
    return density


def box_integral(bar: Shape, half_size_pc: tuple[float, float, float], order: int = 32) -> float:
    """Integral of `relative_density` over the box |xb|, |yb|, |zb| < half size, pc3.

    Gauss-Legendre in the cube root of each coordinate, which crowds points at the cusp. The
    published programs use 15 Simpson cells per axis and are 0.02-0.04 % off.
    """
    node, weight = np.polynomial.legendre.leggauss(order)
    node, weight = 0.5 * (node + 1.0), 0.5 * weight
    axes = [half * node**3 for half in half_size_pc]
    steps = [half * 3.0 * node**2 * weight for half in half_size_pc]
    xb, yb, zb = np.meshgrid(*axes, indexing="ij")
    # the two arms of the X swap under x -> -x and under z -> -z: all eight octants are equal
    density = relative_density(xb, yb, zb, bar)
    return 8.0 * float(density @ steps[2] @ steps[1] @ steps[0])


@dataclass(frozen=True)
class Bar:
    """The bar component; satisfies `gcmock.galaxy.component.Component`.

    Attributes
    ----------
    name : str
    shape : BarShape or PeanutBar
    kinematics : BarKinematics
    angle_deg : float
        Between the long axis and the line from the centre to the Sun; near end at l > 0.
    central_scale : float
        Density that multiplies `relative_density`, Msun/pc3 (rho_0,b).
    stars_per_mass, max_speed : float
        See `Component`.
    tilted_ellipsoid : bool
        Keep the covariance of vx and vy; the published model drops it.
    """

    name: str
    shape: Shape
    kinematics: BarKinematics
    angle_deg: float
    central_scale: float
    stars_per_mass: float
    max_speed: float
    tilted_ellipsoid: bool = False

    @cached_property
    def _cos_sin(self) -> tuple[float, float]:
        """Of the bar angle."""
        return float(np.cos(np.radians(self.angle_deg))), float(np.sin(np.radians(self.angle_deg)))

    def _bar_axes(self, x_pc: Floats, y_pc: Floats) -> tuple[Floats, Floats]:
        """Coordinates along and across the long axis, pc."""
        cos, sin = self._cos_sin
        return x_pc * cos + y_pc * sin, y_pc * cos - x_pc * sin

    def mass_density(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> Floats:
        """See `Component.mass_density`."""
        xb, yb = self._bar_axes(x_pc, y_pc)
        return self.central_scale * relative_density(xb, yb, z_pc, self.shape)

    def _mean_and_dispersions(
        self, x_pc: Floats, y_pc: Floats, z_pc: Floats
    ) -> tuple[Floats, Floats]:
        """Mean (n, 3) along x, y, z and dispersions (n, 3) along the bar axes, km/s."""
        cos, sin = self._cos_sin
        kin = self.kinematics
        xb, yb = self._bar_axes(x_pc, y_pc)
        rate = kin.pattern_speed / 1000.0
        setting_in = -np.expm1(-((yb / kin.streaming_scale_pc) ** 2))
        stream = -np.sign(yb) * kin.streaming_speed * setting_in
        mean = np.stack((-rate * y_pc + stream * cos, rate * x_pc + stream * sin, 0.0 * z_pc), -1)
        plane = np.exp(-boxy_radius(xb, yb, z_pc, kin.plane))
        vertical = np.exp(-boxy_radius(xb, yb, z_pc, kin.vertical))
        inner = np.stack((plane, plane, vertical), axis=-1)
        return mean, np.asarray(kin.sigma_floor) + np.asarray(kin.sigma_peak) * inner

    def velocity_moments(self, x_pc: Floats, y_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
        """See `Component.velocity_moments`."""
        cos, sin = self._cos_sin
        mean, sigma = self._mean_and_dispersions(x_pc, y_pc, z_pc)
        along, across, vertical = np.moveaxis(sigma**2, -1, 0)
        covariance = np.zeros((*np.shape(x_pc), 3, 3))
        covariance[..., 0, 0] = along * cos**2 + across * sin**2
        covariance[..., 1, 1] = along * sin**2 + across * cos**2
        covariance[..., 2, 2] = vertical
        if self.tilted_ellipsoid:
            covariance[..., 0, 1] = covariance[..., 1, 0] = (along - across) * sin * cos
        return mean, covariance

    def sample_velocity(self, x_pc: Floats, y_pc: Floats, z_pc: Floats, uniforms: Floats) -> Floats:
        """See `Component.sample_velocity`; uniforms of x, y, z (bar axes if tilted)."""
        cos, sin = self._cos_sin
        mean, sigma = self._mean_and_dispersions(x_pc, y_pc, z_pc)
        normal = ndtri(uniforms)
        if self.tilted_ellipsoid:
            along, across = (sigma * normal)[:, 0], (sigma * normal)[:, 1]
            dx, dy = along * cos - across * sin, along * sin + across * cos
        else:
            dx = np.hypot(sigma[:, 0] * cos, sigma[:, 1] * sin) * normal[:, 0]
            dy = np.hypot(sigma[:, 0] * sin, sigma[:, 1] * cos) * normal[:, 1]
        return mean + np.stack((dx, dy, sigma[:, 2] * normal[:, 2]), axis=-1)
