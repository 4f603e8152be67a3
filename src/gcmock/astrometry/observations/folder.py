"""The folder of observations: what ``gcmock observe`` writes and ``gcmock solve`` reads.

Layout and columns are defined here and nowhere else; `docs/astrometry.md` lists them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gcmock.arrays import Columns
from gcmock.astrometry.missions.mission import ObservableMission, load_mission
from gcmock.errors import InputError
from gcmock.io.json_file import read_object
from gcmock.io.known_columns import check_columns, check_units
from gcmock.io.readers.opening import open_table
from gcmock.io.writers.writer import Writer, open_writer
from gcmock.words.columns import SOURCE_ID, Column

_RA: Final = Column("ra", "float64", "deg", "pos.eq.ra", "Right ascension (ICRS)")
_DEC: Final = Column("dec", "float64", "deg", "pos.eq.dec", "Declination (ICRS)")
_ROLL: Final = Column(
    "roll",
    "float64",
    "deg",
    "pos.posAng",
    "Position angle of the instrument's +y, from north through east",
)
_EPOCH: Final = Column(
    "ref_epoch", "float64", "yr", "time.epoch", "Epoch of the position (Julian year, TCB)"
)
_VISIT: Final = Column("visit", "int32", "", "meta.id", "Number of the visit, from 0")
_BLOCK: Final = Column("block", "int32", "", "meta.id", "Number of the calibration block, from 0")
_TIME: Final = Column(
    "time", "float64", "yr", "time.epoch", "Middle of the visit (Julian year, TCB)"
)
_N_EXPOSURE: Final = Column("n_exposure", "int16", "", "meta.number", "Exposures in the visit")
_HW: Final = Column("phot_hw_mag", "float64", "mag", "phot.mag;em.IR", "Hw magnitude (Vega)")


def _axis(name: str, text: str) -> tuple[Column, Column]:
    return (
        Column(
            name, "float64", "mas", "pos.cartesian;instr.det", f"Measured field coordinate {text}"
        ),
        Column(f"{name}_error", "float64", "mas", "stat.error;instr.det", f"Error of {name}"),
    )


OBSERVATION_COLUMNS: Final = (
    SOURCE_ID,
    _VISIT,
    Column("detector", "uint8", "", "meta.id;instr.det", "Number of the detector, from 0"),
    _TIME,
    *(pair[0] for pair in (_axis("x", "x (gnomonic)"), _axis("y", "y (gnomonic)"))),
    *(pair[1] for pair in (_axis("x", "x"), _axis("y", "y"))),
    _N_EXPOSURE,
)
"""One row per star and visit, in the order of the visits, then of `source_id`."""

_OBSERVER: Final = tuple(
    Column(
        f"{axis}_au",
        "float64",
        "AU",
        f"pos.cartesian.{axis};pos.barycenter",
        f"Barycentric {axis} of the observer (ICRS axes)",
    )
    for axis in "xyz"
) + tuple(
    Column(
        f"v{axis}_kms",
        "float64",
        "km/s",
        f"phys.veloc;pos.cartesian.{axis}",
        f"Barycentric velocity of the observer along {axis} (ICRS axes)",
    )
    for axis in "xyz"
)

VISIT_COLUMNS: Final = (_VISIT, _BLOCK, _TIME, _RA, _DEC, _ROLL, *_OBSERVER, _N_EXPOSURE)
"""What is known of a visit: nominal attitude and the place of the observer."""

SOURCE_COLUMNS: Final = (
    SOURCE_ID,
    _RA,
    _DEC,
    Column("ra_error", "float64", "mas", "stat.error;pos.eq.ra", "Error of ra, times cos(dec)"),
    Column("dec_error", "float64", "mas", "stat.error;pos.eq.dec", "Error of dec"),
    _EPOCH,
    _HW,
    Column("primary", "bool", "", "meta.code", "Hw is at or below the limit of primary sources"),
)
"""The input catalogue of the mission: approximate positions, magnitudes."""

PARAMETERS: Final = ("ra", "dec", "parallax", "pmra", "pmdec")
"""The five astrometric parameters, in the order of covariances."""

_PARAMETER_COLUMNS: Final = (
    _RA,
    _DEC,
    Column("parallax", "float64", "mas", "pos.parallax.trig", "Parallax"),
    Column("pmra", "float64", "mas/yr", "pos.pm;pos.eq.ra", "Proper motion in RA, times cos(dec)"),
    Column("pmdec", "float64", "mas/yr", "pos.pm;pos.eq.dec", "Proper motion in declination"),
)
_ERROR_UNITS: Final = ("mas", "mas", "mas", "mas/yr", "mas/yr")


def correlation_names() -> tuple[tuple[int, int, str], ...]:
    """Pairs of parameters and the name of their correlation: (0, 1, ``"ra_dec_corr"``) ..."""
    return tuple(
        (i, j, f"{PARAMETERS[i]}_{PARAMETERS[j]}_corr") for i in range(5) for j in range(i + 1, 5)
    )


REFERENCE_COLUMNS: Final = (
    SOURCE_ID,
    *_PARAMETER_COLUMNS,
    *(
        Column(f"{name}_error", "float64", unit, "stat.error", f"Error of {name}")
        for name, unit in zip(PARAMETERS, _ERROR_UNITS, strict=True)
    ),
    *(
        Column(name, "float64", "", "stat.correlation", "Correlation coefficient")
        for _, _, name in correlation_names()
    ),
    _EPOCH,
    Column(
        "phot_g_mean_mag", "float64", "mag", "phot.mag;em.opt", "G magnitude, estimated from J, Ks"
    ),
)
"""Stars that Gaia sees, with the names of Gaia; `ra_error` is that of ra times cos(dec)."""

TRUE_SOURCE_COLUMNS: Final = (
    SOURCE_ID,
    *_PARAMETER_COLUMNS,
    Column("radial_velocity", "float64", "km/s", "spect.dopplerVeloc", "True radial velocity"),
    _EPOCH,
    _HW,
)
"""True parameters of the observed stars, as in the mock catalogue."""

ATTITUDE_COLUMNS: Final = (_VISIT, _RA, _DEC, _ROLL)
"""True attitude of the visits."""

CALIBRATION_COLUMNS: Final = (
    _BLOCK,
    Column("axis", "U1", "", "meta.code", "Axis that is shifted: x or y"),
    Column("degree_x", "int16", "", "meta.number", "Degree of the Legendre polynomial in x / h"),
    Column("degree_y", "int16", "", "meta.number", "Degree of the Legendre polynomial in y / h"),
    Column("coefficient", "float64", "mas", "stat.fit.param", "Coefficient of the product"),
)
"""True distortion: one row per block and term."""

OUTLIER_COLUMNS: Final = (
    SOURCE_ID,
    _VISIT,
    Column("dx", "float64", "mas", "stat.error", "Added to x"),
    Column("dy", "float64", "mas", "stat.error", "Added to y"),
)
"""Observations that were disturbed."""

COLOUR_COLUMNS: Final = (
    SOURCE_ID,
    Column("colour", "float64", "mag", "phot.color;em.IR.J;em.IR.K", "J - Ks (Vega)"),
)
"""Known colours of the observed stars, for shifts that depend on them."""

OBSERVATION_TABLES: Final = {
    "visits.parquet": VISIT_COLUMNS,
    "sources.parquet": SOURCE_COLUMNS,
    "colours.parquet": COLOUR_COLUMNS,
    "reference_gaia_like.parquet": REFERENCE_COLUMNS,
    "truth/sources.parquet": TRUE_SOURCE_COLUMNS,
    "truth/attitude.parquet": ATTITUDE_COLUMNS,
    "truth/calibration.parquet": CALIBRATION_COLUMNS,
    "truth/outliers.parquet": OUTLIER_COLUMNS,
}
"""Tables of a folder beside the observations; the last is there only if outliers were made."""

OBSERVATIONS: Final = "observations"
MISSION, PROVENANCE = "mission.toml", "provenance.json"


@dataclass(frozen=True)
class ObservationSet:
    """An opened folder of observations.

    Attributes
    ----------
    path : Path
    mission : ObservableMission
        The resolved settings of the mission.
    provenance : dict
        Seed, input, versions, whether aberration and deflection are in the directions.
    n_observation : int
        Rows of the observations.
    """

    path: Path
    mission: ObservableMission
    provenance: dict[str, Any]
    n_observation: int

    def table(self, name: str) -> Columns:
        """Read one of `OBSERVATION_TABLES` whole; the columns by name.

        Raises
        ------
        InputError
            If the table is missing, damaged or lacks columns.
        """
        # A reference star may have a position only.
        free = tuple(c.name for c in REFERENCE_COLUMNS[1:]) if name.startswith("reference") else ()
        return read_folder_table(self.path / name, OBSERVATION_TABLES[name], free)

    def observations(self, chunk_size: int = 1_000_000) -> Iterator[Columns]:
        """Yield the observations in their order, at most `chunk_size` rows at a time."""
        names = [column.name for column in OBSERVATION_COLUMNS]
        path, first = self.path / OBSERVATIONS, 0
        for chunk in open_table(path).chunks(chunk_size, names):
            check_columns(path, chunk, OBSERVATION_COLUMNS, first_row=first)
            first += len(chunk["visit"])
            yield chunk


def read_folder_table(
    path: Path, columns: tuple[Column, ...], may_miss: tuple[str, ...] = ()
) -> Columns:
    """Read the named columns of a table whole; an empty table has empty columns.

    Parameters
    ----------
    path : Path
    columns : tuple of Column
    may_miss : tuple of str
        Columns in which values may be missing.

    Raises
    ------
    InputError
        If the table is missing or damaged, lacks columns, or has types, units or values that
        gcmock does not write.
    """
    try:
        source = open_table(path)
    except InputError as error:
        if "has no rows" not in str(error):
            raise
        return {column.name: np.zeros(0, column.dtype) for column in columns}
    names = [column.name for column in columns]
    missing = [name for name in names if name not in source.columns]
    if missing:
        raise InputError(f"{path}: lacks the columns {', '.join(missing)}")
    check_units(path, source.units, columns)
    chunks = list(source.chunks(2_000_000, names))
    table = {name: np.ma.concatenate([chunk[name] for chunk in chunks]) for name in names}
    check_columns(path, table, columns, may_miss=may_miss)
    return {name: np.ma.getdata(values) for name, values in table.items()}


def open_observations(path: str | Path) -> ObservationSet:
    """Open a folder that ``gcmock observe`` wrote.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    ObservationSet

    Raises
    ------
    InputError
        If it is no such folder.
    """
    path = Path(path)
    needed = [MISSION, PROVENANCE, OBSERVATIONS, "visits.parquet", "sources.parquet"]
    missing = [name for name in needed if not (path / name).exists()]
    if missing:
        raise InputError(
            f"{path}: is not a folder of observations (no {', '.join(missing)}); give the output "
            "of gcmock observe"
        )
    provenance = read_object(
        path / PROVENANCE, {"aberration": bool, "deflection": bool, "realisation": int}
    )
    source = open_table(path / OBSERVATIONS)
    missing = [c.name for c in OBSERVATION_COLUMNS if c.name not in source.columns]
    if missing:
        raise InputError(f"{path / OBSERVATIONS}: lacks the columns {', '.join(missing)}")
    check_units(path / OBSERVATIONS, source.units, OBSERVATION_COLUMNS)
    return ObservationSet(
        path, load_mission(path / MISSION).observable(), provenance, int(source.n_rows or 0)
    )


class PartWriter:
    """Writes the observations as numbered parts; use it as a context manager.

    Parameters
    ----------
    folder : Path
        The folder of the observation set; a folder ``observations`` is made in it.
    metadata : mapping of str to str
    rows_per_part : int
        A new part begins when the last one has at least so many rows.
    """

    def __init__(
        self, folder: Path, metadata: Mapping[str, str], rows_per_part: int = 5_000_000
    ) -> None:
        self._folder = folder / OBSERVATIONS
        self._folder.mkdir()
        self._metadata = dict(metadata)
        self._rows_per_part = rows_per_part
        self._n_part = 0
        self._writer: Writer | None = None
        self.n_rows = 0

    def write(self, chunk: Columns) -> None:
        """Append rows, `OBSERVATION_COLUMNS`."""
        if self._writer is None:
            path = self._folder / f"part-{self._n_part:05d}.parquet"
            self._writer = open_writer(path, OBSERVATION_COLUMNS, self._metadata)
            self._writer.__enter__()
            self._n_part += 1
        self._writer.write(chunk)
        self.n_rows += len(chunk["visit"])
        if self._writer.n_rows >= self._rows_per_part:
            self._close(None)

    def _close(self, error: BaseException | None) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            kind = None if error is None else type(error)
            writer.__exit__(kind, error, None if error is None else error.__traceback__)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self._close(error)
