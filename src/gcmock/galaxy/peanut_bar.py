"""The bar of Sormani et al. 2022: a peanut-shaped bulge and two long bars.

Sormani et al. 2022 (MNRAS 514, L5) fitted it to the model of Portail et al. 2017 (MNRAS 465, 1621);
parameters in ``bar.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcmock.arrays import Floats

TINY_PC = 1e-3
"""Least cylindrical radius [pc] of a long bar, whose density vanishes on the axis."""


@dataclass(frozen=True)
class Peanut:
    """The short bar with the arms of an X.

    Attributes
    ----------
    density : float
        Density at the centre without the arms [Msun/pc3].
    scale_pc : tuple of float (3,)
        Scale lengths along the axes of the bar [pc].
    exponents : tuple of float (2,)
        Of the radius a: in the plane, and of plane and height.
    power : float
        The density falls as sech(a^power).
    cutoff_radius_pc : float
        Of a Gaussian fall with the spherical radius [pc].
    arm_weight, arm_slope, arm_power : float
        Weight of the arms, their slope dx/dz, and the power in their exponential.
    arm_scale_pc : tuple of float (2,)
        Scale lengths of the arms along x and y [pc].
    """

    density: float
    scale_pc: tuple[float, float, float]
    exponents: tuple[float, float]
    power: float
    cutoff_radius_pc: float
    arm_weight: float
    arm_slope: float
    arm_power: float
    arm_scale_pc: tuple[float, float]


@dataclass(frozen=True)
class LongBar:
    """A flat bar with a hole.

    Attributes
    ----------
    density : float
        Density scale [Msun/pc3].
    scale_pc : tuple of float (2,)
        Scale lengths along x and y [pc].
    scale_height_pc : float
        The density falls as sech^2 of the height over it [pc].
    exponents : tuple of float (2,)
        Of the radius a in the plane, and the power of a in the exponential.
    outer_radius_pc, inner_radius_pc : float
        Where it ends, and where its hole ends [pc].
    outer_power, inner_power : float
        How sharply.
    """

    density: float
    scale_pc: tuple[float, float]
    scale_height_pc: float
    exponents: tuple[float, float]
    outer_radius_pc: float
    inner_radius_pc: float
    outer_power: float
    inner_power: float


@dataclass(frozen=True)
class PeanutBar:
    """The whole bar, a sum of its parts."""

    peanut: Peanut
    long_bars: tuple[LongBar, ...]


def _sech(argument: Floats) -> Floats:
    """Inverse hyperbolic cosine without overflow, of arguments that are not negative."""
    fall = np.exp(-argument)
    return 2.0 * fall / (1.0 + fall**2)


def peanut_density(xb_pc: Floats, yb_pc: Floats, zb_pc: Floats, bar: Peanut) -> Floats:
    """Density of the peanut.

    Parameters
    ----------
    xb_pc, yb_pc, zb_pc : ndarray, shape (n,)
        Coordinates along the axes of the bar [pc].
    bar : Peanut

    Returns
    -------
    ndarray, shape (n,)
        [Msun/pc3].
    """
    (x0, y0, z0), (plane, total) = bar.scale_pc, bar.exponents
    flat = np.abs(xb_pc / x0) ** plane + np.abs(yb_pc / y0) ** plane
    a = (flat ** (total / plane) + np.abs(zb_pc / z0) ** total) ** (1.0 / total)
    arms = sum(
        np.exp(
            -(
                np.hypot(
                    (xb_pc + sign * bar.arm_slope * zb_pc) / bar.arm_scale_pc[0],
                    yb_pc / bar.arm_scale_pc[1],
                )
                ** bar.arm_power
            )
        )
        for sign in (1.0, -1.0)
    )
    end = np.exp(-(xb_pc**2 + yb_pc**2 + zb_pc**2) / bar.cutoff_radius_pc**2)
    return bar.density * _sech(a**bar.power) * end * (1.0 + bar.arm_weight * arms)


def long_bar_density(xb_pc: Floats, yb_pc: Floats, zb_pc: Floats, bar: LongBar) -> Floats:
    """Density of a long bar.

    Parameters
    ----------
    xb_pc, yb_pc, zb_pc : ndarray, shape (n,)
        Coordinates along the axes of the bar [pc].
    bar : LongBar

    Returns
    -------
    ndarray, shape (n,)
        [Msun/pc3].
    """
    (x0, y0), (plane, power) = bar.scale_pc, bar.exponents
    radius = np.maximum(np.hypot(xb_pc, yb_pc), TINY_PC)
    a = (np.abs(xb_pc / x0) ** plane + np.abs(yb_pc / y0) ** plane) ** (1.0 / plane)
    # Far outside or at the very centre a power overflows to infinity: the density is zero there.
    with np.errstate(over="ignore"):
        ends = (radius / bar.outer_radius_pc) ** bar.outer_power
        ends = ends + (bar.inner_radius_pc / radius) ** bar.inner_power
    height = _sech(np.abs(zb_pc) / bar.scale_height_pc) ** 2
    return bar.density * height * np.exp(-(a**power) - ends)


def density(xb_pc: Floats, yb_pc: Floats, zb_pc: Floats, bar: PeanutBar) -> Floats:
    """Density of the whole bar.

    Parameters
    ----------
    xb_pc, yb_pc, zb_pc : ndarray, shape (n,)
        Coordinates along the axes of the bar [pc].
    bar : PeanutBar

    Returns
    -------
    ndarray, shape (n,)
        [Msun/pc3].
    """
    total = peanut_density(xb_pc, yb_pc, zb_pc, bar.peanut)
    for part in bar.long_bars:
        total = total + long_bar_density(xb_pc, yb_pc, zb_pc, part)
    return total
