"""The least-squares problem of a solution as arrays: data, unknowns, and their changes.

Unknowns are five parameters per star, three small rotations per visit and the coefficients of the
distortion per calibration block. Shifts of all of them are in mas (mas/yr for proper motions), so
that they are of comparable size. The equations stand in `docs/closed_loop.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import (
    MAS,
    DistortionTerm,
    offset_direction,
    tangent_offset,
    triad,
    turned,
)

N_PARAMETER = 5


@dataclass(frozen=True)
class VisitData:
    """What is known of the visits, each array of shape (n_visit, ...).

    Attributes
    ----------
    block : ndarray of int64, shape (n_visit,)
        Calibration block, from 0 without gaps.
    tau : ndarray, shape (n_visit,)
        Time from the reference epoch of the solution [yr].
    observer_au : ndarray, shape (n_visit, 3)
        Barycentric position of the observer, ICRS axes.
    from_sun_au : ndarray, shape (n_visit, 3)
        Position of the observer seen from the Sun.
    velocity : ndarray, shape (n_visit, 3)
        Barycentric velocity of the observer in units of the speed of light.
    deflection, aberration : bool
        Whether they are in the observations; without them the last two arrays are not used.
    """

    block: Integers
    tau: Floats
    observer_au: Floats
    from_sun_au: Floats
    velocity: Floats
    deflection: bool
    aberration: bool

    def __len__(self) -> int:
        return len(self.block)


@dataclass(frozen=True)
class Distortion:
    """The model of the distortion: which products of Legendre polynomials, and in which units.

    Attributes
    ----------
    terms : tuple of DistortionTerm
        Those of the x axis before those of the y axis.
    half_field : float
        Half of the field of view [rad].
    n_block : int
    """

    terms: tuple[DistortionTerm, ...]
    half_field: float
    n_block: int

    @property
    def n_term(self) -> int:
        """Unknowns per block."""
        return len(self.terms)

    @property
    def n_x(self) -> int:
        """Terms of the x axis."""
        return sum(term.axis == "x" for term in self.terms)

    def degrees(self) -> Integers:
        """Degrees of the polynomials, shape (n_term, 2)."""
        pairs = [(term.degree_x, term.degree_y) for term in self.terms]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class Prior:
    """Independent knowledge of the five parameters of stars.

    Attributes
    ----------
    mean : ndarray, shape (n_source, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr] at the epoch of the solution; anything
        finite where there is no prior.
    precision : ndarray, shape (n_source, 5, 5)
        Inverse of the covariance [mas, mas/yr]; zero where there is no prior.
    """

    mean: Floats
    precision: Floats


@dataclass(frozen=True)
class Unknowns:
    """Values of all unknowns.

    Attributes
    ----------
    sources : ndarray, shape (n_source, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr].
    attitude : ndarray, shape (n_visit, 3)
        ra, dec, roll [deg].
    coefficients : ndarray, shape (n_block, n_term)
        Distortion [mas].
    """

    sources: Floats
    attitude: Floats
    coefficients: Floats

    def shifted(self, shift: Shift) -> Unknowns:
        """Return the unknowns after a shift."""
        return Unknowns(
            shifted_sources(self.sources, shift.sources),
            np.stack(turned(*self.attitude.T, *(shift.attitude.T * MAS)), axis=1),
            self.coefficients + shift.coefficients,
        )


@dataclass(frozen=True)
class Shift:
    """A small change of all unknowns, or a gradient with respect to them [mas, mas/yr].

    Attributes
    ----------
    sources : ndarray, shape (n_source, 5)
        In right ascension times cos(dec), declination, parallax and proper motions.
    attitude : ndarray, shape (n_visit, 3)
        Rotation about the axes of the instrument.
    coefficients : ndarray, shape (n_block, n_term)
    """

    sources: Floats
    attitude: Floats
    coefficients: Floats

    @property
    def instrument(self) -> Floats:
        """Attitude and coefficients as one vector: visits first, then blocks."""
        return np.concatenate([self.attitude.ravel(), self.coefficients.ravel()])

    def with_instrument(self, vector: Floats) -> Shift:
        """Return the same shift with another instrument, given as one vector."""
        n = self.attitude.size
        return Shift(
            self.sources,
            vector[:n].reshape(self.attitude.shape),
            vector[n:].reshape(self.coefficients.shape),
        )

    def __add__(self, other: Shift) -> Shift:
        return Shift(
            self.sources + other.sources,
            self.attitude + other.attitude,
            self.coefficients + other.coefficients,
        )

    def scaled(self, factor: float) -> Shift:
        """Return the shift times a number."""
        return Shift(factor * self.sources, factor * self.attitude, factor * self.coefficients)

    def dot(self, other: Shift) -> float:
        """Return the sum of the products of all elements."""
        return float(
            np.vdot(self.sources, other.sources)
            + np.vdot(self.attitude, other.attitude)
            + np.vdot(self.coefficients, other.coefficients)
        )


@dataclass(frozen=True)
class Problem:
    """Observations, sorted by source, and everything that is known.

    Attributes
    ----------
    first : ndarray of int64, shape (n_source + 1,)
        Observations ``first[i]:first[i + 1]`` are those of source i.
    visit : ndarray of int32, shape (n_observation,)
    measured : ndarray, shape (n_observation, 2)
        Field coordinates x, y [mas].
    root_weight : ndarray, shape (n_observation, 2)
        Square roots of the weights [1/mas].
    visits, distortion, prior
        See there.
    radial_velocity : ndarray, shape (n_source,)
        For the perspective change of the motion [km/s]; zero if unknown.
    """

    first: Integers
    visit: NDArray[np.int32]
    measured: Floats
    root_weight: Floats
    visits: VisitData
    distortion: Distortion
    prior: Prior
    radial_velocity: Floats

    @property
    def n_source(self) -> int:
        """Number of stars."""
        return len(self.first) - 1

    @property
    def n_visit(self) -> int:
        """Number of visits."""
        return len(self.visits)

    @property
    def n_observation(self) -> int:
        """Number of two-dimensional observations."""
        return len(self.visit)

    @property
    def n_instrument(self) -> int:
        """Number of unknowns of attitude and distortion."""
        return 3 * self.n_visit + self.distortion.n_block * self.distortion.n_term

    def no_shift(self) -> Shift:
        """Return a shift of zeros."""
        d = self.distortion
        return Shift(
            np.zeros((self.n_source, N_PARAMETER)),
            np.zeros((self.n_visit, 3)),
            np.zeros((d.n_block, d.n_term)),
        )

    def reweighted(self, factor: Floats) -> Problem:
        """Return the problem with weights times `factor`, shape (n_observation,)."""
        return replace(self, root_weight=self.root_weight * np.sqrt(factor)[:, None])


def shifted_sources(values: Floats, shift: Floats) -> Floats:
    """Five parameters after a shift of (alpha cos(delta), delta, parallax, proper motions).

    Parameters
    ----------
    values : ndarray, shape (n, 5)
        ra, dec [deg], parallax [mas], pmra, pmdec [mas/yr].
    shift : ndarray, shape (n, 5)
        [mas, mas/yr].
    """
    ra, dec = offset_direction(values[:, 0], values[:, 1], shift[:, 0] * MAS, shift[:, 1] * MAS)
    return np.column_stack([ra, dec, values[:, 2:] + shift[:, 2:]])


def source_shift(values: Floats, origin: Floats) -> Floats:
    """Return the shift from `origin` to `values`, (n, 5): inverse of `shifted_sources`."""
    xi, eta = tangent_offset(values[:, 0], values[:, 1], origin[:, 0], origin[:, 1])
    return np.column_stack([xi / MAS, eta / MAS, values[:, 2:] - origin[:, 2:]])


def triads(sources: Floats) -> Floats:
    """Return p, q, r at the positions of stars, shape (n, 3, 3): second axis p, q, r."""
    columns = triad(sources[:, 0], sources[:, 1])
    return np.stack(columns, axis=-1).reshape(-1, 3, 3)
