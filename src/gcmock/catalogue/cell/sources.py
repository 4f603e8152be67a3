"""Sources of one survey as arrays, with positions and magnitudes that can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gcmock.arrays import Floats
from gcmock.catalogue.link.likelihood import SourceAstrometry
from gcmock.photometric_systems import to_2mass
from gcmock.surveys.definition import SurveyDefinition
from gcmock.words.bands import SURVEY_BANDS, magnitude_error_name, magnitude_name

MAS: Final = 1e-3
"""Arcseconds in a milliarcsecond."""

_POSITION: Final = ("source_id", "ra", "dec", "ra_error", "dec_error", "ref_epoch")
_MAGNITUDES: Final = tuple(
    name for band in SURVEY_BANDS for name in (magnitude_name(band), magnitude_error_name(band))
)
_STATE: Final = ("n_epochs", "quality")
MOTION: Final = ("pmra", "pmra_error", "pmdec", "pmdec_error")
ASTROMETRY: Final = (
    "parallax",
    "parallax_error",
    *MOTION,
    "pmra_pmdec_corr",
    "parallax_pmra_corr",
    "parallax_pmdec_corr",
    "ruwe",
)
GAIA: Final = (
    "phot_g_mag",
    "phot_g_mag_error",
    "nu_eff_used_in_astrometry",
    "pseudocolour",
    "ecl_lat",
    "astrometric_params_solved",
    "radial_velocity",
    "radial_velocity_error",
)


def stored_columns(survey: SurveyDefinition) -> tuple[str, ...]:
    """Return the columns of the common table that a merge needs of a survey."""
    more = ASTROMETRY if survey.merge.astrometry else ()
    return (*_POSITION, *more, *(_MAGNITUDES if survey.is_infrared else GAIA), *_STATE)


def numbers(table: pa.Table, name: str) -> NDArray[Any]:
    """Return a numeric column as an array; a column that is not there is NaN everywhere."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else column
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def magnitudes(table: pa.Table) -> tuple[Floats, Floats]:
    """Return J, H, Ks as they are in the survey, and their errors [mag], each (n, 3)."""
    mag = np.column_stack([numbers(table, magnitude_name(band)) for band in SURVEY_BANDS])
    error = np.column_stack([numbers(table, magnitude_error_name(band)) for band in SURVEY_BANDS])
    error[~(np.isfinite(error) & (error > 0))] = 0.1
    error[~np.isfinite(mag)] = np.nan
    return mag, error


def in_2mass(survey: SurveyDefinition, mag: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Turn magnitudes of a survey into the 2MASS system; errors include the relation's scatter."""
    return to_2mass(survey.system, mag, error) if survey.is_infrared else (mag, error)


@dataclass(frozen=True)
class SurveySources:
    """Sources of a survey, in an order that depends on their values alone.

    Parameters
    ----------
    survey : SurveyDefinition
    table : pyarrow.Table
        Columns of `stored_columns`.
    side : SourceAstrometry
        Positions and magnitudes without the systematic offsets of the survey.
    native_mag, native_error : ndarray, shape (n, 3)
        J, H, Ks in the system of the survey [mag].
    n_epochs, quality : ndarray of int32, shape (n,)
    core : ndarray of bool, shape (n,)
        Inside the cell, not in its margin.
    """

    survey: SurveyDefinition
    table: pa.Table
    side: SourceAstrometry
    native_mag: Floats
    native_error: Floats
    n_epochs: NDArray[np.int32]
    quality: NDArray[np.int32]
    core: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.core)

    def take(self, index: NDArray[Any]) -> SurveySources:
        """Return some of the sources; `index` is ascending numbers, or booleans."""
        if index.dtype == np.bool_:
            index = np.flatnonzero(index)
        return replace(
            self,
            table=self.table.take(pa.array(index)),
            side=SourceAstrometry(*(values[index] for values in self.side)),
            native_mag=self.native_mag[index],
            native_error=self.native_error[index],
            n_epochs=self.n_epochs[index],
            quality=self.quality[index],
            core=self.core[index],
        )

    @property
    def ids(self) -> pa.Array:
        """Identifiers."""
        return self.table.column("source_id").combine_chunks()


def canonical_order(table: pa.Table) -> NDArray[np.int64]:
    """Return the order of rows that does not depend on the order in which they were read."""
    ra, dec = numbers(table, "ra"), numbers(table, "dec")
    order = np.lexsort((ra, dec))
    same = (np.diff(ra[order]) == 0) & (np.diff(dec[order]) == 0)
    if same.any():
        ids = np.asarray(table.column("source_id").to_pylist(), dtype=np.str_)
        order = np.lexsort((ids, ra, dec))
    return order


def position_error(survey: SurveyDefinition, table: pa.Table) -> Floats:
    """Return the errors of positions, east and north, with the floor of the survey [arcsec]."""
    floor, default = survey.merge.position_floor_mas, survey.position_error_mas
    columns = []
    for name in ("ra_error", "dec_error"):
        error = numbers(table, name)
        error = np.where(np.isfinite(error) & (error > 0), error, default)
        columns.append(np.hypot(error, floor) * MAS)
    return np.column_stack(columns)


def make_sources(
    survey: SurveyDefinition,
    table: pa.Table,
    core: NDArray[np.bool_],
    position_offset: Floats | None = None,
    zero_point: Floats | None = None,
) -> SurveySources:
    """Turn rows of the common table into sources.

    Parameters
    ----------
    survey : SurveyDefinition
    table : pyarrow.Table
    core : ndarray of bool, shape (n,)
    position_offset : ndarray, shape (n, 2), optional
        Subtracted from the positions, east and north [arcsec].
    zero_point : ndarray, shape (n, 3), optional
        Subtracted from J, H, Ks in the 2MASS system [mag].
    """
    order = canonical_order(table)
    table = table.take(pa.array(order))
    ra, dec = numbers(table, "ra").copy(), numbers(table, "dec").copy()
    if position_offset is not None:
        ra -= position_offset[order, 0] / 3600.0 / np.cos(np.radians(dec))
        dec -= position_offset[order, 1] / 3600.0
    native_mag, native_error = magnitudes(table)
    floor = survey.merge.magnitude_floor_mag
    mag, error = in_2mass(survey, native_mag, np.hypot(native_error, floor))
    if zero_point is not None:
        mag = mag - zero_point[order]
        native_mag = native_mag - zero_point[order]
    motion = np.column_stack([numbers(table, name) for name in ("pmra", "pmdec")]) * MAS
    motion_error = np.column_stack([numbers(table, f"{n}_error") for n in ("pmra", "pmdec")]) * MAS
    good = np.isfinite(motion).all(axis=1) & (motion_error > 0).all(axis=1)
    motion[~good], motion_error[~good] = np.nan, np.nan
    side = SourceAstrometry(
        ra,
        dec,
        numbers(table, "ref_epoch"),
        position_error(survey, table),
        motion,
        motion_error,
        mag,
        error,
        numbers(table, "phot_g_mag"),
    )
    return SurveySources(
        survey,
        table,
        side,
        native_mag,
        native_error,
        numbers(table, "n_epochs").astype(np.int32),
        numbers(table, "quality").astype(np.int32),
        core[order],
    )
