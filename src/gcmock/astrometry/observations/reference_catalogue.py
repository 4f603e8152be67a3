"""A reference catalogue as Gaia would have it: five parameters with their full covariance."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Columns, Floats
from gcmock.astrometry.directions.apparent import MovingStars
from gcmock.astrometry.directions.geometry import MAS, offset_direction
from gcmock.astrometry.observations.folder import PARAMETERS, correlation_names
from gcmock.errors import InputError
from gcmock.mock.survey import SurveyModel
from gcmock.random import star_key, uniform
from gcmock.settings.mission import Reference
from gcmock.units import K

REFERENCE_STREAM: Final = -3
"""Stands for the realisation in the keys of reference stars."""

TIME_FACTOR: Final = {"dr3": 1.0, "dr4": 0.749, "dr5": 0.527}
"""Parallax errors relative to DR3 (PyGaia 3.2, ``errors/astrometric.py``)."""

ERROR_RATIO: Final = {
    "dr3": (0.80, 0.70, 1.0, 1.03, 0.89),
    "dr4": (0.80, 0.70, 1.0, 0.58, 0.50),
    "dr5": (0.80, 0.70, 1.0, 0.29, 0.25),
}
"""Errors of ra, dec [mas], parallax, pmra, pmdec [mas/yr] per mas of the parallax error: sky
averages of the Gaia science performance page of ESA, as in PyGaia 3.2."""


def moved_to_reference(stars: MovingStars, epoch: float) -> MovingStars:
    """Propagate all parameters to another epoch, seen from the barycentre.

    Uniform motion in space, without light-time terms (Butkevich & Lindegren 2014, A&A 570, A62).

    Parameters
    ----------
    stars : MovingStars
    epoch : float
        Julian years, TCB.

    Returns
    -------
    MovingStars
        At `epoch`.
    """
    t = epoch - stars.ref_epoch
    mu = np.stack([stars.pmra, stars.pmdec, stars.radial_velocity * stars.parallax / K]) * MAS
    u = t * mu + np.array([[0.0], [0.0], [1.0]])
    length = np.sqrt((u**2).sum(axis=0))
    # Axes at the new direction, along the old p, q, r.
    ra, dec = offset_direction(stars.ra, stars.dec, u[0] / u[2], u[1] / u[2])
    r = u / length
    sin_old, cos_old = np.sin(np.radians(stars.dec)), np.cos(np.radians(stars.dec))
    pole = np.stack([np.zeros_like(t), cos_old, sin_old])
    p = np.cross(pole, r, axis=0)
    p = p / np.sqrt((p**2).sum(axis=0))
    q = np.cross(r, p, axis=0)
    rate = mu / length
    parallax = stars.parallax / length
    radial = (rate * r).sum(axis=0) / MAS * K
    return MovingStars(
        ra,
        dec,
        parallax,
        (rate * p).sum(axis=0) / MAS,
        (rate * q).sum(axis=0) / MAS,
        np.where(parallax > 0.0, radial / np.where(parallax > 0.0, parallax, 1.0), 0.0),
        np.full_like(t, epoch),
    )


def correlation_matrix(reference: Reference) -> Floats:
    """Correlations of the five parameters, shape (5, 5).

    Raises
    ------
    InputError
        If they are no correlations: the matrix must be positive definite.
    """
    matrix = np.eye(5)
    for (i, j, _), value in zip(correlation_names(), reference.correlations, strict=True):
        matrix[i, j] = matrix[j, i] = value
    if np.linalg.eigvalsh(matrix).min() <= 1e-6:
        raise InputError(
            "reference.correlations: the matrix that they make is not positive definite; use "
            "values nearer to zero"
        )
    return matrix


def reference_catalogue(
    source_id: NDArray[np.int64],
    stars: MovingStars,
    g_mag: Floats,
    reference: Reference,
    seed: int,
    *,
    noise: bool = True,
) -> Columns:
    """Observe stars as Gaia would.

    Parameters
    ----------
    source_id : ndarray of int, shape (n_star,)
    stars : MovingStars
        True parameters.
    g_mag : ndarray, shape (n_star,)
        Estimated G [mag].
    reference : Reference
        Settings.
    seed : int
    noise : bool
        Add errors, drawn from the full covariance. Their sizes are stated in any case.

    Returns
    -------
    dict of str to ndarray, shape (n_reference,)
        `gcmock.astrometry.observations.folder.REFERENCE_COLUMNS` of the stars brighter than the
        limit.

    Raises
    ------
    InputError
        If the correlations are impossible.
    """
    correlation = correlation_matrix(reference)
    seen = g_mag <= reference.g_max
    true = moved_to_reference(MovingStars(*(values[seen] for values in stars)), reference.epoch)
    factor = TIME_FACTOR[reference.release]
    parallax_error = factor * SurveyModel().parallax_error(g_mag[seen])
    error = parallax_error[:, None] * np.array(ERROR_RATIO[reference.release])
    delta = np.zeros_like(error)
    if noise:
        chance = uniform(star_key(seed, source_id[seen], REFERENCE_STREAM), 0, 5)
        delta = ndtri(chance) @ np.linalg.cholesky(correlation).T * error
    ra, dec = offset_direction(true.ra, true.dec, delta[:, 0] * MAS, delta[:, 1] * MAS)
    n = len(ra)
    table: Columns = {
        "source_id": source_id[seen],
        "ra": ra,
        "dec": dec,
        "parallax": true.parallax + delta[:, 2],
        "pmra": true.pmra + delta[:, 3],
        "pmdec": true.pmdec + delta[:, 4],
        "ref_epoch": np.full(n, reference.epoch),
        "phot_g_mean_mag": g_mag[seen],
    }
    table.update({f"{name}_error": error[:, i] for i, name in enumerate(PARAMETERS)})
    table.update({name: np.full(n, correlation[i, j]) for i, j, name in correlation_names()})
    return table
