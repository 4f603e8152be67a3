"""Settings of a merge: which surveys, which window, which rule."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gcmock.errors import InputError
from gcmock.settings.build import available_cores
from gcmock.settings.name_or_path import (
    NameOrPath,
    name_of,
    packaged_names,
    packaged_surveys,
    read_toml,
    resolve_paths,
)
from gcmock.settings.text import choices_of, toml_value

SurveyName = Annotated[str, NameOrPath("survey", packaged_surveys)]
HwRelationName = Annotated[
    str, NameOrPath("Hw relation", packaged_names("hw_relations.toml"), also=("native",))
]
QualityName = Literal[
    "duplicate", "artefact", "saturated", "extended", "blended", "error_assumed", "bad_astrometry"
]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SurveyInput(Section):
    """A survey and its file."""

    name: SurveyName = Field(
        description="Name of the survey, or the file that defines one of your own"
    )
    path: str = Field(description="File or folder, relative to the folder of the settings")
    margin: str | None = Field(
        default=None, description="Margin of a HATS catalogue, if it is not in its collection"
    )
    reject: tuple[QualityName, ...] = Field(
        default=("duplicate", "artefact", "extended"),
        description="Marks of the survey for which a source is left out",
    )
    faint_ks_mag: float | None = Field(
        default=None,
        description="Faintest Ks of a source, as the survey lists it; those without Ks are left "
        "out as well [mag]",
    )

    @property
    def survey(self) -> str:
        """Name of the survey, also where `name` is the path of its definition."""
        return name_of(self.name)


class MergeWindow(Section):
    """The part of the sky that is merged; all of it if no range is given."""

    l: tuple[float, float] | None = Field(
        default=None, description="Range of Galactic longitude, borders included [deg]"
    )
    b: tuple[float, float] | None = Field(
        default=None, description="Range of Galactic latitude, borders included [deg]"
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

    rule: Literal["probabilistic", "pilot2023"] = Field(
        default="probabilistic",
        description="Likelihood ratios and one-to-one assignment, or the rule of the pilot "
        "catalogue of 2023",
    )
    search_radius_arcsec: float = Field(
        default=1.8, gt=0, le=5, description="Largest separation of a candidate [arcsec]"
    )
    motion_sigma_masyr: float = Field(
        default=3.0, gt=0, description="Dispersion of proper motions per axis [mas/yr]"
    )
    scatter_mag: float = Field(
        default=0.05,
        ge=0,
        description="Scatter of a star's magnitude between surveys beyond the errors [mag]",
    )
    tail_share: float = Field(
        default=0.1, gt=0, lt=0.5, description="Share of measurements that a neighbour disturbs"
    )
    tail_position_fwhm: float = Field(
        default=0.15, gt=0, description="Extra error of their position [FWHM of the coarser image]"
    )
    tail_mag: float = Field(default=0.5, gt=0, description="Extra error of their magnitude [mag]")
    least_share: float = Field(
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
        description="Sources of one survey closer than this are one source [FWHM]",
    )
    bright_ks_mag: float = Field(
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
        "this share are stars; 0 keeps all",
    )


class MergePhotometryConfig(Section):
    """Magnitudes of the merged stars."""

    hw_relation: HwRelationName = Field(
        default="native",
        description="Hw from J and H, a name or a TOML file: native takes the relation of the "
        "survey that both come from, in its own system, and that of 2MASS otherwise",
    )
    tmass_faint_mag: float = Field(
        default=13.0,
        description="Fainter magnitudes come from 2MASS only where nothing else has them [mag]",
    )


class CompletenessConfig(Section):
    """The map of the completeness."""

    order: int = Field(default=8, ge=4, le=11, description="HEALPix order of its pixels")
    prior_stars: float = Field(
        default=20.0,
        gt=0,
        description="Weight of the value of the whole window in every pixel [stars]",
    )


class MergeRunConfig(Section):
    """How the work is done; none of it changes a star."""

    workers: int = Field(default=0, ge=0, description="Threads; 0 for one per core")
    chunk_size: int = Field(default=200_000, ge=1, description="Rows read at a time")
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
        return self


_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "survey": SurveyInput,
    "window": MergeWindow,
    "match": MatchConfig,
    "cleaning": CleaningConfig,
    "photometry": MergePhotometryConfig,
    "completeness": CompletenessConfig,
    "run": MergeRunConfig,
}


def load_merge_config(path: str | Path, overrides: Mapping[str, Any] | None = None) -> MergeConfig:
    """Read and validate the settings of a merge.

    Parameters
    ----------
    path : str or Path
        A TOML file. Paths in it are relative to its folder.
    overrides : mapping, optional
        Values by ``section.key`` that win over the file; None means "not given".

    Raises
    ------
    InputError
        If the file cannot be read or a setting is wrong; one line per problem.
    """
    path = Path(path)
    values = read_toml(path)
    resolve_paths(values, MergeConfig, path.parent)
    for key, value in (overrides or {}).items():
        section, _, name = key.partition(".")
        if value is not None and isinstance(values.setdefault(section, {}), dict):
            values[section][name] = value
    try:
        config = MergeConfig.model_validate(values)
    except ValidationError as error:
        raise InputError("\n".join(f"{path}: {_explain(p)}" for p in error.errors())) from error
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


def _explain(problem: Any) -> str:
    """Turn one pydantic error into: where, what was given, what is allowed."""
    where = [str(part) for part in problem["loc"]]
    place = ".".join(where) or "settings"
    if problem["type"] == "extra_forbidden":
        names = list(_MODELS if len(where) == 1 else _MODELS[where[0]].model_fields)
        close = difflib.get_close_matches(where[-1], names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
        return f"{place}: unknown key; {hint}"
    if problem["type"] == "missing":
        return f"{place}: is missing" + (
            '; a merge needs at least one [[survey]] with name = "..." and path = "..."'
            if where == ["survey"]
            else ""
        )
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if problem["type"] == "value_error":
        return f"{place}: {message}"
    return f"{place} = {problem['input']!r}: expected {message}"


def default_merge_toml() -> str:
    """Return the default settings as TOML, with a comment for every key and one survey."""
    example = SurveyInput(name="virac2", path="virac2.fits")
    sections = []
    for name, model in _MODELS.items():
        given = example if name == "survey" else model()
        lines = ["[[survey]]" if name == "survey" else f"[{name}]"]
        for key, field in model.model_fields.items():
            value = getattr(given, key)
            lines.append(f"# {field.description}{choices_of(field)}")
            # TOML has no word for nothing: such keys are shown, but not set.
            empty = _EMPTY.get(f"{name}.{key}", "")
            lines.append(f"# {key} = {empty}" if value is None else f"{key} = {toml_value(value)}")
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


_EMPTY: Final = {
    "survey.margin": '"virac2_margin"',
    "survey.faint_ks_mag": "16.0",
    "window.l": "[-1.4, 0.7]",
    "window.b": "[-0.6, 0.6]",
}
