"""What the tabulated velocities of the nuclear star cluster were computed from.

The table holds the parameters of the cluster and the densities of bar and nuclear disc whose
gravity went into it. Other parameters make it wrong, another bar makes it stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from gcmock.arrays import Floats
from gcmock.data import path, read_toml
from gcmock.errors import InputError
from gcmock.galaxy.component import Component

POINTS_PC: Final = np.array([[1.0, 0.0], [50.0, 0.0], [100.0, 0.0], [200.0, 0.0], [0.0, 100.0]])
"""R and z [pc] where the densities of bar and nuclear disc are compared."""

LARGEST_CHANGE: Final = 0.1
"""Relative change of a density above which the table is called stale. The whole bar raises the
dispersion by 7 % at 100 pc and 17 % at 200 pc, so a tenth of it changes it by 2 % at most."""

PULLING: Final = {"bar": "bar", "nsd": "nuclear disc"}
"""Components whose gravity is in the table, and what they are called."""


def azimuthal_mean(component: Component) -> Callable[[Floats, Floats], Floats]:
    """Density of a component averaged over azimuth, as a function of R and z.

    Half a turn suffices: bar and nuclear disc look the same after a rotation by 180 degrees.

    Parameters
    ----------
    component : Component

    Returns
    -------
    callable
        (R, z) [pc], arrays that broadcast, to the density [Msun/pc3].
    """
    angles = np.pi * (np.arange(16) + 0.5) / 16

    def density(radius: Floats, height: Floats) -> Floats:
        r, z = (part.ravel() for part in np.broadcast_arrays(radius, height))
        total = sum(
            component.mass_density(r * np.cos(angle), r * np.sin(angle), z) for angle in angles
        )
        return np.reshape(total / angles.size, np.broadcast(radius, height).shape)

    return density


def cluster_parameters() -> dict[str, float]:
    """Parameters of ``nuclear_cluster.toml`` on which the table depends."""
    table = read_toml("nuclear_cluster.toml")
    density = ("mass_msun", "inner_slope", "scale_radius_pc", "axis_ratio")
    kinematics = ("black_hole_mass_msun", "inner_radius_pc")
    return {name: float(table["density"][name]) for name in density} | {
        name: float(table["kinematics"][name]) for name in kinematics
    }


def moment_sources(components: Mapping[str, Component]) -> dict[str, Any]:
    """Return what ``tools/build_nuclear_cluster_moments.py`` stores beside the moments.

    Parameters
    ----------
    components : mapping of str to Component
        With those of `PULLING`.
    """
    radius, height = POINTS_PC.T
    densities = {
        f"density_{name}": azimuthal_mean(components[name])(radius, height) for name in PULLING
    }
    return {f"parameter_{key}": value for key, value in cluster_parameters().items()} | densities


def check_parameters(stored: Mapping[str, Any], file: str) -> None:
    """Refuse a table that was computed with other parameters of the cluster.

    Parameters
    ----------
    stored : mapping
        The table.
    file : str
        Its name.

    Raises
    ------
    InputError
        If a parameter differs, or is not there.
    """
    for name, value in cluster_parameters().items():
        key = f"parameter_{name}"
        found = float(stored[key]) if key in stored else float("nan")
        if found != value:
            raise InputError(
                f"{file}: computed with {name} = {found:g}, but nuclear_cluster.toml has "
                f"{value:g}: run python tools/build_nuclear_cluster_moments.py, or set [model] "
                'nsc_kinematics = "nuclear_disc"'
            )


def stale_moments(components: Mapping[str, Component]) -> str:
    """Say whether bar or nuclear disc differ from those whose gravity is in the table.

    Parameters
    ----------
    components : mapping of str to Component
        With those of `PULLING`.

    Returns
    -------
    str
        A remark for the user; empty if the table fits.
    """
    found = moment_sources(components)
    changed = []
    with np.load(path(read_toml("nuclear_cluster.toml")["kinematics"]["file"])) as stored:
        for name, words in PULLING.items():
            ratio = found[f"density_{name}"] / stored[f"density_{name}"]
            worst = ratio[np.argmax(np.abs(np.log(ratio)))]
            if abs(worst - 1.0) > LARGEST_CHANGE:
                changed.append(f"the {words} is {worst:.2f} times as dense")
    if not changed:
        return ""
    return (
        "the velocities of the nuclear star cluster were computed with the gravity of the default "
        f"model, but here {' and '.join(changed)} inside 200 pc: beyond 50 pc the dispersion of "
        "the cluster is off by some per cent"
    )
