"""Settings of a merge: which surveys, which window, which rule."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gcmock.pool import available_cores
from gcmock.settings.base import (
    ApparentMagnitude,
    Latitude,
    Longitude,
    Section,
    Workers,
    override,
    to_toml,
    validated,
)
from gcmock.settings.name_or_path import (
    NameOrPath,
    name_of,
    packaged_names,
    packaged_surveys,
    resolve_paths,
)
from gcmock.settings.toml_file import read_toml

SurveyName = Annotated[str, NameOrPath("survey", packaged_surveys)]
HwRelationName = Annotated[
    str, NameOrPath("Hw relation", packaged_names("hw_relations.toml"), also=("native",))
]
QualityName = Literal[
    "duplicate",
    "artefact",
    "saturated",
    "extended",
    "blended",
    "error_assumed",
    "bad_astrometry",
    "on_extended",
    "doubtful",
]


class SurveyInput(Section):
    """A survey and its file."""

    name: SurveyName = Field(
        description="Name of the survey, or the file that defines one of your own"
    )
    path: str = Field(description="File or folder, relative to the folder of the settings")
    margin: str | None = Field(
        default=None,
        description="Margin of a HATS catalogue, if it is not in its collection",
        examples=["virac2_margin"],
    )
    reject: tuple[QualityName, ...] = Field(
        default=("duplicate", "artefact", "extended"),
        description="Marks of the survey for which a source is left out",
    )
    faint_ks_mag: ApparentMagnitude | None = Field(
        default=None,
        description="Faintest Ks of a source, as the survey lists it; those without Ks are left "
        "out as well [mag]",
        examples=[16.0],
    )

    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Names of columns in a table of your own, in the units of gcmock: what they "
        "are, as docs/surveys.md lists it, and what the file calls them",
        examples=[{"phot_j_mag": "mj"}],
    )

    @property
    def survey(self) -> str:
        """Name of the survey, also where `name` is the path of its definition."""
        return name_of(self.name)


class MergeWindow(Section):
    """The part of the sky that is merged; all of it if no range is given."""

    l: tuple[Longitude, Longitude] | None = Field(
        default=None,
        description="Range of Galactic longitude, borders included [deg]",
        examples=[(-1.4, 0.7)],
    )
    b: tuple[Latitude, Latitude] | None = Field(
        default=None,
        description="Range of Galactic latitude, borders included [deg]",
        examples=[(-0.6, 0.6)],
    )

    @model_validator(mode="after")
    def _ordered(self) -> MergeWindow:
        for name in ("l", "b"):
            values = getattr(self, name)
            if values is not None and values[0] >= values[1]:
                raise ValueError(f"{name} needs the smaller value first")
        return self


class MatchConfig(Section):
    """How sources of different surveys become one star."""

    former_names: ClassVar = {"tail_share": "tail_fraction", "least_share": "least_fraction"}

    rule: Literal["probabilistic", "pilot2023"] = Field(
        default="probabilistic",
        description="Likelihood ratios and one-to-one assignment, or the rule of the pilot "
        "catalogue of 2023",
    )
    search_radius_arcsec: float = Field(
        default=1.8, gt=0, le=5, description="Largest separation of a candidate [arcsec]"
    )
    motion_sigma_masyr: float = Field(
        default=3.0, gt=0, le=100.0, description="Dispersion of proper motions per axis [mas/yr]"
    )
    scatter_mag: float = Field(
        default=0.05,
        ge=0,
        le=2.0,
        description="Scatter of a star's magnitude between surveys beyond the errors [mag]",
    )
    tail_fraction: float = Field(
        default=0.1, gt=0, lt=0.5, description="Fraction of measurements that a neighbour disturbs"
    )
    tail_position_fwhm: float = Field(
        default=0.15,
        gt=0,
        le=3.0,
        description="Extra error of their position [FWHM of the coarser image]",
    )
    tail_mag: float = Field(
        default=0.5, gt=0, le=5.0, description="Extra error of their magnitude [mag]"
    )
    least_fraction: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="A source in which its star gives less of the light than this is a blend",
    )
    ambiguous_below: float = Field(
        default=0.9, ge=0, le=1, description="Links less probable than this are flagged"
    )


class CleaningConfig(Section):
    """What is not a star."""

    duplicate_fwhm: float = Field(
        default=0.5,
        ge=0,
        le=3.0,
        description="Sources of one survey closer than this are one source [FWHM]",
    )
    bright_ks_mag: ApparentMagnitude = Field(
        default=10.5,
        description="Stars brighter than this have ghosts and spikes around them [mag]",
    )
    bright_radius_arcsec: float = Field(
        default=9.5,
        ge=0,
        le=28,
        description="Radius in which a star at that limit has them; it grows by a factor of 1.58 "
        "per magnitude, up to 28 arcsec [arcsec]",
    )
    least_real_probability: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Sources that one survey alone has are left out if fewer of their kind than "
        "this fraction are stars; 0 keeps all",
    )


class MergePhotometryConfig(Section):
    """Magnitudes of the merged stars."""

    hw_relation: HwRelationName = Field(
        default="native",
        description="Hw from J and H, a name or a TOML file: native takes the relation of the "
        "survey that both come from, in its own system, and that of 2MASS otherwise",
    )
    tmass_faint_mag: ApparentMagnitude = Field(
        default=13.0,
        description="Fainter magnitudes come from 2MASS only where nothing else has them [mag]",
    )


class CompletenessConfig(Section):
    """The map of the completeness."""

    order: int = Field(default=8, ge=4, le=11, description="HEALPix order of its pixels")
    prior_stars: float = Field(
        default=20.0,
        gt=0,
        le=1e6,
        description="Weight of the value of the whole window in every pixel [stars]",
    )


class MergeRunConfig(Section):
    """How the work is done; none of it changes a star."""

    workers: Workers = Field(default=0, description="Threads; 0 for one per core")
    chunk_size: int = Field(default=200_000, ge=1, le=10_000_000, description="Rows read at a time")
    cell_order: int = Field(
        default=8, ge=5, le=10, description="HEALPix order of the cells that are merged at a time"
    )

    @property
    def n_workers(self) -> int:
        """Number of threads."""
        return self.workers or available_cores()


class MergeConfig(Section):
    """All settings of a merge."""

    survey: tuple[SurveyInput, ...] = Field(description="Surveys", min_length=1)
    window: MergeWindow = Field(default_factory=MergeWindow)
    match: MatchConfig = Field(default_factory=MatchConfig)
    cleaning: CleaningConfig = Field(default_factory=CleaningConfig)
    photometry: MergePhotometryConfig = Field(default_factory=MergePhotometryConfig)
    completeness: CompletenessConfig = Field(default_factory=CompletenessConfig)
    run: MergeRunConfig = Field(default_factory=MergeRunConfig)

    @model_validator(mode="after")
    def _distinct(self) -> MergeConfig:
        names = [one.survey for one in self.survey]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"survey {sorted(repeated)} is given more than once")
        paths = [one.path for one in self.survey]
        twice = sorted({path for path in paths if paths.count(path) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is given for several surveys; each has a file of its own")
        return self


def load_merge_config(
    path: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None
) -> MergeConfig:
    """Read and validate the settings of a merge.

    Parameters
    ----------
    path : str, Path or mapping
        A TOML file, or its content. Paths in a file are relative to its folder.
    overrides : mapping, optional
        Values by ``section.key`` that win over the file; None means "not given".

    Returns
    -------
    MergeConfig

    Raises
    ------
    InputError
        If the file cannot be read or a setting is wrong; one line per problem.
    """
    if isinstance(path, Mapping):
        values, path = deepcopy(dict(path)), Path("config")
    else:
        path = Path(path)
        values = read_toml(path)
    resolve_paths(values, MergeConfig, path.parent)
    override(values, overrides)
    config = validated(MergeConfig, values, str(path))
    surveys = tuple(
        one.model_copy(
            update={
                "path": str(path.parent / one.path),
                "margin": None if one.margin is None else str(path.parent / one.margin),
            }
        )
        for one in config.survey
    )
    return config.model_copy(update={"survey": surveys})


def default_merge_toml() -> str:
    """Return the default settings as TOML, with a comment for every key and one survey.

    Returns
    -------
    str
        What `load_merge_config` reads back to the defaults.
    """
    example = SurveyInput(name="virac2", path="virac2.fits")
    return to_toml(MergeConfig(survey=(example,)), comments=True)
