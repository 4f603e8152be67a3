"""The Galactic model: its components by name, the Sun, and the IMF.

`load_galactic_model` builds the model of Koshimoto, Baba & Bennett 2021 (ApJ 917, 78) with the
nuclear stellar disc of Sormani et al. 2022 and the nuclear star cluster of Chatzopoulos et al.
2015.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats, Integers
from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.frames import GalacticObservables
from gcmock.galaxy.assemble import make_component
from gcmock.galaxy.component import Choices, Component, Recipe
from gcmock.galaxy.disc import INNER_DISCS, SCALE_HEIGHT_MODELS
from gcmock.galaxy.sun import Sun, load_sun
from gcmock.stars.imf import BrokenPowerLaw, load_imf
from gcmock.units import to_value
from gcmock.words.components import COMPONENT_TABLE, COMPONENTS

PRESETS: Final = ("koshimoto2021",)
NSC_KINEMATICS: Final = ("jeans", "nuclear_disc")
IMFS: Final = ("of_bar", "E", "G", "E+E_X", "G+G_X", "kroupa2001")
MAX_ATTEMPTS: Final = 100
"""Draws of a velocity above the largest speed of its component before it is scaled to it."""


class Observables(NamedTuple):
    """A drawn velocity and what is measured of it.

    Attributes
    ----------
    vx, vy, vz : ndarray, shape (n_star,)
        Galactocentric velocity in the model frame [km/s].
    pm_l_cosb, pm_b : ndarray, shape (n_star,)
        Proper motions along l (times cos b) and b [mas/yr].
    radial_velocity : ndarray, shape (n_star,)
        Heliocentric radial velocity [km/s].
    """

    vx: Floats
    vy: Floats
    vz: Floats
    pm_l_cosb: Floats
    pm_b: Floats
    radial_velocity: Floats


@dataclass(frozen=True)
class GalacticModel:
    """The components as seen by the Sun.

    Attributes
    ----------
    components : mapping of str to Component
        In the order of `gcmock.words.components.COMPONENTS`.
    sun : Sun
    imf : BrokenPowerLaw
        Initial mass function of every component.
    """

    components: Mapping[str, Component]
    sun: Sun
    imf: BrokenPowerLaw

    def __post_init__(self) -> None:
        """Check the names."""
        if tuple(self.components) != COMPONENTS:
            raise InputError(
                f"the components must be {', '.join(COMPONENTS)} in this order, "
                f"got {', '.join(self.components)}"
            )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know about this choice of variants; empty by default."""
        found = (getattr(component, "remark", "") for component in self.components.values())
        return tuple(remark for remark in found if remark)

    def position(
        self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike
    ) -> tuple[Floats, Floats, Floats]:
        """Model position of Galactic positions.

        Parameters
        ----------
        l_deg, b_deg, distance_pc : array_like or Quantity, broadcast to (n,)

        Returns
        -------
        x_pc, y_pc, z_pc : ndarray, shape (n,)
            Origin at Sgr A*, x towards the Sun.
        """
        x, y, z = self.sun.position(
            to_value(l_deg, "deg"), to_value(b_deg, "deg"), to_value(distance_pc, "pc")
        )
        x, y, z = np.broadcast_arrays(x, y, z)
        return x, y, z

    def mass_density(self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike) -> Floats:
        """Stars and remnants at Galactic positions.

        Parameters
        ----------
        l_deg, b_deg, distance_pc : array_like or Quantity, broadcast to (...)

        Returns
        -------
        ndarray, shape (..., n_component)
            Msun/pc3.
        """
        x, y, z = self.position(l_deg, b_deg, distance_pc)
        shape = np.shape(x)
        x, y, z = np.ravel(x), np.ravel(y), np.ravel(z)
        density = [component.mass_density(x, y, z) for component in self.components.values()]
        return np.stack(density, axis=-1).reshape(*shape, len(density))

    def number_density(self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike) -> Floats:
        """Living stars at Galactic positions, brown dwarfs included.

        Parameters
        ----------
        l_deg, b_deg, distance_pc : array_like or Quantity, broadcast to (...)

        Returns
        -------
        ndarray, shape (..., n_component)
            pc-3.
        """
        per_mass = [component.stars_per_mass for component in self.components.values()]
        return self.mass_density(l_deg, b_deg, distance_pc) * np.array(per_mass)

    def observables(
        self,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        distance_pc: ArrayLike,
        velocity: ArrayLike,
    ) -> GalacticObservables:
        """Proper motion and radial velocity of Galactocentric velocities.

        Parameters
        ----------
        l_deg, b_deg, distance_pc : array_like or Quantity (n,)
        velocity : array_like or Quantity (n, 3)
            (vx, vy, vz), km/s.

        Returns
        -------
        GalacticObservables
            pm_l_cosb, pm_b (mas/yr), radial_velocity (km/s), each (n,).
        """
        return self.sun.observables(
            to_value(l_deg, "deg"),
            to_value(b_deg, "deg"),
            to_value(distance_pc, "pc"),
            to_value(velocity, "km/s"),
        )

    def sample_velocity(
        self,
        component_index: Integers,
        x_pc: Floats,
        y_pc: Floats,
        z_pc: Floats,
        uniforms: Callable[[int, Integers], Floats],
    ) -> Floats:
        """Draw a velocity for every star.

        A speed above `max_speed` of the component is drawn again, up to 100 times; then (only
        next to the black hole) the last draw is scaled to `max_speed`.

        Parameters
        ----------
        component_index : ndarray of int, shape (n,)
            Place in `gcmock.words.components.COMPONENTS`.
        x_pc, y_pc, z_pc : ndarray, shape (n,)
            Model positions.
        uniforms : callable
            ``uniforms(attempt, rows)`` returns (m, 3) numbers in (0, 1) for the rows (m,).

        Returns
        -------
        ndarray, shape (n, 3)
            (vx, vy, vz), km/s.
        """
        index = np.asarray(component_index)
        velocity = np.empty((index.size, 3))
        for number, component in enumerate(self.components.values()):
            rows = np.flatnonzero(index == number)
            for attempt in range(MAX_ATTEMPTS):
                if rows.size == 0:
                    break
                drawn = component.sample_velocity(
                    x_pc[rows], y_pc[rows], z_pc[rows], uniforms(attempt, rows)
                )
                velocity[rows] = drawn
                rows = rows[(drawn**2).sum(axis=-1) > component.max_speed**2]
            if rows.size:
                speed = np.sqrt((velocity[rows] ** 2).sum(axis=-1, keepdims=True))
                velocity[rows] *= component.max_speed / speed
        return velocity

    def sample_observables(
        self,
        component: str | int | ArrayLike,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        distance_pc: ArrayLike,
        rng: np.random.Generator,
    ) -> Observables:
        """Draw velocities at Galactic positions and what is measured of them.

        Parameters
        ----------
        component : str, int, or array_like of either (n,)
            Names or places in `gcmock.words.components.COMPONENTS`.
        l_deg, b_deg, distance_pc : array_like or Quantity, broadcast to (n,)
        rng : numpy.random.Generator

        Returns
        -------
        Observables

        Raises
        ------
        InputError
            Unknown component.
        """
        index = component_index(component)
        longitude, latitude, distance, index = (
            np.atleast_1d(a)
            for a in np.broadcast_arrays(
                to_value(l_deg, "deg"), to_value(b_deg, "deg"), to_value(distance_pc, "pc"), index
            )
        )

        def uniforms(attempt: int, rows: Integers) -> Floats:
            # the generator may return exactly 0, whose normal deviate is infinite
            return np.maximum(rng.random((rows.size, 3)), 2.0**-54)

        x, y, z = self.position(longitude, latitude, distance)
        velocity = self.sample_velocity(index, x, y, z, uniforms)
        vx, vy, vz = velocity.T
        return Observables(
            vx, vy, vz, *self.sun.observables(longitude, latitude, distance, velocity)
        )


