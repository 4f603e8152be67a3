"""Rotation of the discs: the Shu distribution function of the guiding radius.

p(f | R, z) with f = R_g / R is the distribution of Sharma & Bland-Hawthorn 2013 (ApJ 773, 183)
with the parameters of Koshimoto+2021 (section 3.1.3); then v_phi = f v_c(f R) / lag(z). The
distribution is tabulated once per disc as quantiles on the (R, z) nodes of the published program.

As published, p(f) of the node below (R, z) is used (of R = 500 pc further in), and v_phi at the
true R and z. Interpolating between the nodes would be smoother, but moves the mean rotation at
500 < R < 700 pc by up to 0.2 sigma away from the model that was fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr

from gcmock.arrays import Floats
from gcmock.galaxy.rotation_curve import circular_velocity, height_lag

RADIUS_NODES: Final = np.arange(500.0, 12201.0, 100.0)
HEIGHT_NODES: Final = np.arange(0.0, 3601.0, 200.0)
MOMENT_STEP_PC: Final = 25.0
NORMAL_LIMIT: Final = 4.0
NORMAL_NODES: Final = np.linspace(-NORMAL_LIMIT, NORMAL_LIMIT, 81)
"""Quantiles are tabulated against the normal deviate t, in which they are nearly linear."""

_NORMAL_STEP: Final = float(NORMAL_NODES[1] - NORMAL_NODES[0])
_N_RATIO: Final = 161
_CUT: Final = 0.01
_CUT_STEP: Final = 0.2
"""The published program looks for the ends of p(f) in steps of 0.2 from the mode: p < 1 %."""

# Sharma & Bland-Hawthorn 2013, eq. 39 and Table 1
_POLYNOMIAL: Final = np.array(
    [
        -0.028476,
        -1.4518,
        12.492,
        -21.842,
        19.130,
        -10.175,
        3.5214,
        -0.81052,
        0.12311,
        -0.011851,
        0.00065476,
        -1.5809e-5,
    ]
)


@dataclass(frozen=True)
class ShuParameters:
    """What the Shu distribution of one disc depends on.

    Attributes
    ----------
    scale_length_pc : float
        Of the surface density, pc.
    sigma_r : float
        Radial velocity dispersion at the Sun, km/s.
    sigma_r_scale_pc : float
        Its scale length, pc.
    r0_pc : float
        Galactocentric distance of the Sun, pc.
    """

    scale_length_pc: float
    sigma_r: float
    sigma_r_scale_pc: float
    r0_pc: float


def guiding_radius_density(
    ratio: Floats, radius_pc: Floats, z_pc: Floats, shu: ShuParameters
) -> Floats:
    """Unnormalised density of f = R_g / R at a position.

    Sharma & Bland-Hawthorn 2013, eqs. 11, 13, 38-40.

    Parameters
    ----------
    ratio : ndarray, shape (...,)
        f > 0.
    radius_pc, z_pc : ndarray, broadcast with `ratio`
    shu : ShuParameters

    Returns
    -------
    ndarray, shape (...,)
    """
    guide = ratio * radius_pc
    speed = circular_velocity(guide) / height_lag(z_pc)
    a0 = shu.sigma_r / speed * np.exp(shu.r0_pc / shu.sigma_r_scale_pc)
    q = shu.scale_length_pc / shu.sigma_r_scale_pc
    polynomial = np.polynomial.polynomial.polyval(guide * q / shu.scale_length_pc, _POLYNOMIAL)
    correction = 1.0 - 0.25 * a0**2.04 / q**0.49 * polynomial
    a = shu.sigma_r / speed * np.exp(-(guide - shu.r0_pc) / shu.sigma_r_scale_pc) * correction
    c = 0.5 / a**2
    y = guide * (1.0 + q / 0.524) / (3.822 * shu.scale_length_pc)
    bump = 31.53 * np.exp(-y / 0.2743) * ((y / 0.6719) ** 2 - 1.0)
    surface = np.exp(-guide / shu.scale_length_pc) / (2.0 * np.pi) - 0.00567 * a0**2.13 * bump
    bound = c > 0.5
    c = np.where(bound, c, 1.0)
    exponent = c * (2.0 * np.log(ratio) + 1.0 - ratio**2) - _log_norm(c)
    return np.where(bound, np.maximum(surface, 0.0) * np.exp(exponent), 0.0)


def _log_norm(c: Floats) -> Floats:
    """Logarithm of g(c) = e^c Gamma(c - 1/2) / (2 c^(c - 1/2)); Stirling's form from c = 10."""
    result = 0.5 * np.log(np.pi / (2.0 * np.maximum(c - 0.913, 0.05)))
    small = c < 10.0
    s = c[small]
    result[small] = s + gammaln(s - 0.5) - np.log(2.0) - (s - 0.5) * np.log(s)
    return result


@dataclass(frozen=True)
class ShuTable:
    """Quantiles of f and moments of v_phi of one disc.

    Attributes
    ----------
    ratio : ndarray, shape (n_radius, n_height, n_normal)
        f = R_g / R at the normal deviates `NORMAL_NODES`.
    mean, sigma : ndarray, shape (n_cell, n_height, 2)
        Of v_phi without the lag at height, km/s, at the inner and outer end of cells of 25 pc in
        R from 0: two values, because p(f) jumps at the nodes.
    """

    ratio: Floats
    mean: Floats
    sigma: Floats


