"""The Sun: where it is, how it moves, and where it sees Sgr A*."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.frames import GalacticObservables, galactic_to_model, velocity_to_observables


@dataclass(frozen=True)
class Sun:
    """Position and velocity of the observer.

    Attributes
    ----------
    r0_pc : float
        Distance of Sgr A*, pc.
    z_sun_pc : float
        Height above the Galactic plane, pc.
    velocity : tuple of float (3,)
        (vx, vy, vz) in the model frame, km/s; vx < 0 is towards the Galactic centre.
    sgr_a_l_deg, sgr_a_b_deg : float
        Galactic position of Sgr A*, the origin of the model frame, degrees.

    Raises
    ------
    InputError
        The distance of Sgr A* is not positive, or the velocity has not three numbers.
    """

    r0_pc: float
    z_sun_pc: float
    velocity: tuple[float, float, float]
    sgr_a_l_deg: float
    sgr_a_b_deg: float

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.r0_pc > 0.0:
            raise InputError(f"r0_pc must be positive, got {self.r0_pc}")
        if len(self.velocity) != 3:
            raise InputError(f"the velocity of the Sun is (vx, vy, vz), got {self.velocity}")

    def position(
        self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike
    ) -> tuple[Floats, Floats, Floats]:
        """Model position (x, y, z) in pc of Galactic positions, each (n,)."""
        return galactic_to_model(
            l_deg,
            b_deg,
            distance_pc,
            r0_pc=self.r0_pc,
            z_sun_pc=self.z_sun_pc,
            center_l_deg=self.sgr_a_l_deg,
            center_b_deg=self.sgr_a_b_deg,
        )

    def observables(
        self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike, velocity: ArrayLike
    ) -> GalacticObservables:
        """Proper motion (mas/yr) and radial velocity (km/s) of velocities (n, 3), each (n,)."""
        return velocity_to_observables(l_deg, b_deg, distance_pc, velocity, self.velocity)


def load_sun(preset: str = "koshimoto2021") -> Sun:
    """Return a Sun of the package data (``sun.toml``, with a source for every value).

    Parameters
    ----------
    preset : str
        Name of the Galactic model.

    Returns
    -------
    Sun

    Raises
    ------
    InputError
        If there is no such model.
    """
    table = read_toml("sun.toml")
    if preset not in table:
        raise InputError(f"unknown Sun {preset!r}; valid: {', '.join(table)}")
    row = table[preset]
    vx, vy, vz = row["velocity"]["value"]
    return Sun(
        r0_pc=row["r0_pc"]["value"],
        z_sun_pc=row["z_sun_pc"]["value"],
        velocity=(vx, vy, vz),
        sgr_a_l_deg=row["sgr_a_l_deg"]["value"],
        sgr_a_b_deg=row["sgr_a_b_deg"]["value"],
    )
