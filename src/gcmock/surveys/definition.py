"""What the tables of a survey look like: read from `definitions/<survey>.toml`, one file a survey.

A survey has *spellings*: an archive, a copy or an author writes the same table with its own names,
units and marks of missing values. A spelling maps native columns to *roles*. A role is a column of
the common table (`SOURCE_NAMES`), or one of `OTHER_ROLES`, from which columns of it follow.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gcmock.errors import InputError
from gcmock.surveys.source_table import SOURCE_COLUMNS, SOURCE_NAMES
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

SURVEYS: Final = ("2mass", "virac2", "vvv", "sirius", "gnc", "gaia")
"""Names of the surveys, everywhere."""

OTHER_ROLES: Final[Mapping[str, str]] = {
    "l": "Galactic longitude [deg]",
    "b": "Galactic latitude [deg]",
    "error_major": "major axis of the error ellipse of the position [mas]",
    "error_minor": "minor axis of the error ellipse of the position [mas]",
    "error_angle": "position angle of its major axis, from north through east [deg]",
    "astrometric_params": "number of astrometric parameters: 2 or 5",
    "duplicate": "not zero: another row is the same source",
    "photometric_quality": "2MASS ph_qual, a letter for each of J, H, Ks",
    "read_flag": "2MASS rd_flg, a digit for each of J, H, Ks",
    "blend_flag": "2MASS bl_flg, a digit for each of J, H, Ks",
    "confusion_flag": "2MASS cc_flg, a letter for each of J, H, Ks",
    "galaxy_flag": "2MASS gal_contam",
    "minor_planet_flag": "2MASS mp_flg",
    "plate": "name of the image",
    **{f"{band}_error_bits": "VISTA post-processing error bits" for band in SURVEY_BANDS},
    **{f"phot_{band}_mag_2": "magnitude of a second visit [mag]" for band in SURVEY_BANDS},
    **{f"phot_{band}_mag_error_2": "its error [mag]" for band in SURVEY_BANDS},
    **{f"phot_{band}_scatter": "standard deviation of the epochs [mag]" for band in SURVEY_BANDS},
    **{f"phot_{band}_n_epochs": "epochs with a magnitude" for band in SURVEY_BANDS},
    **{f"{band}_{axis}": "place on the image [pix]" for band in SURVEY_BANDS for axis in "xy"},
    **{f"phot_{band}_flux_over_error": "mean flux over its error" for band in GAIA_BANDS},
}
"""Roles that are not columns of the common table, with their meaning and the unit of gcmock."""

_UNITS: Final = {column.name: column.unit for column in SOURCE_COLUMNS}
_IN_BRACKETS: Final = re.compile(r"\[(.*)\]")

FRAMES: Final = ("icrs", "galactic")
"""Coordinates in which an archive can select."""


@dataclass(frozen=True)
class NativeColumn:
    """A column of a native table.

    Attributes
    ----------
    role : str
        What it holds: one of `SOURCE_NAMES` or `OTHER_ROLES`.
    name : str
        Its name in the file.
    unit : str
        Its unit, where the file does not say; "hourangle" and text are sexagesimal.
    dtype : str
        numpy type, as the archive stores it.
    null : tuple of float or str
        Values that mean "none", besides NaN and empty text.
    optional : bool
        Whether a table without it is read all the same.
    aliases : tuple of str
        Other names of it.
    description : str
    """

    role: str
    name: str
    unit: str = ""
    dtype: str = "float64"
    null: tuple[float | str, ...] = ()
    optional: bool = False
    aliases: tuple[str, ...] = ()
    description: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Spelling:
    """The names that one archive gives to the columns of a survey.

    Attributes
    ----------
    name : str
    columns : tuple of NativeColumn
        In the order of the native table.
    """

    name: str
    columns: tuple[NativeColumn, ...]

    @property
    def by_role(self) -> dict[str, NativeColumn]:
        """The columns by their role."""
        return {column.role: column for column in self.columns}

    @property
    def required(self) -> tuple[NativeColumn, ...]:
        """Columns without which a table is not of this spelling."""
        return tuple(column for column in self.columns if not column.optional)


@dataclass(frozen=True)
class Archive:
    """A TAP service that has the survey.

    Attributes
    ----------
    name, url : str
    spelling : str
        Name of the spelling of its tables.
    tables : tuple of str
        As they are written in ADQL.
    frame : str
        "icrs" or "galactic": coordinates by which the table is cut into tiles.
    longitude, latitude : str
        Names of these coordinates.
    rounding_deg : float
        Last digit of the coordinates [deg]; zero if they are exact.
    max_rows : int
        Most rows of a job; 0 if the service has no limit.
    """

    name: str
    url: str
    spelling: str
    tables: tuple[str, ...]
    frame: str
    longitude: str
    latitude: str
    rounding_deg: float = 0.0
    max_rows: int = 0


@dataclass(frozen=True)
class SurveyDefinition:
    """A survey.

    Attributes
    ----------
    name, title, reference : str
    photometric_system : str
        "2mass", "vista", "sirius", "hawki" or "gaia".
    ref_epoch : float
        Epoch of the positions where the table does not say [Julian year].
    position_error_mas : float
        Error of a position that has none [mas].
    quality : str
        Marks of the survey in words.
    spellings : tuple of Spelling
    default_error : dict of str to float
        By band: error of a magnitude that has none, or of a single epoch [mag].
    saturation : dict of str to float
        By band: brighter stars are saturated [mag].
    uwe_max : float
        Largest `ruwe` of good astrometry; infinite if the survey has none.
    n_epochs : int
        Detections of every source, where the table does not count them; 0 if unknown.
    identifier : str
        What makes `source_id` where a table has no identifiers: "row" is the number of the row in
        the file, from 0; "position" is ra and dec with seven decimals.
    archives : tuple of Archive
        The first is the default.
    private : str
        How to get a survey that no archive has; else empty.
    """

    name: str
    title: str
    reference: str
    photometric_system: str
    ref_epoch: float
    position_error_mas: float
    quality: str
    spellings: tuple[Spelling, ...]
    default_error: dict[str, float] = field(default_factory=dict)
    saturation: dict[str, float] = field(default_factory=dict)
    uwe_max: float = float("inf")
    n_epochs: int = 0
    identifier: str = "row"
    archives: tuple[Archive, ...] = ()
    private: str = ""

    def spelling(self, name: str) -> Spelling:
        """Return a spelling by its name.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        return self._named(name, self.spellings, "spelling")

    def archive(self, name: str = "") -> Archive:
        """Return an archive by its name; the default one for an empty name.

        Raises
        ------
        InputError
            If no archive has the survey, or none of that name.
        """
        if not self.archives:
            raise InputError(f"{self.name}: {self.private}")
        return self._named(name or self.archives[0].name, self.archives, "archive")

    def _named(self, name: str, among: tuple[Any, ...], what: str) -> Any:
        for one in among:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in among)
        raise InputError(f"{self.name}: no {what} {name!r}; there are: {known}")


