"""The calibration as a file: FITS tables with units, provenance, and the law."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from gcmock.arrays import Columns
from gcmock.calibration.calibrate import Calibration
from gcmock.calibration.columns import (
    CASE_COLUMNS,
    DOUBT_COLUMNS,
    DUST_COLUMNS,
    ERROR_COLUMNS,
    LAW_COLUMNS,
    MAP_COLUMNS,
    MOTION_COLUMNS,
    PARALLAX_COLUMNS,
    PART_COLUMNS,
    SELECTION_COLUMNS,
    STAR_COLUMNS,
)
from gcmock.calibration.curves import GROUP_OF_PART
from gcmock.calibration.extinction import SOURCES
from gcmock.calibration.foreground import Foreground, usual_foreground
from gcmock.calibration.found_limits import FoundLimit
from gcmock.calibration.law import LawFit, parameters_of
from gcmock.calibration.measurements import Measurements, usual_measurements
from gcmock.calibration.parallaxes import zero_point_prior
from gcmock.calibration.weights import Weights, usual_weights
from gcmock.dust.laws import QUADRANTS, ExtinctionLaw, load_law
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.io.disk import check_new_file, whole_file
from gcmock.learned import Learned, learned_from
from gcmock.mock.product import record_of_mock
from gcmock.settings.build import Config
from gcmock.words.bands import KS, LINEAR_BANDS
from gcmock.words.cases import CASES
from gcmock.words.columns import Column
from gcmock.words.components import PARTS


def map_table(result: Calibration) -> Columns:
    """Columns `MAP_COLUMNS` of the cells."""
    sky, fit = result.model.extinction_map, result.fit
    l_deg, b_deg = sky.cell_centre(result.cell)
    ra, dec = galactic_to_icrs(l_deg, b_deg)
    e_jks = fit.factor * result.e_map
    return {
        "cell": result.cell,
        "l": l_deg,
        "b": b_deg,
        "ra": ra,
        "dec": dec,
        "n_star": fit.n_star,
        "source": np.array(SOURCES)[result.source],
        "e_jks_map": result.e_map,
        "e_jks_surot": sky.value(l_deg, b_deg, "cell_mean")[0],
        "factor": fit.factor,
        "factor_error": fit.factor_error,
        "scatter": fit.scatter,
        "scatter_error": fit.scatter_error,
        "e_jks": e_jks,
        "e_jks_error": fit.factor_error * result.e_map,
        "e_jks_scatter": fit.scatter * result.e_map,
        "a_ks": result.law.kappa(l_deg, b_deg)[:, KS] * e_jks,
        "n_observed": result.n_observed,
        "n_expected": result.n_expected,
    }


def _star_table(result: Calibration) -> Columns:
    local, good = result.local, result.explained
    data = result.stars.data.take(result.stars.first)
    kept = slice(None) if local.n_neighbour else slice(0)
    return {
        "l": data.l_deg[good][kept],
        "b": data.b_deg[good][kept],
        "factor": local.factor[kept],
        "scatter": local.scatter[kept],
        "factor_all": local.factor_all[kept],
        "scatter_all": local.scatter_all[kept],
        "radius": local.radius_deg[kept],
    }


def law_table(law: ExtinctionLaw, law_fits: Mapping[int, LawFit]) -> Columns:
    """Columns `LAW_COLUMNS` of the regions."""
    rows = law.rows
    names = QUADRANTS if len(rows) == len(QUADRANTS) else ("all",)
    fits: list[Any] = [law_fits.get(i) for i in range(len(rows))]
    zero = np.zeros(len(LINEAR_BANDS))
    error = np.stack([zero if fit is None else fit.kappa_error for fit in fits])
    spread = np.stack(
        [zero[:2] if fit is None else np.sqrt(np.diag(fit.covariance)) for fit in fits]
    )
    shape = np.array([parameters_of(row) for row in rows])
    return {
        "region": np.array(names),
        "n_star": np.array([0 if fit is None else fit.n_star for fit in fits]),
        **{f"a_{name}": rows[:, i] for i, name in enumerate(LINEAR_BANDS)},
        **{f"a_{name}_error": error[:, i] for i, name in enumerate(LINEAR_BANDS)},
        "slope": shape[:, 0],
        "slope_error": spread[:, 0],
        "offset_h": shape[:, 1],
        "offset_h_error": spread[:, 1],
    }


def _tables_of_stars(
    weights: Weights,
    found: Measurements,
    foreground: Foreground,
    limit: FoundLimit | None = None,
) -> dict[str, tuple[tuple[Column, ...], Columns]]:
    """Tables of what the stars and their measurements are, and the list was cut at, by name."""
    parts = {
        "part": np.array([part.name for part in PARTS]),
        "group": GROUP_OF_PART,
        "weight": weights.of_group[GROUP_OF_PART],
        "weight_error": weights.error[GROUP_OF_PART],
    }
    dust = {
        "n_star": np.array([foreground.n_star]),
        "profile_scatter": np.array([foreground.scatter]),
        "profile_scatter_error": np.array([foreground.error]),
    }
    cases = {
        "case": np.array([case.name for case in CASES]),
        "fraction": found.case_fraction,
        "fraction_error": found.case_fraction_error,
    }
    errors = {
        "band": np.array(LINEAR_BANDS),
        "scale": found.error_scale,
        "floor": np.zeros(len(LINEAR_BANDS)),
    }
    parallax = {
        "n_star": np.array([found.n_parallax]),
        "zero_point": np.array([found.zero_point_mas]),
        "zero_point_error": np.array([found.zero_point_error_mas]),
        "error_scale": np.array([found.parallax_scale]),
    }
    motion = {
        "axis": np.array(["l", "b"]),
        "n_star": np.full(2, found.motions.n_star),
        "offset": found.motions.frame_masyr,
        "offset_error": found.motions.frame_error_masyr,
        "error_scale": np.full(2, found.motions.scale),
    }
    doubt = {"class": found.doubt.code, "limit": found.doubt.limit}
    limits = [] if limit is None else [limit]
    selection = {
        "limit": np.array([str(one.limit) for one in limits], "U40"),
        "gain": np.array([one.gain for one in limits]),
    }
    return {
        "DOUBT": (DOUBT_COLUMNS, doubt),
        "PARTS": (PART_COLUMNS, parts),
        "DUST": (DUST_COLUMNS, dust),
        "CASES": (CASE_COLUMNS, cases),
        "ERRORS": (ERROR_COLUMNS, errors),
        "PARALLAX": (PARALLAX_COLUMNS, parallax),
        "MOTION": (MOTION_COLUMNS, motion),
        "SELECTION": (SELECTION_COLUMNS, selection),
    }


def record(result: Calibration, source: Mapping[str, Any], *, dated: bool = True) -> dict[str, str]:
    """Provenance of a calibration, texts by name."""
    rows = {"read": result.stars.account["rows"], "calibrate": result.stars.account["calibrate"]}
    words = record_of_mock(result.config, source, rows, dated=dated)
    local = result.local
    return words | {
        "content": "extinction calibrated from stars",
        "account": json.dumps(result.stars.account),
        "options": json.dumps(result.options.__dict__),
        "limits_ks_mag": " to ".join(f"{x:g}" for x in result.stars.limits),
        "extinction_law": f"{result.law.name}: {result.law.source}",
        "neighbours": f"{local.n_neighbour}, scatter {local.neighbour_scatter:g}",
        "loo_score": json.dumps({f"{k} {w:g}": s for (k, w), s in local.score.items()}),
    }


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse outputs that cannot be written, before anything is computed.

    Raises
    ------
    InputError
    """
    if path.suffix.lower() not in (".fits", ".fit"):
        raise InputError(f"{path}: a calibration is a FITS file; give a name that ends in .fits")
    check_new_file(path, overwrite=overwrite)


