"""The sections of the Galaxy: its model, and the populations of its components."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gcmock.settings.base import Degree, KmPerSecond, Parsec, Section

# The Sun moves round the Galaxy at 240 km/s: twice that is no measurement.
SolarVelocity = Annotated[KmPerSecond, Field(ge=-500.0, le=500.0)]


class ModelConfig(Section):
    """The Galactic model."""

    preset: Literal["koshimoto2021"] = Field(default="koshimoto2021", description="Galactic model")
    bar: Literal["E", "G", "E+E_X", "G+G_X", "sormani2022", "huston2025"] = Field(
        default="E+E_X",
        description="Shape of the bar: four of Koshimoto et al. 2021, or that of another model",
    )
    imf: Literal["of_bar", "E", "G", "E+E_X", "G+G_X", "kroupa2001"] = Field(
        default="of_bar",
        description="Initial mass function: of_bar is the one that belongs to the shape of the bar "
        "(E+E_X for sormani2022, kroupa2001 for huston2025)",
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
    # Measurements of fifty years lie between 6.5 and 10 kpc; the model was fitted at 8.16.
    r0_pc: Parsec = Field(
        default=8160.0, ge=6000.0, le=11000.0, description="Distance of the Sun from Sgr A* [pc]"
    )
    # Measurements lie between 0 and 40 pc; the thin discs have scale heights from 61 pc on.
    z_sun_pc: Parsec = Field(
        default=25.0, ge=-200.0, le=200.0, description="Height of the Sun above the plane [pc]"
    )
    sun_velocity_kms: tuple[SolarVelocity, SolarVelocity, SolarVelocity] = Field(
        default=(-10.0, 243.0, 7.0),
        description="Velocity of the Sun along x (from the centre to the Sun), y (to l = +90 deg), "
        "z [km/s]",
    )
    bar_angle_deg: Degree | None = Field(
        default=None,
        ge=-90,
        le=90,
        description="Angle of the bar from the line of sight [deg]; by default that of its shape, "
        "27, or 25.2 for sormani2022, or 29.4 for huston2025",
        examples=[27.0],
    )
    bar_tilted_ellipsoid: bool = Field(
        default=False,
        description="Keep the vertex deviation of the bar's velocities, which the published model "
        "drops",
    )


class PopulationsConfig(Section):
    """Ages, metallicities and isochrones."""

    name: Literal["parsec", "koshimoto2021"] = Field(
        default="parsec",
        description="Distributions of age and [M/H], or one age and one [M/H] per component",
    )
