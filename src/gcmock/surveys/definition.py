"""What a survey is, in one file: ``definitions/<survey>.toml``, or a file of one's own.

The list of surveys is the folder. A definition says what the tables of a survey look like, what a
merge may assume of it, and what a simulated instrument does to stars; nothing else in the package
compares names of surveys.

A survey has *spellings*: an archive, a copy or an author writes the same table with its own names,
units and marks of missing values. A spelling maps native columns to *roles*
(`gcmock.surveys.roles`).
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field, field_validator, model_validator

from gcmock.errors import InputError
from gcmock.photometric_systems import PhotometricSystem, load_system, system_names
from gcmock.settings.base import ApparentMagnitude, JulianYear, Section, validated
from gcmock.settings.name_or_path import is_path, name_of, packaged_surveys, unknown_name
from gcmock.settings.toml_file import read_toml
from gcmock.surveys.roles import OTHER_ROLES
from gcmock.surveys.simulated.instrument import Instrument, SimulatedTable
from gcmock.surveys.source_table import SOURCE_NAMES
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

FRAMES: Final = ("icrs", "galactic")
"""Coordinates in which an archive can select."""

OPTICAL_SYSTEM: Final = "gaia"
"""The photometric system of a survey with Gaia's G, BP, RP in place of J, H, Ks."""

N_NAME: Final = 24
"""Longest name of a survey."""

MagError = Annotated[float, Field(gt=0.0, le=5.0)]

_OWN_STREAM: Final = 10_000
_LAST: Final = 1000


