"""Write a survey as its archive does: native names, units, marks of missing values, digits."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from gcmock.arrays import Columns, Table
from gcmock.errors import GcmockError, InputError
from gcmock.io.disk import writing_failed
from gcmock.io.writers.writer import open_writer
from gcmock.surveys.definition import NativeColumn, SurveyDefinition
from gcmock.surveys.roles import role_unit
from gcmock.surveys.source_table import SOURCE_COLUMNS
from gcmock.words.columns import Column

_UCD = {column.name: column.ucd for column in SOURCE_COLUMNS}
_JD_J2000, _DAYS_OF_A_YEAR = 2451545.0, 365.25


class RowWriter(Protocol):
    """A native table that is being written."""

    def write(self, chunk: Columns) -> None:
        """Append rows by native name."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...

    def abandon(self) -> None:
        """Close the file as it is."""
        ...


def native_columns(survey: SurveyDefinition, roles: Table) -> tuple[NativeColumn, ...]:
    """Return the columns of the simulated table of a survey that the roles fill.

    Raises
    ------
    InputError
        If the roles lack a column that the spelling requires.
    """
    spelling = survey.simulated_spelling
    lacking = [column.name for column in spelling.required if column.role not in roles]
    if lacking:
        raise InputError(
            f"survey {survey.name}: its form {survey.simulated_table.form!r} of simulated tables "
            f"has no values for {', '.join(lacking)}, which the spelling {spelling.name!r} needs; "
            "mark these columns as optional, or choose another form"
        )
    return tuple(column for column in spelling.columns if column.role in roles)


def native_values(survey: SurveyDefinition, roles: Table) -> Columns:
    """Return values as the table of a survey has them.

    Parameters
    ----------
    survey : SurveyDefinition
    roles : mapping of str to ndarray, shape (n_row,)
        By role, in the units of gcmock; NaN where there is none.

    Returns
    -------
    dict of str to ndarray, shape (n_row,)
        By native name, in native units and types; null codes where there is none.
    """
    decimals = survey.simulated_table.decimals
    return {
        column.name: _native(
            column, roles[column.role], decimals.get(column.name, decimals.get(column.unit))
        )
        for column in native_columns(survey, roles)
    }


def _native(column: NativeColumn, values: NDArray[Any], decimals: int | None) -> NDArray[Any]:
    if column.unit == "hourangle" or (column.unit == "deg" and column.dtype.startswith("U")):
        return sexagesimal_text(values, hours=column.unit == "hourangle")
    if values.dtype.kind not in "f":
        return values
    if column.role == "ref_epoch" and column.unit == "d":
        values = _JD_J2000 + _DAYS_OF_A_YEAR * (values - 2000.0)
    elif column.unit == "arcsec":
        values = values / 1000.0 if role_unit(column.role) == "mas" else values
    if decimals is not None:
        values = np.round(values, decimals)
    if column.null:
        values = np.where(np.isnan(values), float(column.null[0]), values)
    dtype = np.dtype(column.dtype)
    return values.astype(dtype) if dtype.kind in "iuf" else values


def sexagesimal_text(values: NDArray[np.float64], *, hours: bool) -> NDArray[np.str_]:
    """Return angles as hh:mm:ss.ssss or +dd:mm:ss.sss.

    Parameters
    ----------
    values : ndarray, shape (n,)
        [deg].
    hours : bool
        Whether the result is in hours, between 0 and 24.
    """
    unit = 10_000 if hours else 1_000
    whole = np.round(np.abs(values) / (15.0 if hours else 1.0) * 3600.0 * unit).astype(np.int64)
    if hours:
        whole %= 24 * 3600 * unit
    signs = np.full(values.shape, "") if hours else np.where(values < 0, "-", "+")
    minutes, seconds = np.divmod(whole, 60 * unit)
    first, minutes = np.divmod(minutes, 60)
    form = "%s%02d:%02d:%07.4f" if hours else "%s%02d:%02d:%06.3f"
    parts = zip(
        signs.tolist(), first.tolist(), minutes.tolist(), (seconds / unit).tolist(), strict=True
    )
    return np.array([form % part for part in parts], dtype="U14")


class _Fits:
    """FITS, VOTable or Parquet through the writers of gcmock."""

    def __init__(self, path: Path, columns: tuple[NativeColumn, ...], words: Mapping[str, str]):
        self._writer = open_writer(path, [_column(one) for one in columns], words)

    def write(self, chunk: Columns) -> None:
        self._writer.write(chunk)

    def close(self) -> None:
        self._writer.__exit__(None, None, None)

    def abandon(self) -> None:
        self._writer.__exit__(GcmockError, GcmockError("abandoned"), None)


class _Text:
    """Comma-separated text with a header, or blank-separated text without one."""

    def __init__(self, path: Path, columns: tuple[NativeColumn, ...], *, blanks: bool) -> None:
        self._path = path
        self._names = [column.name for column in columns]
        self._options = pyarrow.csv.WriteOptions(
            include_header=False, delimiter=" " if blanks else ",", quoting_style="none"
        )
        self._file: IO[bytes] = path.open("wb")
        if not blanks:
            self._file.write((",".join(self._names) + "\n").encode("ascii"))

    def write(self, chunk: Columns) -> None:
        arrays = [
            pa.array(values, from_pandas=values.dtype.kind == "f")
            for values in (chunk[name] for name in self._names)
        ]
        table = pa.Table.from_arrays(arrays, names=self._names)
        try:
            pyarrow.csv.write_csv(table, self._file, self._options)
        except OSError as error:
            raise writing_failed(self._path, error) from error

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise writing_failed(self._path, error) from error

    def abandon(self) -> None:
        with suppress(OSError):
            self._file.close()


def open_native(
    path: Path, columns: tuple[NativeColumn, ...], metadata: Mapping[str, str]
) -> RowWriter:
    """Start a native table.

    Parameters
    ----------
    path : Path
        Its suffix gives the format: ".csv", ".dat" (blanks between fields, no header), ".fits".
    columns : tuple of NativeColumn
        From `native_columns`.
    metadata : mapping of str to str
        Stored in FITS files; text tables have no place for it.
    """
    if path.suffix in (".csv", ".dat"):
        return _Text(path, columns, blanks=path.suffix == ".dat")
    return _Fits(path, columns, metadata)


def _column(native: NativeColumn) -> Column:
    text = native.description or native.role
    return Column(native.name, native.dtype, native.unit, _UCD.get(native.role, ""), text)
