"""Missions as data: windows, instruments, seasons and error models, validated."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import gcmock.data
from gcmock.errors import InputError

MISSIONS: Final = ("jasmine", "roman-gbtds", "roman-gbtds-2025", "gaianir")
"""Names of the missions that come with the package."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Window(_Section):
    """The part of the sky that a mission sees: a rectangle in Galactic coordinates, or fields."""

    l_deg: tuple[float, float] | None = Field(
        default=None, description="Range of Galactic longitude, borders included [deg]"
    )
    b_deg: tuple[float, float] | None = Field(
        default=None, description="Range of Galactic latitude, borders included [deg]"
    )
    fields: tuple[tuple[float, float], ...] = Field(
        default=(), description="Field centres l, b [deg]"
    )
    field_size_deg: tuple[float, float] | None = Field(
        default=None, description="Full width and height of a field [deg]"
    )
    field_angle_deg: float = Field(
        default=0.0,
        description="Angle of the fields' width from the direction of l towards b [deg]",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Window:
        if (self.l_deg is None) != (self.b_deg is None):
            raise ValueError("l_deg and b_deg go together")
        if self.fields and (self.field_size_deg is None or self.l_deg is not None):
            raise ValueError("fields need field_size_deg, and exclude l_deg and b_deg")
        for values in (self.l_deg, self.b_deg):
            if values is not None and values[0] >= values[1]:
                raise ValueError("a range needs the smaller value first")
        return self


class Magnitudes(_Section):
    """Which stars are observed."""

    band: Literal["hw", "f087", "f146", "f213", "gaianir"] = Field(description="Band of the limits")
    bright: float = Field(description="Brightest star that is not saturated [mag]")
    faint: float = Field(description="Faintest star [mag]")
    primaries: float = Field(description="Faintest primary source of the solution [mag]")

    @model_validator(mode="after")
    def _ordered(self) -> Magnitudes:
        if self.bright >= self.faint:
            raise ValueError("bright must be smaller than faint")
        return self


class FocalPlane(_Section):
    """Square detectors on a grid."""

    focal_length_m: float = Field(gt=0, description="Effective focal length [m]")
    pixel_um: float = Field(gt=0, description="Width of a pixel [um]")
    pixels: int = Field(gt=0, description="Active pixels along a side of a detector")
    separation_mm: float = Field(gt=0, description="Distance between detector centres [mm]")
    detectors: tuple[int, int] = Field(description="Detectors along x and along y")
    readout_window_pixels: int = Field(
        ge=1,
        description="Side of the window read out around a star, which must lie on the detector",
    )


class Exposures(_Section):
    """One visit of a field."""

    exposure_s: float = Field(gt=0, description="Exposure time [s]")
    per_visit: int = Field(gt=0, le=32767, description="Exposures of a field in one visit")
    fields_per_orbit: int = Field(gt=0, description="Visits in the observing half of an orbit")


class Schedule(_Section):
    """When and where the telescope points."""

    start: float = Field(description="Start of the mission (Julian year, TCB)")
    years: float = Field(gt=0, description="Length of the mission [yr]")
    sun_angle_deg: tuple[float, float] = Field(
        description="Smallest and largest angle between the Sun and the target in a season [deg]"
    )
    target_l_b_deg: tuple[float, float] = Field(
        description="Where the Sun angle is taken, l, b [deg]"
    )
    altitude_km: float = Field(gt=0, description="Height of the circular orbit [km]")
    local_time_h: float = Field(
        ge=0, lt=24, description="Local time of the ascending node of the Sun-synchronous orbit [h]"
    )
    roll_range_rad: float = Field(ge=0, description="Roll is uniform in plus or minus this [rad]")
    cell_deg: float = Field(
        default=0.1, gt=0.005, description="Cells in which coverage is counted [deg]"
    )
    margin_deg: float = Field(
        default=0.0, ge=0, description="Field centres stay so far inside the window [deg]"
    )
    visits: int = Field(
        default=0, ge=0, description="Visits, evenly drawn from all of the mission; 0: all of them"
    )
    seasons: int = Field(default=0, ge=0, description="Only the first seasons; 0: all of them")


class Centroid(_Section):
    """Error of a star's centroid in one exposure, per axis.

    sigma^2 = flat + photon / n + background / n^2 with n = 10^(-0.4 (mag - mag_zero)), see
    `gcmock.astrometry.centroid`.
    """

    mag_zero: float = Field(description="Magnitude at which n = 1")
    psf_mas: float = Field(gt=0, description="Standard deviation of the image [mas]")
    jitter_mas: float = Field(ge=0, description="Attitude jitter in an exposure [mas]")
    read_noise_e: float = Field(ge=0, description="Read noise [electrons]")
    background_e_per_s: float = Field(ge=0, description="Dark, stray and diffuse light [e/s/pixel]")
    flat_error: float = Field(ge=0, description="Relative error of the flat field")
    flat_mas2: float = Field(ge=0, description="Coefficient of flat_error^2 [mas2]")
    photon: float = Field(ge=0, description="Coefficient of s^2 / n")
    background: float = Field(ge=0, description="Coefficient of the background term [mas-2]")
    flat_floor: Literal["per_visit", "per_exposure"] = Field(
        default="per_visit",
        description="per_visit: the images of a visit fall on the same pixels, so that the error "
        "of the flat field does not average down within it; per_exposure: it does",
    )
    floor_mas: float = Field(
        default=0.0, ge=0, description="Further error per visit, added in quadrature [mas]"
    )


class Attitude(_Section):
    """Difference between true and nominal attitude."""

    pointing_error_mas: float = Field(ge=0, description="Standard deviation per axis [mas]")
    roll_error_arcsec: float = Field(ge=0, description="Standard deviation of the roll [arcsec]")


class Calibration(_Section):
    """Distortion: Legendre polynomials over the field, constant within a block of time."""

    degree: int = Field(ge=0, le=10, description="Total degree that the solution assumes")
    true_degree: int = Field(
        ge=0, le=10, description="Total degree of the true distortion; above degree: mis-modelled"
    )
    min_degree: int = Field(default=1, ge=1, description="Smallest total degree of the terms")
    block_days: float = Field(gt=0, description="Length of a calibration block [d]")
    common_mas: float = Field(
        ge=0, description="Standard deviation of the coefficients, the same in all blocks [mas]"
    )
    block_mas: float = Field(
        ge=0, description="Standard deviation of what each block adds to them [mas]"
    )
    mismodelled_mas: float = Field(
        default=1.0, ge=0, description="The same for terms above degree, drawn for each block [mas]"
    )


class Outliers(_Section):
    """Disturbed observations."""

    fraction: float = Field(default=0.0, ge=0, lt=1, description="Share of disturbed observations")
    sigma_mas: float = Field(
        default=100.0, ge=0, description="Standard deviation of the disturbance per axis [mas]"
    )


class Reference(_Section):
    """Stars of a reference catalogue, as Gaia would have them."""

    epoch: float = Field(description="Reference epoch (Julian year, TCB)")
    g_max: float = Field(description="Faintest star [mag]")
    release: Literal["dr3", "dr4", "dr5"] = Field(description="Gaia release of the errors")
    correlations: tuple[float, ...] = Field(
        min_length=10,
        max_length=10,
        description="ra_dec, ra_parallax, ra_pmra, ra_pmdec, dec_parallax, dec_pmra, dec_pmdec, "
        "parallax_pmra, parallax_pmdec, pmra_pmdec",
    )


class InputCatalogue(_Section):
    """Approximate positions from which an iteration starts."""

    position_error_mas: float = Field(ge=0, description="Standard deviation per axis [mas]")


class Directions(_Section):
    """What enters the directions."""

    aberration: bool = Field(default=False, description="Aberration by the observer's velocity")
    deflection: bool = Field(default=False, description="Deflection of light by the Sun")


class EpochError(_Section):
    """Error of one epoch as a function of magnitude, for predicted catalogues, per axis.

    sigma^2 = floor^2 + (scale 10^(0.2 (mag - mag_ref)))^2 (1 + 10^(0.4 (mag - mag_background)))
    """

    floor_mas: float = Field(ge=0, description="Error of bright stars [mas]")
    scale_mas: float = Field(ge=0, description="Photon error at mag_ref [mas]")
    mag_ref: float = Field(description="Magnitude of scale_mas")
    mag_background: float = Field(description="Magnitude at which background doubles the variance")


class Mission(_Section):
    """All settings of a mission.

    The sections up to `centroid` exist for every mission whose observations can be simulated; the
    others have a window, a band and an error of one epoch.
    """

    name: str = Field(description="Name")
    title: str = Field(default="", description="What it is")
    window: Window
    magnitudes: Magnitudes
    directions: Directions = Field(default_factory=Directions)
    focal_plane: FocalPlane | None = None
    exposures: Exposures | None = None
    schedule: Schedule | None = None
    centroid: Centroid | None = None
    attitude: Attitude | None = None
    calibration: Calibration | None = None
    outliers: Outliers = Field(default_factory=Outliers)
    reference: Reference | None = None
    input_catalogue: InputCatalogue | None = None
    epoch_error: EpochError | None = None

    @property
    def can_observe(self) -> bool:
        """Whether observations of this mission can be simulated."""
        needed = (
            self.focal_plane,
            self.exposures,
            self.schedule,
            self.centroid,
            self.attitude,
            self.calibration,
            self.reference,
            self.input_catalogue,
        )
        return all(section is not None for section in needed)

    def to_toml(self) -> str:
        """Return all settings as TOML that `load_mission` reads back to the same settings."""
        values = self.model_dump(exclude_none=True)
        top = [f"{key} = {_toml(value)}" for key, value in values.items() if not _is_table(value)]
        parts = ["\n".join(top)]
        for key, value in values.items():
            if _is_table(value):
                lines = [f"{name} = {_toml(inner)}" for name, inner in value.items()]
                parts.append("\n".join([f"[{key}]", *lines]))
        return "\n\n".join(parts) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def mission_path(name: str) -> Path:
    """Path of the file of a mission that comes with the package.

    Raises
    ------
    InputError
        If there is no such mission; the known ones are listed.
    """
    if name not in MISSIONS:
        close = difflib.get_close_matches(name, MISSIONS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InputError(f"unknown mission {name!r}: known are {', '.join(MISSIONS)}{hint}")
    return Path(str(files(gcmock.data).joinpath("missions", f"{name}.toml")))


def load_mission(
    name: str | Path = "jasmine",
    config: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Mission:
    """Load a mission.

    Parameters
    ----------
    name : str or Path
        One of `MISSIONS`, or the path of a complete mission file.
    config : str or Path, optional
        A TOML file with keys that differ from those of the mission.
    overrides : mapping of str to value, optional
        Keys that win over both, with dots: ``{"schedule.visits": 400}``. None means "not given".

    Returns
    -------
    Mission

    Raises
    ------
    InputError
        If the mission is unknown, a file cannot be read, or a key is unknown or out of range.
    """
    path = name if isinstance(name, Path) else mission_path(name)
    source = str(path) if isinstance(name, Path) else f"mission {name}"
    values = _read(path)
    if config is not None:
        source = str(config)
        for key, value in _read(Path(config)).items():
            _merge(values, key, value)
    for key, value in (overrides or {}).items():
        if value is not None:
            _merge(values, key, value)
    try:
        return Mission.model_validate(values)
    except ValidationError as error:
        raise InputError("\n".join(f"{source}: {_explain(p)}" for p in error.errors())) from error


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Return settings given as ``section.key=value``; a value is TOML, or text.

    Raises
    ------
    InputError
        If there is no key or no value.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(f"--set {text}: write section.key=value, such as schedule.visits=400")
        try:
            settings[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = value.strip()
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error


def _merge(values: dict[str, Any], key: str, value: Any) -> None:
    head, _, rest = key.partition(".")
    if rest:
        section = values.setdefault(head, {})
        if isinstance(section, dict):
            _merge(section, rest, value)
        else:
            values[head] = {rest: value}
    elif isinstance(value, Mapping) and isinstance(values.get(head), dict):
        for name, inner in value.items():
            _merge(values[head], name, inner)
    else:
        values[head] = value


def _explain(problem: Any) -> str:
    """Turn one pydantic error into: where, what was given, what is allowed."""
    where = [str(part) for part in problem["loc"]]
    place = ".".join(where)
    if problem["type"] == "extra_forbidden":
        names = _keys_at(where[:-1])
        close = difflib.get_close_matches(where[-1], names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
        return f"{place}: unknown key; {hint}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if problem["type"] == "missing":
        return f"{place}: is missing"
    if problem["type"] == "value_error":
        return f"{place}: {message}"
    return f"{place} = {problem['input']!r}: expected {message}"


def _keys_at(where: list[str]) -> list[str]:
    model: Any = Mission
    for name in where:
        annotation = model.model_fields[name].annotation
        options = [a for a in getattr(annotation, "__args__", (annotation,)) if a is not type(None)]
        model = options[0]
    return list(getattr(model, "model_fields", {}))
