"""Native values of a survey to the common table, chunk by chunk."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.io.missing import is_impossible, unmeasured_magnitude
from gcmock.surveys.definition import SurveyDefinition
from gcmock.surveys.read.quality_flags import (
    duplicate_marks,
    saturation_marks,
    twomass_marks,
    vista_marks,
)
from gcmock.surveys.source_table import (
    DOUBTFUL,
    SOURCE_COLUMNS,
    SOURCE_NAMES,
    Quality,
)
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

Values = dict[str, Any]

SOURCE_SCHEMA: Final = pa.schema(
    [
        pa.field(
            column.name,
            pa.string() if column.dtype.startswith("U") else pa.from_numpy_dtype(column.dtype),
            metadata={
                key: text
                for key, text in (
                    ("unit", column.unit),
                    ("description", column.description),
                    ("ucd", column.ucd),
                )
                if text
            },
        )
        for column in SOURCE_COLUMNS
    ]
)
"""Arrow schema of the common table."""

_VIRAC2_POSITION_ONLY: Final = 2
_GAIA_POSITION_ONLY: Final = 3
_PLAIN: Final = (
    *("ra", "dec", "ruwe", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat"),
    *("astrometric_params_solved", "radial_velocity", "radial_velocity_error"),
)
_ASTROMETRY: Final = (
    *("parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error"),
    *("pmra_pmdec_corr", "parallax_pmra_corr", "parallax_pmdec_corr"),
)


def common_table(survey: SurveyDefinition, values: Values, n_row: int, first_row: int) -> pa.Table:
    """Return rows of a survey in the common schema.

    Parameters
    ----------
    survey : SurveyDefinition
    values : dict of str to ndarray, shape (n_row,)
        By role: numbers in the units of gcmock as float64 with NaN where missing; flags and
        identifiers as they are in the file.
    n_row : int
    first_row : int
        Row of the first one in the file, from 0.
    """
    columns: dict[str, Any] = {}
    missing = np.full(n_row, np.nan)
    for name in _PLAIN:
        columns[name] = values.get(name, missing)
    columns["source_id"] = identifiers(survey, values, n_row, first_row)
    columns["ra_error"], columns["dec_error"] = position_errors(survey, values, n_row)
    epoch = values.get("ref_epoch", missing)
    columns["ref_epoch"] = np.where(np.isfinite(epoch), epoch, survey.ref_epoch)
    marks = np.zeros(n_row, dtype=np.int32)
    _photometry(survey, values, columns, marks, missing)
    columns |= astrometry(values, missing)
    bad = (columns["ruwe"] > survey.uwe_max) & np.isfinite(columns["pmra"])
    marks[bad] |= Quality.BAD_ASTROMETRY
    duplicate_marks(values, marks)
    columns["n_epochs"] = epochs(survey, values, n_row)
    columns["quality"] = marks
    # Columns that the survey has not fraction one array.
    nothing = pa.array(missing)
    arrays = [
        nothing if columns[name] is missing else pa.array(columns[name], field.type)
        for name, field in zip(SOURCE_NAMES, SOURCE_SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SOURCE_SCHEMA)


def identifiers(survey: SurveyDefinition, values: Values, n_row: int, first_row: int) -> pa.Array:
    """Return identifiers as text: those of the survey, else the row or the position."""
    if "source_id" in values:
        native = values["source_id"]
        if isinstance(native, pa.Array):
            return native
        kept = pa.array(native)
        return kept if pa.types.is_string(kept.type) else pc.cast(kept, pa.string())
    if survey.identifier == "position":
        ra, dec = (np.char.mod(form, values[name]) for name, form in _POSITION_FORMS)
        return pa.array(np.char.add(ra, dec))
    return pc.cast(pa.array(np.arange(first_row, first_row + n_row)), pa.string())


_POSITION_FORMS: Final = (("ra", "%.7f"), ("dec", "%+.7f"))


def position_errors(survey: SurveyDefinition, values: Values, n_row: int) -> tuple[Floats, Floats]:
    """Return the errors of ra (times cos dec) and dec [mas], each (n_row,).

    An error ellipse is projected on both axes; a missing error is that of the survey.
    """
    if {"error_major", "error_minor", "error_angle"} <= values.keys():
        angle = np.radians(values["error_angle"])
        major, minor = values["error_major"], values["error_minor"]
        sin, cos = np.sin(angle), np.cos(angle)
        errors = [np.hypot(major * sin, minor * cos), np.hypot(major * cos, minor * sin)]
    else:
        missing = np.full(n_row, np.nan)
        errors = [values.get(name, missing) for name in ("ra_error", "dec_error")]
    ra, dec = (np.where(error > 0, error, survey.position_error_mas) for error in errors)
    return ra, dec


def _photometry(
    survey: SurveyDefinition,
    values: Values,
    columns: dict[str, Any],
    marks: NDArray[np.int32],
    missing: Floats,
) -> None:
    """Fill in magnitudes and errors, and mark rows by them."""
    magnitudes: dict[str, Floats] = {}
    errors: dict[str, Floats] = {}
    for band in (*SURVEY_BANDS, *GAIA_BANDS):
        if f"phot_{band}_mag" in values:
            magnitudes[band], errors[band] = magnitude(values, band)
    near_infrared = {band: magnitudes.get(band, missing.copy()) for band in SURVEY_BANDS}
    twomass_marks(values, near_infrared, marks)
    vista_marks(values, near_infrared, marks)
    saturation_marks(survey.saturation, near_infrared, marks)
    for band in (*SURVEY_BANDS, *GAIA_BANDS):
        name = f"phot_{band}_mag"
        if band not in magnitudes:
            columns[name] = columns[f"{name}_error"] = missing
            continue
        measured = np.isfinite(magnitudes[band])
        assumed = measured & ~(errors[band] > 0)
        marks[assumed] |= Quality.ERROR_ASSUMED
        error = np.where(assumed, survey.default_error[band], errors[band])
        if band in DOUBTFUL:
            doubtful = marks & int(DOUBTFUL[band] | Quality.ON_EXTENDED) != 0
            error = np.where(doubtful, np.hypot(error, survey.doubtful_error_mag), error)
        columns[name] = magnitudes[band]
        columns[f"{name}_error"] = np.where(measured, error, np.nan)


def magnitude(values: Values, band: str) -> tuple[Floats, Floats]:
    """Return magnitude and error of a band (n_row,); NaN where there is none.

    The error is that of the table; or the scatter of the epochs over the root of their number,
    where there are two or more; or 2.5 log10(1 + 1/x) for a flux that is x times its error.
    """
    name = f"phot_{band}_mag"
    mag = values[name]
    n_row = len(mag)
    error = np.full(n_row, np.nan)
    if f"{name}_error" in values:
        error = values[f"{name}_error"]
    elif f"phot_{band}_scatter" in values and f"phot_{band}_n_epochs" in values:
        n, scatter = values[f"phot_{band}_n_epochs"], values[f"phot_{band}_scatter"]
        several = (n >= 2) & (scatter > 0)
        error[several] = scatter[several] / np.sqrt(n[several])
    elif f"phot_{band}_flux_over_error" in values:
        ratio = values[f"phot_{band}_flux_over_error"]
        positive = ratio > 0
        error[positive] = 2.5 * np.log10(1.0 + 1.0 / ratio[positive])
    mag, error = _measured(mag, error)
    if f"{name}_2" in values:
        other = _measured(values[f"{name}_2"], values.get(f"{name}_error_2", error))
        second = np.isnan(mag)
        mag, error = (np.where(second, b, a) for a, b in zip((mag, error), other, strict=True))
    return mag, error


def _measured(mag: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return copies without numbers that cannot be magnitudes: marks as 99.999 or -9.99e8."""
    none = is_impossible("phot_ks_mag", mag) | unmeasured_magnitude(mag, error)
    impossible = is_impossible("phot_ks_mag_error", error)
    return np.where(none, np.nan, mag), np.where(impossible, np.nan, error)


