"""Magnitudes and errors of observed stars: what was measured, in the system of 2MASS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns, Floats
from gcmock.io.columns import ColumnMatch
from gcmock.io.missing import unmeasured_magnitude
from gcmock.io.read_summary import ReadSummary
from gcmock.io.upper_limits import limits_without_error, no_measurement
from gcmock.io.values import column_values, given_numbers
from gcmock.photometric_systems import to_2mass
from gcmock.settings.build import PhotometryConfig
from gcmock.words.bands import BANDS, SURVEY_BANDS, magnitude_error_name, magnitude_name

_OF_SURVEYS: Final = slice(0, len(SURVEY_BANDS))


def observed_photometry(
    path: object,
    chunk: Columns,
    matches: Mapping[str, ColumnMatch],
    n_star: int,
    settings: PhotometryConfig,
    summary: ReadSummary,
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return magnitudes, errors, and whether an error is the default one.

    Parameters
    ----------
    path : str or Path
        For error messages.
    chunk : mapping of str to ndarray, shape (n_star,)
        Columns of the file.
    matches : mapping of str to ColumnMatch
    n_star : int
    settings : PhotometryConfig
        Default error, and the photometric system of the input.
    summary : ReadSummary
        Counts what is missing.

    Returns
    -------
    mag, error : ndarray of float64, shape (n_star, n_band)
        [mag]; the error is finite wherever the magnitude is.
    assumed : ndarray of bool, shape (n_star,)
        Whether any error of the star is the default one.
    """
    mag = np.full((n_star, len(BANDS)), np.nan)
    error = np.full_like(mag, np.nan)
    limits = no_measurement(chunk, matches, n_star)
    for i, band in enumerate(BANDS):
        name, error_name = magnitude_name(band), magnitude_error_name(band)
        if name in matches:
            match = matches[name]
            mag[:, i] = column_values(path, chunk[match.name], name, match, summary.marked)
        given = error[:, i]
        if error_name in matches:
            match = matches[error_name]
            values = chunk[match.name]
            error[:, i] = column_values(path, values, error_name, match, summary.marked)
            given = given_numbers(values) * match.factor
        none = unmeasured_magnitude(mag[:, i], given)
        if band in SURVEY_BANDS:
            none |= limits[:, i]
            if limits_without_error(matches, band):
                none |= np.isnan(given)
        none &= np.isfinite(mag[:, i])
        mag[none, i] = np.nan
        if none.any():
            summary.marked[name] += int(none.sum())
        for key, values in ((name, mag), (error_name, error)):
            if key in matches:
                summary.missing[key] += int(np.isnan(values[:, i]).sum())
    present = np.isfinite(mag)
    summary.add_bands(present)
    assumed = present & np.isnan(error)
    for i, band in enumerate(BANDS):
        if assumed[:, i].any():
            summary.error_assumed[magnitude_name(band)] += int(assumed[:, i].sum())
    error[assumed] = settings.default_error_mag
    error[~present] = np.nan
    if settings.system != "2mass":
        mag[:, _OF_SURVEYS], error[:, _OF_SURVEYS] = to_2mass(
            settings.system, mag[:, _OF_SURVEYS], error[:, _OF_SURVEYS]
        )
    return mag, error, assumed.any(axis=1)
