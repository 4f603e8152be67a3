"""Counts of stars in tiles of the sky: observed, and expected for any reddening of the tile.

The expected counts of a line of sight are a smooth function of its reddening. They are computed on
a grid of reddenings once, and averaged over the sub-cells of the map, or any other distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from gcmock.arrays import Floats
from gcmock.counts import (
    MAG_STEP,
    REDDENING_MAX,
    REDDENING_STEP,
    CountTable,
    CountTables,
    expected_counts,
)
from gcmock.dust.extinction_map import ExtinctionMap, MapValue
from gcmock.dust.laws import ExtinctionLaw
from gcmock.errors import InputError
from gcmock.galaxy.galactic_model import GalacticModel
from gcmock.model import Model
from gcmock.posterior.grid import DistanceGrid
from gcmock.settings.build import Config
from gcmock.stars.bands import Relations
from gcmock.stars.populations import PopulationSet
from gcmock.words.bands import SYNTHETIC_BANDS, H, J

REDDENINGS: Final = np.concatenate(([0.05, 0.25], np.arange(0.5, 6.76, 0.25)))
"""E(J-Ks) at which expected counts are computed [mag]."""

_SUBCELL_DEG: Final = 0.005
_NEAR_PER_SIDE: Final = 6
_HERMITE: Final = np.polynomial.hermite_e.hermegauss(9)


class RedTables(CountTables):
    """Cumulative counts in a synthetic band of the stars whose reddened J - H is above a limit.

    Parameters
    ----------
    populations : PopulationSet
    law : ExtinctionLaw
    relations : mapping of str to SyntheticRelation
    colour_min : float
        Bluest J - H [mag].
    """

    def __init__(
        self,
        populations: PopulationSet,
        law: ExtinctionLaw,
        relations: Relations,
        colour_min: float,
    ) -> None:
        super().__init__(populations, law, relations)
        self._colour_min = colour_min

    def _build(self, band: str, kappa: Floats) -> CountTable:
        """Table of one law: colours redden with the star."""
        if band not in SYNTHETIC_BANDS:
            having = ", ".join(SYNTHETIC_BANDS)
            raise InputError(
                f"counts of red stars in {band!r}: only {having} has the axis of reddening"
            )
        axis = np.arange(0.0, REDDENING_MAX + REDDENING_STEP, REDDENING_STEP)
        nodes = self._populations.populations
        # The magnitude grows with the reddening for every star.
        ends = [
            self._reddened(p.absolute_mag, band, e, kappa)
            for p in nodes
            for e in (axis[0], axis[-1])
        ]
        low = min(float(mag.min()) for mag in ends) - 1.0
        n = int((max(float(mag.max()) for mag in ends) + 1.0 - low) / MAG_STEP) + 3
        cumulative = np.zeros((len(nodes), axis.size, n))
        for i, population in enumerate(nodes):
            j_mag, h_mag = population.absolute_mag[:, J], population.absolute_mag[:, H]
            for k, e in enumerate(axis):
                j, h = j_mag + kappa[J] * e, h_mag + kappa[H] * e
                place = ((self._relations[band].mag(j, h) - low) / MAG_STEP).astype(np.int64) + 1
                weight = population.weight * (j - h > self._colour_min)
                cumulative[i, k] = np.bincount(place.clip(0, n - 1), weight, n)
        return CountTable(np.cumsum(cumulative, axis=-1), low, 0.0)


@dataclass(frozen=True)
class RedModel:
    """A model that counts red stars only; see `gcmock.counts.CountedModel`."""

    config: Config
    galaxy: GalacticModel
    populations: PopulationSet
    law: ExtinctionLaw
    extinction_map: ExtinctionMap
    grid: DistanceGrid
    count_tables: CountTables
    parent: Model

    @property
    def learned(self) -> object | None:
        """What was learned of a list."""
        return self.parent.learned

    def reddening(self, l_deg: Any, b_deg: Any) -> tuple[Floats, Floats]:
        """Mean and standard deviation of E(J-Ks) at the red-clump distance [mag]."""
        return self.parent.reddening(l_deg, b_deg)

    def part_weights(self, l_deg: Any, b_deg: Any) -> Floats:
        """Factors on the numbers of stars."""
        return self.parent.part_weights(l_deg, b_deg)


def red_model(model: Model, colour_min: float) -> RedModel:
    """Return a model that counts the stars with J - H above a limit [mag]."""
    tables = RedTables(model.populations, model.law, model.relations, colour_min)
    return RedModel(
        model.config, model.galaxy, model.populations, model.law, model.extinction_map, model.grid,
        tables, model,
    )  # fmt: skip


@dataclass(frozen=True)
class Tiles:
    """Square tiles of the sky.

    Attributes
    ----------
    l_deg, b_deg : ndarray, shape (n_tile,)
        Centres [deg].
    size_deg : float
        Width.
    shape : tuple of 2 ints
        Tiles along l and b; the tiles are in the order of ``meshgrid(indexing="ij")``.
    covered : ndarray, shape (n_tile,), optional
        Fraction of each tile that the list covers; all of it if not given.
    """

    l_deg: Floats
    b_deg: Floats
    size_deg: float
    shape: tuple[int, int]
    covered: Floats | None = None

    @property
    def area_deg2(self) -> Floats:
        """Solid angle of every tile, as far as it is covered [deg2]."""
        half = 0.5 * self.size_deg
        sine = np.sin(np.radians(self.b_deg + half)) - np.sin(np.radians(self.b_deg - half))
        return np.asarray(self.size_deg * np.degrees(sine) * self.coverage)

    @property
    def coverage(self) -> Floats:
        """Fraction of every tile that is covered, shape (n_tile,)."""
        return np.ones(self.l_deg.size) if self.covered is None else self.covered

    def take(self, place: NDArray[np.int64]) -> Tiles:
        """Return some of the tiles, in a row."""
        covered = self.coverage[place]
        return Tiles(self.l_deg[place], self.b_deg[place], self.size_deg, (place.size, 1), covered)


def make_tiles(
    l_range: tuple[float, float], b_range: tuple[float, float], size_deg: float
) -> Tiles:
    """Return the whole tiles inside a window.

    Raises
    ------
    InputError
        If not one tile fits.
    """
    n = [int(np.floor((high - low) / size_deg + 1e-6)) for low, high in (l_range, b_range)]
    if min(n) < 1:
        raise InputError(
            f"window l = {l_range[0]:g} ... {l_range[1]:g}, b = {b_range[0]:g} ... {b_range[1]:g} "
            f"deg: holds no tile of {size_deg:g} deg"
        )
    centres = [
        low + size_deg * (np.arange(k) + 0.5)
        for (low, _), k in zip((l_range, b_range), n, strict=True)
    ]
    l_deg, b_deg = (a.ravel() for a in np.meshgrid(*centres, indexing="ij"))
    return Tiles(l_deg, b_deg, size_deg, (n[0], n[1]))


def count_observed(
    tiles: Tiles, l_deg: Floats, b_deg: Floats, mag: Floats, edges: Floats
) -> Floats:
    """Count stars in tiles and bins of magnitude, shape (n_tile, n_bin)."""
    n_l, n_b = tiles.shape
    half = 0.5 * tiles.size_deg
    borders = [
        tiles.l_deg[0] - half + tiles.size_deg * np.arange(n_l + 1),
        tiles.b_deg[0] - half + tiles.size_deg * np.arange(n_b + 1),
    ]
    sample = np.column_stack((l_deg, b_deg, mag))[np.isfinite(mag)]
    # The last edge of numpy's bins is closed; ours are half-open.
    sample = sample[sample[:, 2] < edges[-1]]
    counts, _ = np.histogramdd(sample, bins=(*borders, edges))
    return np.asarray(counts.reshape(n_l * n_b, edges.size - 1))


def count_curves(model: Model | RedModel, tiles: Tiles, edges: Floats) -> Floats:
    """Return the counts in Hw expected of tiles for `REDDENINGS`, (n_tile, n_reddening, n_bin)."""
    l_deg, b_deg, owner = _sightlines(model, tiles)
    n = REDDENINGS.size
    e_jks = np.tile(REDDENINGS, l_deg.size)
    found = expected_counts(
        model, np.repeat(l_deg, n), np.repeat(b_deg, n), "hw", edges, e_jks=e_jks,
        tau=np.zeros(e_jks.size),
    ).sum(axis=1)  # fmt: skip
    curves = np.zeros((tiles.l_deg.size, n, edges.size - 1))
    np.add.at(curves, owner, found.reshape(l_deg.size, n, edges.size - 1))
    fraction = tiles.area_deg2 / np.bincount(owner)
    return np.asarray(curves * fraction[:, None, None])


def _sightlines(model: Model | RedModel, tiles: Tiles) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return lines of sight and the tile of each: its centre, or many near Sgr A*.

    The nuclear cluster is smaller than a tile; the centre alone would count its core everywhere.
    """
    sun = model.galaxy.sun
    near = np.hypot(tiles.l_deg - sun.sgr_a_l_deg, tiles.b_deg - sun.sgr_a_b_deg) < 0.18
    side = np.where(near, _NEAR_PER_SIDE, 1)
    owner = np.repeat(np.arange(side.size), side**2)
    first = np.repeat(np.cumsum(side**2) - side**2, side**2)
    i, k = np.divmod(np.arange(owner.size) - first, side[owner])
    step = tiles.size_deg / side[owner]
    l_deg = tiles.l_deg[owner] - 0.5 * tiles.size_deg + (i + 0.5) * step
    b_deg = tiles.b_deg[owner] - 0.5 * tiles.size_deg + (k + 0.5) * step
    return l_deg, b_deg, owner


