"""What a report shows of a catalogue, counted chunk by chunk: memory does not grow with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Table
from gcmock.dust.profile import signed_longitude
from gcmock.frames import icrs_to_galactic_proper_motion
from gcmock.reporting.page.bins import Axis, Places, count, flat_place
from gcmock.reporting.page.extent import Extent, evidence_place
from gcmock.words import components
from gcmock.words.bands import BANDS, COLOUR_INDICES, NEIGHBOUR_COLOURS, magnitude_name
from gcmock.words.components import COMPONENTS, GROUP_TABLE, GROUPS, PROBABILITIES
from gcmock.words.flags import Flag

MAGNITUDE: Final = Axis(2.0, 0.1, 240)
"""Magnitudes of counts [mag]."""

COLOUR, BRIGHTNESS = Axis(-1.0, 0.05, 220), Axis(2.0, 0.1, 240)
"""Colours and magnitudes of diagrams [mag]."""

DISTANCE: Final = Axis(0.0, 0.025, 800)
"""Distances [kpc]."""

WIDTH: Final = Axis(-2.6, 0.05, 80)
"""Decimal logarithm of the half width of the 68 % interval of the distance [kpc]."""

PROBABILITY_AXIS: Final = Axis(0.0, 0.02, 51)
"""Probabilities; the last bin holds exactly 1."""

MOTION_AXIS: Final = Axis(-20.0, 0.25, 160)
"""Proper motions [mas/yr]."""

RADII: Final = (Axis(0.0, 0.02, 25), Axis(0.0, 0.25, 40))
"""Galactocentric radii of the rotation curves, near and far [kpc]."""

DIAGRAMS: Final = tuple((blue, red, red if red == "ks" else "hw") for blue, red in COLOUR_INDICES)
"""Colour-magnitude diagrams: the bands of the colour, and of the magnitude."""

GROUP_OF: Final = np.array(components.GROUP_OF)
"""Group of every component, (n_component,)."""

IS_NUCLEAR: Final = np.array([group.is_nuclear for group in GROUP_TABLE])
"""Whether a group belongs to the nuclear stellar system, (n_group,)."""

N_GROUP: Final = len(GROUPS)

TALLY_COLUMNS: Final = (
    "source_id",
    "realisation",
    "ra",
    "dec",
    "l",
    "b",
    "distance_pc",
    "pmra",
    "pmdec",
    "component",
    *(magnitude_name(band) for band in BANDS),
    "a_ks",
    "x_pc",
    "y_pc",
    "vx",
    "vy",
    *PROBABILITIES,
    "distance_q16_pc",
    "distance_q50_pc",
    "distance_q84_pc",
    "log_evidence",
    "n_bands",
    "flags",
)
"""Columns of a mock catalogue that a report reads."""

SKY: Final = (
    "stars",
    *(f"p_{group}" for group in GROUPS),
    "a_ks",
    "evidence",
    "unexplained",
    "width",
)
"""What is summed per cell of the sky."""


@dataclass
class Tally:
    """Counts and sums of a catalogue.

    Stars are counted once, whatever the number of realisations; what belongs to a draw (component,
    distance, motion, magnitudes) has a weight of one over that number.

    Attributes
    ----------
    extent : Extent
    n_row, n_star : int
    sky : dict of str to ndarray, shape (n_l, n_b)
        Sums over the stars of a cell, see `SKY`.
    p_sum, p_variance : ndarray, shape (n_component,)
        Sums of p and of p (1 - p).
    drawn : ndarray, shape (n_component,)
        Stars drawn per component.
    magnitudes : ndarray, shape (n_band, n_group, n_magnitude)
    diagrams, diagrams_nuclear : ndarray, shape (n_diagram, n_colour, n_brightness)
        Stars, and sum of P(nuclear).
    colours : ndarray, shape (n_colour, n_colour)
    distances : ndarray, shape (n_component, n_distance)
        Drawn distances.
    widths : ndarray, shape (n_group, n_width)
        Half widths of the 68 % interval of the distance, by the most probable group.
    nuclear : ndarray, shape (n_probability,)
        Stars by P(nuclear).
    motions : ndarray, shape (n_group, n_motion, n_motion)
        Proper motions along l and b.
    motion_sums : ndarray, shape (n_group, 6)
        Sums of 1, l, b, ll, lb, bb.
    rotation : tuple of ndarray, shape (n_group, 3, n_radius)
        Sums of 1, v_phi, v_phi^2 on `RADII`.
    flags, bands : Counter
        Stars by `Flag` and by number of bands.
    """

    extent: Extent
    n_row: int = 0
    n_star: int = 0
    flags: Counter[Flag] = field(default_factory=Counter)
    bands: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Start from zero."""
        n_l, n_b = (axis.n for axis in self.extent.sky)
        self.sky = {name: np.zeros((n_l, n_b)) for name in SKY}
        self.p_sum, self.p_variance, self.drawn = np.zeros((3, len(COMPONENTS)))
        self.magnitudes = np.zeros((len(BANDS), N_GROUP, MAGNITUDE.n))
        self.diagrams = np.zeros((len(DIAGRAMS), COLOUR.n, BRIGHTNESS.n))
        self.diagrams_nuclear = np.zeros_like(self.diagrams)
        self.colours = np.zeros((COLOUR.n, COLOUR.n))
        self.distances = np.zeros((len(COMPONENTS), DISTANCE.n))
        self.widths = np.zeros((N_GROUP, WIDTH.n))
        self.nuclear = np.zeros(PROBABILITY_AXIS.n)
        self.motions = np.zeros((N_GROUP, MOTION_AXIS.n, MOTION_AXIS.n))
        self.motion_sums = np.zeros((N_GROUP, 6))
        self.rotation = tuple(np.zeros((N_GROUP, 3, axis.n)) for axis in RADII)

    def add(self, chunk: Table) -> None:
        """Count the rows of a chunk, which has `TALLY_COLUMNS`."""
        if not len(chunk["l"]):
            return
        self.n_row += len(chunk["l"])
        self._add_draws(chunk)
        first = chunk["realisation"] == 0
        stars = chunk if first.all() else {name: values[first] for name, values in chunk.items()}
        self._add_stars(stars)

    def _add_stars(self, chunk: Table) -> None:
        """Count what the realisations of a star have in common."""
        self.n_star += len(chunk["l"])
        p = np.stack([chunk[name] for name in PROBABILITIES], axis=1).astype(np.float64)
        self.p_sum += p.sum(axis=0)
        self.p_variance += (p * (1.0 - p)).sum(axis=0)
        groups = np.stack([p[:, i == GROUP_OF].sum(axis=1) for i in range(N_GROUP)], axis=1)
        nuclear = groups[:, IS_NUCLEAR].sum(axis=1)
        self.nuclear += count(
            PROBABILITY_AXIS.place(np.clip(nuclear, 0.0, 1.0)), (PROBABILITY_AXIS.n,)
        )
        for flag in Flag:
            if n := int(((chunk["flags"] & flag) != 0).sum()):
                self.flags[flag] += n
        for n_bands, n in zip(*np.unique(chunk["n_bands"], return_counts=True), strict=True):
            self.bands[int(n_bands)] += int(n)
        width = 5e-4 * (chunk["distance_q84_pc"] - chunk["distance_q16_pc"])
        axes = (Axis(0, 1, N_GROUP), WIDTH)
        where = flat_place(
            axes, (groups.argmax(axis=1), WIDTH.place(np.log10(np.maximum(width, 1e-9))))
        )
        self.widths += count(where, self.widths.shape)
        usual = np.append(self.extent.usual_evidence.ravel(), np.nan)
        evidence = (
            chunk["log_evidence"] - usual[evidence_place(chunk["n_bands"], chunk["phot_ks_mag"])]
        )
        values = {
            "stars": None,
            **{f"p_{group}": groups[:, i] for i, group in enumerate(GROUPS)},
            "a_ks": chunk["a_ks"],
            "evidence": np.where(np.isfinite(evidence), evidence, 0.0),
            "unexplained": ((chunk["flags"] & Flag.UNEXPLAINED) != 0).astype(np.float64),
            "width": width,
        }
        cell = self.cell(chunk)
        for name, weights in values.items():
            self.sky[name] += count(cell, self.sky[name].shape, weights)
        for i, (blue, red, band) in enumerate(DIAGRAMS):
            where = diagram_place(chunk, blue, red, band)
            self.diagrams_nuclear[i] += count(where, self.diagrams.shape[1:], nuclear)

    def _add_draws(self, chunk: Table) -> None:
        """Count what belongs to the drawn stars."""
        weight = 1.0 / self.extent.n_realisation
        component = component_places(chunk["component"])
        group = GROUP_OF[component]
        self.drawn += weight * count(component, (len(COMPONENTS),))
        groups, places = Axis(0, 1, N_GROUP), Axis(0, 1, len(COMPONENTS))
        for i, band in enumerate(BANDS):
            where = flat_place(
                (groups, MAGNITUDE), (group, MAGNITUDE.place(chunk[magnitude_name(band)]))
            )
            self.magnitudes[i] += weight * count(where, (N_GROUP, MAGNITUDE.n))
        for i, (blue, red, band) in enumerate(DIAGRAMS):
            where = diagram_place(chunk, blue, red, band)
            self.diagrams[i] += weight * count(where, self.diagrams.shape[1:])
        self.colours += weight * count(colour_place(chunk), self.colours.shape)
        where = flat_place(
            (places, DISTANCE), (component, DISTANCE.place(1e-3 * chunk["distance_pc"]))
        )
        self.distances += weight * count(where, self.distances.shape)
        self._add_motions(chunk, group, groups, weight)
        self._add_rotation(chunk, group, groups, weight)

    def _add_motions(self, chunk: Table, group: Places, groups: Axis, weight: float) -> None:
        """Count proper motions along the Galactic axes."""
        along_l, along_b = icrs_to_galactic_proper_motion(
            chunk["ra"], chunk["dec"], chunk["pmra"], chunk["pmdec"]
        )
        bins = (groups, MOTION_AXIS, MOTION_AXIS)
        where = flat_place(bins, (group, MOTION_AXIS.place(along_l), MOTION_AXIS.place(along_b)))
        self.motions += weight * count(where, self.motions.shape)
        # Moments inside the diagram, so that a star next to the Sun does not decide.
        inside = where < self.motions.size
        x, y, g = along_l[inside], along_b[inside], group[inside]
        for i, values in enumerate((None, x, y, x * x, x * y, y * y)):
            self.motion_sums[:, i] += weight * count(g, (N_GROUP,), values)

    def _add_rotation(self, chunk: Table, group: Places, groups: Axis, weight: float) -> None:
        """Sum the azimuthal velocity in rings around the Galactic centre."""
        x, y = chunk["x_pc"], chunk["y_pc"]
        radius = np.maximum(np.hypot(x, y), 1e-6)
        v_phi = (x * chunk["vy"] - y * chunk["vx"]) / radius
        for axis, sums in zip(RADII, self.rotation, strict=True):
            where = flat_place((groups, axis), (group, axis.place(1e-3 * radius)))
            for i, values in enumerate((None, v_phi, v_phi * v_phi)):
                sums[:, i] += weight * count(where, (N_GROUP, axis.n), values)

    def cell(self, chunk: Table) -> Places:
        """Flat cell of the sky of every row (n_row,)."""
        l_axis, b_axis = self.extent.sky
        index = (l_axis.place(signed_longitude(chunk["l"])), b_axis.place(chunk["b"]))
        return flat_place(self.extent.sky, index)


def component_places(names: NDArray[Any]) -> Places:
    """Place in `COMPONENTS` of names (n_row,)."""
    order = np.argsort(COMPONENTS)
    return np.asarray(order[np.searchsorted(np.array(COMPONENTS)[order], names)], np.int64)


def diagram_place(chunk: Table, blue: str, red: str, band: str) -> Places:
    """Bin of every row in a colour-magnitude diagram (n_row,)."""
    colour = chunk[magnitude_name(blue)] - chunk[magnitude_name(red)]
    index = (COLOUR.place(colour), BRIGHTNESS.place(chunk[magnitude_name(band)]))
    return flat_place((COLOUR, BRIGHTNESS), index)


def colour_place(chunk: Table) -> Places:
    """Bin of every row in the colour-colour diagram (n_row,)."""
    index = tuple(
        COLOUR.place(chunk[magnitude_name(blue)] - chunk[magnitude_name(red)])
        for blue, red in NEIGHBOUR_COLOURS
    )
    return flat_place((COLOUR, COLOUR), index)
