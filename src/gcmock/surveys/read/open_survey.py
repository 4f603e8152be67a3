"""Open a table of a survey, whatever its format and spelling, and read it as the common table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gcmock.arrays import Columns
from gcmock.errors import InputError
from gcmock.frames import galactic_to_icrs
from gcmock.io.checks import exact_ids
from gcmock.io.columns import EPOCH, ColumnMatch, KeepsText
from gcmock.io.epochs import julian_years
from gcmock.io.manifest import partitions_of
from gcmock.io.missing import is_impossible, is_nines
from gcmock.io.readers.folder import is_collection, is_hats, natural_key
from gcmock.io.readers.opening import SUFFIXES, TEXT_SUFFIXES, open_table
from gcmock.io.readers.source import TableSource, units_by_part
from gcmock.io.unit_names import sexagesimal
from gcmock.io.values import column_values, given_numbers
from gcmock.surveys.definition import Spelling, SurveyDefinition, load_survey, survey_names
from gcmock.surveys.own_columns import has_own_columns
from gcmock.surveys.read.csv_table import NativeCsvSource, has_names, is_plain_csv
from gcmock.surveys.read.interpret import common_table
from gcmock.surveys.read.recognise import Match, Recognised, recognise
from gcmock.surveys.read.text_table import TextSource
from gcmock.surveys.roles import FLAGS
from gcmock.words.columns import LIMITS

CHUNK: Final = 262_144
"""Rows of a chunk."""

_TEXT: Final = frozenset({"source_id", *FLAGS})
_AS_IT_IS: Final = _TEXT | {"j_error_bits", "h_error_bits", "ks_error_bits"}
_UNUSED: Final = frozenset({"plate", "j_x", "j_y", "h_x", "h_y", "ks_x", "ks_y"})
_EQUATORIAL: Final = frozenset({"ra", "dec"})
_GALACTIC: Final = frozenset({"l", "b"})
_TEXT_SUFFIXES: Final = (".dat", ".txt", ".asc", "")
_IMPOSSIBLE: Final = 1e8


class SurveySource:
    """A table of a survey on disk.

    Attributes
    ----------
    path : Path
        File or folder.
    survey : SurveyDefinition
    spelling : Spelling
        The spelling of its columns.
    matches : dict of str to Match
        The columns that are used, by role.
    """

    def __init__(self, path: Path, tables: Sequence[TableSource], found: Recognised) -> None:
        self.path = path
        self.survey: SurveyDefinition = found.survey
        self.spelling: Spelling = found.spelling
        unused = _UNUSED | (_GALACTIC if found.matches.keys() >= _EQUATORIAL else _EQUATORIAL)
        self.matches: dict[str, Match] = {
            role: match for role, match in found.matches.items() if role not in unused
        }
        self._tables = tables
        text = {match.name: role in _TEXT for role, match in self.matches.items()}
        for table in tables:
            if isinstance(table, NativeCsvSource):
                table.read_as(text)
            elif isinstance(table, KeepsText):
                for name in (name for name, is_text in text.items() if is_text):
                    table.read_as_text(name)

    @property
    def n_rows(self) -> int:
        """Number of rows; those of a text file are counted when it is first asked for."""
        n = 0
        for table in self._tables:
            if isinstance(table, TextSource | NativeCsvSource) and table.n_rows is None:
                table.n_rows = table.count_rows()
            n += table.n_rows or 0
        return n

    def chunks(self, n_rows: int = CHUNK) -> Iterator[pa.Table]:
        """Yield the rows in their order, in the schema of `SOURCE_COLUMNS`.

        Parameters
        ----------
        n_rows : int
            Most rows of a chunk; chunks may be smaller.

        Raises
        ------
        InputError
            If a file is damaged, or a column of numbers holds text.
        """
        names = [match.name for match in self.matches.values()]
        first = 0
        for table in self._tables:
            for chunk in table.chunks(n_rows, names):
                n = len(chunk[names[0]])
                if n:
                    values = self._values(table, chunk, first)
                    yield common_table(self.survey, values, n, first)
                first += n

    def _values(self, table: TableSource, chunk: Columns, first: int) -> dict[str, Any]:
        """Native values by role, in the units of gcmock."""
        values = {}
        for role, match in self.matches.items():
            native = chunk[match.name]
            if role == "source_id":
                values[role] = _identifiers(table.path, native, first)
                continue
            if role in _EQUATORIAL | _GALACTIC and native.dtype.kind == "U":
                column = ColumnMatch(match.name, match.factor, sexagesimal(match.unit), match.unit)
                values[role] = column_values(table.path, native, role, column)
                continue
            values[role] = native if role in _AS_IT_IS else _numbers(table.path, native, match)
        if not values.keys() >= _EQUATORIAL:
            values["ra"], values["dec"] = galactic_to_icrs(values["l"], values["b"])
        return values


def _identifiers(path: Path, native: Any, first: int) -> Any:
    """Return identifiers as they are; missing and inexact ones are refused."""
    if not isinstance(native, pa.Array):
        return exact_ids(path, native, first)
    if pc.any(pc.equal(native, "")).as_py():
        exact_ids(path, np.array(native.to_pylist(), dtype=np.str_), first)
    return native


def _numbers(path: Path, native: NDArray[Any], match: Match) -> NDArray[np.float64]:
    """Return a column as float64 in the unit of gcmock, NaN where there is no value."""
    if native.dtype.kind not in "iuf":
        text = next((str(x) for x in native if str(x)), "")
        if text:
            raise InputError(
                f"{path}: column {match.name!r} ({match.column.role}) must hold numbers, but holds "
                f"text such as {text!r}"
            )
        return np.full(len(native), np.nan)
    values = given_numbers(native)
    values[~(np.abs(values) < _IMPOSSIBLE)] = np.nan
    for null in match.column.null:
        values[np.abs(values - float(null)) < 1e-8] = np.nan
    role = match.column.role
    if role == EPOCH:
        values[is_nines(values) | (values <= 0.0)] = np.nan
        return julian_years(path, match.name, values, match.unit)
    # Magnitudes and their errors are judged together (`interpret.magnitude`).
    if role in LIMITS and "_mag" not in role:
        values[is_nines(values)] = np.nan
        values = values if match.factor == 1.0 else values * match.factor
        values[is_impossible(role, values)] = np.nan
        return values
    return values if match.factor == 1.0 else values * match.factor


def open_survey(
    path: str | Path, survey: str | Path | SurveyDefinition | None = None
) -> SurveySource:
    """Open a table of a survey.

    Parameters
    ----------
    path : str or Path
        A FITS, VOTable, CSV, ECSV or Parquet file, a folder of such files (as ``gcmock fetch``
        leaves it), or a text file without a header, such as that of SIRIUS.
    survey : str, Path or SurveyDefinition, optional
        Name of the survey, or the path of its definition; recognised among those of the package
        by the columns if not given.

    Returns
    -------
    SurveySource

    Raises
    ------
    InputError
        If the file is missing, damaged or of an unknown format, or if its columns are not those of
        a survey; the message shows what was found and what was expected.
    """
    path = Path(path)
    one = None if survey is None else load_survey(survey)
    tables = _open(path, one)
    found = [recognise(t.path, t.columns, t.units, one) for t in tables]
    for table, its in zip(tables, found, strict=True):
        if (its.survey.name, its.spelling.name) != (found[0].survey.name, found[0].spelling.name):
            raise InputError(
                f"{table.path}: is {its.survey.name} as {its.spelling.name!r} writes it, but "
                f"{tables[0].path} is {found[0].survey.name} ({found[0].spelling.name}); keep "
                "surveys and spellings in folders of their own"
            )
        others = [
            recognise(part, table.columns, units, its.survey).matches
            for part, units in units_by_part(table).items()
        ]
        if any(matches != found[0].matches for matches in (its.matches, *others)):
            raise InputError(f"{table.path}: columns or units differ from {tables[0].path}")
    return SurveySource(path, tables, found[0])


def _open(path: Path, survey: SurveyDefinition | None) -> list[TableSource]:
    if not path.is_dir():
        return [_open_file(path, survey)]
    listed = partitions_of(path)
    if is_hats(path) or is_collection(path):
        return [open_table(path)]
    parts = sorted(
        (
            part
            for part in (path.rglob("*") if listed is None else listed)
            if part.is_file() and _is_table(part) and part.name[0] not in "_."
        ),
        key=natural_key,
    )
    if not parts:
        raise InputError(f"{path}: the folder holds no tables ({', '.join(SUFFIXES)})")
    if {SUFFIXES.get(part.suffix.lower()) for part in parts} == {"parquet"}:
        return [open_table(path)]
    return [_open_file(part, survey) for part in parts]


def _is_table(path: Path) -> bool:
    """Whether a file of a folder is a table by its suffix; .txt and .dat may be anything."""
    suffix = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    return suffix in SUFFIXES or suffix in (".tsv", ".tbl")


def _open_file(path: Path, survey: SurveyDefinition | None) -> TableSource:
    """Open a file; one without the suffix of a table can be text without a header."""
    suffix = path.suffix.lower()
    if survey is not None and has_own_columns(survey):
        return open_table(path)
    if suffix == ".csv" and is_plain_csv(path):
        return NativeCsvSource(path)
    if suffix in SUFFIXES or (survey is None and suffix not in _TEXT_SUFFIXES):
        return open_table(path)
    if suffix in TEXT_SUFFIXES and has_names(path):
        return open_table(path)
    possible = map(load_survey, survey_names()) if survey is None else (survey,)
    for one in possible:
        for spelling in one.spellings:
            if not spelling.header:
                return TextSource(path, one.label, spelling)
    return open_table(path)
