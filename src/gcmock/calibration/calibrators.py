"""Which stars of a catalogue calibrate: those with a colour, between two magnitudes in Ks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gcmock.arrays import Integers
from gcmock.errors import InputError, NothingToLearnError
from gcmock.io.observed import ObservedCatalogue
from gcmock.io.readers.opening import open_table
from gcmock.mock.infer import prepare
from gcmock.model import Model
from gcmock.posterior.observations import Observations, joined
from gcmock.progress import Progress
from gcmock.random import star_key
from gcmock.settings.build import Config
from gcmock.words.bands import BANDS, KS, LINEAR_BANDS, magnitude_name

SAMPLE_STREAM: Final = -4
"""Stands for the realisation in keys: chooses stars where a cell has more than enough."""

MOST_STARS: Final = 20_000
"""So many stars are kept besides those that are enough for their cell, at most."""

MOST_FIRST, LEAST_PART = 24_000, 100
"""So many stars, or a hundredth of the list if that is more, are looked at one by one at most."""

LEAST_STARS: Final = 30
"""Fewer stars with a colour calibrate nothing."""

MOST_GAP_MAG: Final = 0.5
"""A list that ends more than this above a given faint limit is not complete to it: counts rise, and
some of `LEAST_STARS` stars lie in the last half a magnitude."""

PEAK_MARGIN_MAG: Final = 0.5
"""The faint limit lies so far above the peak of the counts."""

CUT_MAG, LEAST_AT_CUT = 0.1, 0.4
"""A list was cut where its last magnitudes, so wide, hold this fraction of the largest counts."""

LEAST_COLOURS: Final = 0.9
"""Least fraction of stars with a colour at the faint limit: red stars are lost first."""


class Calibrators(NamedTuple):
    """Stars that calibrate.

    Attributes
    ----------
    data : Observations
        Their observations, n_star of them, in the order of their random keys; `e_jks_rc` is the
        reddening of the map [mag].
    cell : ndarray of int64, shape (n_star,)
        Flat index of their cell of the extinction map.
    limits : tuple of 2 floats
        Bright and faint limit in Ks [mag].
    cells : ndarray of int64, shape (n_cell,)
        Cells with any star between the limits, with or without a colour.
    n_observed : ndarray of int64, shape (n_cell,)
        Their number.
    account : dict of str to int
        What became of the rows of the catalogue.
    first : ndarray of bool, shape (n_star,)
        Stars whose reddening is looked at one by one; of the others only their evidence is asked.
    zero_point_removed : bool
        Whether the zero point of Gaia was subtracted from each parallax.
    """

    data: Observations
    cell: Integers
    limits: tuple[float, float]
    cells: Integers
    n_observed: Integers
    account: dict[str, int]
    first: NDArray[np.bool_]
    zero_point_removed: bool = False


def read_calibrators(
    path: str | Path,
    model: Model,
    config: Config,
    *,
    limits: tuple[float, float] | None = None,
    stars_per_cell: int = 200,
    progress: Progress | None = None,
) -> Calibrators:
    """Read a catalogue and choose the stars that calibrate.

    Parameters
    ----------
    path : str or Path
        Any table that ``gcmock build`` reads.
    model : Model
    config : Config
        Says how columns are called, and which stars and measurements are used.
    limits : tuple of 2 floats, optional
        Bright and faint limit in Ks [mag], between which the catalogue is complete; by default no
        bright limit, and a faint one that its counts show, see `faint_limit`.
    stars_per_cell : int
        Most stars of a cell that are looked at one by one, chosen at random; fewer where cells are
        so many that this would be more than `MOST_FIRST` stars.
    progress : callable, optional
        Called with the numbers of finished and of all rows.

    Returns
    -------
    Calibrators

    Raises
    ------
    InputError
        If the catalogue cannot be used, has no colours, or too few stars.
    """
    if stars_per_cell < 1:
        raise InputError(f"stars per cell = {stars_per_cell}: expected at least 1")
    catalogue = ObservedCatalogue(open_table(path, config.columns), config)
    account: Counter[str] = Counter()
    parts: list[tuple[Observations, Integers, NDArray[np.uint64]]] = []
    for stars in catalogue.chunks():
        found = prepare(stars, model, config.policy)
        account["outside the extinction map or without a magnitude"] += int((~found.keep).sum())
        data = found.data
        with_ks = np.isfinite(data.mag[:, KS])
        account["without Ks"] += int((~with_ks).sum())
        # Hw is computed from J and H in most catalogues, and adds nothing to two bands.
        synthetic = slice(len(LINEAR_BANDS), None)
        data.mag[:, synthetic] = data.mag_error[:, synthetic] = np.nan
        cell = model.extinction_map.cell_index(data.l_deg, data.b_deg)
        key = star_key(config.run.seed, stars.take(found.keep).source_id, SAMPLE_STREAM)
        kept = data.take(with_ks)
        parts.append((kept, cell[with_ks], key[with_ks]))
        if progress is not None:
            progress(int(stars.row[-1]) + 1, catalogue.n_rows)
    data = joined([p[0] for p in parts])
    cell = np.concatenate([p[1] for p in parts])
    key = np.concatenate([p[2] for p in parts])
    with_colour = np.asarray(np.isfinite(data.mag[:, :KS]).any(axis=1))
    account["rows"] = catalogue.n_rows
    _check(catalogue, data, with_colour)
    if data.mag.shape[0] and np.ptp(data.mag[:, KS]) == 0.0:
        raise InputError(
            f"all stars have Ks = {data.mag[0, KS]:g}: nothing can be calibrated with one number; "
            "give measured magnitudes"
        )
    low, high = _limits(path, data, with_colour, limits)
    between = (data.mag[:, KS] >= low) & (data.mag[:, KS] < high)
    account["outside the limits in Ks"] = int((~between).sum())
    account["without a colour"] = int((between & ~with_colour).sum())
    cells, of_star = np.unique(cell[between], return_inverse=True)
    n_observed = np.bincount(of_star, minlength=cells.size)
    usable = between & with_colour
    n_cell = max(np.unique(cell[usable]).size, 1)
    affordable = max(MOST_FIRST, int(usable.sum()) // LEAST_PART) // n_cell
    chosen, first = _cap(cell, key, usable, max(1, min(stars_per_cell, affordable)))
    # Whatever is drawn from them later is the same for rows in any order.
    by_key = np.argsort(key[chosen], kind="stable")
    chosen, first = chosen[by_key], first[by_key]
    account["more than enough in their cell"] = int(usable.sum()) - chosen.size
    account["calibrate"] = chosen.size
    if chosen.size < LEAST_STARS:
        raise NothingToLearnError(
            f"{path}: {chosen.size} stars with a colour and {low:g} <= Ks < {high:g}: expected at "
            f"least {LEAST_STARS}; widen the limits, or give a larger catalogue",
            zero_point_removed=catalogue.summary.zero_point_removed,
        )
    return Calibrators(
        data.take(chosen), cell[chosen], (float(low), float(high)), cells.astype(np.int64),
        n_observed.astype(np.int64), dict(account), first, catalogue.summary.zero_point_removed,
    )  # fmt: skip


def _check(
    catalogue: ObservedCatalogue, data: Observations, with_colour: NDArray[np.bool_]
) -> None:
    """Refuse catalogues that cannot calibrate.

    Raises
    ------
    NothingToLearnError
        With what is missing, why it is needed, and what can be done without it.
    """
    bands = [band for band in BANDS if magnitude_name(band) in catalogue.matches]
    if not data.mag.size or not with_colour.any():
        raise NothingToLearnError(
            f"{catalogue.path}: has {', '.join(bands) or 'no band'}; calibrating extinction takes "
            "Ks and at least one of J, H of the same stars. One band has no colour: more dust, a "
            "greater distance and fainter stars look alike, so neither the reddening nor its "
            "scatter nor the law nor the fractions of the components can be calibrated from it. "
            "What one band can be compared with are star counts (gcmock.load_model()."
            "expected_counts); the posterior of its stars rests on the map, whose errors "
            "[extinction] residual_scatter_mag should cover. Add J or H of the same stars, or "
            "calibrate with another catalogue of the same field",
            zero_point_removed=catalogue.summary.zero_point_removed,
        )
    if with_colour.sum() < LEAST_STARS:
        raise NothingToLearnError(
            f"{catalogue.path}: {int(with_colour.sum())} stars have Ks and J or H: expected at "
            f"least {LEAST_STARS}",
            zero_point_removed=catalogue.summary.zero_point_removed,
        )


def _limits(
    path: str | Path,
    data: Observations,
    with_colour: NDArray[np.bool_],
    given: tuple[float, float] | None,
) -> tuple[float, float]:
    """Return the limits in Ks [mag]: those that were given, if they can be true, or found ones."""
    low, high = given if given is not None else (-np.inf, faint_limit(data, with_colour))
    if not low < high:
        raise InputError(f"limits {low:g} {high:g}: expected the bright limit first")
    if high > (faintest := float(data.mag[:, KS].max())) + MOST_GAP_MAG:
        raise InputError(
            f"limits {low:g} {high:g}: the faintest star of {path} has Ks = {faintest:.2f}: it is "
            f"not complete to {high:g} mag; give its own limit, or none for that which its counts "
            "show"
        )
    return low, high


def faint_limit(data: Observations, with_colour: NDArray[np.bool_]) -> float:
    """Ks down to which a catalogue seems complete [mag].

    Where the list was cut, if its counts still rise there; else half a magnitude above the peak of
    the counts; or brighter, where fewer than nine stars in ten have a colour.

    Parameters
    ----------
    data : Observations
    with_colour : ndarray of bool, shape (n_star,)
        Stars that have J or H.

    Returns
    -------
    float
        A multiple of 0.01 mag.
    """
    ks = data.mag[:, KS]
    edges = np.arange(np.floor(ks.min()), np.ceil(ks.max()) + 0.26, 0.25)
    counts = np.histogram(ks, edges)[0]
    coloured = np.histogram(ks[with_colour], edges)[0]
    peak = edges[int(counts.argmax()) + 1] - PEAK_MARGIN_MAG
    faintest = float(ks.max())
    if (ks > faintest - CUT_MAG).sum() > LEAST_AT_CUT * counts.max() * CUT_MAG / 0.25:
        # The list ends while its counts still rise: it was cut there, not by its survey.
        peak = faintest
    enough = counts >= LEAST_STARS
    poor = np.flatnonzero(enough & (coloured < LEAST_COLOURS * counts))
    if poor.size:
        peak = min(peak, edges[poor[0]])
    return float(np.ceil(100.0 * max(peak, np.quantile(ks, 0.05))) / 100.0)


def _cap(
    cell: Integers, key: NDArray[np.uint64], usable: NDArray[np.bool_], most: int
) -> tuple[Integers, NDArray[np.bool_]]:
    """Return indices of usable stars, and which of them are the first `most` of their cell.

    Those are the ones with the smallest keys; of the others as many follow as `MOST_STARS` allows.
    """
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort((key[rows], cell[rows]))]
    of_cell = cell[order]
    rank = np.arange(order.size) - np.searchsorted(of_cell, of_cell, side="left")
    first = rank < most
    others = np.flatnonzero(~first)
    left = max(MOST_STARS - int(first.sum()), 0)
    others = others[np.argsort(key[order[others]], kind="stable")[:left]]
    kept = np.sort(np.concatenate([np.flatnonzero(first), others]))
    sorted_rows = np.argsort(order[kept], kind="stable")
    return order[kept][sorted_rows], first[kept][sorted_rows]
