"""What a true instrument does to measured positions beside pointing and distortion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.missions.focal_plane import detector_centres, detector_grid
from gcmock.astrometry.missions.mission import ObservableMission
from gcmock.random import star_key, uniform

DETECTOR_STREAM: Final = -8
"""Stands for the realisation in the keys of detectors."""


def detector_errors(mission: ObservableMission, seed: int) -> Floats:
    """Draw what is wrong with the detectors, shape (n_detector, 4).

    Shift along x and y, rotation, scale [mas]; the last two by what they shift at the edge.
    """
    n_x, n_y = mission.focal_plane.detectors
    e = mission.effects
    size = (e.detector_offset_mas,) * 2 + (e.detector_rotation_mas, e.detector_scale_mas)
    chance = uniform(star_key(seed, np.arange(n_x * n_y), DETECTOR_STREAM), 0, 4)
    return np.asarray(ndtri(chance) * np.array(size), dtype=np.float64)


def instrument_shift(
    mission: ObservableMission, colour: Floats, hw: Floats, seed: int
) -> Callable[[Integers, Integers, Floats], Floats]:
    """Return what `InstrumentEffects` add to measured positions.

    Parameters
    ----------
    mission : ObservableMission
    colour, hw : ndarray, shape (n_star,)
        J - Ks and Hw [mag].
    seed : int

    Returns
    -------
    callable
        Takes rows of stars and detectors, shape (n,), and positions, shape (n, 2) [mas]; returns
        shifts, shape (n, 2) [mas].
    """
    e = mission.effects
    per_star = np.outer(colour - e.colour_zero, e.colour_mas_per_mag)
    per_star += np.outer(hw - e.magnitude_zero, e.magnitude_mas_per_mag)
    drawn = detector_errors(mission, seed)
    grid = detector_grid(mission.focal_plane)
    centres = detector_centres(grid)

    def shift(rows: Integers, detector: Integers, measured: Floats) -> Floats:
        out: Floats = per_star[rows]
        if drawn.any():
            own = drawn[detector]
            # A position within the detector is good enough with all its errors.
            within = (measured * MAS - centres[detector]) / grid.half_size
            turned = np.column_stack([-within[:, 1], within[:, 0]])
            out = out + own[:, :2] + own[:, 2:3] * turned + own[:, 3:] * within
        return out

    return shift
