"""Groups of neighbours on the sky, so that a group shares most of its columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gcmock.astrometry.directions.geometry import tangent_offset
from gcmock.astrometry.solver.problem import Floats
from gcmock.frames import full_circle


def sky_groups(ra: Floats, dec: Floats, largest: int) -> list[NDArray[np.int64]]:
    """Divide positions into compact groups of about equal size.

    The sky is halved along its longer side at the median, again and again.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,)
        [deg].
    largest : int
        Largest number of members.

    Returns
    -------
    list of ndarray of int64
        Indices of the members of each group, ascending.
    """
    if not len(ra):
        return []
    centre = direction_centre(ra, dec)
    xi, eta = tangent_offset(ra, dec, *centre)
    todo, groups = [np.arange(len(ra))], []
    while todo:
        members = todo.pop()
        if len(members) <= largest:
            groups.append(np.sort(members))
            continue
        side = max((xi, eta), key=lambda c: np.ptp(c[members]))
        order = members[np.argsort(side[members], kind="stable")]
        todo += [order[len(order) // 2 :], order[: len(order) // 2]]
    return groups


def direction_centre(ra: Floats, dec: Floats) -> tuple[float, float]:
    """Mean direction of positions [deg]; the right ascension is in [0, 360)."""
    a, d = np.radians(ra), np.radians(dec)
    x, y, z = (np.cos(d) * np.cos(a)).mean(), (np.cos(d) * np.sin(a)).mean(), np.sin(d).mean()
    centre = full_circle(np.degrees(np.arctan2(y, x)))
    return float(centre), float(np.degrees(np.arctan2(z, np.hypot(x, y))))
