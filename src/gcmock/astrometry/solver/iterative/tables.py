"""What the compiled sweeps over strips take: a problem at some unknowns, as arrays."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import triad
from gcmock.astrometry.solver.problem import Distortion, Unknowns, VisitData, triads

TILE: Final = 16
"""Stars of a tile: they are computed together, in the lanes of vector instructions."""

PATCH: Final = 8
"""Tiles of a patch: they share what is loaded of a visit."""


class Tables(NamedTuple):
    """A problem at some unknowns, in arrays that are fast to pass through.

    Attributes
    ----------
    frame : ndarray, shape (n_visit, 16)
        Axes X, Y, Z of the instrument (ICRS), the observer's position along them [au], and the
        time from the reference epoch [yr].
    place : ndarray, shape (n_visit, 9)
        Position of the observer, the same from the Sun [au], velocity over that of light (ICRS).
    block : ndarray of int64, shape (n_visit,)
    star : ndarray, shape (n_tile, 9 * 16)
        Vectors p, q, r of the stars of a tile: p_x of all, p_y of all and so on.
    motion : ndarray, shape (n_tile, 4 * 16)
        Parallax [mas], proper motions [mas/yr] and radial velocity [km/s] in the same order.
    coefficients : ndarray, shape (n_block, 2, n_pair)
        Distortion by axis and pair of degrees [mas].
    k_x, k_y : ndarray of int64, shape (n_pair,)
        Degrees of the pairs.
    degree : int
        The highest degree.
    half_field : float
        [rad].
    apparent : bool
        Whether `deflection` or `aberration` is in the directions.
    deflection, aberration : bool
    """

    frame: Floats
    place: Floats
    block: Integers
    star: Floats
    motion: Floats
    coefficients: Floats
    k_x: Integers
    k_y: Integers
    degree: int
    half_field: float
    apparent: bool
    deflection: bool
    aberration: bool


class Pairs(NamedTuple):
    """The pairs of degrees (i, j) of a distortion, and where each of its terms belongs.

    Attributes
    ----------
    degrees : ndarray of int64, shape (n_pair, 2)
    axis, pair : ndarray of int64, shape (n_term,)
        Axis and pair of each term.
    """

    degrees: Integers
    axis: Integers
    pair: Integers

    @classmethod
    def of(cls, distortion: Distortion) -> Pairs:
        """Find the pairs of a distortion."""
        terms = distortion.terms
        degrees = sorted({(t.degree_x + t.degree_y, t.degree_y, t.degree_x) for t in terms})
        number = {(x, y): k for k, (_, y, x) in enumerate(degrees)}
        return cls(
            np.array([(x, y) for _, y, x in degrees], dtype=np.int64).reshape(-1, 2),
            np.array(["xy".index(t.axis) for t in terms], dtype=np.int64),
            np.array([number[t.degree_x, t.degree_y] for t in terms], dtype=np.int64),
        )

    def spread(self, terms: Floats) -> Floats:
        """Coefficients by axis and pair, (n_block, 2, n_pair, ...), of (n_block, n_term, ...)."""
        shape = (len(terms), 2, len(self.degrees), *terms.shape[2:])
        out = np.zeros(shape)
        out[:, self.axis, self.pair] = terms
        return out

    def gathered(self, pairs: Floats) -> Floats:
        """Coefficients by term: the inverse of `spread`."""
        return np.ascontiguousarray(pairs[:, self.axis, self.pair])


def tables(
    visits: VisitData, distortion: Distortion, unknowns: Unknowns, radial_velocity: Floats
) -> Tables:
    """Return the tables of a problem whose stars are in the order of their slots.

    Parameters
    ----------
    visits : VisitData
    distortion : Distortion
    unknowns : Unknowns
        Stars of shape (n_slot, 5), n_slot a multiple of `TILE`.
    radial_velocity : ndarray, shape (n_slot,)
        [km/s].
    """
    axes = visit_axes(unknowns.attitude)
    frame = np.zeros((len(visits), 16))
    frame[:, :9] = axes.reshape(-1, 9)
    frame[:, 9:12] = np.einsum("nij,nj->ni", axes, visits.observer_au)
    frame[:, 12] = visits.tau
    place = np.hstack([visits.observer_au, visits.from_sun_au, visits.velocity])
    vectors = triads(unknowns.sources).reshape(-1, TILE, 9)
    motion = np.column_stack([unknowns.sources[:, 2:], radial_velocity]).reshape(-1, TILE, 4)
    pairs = Pairs.of(distortion)
    contiguous = np.ascontiguousarray
    return Tables(
        frame,
        contiguous(place),
        contiguous(visits.block, np.int64),
        contiguous(vectors.transpose(0, 2, 1)).reshape(-1, 9 * TILE),
        contiguous(motion.transpose(0, 2, 1)).reshape(-1, 4 * TILE),
        pairs.spread(unknowns.coefficients),
        contiguous(pairs.degrees[:, 0]),
        contiguous(pairs.degrees[:, 1]),
        int(pairs.degrees.max(initial=1)),
        distortion.half_field,
        visits.deflection or visits.aberration,
        visits.deflection,
        visits.aberration,
    )


def visit_axes(attitude: Floats) -> Floats:
    """Axes X, Y, Z of the instrument along those of the ICRS, shape (n_visit, 3, 3).

    Parameters
    ----------
    attitude : ndarray, shape (n_visit, 3)
        ra, dec, roll [deg].
    """
    p, q, r = np.array(triad(attitude[:, 0], attitude[:, 1])).reshape(3, 3, -1)
    roll: NDArray[np.float64] = np.radians(attitude[:, 2])
    sin, cos = np.sin(roll), np.cos(roll)
    return np.stack([cos * p - sin * q, sin * p + cos * q, r]).transpose(2, 0, 1)
