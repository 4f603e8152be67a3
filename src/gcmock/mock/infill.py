"""Stars that a list lacks: those of the model that its survey would not have seen.

If a survey detects every star of a Poisson process on its own, with probability C, then what it
misses is a Poisson process as well, with the density of the stars times 1 - C, independent of what
it has (Kingman 1993, Poisson Processes, section 5.1). So stars of the model are drawn and kept
with the probability to be missed. That probability depends on the neighbours in the list. Of the
places in a cell a fraction f_hidden(m) lies so close to a brighter star that a star of magnitude m
is not seen there, and a fraction f_seen(m) so close to one that is as bright or fainter that the
list would have the star of magnitude m in its place. Stars are kept with probability 1 at the
former, 0 at the latter, and elsewhere with

    p = (1 - C - f_hidden) / (1 - f_hidden - f_seen),

so that 1 - C of all are kept. Where p is not in 0 ... 1 the nearest border is taken, and what that
adds or takes away is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gcmock.arrays import Columns, Floats
from gcmock.errors import InputError
from gcmock.learned import USUAL_WEIGHTS
from gcmock.mock.simulate import simulate_blocks
from gcmock.mock.sky import SkyWindow
from gcmock.model import Model
from gcmock.progress import Progress
from gcmock.random import star_key, uniform
from gcmock.settings.build import USUAL_EPOCH

INFILL_STREAM: Final = -7
"""Stands for the realisation in keys: no draw from a posterior ever shares this stream."""

DetectionKs = Callable[[Floats, Floats, Floats], Floats]
"""Probability that the list has a star at l, b [deg] of true, reddened Ks [mag]."""

_POINTS: Final = 64
"""Points along a side of a cell at which the surroundings are looked up: 1.4 arcsec apart."""

_RADIANS_PER_ARCSEC: Final = np.pi / 648_000.0


class ListedStars(NamedTuple):
    """Stars of the list that are about a window, each array of shape (n_listed,).

    Attributes
    ----------
    l_deg, b_deg : ndarray
        Galactic coordinates [deg].
    ks_mag : ndarray
        Observed Ks [mag].
    radius_arcsec : ndarray
        How far the survey sees no fainter star: its resolution, or the mask of a bright star.
    """

    l_deg: Floats
    b_deg: Floats
    ks_mag: Floats
    radius_arcsec: Floats


class InfillAccount(NamedTuple):
    """What was expected and what was done, of one part of a window or of several.

    Attributes
    ----------
    n_drawn, n_added : int
        Stars of the model, and those of them that the list lacks.
    n_expected : float
        Sum of 1 - C over the stars that were drawn.
    n_clipped : float
        Stars more (or fewer, if negative) than these, because a probability has borders.
    """

    n_drawn: int
    n_added: int
    n_expected: float
    n_clipped: float


class Surroundings:
    """The brightest star of a list that is close to a place.

    Parameters
    ----------
    listed : ListedStars

    Raises
    ------
    InputError
        If a place, a magnitude or a radius is not a number, or a radius is not positive.
    """

    def __init__(self, listed: ListedStars) -> None:
        for name, values in listed._asdict().items():
            if not np.isfinite(values).all():
                raise InputError(f"stars of the list: {name} has values that are no numbers")
        if (listed.radius_arcsec <= 0.0).any():
            raise InputError("stars of the list: radius_arcsec must be positive")
        self._mag, self._radius = listed.ks_mag, listed.radius_arcsec
        self._place = _directions(listed.l_deg, listed.b_deg)

    def brightest(self, l_deg: Floats, b_deg: Floats) -> Floats:
        """Return the Ks of the brightest star whose radius covers a place [mag].

        Parameters
        ----------
        l_deg, b_deg : ndarray, shape (n,)
            Galactic coordinates [deg].

        Returns
        -------
        ndarray, shape (n,)
            Infinite where there is none.
        """
        found = np.full(len(l_deg), np.inf)
        if not len(l_deg) or not self._mag.size:
            return found
        places = _directions(l_deg, b_deg)
        middle = places.mean(axis=0)
        reach = np.sqrt(((places - middle) ** 2).sum(axis=1).max())
        chord = 2.0 * np.sin(0.5 * self._radius * _RADIANS_PER_ARCSEC)
        near = np.sqrt(((self._place - middle) ** 2).sum(axis=1)) <= reach + chord
        rows = cKDTree(places).query_ball_point(self._place[near], chord[near])
        covered = np.array([len(row) for row in rows], np.int64)
        if covered.sum():
            at = np.concatenate([np.asarray(row, np.int64) for row in rows])
            np.minimum.at(found, at, np.repeat(self._mag[near], covered))
        return found


def missing_stars(
    model: Model,
    window: SkyWindow,
    ks_max: float,
    detection: DetectionKs,
    listed: ListedStars,
    *,
    contrast_mag: float = 0.0,
    seed: int = 1,
    realisation: int = 0,
    ref_epoch: float = USUAL_EPOCH,
    workers: int = 1,
    progress: Progress | None = None,
) -> Iterator[tuple[Columns, InfillAccount]]:
    """Yield the stars of a window that a list lacks, some cells at a time.

    Parameters
    ----------
    model : Model
        The model; its reddening is the learned one where something was learned.
    window : SkyWindow
        From `gcmock.mock.sky.check_window`.
    ks_max : float
        Faintest true, reddened Ks [mag].
    detection : callable
        Probability C that the list has a star of the model, averaged over the places in a cell.
    listed : ListedStars
        All stars of the list in the window and as far outside as their radii reach into it.
    contrast_mag : float
        By how much a star must be fainter than a neighbour to be hidden by it [mag].
    seed : int
        Seed of the run. The stars are not those of `simulate` with the same seed.
    realisation : int
        Each is a sky of its own.
    ref_epoch : float
        Epoch of the positions [Julian year].
    workers : int
        Threads. The result does not depend on it.
    progress : callable, optional
        Called with the numbers of finished and of all cells of 0.025 deg.

    Yields
    ------
    dict of str to ndarray, shape (n_star,)
        The columns `gcmock.words.columns.TRUTH_COLUMNS`; `source_id` is negative, and a function
        of the cell and the realisation's sky.
    InfillAccount
        Of these cells.

    Raises
    ------
    InputError
        If `detection` gives something that is no probability, `ks_max` is not a number, or numbers
        of stars were learned: stars are drawn with those of the model alone.
    """
    if not np.array_equal(model.part_weights(0.0, 0.0), np.atleast_2d(USUAL_WEIGHTS)):
        raise InputError(
            "numbers of stars were learned, and stars of the model are drawn with its own: "
            "learn without them ([learn] numbers = false) to add missing stars"
        )
    surroundings = Surroundings(listed)
    own = int(star_key(seed, np.array([realisation]), INFILL_STREAM)[0])
    blocks = simulate_blocks(model, window, ks_max, own, ref_epoch, workers, progress)
    for truth in blocks:
        keep, account = _missed(model, window, truth, detection, surroundings, contrast_mag, own)
        columns: Columns = {name: values[keep] for name, values in truth.items()}
        # Lists have identifiers from 0 on.
        columns["source_id"] = -1 - columns["source_id"]
        columns["realisation"] = np.full(account.n_added, realisation, np.int32)
        yield columns, account


def check_identifiers(source_id: NDArray[Any]) -> None:
    """Refuse identifiers of a list with which those of added stars could be confused.

    Raises
    ------
    InputError
        If they are text, or one of them is negative.
    """
    if source_id.dtype.kind not in "iu" or (source_id.size and int(source_id.min()) < 0):
        raise InputError(
            "source_id: stars that are added have negative integers as identifiers; "
            "expected integers from 0 on in the list"
        )


def _missed(
    model: Model,
    window: SkyWindow,
    truth: Mapping[str, NDArray[Any]],
    detection: DetectionKs,
    surroundings: Surroundings,
    contrast_mag: float,
    seed: int,
) -> tuple[NDArray[np.bool_], InfillAccount]:
    """Which stars of some whole cells are missed."""
    l_deg, b_deg, mag = truth["l"], truth["b"], truth["phot_ks_mag"]
    found = np.asarray(detection(l_deg, b_deg, mag), dtype=np.float64)
    if not ((found >= 0.0) & (found <= 1.0)).all():
        raise InputError("completeness: expected probabilities from 0 to 1 for every star")
    cells = model.extinction_map.cell_index(l_deg, b_deg)
    hidden, seen, probability = np.empty((3, mag.size))
    for cell in np.unique(cells):
        rows = np.flatnonzero(cells == cell)
        near = surroundings.brightest(l_deg[rows], b_deg[rows])
        around = np.sort(surroundings.brightest(*_points(model, window, cell)))
        limit = mag[rows] - contrast_mag
        hidden[rows] = np.searchsorted(around, limit) / around.size
        seen[rows] = np.searchsorted(around, np.inf) / around.size - hidden[rows]
        probability[rows] = np.where(near < limit, 1.0, np.where(np.isfinite(near), 0.0, -1.0))
    free = 1.0 - hidden - seen
    wanted = 1.0 - found
    with np.errstate(divide="ignore", invalid="ignore"):
        elsewhere = np.where(free > 0.0, np.clip((wanted - hidden) / free, 0.0, 1.0), 0.0)
    probability = np.where(probability < 0.0, elsewhere, probability)
    keep = uniform(star_key(seed, truth["source_id"], INFILL_STREAM), 0)[:, 0] < probability
    clipped = float((hidden + free * elsewhere - wanted).sum())
    return keep, InfillAccount(mag.size, int(keep.sum()), float(wanted.sum()), clipped)


def _points(model: Model, window: SkyWindow, cell: int) -> tuple[Floats, Floats]:
    """Return places all over the part of a cell that is in the window [deg]."""
    sky = model.extinction_map
    (centre_l,), (centre_b,) = sky.cell_centre(np.array([cell]))
    half = 0.5 * sky.step_deg

    def along(centre: float, low: float, high: float) -> Floats:
        first, last = max(centre - half, low), min(centre + half, high)
        return first + (np.arange(_POINTS) + 0.5) * (last - first) / _POINTS

    l_deg = along(centre_l, window.l_min, window.l_max)
    b_deg = along(centre_b, window.b_min, window.b_max)
    return np.repeat(l_deg, _POINTS), np.tile(b_deg, _POINTS)


def _directions(l_deg: Floats, b_deg: Floats) -> Floats:
    """Return unit vectors of Galactic coordinates [deg], shape (n, 3)."""
    lon, lat = np.radians(l_deg), np.radians(b_deg)
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
