"""Compiled: one observation as two whitened rows of the linearised equations.

A row has the five parameters of the star, the three rotations of the visit and the terms of the
distortion of its axis, each divided by the error of the observation. The equations are those of
`gcmock.astrometry.directions.displacement` and `gcmock.astrometry.directions.geometry`, compiled
as they stand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.astrometry.directions import displacement as motion
from gcmock.astrometry.directions import geometry
from gcmock.astrometry.solver.problem import Problem, Unknowns, triads
from gcmock.compilation import compiled

MAS = geometry.MAS
FIELD = 8
"""Where the terms of the distortion begin in a row."""

_star_in_frame = compiled(nogil=True)(geometry.star_in_frame)
_projected = compiled(nogil=True)(geometry.projected)
_displacement = compiled(nogil=True)(motion.displacement)
_deflected = compiled(nogil=True)(motion.deflected)
_aberrated = compiled(nogil=True)(motion.aberrated)


class Arrays(NamedTuple):
    """A problem, linearised at some unknowns, as kernels take it.

    The fields are those of `Problem` and `Unknowns`; `triad` holds p, q, r of every star.
    """

    first: NDArray[np.int64]
    visit: NDArray[np.int32]
    measured: NDArray[np.float64]
    root_weight: NDArray[np.float64]
    block: NDArray[np.int64]
    tau: NDArray[np.float64]
    observer: NDArray[np.float64]
    from_sun: NDArray[np.float64]
    velocity: NDArray[np.float64]
    deflection: bool
    aberration: bool
    degrees: NDArray[np.int64]
    n_x: int
    half_field: float
    radial_velocity: NDArray[np.float64]
    triad: NDArray[np.float64]
    sources: NDArray[np.float64]
    attitude: NDArray[np.float64]
    coefficients: NDArray[np.float64]


def arrays(problem: Problem, unknowns: Unknowns) -> Arrays:
    """Return what the kernels need."""
    d, v = problem.distortion, problem.visits
    contiguous = np.ascontiguousarray
    return Arrays(
        problem.first,
        problem.visit,
        contiguous(problem.measured),
        contiguous(problem.root_weight),
        v.block,
        contiguous(v.tau),
        contiguous(v.observer_au),
        contiguous(v.from_sun_au),
        contiguous(v.velocity),
        v.deflection,
        v.aberration,
        d.degrees(),
        d.n_x,
        d.half_field,
        contiguous(problem.radial_velocity),
        contiguous(triads(unknowns.sources)),
        contiguous(unknowns.sources),
        contiguous(unknowns.attitude),
        contiguous(unknowns.coefficients),
    )


@compiled(nogil=True, error_model="numpy")
def _polynomials(x, values, slopes):  # pragma: no cover
    """Legendre polynomials and their derivatives up to the length of the arrays."""
    values[0], slopes[0] = 1.0, 0.0
    if len(values) > 1:
        values[1], slopes[1] = x, 1.0
    for k in range(1, len(values) - 1):
        values[k + 1] = ((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1)
        slopes[k + 1] = slopes[k - 1] + (2 * k + 1) * values[k]


@compiled(nogil=True)
def _along(triad, vector):  # pragma: no cover
    """Components of a vector along p, q, r."""
    return (
        triad[0, 0] * vector[0] + triad[0, 1] * vector[1] + triad[0, 2] * vector[2],
        triad[1, 0] * vector[0] + triad[1, 1] * vector[1] + triad[1, 2] * vector[2],
        triad[2, 0] * vector[0] + triad[2, 1] * vector[1] + triad[2, 2] * vector[2],
    )


@compiled(nogil=True, error_model="numpy")
def _shift(a, i, j, bp, bq, br):  # pragma: no cover
    """Displacement of star `i` along its axes p, q, r in visit `j`, seen from (bp, bq, br)."""
    east, north, radial = _displacement(
        a.sources[i, 2],
        a.sources[i, 3],
        a.sources[i, 4],
        a.radial_velocity[i],
        a.tau[j],
        bp,
        bq,
        br,
    )
    t = a.triad[i]
    if a.deflection:
        sp, sq, sr = _along(t, a.from_sun[j])
        east, north, radial = _deflected(east, north, radial, sp, sq, sr)
    if a.aberration:
        vp, vq, vr = _along(t, a.velocity[j])
        east, north, radial = _aberrated(east, north, radial, vp, vq, vr)
    return east, north, radial


@compiled(nogil=True, error_model="numpy")
def observe_row(a, i, o, row, residual, poly):  # pragma: no cover
    """Fill the two rows and the residuals of observation `o` of star `i`.

    Parameters
    ----------
    a : Arrays
    i, o : int
    row : ndarray, shape (2, 8 + n_term), residual : ndarray, shape (2,)
        Output, whitened; the terms of the other axis are not touched.
    poly : ndarray, shape (4, highest degree + 1)
        Scratch.
    """
    j = a.visit[o]
    tau = a.tau[j]
    bp, bq, br = _along(a.triad[i], a.observer[j])
    # The partial derivatives leave out what deflection and aberration do to them (1e-4).
    east, north, radial = _shift(a, i, j, bp, bq, br)
    frame = _star_in_frame(
        a.sources[i, 0], a.sources[i, 1], a.attitude[j, 0], a.attitude[j, 1], a.attitude[j, 2]
    )
    x, y, x_e, x_n, y_e, y_n = _projected(*frame, east, north, radial)
    # Distortion and its gradient.
    h = a.half_field
    c = a.coefficients[a.block[j]]
    _polynomials(x / h, poly[0], poly[1])
    _polynomials(y / h, poly[2], poly[3])
    dx, dy, dxx, dxy, dyx, dyy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    w0, w1 = a.root_weight[o, 0], a.root_weight[o, 1]
    for m in range(len(c)):
        k, l = a.degrees[m, 0], a.degrees[m, 1]
        value = poly[0, k] * poly[2, l]
        by_x, by_y = poly[1, k] * poly[2, l], poly[0, k] * poly[3, l]
        if m < a.n_x:
            dx += c[m] * value
            dxx += c[m] * by_x
            dxy += c[m] * by_y
            row[0, FIELD + m] = w0 * value
        else:
            dy += c[m] * value
            dyx += c[m] * by_x
            dyy += c[m] * by_y
            row[1, FIELD + m] = w1 * value
    scale = MAS / h
    xx, xy, yx, yy = 1.0 + dxx * scale, dxy * scale, dyx * scale, 1.0 + dyy * scale
    for axis in range(2):
        if axis == 0:
            w, fx, fy = w0, w0 * xx, w0 * xy
            residual[0] = w * (a.measured[o, 0] - x / MAS - dx)
        else:
            w, fx, fy = w1, w1 * yx, w1 * yy
            residual[1] = w * (a.measured[o, 1] - y / MAS - dy)
        e, n = fx * x_e + fy * y_e, fx * x_n + fy * y_n
        row[axis, 0] = e
        row[axis, 1] = n
        row[axis, 2] = -(e * bp + n * bq)
        row[axis, 3] = e * tau
        row[axis, 4] = n * tau
        row[axis, 5] = fx * x * y + fy * (1.0 + y * y)
        row[axis, 6] = -fx * (1.0 + x * x) - fy * x * y
        row[axis, 7] = fx * y - fy * x


def scratch(a: Any) -> tuple[Any, Any, Any]:
    """Arrays `row`, `residual` and `poly` for `observe_row`."""
    row = np.zeros((2, FIELD + len(a.degrees)))
    highest = 0
    for m in range(len(a.degrees)):
        highest = max(highest, a.degrees[m, 0], a.degrees[m, 1])
    return row, np.zeros(2), np.zeros((4, highest + 1))


scratch_compiled = compiled(nogil=True)(scratch)
