"""Common modes of a solution: what relative observations in a small field hardly determine.

A rotation of all stars, constant or growing in time, is taken up by the attitude: observations
without references leave it free (three orientations, three spins). A common shift of all
parallaxes moves the whole field of a visit by the same amount and is taken up by the pointing, but
for the change of the parallax factors across the field. A common scale of the field is taken up by
the linear terms of the distortion, but for the curvature of the sky.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gcmock.astrometry.directions.geometry import MAS, tangent_offset, triad
from gcmock.astrometry.solver.grouping import direction_centre
from gcmock.astrometry.solver.instrument_first import Arrow
from gcmock.astrometry.solver.normal import Blocks, Linearisation
from gcmock.astrometry.solver.problem import Floats, Shift

FRAME_MODES: Final = {
    "offset_ra": "position offset in right ascension (orientation about the north axis) [mas]",
    "offset_dec": "position offset in declination (orientation about the east axis) [mas]",
    "rotation": "rotation about the centre of the field (orientation) [mas per radian]",
    "motion_ra": "common proper motion in right ascension (spin about the north axis) [mas/yr]",
    "motion_dec": "common proper motion in declination (spin about the east axis) [mas/yr]",
    "spin": "spin about the centre of the field [mas/yr per radian]",
    "parallax": "parallax zero point [mas]",
}
"""The common modes that a comparison removes: three orientations, three spins, parallax zero."""

WEAK_MODES: Final = {
    "scale": "scale of the positions [mas per radian]",
    "scale_rate": "scale of the proper motions [mas/yr per radian]",
}
"""Modes that are weak if the distortion has linear terms."""

FAMILIES: Final = {
    "orientation": ("offset_ra", "offset_dec", "rotation"),
    "spin": ("motion_ra", "motion_dec", "spin"),
    "parallax zero point": ("parallax",),
    "scale": ("scale",),
    "scale rate": ("scale_rate",),
}
"""Common modes that belong together."""

NULL_EIGENVALUE: Final = 1e-9
"""A mode whose scaled eigenvalue is smaller counts as free."""

NEAR_NULL_EIGENVALUE: Final = 1e-5
"""A mode whose scaled eigenvalue is smaller is reported as nearly free."""


def patterns(sources: Floats, centre: tuple[float, float] | None = None) -> dict[str, Floats]:
    """Return changes of the five parameters of stars by unit amplitudes of common modes.

    Parameters
    ----------
    sources : ndarray, shape (n, 5) or (n, 2)
        ra, dec [deg] in the first columns.
    centre : tuple of 2 floats, optional
        Centre of the field, ra and dec [deg]; the mean direction if not given.

    Returns
    -------
    dict of str to ndarray, shape (n, 5)
        `FRAME_MODES` and `WEAK_MODES`. For rotations omega the change is omega x r along east and
        north; proper motions, if they are given, turn with the frame.
    """
    ra, dec = sources[:, 0], sources[:, 1]
    ra0, dec0 = centre or direction_centre(ra, dec)
    p0, q0, r0 = np.array(triad(ra0, dec0)).reshape(3, 3)
    p, q, r = np.array(triad(ra, dec)).reshape(3, 3, -1)

    def rotated(omega: Floats) -> tuple[Floats, Floats, Floats]:
        """Shifts to the east and north, and the angle by which vectors turn against p and q."""
        shift = np.cross(omega, r.T)
        east, north = np.einsum("ni,in->n", shift, p), np.einsum("ni,in->n", shift, q)
        return east, north, omega @ r - east * np.tan(np.radians(dec))

    found = {}
    zero = np.zeros(len(ra))
    turns = (("offset_ra", "motion_ra", q0), ("offset_dec", "motion_dec", -p0))
    for orientation, spin, axis in (*turns, ("rotation", "spin", r0)):
        east, north, turn = rotated(axis)
        pmra, pmdec = sources[:, 3:5].T if sources.shape[1] > 2 else (zero, zero)
        turned = np.column_stack([-pmdec * turn, pmra * turn]) * MAS
        found[orientation] = np.column_stack([east, north, zero, turned])
        found[spin] = np.column_stack([zero, zero, zero, east, north])
    found["parallax"] = np.column_stack([zero, zero, zero + 1.0, zero, zero])
    xi, eta = tangent_offset(ra, dec, ra0, dec0)
    found["scale"] = np.column_stack([xi, eta, zero, zero, zero])
    found["scale_rate"] = np.column_stack([zero, zero, zero, xi, eta])
    return {name: found[name] for name in (*FRAME_MODES, *WEAK_MODES)}


def compensated(linearisation: Linearisation, arrow: Arrow, pattern: Floats) -> Shift:
    """Return a shift of the stars with the change of the instrument that hides it best."""
    stars = linearisation.problem.no_shift()
    stars = Shift(pattern, stars.attitude, stars.coefficients)
    hidden = arrow.solve(linearisation.product(stars, prior=False).scaled(-1.0))
    return Shift(pattern, hidden.attitude, hidden.coefficients)


@dataclass(frozen=True)
class Mode:
    """A common mode and how well it is determined.

    Attributes
    ----------
    name : str
    shift : Shift
        The mode in all unknowns, of unit amplitude.
    eigenvalue : float
        z'N z over the same with the diagonal of N alone, N with the priors: 1 for an unknown that
        stands alone, 0 for a free one.
    observed : float
        The same without the priors.
    """

    name: str
    shift: Shift
    eigenvalue: float
    observed: float


def named_modes(linearisation: Linearisation, blocks: Blocks, arrow: Arrow) -> list[Mode]:
    """Return the common modes of a solution with their Rayleigh quotients."""
    prior = linearisation.problem.prior.precision
    diagonal = diagonal_of(blocks)
    modes = []
    for name, pattern in patterns(linearisation.unknowns.sources).items():
        z = compensated(linearisation, arrow, pattern)
        # A'W A z from the rows of the observations: a sum of squares, good to rounding squared.
        observed = linearisation.square(z)
        known = float(np.einsum("ni,nij,nj->", z.sources, prior, z.sources))
        squares = Shift(z.sources**2, z.attitude**2, z.coefficients**2).dot(diagonal)
        own = squares - float(np.einsum("ni,nii->", z.sources**2, prior))
        modes.append(Mode(name, z, (observed + known) / squares, observed / own))
    return modes


def diagonal_of(blocks: Blocks) -> Shift:
    """Diagonal of the normal matrix."""
    return Shift(
        np.einsum("nii->ni", blocks.sources).copy(),
        np.einsum("nii->ni", blocks.visits).copy(),
        np.einsum("nii->ni", blocks.terms).copy(),
    )


def named_vectors(vectors: Floats, modes: Mapping[str, Floats], scale: Floats) -> list[str]:
    """Names of eigenvectors by the common modes that they consist of.

    Parameters
    ----------
    vectors : ndarray, shape (n, m)
        Orthonormal eigenvectors in the scaled unknowns.
    modes : mapping of str to ndarray, shape (n,)
        Common modes in the unscaled unknowns.
    scale : ndarray, shape (n,)
        Scaled unknowns are unscaled ones over it.

    Returns
    -------
    list of str
        Names of `FAMILIES`, joined by ``+`` if each has more than a tenth of the square of the
        vector; ``"other"`` if the common modes together have less than half of it.
    """
    fraction: dict[str, Floats] = {}
    basis = np.zeros((len(scale), 0))
    for family, members in FAMILIES.items():
        part = np.array([modes[name] for name in members]).T / scale[:, None]
        part = np.linalg.qr(part)[0]
        part = np.linalg.qr(part - basis @ (basis.T @ part))[0]
        basis = np.hstack([basis, part])
        fraction[family] = ((part.T @ vectors) ** 2).sum(axis=0)
    names = []
    for i in range(vectors.shape[1]):
        if sum(values[i] for values in fraction.values()) < 0.5:
            names.append("other")
            continue
        parts = [family for family, values in fraction.items() if values[i] > 0.1]
        names.append(" + ".join(sorted(parts, key=lambda family: -fraction[family][i])))
    return names


def amplitudes(shift: Floats, modes: Mapping[str, Floats], weight: Floats | None = None) -> Floats:
    """Amplitudes of common modes in shifts of stars, fitted together by least squares.

    Parameters
    ----------
    shift : ndarray, shape (n, 5)
    modes : mapping of str to ndarray, shape (n, 5)
    weight : ndarray, shape (n, 5, 5), optional
        Inverse covariances; unit weights if not given.

    Returns
    -------
    ndarray, shape (k,)
        In the order of `modes`.
    """
    m = np.array(list(modes.values()))
    w = m if weight is None else np.einsum("knj,nji->kni", m, weight)
    normal = np.einsum("kni,lni->kl", w, m)
    return np.linalg.solve(normal, np.einsum("kni,ni->k", w, shift))
