"""Blocks of stars of one kind, as the kernels take them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.posterior.kernel.structures import StarBlock
from gcmock.posterior.kinds import StarKind
from gcmock.posterior.observations import MeasuredMotion, Observations
from gcmock.words.bands import N_LINEAR

BLOCK = 512
"""Stars per call of the kernel: few enough to share among threads, enough to cost nothing."""


def bands_of(kind: StarKind) -> NDArray[np.int64]:
    """Places of the bands that the kernels see on the axis of all bands."""
    return np.array([*range(N_LINEAR), N_LINEAR + kind.synthetic])


def blocks_of(members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split stars of a kind into blocks."""
    return [members[start : start + BLOCK] for start in range(0, members.size, BLOCK)]


def stars_of(
    data: Observations,
    variance: Floats,
    sightline: NDArray[np.int64],
    rows: NDArray[np.int64],
    kind: StarKind,
) -> StarBlock:
    """Gather the stars of a block."""
    motion = MeasuredMotion.missing(rows.size) if data.motion is None else data.motion.take(rows)
    bands = bands_of(kind)
    return StarBlock(
        # Always contiguous, as the compiled functions know their arguments.
        np.take(data.mag[rows], bands, axis=1),
        np.take(variance[rows], bands, axis=1),
        data.parallax[rows],
        data.parallax_error[rows],
        data.e_jks_rc[rows],
        data.tau[rows],
        sightline[rows],
        motion,
    )
