"""The components of the Koshimoto+2021 model, built from their parameter files.

Each is made by a factory that the registry of components names.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.galaxy.bar import Bar, BarKinematics, BarShape, BoxyShape, Shape, XShape
from gcmock.galaxy.component import Component, Recipe
from gcmock.galaxy.disc import Disc, DiscShape
from gcmock.galaxy.moment_sources import stale_moments
from gcmock.galaxy.normalisation import (
    bar_central_scale,
    disc_local_densities,
    disc_mass_in_box,
    gaussian_age_budget,
)
from gcmock.galaxy.nuclear_cluster import NuclearCluster
from gcmock.galaxy.nuclear_disc import NuclearDisc
from gcmock.galaxy.peanut_bar import LongBar, Peanut, PeanutBar
from gcmock.words import components as words

_PROTOCOL: Final = (
    "name",
    "stars_per_mass",
    "max_speed",
    "mass_density",
    "velocity_moments",
    "sample_velocity",
)
"""What a component must have; see `gcmock.galaxy.component.Component`."""


def _boxy(scale_pc: list[float], exponents: list[float]) -> BoxyShape:
    """Shape from the lists of a TOML table."""
    x0, y0, z0 = scale_pc
    c_perp, c_par = exponents
    return BoxyShape((x0, y0, z0), (c_perp, c_par))


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    """Table of ``bar.toml`` with tuples for lists, so that what is made of it cannot change."""
    return {key: tuple(x) if isinstance(x, list) else x for key, x in row.items()}


def _bar_shape(row: Mapping[str, Any], cutoff_width_pc: float) -> Shape:
    """Density of one variant of ``bar.toml``."""
    if row["form"] == "peanut":
        long_bars = tuple(LongBar(**_tuples(part)) for part in row["long_bars"])
        return PeanutBar(Peanut(**_tuples(row["peanut"])), long_bars)
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


def make_disc(recipe: Recipe) -> Disc:
    """Build one of thin1 ... thin7 or the thick disc (``disc.toml``)."""
    table = read_toml("disc.toml")
    structure, kin, row = table["structure"], table["kinematics"], table["components"][recipe.name]
    local = disc_local_densities(recipe.imf, recipe.sun.r0_pc)[recipe.name]
    family = "thick" if recipe.name == "thick" else "thin"
    aging = (row["age_gyr"][2] + 0.01) / 10.01 if family == "thin" else 1.0
    shape = DiscShape(
        scale_length_pc=row["scale_length_pc"],
        scale_height_pc=row["scale_height_pc"],
        inner_scale_height_pc=row["inner_scale_height_pc"],
        vertical="exponential" if family == "thick" else "sech2",
        scale_height_model=recipe.choices.disc,
        inner=recipe.choices.inner_disc,
        r0_pc=recipe.sun.r0_pc,
        break_radius_pc=structure["break_radius_pc"],
        hole_radius_pc=structure["hole_radius_pc"],
        flare_radius_pc=structure["flare_radius_pc"],
    )
    return Disc(
        name=recipe.name,
        shape=shape,
        local_density=local.total,
        stars_per_mass=local.stars_per_mass,
        max_speed=kin["max_speed"],
        sigma_r=kin[f"{family}_sigma_r"] * aging ** kin["thin_sigma_r_slope"],
        sigma_z=kin[f"{family}_sigma_z"] * aging ** kin["thin_sigma_z_slope"],
        sigma_r_scale_pc=kin[f"{family}_sigma_r_scale_pc"],
        sigma_z_scale_pc=kin[f"{family}_sigma_z_scale_pc"],
    )


def make_bar(recipe: Recipe) -> Bar:
    """Build the bar (``bar.toml``).

    What the discs hold in the VVV box is taken off its mass there, unless it has a density of its
    own.
    """
    table = read_toml("bar.toml")
    row = table["variants"][recipe.choices.bar]
    half_size = tuple(table["vvv_box"]["half_size_pc"])
    shape = _bar_shape(row, table["cutoff_width_pc"])
    discs = [component for component in recipe.made.values() if isinstance(component, Disc)]
    disc_mass = sum(disc.local_density * disc_mass_in_box(disc.shape, half_size) for disc in discs)
    age, angle = table["age"], recipe.choices.bar_angle_deg
    central_scale = row.get("central_density")
    if central_scale is None:
        central_scale = bar_central_scale(shape, row["mass_fraction"], disc_mass)
    budget = gaussian_age_budget(recipe.imf, "bar", age["mean_gyr"], age["sigma_gyr"])
    return Bar(
        name=recipe.name,
        shape=shape,
        kinematics=_bar_kinematics(row["kinematics"]),
        angle_deg=row.get("angle_deg", table["angle_deg"]) if angle is None else angle,
        central_scale=central_scale,
        stars_per_mass=budget.stars_per_mass,
        max_speed=table["max_speed"],
        tilted_ellipsoid=recipe.choices.bar_tilted_ellipsoid,
    )


def make_nuclear_disc(recipe: Recipe) -> NuclearDisc:
    """Build the nuclear stellar disc (``nuclear_disc.toml``) with living stars for the IMF."""
    table = read_toml("nuclear_disc.toml")
    age = table["age"]
    budget = gaussian_age_budget(recipe.imf, "nsd", age["mean_gyr"], age["sigma_gyr"])
    return NuclearDisc(
        name=recipe.name,
        stars_per_mass=budget.stars_per_mass,
        max_speed=table["table"]["max_speed"],
        max_radius_pc=table["table"]["max_radius_pc"],
        max_height_pc=table["table"]["max_height_pc"],
        symmetric_tilt=recipe.choices.nsd_symmetric_tilt,
    )


def make_nuclear_cluster(recipe: Recipe) -> NuclearCluster:
    """Build the nuclear star cluster, whose stars are like those of the nuclear disc."""
    disc, kinematics = recipe.made["nsd"], recipe.choices.nsc_kinematics
    remark = stale_moments(recipe.made) if kinematics == "jeans" else ""
    return NuclearCluster(disc.stars_per_mass, kinematics, disc, remark)


def make_component(row: words.Component, recipe: Recipe) -> Component:
    """Build the component of a row of the registry with the factory that the row names.

    Parameters
    ----------
    row : gcmock.words.components.Component
        Row of the registry.
    recipe : Recipe
        What the factory gets.

    Returns
    -------
    Component

    Raises
    ------
    InputError
        If there is no such factory, or it makes something that is no component of this name.
    """
    module, _, function = row.factory.partition(":")
    where = f"component {row.name!r} of gcmock.words.components"
    try:
        factory = getattr(import_module(f"gcmock.galaxy.{module}"), function)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{where}: its factory {row.factory!r} cannot be loaded ({error}); expected "
            "'module:function' with a module of gcmock/galaxy and a function that takes a Recipe"
        ) from error
    made: Component = factory(recipe)
    missing = [name for name in _PROTOCOL if not hasattr(made, name)]
    if missing:
        raise InputError(
            f"{where}: {row.factory} makes a {type(made).__name__} without {', '.join(missing)}; "
            "see gcmock.galaxy.component.Component"
        )
    if made.name != row.name:
        raise InputError(
            f"{where}: {row.factory} makes {made.name!r}; it must take the name of the recipe"
        )
    return made
