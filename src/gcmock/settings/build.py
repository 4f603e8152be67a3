"""Settings: defaults, validation, TOML in and out."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from gcmock.errors import InputError
from gcmock.notebook import html_table
from gcmock.settings.text import read_toml, to_toml
from gcmock.words.columns import INPUT_COLUMNS


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_unit(unit: str) -> Callable[[Any], Any]:
    """Accept text such as "8.16 kpc" where a number in `unit` is expected."""

    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        # Imported here: astropy is slow to import, and most configs have plain numbers.
        from astropy.units import Quantity, UnitConversionError

        try:
            return float(Quantity(value).to_value(unit))
        except (TypeError, ValueError, UnitConversionError) as error:
            raise ValueError(f'expected a number in {unit} or text such as "1.5 {unit}"') from error

    return convert


Parsec = Annotated[float, BeforeValidator(_in_unit("pc"))]
Degree = Annotated[float, BeforeValidator(_in_unit("deg"))]
KmPerSecond = Annotated[float, BeforeValidator(_in_unit("km/s"))]
Milliarcsecond = Annotated[float, BeforeValidator(_in_unit("mas"))]
Magnitude = Annotated[float, BeforeValidator(_in_unit("mag"))]


class _Section(BaseModel):
    # Deferred: building the validators would double the time of `import gcmock.settings.build`.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class ModelConfig(_Section):
    """The Galactic model."""

    preset: Literal["koshimoto2021"] = Field(default="koshimoto2021", description="Galactic model")
    bar: Literal["E", "G", "E+E_X", "G+G_X"] = Field(
        default="E+E_X", description="Shape of the bar"
    )
    disc: Literal["flat", "linear"] = Field(
        default="flat", description="Scale height of the thin discs: constant, or linear in radius"
    )
    inner_disc: Literal["break", "hole", "exponential"] = Field(
        default="break", description="Surface density of the discs inside 5.3 kpc"
    )
    nsc_kinematics: Literal["jeans", "nuclear_disc"] = Field(
        default="jeans",
        description="Velocities of nuclear star cluster stars: its own Jeans model, or those of "
        "the nuclear disc",
    )
    nsd_symmetric_tilt: bool = Field(
        default=False,
        description="Mirror the tilt of the nuclear disc's velocity ellipsoid below the plane, as "
        "symmetry asks; the published programs do not",
    )
    r0_pc: Parsec = Field(default=8160.0, gt=0, description="Distance of the Sun from Sgr A* [pc]")
    z_sun_pc: Parsec = Field(default=25.0, description="Height of the Sun above the plane [pc]")
    sun_velocity_kms: tuple[KmPerSecond, KmPerSecond, KmPerSecond] = Field(
        default=(-10.0, 243.0, 7.0),
        description="Velocity of the Sun along x (from the centre to the Sun), y (to l = +90 deg), "
        "z [km/s]",
    )
    bar_angle_deg: Degree = Field(
        default=27.0, ge=-90, le=90, description="Angle of the bar from the line of sight [deg]"
    )


class PopulationsConfig(_Section):
    """Ages, metallicities and isochrones."""

    name: Literal["parsec", "koshimoto2021"] = Field(
        default="parsec",
        description="Distributions of age and [M/H], or one age and one [M/H] per component",
    )


class ExtinctionConfig(_Section):
    """Dust."""

    law: Literal[
        "wang_chen_2019",
        "nishiyama_2006",
        "nishiyama_2009",
        "nishiyama_2009_quadrants",
        "alonso_garcia_2017",
        "nogueras_lara_2020",
    ] = Field(default="wang_chen_2019", description="Extinction law")
    map_value: Literal["subcell", "subcell_mean", "cell_mean"] = Field(
        default="subcell",
        description="Value of the map: the star's own sub-cell, the mean of the 25 sub-cells of "
        "its cell, or the column of means (biased by 1 to 2 %)",
    )
    residual_scatter_mag: Magnitude = Field(
        default=0.02, ge=0, description="Gaussian scatter of E(J-Ks) around the map value [mag]"
    )
    calibration: str = Field(
        default="",
        description="File of gcmock calibrate: its reddening, scatter and law take the place of "
        "residual_scatter_mag and law",
    )
    dust_scale_height_pc: Parsec = Field(
        default=164.0, gt=0, description="Scale height of the dust along the sightline [pc]"
    )


class PhotometryConfig(_Section):
    """Magnitudes and their errors."""

    hw_relation: Literal[
        "yano2021_2mass", "yano2021_vvv", "yano2021_sirius", "kawata2024", "etc2023", "genstars"
    ] = Field(default="yano2021_2mass", description="Hw as a function of J and H")
    system: Literal["2mass", "vista", "sirius", "hawki"] = Field(
        default="2mass",
        description="System of the J, H, Ks magnitudes of the input; others are converted to 2MASS",
    )
    error_floor_mag: Magnitude = Field(
        default=0.01,
        ge=0,
        description="Error of the model, added in quadrature to every error [mag]",
    )
    default_error_mag: Magnitude = Field(
        default=0.05, gt=0, description="Error of a magnitude that comes without a valid one [mag]"
    )
    use_hw: Literal["when_needed", "always"] = Field(
        default="when_needed",
        description="when_needed ignores Hw where J and H exist, because catalogues compute Hw "
        "from them",
    )


class ParallaxConfig(_Section):
    """Measured parallaxes."""

    use: bool = Field(default=True, description="Use measured parallaxes")
    ruwe_max: float = Field(
        default=1.4, gt=0, description="Largest ruwe of a parallax that is used"
    )
    zero_point_mas: Milliarcsecond = Field(
        default=0.0, description="Zero point, subtracted from every parallax [mas]"
    )


class MotionConfig(_Section):
    """Measured proper motions and radial velocities."""

    use: bool = Field(default=True, description="Use measured motions, where they have errors")
    floor_masyr: float = Field(
        default=0.3,
        ge=0,
        description="Error of the model's motions, added in quadrature [mas/yr]",
    )
    floor_kms: KmPerSecond = Field(
        default=10.0, ge=0, description="The same for radial velocities [km/s]"
    )
    outlier_share: float = Field(
        default=0.01, ge=0, lt=1, description="Share of motions that belong to another star"
    )
    error_max_masyr: float = Field(
        default=5.0, gt=0, description="Proper motions with larger errors are not used [mas/yr]"
    )
    ruwe_max: float = Field(
        default=1.4, gt=0, description="Proper motions with a larger ruwe are not used"
    )


class DistanceConfig(_Section):
    """The grid of distances."""

    min_pc: Parsec = Field(default=20.0, gt=0, description="Smallest distance [pc]")
    max_pc: Parsec = Field(default=16000.0, gt=0, description="Largest distance [pc]")

    @field_validator("max_pc")
    @classmethod
    def _above_min(cls, value: float, info: Any) -> float:
        if value <= info.data.get("min_pc", 0.0):
            raise ValueError("must be larger than min_pc")
        return value


class InputConfig(_Section):
    """Stars that need a decision."""

    no_photometry: Literal["prior", "skip"] = Field(
        default="prior",
        description="Stars without any magnitude: draw from the prior, or leave out",
    )
    outside_map: Literal["error", "skip"] = Field(
        default="error", description="Stars outside the extinction map: stop, or leave out"
    )
    ref_epoch: float = Field(
        default=2016.0,
        ge=1800.0,
        le=2200.0,
        description="Epoch of positions without a ref_epoch of their own; all positions are taken "
        "as they are given (Julian year)",
    )


class RunConfig(_Section):
    """How the work is done; only `seed` and `realisations` change the stars of the result."""

    seed: int = Field(default=1, ge=0, lt=2**63, description="Seed of the random numbers")
    realisations: int = Field(
        default=1, ge=1, description="True stars drawn for every observed star"
    )
    chunk_size: int = Field(default=50_000, ge=1, description="Stars read at a time")
    partition_size: int = Field(
        default=250_000,
        ge=1,
        description="Rows of a partition, when the output is a folder: what is lost at most per "
        "worker when a run is killed",
    )
    sort: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Order of the rows of the output: by position on the sky, or as in the input; "
        "auto sorts inputs whose rows jump over the sky, because that is much faster",
    )
    workers: int = Field(default=0, ge=0, description="Number of workers; 0: one per core")

    @property
    def n_workers(self) -> int:
        """Number of workers to start, at least 1."""
        return self.workers or available_cores()


class Config(_Section):
    """All settings of a run."""

    model: ModelConfig = Field(default_factory=ModelConfig)
    populations: PopulationsConfig = Field(default_factory=PopulationsConfig)
    extinction: ExtinctionConfig = Field(default_factory=ExtinctionConfig)
    photometry: PhotometryConfig = Field(default_factory=PhotometryConfig)
    parallax: ParallaxConfig = Field(default_factory=ParallaxConfig)
    motion: MotionConfig = Field(default_factory=MotionConfig)
    distance: DistanceConfig = Field(default_factory=DistanceConfig)
    input: InputConfig = Field(default_factory=InputConfig)
    columns: dict[str, str] = Field(default_factory=dict)
    run: RunConfig = Field(default_factory=RunConfig)

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, str]) -> dict[str, str]:
        names = [column.name for column in INPUT_COLUMNS]
        for name in value:
            if name not in names:
                raise ValueError(f"{name!r} is not an input column{_closest(name, names)}")
        return value

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
    """Return the default settings as TOML, with a comment for every key."""
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
    for key, value in (overrides or {}).items():
        _override(values, key, value)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [f"{source}: {_explain(problem)}" for problem in error.errors()]
        raise InputError("\n".join(lines)) from error


def _override(values: dict[str, Any], key: str, value: Any) -> None:
    head, _, rest = key.partition(".")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _override(values, f"{key}.{name}", inner)
    elif rest:
        section = values.setdefault(head, {})
        if isinstance(section, dict):
            _override(section, rest, value)
    elif value is not None:
        values[head] = value


def _closest(name: str, names: list[str]) -> str:
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else f"; known: {', '.join(names)}"


def _explain(problem: Any) -> str:
    """Turn one pydantic error into: where, what was given, what is allowed."""
    where = [str(part) for part in problem["loc"]]
    place = f"[{where[0]}]" + (f" {'.'.join(where[1:])}" if len(where) > 1 else "")
    if problem["type"] == "extra_forbidden":
        if len(where) == 1:
            return f"{place}: unknown section{_closest(where[0], list(Config.model_fields))}"
        section = Config.model_fields[where[0]].annotation
        names = list(getattr(section, "model_fields", {}))
        return f"{place}: unknown key{_closest(where[-1], names)}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    expected = {
        "value_error": message,
        "missing": "expected one value more",
        "model_type": "expected a section with keys",
    }.get(problem["type"], f"expected {message}")
    if where[0] == "columns" and len(where) == 1:
        return f"{place}: {expected}"
    return f"{place} = {problem['input']!r}: {expected}"
