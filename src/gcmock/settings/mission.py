"""The sections of a mission: window, instrument, schedule, error models."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from gcmock.settings.base import (
    ApparentMagnitude,
    JulianYear,
    Latitude,
    Longitude,
    Section,
)
from gcmock.words.bands import BANDS, PREDICTED_BANDS

# An error beyond ten arcsec is none of astrometry: directions are linearised about their start.
Mas = Annotated[float, Field(ge=0.0, le=1e4)]
Correlation = Annotated[float, Field(gt=-1.0, lt=1.0)]
FieldSide = Annotated[float, Field(ge=0.0, le=90.0)]
SunAngle = Annotated[float, Field(ge=0.0, le=180.0)]
Side = Annotated[int, Field(ge=1, le=100)]

_SUN_SYNCHRONOUS_KM: Final = 5900.0
"""Above this no orbit turns with the Sun: the flattening of the Earth turns it too slowly."""

_WIDEST: Final = 0.18
"""Tangent of half of the widest field of view."""


class MissionWindow(Section):
    """The part of the sky that a mission sees: a rectangle in Galactic coordinates, or fields."""

    l_deg: tuple[Longitude, Longitude] | None = Field(
        default=None, description="Range of Galactic longitude, borders included [deg]"
    )
    b_deg: tuple[Latitude, Latitude] | None = Field(
        default=None, description="Range of Galactic latitude, borders included [deg]"
    )
    fields: tuple[tuple[Longitude, Latitude], ...] = Field(
        default=(), max_length=10_000, description="Field centres l, b [deg]"
    )
    field_size_deg: tuple[FieldSide, FieldSide] = Field(
        default=(0.0, 0.0), description="Full width and height of a field [deg]"
    )
    field_angle_deg: float = Field(
        default=0.0,
        ge=-360.0,
        le=360.0,
        description="Angle of the fields' width from the direction of l towards b [deg]",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> MissionWindow:
        if (self.l_deg is None) != (self.b_deg is None):
            raise ValueError("l_deg and b_deg go together")
        if self.fields and (min(self.field_size_deg) <= 0.0 or self.l_deg is not None):
            raise ValueError("fields need field_size_deg, and exclude l_deg and b_deg")
        for values in (self.l_deg, self.b_deg):
            if values is not None and values[0] >= values[1]:
                raise ValueError("a range needs the smaller value first")
        if len(set(self.fields)) < len(self.fields):
            raise ValueError("fields: a centre is given more than once")
        return self


class MissionMagnitudes(Section):
    """Which stars are observed."""

    band: str = Field(description="Band of the limits")
    bright: ApparentMagnitude = Field(description="Brightest star that is not saturated [mag]")
    faint: ApparentMagnitude = Field(description="Faintest star [mag]")
    primaries: ApparentMagnitude = Field(
        description="Faintest primary source of the solution [mag]"
    )

    @field_validator("band")
    @classmethod
    def _known_band(cls, value: str) -> str:
        known = tuple(dict.fromkeys((*BANDS, *PREDICTED_BANDS)))
        if value not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> MissionMagnitudes:
        if self.bright >= self.faint:
            raise ValueError("bright must be smaller than faint")
        return self


class FocalPlane(Section):
    """Square detectors on a grid."""

    focal_length_m: float = Field(gt=0, le=1000, description="Effective focal length [m]")
    pixel_um: float = Field(gt=0, le=1000, description="Width of a pixel [um]")
    pixels: int = Field(ge=1, le=100_000, description="Active pixels along a side of a detector")
    separation_mm: float = Field(
        gt=0, le=10_000, description="Distance between detector centres [mm]"
    )
    detectors: tuple[Side, Side] = Field(description="Detectors along x and along y")
    readout_window_pixels: int = Field(
        ge=1,
        le=10_000,
        description="Side of the window read out around a star, which must lie on the detector",
    )

    @model_validator(mode="after")
    def _a_field(self) -> FocalPlane:
        if self.readout_window_pixels > self.pixels:
            raise ValueError("readout_window_pixels: expected at most pixels")
        # Field coordinates are those of the tangent plane.
        half = 0.5e-3 * (
            max(self.detectors) * self.separation_mm + 1e-3 * self.pixels * self.pixel_um
        )
        if half / self.focal_length_m > _WIDEST:
            raise ValueError("the field of view would be wider than 20 deg")
        return self


class Exposures(Section):
    """One visit of a field."""

    exposure_s: float = Field(gt=0, le=100_000, description="Exposure time [s]")
    per_visit: int = Field(gt=0, le=32767, description="Exposures of a field in one visit")
    fields_per_orbit: int = Field(
        ge=1, le=1000, description="Visits in the observing half of an orbit"
    )


class Schedule(Section):
    """When and where the telescope points."""

    start: JulianYear = Field(description="Start of the mission (Julian year, TCB)")
    years: float = Field(gt=0, le=100, description="Length of the mission [yr]")
    sun_angle_deg: tuple[SunAngle, SunAngle] = Field(
        description="Smallest and largest angle between the Sun and the target in a season [deg]"
    )
    target_l_b_deg: tuple[Longitude, Latitude] = Field(
        description="Where the Sun angle is taken, l, b [deg]"
    )
    altitude_km: float = Field(
        ge=100, le=_SUN_SYNCHRONOUS_KM, description="Height of the circular orbit [km]"
    )
    local_time_h: float = Field(
        ge=0, lt=24, description="Local time of the ascending node of the Sun-synchronous orbit [h]"
    )
    roll_range_rad: float = Field(
        ge=0, le=3.15, description="Roll is uniform in plus or minus this [rad]"
    )
    cell_deg: float = Field(
        default=0.1, gt=0.005, le=10, description="Cells in which coverage is counted [deg]"
    )
    margin_deg: float = Field(
        default=0.0, ge=0, le=10, description="Field centres stay so far inside the window [deg]"
    )
    visits: int = Field(
        default=0,
        ge=0,
        le=100_000_000,
        description="Visits, evenly drawn from all of the mission; 0: all of them",
    )
    seasons: int = Field(
        default=0, ge=0, le=1000, description="Only the first seasons; 0: all of them"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Schedule:
        if self.sun_angle_deg[0] >= self.sun_angle_deg[1]:
            raise ValueError("sun_angle_deg needs the smaller value first")
        return self


class Centroid(Section):
    """Error of a star's centroid in one exposure, per axis.

    sigma^2 = flat + photon / n + background / n^2 with n = 10^(-0.4 (mag - mag_zero)), see
    `gcmock.astrometry.centroid`.
    """

    mag_zero: ApparentMagnitude = Field(description="Magnitude at which n = 1")
    psf_mas: float = Field(gt=0, le=1e4, description="Standard deviation of the image [mas]")
    jitter_mas: Mas = Field(description="Attitude jitter in an exposure [mas]")
    read_noise_e: float = Field(ge=0, le=1e4, description="Read noise [electrons]")
    background_e_per_s: float = Field(
        ge=0, le=1e6, description="Dark, stray and diffuse light [e/s/pixel]"
    )
    flat_error: float = Field(ge=0, le=1, description="Relative error of the flat field")
    flat_mas2: float = Field(ge=0, le=1e8, description="Coefficient of flat_error^2 [mas2]")
    photon: float = Field(ge=0, le=1, description="Coefficient of s^2 / n")
    background: float = Field(ge=0, le=1, description="Coefficient of the background term [mas-2]")
    flat_floor: Literal["per_visit", "per_exposure"] = Field(
        default="per_visit",
        description="per_visit: the images of a visit fall on the same pixels, so that the error "
        "of the flat field does not average down within it; per_exposure: it does",
    )
    floor_mas: Mas = Field(
        default=0.0, description="Further error per visit, added in quadrature [mas]"
    )


class Attitude(Section):
    """Difference between true and nominal attitude."""

    pointing_error_mas: Mas = Field(description="Standard deviation per axis [mas]")
    roll_error_arcsec: float = Field(
        ge=0, le=3600, description="Standard deviation of the roll [arcsec]"
    )


class MissionCalibration(Section):
    """Distortion: Legendre polynomials over the field, constant within a block of time."""

    degree: int = Field(ge=0, le=10, description="Total degree that the solution assumes")
    true_degree: int = Field(
        ge=0, le=10, description="Total degree of the true distortion; above degree: mis-modelled"
    )
    min_degree: int = Field(
        default=1, ge=1, le=10, description="Smallest total degree of the terms"
    )
    # An orbit takes an hour and a half: nothing is calibrated in a hundredth of it.
    block_days: float = Field(ge=0.001, le=36525, description="Length of a calibration block [d]")
    common_mas: Mas = Field(
        description="Standard deviation of the coefficients, the same in all blocks [mas]"
    )
    block_mas: Mas = Field(description="Standard deviation of what each block adds to them [mas]")
    mismodelled_mas: Mas = Field(
        default=1.0, description="The same for terms above degree, drawn for each block [mas]"
    )


class Outliers(Section):
    """Disturbed observations."""

    fraction: float = Field(
        default=0.0, ge=0, lt=1, description="Fraction of disturbed observations"
    )
    sigma_mas: float = Field(
        default=100.0,
        ge=0,
        le=1e6,
        description="Standard deviation of the disturbance per axis [mas]",
    )


Shift = Annotated[float, Field(ge=-1e4, le=1e4)]


class InstrumentEffects(Section):
    """What the true instrument does to positions, and a solution may not know.

    A detector has a shift, a rotation and a scale of its own, drawn once for the whole mission; the
    last two are given by what they shift at the edge of the detector.
    """

    colour_mas_per_mag: tuple[Shift, Shift] = Field(
        default=(0.0, 0.0), description="Shift along x and y per magnitude of J - Ks [mas/mag]"
    )
    magnitude_mas_per_mag: tuple[Shift, Shift] = Field(
        default=(0.0, 0.0), description="Shift along x and y per magnitude of Hw [mas/mag]"
    )
    colour_zero: float = Field(
        default=3.0, ge=-10, le=30, description="J - Ks at which nothing is shifted [mag]"
    )
    magnitude_zero: ApparentMagnitude = Field(
        default=12.5, description="Hw at which nothing is shifted"
    )
    detector_offset_mas: Mas = Field(
        default=0.0, description="Standard deviation of the shift of a detector per axis [mas]"
    )
    detector_rotation_mas: Mas = Field(
        default=0.0, description="Standard deviation of its rotation, at its edge [mas]"
    )
    detector_scale_mas: Mas = Field(
        default=0.0, description="Standard deviation of its scale, at its edge [mas]"
    )
    reference_parallax_mas: Shift = Field(
        default=0.0, description="Added to the parallaxes of the reference catalogue [mas]"
    )


class SolvedTerms(Section):
    """Which of `InstrumentEffects` the solution solves for: standard deviations of their priors.

    Zero: the term is tested, and not solved for.
    """

    colour_mas_per_mag: Mas = Field(
        default=0.0, description="Shift along x and y per magnitude of J - Ks [mas/mag]"
    )
    magnitude_mas_per_mag: Mas = Field(
        default=0.0, description="Shift along x and y per magnitude of Hw [mas/mag]"
    )
    detector_offset_mas: Mas = Field(default=0.0, description="Shift of a detector [mas]")
    detector_rotation_mas: Mas = Field(
        default=0.0, description="Rotation of a detector, at its edge [mas]"
    )
    detector_scale_mas: Mas = Field(
        default=0.0, description="Scale of a detector, at its edge [mas]"
    )
    reference_parallax_mas: Mas = Field(
        default=0.0, description="Zero point of the parallaxes of the references [mas]"
    )


class Reference(Section):
    """Stars of a reference catalogue, as Gaia would have them."""

    epoch: JulianYear = Field(description="Reference epoch (Julian year, TCB)")
    g_max: ApparentMagnitude = Field(description="Faintest star [mag]")
    release: Literal["dr3", "dr4", "dr5"] = Field(description="Gaia release of the errors")
    correlations: tuple[Correlation, ...] = Field(
        min_length=10,
        max_length=10,
        description="ra_dec, ra_parallax, ra_pmra, ra_pmdec, dec_parallax, dec_pmra, dec_pmdec, "
        "parallax_pmra, parallax_pmdec, pmra_pmdec",
    )


class InputCatalogue(Section):
    """Approximate positions from which an iteration starts."""

    position_error_mas: Mas = Field(description="Standard deviation per axis [mas]")


class MissionDirections(Section):
    """What enters the directions."""

    aberration: bool = Field(default=False, description="Aberration by the observer's velocity")
    deflection: bool = Field(default=False, description="Deflection of light by the Sun")


class EpochError(Section):
    """Error of one epoch as a function of magnitude, for predicted catalogues, per axis.

    sigma^2 = floor^2 + (scale 10^(0.2 (mag - mag_ref)))^2 (1 + 10^(0.4 (mag - mag_background)))
    """

    floor_mas: Mas = Field(description="Error of bright stars [mas]")
    scale_mas: Mas = Field(description="Photon error at mag_ref [mas]")
    mag_ref: ApparentMagnitude = Field(description="Magnitude of scale_mas")
    mag_background: ApparentMagnitude = Field(
        description="Magnitude at which background doubles the variance"
    )