def write_calibration(
    result: Calibration,
    path: Path,
    source: Mapping[str, Any],
    *,
    overwrite: bool = False,
    dated: bool = True,
) -> None:
    """Write the FITS file: cells, stars, law, parts, dust, cases, errors, parallaxes, images.

    Parameters
    ----------
    result : Calibration
    path : Path
        It appears when it is complete.
    source : mapping
        The catalogue: ``name`` and ``sha256``.
    overwrite : bool
        Replace an existing file.
    dated : bool
        Record the time as well; without it equal runs give equal bytes.

    Raises
    ------
    InputError
        See `check_output`.
    GcmockError
        If the disk fails.
    """
    check_output(path, overwrite=overwrite)
    with whole_file(path) as partial:
        _hdus(result, source, dated=dated).writeto(partial)


def learned_of(result: Calibration) -> Learned:
    """Return what a later run would read from the file of a calibration."""
    content = BytesIO()
    _hdus(result, {"name": "", "sha256": ""}).writeto(content)
    return learned_from(content.getvalue(), "calibration")


def _hdus(result: Calibration, source: Mapping[str, Any], *, dated: bool = True) -> Any:
    """Tables and images of a calibration."""
    cells = map_table(result)
    tables = {
        "CELLS": (MAP_COLUMNS, cells),
        "STARS": (STAR_COLUMNS, _star_table(result)),
        "LAW": (LAW_COLUMNS, law_table(result.law, result.law_fits)),
        **_tables_of_stars(result.weights, result.measurements, result.foreground),
    }
    images = [_image(result, cells, name) for name in ("e_jks", "e_jks_error", "e_jks_scatter")]
    words = record(result, source, dated=dated)
    return _hdu_list(words, tables, result.model.map_value, result.law.name, images)


