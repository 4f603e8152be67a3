"""Observed stars: one table on disk, validated, cleaned and cut into chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns, Floats
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs, icrs_to_galactic
from gcmock.io.astrometry import (
    observed_astrometry,
    remarks_on_zero_point,
    removes_zero_point,
)
from gcmock.io.checks import IdColumn, check_positions
from gcmock.io.columns import EPOCH, keep_identifiers, match_table
from gcmock.io.hints import remarks_on_columns
from gcmock.io.photometry import observed_photometry
from gcmock.io.read_summary import ReadSummary
from gcmock.io.readers.opening import SUFFIXES, open_table
from gcmock.io.readers.source import TableSource, remarks_of
from gcmock.io.upper_limits import QUALITY
from gcmock.io.values import column_values
from gcmock.settings.build import Config
from gcmock.words.bands import BANDS, magnitude_name
from gcmock.words.columns import Column
from gcmock.words.flags import Flag

_SCAN_ROWS = 200_000


class ObservedStars(NamedTuple):
    """Observed stars; NaN where a value is missing.

    Parameters
    ----------
    row : ndarray of int64, shape (n_star,)
        Row in the input, from 0.
    source_id : int64 or ndarray of str, shape (n_star,)
    ra, dec, l, b : ndarray of float64, shape (n_star,)
        ICRS and Galactic coordinates [deg]; what the file gives is kept bit by bit.
    ref_epoch : ndarray of float64, shape (n_star,)
        Epoch of the position [Julian year]: that of the row, else the one of the settings.
    mag, mag_error : ndarray of float64, shape (n_star, n_band)
        Vega magnitudes [mag]; the error is finite wherever the magnitude is.
    parallax, parallax_error : ndarray of float64, shape (n_star,)
        [mas]
    pmra, pmra_error, pmdec, pmdec_error : ndarray of float64, shape (n_star,)
        [mas/yr]
    pmra_pmdec_corr : ndarray of float64, shape (n_star,)
        Correlation of the errors of the proper motion.
    radial_velocity, radial_velocity_error : ndarray of float64, shape (n_star,)
        [km/s]
    ruwe : ndarray of float64, shape (n_star,)
    flags : ndarray of int32, shape (n_star,)
        `Flag.ERROR_ASSUMED` and `Flag.NO_PHOTOMETRY`.
    """

    row: NDArray[np.int64]
    source_id: NDArray[Any]
    ra: Floats
    dec: Floats
    l: Floats
    b: Floats
    ref_epoch: Floats
    mag: Floats
    mag_error: Floats
    parallax: Floats
    parallax_error: Floats
    pmra: Floats
    pmra_error: Floats
    pmdec: Floats
    pmdec_error: Floats
    pmra_pmdec_corr: Floats
    radial_velocity: Floats
    radial_velocity_error: Floats
    ruwe: Floats
    flags: NDArray[np.int32]

    @property
    def n_star(self) -> int:
        """Number of stars (``len()`` is the number of fields of the tuple)."""
        return len(self.row)

    def take(self, index: NDArray[Any]) -> ObservedStars:
        """Return the stars at `index` (integers or booleans)."""
        return ObservedStars(*(values[index] for values in self))


class RawRows(NamedTuple):
    """Rows of a table before they are interpreted.

    Parameters
    ----------
    row : ndarray of int64, shape (n_row,)
        Row in the input, from 0.
    columns : dict of str to ndarray, shape (n_row,)
        By their names in the file.
    """

    row: NDArray[np.int64]
    columns: Columns

    def part(self, start: int, stop: int) -> RawRows:
        """Return some of the rows."""
        columns = {name: values[start:stop] for name, values in self.columns.items()}
        return RawRows(self.row[start:stop], columns)


class ObservedCatalogue:
    """The observed stars of a file.

    Everything that can be wrong with the columns, the positions and the identifiers is checked
    when the object is made, in one pass over those columns, or over all that are used if there is
    a visitor.

    Parameters
    ----------
    source : TableSource
    config : Config
    visit : callable, optional
        Gets all stars, chunk by chunk, in the same pass; `summary` is complete afterwards.

    Attributes
    ----------
    n_rows : int
        Number of rows of the file.
    matches : dict of str to ColumnMatch
        Columns that are used, by their name in gcmock.
    remarks : list of str
        Unused columns that look like columns of gcmock.
    source_id_column : Column
        `source_id` as it will be in the output: ``int64``, or ``U<width>`` for text.
    summary : ReadSummary
        Grows while the chunks are read.

    Raises
    ------
    InputError
        See `match_columns`; also positions that are missing or impossible, identifiers that are
        missing or occur twice.
    """

    def __init__(
        self,
        source: TableSource,
        config: Config,
        visit: Callable[[ObservedStars], None] | None = None,
    ) -> None:
        self.source = source
        self.config = config
        self.matches = match_table(source, config.columns)
        keep_identifiers(source, self.matches)
        self.remarks = [*remarks_of(source), *remarks_on_columns(source, self.matches, config)]
        self.remarks += remarks_on_zero_point(self.matches, config.parallax.gaia_zero_point)
        self.summary = ReadSummary()
        self._scan(visit)

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def source_id_column(self) -> Column:
        """`source_id` with the type that it has in this file."""
        return self._ids.column

    def store_identifiers_as(self, column: Column) -> None:
        """Give `source_id` the type that it has in the whole of which this table is a part."""
        self._ids.widen(column)

    def check_output(self, output: Path) -> None:
        """Check that a file of this type can hold the identifiers, before anything is computed.

        Raises
        ------
        InputError
            If not: text in FITS and VOTable is ASCII.
        """
        if not self._ids.is_ascii and SUFFIXES.get(output.suffix.lower()) in ("fits", "votable"):
            raise InputError(
                f"{output}: a FITS or VOTable file holds ASCII text only, but source_id of "
                f"{self.path} has other characters: write Parquet or ECSV"
            )

    def _scan(self, visit: Callable[[ObservedStars], None] | None) -> None:
        """Check identifiers and positions of all rows."""
        checked: list[str] = [
            name for name in ("source_id", "ra", "dec", "l", "b", EPOCH) if name in self.matches
        ]
        names = self.file_names if visit else [self.matches[name].name for name in checked]
        self._ids = IdColumn(self.path, self.source.n_rows or 0)
        for raw in self.rows(_SCAN_ROWS, names):
            start = int(raw.row[0])
            if "source_id" in self.matches:
                self._ids.add(raw.columns[self.matches["source_id"].name], start)
            numbers = {
                name: self._values(raw.columns, name) for name in checked if name != "source_id"
            }
            positions = {name: values for name, values in numbers.items() if name != EPOCH}
            check_positions(self.path, positions, start)
            self.n_rows = start + len(raw.row)
            if visit:
                visit(self.stars(raw, self.summary))
        self._ids.finish()

    @property
    def file_names(self) -> list[str]:
        """Names in the file of the columns that are used."""
        return [match.name for match in self.matches.values()]

    def rows(self, size: int, names: list[str] | None = None) -> Iterator[RawRows]:
        """Yield the rows in the order of the file, as they are.

        Parameters
        ----------
        size : int
            Largest number of rows at a time.
        names : list of str, optional
            Columns of the file; those that are used by default.
        """
        names = names or self.file_names
        start = 0
        for chunk in self.source.chunks(size, names):
            n = len(chunk[names[0]])
            if n:
                yield RawRows(np.arange(start, start + n), chunk)
            start += n

    def _values(self, chunk: Columns, name: str, marked: Counter[str] | None = None) -> Floats:
        """Return a column in the unit of gcmock as float64, NaN where there is no value."""
        match = self.matches[name]
        return column_values(self.path, chunk[match.name], name, match, marked)

    def chunks(self, size: int | None = None) -> Iterator[ObservedStars]:
        """Yield the stars in the order of the file.

        Parameters
        ----------
        size : int, optional
            Largest number of stars in a chunk; `config.run.chunk_size` by default.
        """
        self.summary = ReadSummary()
        for raw in self.rows(size or self.config.run.chunk_size):
            yield self.stars(raw, self.summary)

    def galactic(self, raw: RawRows) -> tuple[Floats, Floats]:
        """Galactic longitude and latitude of rows [deg]."""
        given = self._positions(raw.columns)
        return given["l"], given["b"]

    def _positions(self, chunk: Columns) -> dict[str, Floats]:
        """Coordinates in both systems [deg]; what the file gives is kept bit by bit."""
        given: dict[str, Floats] = {
            name: self._values(chunk, name)
            for name in ("ra", "dec", "l", "b")
            if name in self.matches
        }
        if "l" not in given or "b" not in given:
            given["l"], given["b"] = icrs_to_galactic(given["ra"], given["dec"])
        if "ra" not in given or "dec" not in given:
            given["ra"], given["dec"] = galactic_to_icrs(given["l"], given["b"])
        return given

    def _epochs(self, chunk: Columns, n_star: int, summary: ReadSummary) -> Floats:
        """Epoch of every position [Julian year]; that of the settings where a row has none."""
        usual = np.full(n_star, self.config.input.ref_epoch)
        if EPOCH not in self.matches:
            return usual
        given = self._values(chunk, EPOCH, summary.marked)
        missing = np.isnan(given)
        summary.missing[EPOCH] += int(missing.sum())
        return np.where(missing, usual, given)

    def plain_columns(self, raw: RawRows) -> Columns:
        """Columns that the file has, by their names and in the units of gcmock, and ra, dec."""
        columns: Columns = {
            name: self._values(raw.columns, name)
            for name in self.matches
            if name not in ("source_id", QUALITY)
        }
        if QUALITY in self.matches and raw.columns[self.matches[QUALITY].name].dtype.kind == "U":
            columns[QUALITY] = raw.columns[self.matches[QUALITY].name]
        # Names tell upper limits of 2MASS, and are lost here; the system is that of the file.
        as_given = self.config.photometry.model_copy(update={"system": "2mass"})
        mag, _, _ = observed_photometry(
            self.path, raw.columns, self.matches, len(raw.row), as_given, ReadSummary()
        )
        columns |= {
            name: mag[:, i]
            for i, band in enumerate(BANDS)
            if (name := magnitude_name(band)) in columns
        }
        if "source_id" in self.matches:
            identifiers = self._ids.normalise(raw.columns[self.matches["source_id"].name])
            columns = {"source_id": identifiers, **columns}
        return columns | self._positions(raw.columns) if "ra" not in columns else columns

    def stars(self, raw: RawRows, summary: ReadSummary | None = None) -> ObservedStars:
        """Interpret rows; may be called from several threads at a time.

        Parameters
        ----------
        raw : RawRows
        summary : ReadSummary, optional
            Counts the rows and what they miss.
        """
        chunk, n_star = raw.columns, len(raw.row)
        summary = ReadSummary() if summary is None else summary
        summary.n_rows += n_star
        if "source_id" in self.matches:
            source_id = self._ids.normalise(chunk[self.matches["source_id"].name])
        else:
            source_id = raw.row
        mag, mag_error, assumed = observed_photometry(
            self.path, chunk, self.matches, n_star, self.config.photometry, summary
        )
        flags = np.where(assumed, Flag.ERROR_ASSUMED, 0)
        flags |= np.where(np.isfinite(mag).any(axis=1), 0, Flag.NO_PHOTOMETRY)
        return ObservedStars(
            row=raw.row,
            source_id=source_id,
            **self._positions(chunk),
            ref_epoch=self._epochs(chunk, n_star, summary),
            mag=mag,
            mag_error=mag_error,
            **observed_astrometry(
                self.path,
                chunk,
                self.matches,
                n_star,
                lambda: self.galactic(raw),
                summary,
                of_gaia=removes_zero_point(self.matches, self.config.parallax.gaia_zero_point),
            ),
            flags=flags.astype(np.int32),
        )


def read_observed(
    path: str | Path, config: Config, visit: Callable[[ObservedStars], None] | None = None
) -> ObservedCatalogue:
    """Open and validate a table of observed stars.

    Parameters
    ----------
    path : str or Path
        See `open_table`.
    config : Config
        `[columns]`, `[photometry]` and `[run]` are used.
    visit : callable, optional
        See `ObservedCatalogue`.

    Raises
    ------
    InputError
        If the file or its content cannot be used; see `ObservedCatalogue`.
    """
    return ObservedCatalogue(open_table(path, config.columns), config, visit)