def component_index(component: str | int | ArrayLike) -> Integers:
    """Places in `gcmock.words.components.COMPONENTS` of names or places, any shape.

    Raises
    ------
    InputError
        Unknown name, or a place that no component has.
    """
    given = np.asarray(component)
    if given.dtype.kind in "iu":
        if given.size and (given.min() < 0 or given.max() >= len(COMPONENTS)):
            raise InputError(f"component index must be 0 ... {len(COMPONENTS) - 1}, got {given}")
        return given.astype(np.int64)
    names = np.asarray(COMPONENTS)
    match = given[..., None] == names
    unknown = given[~match.any(axis=-1)]
    if unknown.size:
        raise InputError(f"unknown component {unknown.flat[0]!s}; valid: {', '.join(COMPONENTS)}")
    return match.argmax(axis=-1).astype(np.int64)


def _check(what: str, value: str, valid: tuple[str, ...]) -> None:
    """Raise an InputError that lists the valid names."""
    if value not in valid:
        raise InputError(f"unknown {what} {value!r}; valid: {', '.join(valid)}")


def _imf_of_bar(bar: str) -> str:
    """Name of the initial mass function that belongs to a form of the bar."""
    return str(read_toml("bar.toml")["variants"][bar].get("imf", bar))


def load_galactic_model(
    preset: str = "koshimoto2021",
    *,
    bar: str = "E+E_X",
    disc: str = "flat",
    inner_disc: str = "break",
    nsc_kinematics: Literal["jeans", "nuclear_disc"] = "jeans",
    sun: Sun | None = None,
    r0_pc: float | None = None,
    bar_angle_deg: float | None = None,
    bar_tilted_ellipsoid: bool = False,
    nsd_symmetric_tilt: bool = False,
    imf: str | BrokenPowerLaw = "of_bar",
) -> GalacticModel:
    """Build a Galactic model.

    Parameters
    ----------
    preset : {"koshimoto2021"}
    bar : {"E", "G", "E+E_X", "G+G_X", "sormani2022", "huston2025"}
        Form of the bar, with its kinematics, angle and initial mass function: four fits of
        Koshimoto et al. 2021, the analytic bar of Sormani et al. 2022, that of SP-H25 (Huston et
        al. 2025).
    disc : {"flat", "linear"}
        Scale heights of the discs: constant, or growing linearly with R.
    inner_disc : {"break", "hole", "exponential"}
        Surface density inside 5.3 kpc.
    nsc_kinematics : {"jeans", "nuclear_disc"}
        Velocities of the nuclear star cluster: Jeans model, or those of the nuclear disc.
    sun : Sun, optional
        Another Sun than that of the preset.
    r0_pc : float, optional
        Another distance of Sgr A*, pc.
    bar_angle_deg : float, optional
        Another angle of the bar, degrees; by default the one that belongs to its form.
    bar_tilted_ellipsoid : bool
        Keep the vertex deviation of the bar, which the published model drops.
    nsd_symmetric_tilt : bool
        Mirror the velocity ellipsoid of the nuclear disc below the plane; the published programs
        do not.
    imf : {"of_bar", "E", "G", "E+E_X", "G+G_X", "kroupa2001"} or BrokenPowerLaw
        Initial mass function: the one that belongs to the form of the bar (E+E_X for that of
        Sormani et al. 2022, Kroupa 2001 for SP-H25), that of another form, that of Kroupa 2001, or
        any other. Densities follow it.

    Returns
    -------
    GalacticModel

    Raises
    ------
    InputError
        Unknown name of a variant.
    """
    _check("preset", preset, PRESETS)
    _check("bar", bar, tuple(read_toml("bar.toml")["variants"]))
    _check("disc", disc, SCALE_HEIGHT_MODELS)
    _check("inner_disc", inner_disc, INNER_DISCS)
    _check("nsc_kinematics", nsc_kinematics, NSC_KINEMATICS)
    sun = load_sun(preset) if sun is None else sun
    if r0_pc is not None:
        sun = dataclasses.replace(sun, r0_pc=float(r0_pc))
    if isinstance(imf, str):
        _check("imf", imf, IMFS)
        found = _imf_of_bar(bar) if imf == "of_bar" else imf
        source, variant = ("kroupa2001", "default") if found == "kroupa2001" else (preset, found)
        imf = load_imf(variant, source=source)
    choices = Choices(
        bar, disc, inner_disc, nsc_kinematics, bar_angle_deg, bar_tilted_ellipsoid,
        nsd_symmetric_tilt,
    )  # fmt: skip
    made: dict[str, Component] = {}
    for row in COMPONENT_TABLE:
        recipe = Recipe(row.name, imf, sun, choices, dict(made))
        made[row.name] = make_component(row, recipe)
    return GalacticModel(made, sun, imf)
