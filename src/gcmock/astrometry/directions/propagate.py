"""Stars at other epochs: apparent directions, or a table of sources, streamed from file to file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from gcmock.arrays import Columns, Floats
from gcmock.astrometry.directions.apparent import MovingStars, apparent_directions
from gcmock.astrometry.directions.ephemeris import Observer, observer, read_orbit
from gcmock.astrometry.directions.geometry import MAS
from gcmock.astrometry.directions.true_catalogue import (
    J2000,
    TRUE_ASTROMETRY,
    Catalogue,
    open_catalogue,
)
from gcmock.astrometry.observations.reference_catalogue import moved_to_reference
from gcmock.errors import InputError
from gcmock.io.checks import exact_ids
from gcmock.io.epochs import julian_years
from gcmock.io.ownership import check_apart
from gcmock.io.provenance import creator
from gcmock.io.readers.opening import SUFFIXES, open_table
from gcmock.io.space import check_space
from gcmock.io.values import given_numbers
from gcmock.io.writers.writer import open_writer
from gcmock.notebook import Outcome
from gcmock.progress import Progress
from gcmock.words.columns import SOURCE_ID, TRUTH_COLUMNS, Column, columns_by_name

_TRUTH = columns_by_name(TRUTH_COLUMNS)
_EPOCH_RANGE: Final = (1900.0, 2100.0)
_ROWS: Final = 500_000

DIRECTION_COLUMNS: Final = (
    Column("epoch", "float64", "yr", "time.epoch", "Epoch of the direction (Julian year, TCB)"),
    Column("ra", "float64", "deg", "pos.eq.ra", "Apparent right ascension (ICRS axes)"),
    Column("dec", "float64", "deg", "pos.eq.dec", "Apparent declination (ICRS axes)"),
    Column(
        "ra_offset", "float64", "mas", "pos.eq.ra;arith.diff",
        "Gnomonic offset to the east from the position at ref_epoch",
    ),
    Column(
        "dec_offset", "float64", "mas", "pos.eq.dec;arith.diff",
        "Gnomonic offset to the north from the position at ref_epoch",
    ),
)  # fmt: skip
"""Columns of apparent directions, after ``source_id`` and ``realisation``."""

SOURCE_TABLE: Final = ("ra", "dec", "parallax", "pmra", "pmdec", "ref_epoch", "radial_velocity")
"""Columns of a table of sources, as warpfield reads it, after ``source_id``."""


@dataclass(frozen=True, repr=False)
class PropagateSummary(Outcome):
    """What was propagated.

    Attributes
    ----------
    output : Path
        The table.
    n_star, n_epoch, n_rows : int
        Numbers of stars, of epochs, and of rows.
    defaults : dict of str to float
        Columns that the catalogue lacks, and the values that were taken.
    seconds : float
        Time of the whole run.
    """

    output: Path
    n_star: int
    n_epoch: int
    n_rows: int
    defaults: dict[str, float]
    seconds: float


def read_epochs(path: str | Path) -> Floats:
    """Read epochs from a table with a column ``time`` or ``epoch``, or a text file, one a line.

    Returns
    -------
    ndarray, shape (n_epoch,)
        Julian years.

    Raises
    ------
    InputError
        If there are none, or something is no number.
    """
    path = Path(path)
    if path.suffix.lower() in SUFFIXES:
        source = open_table(path)
        names = [name for name in ("time", "epoch") if name in source.columns]
        if not names:
            raise InputError(f"{path}: has no column time or epoch with Julian years")
        chunks = [chunk[names[0]] for chunk in source.chunks(1_000_000, names[:1])]
        values = np.concatenate(chunks)
        if values.dtype.kind not in "iuf":
            raise InputError(f"{path}: column {names[0]!r} must hold Julian years, not text")
        unit = source.units.get(names[0])
        years = julian_years(path, names[0], given_numbers(values), unit)
        return check_epochs(years, str(path))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text file") from error
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                found.append(float(text))
            except ValueError as error:
                raise InputError(
                    f"{path}: line {number}: {text!r} is no Julian year, such as 2032.5"
                ) from error
    return check_epochs(np.array(found), str(path))


def check_epochs(epochs: Floats, source: str = "--epochs") -> Floats:
    """Return the epochs if there are any and all lie in the range of the ephemeris.

    Raises
    ------
    InputError
        If not.
    """
    low, high = _EPOCH_RANGE
    if not len(epochs):
        raise InputError(f"{source}: no epoch is given; give Julian years, such as 2032.5")
    bad = ~((epochs >= low) & (epochs <= high))
    if bad.any():
        raise InputError(
            f"{source}: {epochs[np.argmax(bad)]:g} is out of range: epochs are Julian years (TCB) "
            f"from {low:g} to {high:g}"
        )
    return epochs


def propagate(
    catalogue: str | Path,
    output: str | Path,
    epochs: Sequence[float] | Floats,
    *,
    product: Literal["directions", "sources"] = "directions",
    seen_from: Literal["earth", "barycentre"] = "earth",
    orbit: str | Path | None = None,
    aberration: bool = False,
    deflection: bool = False,
    realisation: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PropagateSummary:
    """Propagate a catalogue to other epochs.

    Parameters
    ----------
    catalogue : str or Path
        A mock catalogue, or a table of sources (``source_id, ra, dec, parallax, pmra, pmdec``, with
        units; ``ref_epoch`` is 2000.0 and ``radial_velocity`` zero if not given).
    output : str or Path
        Parquet, FITS, VOTable or ECSV by its suffix.
    epochs : sequence of float
        Julian years, TCB.
    product : {"directions", "sources"}
        Apparent directions, one row per star and epoch; or the five parameters at the one epoch
        that is given (none: as they are), as the simulator warpfield of JASMINE reads them.
    seen_from : {"earth", "barycentre"}
        Where the observer is.
    orbit : str or Path, optional
        Table of a geocentric orbit, see `gcmock.astrometry.directions.ephemeris.read_orbit`.
    aberration, deflection : bool
        Include them in the directions.
    realisation : int, optional
        Only this one; all by default.
    overwrite : bool
        Replace an existing file.
    progress : callable, optional
        Called with the numbers of finished and of all rows of the catalogue.

    Returns
    -------
    PropagateSummary

    Raises
    ------
    InputError
        If the input, an epoch or the output cannot be used; nothing is written then.
    """
    begin = time.perf_counter()
    output = Path(output)
    years = np.asarray(epochs, dtype=np.float64)
    if product == "directions" or len(years):
        check_epochs(years)
    if product == "sources" and (len(years) > 1 or aberration or deflection or orbit):
        raise InputError(
            "a table of sources has one epoch and no aberration, deflection or orbit: these belong "
            "to apparent directions (--product directions)"
        )
    names = ["source_id", *TRUE_ASTROMETRY]
    if "realisation" in open_table(catalogue).columns:
        names.insert(1, "realisation")
    table = open_catalogue(
        catalogue,
        names,
        defaults={"radial_velocity": 0.0, "ref_epoch": J2000},
        unknown={"radial_velocity": 0.0},
        realisation=realisation,
        need="propagation needs parallaxes and proper motions",
    )
    check_apart([output], [table.path])
    keys = [_TRUTH[name] for name in names if name == "realisation"]
    metadata = {
        "creator": creator(),
        "content": f"{product} of {table.path.name}",
        "epochs": json.dumps(years.tolist()[:1000]),
        "seen_from": str(orbit or seen_from),
        "aberration": str(aberration),
        "deflection": str(deflection),
        "assumed": json.dumps(dict(table.defaults)),
    }
    if product == "directions":
        place = _observer(years, seen_from, orbit)
        columns = (id_column(table), *keys, *DIRECTION_COLUMNS)
        parts = _directions(table, years, place, aberration, deflection, len(keys) > 0, progress)
    else:
        columns = (id_column(table), *keys, *(_TRUTH[name] for name in SOURCE_TABLE))
        parts = _sources(table, years, len(keys) > 0, progress)
    n_star = 0
    # A direction is five numbers of 8 bytes; half of them is what compression may save.
    check_space(output, table.n_rows * max(len(years), 1), 24, "fewer epochs, or another disk")
    with open_writer(output, columns, metadata, overwrite=overwrite) as writer:
        for n, part in parts:
            writer.write(part)
            n_star += n
        if not n_star:
            raise InputError(f"{catalogue}: has no star of realisation {realisation}")
        n_rows = writer.n_rows
    n_epoch = max(len(years), 1)
    seconds = time.perf_counter() - begin
    return PropagateSummary(output, n_star, n_epoch, n_rows, dict(table.defaults), seconds)


def id_column(table: Catalogue) -> Column:
    """Return the column of identifiers in the type of the table; text is read once through."""
    width = 0
    for chunk in table.source.chunks(_ROWS, ["source_id"]):
        values = exact_ids(table.path, chunk["source_id"])
        if values.dtype.kind in "iu":
            return SOURCE_ID.with_dtype("uint64" if values.dtype == np.uint64 else "int64")
        width = max(width, int(np.char.str_len(values).max(initial=1)))
    return SOURCE_ID.with_dtype(f"U{width}")


def _observer(years: Floats, seen_from: str, orbit: str | Path | None) -> Observer:
    if seen_from == "barycentre":
        if orbit is not None:
            raise InputError("an orbit around the Earth and an observer at the barycentre exclude")
        at_earth = observer(years)
        zero = np.zeros_like(at_earth.position)
        return Observer(zero, zero, at_earth.from_sun - at_earth.position)
    return observer(years, None if orbit is None else read_orbit(orbit))


def _stars(chunk: Columns) -> MovingStars:
    return MovingStars(*(chunk[name] for name in TRUE_ASTROMETRY))


def _directions(
    table: Catalogue,
    years: Floats,
    place: Observer,
    aberration: bool,
    deflection: bool,
    with_realisation: bool,
    progress: Progress | None,
) -> Iterator[tuple[int, Columns]]:
    """Yield the number of stars and the rows of their directions; epochs follow one another."""
    n_epoch, done = len(years), 0
    size = max(1, _ROWS // n_epoch)
    for chunk in table.chunks(size):
        n = len(chunk["ra"])
        seen = apparent_directions(
            _stars(chunk), years, place, aberration=aberration, deflection=deflection
        )
        part: Columns = {
            "source_id": np.repeat(chunk["source_id"], n_epoch),
            "epoch": np.tile(years, n),
            "ra": seen.ra.ravel(),
            "dec": seen.dec.ravel(),
            "ra_offset": seen.xi.ravel() / MAS,
            "dec_offset": seen.eta.ravel() / MAS,
        }
        if with_realisation:
            part["realisation"] = np.repeat(chunk["realisation"], n_epoch)
        yield n, part
        done += size
        if progress is not None:
            progress(min(done, table.n_rows), table.n_rows)


def _sources(
    table: Catalogue, years: Floats, with_realisation: bool, progress: Progress | None
) -> Iterator[tuple[int, Columns]]:
    """Yield the number of stars and their parameters at the epoch, or as they are."""
    done = 0
    for chunk in table.chunks(_ROWS):
        stars = _stars(chunk)
        if len(years):
            stars = moved_to_reference(stars, float(years[0]))
        part: Columns = {"source_id": chunk["source_id"], **stars._asdict()}
        if with_realisation:
            part["realisation"] = chunk["realisation"]
        yield len(stars.ra), part
        done += _ROWS
        if progress is not None:
            progress(min(done, table.n_rows), table.n_rows)
