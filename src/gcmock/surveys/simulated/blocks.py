"""The sky in blocks with margins: every block has all the stars that can disturb one of its own.

Blocks lie on a fixed grid, and the stars of a seed are one sky, so that neither the window nor the
order of the work changes what a survey sees of a star, but at the borders of the extinction map.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Columns, Floats, Integers
from gcmock.mock.simulate import simulate_blocks
from gcmock.mock.sky import SkyWindow
from gcmock.model import Model
from gcmock.words.bands import SURVEY_BANDS, magnitude_name
from gcmock.words.columns import TRUTH_COLUMNS

BLOCK_CELLS = 8
"""Cells of the extinction map (0.025 deg) along the side of a block."""

BLOCK_MARGIN_ARCSEC = 60.0
"""A star farther away has no influence on a source: nothing below reaches so far."""


class TrueStars(NamedTuple):
    """What a survey could see: stars of a block and its margin, later also artefacts.

    Attributes
    ----------
    identity : ndarray of int64, shape (n,)
        `source_id` of a star; for an artefact a number of its own.
    kind : ndarray of int8, shape (n,)
        See `gcmock.surveys.simulated.artefacts`; 0 for a star.
    x, y : ndarray, shape (n,)
        Place on the sky along l and b [arcsec].
    l, b, ra, dec : ndarray, shape (n,)
        Galactic and ICRS position at `ref_epoch` [deg].
    parallax, pmra, pmdec, radial_velocity : ndarray, shape (n,)
        [mas], [mas/yr], [km/s].
    mag : ndarray, shape (n, 3)
        True J, H, Ks in the 2MASS system [mag]; infinite where an artefact has none.
    """

    identity: Integers
    kind: NDArray[np.int8]
    x: Floats
    y: Floats
    l: Floats
    b: Floats
    ra: Floats
    dec: Floats
    parallax: Floats
    pmra: Floats
    pmdec: Floats
    radial_velocity: Floats
    mag: Floats

    def take(self, rows: NDArray[Any]) -> TrueStars:
        """Return some of them."""
        return TrueStars(*(field[rows] for field in self))

    def join(self, other: TrueStars) -> TrueStars:
        """Return these and others behind them."""
        pairs: Any = zip(self, other, strict=True)
        return TrueStars(*(np.concatenate(pair) for pair in pairs))


class Block(NamedTuple):
    """A rectangle of the sky.

    Attributes
    ----------
    inner : SkyWindow
        The block, cut to the window that is asked for.
    outer : SkyWindow
        With its margin, cut to the extinction map.
    """

    inner: SkyWindow
    outer: SkyWindow


def make_blocks(model: Model, window: SkyWindow, cells: int = BLOCK_CELLS) -> list[Block]:
    """Divide a window into blocks.

    Parameters
    ----------
    model : Model
    window : SkyWindow
        From `gcmock.mock.sky.check_window`.
    cells : int
        Cells of the map along the side of a block.
    """
    sky = model.extinction_map
    n_l, n_b = sky.mean.shape
    edge_l, edge_b = sky.l_min_deg + n_l * sky.step_deg, sky.b_min_deg + n_b * sky.step_deg
    margin = BLOCK_MARGIN_ARCSEC / 3600.0
    side = cells * sky.step_deg

    def cuts(low: float, high: float, origin: float) -> list[tuple[float, float]]:
        first = int(np.floor((low - origin) / side + 1e-9))
        last = int(np.ceil((high - origin) / side - 1e-9))
        edges = [low, *(origin + i * side for i in range(first + 1, last)), high]
        return list(pairwise(edges))

    return [
        Block(
            SkyWindow(l0, l1, b0, b1),
            SkyWindow(
                max(l0 - margin, sky.l_min_deg),
                min(l1 + margin, edge_l),
                max(b0 - margin, sky.b_min_deg),
                min(b1 + margin, edge_b),
            ),
        )
        for l0, l1 in cuts(window.l_min, window.l_max, sky.l_min_deg)
        for b0, b1 in cuts(window.b_min, window.b_max, sky.b_min_deg)
    ]


def is_inside(window: SkyWindow, l_deg: Floats, b_deg: Floats) -> NDArray[np.bool_]:
    """Return whether positions lie in a window; the lower border belongs to it."""
    inside = (l_deg >= window.l_min) & (l_deg < window.l_max)
    return inside & (b_deg >= window.b_min) & (b_deg < window.b_max)


def simulate_block(
    model: Model, block: Block, ks_max: float, seed: int, ref_epoch: float
) -> Columns:
    """Draw the true stars of a block and its margin: `gcmock.words.columns.TRUTH_COLUMNS`."""
    parts = list(simulate_blocks(model, block.outer, ks_max, seed, ref_epoch))
    return {
        column.name: np.concatenate([part[column.name] for part in parts])
        for column in TRUTH_COLUMNS
    }


def stars_of(truth: Columns) -> TrueStars:
    """Return what of true stars matters for a survey."""
    l_deg, b_deg = truth["l"], truth["b"]
    x, y = flat_coordinates(l_deg, b_deg)
    names = ("l", "b", "ra", "dec", "parallax", "pmra", "pmdec", "radial_velocity")
    return TrueStars(
        identity=truth["source_id"],
        kind=np.zeros(l_deg.size, np.int8),
        x=x,
        y=y,
        mag=np.column_stack([truth[magnitude_name(band)] for band in SURVEY_BANDS]),
        **{name: truth[name] for name in names},
    )


def flat_coordinates(l_deg: Floats, b_deg: Floats) -> tuple[Floats, Floats]:
    """Return flat coordinates [arcsec], true to scale along both axes within some degrees of b = 0.

    They are the same whatever else is computed: no centre of a block enters.
    """
    return 3600.0 * l_deg * np.cos(np.radians(b_deg)), 3600.0 * b_deg


def block_truth(truth: Columns, block: Block) -> Columns:
    """Return the true stars of the block itself, without its margin."""
    inside = is_inside(block.inner, truth["l"], truth["b"])
    return {name: values[inside] for name, values in truth.items()}