def role_unit(role: str) -> str:
    """Return the unit of gcmock for a role; empty for numbers and text."""
    if role in _UNITS:
        return _UNITS[role]
    found = _IN_BRACKETS.search(OTHER_ROLES[role])
    return found.group(1) if found else ""


@cache
def load_survey(name: str) -> SurveyDefinition:
    """Return the definition of a survey.

    Parameters
    ----------
    name : str
        One of `SURVEYS`.

    Returns
    -------
    SurveyDefinition

    Raises
    ------
    InputError
        If there is no survey of that name.
    """
    if name not in SURVEYS:
        raise InputError(f"unknown survey {name!r}; there are: {', '.join(SURVEYS)}")
    text = files(__package__).joinpath("definitions", f"{name}.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    spellings = tuple(
        Spelling(one["name"], tuple(_column(column) for column in one["columns"]))
        for one in values.pop("spelling")
    )
    archives = tuple(
        Archive(**{**one, "tables": tuple(one["tables"])}) for one in values.pop("archive", ())
    )
    return SurveyDefinition(name=name, spellings=spellings, archives=archives, **values)


def _column(values: dict[str, Any]) -> NativeColumn:
    column = NativeColumn(
        **{
            **values,
            "null": tuple(values.get("null", ())),
            "aliases": tuple(values.get("aliases", ())),
        }
    )
    if column.role not in SOURCE_NAMES and column.role not in OTHER_ROLES:
        raise ValueError(f"column {column.name!r} has the unknown role {column.role!r}")
    return column
