"""Windows on the sky and their division into patches of one reddening and one line of sight."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Floats, Integers
from gcmock.dust.extinction_map import SUBCELLS_PER_SIDE, ExtinctionMap
from gcmock.dust.profile import dust_profile, signed_longitude
from gcmock.errors import InputError, OutsideModelError
from gcmock.mock.patches import Patches
from gcmock.model import Model
from gcmock.posterior.sightline import cell_of, prior_counts
from gcmock.random import star_key
from gcmock.words.bands import KS

Range = tuple[float, float]

PATCH_STREAM = -3
"""Stands for the realisation in keys: no draw from a posterior ever shares this stream."""

_SIGHTLINES_AT_ONCE = 16


class SkyWindow(NamedTuple):
    """A rectangle on the sky: l in -180 ... 180 and b [deg], the lower border belongs to it."""

    l_min: float
    l_max: float
    b_min: float
    b_max: float


def check_window(sky: ExtinctionMap, l_range: Range, b_range: Range) -> SkyWindow:
    """Return the window of two ranges [deg].

    Raises
    ------
    InputError
        If a border is not a number or out of range, or the window is empty.
    OutsideModelError
        If it is not entirely on the map.
    """
    given = f"l = {l_range[0]:g} ... {l_range[1]:g}, b = {b_range[0]:g} ... {b_range[1]:g}"
    if not np.isfinite([*l_range, *b_range]).all():
        raise InputError(f"window {given}: the borders must be numbers")
    if min(l_range) < -180.0 or max(l_range) > 360.0 or np.abs(b_range).max() > 90.0:
        raise InputError(f"window {given}: expected l in -180 ... 360 and b in -90 ... 90 deg")
    l_min, l_max = signed_longitude(l_range).tolist()
    window = SkyWindow(l_min, l_max, *(float(b) for b in b_range))
    if window.l_min >= window.l_max or window.b_min >= window.b_max:
        raise InputError(
            f"window {given}: is empty; give the lower border first (-1 1 or 359 1 to cross l = 0)"
        )
    n_l, n_b = sky.mean.shape
    end_l, end_b = sky.l_min_deg + n_l * sky.step_deg, sky.b_min_deg + n_b * sky.step_deg
    inside = sky.l_min_deg <= window.l_min and window.l_max <= end_l + 1e-9
    if not (inside and sky.b_min_deg <= window.b_min and window.b_max <= end_b + 1e-9):
        raise OutsideModelError(
            f"window {given}: reaches beyond the extinction map, "
            f"{sky.l_min_deg:g} <= l < {end_l:g}, {sky.b_min_deg:g} <= b < {end_b:g} deg"
        )
    return window


def window_cells(sky: ExtinctionMap, window: SkyWindow) -> Integers:
    """Flat indices of the map's cells that the window touches."""

    def touched(low: float, high: float, origin: float) -> NDArray[np.int64]:
        per_deg = round(1.0 / sky.step_deg)
        first = np.floor((low - origin) * per_deg + 1e-9)
        last = np.ceil((high - origin) * per_deg - 1e-9)
        return np.arange(int(first), int(last))

    il = touched(window.l_min, window.l_max, sky.l_min_deg)
    ib = touched(window.b_min, window.b_max, sky.b_min_deg)
    return (il[:, None] * sky.mean.shape[1] + ib).ravel()


class PatchLayout(NamedTuple):
    """Patches on the sky, each array of shape (n_patch,).

    Attributes
    ----------
    identity : ndarray of int64
        Number of the map's sub-cell in the lower corner.
    l_low_deg, b_low_deg, side_deg : ndarray
        Lower corner and side [deg].
    """

    identity: Integers
    l_low_deg: Floats
    b_low_deg: Floats
    side_deg: Floats

    @property
    def sin_b(self) -> tuple[Floats, Floats]:
        """Sines of the lower and upper latitude."""
        low, high = self.b_low_deg, self.b_low_deg + self.side_deg
        return np.sin(np.radians(low)), np.sin(np.radians(high))


def layout(model: Model, cells: Integers) -> PatchLayout:
    """Divide cells (flat indices of the map) into patches.

    Sub-cells where the reddening or the line of sight changes inside a cell, else the whole cell.
    """
    sky, sun = model.extinction_map, model.galaxy.sun
    n = SUBCELLS_PER_SIDE
    size = sky.step_deg / n
    il, ib = np.divmod(cells, sky.mean.shape[1])
    along_l, along_b = np.divmod(np.arange(n * n), n)
    fine_l, fine_b = il[:, None] * n + along_l, ib[:, None] * n + along_b
    l_low, b_low = sky.l_min_deg + fine_l * size, sky.b_min_deg + fine_b * size
    sgr_a = (sun.sgr_a_l_deg, sun.sgr_a_b_deg)
    sightline = cell_of(l_low + 0.5 * size, b_low + 0.5 * size, sgr_a).identity
    split = (sightline != sightline[:, :1]).any(axis=1)
    if model.map_value == "subcell":
        split |= sky.has_subcells(cells)
    kept = split[:, None] | (np.arange(n * n) == 0)
    identity = fine_l * (sky.mean.shape[1] * n) + fine_b
    side = np.where(split[:, None], size, sky.step_deg)
    side = np.broadcast_to(side, kept.shape)
    return PatchLayout(identity[kept], l_low[kept], b_low[kept], side[kept])


def make_patches(model: Model, where: PatchLayout, seed: int) -> Patches:
    """Lines of sight, reddenings and random streams of patches."""
    sun = model.galaxy.sun
    half = 0.5 * where.side_deg
    l_deg, b_deg = where.l_low_deg + half, where.b_low_deg + half
    cell = cell_of(l_deg, b_deg, (sun.sgr_a_l_deg, sun.sgr_a_b_deg))
    _, first, sightline = np.unique(cell.identity, return_index=True, return_inverse=True)
    lon, lat = cell.l_deg[first], cell.b_deg[first]
    prior = np.concatenate(
        [
            prior_counts(model.galaxy, lon[part], lat[part], model.grid)
            for part in np.split(
                np.arange(lon.size), range(_SIGHTLINES_AT_ONCE, lon.size, _SIGHTLINES_AT_ONCE)
            )
        ]
    )
    height = model.config.extinction.dust_scale_height_pc
    e_jks_rc, tau = model.reddening(l_deg, b_deg)
    sin_low, sin_high = where.sin_b
    return Patches(
        prior,
        dust_profile(lon, lat, height, model.profile_scatter),
        sightline.astype(np.int64),
        e_jks_rc,
        tau,
        model.law.kappa(l_deg, b_deg)[:, KS],
        where.side_deg * np.degrees(sin_high - sin_low),
        star_key(seed, where.identity, PATCH_STREAM),
    )