class NativeColumn(Section):
    """A column of a native table."""

    role: str = Field(description="What it holds, see gcmock.surveys.roles")
    name: str = Field(description="Its name in the file")
    unit: str = Field(
        default="",
        description='Its unit, where the file does not say; "hourangle" and text are sexagesimal',
    )
    dtype: str = Field(default="float64", description="numpy type, as the archive stores it")
    null: tuple[float | str, ...] = Field(
        default=(), description='Values that mean "none", besides NaN and empty text'
    )
    optional: bool = Field(
        default=False, description="Whether a table without it is read all the same"
    )
    aliases: tuple[str, ...] = Field(default=(), description="Other names of it")
    description: str = Field(default="", description="What is special about it")

    @field_validator("role")
    @classmethod
    def _known_role(cls, value: str) -> str:
        if value not in SOURCE_NAMES and value not in OTHER_ROLES:
            known = (*SOURCE_NAMES, *OTHER_ROLES)
            raise ValueError(f"unknown role {value!r}; known: {', '.join(known)}")
        return value

    @field_validator("dtype")
    @classmethod
    def _known_dtype(cls, value: str) -> str:
        try:
            np.dtype(value)
        except TypeError as error:
            raise ValueError(f"{value!r} is no type of numpy, such as float64 or U16") from error
        return value

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and its aliases."""
        return (self.name, *self.aliases)


class Spelling(Section):
    """The names that one archive gives to the columns of a survey."""

    name: str = Field(description="Name of the spelling")
    header: bool = Field(
        default=True,
        description="False for text without a header, blanks between fields: columns by place",
    )
    columns: tuple[NativeColumn, ...] = Field(description="In the order of the native table")

    @model_validator(mode="after")
    def _complete(self) -> Spelling:
        roles = [column.role for column in self.columns]
        repeated = sorted({role for role in roles if roles.count(role) > 1})
        if repeated:
            raise ValueError(f"spelling {self.name!r}: {', '.join(repeated)} given more than once")
        lacking = [role for role in ("ra", "dec") if role not in roles]
        if lacking:
            raise ValueError(f"spelling {self.name!r}: needs a column for {', '.join(lacking)}")
        return self

    @property
    def by_role(self) -> dict[str, NativeColumn]:
        """The columns by their role."""
        return {column.role: column for column in self.columns}

    @property
    def required(self) -> tuple[NativeColumn, ...]:
        """Columns without which a table is not of this spelling."""
        return tuple(column for column in self.columns if not column.optional)


class Archive(Section):
    """A TAP service that has the survey."""

    name: str = Field(description="Name of the archive")
    url: str = Field(description="Address of the service")
    spelling: str = Field(description="Spelling of its tables")
    tables: tuple[str, ...] = Field(description="As they are written in ADQL", min_length=1)
    frame: Literal["icrs", "galactic"] = Field(
        description="Coordinates by which the table is cut into tiles"
    )
    longitude: str = Field(description="Native name of the longitude")
    latitude: str = Field(description="Native name of the latitude")
    rounding_deg: float = Field(
        default=0.0,
        ge=0,
        le=0.1,
        description="Last digit of the coordinates; 0 if they are exact [deg]",
    )
    max_rows: int = Field(default=0, ge=0, description="Most rows of a job; 0 for no limit")


class MergeTraits(Section):
    """What a merge assumes of a survey: ``[merge]`` of its definition."""

    order: int = Field(
        description="Surveys are linked in this order: from the best positions (virac2: 10) to "
        "the coarsest images (2mass: 60)"
    )
    id_column: str = Field(
        default="",
        description="Column of its identifiers in a catalogue; its name and _source_id if empty",
        pattern=r"^$|^[a-z][a-z0-9_]*$",
    )
    fwhm_arcsec: float = Field(
        gt=0, le=30, description="Width of a point source on its images [arcsec]"
    )
    position_floor_mas: float = Field(
        ge=0,
        le=1e4,
        description="Error of positions beyond the listed one, added in quadrature [mas]",
    )
    magnitude_floor_mag: float = Field(ge=0, le=5, description="The same for magnitudes [mag]")
    source: str = Field(description="Where the numbers come from")
    position_rank: int = Field(
        default=_LAST, description="The survey with the smallest one is the reference of positions"
    )
    magnitude_rank: int = Field(
        default=_LAST, description="The survey with the smallest one is that of magnitudes"
    )
    astrometry: bool = Field(
        default=False, description="Whether it measures parallaxes and proper motions"
    )
    parallax_zero_point: Literal["", "gaia_dr3"] = Field(
        default="", description="Zero point to remove from its parallaxes"
    )
    many_epochs: bool = Field(default=False, description="Whether all its stars were seen often")
    judges_saturation: bool = Field(
        default=False,
        description="Whether it measures stars that saturate in others: its magnitude tells which",
    )
    crowded: bool = Field(
        default=False,
        description="Whether [photometry] tmass_faint_mag of a merge is its faint limit in Ks",
    )
    pilot2023_rank: int = Field(
        default=_LAST, description="Order of positions in the rule of the pilot catalogue of 2023"
    )


class SurveyDefinition(Section):
    """A survey: the content of its file."""

    model_config = ConfigDict(allow_inf_nan=True, populate_by_name=True)

    name: str = Field(
        description="Its name: that of the file",
        max_length=N_NAME,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$",
    )
    title: str = Field(description="What it is")
    label: str = Field(
        default="", description="Its name in sentences; that of the file if not given"
    )
    reference: str = Field(description="Publication")
    photometric_system: str | PhotometricSystem = Field(
        description='One of photometric_systems.toml, "gaia", or a table with the same keys'
    )
    hw_relation: str = Field(
        default="", description="Relation for Hw from its own J and H: a name, or a TOML file"
    )
    ref_epoch: JulianYear = Field(
        description="Epoch of the positions where the table does not say [Julian year]"
    )
    position_error_mas: float = Field(
        gt=0, le=1e5, description="Error of a position that has none [mas]"
    )
    quality: str = Field(default="", description="Marks of the survey in words")
    default_error: dict[str, MagError] = Field(
        default_factory=dict,
        description="By band: error of a magnitude that has none, or of a single epoch [mag]",
    )
    doubtful_error_mag: float = Field(
        default=0.1,
        ge=0,
        le=2.0,
        description="Further error of a magnitude that the survey marks as doubtful, added in "
        "quadrature [mag]",
    )
    saturation: dict[str, ApparentMagnitude] = Field(
        default_factory=dict, description="By band: brighter stars are saturated [mag]"
    )
    uwe_max: float = Field(
        default=float("inf"), description="Largest ruwe of good astrometry; infinite without one"
    )
    n_epochs: int = Field(
        default=0,
        ge=0,
        description="Detections of every source, where the table does not count them; 0: unknown",
    )
    identifier: Literal["row", "position"] = Field(
        default="row",
        description="What makes source_id where a table has none: the number of the row in the "
        "file, from 0, or ra and dec with seven decimals",
    )
    private: str = Field(default="", description="How to get a survey that no archive has")
    merge: MergeTraits
    instrument: Instrument | None = None
    simulated_table: SimulatedTable = Field(default_factory=SimulatedTable)
    spellings: tuple[Spelling, ...] = Field(alias="spelling", min_length=1)
    archives: tuple[Archive, ...] = Field(default=(), alias="archive")
    path: str = Field(default="", description="The file, if it is not one of the package")
    sha256: str = Field(default="", description="Checksum of the file")

    @field_validator("photometric_system", mode="before")
    @classmethod
    def _known_system(cls, value: Any) -> Any:
        known = (*system_names(), OPTICAL_SYSTEM)
        if isinstance(value, str) and value not in known:
            raise ValueError(
                f"unknown system {value!r}; expected one of {', '.join(known)}, or a table with "
                "colours, slopes, offsets and scatter_mag"
            )
        return value

    @field_validator("default_error", "saturation")
    @classmethod
    def _known_bands(cls, value: dict[str, float]) -> dict[str, float]:
        known = (*SURVEY_BANDS, *GAIA_BANDS)
        unknown = sorted(set(value) - set(known))
        if unknown:
            raise ValueError(f"unknown band {', '.join(unknown)}; known: {', '.join(known)}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> SurveyDefinition:
        for archive in self.archives:
            self.spelling(archive.spelling)
        if self.simulated_table.spelling:
            self.spelling(self.simulated_table.spelling)
        bands = SURVEY_BANDS if self.is_infrared else GAIA_BANDS
        lacking = [band for band in bands if band not in self.default_error]
        if lacking:
            raise ValueError(f"default_error: needs the bands {', '.join(lacking)}")
        if self.instrument is not None and self.instrument.bands != bands:
            raise ValueError(f"instrument.bands: expected {list(bands)} for its photometric system")
        return self

    @property
    def is_infrared(self) -> bool:
        """Whether it measures J, H, Ks, not Gaia's G, BP, RP."""
        return self.photometric_system != OPTICAL_SYSTEM

    @property
    def system(self) -> PhotometricSystem:
        """Its photometric system; only infrared ones have one."""
        system = self.photometric_system
        return load_system(system) if isinstance(system, str) else system

    @property
    def id_column(self) -> str:
        """Column of a merged catalogue that holds its identifiers."""
        return self.merge.id_column or f"{self.name}_source_id"

    @property
    def simulated_spelling(self) -> Spelling:
        """The spelling in which a simulated table of it is written."""
        name = self.simulated_table.spelling
        return self.spelling(name) if name else self.spellings[0]

    def spelling(self, name: str) -> Spelling:
        """Return a spelling by its name.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        return self._named(name, self.spellings, "spelling")

    def archive(self, name: str = "") -> Archive:
        """Return an archive by its name; the default one, the first, for an empty name.

        Raises
        ------
        InputError
            If no archive has the survey, or none of that name.
        """
        if not self.archives:
            raise InputError(f"{self.name}: {self.private or 'no archive is known'}")
        return self._named(name or self.archives[0].name, self.archives, "archive")

    def _named(self, name: str, among: tuple[Any, ...], what: str) -> Any:
        for one in among:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in among)
        raise InputError(f"{self.name}: no {what} {name!r}; there are: {known}")


def survey_names() -> tuple[str, ...]:
    """Return the names of the surveys that come with the package: the files of its folder.

    Returns
    -------
    tuple of str
        In the order of the alphabet.
    """
    return packaged_surveys()


def load_survey(survey: str | Path | SurveyDefinition) -> SurveyDefinition:
    """Return the definition of a survey.

    Parameters
    ----------
    survey : str, Path or SurveyDefinition
        One of `survey_names`, or the path of a definition (a Path, or text that ends in
        ``.toml``); a definition is returned as it is.

    Returns
    -------
    SurveyDefinition

    Raises
    ------
    InputError
        If there is no survey of that name, the file cannot be read, or a key is wrong.
    """
    if isinstance(survey, SurveyDefinition):
        return survey
    if is_path(survey):
        return _load(Path(survey), own=True)
    return _packaged(survey)


@cache
def _packaged(name: str) -> SurveyDefinition:
    if name not in survey_names():
        raise InputError(unknown_name("survey", name, survey_names()))
    return _load(Path(str(files(__package__).joinpath("definitions", f"{name}.toml"))), own=False)


def _load(path: Path, *, own: bool) -> SurveyDefinition:
    values = read_toml(path)
    name, digest = name_of(path), sha256(path.read_bytes()).hexdigest()
    values |= {"name": name, "path": str(path) if own else "", "sha256": digest}
    values = {"label": name} | values
    relation, system = values.get("hw_relation", ""), values.get("photometric_system")
    if isinstance(relation, str) and is_path(relation):
        values["hw_relation"] = str(path.parent / relation)
    if isinstance(system, dict):
        values["photometric_system"] = {"name": name, "source": "", "status": ""} | system
    instrument = values.get("instrument")
    if isinstance(instrument, dict) and "stream" not in instrument:
        # Far from those of the package, and the same wherever the file lies.
        number = int.from_bytes(sha256(name.encode()).digest()[:6], "big")
        values["instrument"] = instrument | {"stream": _OWN_STREAM + number}
    return validated(SurveyDefinition, values, str(path))
