"""Detectors in the field of view, and the error of a centroid on them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.settings.mission import Centroid, FocalPlane


class DetectorGrid(NamedTuple):
    """A grid of square detectors in field coordinates.

    Attributes
    ----------
    n_x, n_y : int
        Detectors along x and along y.
    separation : float
        Distance of their centres [rad].
    half_size : float
        Half the side of the part in which a whole read-out window fits [rad].
    half_field : float
        Half the side of the field, from the centre to the outer edge of a detector [rad].
    """

    n_x: int
    n_y: int
    separation: float
    half_size: float
    half_field: float


def detector_grid(plane: FocalPlane) -> DetectorGrid:
    """Detectors of a focal plane; a gnomonic field coordinate is a length over the focal length."""
    focal_mm = plane.focal_length_m * 1e3
    pixel = plane.pixel_um * 1e-3 / focal_mm
    n_x, n_y = plane.detectors
    separation = plane.separation_mm / focal_mm
    return DetectorGrid(
        n_x,
        n_y,
        separation,
        0.5 * (plane.pixels - plane.readout_window_pixels) * pixel,
        0.5 * (max(n_x, n_y) - 1) * separation + 0.5 * plane.pixels * pixel,
    )


def detector_at(x: Any, y: Any, n_x: int, n_y: int, separation: float, half_size: float) -> Any:
    """Return the number of the detector at field coordinates, -1 for none.

    Parameters
    ----------
    x, y : float or ndarray
        Field coordinates [rad].
    n_x, n_y, separation, half_size
        See `DetectorGrid`. Detectors are counted along x, then along y.
    """
    first_x, first_y = 0.5 * (n_x - 1), 0.5 * (n_y - 1)
    column = np.floor(x / separation + first_x + 0.5)
    row = np.floor(y / separation + first_y + 0.5)
    inside = (
        (np.abs(x - (column - first_x) * separation) <= half_size)
        & (np.abs(y - (row - first_y) * separation) <= half_size)
        & (column >= 0)
        & (column < n_x)
        & (row >= 0)
        & (row < n_y)
    )
    return inside * (row * n_x + column + 1.0) - 1.0


def detector_centres(grid: DetectorGrid) -> Floats:
    """Return the centres of the detectors in field coordinates, shape (n_detector, 2) [rad]."""
    number = np.arange(grid.n_x * grid.n_y)
    column, row = number % grid.n_x, number // grid.n_x
    middle = 0.5 * (grid.n_x - 1), 0.5 * (grid.n_y - 1)
    centres = np.column_stack([column - middle[0], row - middle[1]]) * grid.separation
    return np.asarray(centres, dtype=np.float64)


def exposure_error(mag: ArrayLike, centroid: Centroid, exposure_s: float) -> tuple[Floats, Floats]:
    """Error of a centroid in one exposure, per axis, in two parts.

    The formula of the JASMINE exposure time calculator (jasmine-etc f146f1b, ``get_sigexp``):
    sigma^2 = 4.52e4 f^2 + 5.58e-5 s^2 / n + 6.82e-14 (2 R^2 + B t) s^4 / n^2, with s^2 = psf^2 +
    jitter^2, R the read noise, B the background, t the exposure time, f the error of the flat field
    and n = 10^(-0.4 (mag - 12.5)).

    Parameters
    ----------
    mag : array_like
        Magnitudes.
    centroid : Centroid
        Constants.
    exposure_s : float
        Exposure time [s].

    Returns
    -------
    flat, photon : ndarray
        Error from the flat field, and from photons and read noise [mas].
    """
    n = 10.0 ** (-0.4 * (np.asarray(mag, dtype=np.float64) - centroid.mag_zero))
    square = centroid.psf_mas**2 + centroid.jitter_mas**2
    noise = 2.0 * centroid.read_noise_e**2 + centroid.background_e_per_s * exposure_s
    photon = centroid.photon * square / n + centroid.background * noise * square**2 / n**2
    flat = np.full_like(n, np.sqrt(centroid.flat_mas2) * centroid.flat_error)
    return flat, np.sqrt(photon)


def visit_error(mag: ArrayLike, centroid: Centroid, exposure_s: float, n_exposure: int) -> Floats:
    """Error of the mean position of a visit, per axis [mas].

    The photon part averages down with the exposures. The part of the flat field does so only with
    ``flat_floor = "per_exposure"``: if the images of a visit fall on the same pixels, its error is
    the same in all of them.

    Parameters
    ----------
    mag : array_like
        Magnitudes.
    centroid : Centroid
        Constants.
    exposure_s : float
        Exposure time [s].
    n_exposure : int
        Exposures of the visit.
    """
    flat, photon = exposure_error(mag, centroid, exposure_s)
    repeated = 1 if centroid.flat_floor == "per_visit" else n_exposure
    return np.sqrt(flat**2 / repeated + photon**2 / n_exposure + centroid.floor_mas**2)
