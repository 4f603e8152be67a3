"""Joint chi-square of a whole solution against the truth, with all correlations.

The covariances of single stars leave out that the instrument shifts neighbours together. The error
e of all unknowns has e'N e with as many degrees of freedom as there are unknowns, and that of the
shared ones (attitude and distortion) e'S e; both follow from sweeps over the observations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.astrometry.directions.geometry import MAS, triad
from gcmock.astrometry.solver.elimination import inverse_root, times
from gcmock.astrometry.solver.instrument_first import Arrow
from gcmock.astrometry.solver.modes import FRAME_MODES, compensated, patterns
from gcmock.astrometry.solver.normal import Linearisation
from gcmock.astrometry.solver.problem import Floats, Problem, Shift, Unknowns, source_shift


@dataclass(frozen=True)
class JointChi2:
    """Chi-squares of the errors of a solution, before and after the removal of common modes.

    Attributes
    ----------
    all_unknowns, all_without_modes : float
    shared, shared_without_modes : float
        Of attitude and distortion.
    n_unknown, n_shared, n_mode : int
        Degrees of freedom; `n_mode` fewer without the modes.
    """

    all_unknowns: float
    all_without_modes: float
    shared: float
    shared_without_modes: float
    n_unknown: int
    n_shared: int
    n_mode: int


def joint_chi2(problem: Problem, solved: Unknowns, truth: Unknowns, workers: int = 1) -> JointChi2:
    """Compare all unknowns with the truth.

    Parameters
    ----------
    problem : Problem
        What was solved.
    solved, truth : Unknowns
    workers : int
        Threads.
    """
    lin = Linearisation(problem, solved, workers)
    blocks = lin.blocks()
    root, arrow = inverse_root(blocks.sources), Arrow(blocks)
    error = difference(solved, truth)
    found = patterns(solved.sources)
    modes = [compensated(lin, arrow, found[name]) for name in FRAME_MODES]

    def hidden(shift: Shift) -> Shift:
        """Return the same instrument with the stars that hide it best."""
        none = np.zeros_like(shift.sources)
        instrument = Shift(none, shift.attitude, shift.coefficients)
        stars = -times(root, lin.product(instrument).sources)
        return Shift(stars, shift.attitude, shift.coefficients)

    total = _reduced(lin, error, modes)
    shared = _reduced(lin, hidden(error), [hidden(mode) for mode in modes])
    n_shared = problem.n_instrument
    return JointChi2(*total, *shared, 5 * problem.n_source + n_shared, n_shared, len(modes))


def _reduced(lin: Linearisation, error: Shift, modes: list[Shift]) -> tuple[float, float]:
    """E'N e, and the same after the modes that make it smallest are taken away."""
    weighted = [lin.product(mode) for mode in modes]
    whole = error.dot(lin.product(error))
    normal = np.array([[m.dot(w) for w in weighted] for m in modes])
    right = np.array([error.dot(w) for w in weighted])
    scale = 1.0 / np.sqrt(np.maximum(normal.diagonal(), 1e-300))
    fitted = np.linalg.lstsq(normal * scale[:, None] * scale, right * scale, rcond=1e-12)[0]
    return whole, whole - float(fitted @ (right * scale))


def difference(solved: Unknowns, truth: Unknowns) -> Shift:
    """Solution minus truth, as a shift."""
    return Shift(
        source_shift(solved.sources, truth.sources),
        -rotation_between(solved.attitude, truth.attitude) / MAS,
        solved.coefficients - truth.coefficients,
    )


def rotation_between(start: Floats, end: Floats) -> Floats:
    """Small rotation vectors about the instrument's axes that lead from one attitude to another.

    Parameters
    ----------
    start, end : ndarray, shape (n, 3)
        ra, dec, roll [deg].

    Returns
    -------
    ndarray, shape (n, 3)
        [rad], good to 1e-16; the rotations of `gcmock.astrometry.directions.geometry.turned`.
    """
    a, b = _axes(start), _axes(end)
    product = np.einsum("nij,nkj->nik", b, a)
    return 0.5 * np.column_stack(
        [
            product[:, 1, 2] - product[:, 2, 1],
            product[:, 2, 0] - product[:, 0, 2],
            product[:, 0, 1] - product[:, 1, 0],
        ]
    )


def _axes(attitude: Floats) -> Floats:
    """Axes X, Y, Z of the instrument in ICRS, shape (n, 3, 3)."""
    p, q, r = np.array(triad(attitude[:, 0], attitude[:, 1])).reshape(3, 3, -1)
    sin, cos = np.sin(np.radians(attitude[:, 2])), np.cos(np.radians(attitude[:, 2]))
    return np.stack([(cos * p - sin * q).T, (sin * p + cos * q).T, r.T], axis=1)


def true_coefficients(table: Columns, block_number: NDArray[np.int64], terms: Any) -> Floats:
    """Coefficients of the true distortion for some blocks and terms, shape (n_block, n_term).

    Terms that the table lacks are zero; terms of the table that the solution lacks are left out.
    """
    place = {(t.axis, t.degree_x, t.degree_y): k for k, t in enumerate(terms)}
    row = {int(number): k for k, number in enumerate(block_number)}
    out = np.zeros((len(block_number), len(terms)))
    columns = ("block", "axis", "degree_x", "degree_y", "coefficient")
    for block, axis, i, j, value in zip(*(table[name] for name in columns), strict=True):
        k, m = row.get(int(block)), place.get((str(axis), int(i), int(j)))
        if k is not None and m is not None:
            out[k, m] = value
    return out
