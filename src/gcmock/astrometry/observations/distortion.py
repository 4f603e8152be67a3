"""The true distortion of a mission: coefficients for every calibration block."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.special import ndtri

from gcmock.arrays import Columns, Floats
from gcmock.astrometry.directions.geometry import DistortionTerm, distortion_terms
from gcmock.astrometry.missions.mission import ObservableMission
from gcmock.astrometry.observations.folder import CALIBRATION_COLUMNS
from gcmock.random import star_key, uniform

BLOCK_STREAM: Final = -6
"""Stands for the realisation in the keys of calibration blocks."""

_COMMON_KEY: Final = 2**62


def true_distortion(
    mission: ObservableMission, n_block: int, seed: int
) -> list[dict[DistortionTerm, float]]:
    """Draw the coefficients of the distortion, one dictionary per block [mas].

    Terms up to ``degree`` have a part common to all blocks and one of their own; terms above, which
    the solution does not know, are drawn for each block.
    """
    calibration = mission.calibration
    terms = distortion_terms(calibration.true_degree, calibration.min_degree)
    n = max(len(terms), 1)
    common = ndtri(uniform(star_key(seed, np.array([_COMMON_KEY]), BLOCK_STREAM), 0, n))[0]
    own = ndtri(uniform(star_key(seed, np.arange(n_block), BLOCK_STREAM), 0, n))
    blocks = []
    for row in own:
        drawn = {}
        for term, shared, single in zip(terms, common, row, strict=False):
            if term.degree_x + term.degree_y <= calibration.degree:
                value = calibration.common_mas * shared + calibration.block_mas * single
            else:
                value = calibration.mismodelled_mas * single
            drawn[term] = float(value)
        blocks.append(drawn)
    return blocks


def as_matrices(block: dict[DistortionTerm, float]) -> tuple[Floats, Floats]:
    """Return the coefficients of a block as matrices for x and y, by the degrees in x and y."""
    size = 1 + max((max(t.degree_x, t.degree_y) for t in block), default=0)
    matrices = np.zeros((2, size, size))
    for (axis, i, j), value in block.items():
        matrices["xy".index(axis), i, j] = value
    return matrices[0], matrices[1]


def calibration_table(
    coefficients: list[dict[DistortionTerm, float]],
) -> Columns:
    """Return the coefficients of all blocks as the table of the true calibration."""
    rows = [
        (block, term.axis, term.degree_x, term.degree_y, value)
        for block, terms in enumerate(coefficients)
        for term, value in terms.items()
    ]
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 5
    return {
        column.name: np.array(values, dtype=column.dtype)
        for column, values in zip(CALIBRATION_COLUMNS, columns, strict=True)
    }
