"""The components of the Koshimoto+2021 model, built from their parameter files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcmock.data import read_toml
from gcmock.galaxy.bar import Bar, BarKinematics, BarShape, BoxyShape, XShape
from gcmock.galaxy.disc import Disc, DiscShape
from gcmock.galaxy.normalisation import (
    bar_central_scale,
    disc_local_densities,
    disc_mass_in_box,
    gaussian_age_budget,
)
from gcmock.galaxy.nuclear_disc import NuclearDisc
from gcmock.stars.imf import BrokenPowerLaw


def _boxy(scale_pc: list[float], exponents: list[float]) -> BoxyShape:
    """Shape from the lists of a TOML table."""
    x0, y0, z0 = scale_pc
    c_perp, c_par = exponents
    return BoxyShape((x0, y0, z0), (c_perp, c_par))


def _bar_shape(row: Mapping[str, Any], cutoff_width_pc: float) -> BarShape:
    """Density of one variant of ``bar.toml``."""
    x_shape = None
    if "x_shape" in row:
        x = row["x_shape"]
        x_shape = XShape(
            _boxy(x["scale_pc"], x["exponents"]), x["slope"], x["weight"], x["cutoff_radius_pc"]
        )
    return BarShape(
        row["form"],
        _boxy(row["scale_pc"], row["exponents"]),
        row["cutoff_radius_pc"],
        cutoff_width_pc,
        x_shape,
    )


def _bar_kinematics(row: Mapping[str, Any]) -> BarKinematics:
    """Velocities of one variant of ``bar.toml``."""
    return BarKinematics(
        row["pattern_speed"],
        row["streaming_speed"],
        row["streaming_scale_pc"],
        tuple(row["sigma_peak"]),
        tuple(row["sigma_floor"]),
        _boxy(row["plane_scale_pc"], row["plane_exponents"]),
        _boxy(row["vertical_scale_pc"], row["vertical_exponents"]),
    )


def make_discs(
    imf: BrokenPowerLaw, r0_pc: float, scale_height_model: str, inner: str
) -> list[Disc]:
    """Build thin1 ... thin7 and the thick disc (``disc.toml``).

    Parameters
    ----------
    imf : BrokenPowerLaw
    r0_pc : float
    scale_height_model, inner : str
        See `gcmock.galaxy.disc.DiscShape`.
    """
    table = read_toml("disc.toml")
    structure, kin = table["structure"], table["kinematics"]
    discs = []
    for name, local in disc_local_densities(imf, r0_pc).items():
        row = table["components"][name]
        family = "thick" if name == "thick" else "thin"
        aging = (row["age_gyr"][2] + 0.01) / 10.01 if family == "thin" else 1.0
        shape = DiscShape(
            scale_length_pc=row["scale_length_pc"],
            scale_height_pc=row["scale_height_pc"],
            inner_scale_height_pc=row["inner_scale_height_pc"],
            vertical="exponential" if family == "thick" else "sech2",
            scale_height_model=scale_height_model,
            inner=inner,
            r0_pc=r0_pc,
            break_radius_pc=structure["break_radius_pc"],
            hole_radius_pc=structure["hole_radius_pc"],
            flare_radius_pc=structure["flare_radius_pc"],
        )
        discs.append(
            Disc(
                name=name,
                shape=shape,
                local_density=local.total,
                stars_per_mass=local.stars_per_mass,
                max_speed=kin["max_speed"],
                sigma_r=kin[f"{family}_sigma_r"] * aging ** kin["thin_sigma_r_slope"],
                sigma_z=kin[f"{family}_sigma_z"] * aging ** kin["thin_sigma_z_slope"],
                sigma_r_scale_pc=kin[f"{family}_sigma_r_scale_pc"],
                sigma_z_scale_pc=kin[f"{family}_sigma_z_scale_pc"],
            )
        )
    return discs


def make_bar(
    imf: BrokenPowerLaw, discs: list[Disc], variant: str, angle_deg: float | None, tilted: bool
) -> Bar:
    """Build the bar (``bar.toml``); what the discs hold in the VVV box is taken off its mass.

    Parameters
    ----------
    imf : BrokenPowerLaw
    discs : list of Disc
    variant : {"E", "G", "E+E_X", "G+G_X"}
    angle_deg : float or None
        None: the published angle.
    tilted : bool
        See `Bar.tilted_ellipsoid`.
    """
    table = read_toml("bar.toml")
    row = table["variants"][variant]
    half_size = tuple(table["vvv_box"]["half_size_pc"])
    shape = _bar_shape(row, table["cutoff_width_pc"])
    disc_mass = sum(disc.local_density * disc_mass_in_box(disc.shape, half_size) for disc in discs)
    budget = gaussian_age_budget(imf, "bar", table["age"]["mean_gyr"], table["age"]["sigma_gyr"])
    return Bar(
        name="bar",
        shape=shape,
        kinematics=_bar_kinematics(row["kinematics"]),
        angle_deg=table["angle_deg"] if angle_deg is None else angle_deg,
        central_scale=bar_central_scale(shape, row["mass_fraction"], disc_mass),
        stars_per_mass=budget.stars_per_mass,
        max_speed=table["max_speed"],
        tilted_ellipsoid=tilted,
    )


def make_nuclear_disc(imf: BrokenPowerLaw, symmetric_tilt: bool) -> NuclearDisc:
    """Build the nuclear stellar disc (``nuclear_disc.toml``) with living stars for this IMF."""
    table = read_toml("nuclear_disc.toml")
    age = table["age"]
    budget = gaussian_age_budget(imf, "nsd", age["mean_gyr"], age["sigma_gyr"])
    return NuclearDisc(
        name="nsd",
        stars_per_mass=budget.stars_per_mass,
        max_speed=table["table"]["max_speed"],
        max_radius_pc=table["table"]["max_radius_pc"],
        max_height_pc=table["table"]["max_height_pc"],
        symmetric_tilt=symmetric_tilt,
    )