def astrometry(values: Values, missing: Floats) -> dict[str, Floats]:
    """Return parallax, proper motion, errors and correlations (n_row,); NaN if not measured.

    Nothing is measured in a fit of the position alone. Proper motions that are exactly zero in both
    axes, and parallaxes of zero without an error, are marks of missing values.
    """
    found = {name: values.get(name, missing) for name in _ASTROMETRY}
    n_row = len(missing)
    none = np.zeros(n_row, dtype=bool)
    if "astrometric_params" in values:
        none |= values["astrometric_params"] == _VIRAC2_POSITION_ONLY
    if "astrometric_params_solved" in values:
        none |= values["astrometric_params_solved"] == _GAIA_POSITION_ONLY
    no_motion = none | ((found["pmra"] == 0) & (found["pmdec"] == 0))
    no_parallax = none | ((found["parallax"] == 0) & ~(found["parallax_error"] > 0))
    for name, column in found.items():
        gone = np.zeros(n_row, dtype=bool)
        if "pm" in name:
            gone |= no_motion
        if "parallax" in name:
            gone |= no_parallax
        if gone.any():
            found[name] = np.where(gone, np.nan, column)
    return found


def epochs(survey: SurveyDefinition, values: Values, n_row: int) -> NDArray[np.int32]:
    """Return the number of detections (n_row,), 0 where it is not known."""
    if "n_epochs" in values:
        counted = values["n_epochs"]
    else:
        names = [f"phot_{band}_n_epochs" for band in SURVEY_BANDS]
        bands = [np.nan_to_num(values[name]) for name in names if name in values]
        if not bands:
            return np.full(n_row, survey.n_epochs, dtype=np.int32)
        counted = np.sum(bands, axis=0)
    return np.maximum(np.nan_to_num(counted), 0).astype(np.int32)
