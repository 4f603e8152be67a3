"""Observations of a mission from a mock catalogue, with everything that is true about them."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gcmock.arrays import Floats
from gcmock.astrometry.directions.apparent import MovingStars
from gcmock.astrometry.directions.displacement import SPEED_OF_LIGHT_KMS
from gcmock.astrometry.directions.ephemeris import CircularOrbit, Observer, observer
from gcmock.astrometry.directions.geometry import MAS, DistortionTerm, offset_direction
from gcmock.astrometry.directions.true_catalogue import ASTROMETRY, integer_ids, open_catalogue
from gcmock.astrometry.missions.field import in_window
from gcmock.astrometry.missions.focal_plane import detector_grid, visit_error
from gcmock.astrometry.missions.mission import Mission
from gcmock.astrometry.observations.distortion import (
    as_matrices,
    calibration_table,
    true_distortion,
)
from gcmock.astrometry.observations.folder import (
    MISSION,
    PROVENANCE,
    TABLES,
    PartWriter,
    new_folder,
)
from gcmock.astrometry.observations.reference_catalogue import (
    correlation_matrix,
    reference_catalogue,
)
from gcmock.astrometry.observations.schedule import PlannedVisits, plan_visits, true_attitude
from gcmock.errors import InputError
from gcmock.io.disk import sha256_of
from gcmock.io.writers.writer import open_writer
from gcmock.mock.product import library_versions
from gcmock.mock.survey import gaia_g_mag
from gcmock.notebook import Outcome
from gcmock.random import star_key, uniform

Columns = dict[str, NDArray[Any]]
Progress = Callable[[int, int], None]

OBSERVE_STREAM, CATALOGUE_STREAM = -2, -4
"""Stand for the realisation in the keys of observations and of input positions."""

_READ_ROWS = 500_000
_BATCH_ROWS = 1_000_000


@dataclass(frozen=True, repr=False)
class ObserveSummary(Outcome):
    """What was observed.

    Attributes
    ----------
    output : Path
        Folder of the observations.
    n_visit, n_block : int
        Visits, and blocks of one distortion.
    n_source, n_primary, n_reference : int
        Stars that were seen, primary ones among them, and those in the reference catalogue.
    n_observation, n_outlier : int
        Observations, and the disturbed ones among them.
    seconds : float
        Time of the whole run.
    """

    output: Path
    n_visit: int
    n_block: int
    n_source: int
    n_primary: int
    n_reference: int
    n_observation: int
    n_outlier: int
    seconds: float


def observe(
    mock: str | Path,
    output: str | Path,
    mission: Mission,
    *,
    seed: int = 1,
    realisation: int = 0,
    noise: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ObserveSummary:
    """Observe the stars of a mock catalogue with a mission.

    Parameters
    ----------
    mock : str or Path
        A mock catalogue.
    output : str or Path
        Folder of the observations, see `gcmock.astrometry.observations.folder`.
    mission : Mission
        Settings of the mission.
    seed : int
        Seed of pointings, attitude, distortion, noise and the reference catalogue. The noise of a
        star in a visit depends on it, on `source_id` and on the visit alone.
    realisation : int
        Realisation of the mock catalogue that is taken for the truth.
    noise : bool
        False: no noise and no outliers in observations and reference catalogue. The stated errors,
        the unknown attitude and distortion, and the approximate positions stay as they are.
    overwrite : bool
        Replace a folder of observations.
    progress : callable, optional
        Called with the numbers of finished and of all visits.

    Returns
    -------
    ObserveSummary

    Raises
    ------
    InputError
        If the mission cannot be observed, the catalogue lacks a column or has no star in the
        window, or the output cannot be written.
    """
    begin = clock.perf_counter()
    mock, output = Path(mock), Path(output)
    if not mission.can_observe:
        raise InputError(
            f"mission {mission.name} cannot be observed: that needs an instrument and a schedule, "
            f"as jasmine has them, a rectangular window and limits in Hw; gcmock export --mission "
            f"{mission.name} writes its catalogue"
        )
    assert mission.reference is not None
    correlation_matrix(mission.reference)  # before the work, not after it
    with new_folder(output, overwrite=overwrite) as folder:
        source_id, stars, hw, g_mag = read_targets(mock, mission, realisation)
        visits = plan_visits(mission, seed)
        assert mission.schedule is not None
        orbit = CircularOrbit(mission.schedule.altitude_km, mission.schedule.local_time_h)
        seen_from = observer(visits.time, orbit)
        (folder / MISSION).write_text(mission.to_toml(), encoding="utf-8")
        provenance = {
            "creator": f"gcmock {library_versions()['gcmock']}",
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": library_versions(),
            "mission": mission.name,
            "mock": mock.name,
            "mock_sha256": sha256_of(mock),
            "seed": seed,
            "realisation": realisation,
            "noise": noise,
            "aberration": mission.directions.aberration,
            "deflection": mission.directions.deflection,
        }
        attitude = np.column_stack(true_attitude(visits, mission.attitude, seed))  # type: ignore[arg-type]
        coefficients = true_distortion(mission, int(visits.block.max()) + 1, seed)
        metadata = {"mission": mission.name, "provenance": json.dumps(provenance)}
        with PartWriter(folder, metadata) as writer:
            observed, outliers = _observe_all(
                mission, visits, seen_from, attitude, coefficients,
                (source_id, stars, hw), seed, noise, writer, progress,
            )  # fmt: skip
            n_observation = writer.n_rows
        if n_observation == 0:
            raise InputError(f"{mock}: no star of the window falls on a detector")
        keep = np.flatnonzero(observed)
        source_id, hw, g_mag = source_id[keep], hw[keep], g_mag[keep]
        stars = MovingStars(*(values[keep] for values in stars))
        tables = {
            "visits.parquet": _visit_table(mission, visits, seen_from),
            "sources.parquet": _source_table(mission, source_id, stars, hw, seed),
            "reference_gaia_like.parquet": reference_catalogue(
                source_id, stars, g_mag, mission.reference, seed, noise=noise
            ),
            "truth/sources.parquet": {
                "source_id": source_id, **stars._asdict(), "phot_hw_mag": hw,
            },
            "truth/attitude.parquet": {
                "visit": np.arange(len(visits.time)),
                **dict(zip(("ra", "dec", "roll"), attitude.T, strict=True)),
            },
            "truth/calibration.parquet": calibration_table(coefficients),
        }  # fmt: skip
        if len(outliers["visit"]):
            tables["truth/outliers.parquet"] = outliers
        (folder / "truth").mkdir()
        for name, table in tables.items():
            with open_writer(folder / name, TABLES[name], metadata) as table_writer:
                if len(next(iter(table.values()))):
                    table_writer.write(table)
        n_primary = int(tables["sources.parquet"]["primary"].sum())
        counts = {
            "n_visit": len(visits.time),
            "n_block": len(coefficients),
            "n_source": len(source_id),
            "n_primary": n_primary,
            "n_reference": len(tables["reference_gaia_like.parquet"]["ra"]),
            "n_observation": n_observation,
            "n_outlier": len(outliers["visit"]),
        }
        text = json.dumps({**provenance, **counts}, indent=2)
        (folder / PROVENANCE).write_text(text + "\n", encoding="utf-8")
    return ObserveSummary(output, **counts, seconds=clock.perf_counter() - begin)


def read_targets(
    mock: Path, mission: Mission, realisation: int
) -> tuple[NDArray[np.int64], MovingStars, Floats, Floats]:
    """Read the stars that a mission observes, in the order of `source_id`.

    Returns
    -------
    source_id : ndarray of int (n_star,)
    stars : MovingStars
    hw, g_mag : ndarray (n_star,)
        Hw, and G as estimated from J and Ks [mag].

    Raises
    ------
    InputError
        If columns are missing or no star is left.
    """
    names = ("source_id", *ASTROMETRY, "phot_j_mag", "phot_ks_mag", "phot_hw_mag")
    catalogue = open_catalogue(
        mock, names, realisation=realisation, need="observations need the true astrometry"
    )
    limits = mission.magnitudes
    parts, n_star, n_inside = [], 0, 0
    for chunk in catalogue.chunks(_READ_ROWS):
        inside = in_window(mission.window, chunk["ra"], chunk["dec"])
        hw = chunk["phot_hw_mag"]
        n_star += len(hw)
        n_inside += int(inside.sum())
        keep = inside & (hw >= limits.bright) & (hw <= limits.faint)
        parts.append({name: values[keep] for name, values in chunk.items()})
    table = {name: np.concatenate([part[name] for part in parts]) for name in names}
    if not len(table["ra"]):
        if n_star == 0:
            reason = f"it has no star of realisation {realisation}"
        elif n_inside == 0:
            reason = f"none of its {n_star:,} stars is in the window of {mission.name}"
        else:
            reason = (
                f"none of the {n_inside:,} stars in the window of {mission.name} has Hw between "
                f"{limits.bright:g} and {limits.faint:g}"
            )
        raise InputError(f"{mock}: nothing to observe: {reason}")
    ids = integer_ids(mock, table["source_id"])
    order = np.argsort(ids, kind="stable")
    if (np.diff(ids[order]) == 0).any():
        raise InputError(f"{mock}: a source_id occurs more than once in realisation {realisation}")
    stars = MovingStars(*(table[name][order] for name in ASTROMETRY))
    g_mag = gaia_g_mag(table["phot_j_mag"][order], table["phot_ks_mag"][order])
    return ids[order], stars, table["phot_hw_mag"][order], g_mag


def _observe_all(
    mission: Mission,
    visits: PlannedVisits,
    seen_from: Observer,
    attitude: Floats,
    coefficients: list[dict[DistortionTerm, float]],
    targets: tuple[NDArray[np.int64], MovingStars, Floats],
    seed: int,
    noise: bool,
    writer: PartWriter,
    progress: Progress | None,
) -> tuple[NDArray[np.bool_], Columns]:
    """Write the observations of all visits; return which stars were seen, and the outliers."""
    from gcmock.astrometry.observations.visit import observe_visit

    exposures, plane = mission.exposures, mission.focal_plane
    assert exposures is not None
    assert plane is not None
    assert mission.centroid is not None
    source_id, stars, hw = targets
    table = np.ascontiguousarray(np.column_stack(stars))
    keys = star_key(seed, source_id, OBSERVE_STREAM)
    n_exposure = exposures.per_visit
    sigma = visit_error(hw, mission.centroid, exposures.exposure_s, n_exposure)
    grid = np.array(detector_grid(plane), dtype=np.float64)
    dense = [as_matrices(block) for block in coefficients]
    beta = seen_from.velocity / SPEED_OF_LIGHT_KMS
    n = len(source_id)
    # Rows of several visits, until they are written; a visit has at most n.
    size = _BATCH_ROWS + n
    index, chip = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.uint8)
    measured, added = np.empty((size, 2)), np.empty((size, 2))
    observed = np.zeros(n, dtype=np.bool_)
    outliers: list[Columns] = []
    first, filled = 0, 0
    counts: list[int] = []

    def flush() -> None:
        rows = index[:filled]
        visit = np.repeat(np.arange(first, first + len(counts), dtype=np.int32), counts)
        observed[rows] = True
        error = sigma[rows]
        if filled:
            writer.write(
                {
                    "source_id": source_id[rows],
                    "visit": visit,
                    "detector": chip[:filled],
                    "time": visits.time[visit],
                    "x": measured[:filled, 0],
                    "y": measured[:filled, 1],
                    "x_error": error,
                    "y_error": error,
                    "n_exposure": np.full(filled, n_exposure, dtype=np.int16),
                }
            )
        disturbed = np.flatnonzero(added[:filled].any(axis=1))
        outliers.append(
            {
                "source_id": source_id[rows[disturbed]],
                "visit": visit[disturbed],
                "dx": added[disturbed, 0],
                "dy": added[disturbed, 1],
            }
        )

    for visit, time in enumerate(visits.time):
        rest = slice(filled, None)
        count = observe_visit(
            table, keys, sigma, time, visit, attitude[visit], seen_from.position[visit],
            beta[visit], seen_from.from_sun[visit], mission.directions.aberration,
            mission.directions.deflection, grid, *dense[visits.block[visit]],
            mission.outliers.fraction, mission.outliers.sigma_mas, noise,
            index[rest], chip[rest], measured[rest], added[rest],
        )  # fmt: skip
        counts.append(count)
        filled += count
        if filled >= _BATCH_ROWS:
            flush()
            first, filled = visit + 1, 0
            counts.clear()
        if progress is not None:
            progress(visit + 1, len(visits.time))
    flush()
    return observed, {name: np.concatenate([p[name] for p in outliers]) for name in outliers[0]}


def _visit_table(mission: Mission, visits: PlannedVisits, seen_from: Observer) -> Columns:
    assert mission.exposures is not None
    n = len(visits.time)
    table: Columns = {
        "visit": np.arange(n),
        "block": visits.block,
        "time": visits.time,
        "ra": visits.ra,
        "dec": visits.dec,
        "roll": visits.roll,
        "n_exposure": np.full(n, mission.exposures.per_visit),
    }
    for i, axis in enumerate("xyz"):
        table[f"{axis}_au"] = seen_from.position[:, i]
        table[f"v{axis}_kms"] = seen_from.velocity[:, i]
    return table


def _source_table(
    mission: Mission, source_id: NDArray[np.int64], stars: MovingStars, hw: Floats, seed: int
) -> Columns:
    """Return the input catalogue: positions with errors, at the epoch of the mock catalogue."""
    assert mission.input_catalogue is not None
    error = mission.input_catalogue.position_error_mas
    shift = ndtri(uniform(star_key(seed, source_id, CATALOGUE_STREAM), 0, 2)) * error * MAS
    ra, dec = offset_direction(stars.ra, stars.dec, *shift.T)
    return {
        "source_id": source_id,
        "ra": ra,
        "dec": dec,
        "ra_error": np.full(len(ra), error),
        "dec_error": np.full(len(ra), error),
        "ref_epoch": stars.ref_epoch,
        "phot_hw_mag": hw,
        "primary": hw <= mission.magnitudes.primaries,
    }
