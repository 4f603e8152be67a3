"""Components of the Galaxy and the groups in which they are shown: one table, read everywhere.

A new component is a row of `COMPONENT_TABLE`; names, groups, numbers and types are derived from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Group:
    """Components that are shown together.

    Parameters
    ----------
    name : str
        Key of the group in tables and settings.
    label : str
        As it is printed.
    colour : str
        Colour in figures, as a hexadecimal code. Readers who are blind to red or green must be able
        to tell it from those of the other groups.
    marker, dash : str
        Second cue beside the colour: marker of points and style of lines, as matplotlib names them.
    is_nuclear : bool
        Whether it belongs to the nuclear stellar system, whose probabilities are added up.
    """

    name: str
    label: str
    colour: str
    marker: str
    dash: str
    is_nuclear: bool = False


@dataclass(frozen=True)
class Component:
    """A component of the Galactic model.

    Parameters
    ----------
    name : str
        As in the column ``component`` of catalogues and in the names of columns: ``p_<name>``.
    label : str
        As it is printed.
    group : Group
        With which components it is shown; a group of one bears the name of its component.
    population : str
        Which population of the population sets (``populations.toml``) its stars have.
    factory : str
        What builds it: ``module:function`` of `gcmock.galaxy`, called with a
        `gcmock.galaxy.component.Recipe`.
    younger : tuple of str
        Populations of younger stars that it may have besides: how many there are is learned from
        stars. Without that there are none.
    """

    name: str
    label: str
    group: Group
    population: str
    factory: str
    younger: tuple[str, ...] = ()

    @property
    def colour(self) -> str:
        """Colour of its group."""
        return self.group.colour

    @property
    def marker(self) -> str:
        """Marker of its group."""
        return self.group.marker

    @property
    def is_nuclear(self) -> bool:
        """Whether it belongs to the nuclear stellar system."""
        return self.group.is_nuclear


# Colours after Paul Tol's bright scheme, two of them darkened.
_DISC = Group("disc", "discs", "#4477AA", "o", "-")
_BAR = Group("bar", "bar", "#B8A623", "s", "--")
_NSD = Group("nsd", "nuclear stellar disc", "#E4576B", "^", "-.", is_nuclear=True)
_NSC = Group("nsc", "nuclear star cluster", "#8A2A6F", "D", ":", is_nuclear=True)

COMPONENT_TABLE: Final = (
    Component("thin1", "thin disc, 0 to 0.15 Gyr", _DISC, "thin1", "assemble:make_disc"),
    Component("thin2", "thin disc, 0.15 to 1 Gyr", _DISC, "thin2", "assemble:make_disc"),
    Component("thin3", "thin disc, 1 to 2 Gyr", _DISC, "thin3", "assemble:make_disc"),
    Component("thin4", "thin disc, 2 to 3 Gyr", _DISC, "thin4", "assemble:make_disc"),
    Component("thin5", "thin disc, 3 to 5 Gyr", _DISC, "thin5", "assemble:make_disc"),
    Component("thin6", "thin disc, 5 to 7 Gyr", _DISC, "thin6", "assemble:make_disc"),
    Component("thin7", "thin disc, 7 to 10 Gyr", _DISC, "thin7", "assemble:make_disc"),
    Component("thick", "thick disc", _DISC, "thick", "assemble:make_disc"),
    Component("bar", "bar", _BAR, "bar", "assemble:make_bar"),
    Component(
        "nsd",
        "nuclear stellar disc",
        _NSD,
        "nsd",
        "assemble:make_nuclear_disc",
        younger=("thin3", "thin2", "thin1"),
    ),
    Component("nsc", "nuclear star cluster", _NSC, "nsd", "assemble:make_nuclear_cluster"),
)
"""All components, in the order of every `n_component` axis. A factory finds the components of the
rows above its own ready: the bar needs the discs, the cluster the nuclear disc."""

COMPONENTS: Final = tuple(component.name for component in COMPONENT_TABLE)
"""Names of the components, in the order of every `n_component` axis."""

NAME_DTYPE: Final = f"U{max(len(name) for name in COMPONENTS)}"
"""Type of a column that holds names of components."""

PROBABILITIES: Final = tuple(f"p_{name}" for name in COMPONENTS)
"""Names of the columns with the probabilities of the components."""

POPULATIONS: Final = tuple(
    dict.fromkeys(
        [c.population for c in COMPONENT_TABLE] + [p for c in COMPONENT_TABLE for p in c.younger]
    )
)
"""Names of the distinct populations, in the order of every `n_population` axis."""

N_POPULATION: Final = len(POPULATIONS)
"""Distinct populations; two components may share one."""


@dataclass(frozen=True)
class Part:
    """The stars of a component that have one population.

    Parameters
    ----------
    name : str
        That of the component, or of component and population.
    component : int
        Place of the component in `COMPONENT_TABLE`.
    population : str
        Name of the population.
    """

    name: str
    component: int
    population: str


PARTS: Final = (
    *(Part(c.name, i, c.population) for i, c in enumerate(COMPONENT_TABLE)),
    *(Part(f"{c.name}_{p}", i, p) for i, c in enumerate(COMPONENT_TABLE) for p in c.younger),
)
"""All parts, in the order of every `n_part` axis: the components first, then what is younger."""

PART_COMPONENT: Final = tuple(part.component for part in PARTS)
"""Place of the component of every part, of length n_part."""

GROUP_TABLE: Final = tuple(dict.fromkeys(component.group for component in COMPONENT_TABLE))
"""All groups, in the order of every `n_group` axis."""

GROUPS: Final = {
    group.name: tuple(c.name for c in COMPONENT_TABLE if c.group is group) for group in GROUP_TABLE
}
"""Names of the components of every group, by the name of the group."""

GROUP_OF: Final = tuple(GROUP_TABLE.index(component.group) for component in COMPONENT_TABLE)
"""Place of every component's group in `GROUP_TABLE`, of length n_component."""

LABELS: Final = {group.name: group.label for group in GROUP_TABLE}
"""Labels of the groups by name."""

COLOURS: Final = {group.name: group.colour for group in GROUP_TABLE}
"""Colours of the groups by name."""

NUCLEAR: Final = tuple(component.name for component in COMPONENT_TABLE if component.is_nuclear)
"""Names of the components of the nuclear stellar system."""


def _merged_groups() -> dict[str, tuple[str, ...]]:
    """Components by group, all nuclear groups under one name."""
    merged: dict[str, tuple[str, ...]] = {}
    for group in GROUP_TABLE:
        name = "nuclear" if group.is_nuclear else group.name
        merged[name] = merged.get(name, ()) + GROUPS[group.name]
    return merged


MERGED_GROUPS: Final = _merged_groups()
"""Groups as `GROUPS`, but with one for all nuclear components: their stars look alike, so that
photometry alone cannot tell how many belong to each."""


LEARNED_GROUPS: Final = (
    *MERGED_GROUPS,
    *(part.name for part in PARTS[len(COMPONENTS) :]),
)
"""Groups whose numbers of stars are learned: those of `MERGED_GROUPS`, then every younger part."""

LEARNED_GROUP_OF_PART: Final = (
    *(next(i for i, g in enumerate(MERGED_GROUPS.values()) if c in g) for c in COMPONENTS),
    *range(len(MERGED_GROUPS), len(LEARNED_GROUPS)),
)
"""Place of every part in `LEARNED_GROUPS`, of length n_part."""
