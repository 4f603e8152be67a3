"""Terms of the instrument that hold for a whole mission: what they are, and what they shift.

A term is a number times a known pattern: it shifts every observation by so much along x and y, by
the colour and magnitude of the star, its detector and its place in the field; or it shifts the
parallaxes of all references. `gcmock.astrometry.solver.bordered` tests and solves for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from gcmock.arrays import Floats, Integers
from gcmock.astrometry.directions.geometry import MAS, legendre
from gcmock.astrometry.missions.focal_plane import (
    DetectorGrid,
    detector_at,
    detector_centres,
    detector_grid,
)
from gcmock.astrometry.observations.folder import ObservationSet

REFERENCE_PARALLAX: Final = "reference_parallax"
"""The term that shifts references, not observations."""

MORE_DEGREES: Final = 2
"""Degrees of the distortion above those of the solution that are tested."""


class Term(NamedTuple):
    """One term.

    Attributes
    ----------
    name, family : str
        Terms of a family are judged together.
    prior : float
        Standard deviation of its prior [mas]; 0: it is tested and not solved for.
    """

    name: str
    family: str
    prior: float


@dataclass(frozen=True)
class InstrumentTerms:
    """The terms of a mission, and what is known of some stars for them.

    Attributes
    ----------
    terms : tuple of Term
    grid : DetectorGrid
    degree : int
        Of the distortion of the solution.
    colour, hw : ndarray, shape (n_star,)
        J - Ks and Hw from their medians over all stars [mag].
    """

    terms: tuple[Term, ...]
    grid: DetectorGrid
    degree: int
    colour: Floats
    hw: Floats

    def of(self, rows: Integers | slice) -> InstrumentTerms:
        """Return the same terms with some of the stars."""
        known = self.colour[rows], self.hw[rows]
        return InstrumentTerms(self.terms, self.grid, self.degree, *known)

    @property
    def solved(self) -> Integers:
        """Places of the terms that are solved for."""
        return np.flatnonzero([term.prior > 0.0 for term in self.terms])

    def columns(self, star: Integers, x: Floats, y: Floats) -> Floats:
        """Return what the terms shift, shape (n_term, 2, n).

        Parameters
        ----------
        star : ndarray of int64, shape (n,)
            Star of each observation.
        x, y : ndarray, shape (n,)
            Field coordinates [rad].
        """
        found = {
            "colour": _both(self.colour[star]),
            "magnitude": _both(self.hw[star]),
            **_of_detectors(self.grid, x, y),
            **_of_field(self.grid, self.degree, x, y),
        }
        by_family = {name: iter(columns) for name, columns in found.items()}
        zero = np.zeros((2, len(x)))
        return np.array(
            [
                zero if t.name == REFERENCE_PARALLAX else next(by_family[t.family])
                for t in self.terms
            ]
        ).reshape(len(self.terms), 2, len(x))


def mission_terms(folder: ObservationSet, source_id: Integers, hw: Floats) -> InstrumentTerms:
    """Return the terms that can be tested or solved with some observations.

    Parameters
    ----------
    folder : ObservationSet
    source_id : ndarray of int64, shape (n_star,)
    hw : ndarray, shape (n_star,)
        [mag].
    """
    mission = folder.mission
    prior, grid = mission.terms, detector_grid(mission.focal_plane)
    colour = np.zeros(len(source_id))
    terms: list[Term] = []
    if (folder.path / "colours.parquet").is_file():
        table = folder.table("colours.parquet")
        order = np.argsort(table["source_id"], kind="stable")
        at = np.searchsorted(table["source_id"][order], source_id)
        colour = table["colour"][order[np.minimum(at, len(order) - 1)]]
        colour = colour - np.median(colour)
        terms += [Term(f"colour_{a}", "colour", prior.colour_mas_per_mag) for a in "xy"]
    terms += [Term(f"magnitude_{a}", "magnitude", prior.magnitude_mas_per_mag) for a in "xy"]
    sizes = {
        "offset_x": prior.detector_offset_mas,
        "offset_y": prior.detector_offset_mas,
        "rotation": prior.detector_rotation_mas,
        "scale": prior.detector_scale_mas,
    }
    n_detector = grid.n_x * grid.n_y
    for name, size in sizes.items() if n_detector > 1 else ():
        family = f"detector_{name.split('_')[0]}"
        terms += [Term(f"detector_{k}_{name}", family, size) for k in range(n_detector)]
    degree = mission.calibration.degree
    for more in range(degree + 1, degree + 1 + MORE_DEGREES):
        names = [f"field_{a}_{i}_{more - i}" for a in "xy" for i in range(more + 1)]
        terms += [Term(name, f"field_degree_{more}", 0.0) for name in names]
    terms.append(Term(REFERENCE_PARALLAX, REFERENCE_PARALLAX, prior.reference_parallax_mas))
    return InstrumentTerms(tuple(terms), grid, degree, colour, hw - np.median(hw))


def _both(values: Floats) -> list[Floats]:
    """Return a shift along x, and one along y."""
    zero = np.zeros_like(values)
    return [np.stack([values, zero]), np.stack([zero, values])]


def _of_detectors(grid: DetectorGrid, x: Floats, y: Floats) -> dict[str, list[Floats]]:
    # The whole cell of a detector counts: an error of the place takes no star off it.
    cell = grid.n_x, grid.n_y, grid.separation, 0.5 * grid.separation
    number = detector_at(x, y, *cell)
    centres = detector_centres(grid)
    offset, rotation, scale = [], [], []
    along: tuple[list[Floats], list[Floats]] = ([], [])
    for k, (x0, y0) in enumerate(centres):
        on = (number == k).astype(np.float64)
        u, v = on * (x - x0) / grid.half_size, on * (y - y0) / grid.half_size
        for axis, shift in enumerate(_both(on)):
            along[axis].append(shift)
        rotation.append(np.stack([-v, u]))
        scale.append(np.stack([u, v]))
    offset = along[0] + along[1]
    return {"detector_offset": offset, "detector_rotation": rotation, "detector_scale": scale}


def _of_field(grid: DetectorGrid, degree: int, x: Floats, y: Floats) -> dict[str, list[Floats]]:
    found = {}
    for more in range(degree + 1, degree + 1 + MORE_DEGREES):
        px, py = (legendre(c / grid.half_field, more).T for c in (x, y))
        pairs = [_both(px[i] * py[more - i]) for i in range(more + 1)]
        found[f"field_degree_{more}"] = [pair[axis] for axis in (0, 1) for pair in pairs]
    return found


def field_of(measured: Floats) -> tuple[Floats, Floats]:
    """Return measured positions, shape (n, 2) [mas], as field coordinates x, y [rad]."""
    return measured[:, 0] * MAS, measured[:, 1] * MAS
