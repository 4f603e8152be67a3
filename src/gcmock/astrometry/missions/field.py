"""Which stars lie in the window of a mission."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.astrometry.directions.geometry import tangent_offset
from gcmock.frames import icrs_to_galactic
from gcmock.settings.mission import MissionWindow


def in_mission_window(window: MissionWindow, ra: Floats, dec: Floats) -> NDArray[np.bool_]:
    """Return whether stars lie in a window, borders included; everything is in one without limits.

    Parameters
    ----------
    window : MissionWindow
    ra, dec : ndarray, shape (n_star,)
        ICRS [deg].
    """
    l_deg, b_deg = icrs_to_galactic(ra, dec)
    if window.fields:
        return field_number_of(window, l_deg, b_deg) >= 0
    if window.l_deg is None or window.b_deg is None:
        return np.ones(len(ra), dtype=np.bool_)
    low, high = window.l_deg
    # Longitudes count from the lower border, so that a window may cross l = 180.
    along = (l_deg - low) % 360.0
    # A star on the border may come out a rounding error below it.
    along = np.where(along > 360.0 - 1e-9, 0.0, along)
    return (
        (along <= high - low + 1e-9)
        & (b_deg >= window.b_deg[0] - 1e-9)
        & (b_deg <= window.b_deg[1] + 1e-9)
    )


def field_number_of(window: MissionWindow, l_deg: Floats, b_deg: Floats) -> NDArray[np.int16]:
    """Return the number of the first field that holds a star, -1 for none.

    Fields are rectangles in the tangent plane of their centres; gaps between detectors are ignored.
    """
    found = np.full(len(l_deg), -1, dtype=np.int16)
    angle = np.radians(window.field_angle_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    half = np.tan(0.5 * np.radians(window.field_size_deg))
    for number, (l0, b0) in reversed(list(enumerate(window.fields))):
        near = np.abs((l_deg - l0 + 180.0) % 360.0 - 180.0) < 5.0
        xi, eta = tangent_offset(l_deg[near], b_deg[near], l0, b0)
        along, across = cos * xi + sin * eta, -sin * xi + cos * eta
        inside = (np.abs(along) <= half[0]) & (np.abs(across) <= half[1])
        found[np.flatnonzero(near)[inside]] = number
    return found
