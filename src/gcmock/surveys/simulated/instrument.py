"""What a survey does to true stars, in numbers, and what its simulated table looks like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gcmock.settings.base import ApparentMagnitude, JulianYear, Latitude, Longitude, Section
from gcmock.words.bands import GAIA_BANDS, SURVEY_BANDS

_N_BAND = len(SURVEY_BANDS)
_EACH = Field(min_length=_N_BAND, max_length=_N_BAND)
PerBand = Annotated[tuple[float, ...], _EACH]
MagPerBand = Annotated[tuple[ApparentMagnitude, ...], _EACH]
# Errors and scatters of magnitudes: none of a survey that is worth simulating is larger.
MagError = Annotated[float, Field(ge=0.0, le=5.0)]
ErrorPerBand = Annotated[tuple[MagError, ...], _EACH]
Beams = Annotated[float, Field(gt=0.0, le=1e6)]
Epochs = Annotated[float, Field(gt=0.0, le=1e5)]
Pitch = Annotated[float, Field(ge=0.001, le=360.0)]
Box = tuple[Longitude, Longitude, Latitude, Latitude]


class Instrument(Section):
    """Depth, resolution, errors and faults of a survey: ``[instrument]`` of its definition.

    Arrays of magnitudes have the bands of the survey along their last axis.
    """

    bands: tuple[str, ...] = Field(default=SURVEY_BANDS, description="Bands of the survey")
    detection_band: int = Field(
        default=2,
        ge=0,
        lt=_N_BAND,
        description="The band whose order of brightness decides which star of a blend is the "
        "source",
    )
    epoch: tuple[JulianYear, JulianYear] = Field(
        description="First and last epoch; a field has one of them [Julian year]"
    )
    limit_mag: MagPerBand = Field(
        description="Magnitude of a lonely star at 5 sigma; half of such stars are seen [mag]"
    )
    width_mag: float = Field(
        default=0.3, gt=0, le=5, description="Width of the fall of the detection probability [mag]"
    )
    saturation_mag: MagPerBand = Field(
        description="Brighter stars are measured too faint, and lost `lost_mag` above it [mag]"
    )
    lost_mag: float = Field(default=2.0, ge=0, le=20, description="See saturation_mag [mag]")
    floor_mag: ErrorPerBand = Field(
        default=(0.02,) * _N_BAND, description="Error of a bright star [mag]"
    )
    zero_point_mag: ErrorPerBand = Field(
        default=(0.0,) * _N_BAND, description="Scatter of the zero points of fields [mag]"
    )
    fwhm_arcsec: float = Field(
        gt=0, le=30, description="Width of a star on the final image [arcsec]"
    )
    blend_fwhm: float = Field(
        default=0.6,
        ge=0,
        le=10,
        description="Stars of equal brightness closer than this are one source [FWHM]",
    )
    blend_slope: float = Field(
        default=0.1, ge=0, le=10, description="More widths per magnitude of difference [FWHM/mag]"
    )
    beams_per_source: Annotated[tuple[Beams, ...], _EACH] = Field(
        description="By band: a star is as likely lost as seen when there is a brighter or equal "
        "one in this many beams of pi/4 FWHM^2, the confusion limit"
    )
    field_deg: tuple[Pitch, Pitch] = Field(description="Pitch of the fields in l and b [deg]")
    overlap_arcsec: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="Strip that is common to neighbouring fields [arcsec]",
    )
    position_mas: float = Field(
        ge=0,
        le=1e4,
        description="Error of the position of a bright star; 0 for a form of table that has "
        "astrometry of its own [mas]",
    )
    field_offset_mas: float = Field(
        default=0.0,
        ge=0,
        le=1e4,
        description="Scatter of the offsets that are common to a field [mas]",
    )
    ghost_mag: ApparentMagnitude = Field(
        default=0.0, description="Stars as bright as this have `ghosts` ghosts and spikes [mag]"
    )
    ghosts: float = Field(
        default=0.0, ge=0, le=1000, description="See ghost_mag; more of brighter stars"
    )
    noise_per_deg2: float = Field(
        default=0.0, ge=0, le=1e8, description="Peaks of noise in one band and one epoch [deg^-2]"
    )
    marked: float = Field(
        default=0.0, ge=0, le=1, description="Fraction of artefacts that the survey marks as such"
    )
    marked_stars: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Fraction of stars that bear the same mark, each in one band",
    )
    known_mag: float = Field(
        default=0.0,
        ge=0,
        le=20,
        description="A source that one band has found is measured in the others so much beyond "
        "the confusion limit [mag]",
    )
    depth_scatter_mag: float = Field(
        default=0.0, ge=0, le=5, description="Scatter of the limits of fields: seeing and sky [mag]"
    )
    n_epochs: Annotated[tuple[Epochs, ...], _EACH] = Field(
        default=(1.0,) * _N_BAND, description="Mean number of epochs of a bright star by band"
    )
    boxes_deg: tuple[Box, ...] = Field(
        default=(),
        description="Footprint: l_min, l_max, b_min, b_max of each box; the whole sky if empty "
        "[deg]",
    )
    stream: int = Field(
        default=-1,
        ge=-1,
        description="Number that tells the random numbers of the survey from those of others; "
        "-1: made from its name",
    )

    @property
    def is_infrared(self) -> bool:
        """Whether its bands are J, H, Ks, not those of Gaia."""
        return self.bands != GAIA_BANDS

    def record(self) -> dict[str, Any]:
        """Return the numbers, for the account of a simulated sky."""
        return self.model_dump(exclude={"stream"})


class SimulatedTable(Section):
    """Native table of a simulated survey: ``[simulated_table]`` of its definition."""

    form: Literal["plain", "letters", "epochs", "error_bits", "plates", "images", "gaia"] = Field(
        default="plain",
        description="How the survey publishes its sources, see gcmock.surveys.simulated.native",
    )
    spelling: str = Field(default="", description="Spelling of the table; the first if empty")
    suffix: Literal[".csv", ".fits", ".dat", ".parquet"] = Field(
        default=".fits",
        description="Format: .dat has blanks between fields and no header",
    )
    decimals: dict[str, int] = Field(
        default_factory=dict,
        description="Decimals of numbers by unit or native name; all digits otherwise",
    )
    needs_detection_band: bool = Field(
        default=False, description="Whether it has only what was seen in the band of detection"
    )
