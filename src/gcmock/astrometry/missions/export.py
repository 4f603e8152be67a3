"""The true catalogue of a mission: stars, magnitudes in its bands, errors of one epoch."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gcmock.arrays import Columns, Floats
from gcmock.astrometry.directions.propagate import id_column
from gcmock.astrometry.directions.true_catalogue import open_catalogue
from gcmock.astrometry.missions.field import field_number_of, in_mission_window
from gcmock.astrometry.missions.focal_plane import visit_error
from gcmock.astrometry.missions.mission import Mission
from gcmock.astrometry.missions.passbands import (
    NEEDED,
    gaianir_mag,
    law_of,
    photometric_system,
    roman_mags,
)
from gcmock.errors import InputError
from gcmock.io.disk import sha256_of
from gcmock.io.metadata import catalogue_metadata
from gcmock.io.ownership import check_apart
from gcmock.io.provenance import creator, library_versions
from gcmock.io.writers.writer import open_writer
from gcmock.notebook import Outcome
from gcmock.progress import Progress
from gcmock.settings.mission import EpochError
from gcmock.words.bands import BANDS, ROMAN_BANDS, SYNTHETIC_BANDS, magnitude_name
from gcmock.words.columns import OUTPUT_COLUMNS, TRUTH_COLUMNS, Column, columns_by_name

_KNOWN = columns_by_name(OUTPUT_COLUMNS)
_ROWS: Final = 200_000

EXPORTED: Final = (
    "ra",
    "dec",
    "parallax",
    "pmra",
    "pmdec",
    "ref_epoch",
    "radial_velocity",
    "l",
    "b",
    "distance_pc",
    "component",
    *map(magnitude_name, BANDS),
    "a_ks",
)
"""Columns of the mock catalogue that are passed on, after ``source_id`` and ``realisation``."""

BAND_COLUMNS: Final = {
    **{
        band: Column(
            f"phot_{band}_mag", "float64", "mag", "phot.mag;em.IR",
            f"True magnitude in Roman {band.upper()}, reddened, free of noise (Vega)",
        )
        for band in ROMAN_BANDS
    },
    "gaianir": Column(
        "phot_gaianir_mag", "float64", "mag", "phot.mag;em.IR",
        "True magnitude of the mean of the J and H fluxes, standing for GaiaNIR (Vega)",
    ),
}  # fmt: skip

EPOCH_ERROR: Final = Column(
    "epoch_error", "float64", "mas", "stat.error;pos.eq", "Predicted error of one epoch, per axis"
)
SATURATED: Final = Column(
    "saturated", "uint8", "", "meta.code.qual", "1 if brighter than the mission's bright limit"
)
FIELD_COLUMN: Final = Column(
    "field", "int16", "", "meta.id;obs.field", "Number of the field, from 0"
)


@dataclass(frozen=True, repr=False)
class ExportSummary(Outcome):
    """What was exported.

    Attributes
    ----------
    output : Path
        The catalogue.
    n_read, n_rows : int
        Stars of the mock catalogue, and those that were written.
    n_saturated : int
        Stars brighter than the bright limit of the mission.
    seconds : float
        Time of the whole run.
    """

    output: Path
    n_read: int
    n_rows: int
    n_saturated: int
    seconds: float


def epoch_error(mag: Floats, error: EpochError) -> Floats:
    """Error of one epoch [mas]: a floor, photons, background; see `EpochError`."""
    photon = error.scale_mas * 10.0 ** (0.2 * (mag - error.mag_ref))
    background = 10.0 ** (0.4 * (mag - error.mag_background))
    return np.sqrt(error.floor_mas**2 + photon**2 * (1.0 + background))


def bands_of(mission: Mission) -> tuple[str, ...]:
    """Return the bands that the mission adds to those of the mock catalogue."""
    band = mission.magnitudes.band
    if band in BANDS:
        return ()
    return ROMAN_BANDS if band in ROMAN_BANDS else (band,)


def export_columns(mission: Mission, source_id: Column, realisation: bool) -> tuple[Column, ...]:
    """Return the columns of an exported catalogue."""
    extra = tuple(BAND_COLUMNS[band] for band in bands_of(mission))
    field = (FIELD_COLUMN,) if mission.window.fields else ()
    first = (source_id, _KNOWN["realisation"]) if realisation else (source_id,)
    kept = tuple(c for c in TRUTH_COLUMNS if c.name in EXPORTED)
    return (*first, *kept, *extra, EPOCH_ERROR, SATURATED, *field)


def export(
    mock: str | Path,
    output: str | Path,
    mission: Mission,
    *,
    realisation: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ExportSummary:
    """Write the true stars of a mission: in its window, and not fainter than its limit.

    Parameters
    ----------
    mock : str or Path
        A mock catalogue.
    output : str or Path
        Parquet, FITS, VOTable or ECSV by its suffix. Columns as in a table of sources that
        warpfield reads, with magnitudes, the predicted error of one epoch, and a mark of saturated
        stars.
    mission : Mission
    realisation : int, optional
        Only this one; all by default.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the numbers of finished and of all rows of the catalogue.

    Returns
    -------
    ExportSummary

    Raises
    ------
    InputError
        If the catalogue lacks a column or has no star in the window, or the output cannot be
        written.
    """
    begin = time.perf_counter()
    mock, output = Path(mock), Path(output)
    bands = bands_of(mission)
    names = ["source_id", *EXPORTED]
    needed = {name for band in bands for name in NEEDED[band]}
    names += sorted(needed - set(names))
    probe = open_catalogue(mock, names, need=f"the catalogue of {mission.name} needs it")
    with_realisation = "realisation" in probe.source.columns
    if with_realisation:
        names.insert(1, "realisation")
    table = open_catalogue(mock, names, realisation=realisation)
    found = export_metadata(mock)
    law = law_of(found) if set(bands) & set(ROMAN_BANDS) else ""
    check_apart([output], [mock])
    columns = export_columns(mission, id_column(table), with_realisation)
    metadata = {
        "creator": creator(),
        "content": f"true stars of {mission.title or mission.name}",
        "mission": mission.to_toml(),
        "versions": json.dumps(library_versions()),
        "input": mock.name,
        "input_sha256": sha256_of(mock),
    }
    relations = (f"{band}_relation" for band in SYNTHETIC_BANDS)
    inherited = (*relations, "extinction_law", "seed")
    metadata |= {key: found[key] for key in inherited if key in found}
    metadata |= {"photometric_system": photometric_system(bands)}
    n_read = n_inside = n_saturated = 0
    with open_writer(output, columns, metadata, overwrite=overwrite) as writer:
        for chunk in table.chunks(_ROWS):
            n_read += len(chunk["ra"])
            inside = in_mission_window(mission.window, chunk["ra"], chunk["dec"])
            n_inside += int(inside.sum())
            part = _predicted({k: v[inside] for k, v in chunk.items()}, mission, law)
            bright = part["mag"] <= mission.magnitudes.faint
            part = {k: v[bright] for k, v in part.items()}
            n_saturated += int(part["saturated"].sum())
            if len(part["ra"]):
                writer.write({column.name: part[column.name] for column in columns})
            if progress is not None:
                progress(min(n_read, table.n_rows), table.n_rows)
        if not writer.n_rows:
            where = "is in its window"
            if n_inside:
                limit, band = mission.magnitudes.faint, mission.magnitudes.band
                where += f" and brighter than {limit:g} mag in {band}"
            raise InputError(
                f"{mock}: nothing to export for {mission.name}: none of its {n_read:,} stars "
                f"{where}"
            )
        n_rows = writer.n_rows
    return ExportSummary(output, n_read, n_rows, n_saturated, time.perf_counter() - begin)


def export_metadata(mock: Path) -> dict[str, str]:
    """Return the metadata of a mock catalogue: a file, or a folder of Parquet files."""
    return catalogue_metadata(mock)


def _predicted(stars: Columns, mission: Mission, law: str) -> Columns:
    """Add magnitudes in the mission's bands, the error of an epoch, saturation and field."""
    part = dict(stars)
    bands = bands_of(mission)
    if set(bands) & set(ROMAN_BANDS):
        mags = roman_mags(stars, law)
        part.update({magnitude_name(band): mags[:, i] for i, band in enumerate(ROMAN_BANDS)})
    elif bands:
        part["phot_gaianir_mag"] = gaianir_mag(stars["phot_j_mag"], stars["phot_h_mag"])
    mag = part[magnitude_name(mission.magnitudes.band)]
    part["mag"] = mag
    if mission.epoch_error is not None:
        part["epoch_error"] = epoch_error(mag, mission.epoch_error)
    elif mission.centroid is not None and mission.exposures is not None:
        exposures = mission.exposures
        part["epoch_error"] = visit_error(
            mag, mission.centroid, exposures.exposure_s, exposures.per_visit
        )
    else:
        raise InputError(f"mission {mission.name}: has neither [epoch_error] nor [centroid]")
    part["saturated"] = (mag < mission.magnitudes.bright).astype(np.uint8)
    if mission.window.fields:
        part["field"] = field_number_of(mission.window, stars["l"], stars["b"])
    return part
