"""How far the dust in front of the stars is from a smooth layer.

A map knows the reddening behind all dust; how it grows up to there is an assumption. Stars whose
distances something else tells, a parallax, or a colour that no star behind the dust has, show how
good it is: their reddening scatters about that of the layer by a fraction w of it, which vanishes
where the map knows (`gcmock.dust.profile.scatter_at`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from gcmock.arrays import Floats
from gcmock.calibration.fits import with_bad_fraction
from gcmock.calibration.measurements import LEAST_STARS
from gcmock.learned import PROFILE_SCATTER, PROFILE_SCATTER_ERROR

SCATTERS: Final = np.array([0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.1])
"""Values of w that are tried, all equally probable before."""

_FINE: Final = np.linspace(SCATTERS[0], SCATTERS[-1], 441)
"""Values between them, at which ln of their probability is interpolated."""


class Foreground(NamedTuple):
    """Scatter of the dust in front.

    Attributes
    ----------
    scatter, error : float
        w and its standard error.
    n_star : int
        Stars that were looked at.
    """

    scatter: float
    error: float
    n_star: int


def usual_foreground() -> Foreground:
    """Return what holds where nothing was learned."""
    return Foreground(PROFILE_SCATTER, PROFILE_SCATTER_ERROR, 0)


def fit_foreground(
    log_evidence: Callable[[float], Floats], floor: Floats, fraction: float
) -> Foreground:
    """Fit the scatter of the dust in front.

    Parameters
    ----------
    log_evidence : callable
        Takes w and returns ln of the evidence of every star, (n_star,).
    floor : ndarray, shape (n_star,)
        ln of the evidence that they are outliers.
    fraction : float
        Usual fraction of outliers; how many there are is found with w.

    Returns
    -------
    Foreground
        With m and e the mean and the standard deviation of what the stars leave of `SCATTERS`, and
        of what is between, sqrt(m² - e²), or 0 if that is imaginary, and e.
    """
    if floor.size < LEAST_STARS:
        return usual_foreground()
    log_p = np.array(
        [with_bad_fraction(log_evidence(float(w)), floor, fraction)[0] for w in SCATTERS]
    )
    # Many stars know it better than the steps between the values are.
    log_p = PchipInterpolator(SCATTERS, log_p)(_FINE)
    weight = np.exp(log_p - log_p.max())
    weight /= weight.sum()
    mean = float(weight @ _FINE)
    error = float(np.sqrt(weight @ (_FINE - mean) ** 2))
    # A scatter that cannot be told from none is none: a little too much of it makes nuclear stars
    # of some in the near half of the bar.
    return Foreground(float(np.sqrt(max(mean**2 - error**2, 0.0))), error, floor.size)
