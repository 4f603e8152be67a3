"""Extinction law from the stars: the slope of a power law, and an offset in H.

    A_λ / E(J-Ks) ∝ λ^-α,   A_H / E(J-Ks) = power law + h,

normalised to the same A_J - A_Ks as the law that is corrected, so that the map keeps its meaning.
The slope can be measured because the model knows where the bar and the nuclear disc are: A_Ks and
the distance modulus trade off. The fit itself is in `gcmock.calibration.law_scores`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.words.bands import BAND_TABLE, KS, H, J

WAVELENGTH_UM = np.array([band.wavelength_um for band in BAND_TABLE if band.kind == "linear"])
"""Effective wavelengths of J, H, Ks [µm]: 2MASS, for the reddened giants of the bulge. With them
the law of Wang & Chen 2019 (ApJ 877, 116) is the power law of slope 2.07 to 0.0001."""

SLOPE_PRIOR, OFFSET_PRIOR = (2.07, 0.3), (0.0, 0.05)
"""Mean and standard deviation of the priors of α and h."""

QUADRANT_SPREAD = (0.15, 0.02)
"""Standard deviations of α and h between quadrants: A_Ks / E(J-Ks) of those of Nishiyama et al.
2009 (ApJ 696, 1407) is 0.51 to 0.61."""


class LawFit(NamedTuple):
    """Law of a region.

    Attributes
    ----------
    slope, offset : float
        α and h.
    covariance : ndarray, shape (2, 2)
        Of (α, h), from the curvature of the posterior.
    kappa : ndarray, shape (3,)
        A_J, A_H, A_Ks over E(J-Ks).
    kappa_error : ndarray, shape (3,)
        Their standard errors.
    n_star : int
        Stars.
    gain : float
        ln of the posterior over that of the law that was corrected.
    """

    slope: float
    offset: float
    covariance: Floats
    kappa: Floats
    kappa_error: Floats
    n_star: int
    gain: float


def power_law(slope: float, offset: float, excess: float) -> Floats:
    """A_J, A_H, A_Ks over E(J-Ks).

    Parameters
    ----------
    slope, offset : float
        α and h.
    excess : float
        A_J - A_Ks over E(J-Ks) of the map.

    Returns
    -------
    ndarray, shape (3,)
    """
    shape = WAVELENGTH_UM**-slope
    kappa = excess * shape / (shape[J] - shape[KS])
    kappa[H] += offset
    return np.asarray(kappa)


def parameters_of(kappa: Floats) -> tuple[float, float]:
    """Slope and offset of a law: the inverse of `power_law`."""
    low, high = 0.3, 6.0
    target = kappa[J] / kappa[KS]
    slope = float(np.log(target) / np.log(WAVELENGTH_UM[KS] / WAVELENGTH_UM[J]))
    slope = min(max(slope, low), high)
    return slope, float(kappa[H] - power_law(slope, 0.0, float(kappa[J] - kappa[KS]))[H])


def jacobian_of(slope: float, offset: float, excess: float) -> Floats:
    """Return the derivatives of `power_law` with respect to α and h, shape (3, 2)."""
    step = 1e-4
    central = power_law(slope, offset, excess)
    return np.stack(
        [
            (power_law(slope + step, offset, excess) - central) / step,
            (power_law(slope, offset + step, excess) - central) / step,
        ],
        axis=1,
    )


def law_fit(
    slope: float, offset: float, excess: float, covariance: Floats, n_star: int, gain: float
) -> LawFit:
    """Return a fit with the law and its errors that follow from slope and offset."""
    jacobian = jacobian_of(slope, offset, excess)
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian), 0.0))
    return LawFit(slope, offset, covariance, power_law(slope, offset, excess), error, n_star, gain)
