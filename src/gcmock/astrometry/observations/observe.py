"""Observations of a mission from a mock catalogue, with everything that is true about them."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gcmock.arrays import Booleans, Columns, Floats, Integers
from gcmock.astrometry.directions.displacement import SPEED_OF_LIGHT_KMS
from gcmock.astrometry.directions.ephemeris import CircularOrbit, Observer, observer
from gcmock.astrometry.directions.geometry import DistortionTerm
from gcmock.astrometry.missions.focal_plane import detector_grid, visit_error
from gcmock.astrometry.missions.mission import Mission, ObservableMission
from gcmock.astrometry.observations.distortion import (
    as_matrices,
    calibration_table,
    true_distortion,
)
from gcmock.astrometry.observations.effects import instrument_shift
from gcmock.astrometry.observations.folder import (
    MISSION,
    OBSERVATION_TABLES,
    PROVENANCE,
    PartWriter,
)
from gcmock.astrometry.observations.reference_catalogue import (
    correlation_matrix,
    reference_catalogue,
)
from gcmock.astrometry.observations.schedule import PlannedVisits, plan_visits, true_attitude
from gcmock.astrometry.observations.targets import Targets, read_targets, source_table
from gcmock.astrometry.observations.visit import (
    Noise,
    Observed,
    Optics,
    SeenStars,
    Visit,
    observe_visit,
)
from gcmock.errors import InputError
from gcmock.io.disk import sha256_of, whole_folder, write_text
from gcmock.io.provenance import origin
from gcmock.io.writers.writer import open_writer
from gcmock.notebook import Outcome
from gcmock.progress import Progress
from gcmock.random import star_key

OBSERVE_STREAM = -2
"""Stands for the realisation in the keys of observations."""

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
    observable = mission.observable()
    correlation_matrix(observable.reference)  # before the work, not after it
    with whole_folder(output, overwrite=overwrite) as folder:
        targets = read_targets(mock, observable, realisation)
        write_text(folder / MISSION, mission.to_toml())
        provenance = {
            **origin(),
            "mission": mission.name,
            "mock": mock.name,
            "mock_sha256": sha256_of(mock),
            "seed": seed,
            "realisation": realisation,
            "noise": noise,
            "aberration": mission.directions.aberration,
            "deflection": mission.directions.deflection,
        }
        truth = _true_instrument(observable, seed)
        metadata = {"mission": mission.name, "provenance": json.dumps(provenance)}
        with PartWriter(folder, metadata) as writer:
            observed, outliers = _observe_all(
                observable, truth, targets, seed, noise, writer, progress
            )
            n_observation = writer.n_rows
        if n_observation == 0:
            raise InputError(f"{mock}: no star of the window falls on a detector")
        targets = targets.take(np.flatnonzero(observed))
        tables = _tables(observable, truth, targets, seed, noise)
        if len(outliers["visit"]):
            tables["truth/outliers.parquet"] = outliers
        (folder / "truth").mkdir()
        for name, table in tables.items():
            with open_writer(folder / name, OBSERVATION_TABLES[name], metadata) as table_writer:
                if len(next(iter(table.values()))):
                    table_writer.write(table)
        counts = {
            "n_visit": len(truth.visits.time),
            "n_block": len(truth.coefficients),
            "n_source": len(targets.source_id),
            "n_primary": int(tables["sources.parquet"]["primary"].sum()),
            "n_reference": len(tables["reference_gaia_like.parquet"]["ra"]),
            "n_observation": n_observation,
            "n_outlier": len(outliers["visit"]),
        }
        write_text(folder / PROVENANCE, json.dumps({**provenance, **counts}, indent=2) + "\n")
    return ObserveSummary(output, **counts, seconds=clock.perf_counter() - begin)


class TrueInstrument(NamedTuple):
    """What is true of the instrument in every visit.

    Attributes
    ----------
    visits : PlannedVisits
        Times and nominal attitudes of the visits.
    seen_from : Observer
        Where the observer is.
    attitude : ndarray, shape (n_visit, 3)
        True ra, dec and roll [deg].
    coefficients : list of dict
        True distortion of every block [mas].
    """

    visits: PlannedVisits
    seen_from: Observer
    attitude: Floats
    coefficients: list[dict[DistortionTerm, float]]


def _true_instrument(mission: ObservableMission, seed: int) -> TrueInstrument:
    """Plan the visits, and draw what the solution has to find."""
    visits = plan_visits(mission, seed)
    orbit = CircularOrbit(mission.schedule.altitude_km, mission.schedule.local_time_h)
    attitude = np.column_stack(true_attitude(visits, mission.attitude, seed))
    coefficients = true_distortion(mission, int(visits.block.max()) + 1, seed)
    return TrueInstrument(visits, observer(visits.time, orbit), attitude, coefficients)


def _tables(
    mission: ObservableMission, truth: TrueInstrument, targets: Targets, seed: int, noise: bool
) -> dict[str, Columns]:
    """Return the tables beside the observations, for the stars that were observed."""
    source_id, stars, hw, g_mag, colour = targets
    references = reference_catalogue(source_id, stars, g_mag, mission.reference, seed, noise=noise)
    references["parallax"] = references["parallax"] + mission.effects.reference_parallax_mas
    return {
        "visits.parquet": _visit_table(mission, truth.visits, truth.seen_from),
        "sources.parquet": source_table(mission, source_id, stars, hw, seed),
        "colours.parquet": {"source_id": source_id, "colour": colour},
        "reference_gaia_like.parquet": references,
        "truth/sources.parquet": {"source_id": source_id, **stars._asdict(), "phot_hw_mag": hw},
        "truth/attitude.parquet": {
            "visit": np.arange(len(truth.visits.time)),
            **dict(zip(("ra", "dec", "roll"), truth.attitude.T, strict=True)),
        },
        "truth/calibration.parquet": calibration_table(truth.coefficients),
    }


class _Rows:
    """Observations of several visits, until they are written.

    Parameters
    ----------
    writer : PartWriter
        What they are written to.
    targets : Targets
        The stars.
    sigma : ndarray, shape (n_star,)
        Error per axis of every star in a visit [mas].
    time : ndarray, shape (n_visit,)
        Times of the visits.
    n_exposure : int
        Exposures of a visit.
    shift : callable
        What is added to measured positions, from rows of stars, detectors and positions [mas].
    """

    def __init__(
        self,
        writer: PartWriter,
        targets: Targets,
        sigma: Floats,
        time: Floats,
        n_exposure: int,
        shift: Callable[[Integers, Integers, Floats], Floats],
    ) -> None:
        self._shift = shift
        self._writer, self._source_id, self._sigma = writer, targets.source_id, sigma
        self._time, self._n_exposure = time, n_exposure
        n = len(targets.source_id)
        # A visit has at most n rows.
        size = _BATCH_ROWS + n
        self._index, self._chip = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.uint8)
        self._measured, self._added = np.empty((size, 2)), np.empty((size, 2))
        self._first, self._filled = 0, 0
        self._counts: list[int] = []
        self._outliers: list[Columns] = []
        self.observed = np.zeros(n, dtype=np.bool_)

    def room(self) -> Observed:
        """Return where the observations of the next visit go."""
        rest = slice(self._filled, None)
        return Observed(
            self._index[rest], self._chip[rest], self._measured[rest], self._added[rest]
        )

    def add(self, count: int) -> None:
        """Keep the observations of a visit that were put into `room`."""
        self._counts.append(count)
        self._filled += count
        if self._filled >= _BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        filled, first = self._filled, self._first
        rows, added = self._index[:filled], self._added[:filled]
        stop = first + len(self._counts)
        visit = np.repeat(np.arange(first, stop, dtype=np.int32), self._counts)
        self.observed[rows] = True
        error = self._sigma[rows]
        measured = self._measured[:filled]
        measured += self._shift(rows, self._chip[:filled].astype(np.int64), measured)
        if filled:
            self._writer.write(
                {
                    "source_id": self._source_id[rows],
                    "visit": visit,
                    "detector": self._chip[:filled],
                    "time": self._time[visit],
                    "x": measured[:, 0],
                    "y": measured[:, 1],
                    "x_error": error,
                    "y_error": error,
                    "n_exposure": np.full(filled, self._n_exposure, dtype=np.int16),
                }
            )
        disturbed = np.flatnonzero(added.any(axis=1))
        self._outliers.append(
            {
                "source_id": self._source_id[rows[disturbed]],
                "visit": visit[disturbed],
                "dx": added[disturbed, 0],
                "dy": added[disturbed, 1],
            }
        )
        self._first, self._filled = stop, 0
        self._counts.clear()

    def outliers(self) -> Columns:
        """Return the observations that were disturbed, and by how much."""
        parts = self._outliers
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _observe_all(
    mission: ObservableMission,
    truth: TrueInstrument,
    targets: Targets,
    seed: int,
    noise: bool,
    writer: PartWriter,
    progress: Progress | None,
) -> tuple[Booleans, Columns]:
    """Write the observations of all visits; return which stars were seen, and the outliers."""
    visits, seen_from, exposures = truth.visits, truth.seen_from, mission.exposures
    n_exposure = exposures.per_visit
    sigma = visit_error(targets.hw, mission.centroid, exposures.exposure_s, n_exposure)
    stars = SeenStars(
        np.ascontiguousarray(np.column_stack(targets.stars)),
        star_key(seed, targets.source_id, OBSERVE_STREAM),
        sigma,
    )
    grid = np.array(detector_grid(mission.focal_plane), dtype=np.float64)
    dense = [as_matrices(block) for block in truth.coefficients]
    errors = Noise(noise, mission.outliers.fraction, mission.outliers.sigma_mas)
    beta = seen_from.velocity / SPEED_OF_LIGHT_KMS
    effect = instrument_shift(mission, targets.colour, targets.hw, seed)
    rows = _Rows(writer, targets, sigma, visits.time, n_exposure, effect)
    for number, time in enumerate(visits.time):
        visit = Visit(
            number, time, truth.attitude[number], seen_from.position[number], beta[number],
            seen_from.from_sun[number], mission.directions.aberration,
            mission.directions.deflection,
        )  # fmt: skip
        optics = Optics(grid, *dense[visits.block[number]])
        rows.add(observe_visit(stars, visit, optics, errors, rows.room()))
        if progress is not None:
            progress(number + 1, len(visits.time))
    rows.flush()
    return rows.observed, rows.outliers()


def _visit_table(mission: ObservableMission, visits: PlannedVisits, seen_from: Observer) -> Columns:
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
