"""Settings: defaults, validation, TOML in and out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import BaseModel, Field, field_validator, model_validator

from gcmock.notebook import html_table
from gcmock.pool import available_cores
from gcmock.settings.base import (
    JulianYear,
    KmPerSecond,
    Magnitude,
    Milliarcsecond,
    Parsec,
    Section,
    Workers,
    closest,
    override,
    to_toml,
    validated,
)
from gcmock.settings.footprint import FootprintConfig
from gcmock.settings.galaxy import ModelConfig, PopulationsConfig
from gcmock.settings.name_or_path import NameOrPath, packaged_names, resolve_paths
from gcmock.settings.selection import SelectionConfig
from gcmock.settings.toml_file import read_toml
from gcmock.words.columns import INPUT_COLUMNS

LawName = Annotated[str, NameOrPath("extinction law", packaged_names("extinction_laws.toml"))]
HwRelationName = Annotated[str, NameOrPath("Hw relation", packaged_names("hw_relations.toml"))]

CaseName = Literal["mismatch", "blend", "dusty", "outlier"]
"""Columns of `gcmock.words.cases.CASE_COLUMNS`, which a type must spell out."""

USUAL_EPOCH = 2016.0
"""Epoch of positions without one of their own, that of Gaia DR3 [Julian year]."""


class ExtinctionConfig(Section):
    """Dust."""

    law: LawName = Field(
        default="wang_chen_2019", description="Extinction law, or a TOML file with one"
    )
    map_value: Literal["subcell", "subcell_mean", "cell_mean"] = Field(
        default="subcell",
        description="Value of the map: the star's own sub-cell, the mean of the 25 sub-cells of "
        "its cell, or the column of means (biased by 1 to 2 %)",
    )
    # More than a whole cell of the map varies by.
    residual_scatter_mag: Magnitude = Field(
        default=0.02,
        ge=0,
        le=2.0,
        description="Gaussian scatter of E(J-Ks) around the map value [mag]",
    )
    # Dust lies in a layer thinner than the thick disc (900 pc), and no cloud is below 10 pc.
    dust_scale_height_pc: Parsec = Field(
        default=164.0, ge=10.0, le=1000.0, description="Scale height of the dust [pc]"
    )
    profile_scatter: float = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        description="Scatter of the dust near the Sun about this layer, as a fraction of it",
    )


class LearnConfig(Section):
    """What is learned from the stars of a list before they are inferred."""

    use: bool = Field(
        default=True, description="Learn extinction, law, numbers of stars, errors, outliers"
    )
    file: str = Field(
        default="",
        description="What was learned before, a FITS file of gcmock build or calibrate: its "
        "reddening, scatter and law take the place of [extinction] residual_scatter_mag and law",
    )
    stars_per_cell: int = Field(
        default=100, ge=1, description="Most stars of a cell of 0.025 deg looked at one by one"
    )
    law: Literal["quadrants", "one", "none"] = Field(
        default="quadrants",
        description="Fit one extinction law, and others to quadrants that differ; one law; or keep "
        "that of [extinction]",
    )
    numbers: bool = Field(
        default=True,
        description="Fit the numbers of disc, bar and nuclear stars, and of younger ones",
    )
    errors: bool = Field(
        default=True,
        description="Fit the scale of errors, the fractions of outliers, and the zero point of "
        "parallaxes",
    )
    cases: tuple[CaseName, ...] = Field(
        default=get_args(CaseName),
        description="What a measurement may be besides a clean one: cases that are left out have "
        "no stars",
    )


class PhotometryConfig(Section):
    """Magnitudes and their errors."""

    hw_relation: HwRelationName = Field(
        default="yano2021_2mass",
        description="Hw as a function of J and H, or a TOML file with one",
    )
    system: Literal["2mass", "vista", "sirius", "hawki"] = Field(
        default="2mass",
        description="System of the J, H, Ks magnitudes of the input; others are converted to 2MASS",
    )
    error_floor_mag: Magnitude = Field(
        default=0.01,
        ge=0,
        le=1.0,
        description="Error of the model, added in quadrature to every error [mag]",
    )
    default_error_mag: Magnitude = Field(
        default=0.05, gt=0, le=1.0, description="Error of a magnitude without a valid one [mag]"
    )
    use_hw: Literal["when_needed", "always"] = Field(
        default="when_needed",
        description="when_needed ignores Hw and other synthetic bands where J and H exist, because "
        "catalogues compute them from these",
    )


class ParallaxConfig(Section):
    """Measured parallaxes."""

    use: bool = Field(default=True, description="Use measured parallaxes")
    ruwe_max: float = Field(
        default=1.4, gt=0, le=1000.0, description="Largest ruwe of a parallax that is used"
    )
    zero_point_mas: Milliarcsecond = Field(
        default=0.0, ge=-10, le=10, description="Zero point, subtracted from every parallax [mas]"
    )
    gaia_zero_point: bool = Field(
        default=True,
        description="Subtract that of Gaia DR3 (Lindegren et al. 2021) from each parallax before, "
        "where the columns that it depends on are there",
    )


class MotionConfig(Section):
    """Measured proper motions and radial velocities."""

    former_names: ClassVar = {"outlier_share": "outlier_fraction"}

    use: bool = Field(default=True, description="Use measured motions, where they have errors")
    floor_masyr: float = Field(
        default=0.3,
        ge=0,
        le=10.0,
        description="Error of the model's motions, added in quadrature [mas/yr]",
    )
    floor_kms: KmPerSecond = Field(
        default=10.0, ge=0, le=500.0, description="The same for radial velocities [km/s]"
    )
    outlier_fraction: float = Field(
        default=0.01, ge=0, lt=1, description="Fraction of motions that belong to another star"
    )
    error_max_masyr: float = Field(
        default=5.0, gt=0, le=1e3, description="Largest error of a proper motion in use [mas/yr]"
    )
    ruwe_max: float = Field(
        default=1.4, gt=0, le=1000.0, description="Proper motions with a larger ruwe are not used"
    )


class DistanceConfig(Section):
    """The grid of distances."""

    # The nearest star is at 1.3 pc; the model has no stars beyond the far side of its discs, and
    # time and memory grow with the number of bins, of which a kiloparsec has 25.
    min_pc: Parsec = Field(default=20.0, ge=1.0, le=50000.0, description="Smallest distance [pc]")
    max_pc: Parsec = Field(default=16000.0, gt=1.0, le=50000.0, description="Largest distance [pc]")

    @field_validator("max_pc")
    @classmethod
    def _above_min(cls, value: float, info: Any) -> float:
        if value <= info.data.get("min_pc", 0.0):
            raise ValueError("must be larger than min_pc")
        return value


class InputConfig(Section):
    """Stars that need a decision."""

    no_photometry: Literal["prior", "skip"] = Field(
        default="prior",
        description="Stars without any magnitude: draw from the prior, or leave out",
    )
    outside_map: Literal["error", "skip"] = Field(
        default="error", description="Stars outside the extinction map: stop, or leave out"
    )
    ref_epoch: JulianYear = Field(
        default=USUAL_EPOCH,
        description="Epoch of positions without a ref_epoch of their own; all positions are taken "
        "as they are given (Julian year)",
    )


class RunConfig(Section):
    """How the work is done; only `seed` and `realisations` change the stars of the result."""

    seed: int = Field(default=1, ge=0, lt=2**63, description="Seed of the random numbers")
    # A posterior is known to 0.5 % from ten thousand draws; all of a star are made at once.
    realisations: int = Field(
        default=1, ge=1, le=100_000, description="True stars drawn for every observed star"
    )
    # A star that is read takes a few hundred bytes: ten million take gigabytes.
    chunk_size: int = Field(default=50_000, ge=1, le=10_000_000, description="Stars read at a time")
    partition_size: int = Field(
        default=250_000,
        ge=1,
        le=1_000_000_000,
        description="Rows of a partition, when the output is a folder: what is lost at most per "
        "worker when a run is killed",
    )
    sort: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Order of the rows of the output: by position on the sky, or as in the input; "
        "auto sorts inputs whose rows jump over the sky, because that is much faster",
    )
    workers: Workers = Field(default=0, description="Number of workers; 0: one per core")

    @property
    def n_workers(self) -> int:
        """Number of workers to start, at least 1."""
        return self.workers or available_cores()


class InferencePolicy(NamedTuple):
    """What is done with observed stars, which the model itself does not say.

    Attributes
    ----------
    input : InputConfig
        Stars that need a decision.
    use_hw : str
        ``[photometry] use_hw``.
    parallax : ParallaxConfig
        Which parallaxes are used.
    motion : MotionConfig
        Which motions are used.
    seed, realisations : int
        Of the draws.
    """

    input: InputConfig
    use_hw: str
    parallax: ParallaxConfig
    motion: MotionConfig
    seed: int
    realisations: int


class Config(Section):
    """All settings of a run."""

    model: ModelConfig = Field(default_factory=ModelConfig)
    populations: PopulationsConfig = Field(default_factory=PopulationsConfig)
    extinction: ExtinctionConfig = Field(default_factory=ExtinctionConfig)
    learn: LearnConfig = Field(default_factory=LearnConfig)
    photometry: PhotometryConfig = Field(default_factory=PhotometryConfig)
    parallax: ParallaxConfig = Field(default_factory=ParallaxConfig)
    motion: MotionConfig = Field(default_factory=MotionConfig)
    distance: DistanceConfig = Field(default_factory=DistanceConfig)
    input: InputConfig = Field(default_factory=InputConfig)
    footprint: FootprintConfig = Field(default_factory=FootprintConfig)
    selection: SelectionConfig = Field(default_factory=SelectionConfig)
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Names of columns in your file, where they differ from the names of gcmock",
        examples=[{"phot_ks_mag": "Ks"}],
    )
    run: RunConfig = Field(default_factory=RunConfig)

    @model_validator(mode="before")
    @classmethod
    def _calibration_of_old(cls, values: Any) -> Any:
        """Take ``[extinction] calibration`` of gcmock 0.1 for ``[learn] file``."""
        old = values.get("extinction") if isinstance(values, dict) else None
        if not isinstance(old, dict) or "calibration" not in old:
            return values
        learn = {"file": old["calibration"]} | dict(values.get("learn") or {})
        new = {key: value for key, value in old.items() if key != "calibration"}
        return values | {"extinction": new, "learn": learn}

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        names = [column.name for column in INPUT_COLUMNS]
        for name in (name for name in value if name not in names):
            raise ValueError(f"{name!r} is not an input column{closest(name, names)}")
        return value

    @property
    def policy(self) -> InferencePolicy:
        """What is done with observed stars."""
        return InferencePolicy(
            self.input,
            self.photometry.use_hw,
            self.parallax,
            self.motion,
            self.run.seed,
            self.run.realisations,
        )

    def changes(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults: ``{"run.seed": 7}``."""
        found: dict[str, Any] = {}
        default = type(self)()
        for section in type(self).model_fields:
            mine, usual = getattr(self, section), getattr(default, section)
            if isinstance(mine, BaseModel):
                for key in type(mine).model_fields:
                    if getattr(mine, key) != getattr(usual, key):
                        found[f"{section}.{key}"] = getattr(mine, key)
            else:
                found.update({f"{section}.{key}": value for key, value in mine.items()})
        return found

    def __repr__(self) -> str:
        """Name what differs from the defaults."""
        changes = ", ".join(f"{key}={value!r}" for key, value in self.changes().items())
        return f"Config({changes or 'defaults'})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        changes = self.changes()
        rows = []
        for section in type(self).model_fields:
            values = getattr(self, section)
            pairs = dict(values) if isinstance(values, BaseModel) else values
            for key, value in pairs.items():
                mark = "changed" if f"{section}.{key}" in changes else ""
                rows.append((f"[{section}] {key}", str(value), mark))
        return html_table("Settings of gcmock", rows, ("setting", "value", ""))

    def to_toml(self) -> str:
        """Return all settings as TOML that `load_config` reads back to the same settings."""
        return to_toml(self, comments=False)

    def to_json(self) -> str:
        """Return all settings as JSON."""
        return self.model_dump_json()


def default_config_toml() -> str:
    """Return the default settings as TOML, with a comment for every key.

    Returns
    -------
    str
        What `load_config` reads back to the defaults.
    """
    return to_toml(Config(), comments=True)


def load_config(
    path: str | Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Config:
    """Read and validate settings.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; keys that it lacks get their defaults.
    overrides : mapping, optional
        Values that win over the file: ``{"run": {"seed": 2}}`` or ``{"run.seed": 2}``.
        A value None means "not given".

    Returns
    -------
    Config

    Raises
    ------
    InputError
        If the file cannot be read or a setting is wrong; one line per problem.
    """
    values: dict[str, Any] = {}
    source = "config"
    if path is not None:
        source = str(path)
        values = read_toml(Path(path))
        resolve_paths(values, Config, Path(path).parent)
    override(values, overrides)
    return validated(Config, values, source)