def reddenings_of(sky: ExtinctionMap, tiles: Tiles, value: MapValue) -> Floats:
    """E(J-Ks) of the sub-cells of every tile, (n_tile, n_subcell) [mag]; NaN outside the map."""
    n = max(round(tiles.size_deg / _SUBCELL_DEG), 1)
    offset = (np.arange(n) + 0.5) * (tiles.size_deg / n) - 0.5 * tiles.size_deg
    dl, db = (a.ravel() for a in np.meshgrid(offset, offset, indexing="ij"))
    e_jks, _ = sky.value(tiles.l_deg[:, None] + dl, tiles.b_deg[:, None] + db, value)
    return e_jks


def average(curves: Floats, e_jks: Floats, tau: float = 0.0, factor: float = 1.0) -> Floats:
    """Return the counts that tiles expect for the reddenings of their sub-cells.

    Parameters
    ----------
    curves : ndarray, shape (n_tile, n_reddening, n_bin)
        See `count_curves`.
    e_jks : ndarray, shape (n_tile, n_subcell)
        [mag]
    tau : float
        Gaussian scatter of the reddening inside a sub-cell [mag].
    factor : float
        On the reddening.

    Returns
    -------
    ndarray, shape (n_tile, n_bin)
    """
    nodes, weights = _HERMITE if tau > 0.0 else (np.zeros(1), np.ones(1))
    weights = weights / weights.sum()
    out = np.empty((curves.shape[0], curves.shape[2]))
    for i, (curve, e) in enumerate(zip(curves, e_jks, strict=True)):
        at = factor * e[:, None] + tau * nodes
        log = PchipInterpolator(REDDENINGS, np.log(curve + 1e-12), axis=0)
        bright = np.exp(log(at.clip(REDDENINGS[0], REDDENINGS[-1])))
        out[i] = (bright * weights[None, :, None]).sum(axis=1).mean(axis=0)
    return out


def slope(curves: Floats, e_jks: Floats) -> Floats:
    """D ln N / d E of the counts of all magnitudes [1/mag], shape (n_tile,)."""
    step = 0.05
    total: Sequence[Floats] = [
        average(curves.sum(axis=2, keepdims=True), e_jks + sign * step)[:, 0] for sign in (1, -1)
    ]
    return np.asarray(np.log(total[0] / total[1]) / (2.0 * step))
