"""Stellar populations: weighted nodes in absolute magnitude for every component."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from gcmock.arrays import Floats
from gcmock.data import read_toml
from gcmock.errors import InputError
from gcmock.stars.imf import BrokenPowerLaw
from gcmock.stars.isochrones import IsochroneTable, load_isochrones
from gcmock.words.components import COMPONENTS, PARTS, POPULATIONS

PIECE_MAG = 0.03
"""Longest piece of an isochrone that one node stands for [mag in any band]."""


class PopulationNodes(NamedTuple):
    """The stars of a population as points with weights.

    Attributes
    ----------
    weight : ndarray, shape (n_node,)
        Number of stars at the node per living star of the component. The sum is below 1: stars
        below the isochrones' least mass (0.09 Msun) are counted among the living, but have no
        magnitudes.
    absolute_mag : ndarray, shape (n_node, 3)
        M_J, M_H, M_Ks [mag], Vega, 2MASS system.
    mass_init : ndarray, shape (n_node,)
        Initial mass [Msun].
    age_gyr, metallicity : ndarray, shape (n_node,)
        Age [Gyr] and [M/H] [dex].
    """

    weight: Floats
    absolute_mag: Floats
    mass_init: Floats
    age_gyr: Floats
    metallicity: Floats


class PopulationSet(NamedTuple):
    """Populations of all components, each distinct one stored once.

    Attributes
    ----------
    name : str
        Name of the set.
    populations : tuple of PopulationNodes
        Distinct populations, in the order of `gcmock.words.components.POPULATIONS`.
    of_part : tuple of int, length n_part
        Index of the population of every part of `gcmock.words.components.PARTS`: of the components
        first.
    """

    name: str
    populations: tuple[PopulationNodes, ...]
    of_part: tuple[int, ...]

    @property
    def of_component(self) -> tuple[int, ...]:
        """Index of each component's population, its younger stars apart, length n_component."""
        return self.of_part[: len(COMPONENTS)]

    def nodes(self, component: str) -> PopulationNodes:
        """Return the population of a component by name."""
        return self.populations[self.of_component[COMPONENTS.index(component)]]


@cache
def load_populations(name: str, imf: BrokenPowerLaw) -> PopulationSet:
    """Load a named set of populations.

    Parameters
    ----------
    name : {"parsec", "koshimoto2021"}
        ``parsec``: PARSEC isochrones with a mix of ages and metallicities per component.
        ``koshimoto2021``: one age and one metallicity per component, as in genstars (Koshimoto et
        al. 2021).
    imf : BrokenPowerLaw
        Initial mass function.

    Returns
    -------
    PopulationSet

    Raises
    ------
    InputError
        If the name is unknown, or the populations are not those that the components name.
    """
    sets = read_toml("populations.toml")["sets"]
    if name not in sets:
        raise InputError(f"unknown population set {name!r}: expected one of {sorted(sets)}")
    table = load_isochrones(sets[name]["isochrones"])
    mixes = sets[name]["populations"]
    check_populations(name, mixes)
    populations = tuple(mix_nodes(table, mixes[population], imf) for population in POPULATIONS)
    of_part = tuple(POPULATIONS.index(part.population) for part in PARTS)
    return PopulationSet(name, populations, of_part)


def check_populations(name: str, given: Iterable[str]) -> None:
    """Check that a set has the populations that the components name, no fewer and no more.

    Parameters
    ----------
    name : str
        Of the set.
    given : iterable of str
        Names of its populations.

    Raises
    ------
    InputError
        If it has others.
    """
    has = tuple(given)
    missing = [population for population in POPULATIONS if population not in has]
    unused = [population for population in has if population not in POPULATIONS]
    if not missing and not unused:
        return
    problems = ([f"lacks {', '.join(missing)}"] if missing else []) + (
        [f"has {', '.join(unused)}, which no component names"] if unused else []
    )
    raise InputError(
        f"population set {name!r}: {' and '.join(problems)}; expected the {len(POPULATIONS)} "
        f"populations {', '.join(POPULATIONS)}, which the components of gcmock.words.components "
        f"name, got {len(has)}: {', '.join(has)}. Add to populations.toml what is missing, or name "
        "what is unused in the row of its component"
    )


def mix_nodes(table: IsochroneTable, mix: dict, imf: BrokenPowerLaw) -> PopulationNodes:
    """Nodes of a weighted mix of isochrones.

    Parameters
    ----------
    table : IsochroneTable
        Isochrones.
    mix : dict
        Arrays ``isochrone`` (id in the table) and ``weight`` (fraction of the component's living
        stars); the weights are normalised here.
    imf : BrokenPowerLaw
        Initial mass function.

    Returns
    -------
    PopulationNodes
    """
    weights = np.asarray(mix["weight"], dtype=np.float64)
    parts = []
    for isochrone, fraction in zip(mix["isochrone"], weights / weights.sum(), strict=True):
        row = table.isochrone == isochrone
        nodes = isochrone_nodes(
            table.mass_init[row], table.absolute_mag[row], imf, table.age_gyr[row][0],
            table.metallicity[row][0],
        )  # fmt: skip
        parts.append(nodes._replace(weight=nodes.weight * fraction))
    return PopulationNodes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def isochrone_nodes(
    mass_init: Floats, absolute_mag: Floats, imf: BrokenPowerLaw, age_gyr: float, metallicity: float
) -> PopulationNodes:
    """Cut an isochrone into short pieces and integrate the IMF over each.

    A sum over the table's own points undersamples the fast phases, where a change of 1e-4 Msun
    moves a star by a magnitude. Magnitudes are linear in mass between the points.

    Parameters
    ----------
    mass_init : ndarray, shape (n_point,)
        Initial masses along the isochrone [Msun], not decreasing.
    absolute_mag : ndarray, shape (n_point, 3)
        M_J, M_H, M_Ks [mag].
    imf : BrokenPowerLaw
        Initial mass function.
    age_gyr, metallicity : float
        Of the isochrone.

    Returns
    -------
    PopulationNodes
        Weights are per living star: stars from the least mass of the IMF to the isochrone's last
        point.
    """
    step = np.abs(np.diff(absolute_mag, axis=0)).max(axis=1)
    lifted = np.diff(mass_init) > 0.0
    pieces = np.where(lifted, np.maximum(np.ceil(step / PIECE_MAG).astype(np.int64), 1), 0)
    segment = np.repeat(np.arange(pieces.size), pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    within = np.arange(segment.size) - first
    low, high = within / pieces[segment], (within + 1) / pieces[segment]
    m0, dm = mass_init[segment], np.diff(mass_init)[segment]
    middle = 0.5 * (low + high)
    mag = absolute_mag[segment] + middle[:, None] * np.diff(absolute_mag, axis=0)[segment]
    living = imf.number(imf.edges_msun[0], mass_init[-1])
    weight = imf.number(m0 + low * dm, m0 + high * dm) / living
    n = segment.size
    return PopulationNodes(
        np.asarray(weight), mag, m0 + middle * dm, np.full(n, age_gyr), np.full(n, metallicity)
    )