@lru_cache(maxsize=64)
def shu_table(shu: ShuParameters) -> ShuTable:
    """Tables of one disc, built once per set of parameters (about 0.1 s)."""
    radius = RADIUS_NODES[:, None, None]
    height = HEIGHT_NODES[None, :, None]
    # the grid of f follows the width of the distribution; 6 sigma and wide enough for the skew
    sigma = shu.sigma_r * np.exp(-(radius - shu.r0_pc) / shu.sigma_r_scale_pc)
    width = sigma * height_lag(height) / circular_velocity(radius)
    low = np.maximum(1.0 - 6.0 * width, 1e-3)
    high = 1.0 + 5.0 * width
    ratio = low + (high - low) * np.linspace(0.0, 1.0, _N_RATIO)
    density = _truncate(ratio, guiding_radius_density(ratio, radius, height, shu))
    cumulative = np.zeros_like(density)
    np.cumsum(
        0.5 * (density[..., 1:] + density[..., :-1]) * np.diff(ratio), -1, out=cumulative[..., 1:]
    )
    cumulative /= cumulative[..., -1:]
    level = ndtr(NORMAL_NODES)
    n_grid = (RADIUS_NODES.size, HEIGHT_NODES.size)
    quantile = np.empty((*n_grid, NORMAL_NODES.size))
    for i, j in np.ndindex(n_grid):
        quantile[i, j] = np.interp(level, cumulative[i, j], ratio[i, j])
    mean, sigma = _rotation_moments(quantile)
    return ShuTable(quantile, mean, sigma)


def _truncate(ratio: Floats, density: Floats) -> Floats:
    """Density with the tails cut where the published program cuts them."""
    peak = density.argmax(axis=-1)[..., None]
    mode = np.take_along_axis(ratio, peak, -1)
    faint = density < _CUT * density.max(axis=-1, keepdims=True)
    upper = np.where(faint & (ratio > mode), ratio, np.inf).min(axis=-1, keepdims=True)
    lower = np.where(faint & (ratio < mode), ratio, 0.0).max(axis=-1, keepdims=True)
    upper = mode + _CUT_STEP * np.ceil((upper - mode) / _CUT_STEP)
    lower = mode - _CUT_STEP * np.ceil((mode - lower) / _CUT_STEP)
    return np.where((ratio >= lower) & (ratio <= upper), density, 0.0)


def _rotation_moments(quantile: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of v_phi at lag 1, at both ends of every moment cell."""
    inner = np.arange(0.0, RADIUS_NODES[-1], MOMENT_STEP_PC)
    ratio = quantile[_lower(inner, RADIUS_NODES), :, None, :]
    ends = np.stack((inner, inner + MOMENT_STEP_PC), axis=-1)[:, None, :, None]
    speed = ratio * circular_velocity(ratio * ends)
    weight = np.exp(-0.5 * NORMAL_NODES**2)
    weight /= weight.sum()
    mean = speed @ weight
    return mean, np.sqrt(np.maximum((speed**2) @ weight - mean**2, 0.0))


def _lower(x: Floats, nodes: Floats) -> NDArray[np.int64]:
    """Index of the uniform node at or below `x`, clamped to the grid."""
    place = (x - nodes[0]) / (nodes[1] - nodes[0])
    return np.clip(place, 0, nodes.size - 1).astype(np.int64)


def rotation_speed(ratio: Floats, radius_pc: Floats, z_pc: Floats) -> Floats:
    """v_phi (n,) in km/s of f = R_g / R (n,) at a position."""
    return ratio * circular_velocity(ratio * radius_pc) / height_lag(z_pc)


def sample_ratio(table: ShuTable, radius_pc: Floats, z_pc: Floats, normal: Floats) -> Floats:
    """Draw f = R_g / R at positions (n,) from normal deviates (n,)."""
    i, j = _lower(radius_pc, RADIUS_NODES), _lower(np.abs(z_pc), HEIGHT_NODES)
    place = np.clip((normal + NORMAL_LIMIT) / _NORMAL_STEP, 0.0, NORMAL_NODES.size - 1)
    k = np.minimum(place.astype(np.int64), NORMAL_NODES.size - 2)
    low = table.ratio[i, j, k]
    return low + (place - k) * (table.ratio[i, j, k + 1] - low)


def rotation_moments(table: ShuTable, radius_pc: Floats, z_pc: Floats) -> tuple[Floats, Floats]:
    """Mean (km/s) and variance (km2/s2) of v_phi at positions (n,)."""
    place = np.clip(radius_pc / MOMENT_STEP_PC, 0.0, table.mean.shape[0])
    i = np.minimum(place.astype(np.int64), table.mean.shape[0] - 1)
    j, part = _lower(np.abs(z_pc), HEIGHT_NODES), place - i
    lag = height_lag(z_pc)
    mean = table.mean[i, j, 0] * (1.0 - part) + table.mean[i, j, 1] * part
    sigma = table.sigma[i, j, 0] * (1.0 - part) + table.sigma[i, j, 1] * part
    return mean / lag, (sigma / lag) ** 2
