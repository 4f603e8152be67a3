"""Apparent directions of stars at some epochs, as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.astrometry.directions.displacement import (
    SPEED_OF_LIGHT_KMS,
    aberrated,
    deflected,
    displacement,
)
from gcmock.astrometry.directions.ephemeris import Observer
from gcmock.astrometry.directions.geometry import offset_direction, triad


class MovingStars(NamedTuple):
    """Astrometric parameters of n_star stars, each an array (n_star,).

    Attributes
    ----------
    ra, dec : ndarray
        ICRS at `ref_epoch` [deg].
    parallax : ndarray
        [mas].
    pmra, pmdec : ndarray
        [mas/yr].
    radial_velocity : ndarray
        [km/s].
    ref_epoch : ndarray
        Julian years, TCB.
    """

    ra: Floats
    dec: Floats
    parallax: Floats
    pmra: Floats
    pmdec: Floats
    radial_velocity: Floats
    ref_epoch: Floats


class Directions(NamedTuple):
    """Apparent directions, each an array (n_star, n_epoch).

    Attributes
    ----------
    ra, dec : ndarray
        [deg], ra in [0, 360); rounded to 2e-4 micro-arcsec.
    xi, eta : ndarray
        The same as gnomonic offsets to the east and to the north of the reference direction [rad],
        with all digits.
    """

    ra: Floats
    dec: Floats
    xi: Floats
    eta: Floats


def apparent_directions(
    stars: MovingStars,
    epochs: Floats,
    observer: Observer,
    *,
    aberration: bool = False,
    deflection: bool = False,
) -> Directions:
    """Compute the directions in which stars are seen.

    Parameters
    ----------
    stars : MovingStars
    epochs : ndarray, shape (n_epoch,)
        Julian years, TCB.
    observer : Observer
        At the epochs.
    aberration : bool
        Include the aberration by the observer's velocity.
    deflection : bool
        Include the deflection of light by the Sun.

    Returns
    -------
    Directions
    """
    axes = np.array(triad(stars.ra, stars.dec)).reshape(3, 3, -1)

    def along(vectors: Floats) -> tuple[Any, Any, Any]:
        """Components along p, q, r of all stars, each (n_star, n_epoch)."""
        p, q, r = (axis.T @ vectors.T for axis in axes)
        return p, q, r

    years = epochs[None, :] - stars.ref_epoch[:, None]
    shifted = displacement(
        stars.parallax[:, None],
        stars.pmra[:, None],
        stars.pmdec[:, None],
        stars.radial_velocity[:, None],
        years,
        *along(observer.position),
    )
    if deflection:
        shifted = deflected(*shifted, *along(observer.from_sun))
    if aberration:
        shifted = aberrated(*shifted, *along(observer.velocity / SPEED_OF_LIGHT_KMS))
    east, north, radial = shifted
    xi, eta = east / (1.0 + radial), north / (1.0 + radial)
    ra, dec = offset_direction(stars.ra[:, None], stars.dec[:, None], xi, eta)
    return Directions(ra, dec, xi, eta)
