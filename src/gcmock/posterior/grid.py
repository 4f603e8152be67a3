"""The distance bins on which a posterior is tabulated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gcmock.errors import InputError

FRACTIONAL_STEP = 0.02
"""Widest bin near the Sun, as a fraction of the distance (0.043 mag in distance modulus)."""

STEP_PC = 20.0
"""Widest bin anywhere inside `FAR_PC`."""

FAR_PC, FAR_STEP_PC = 10_000.0, 40.0
"""Behind the bar wider bins resolve every density of the model."""

CENTRE_STEPS = ((20.0, 1.0), (60.0, 2.0), (150.0, 5.0), (400.0, 10.0))
"""(half width, step) [pc] around the Galactic centre: the nuclear cluster has a core of 5.9 pc."""


@dataclass(frozen=True)
class DistanceGrid:
    """Contiguous distance bins.

    Parameters
    ----------
    edges_pc : ndarray, shape (n_distance + 1,)
        Bin edges [pc], increasing.
    """

    edges_pc: NDArray[np.float64]

    @cached_property
    def centre_pc(self) -> NDArray[np.float64]:
        """Middle of every bin [pc], shape (n_distance,)."""
        return 0.5 * (self.edges_pc[1:] + self.edges_pc[:-1])

    @cached_property
    def width_pc(self) -> NDArray[np.float64]:
        """Width of every bin [pc], shape (n_distance,)."""
        return np.diff(self.edges_pc)

    @cached_property
    def distance_modulus(self) -> NDArray[np.float64]:
        """Distance modulus of the bin centres [mag], shape (n_distance,)."""
        return distance_modulus(self.centre_pc)

    def __len__(self) -> int:
        return self.edges_pc.size - 1


def distance_modulus(distance_pc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 5 log10(D / 10 pc) [mag] of distances [pc]; the shape is kept."""
    return 5.0 * np.log10(np.asarray(distance_pc, dtype=np.float64)) - 5.0


def distance_grid(min_pc: float, max_pc: float, centre_pc: float) -> DistanceGrid:
    """Build bins that are fine where the model needs it.

    Parameters
    ----------
    min_pc, max_pc : float
        Range [pc].
    centre_pc : float
        Distance of the Galactic centre [pc]: bins are 1 pc wide there and widen outwards.

    Returns
    -------
    DistanceGrid

    Raises
    ------
    InputError
        If the range is empty or not positive.
    """
    if not 0.0 < min_pc < max_pc:
        raise InputError(
            f"[distance] min_pc = {min_pc:g}, max_pc = {max_pc:g}: expected 0 < min_pc < max_pc"
        )
    edges = [float(min_pc)]
    while edges[-1] < max_pc:
        edges.append(min(edges[-1] + _step(edges[-1], centre_pc), max_pc))
    if len(edges) > 2 and edges[-1] - edges[-2] < 0.5 * (edges[-2] - edges[-3]):
        del edges[-2]
    return DistanceGrid(np.array(edges))


def _step(distance_pc: float, centre_pc: float) -> float:
    """Width of the bin that begins at a distance, not jumping over a finer zone."""
    step = min(FRACTIONAL_STEP * distance_pc, STEP_PC if distance_pc < FAR_PC else FAR_STEP_PC)
    for half_width, fine in CENTRE_STEPS:
        low, high = centre_pc - half_width, centre_pc + half_width
        if low <= distance_pc < high:
            step = min(step, fine)
        elif distance_pc < low:
            step = min(step, max(low - distance_pc, fine))
    return step
