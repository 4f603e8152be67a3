"""What the proper motions of a list are: the offset of their frame, and their errors."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.calibration.fits import least_of
from gcmock.calibration.parallaxes import with_common_error
from gcmock.posterior.mixture import CasePosterior
from gcmock.posterior.observations import MeasuredMotion, Observations

LEAST_STARS: Final = 100
"""Fewer stars scatter too much to tell a frame from the model's own rotation."""

FRAME_OFFSETS_MASYR: Final = np.linspace(-0.9, 0.9, 7)
FRAME_PRIOR_MASYR: Final = 0.2
"""Offsets of the frame that are tried about the last one, and the width of their prior [mas/yr], an
assumption: bright and faint stars of Gaia EDR3 itself differ by up to 0.08 mas/yr (Cantat-Gaudin &
Brandt 2021, A&A 649, A124), and other lists are tied to those with errors of their own."""

MODEL_MOTION_MASYR: Final = 0.1
"""Common error of the model's own mean motion [mas/yr], an assumption: 4 km/s at the centre, of the
Sun's velocity and of the rotation of bar and disc together."""

MOTION_SCALES: Final = (1.0, 1.15, 1.3, 1.5, 1.8)
LOG_SCALE_PRIOR: Final = 0.2
"""Factors on the errors of proper motions that are tried, and the width of the prior of their
logarithm: as for parallaxes, nobody states them too large."""

ROUNDS: Final = 2


class Motions(NamedTuple):
    """What proper motions are.

    Attributes
    ----------
    frame_masyr, frame_error_masyr : ndarray, shape (2,)
        Offset of the frame in pm_l cos b and pm_b, and its standard errors [mas/yr].
    scale : float
        Factor on the errors.
    n_star : int
        Stars behind them; 0 where nothing was learned.
    """

    frame_masyr: Floats
    frame_error_masyr: Floats
    scale: float
    n_star: int


def usual_motions() -> Motions:
    """Return what holds where nothing was learned."""
    return Motions(np.zeros(2), np.full(2, FRAME_PRIOR_MASYR), 1.0, 0)


def fit_motions(posterior: CasePosterior, data: Observations, workers: int) -> Motions:
    """Fit the offset of the frame and the factor on the errors.

    Motions that belong to another star have their fraction in the likelihood of every star.

    Parameters
    ----------
    posterior : Posterior
        Under everything else that was learned.
    data : Observations
        Stars with a proper motion.
    workers : int
        Threads.

    Returns
    -------
    Motions
        The usual ones for fewer than `LEAST_STARS` stars.
    """
    motion = data.motion
    if motion is None or data.n_star < LEAST_STARS:
        return usual_motions()
    frame, error, scale = np.zeros(2), np.zeros(2), 1.0

    def log_likelihood(offset: Floats, factor: float) -> float:
        moved = motion.in_frame(offset, np.zeros(2), factor)
        found = posterior.log_evidence(data._replace(motion=moved), workers, lattices="few")
        known = np.isfinite(found)
        # The evidence is in units of the ellipse of the errors, which changes with them.
        return float((found - log_area(moved, posterior.motion.floor_masyr))[known].sum())

    def of_offset(value: float, axis: int) -> float:
        offset = frame.copy()
        offset[axis] = value
        return 0.5 * (value / FRAME_PRIOR_MASYR) ** 2 - log_likelihood(offset, scale)

    def of_scale(log_scale: float) -> float:
        prior = 0.5 * (log_scale / LOG_SCALE_PRIOR) ** 2
        return prior - log_likelihood(frame, float(np.exp(log_scale)))

    for _ in range(ROUNDS):
        for axis in range(2):
            frame[axis], error[axis] = least_of(
                lambda value, axis=axis: of_offset(value, axis),  # type: ignore[misc]
                frame[axis] + FRAME_OFFSETS_MASYR,
            )
        scale = float(np.exp(least_of(of_scale, np.log(MOTION_SCALES))[0]))
    prior = (0.0, FRAME_PRIOR_MASYR)
    both = [
        with_common_error(float(x), float(e), prior, MODEL_MOTION_MASYR)
        for x, e in zip(frame, error, strict=True)
    ]
    frame, error = (np.array(x) for x in zip(*both, strict=True))
    return Motions(frame, error, scale, data.n_star)


def log_area(motion: MeasuredMotion, floor_masyr: float) -> Floats:
    """Return ln sqrt(det (R + F)) of proper motions, with F the error of the model, (n_star,).

    Up to a constant this is ln of the area of the ellipse of errors that an evidence with a proper
    motion is in units of [mas²/yr²].
    """
    floor = floor_masyr**2
    return np.asarray(
        0.5 * np.log((motion.pm_ll + floor) * (motion.pm_bb + floor) - motion.pm_lb**2)
    )