def write_nothing(
    path: Path,
    config: Config,
    source: Mapping[str, Any],
    reason: str,
    limit: FoundLimit | None = None,
    *,
    zero_point_removed: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the file of a list from which nothing can be learned: priors, and why.

    Parameters
    ----------
    path : Path
        It appears when it is complete.
    config : Config
    source : mapping
        The list: ``name`` and ``sha256``.
    reason : str
    limit : FoundLimit, optional
        What the list was cut at, as it shows.
    zero_point_removed : bool
        Whether the zero point of Gaia was subtracted from each parallax.
    overwrite : bool
        Replace an existing file.
    """
    check_output(path, overwrite=overwrite)
    with whole_file(path) as partial:
        _nothing(config, source, reason, limit, zero_point_removed).writeto(partial)


def nothing_of(
    config: Config,
    reason: str,
    limit: FoundLimit | None = None,
    *,
    zero_point_removed: bool = False,
) -> Learned:
    """Return what a later run would read from the file of `write_nothing`."""
    content = BytesIO()
    nothing = _nothing(config, {"name": "", "sha256": ""}, reason, limit, zero_point_removed)
    nothing.writeto(content)
    return learned_from(content.getvalue(), "nothing learned")


def _nothing(
    config: Config,
    source: Mapping[str, Any],
    reason: str,
    limit: FoundLimit | None,
    zero_point_removed: bool,
) -> Any:
    law = load_law(config.extinction.law)
    prior = zero_point_prior(config.parallax.zero_point_mas, zero_point_removed)
    tables = {
        "CELLS": (MAP_COLUMNS, _empty(MAP_COLUMNS)),
        "STARS": (STAR_COLUMNS, _empty(STAR_COLUMNS)),
        "LAW": (LAW_COLUMNS, law_table(law, {})),
        **_tables_of_stars(usual_weights(), usual_measurements(prior), usual_foreground(), limit),
    }
    words = record_of_mock(config, source, {}, dated=False)
    words |= {"content": "nothing could be learned from the stars", "reason": reason}
    return _hdu_list(words, tables, config.extinction.map_value, law.name, [])


def _empty(columns: tuple[Column, ...]) -> Columns:
    return {column.name: np.zeros(0, column.dtype) for column in columns}


def _hdu_list(
    words: Mapping[str, str],
    tables: Mapping[str, tuple[tuple[Column, ...], Columns]],
    map_value: str,
    law: str,
    images: list[Any],
) -> Any:
    """File with provenance, tables and images."""
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header["CREATOR"] = words["creator"]
    primary.header["GCMOCK"] = json.dumps(dict(words)).replace("&", "\\u0026")
    hdus = {name: _hdu(name, *table) for name, table in tables.items()}
    hdus["CELLS"].header["MAPVALUE"] = (map_value, "value of the map")
    hdus["LAW"].header["LAWNAME"] = law
    return fits.HDUList([primary, *hdus.values(), *images])


def _hdu(name: str, columns: tuple[Column, ...], values: Columns) -> Any:
    from astropy.io import fits
    from astropy.table import Table as AstropyTable

    table = AstropyTable()
    for column in columns:
        dtype = f"S{column.dtype[1:]}" if column.dtype.startswith("U") else column.dtype
        table[column.name] = np.asarray(values[column.name]).astype(dtype)
        table[column.name].unit = column.unit or None
    hdu = fits.table_to_hdu(table)
    hdu.header["EXTNAME"] = name
    for i, column in enumerate(columns, start=1):
        hdu.header[f"TCOMM{i}"] = column.description
        hdu.header[f"TUCD{i}"] = column.ucd
    return hdu


def _image(result: Calibration, cells: Columns, name: str) -> Any:
    """Image of a column, longitude to the left, in plate carrée."""
    from astropy.io import fits

    sky = result.model.extinction_map
    il, ib = np.divmod(result.cell, sky.mean.shape[1])
    image = np.full((np.ptp(ib) + 1, np.ptp(il) + 1), np.nan, np.float32)
    image[ib - ib.min(), il.max() - il] = cells[name]
    hdu = fits.ImageHDU(image, name=f"MAP_{name.upper()}")
    l_deg, _ = sky.cell_centre(np.array([il.max() * sky.mean.shape[1] + ib.min()]))
    # The reference latitude of plate carrée is the equator, where the grid is rectangular.
    middle_b = sky.b_min_deg + (ib.min() + 0.5) * sky.step_deg
    hdu.header.update(
        {
            "CTYPE1": "GLON-CAR", "CUNIT1": "deg", "CRPIX1": 1.0, "CRVAL1": float(l_deg[0]) % 360,
            "CDELT1": -sky.step_deg,
            "CTYPE2": "GLAT-CAR", "CUNIT2": "deg", "CRPIX2": 1.0 - middle_b / sky.step_deg,
            "CRVAL2": 0.0, "CDELT2": sky.step_deg, "BUNIT": "mag",
        }
    )  # fmt: skip
    return hdu
